/* SPDX-License-Identifier: Apache-2.0 */
#include "os/loop.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include <uv.h>

struct queue {
    struct loop_task *first, **last;
};

struct loop {
    uv_loop_t uv;
    uv_async_t wake;     /* foreign threads posted */
    uv_idle_t awake;     /* active while own tasks wait, so that polling does not block */
    uv_prepare_t before; /* keeps the loop alive with nothing else to do */
    struct queue own;    /* the loop's thread only */
    pthread_mutex_t lock;
    struct queue foreign; /* under lock */
    bool is_stopping;     /* under lock */
    pthread_t thread;
    bool is_bound;
};

static void queue_add(struct queue *queue, struct loop_task *task)
{
    task->next = NULL;
    *queue->last = task;
    queue->last = &task->next;
}

static struct loop_task *queue_take_all(struct queue *queue)
{
    struct loop_task *first = queue->first;

    queue->first = NULL;
    queue->last = &queue->first;
    return first;
}

static void run_all(struct loop_task *task)
{
    while (task != NULL) {
        struct loop_task *next = task->next;

        task->next = NULL;
        task->run(task);
        task = next;
    }
}

static void on_wake(uv_async_t *wake)
{
    struct loop *loop = wake->data;
    struct loop_task *tasks;
    bool is_stopping;

    pthread_mutex_lock(&loop->lock);
    tasks = queue_take_all(&loop->foreign);
    is_stopping = loop->is_stopping;
    loop->is_stopping = false;
    pthread_mutex_unlock(&loop->lock);
    run_all(tasks);
    if (is_stopping) {
        uv_stop(&loop->uv);
    }
}

static void on_awake(uv_idle_t *awake)
{
    struct loop *loop = awake->data;
    struct loop_task *tasks = queue_take_all(&loop->own);

    run_all(tasks);
    if (loop->own.first == NULL) {
        uv_idle_stop(&loop->awake);
    }
}

static void on_before(uv_prepare_t *before)
{
    (void)before;
}

enum err loop_open(struct loop **out_loop)
{
    struct loop *loop = calloc(1, sizeof(*loop));

    if (loop == NULL) {
        return ERR_NOMEM;
    }
    if (uv_loop_init(&loop->uv) != 0) {
        free(loop);
        return ERR_IO;
    }
    loop->own.last = &loop->own.first;
    loop->foreign.last = &loop->foreign.first;
    pthread_mutex_init(&loop->lock, NULL);
    if (uv_async_init(&loop->uv, &loop->wake, on_wake) != 0) {
        uv_loop_close(&loop->uv);
        free(loop);
        return ERR_IO;
    }
    uv_idle_init(&loop->uv, &loop->awake);
    uv_prepare_init(&loop->uv, &loop->before);
    loop->wake.data = loop->awake.data = loop->before.data = loop;
    uv_prepare_start(&loop->before, on_before);
    *out_loop = loop;
    return ERR_OK;
}

void loop_close(struct loop *loop)
{
    if (loop == NULL) {
        return;
    }
    on_wake(&loop->wake);
    while (loop->own.first != NULL) {
        run_all(queue_take_all(&loop->own));
    }
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_close((uv_handle_t *)&loop->awake, NULL);
    uv_close((uv_handle_t *)&loop->before, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_loop_close(&loop->uv);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

static void bind_thread(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    if (!loop->is_bound) {
        loop->thread = pthread_self();
        loop->is_bound = true;
    }
    pthread_mutex_unlock(&loop->lock);
    assert(pthread_equal(loop->thread, pthread_self()));
}

void loop_run(struct loop *loop)
{
    bind_thread(loop);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_run_until(struct loop *loop, const bool *is_done)
{
    bind_thread(loop);
    while (!*is_done) {
        uv_run(&loop->uv, UV_RUN_ONCE);
    }
}

void loop_stop(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->is_stopping = true;
    pthread_mutex_unlock(&loop->lock);
    uv_async_send(&loop->wake);
}

void loop_post(struct loop *loop, struct loop_task *task)
{
    bool is_own;

    pthread_mutex_lock(&loop->lock);
    is_own = loop->is_bound && pthread_equal(loop->thread, pthread_self());
    if (!is_own) {
        queue_add(&loop->foreign, task);
    }
    pthread_mutex_unlock(&loop->lock);
    if (!is_own) {
        uv_async_send(&loop->wake);
        return;
    }
    queue_add(&loop->own, task);
    uv_idle_start(&loop->awake, on_awake);
}

struct uv_loop_s *loop_uv(struct loop *loop)
{
    return &loop->uv;
}
