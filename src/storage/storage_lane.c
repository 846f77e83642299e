/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/storage_engine.h"

#include <stdlib.h>
#include <time.h>

void storage_lane_open(struct storage_lane *lane, struct storage *storage)
{
    pthread_condattr_t attributes;

    *lane = (struct storage_lane){.storage = storage, .last = &lane->first};
    pthread_mutex_init(&lane->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&lane->wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

void storage_lane_start(struct storage_lane *lane, void *(*run)(void *lane))
{
    pthread_mutex_lock(&lane->lock);
    if (!lane->has_thread && !lane->is_closing) {
        if (pthread_create(&lane->thread, NULL, run, lane) != 0) {
            abort();
        }
        lane->has_thread = true;
    }
    pthread_mutex_unlock(&lane->lock);
}

void storage_lane_close(struct storage_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    lane->is_closing = true;
    pthread_cond_signal(&lane->wake);
    pthread_mutex_unlock(&lane->lock);
    if (lane->has_thread) {
        pthread_join(lane->thread, NULL);
    }
}

void storage_lane_free(struct storage_lane *lane)
{
    pthread_cond_destroy(&lane->wake);
    pthread_mutex_destroy(&lane->lock);
}

bool storage_lane_add(struct storage_lane *lane, struct storage_op *op)
{
    bool has_room;

    pthread_mutex_lock(&lane->lock);
    /* A single large operation is let in when nothing else waits, or it could never be. */
    has_room =
        !lane->is_closing && (lane->ops_n == 0 || (lane->ops_n + op->ops_n <= STORAGE_QUEUE_OPS_MAX &&
                                                   lane->bytes_n + op->bytes_n <= STORAGE_QUEUE_BYTES_MAX));
    if (has_room) {
        op->next = NULL;
        *lane->last = op;
        lane->last = &op->next;
        lane->ops_n += op->ops_n;
        lane->bytes_n += op->bytes_n;
        pthread_cond_signal(&lane->wake);
    }
    pthread_mutex_unlock(&lane->lock);
    return has_room;
}

void storage_lane_wake(struct storage_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    pthread_cond_signal(&lane->wake);
    pthread_mutex_unlock(&lane->lock);
}

/* Under the lane's lock. One that is alone is taken alone. */
static struct storage_op *take(struct storage_lane *lane)
{
    struct storage_op *first = lane->first, **last = &lane->first;
    size_t ops_n = 0, bytes_n = 0;

    while (*last != NULL) {
        struct storage_op *op = *last;

        if (op != first &&
            (op->alone != NULL || first->alone != NULL || ops_n + op->ops_n > STORAGE_GROUP_OPS_MAX ||
             bytes_n + op->bytes_n > STORAGE_GROUP_BYTES_MAX)) {
            break;
        }
        ops_n += op->ops_n;
        bytes_n += op->bytes_n;
        last = &op->next;
    }
    lane->first = *last;
    *last = NULL;
    if (lane->first == NULL) {
        lane->last = &lane->first;
    }
    lane->ops_n -= ops_n;
    lane->bytes_n -= bytes_n;
    return first;
}

static void wait_ms(struct storage_lane *lane, int64_t ms)
{
    struct timespec until;

    if (ms < 0) {
        pthread_cond_wait(&lane->wake, &lane->lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&lane->wake, &lane->lock, &until);
}

static void run_group(struct storage *storage, struct storage_op *ops)
{
    enum err err;

    for (struct storage_op *op = ops; op != NULL; op = op->next) {
        size_t mark = storage_group_mark(&storage->group);

        if (!op->apply(op, &storage->group)) {
            storage_group_rollback(&storage->group, mark);
        }
    }
    err = storage_commit(storage, true);
    while (ops != NULL) {
        struct storage_op *op = ops;

        ops = op->next;
        if (err != ERR_OK) {
            op->err = err; /* also of those that only looked: they may have seen what was never kept */
        } else if (op->after != NULL) {
            op->after(op);
        }
        storage_op_complete(op);
    }
}

static int64_t due_wait_ms(struct storage *storage)
{
    if (storage->options.rules.fold == NULL || atomic_load(&storage->is_failing)) {
        return -1;
    }
    return storage_due_wait_ms(&storage->due, storage_now_ms(storage));
}

void *storage_writer_run(void *ctx)
{
    struct storage_lane *lane = ctx;
    struct storage *storage = lane->storage;
    struct storage_op *ops;
    bool is_idle;

    for (;;) {
        int64_t ms = 0;

        pthread_mutex_lock(&lane->lock);
        while (lane->first == NULL && !lane->is_closing && (ms = due_wait_ms(storage)) != 0) {
            wait_ms(lane, ms);
        }
        if (lane->first == NULL && lane->is_closing) {
            pthread_mutex_unlock(&lane->lock);
            return NULL;
        }
        ops = lane->first != NULL ? take(lane) : NULL;
        is_idle = lane->first == NULL;
        pthread_mutex_unlock(&lane->lock);
        if (ops != NULL && ops->alone != NULL) {
            ops->alone(ops);
            storage_op_complete(ops);
        } else if (ops != NULL) {
            run_group(storage, ops);
        }
        if (due_wait_ms(storage) == 0) {
            storage_fold_due(storage, is_idle ? STORAGE_FOLDS_IDLE : STORAGE_FOLDS_BUSY);
        }
    }
}

void *storage_chores_run(void *ctx)
{
    struct storage_lane *lane = ctx;
    struct storage_op *op;

    for (;;) {
        pthread_mutex_lock(&lane->lock);
        while (lane->first == NULL && !lane->is_closing) {
            pthread_cond_wait(&lane->wake, &lane->lock);
        }
        if (lane->first == NULL) {
            pthread_mutex_unlock(&lane->lock);
            return NULL;
        }
        op = take(lane);
        pthread_mutex_unlock(&lane->lock);
        op->alone(op);
        storage_op_complete(op);
    }
}
