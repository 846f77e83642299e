/* SPDX-License-Identifier: Apache-2.0 */
#include "os/loop.h"

#include "base/test.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 3, POSTS = 2000 };

struct step { /* a task that notes when it ran */
    struct loop_task task;
    struct loop *loop;
    int number;
    bool is_last;
};

static int order[16], order_n;
static bool is_done, is_inside;

static void note(struct loop_task *task)
{
    struct step *step = (struct step *)task;

    CHECK(!is_inside);
    order[order_n++] = step->number;
    is_done = is_done || step->is_last;
}

static struct loop *new_loop(void)
{
    struct loop *loop;

    CHECK_OK(loop_open(&loop));
    order_n = 0;
    is_done = false;
    return loop;
}

static struct step second, third;

static void post_two_more(struct loop_task *task)
{
    struct step *step = (struct step *)task;

    is_inside = true;
    order[order_n++] = step->number;
    loop_post(step->loop, &second.task);
    loop_post(step->loop, &third.task);
    CHECK_INT(order_n, 1); /* never from inside the call */
    is_inside = false;
}

TEST(loop_runs_own_posts_in_order_and_never_from_inside)
{
    struct loop *loop = new_loop();
    struct step first = {.task.run = post_two_more, .loop = loop, .number = 1};

    second = (struct step){.task.run = note, .number = 2};
    third = (struct step){.task.run = note, .number = 3, .is_last = true};
    loop_post(loop, &first.task);
    loop_run_until(loop, &is_done);
    CHECK_INT(order_n, 3);
    CHECK(order[0] == 1 && order[1] == 2 && order[2] == 3);
    loop_close(loop);
}

TEST(loop_close_runs_what_is_still_queued)
{
    struct loop *loop = new_loop();
    struct step one = {.task.run = note, .number = 1}, two = {.task.run = note, .number = 2};

    loop_post(loop, &one.task);
    loop_post(loop, &two.task);
    loop_close(loop);
    CHECK(order_n == 2 && order[0] == 1 && order[1] == 2);
}

struct sent {
    struct loop_task task;
    int number;
};

static struct sender {
    struct loop *loop;
    struct sent sent[POSTS];
    int next;
} senders[THREADS];
static int arrived_n;

static void arrive(struct loop_task *task)
{
    struct sent *sent = (struct sent *)task;

    for (int i = 0; i < THREADS; i++) {
        struct sender *sender = &senders[i];

        if (sent >= sender->sent && sent < sender->sent + POSTS) {
            CHECK_INT(sent->number, sender->next); /* in order of posting from one thread */
            sender->next++;
        }
    }
    arrived_n++;
    if (arrived_n == THREADS * POSTS) {
        loop_stop(senders[0].loop);
    }
}

static void *send_all(void *arg)
{
    struct sender *sender = arg;

    for (int i = 0; i < POSTS; i++) {
        sender->sent[i] = (struct sent){.task.run = arrive, .number = i};
        loop_post(sender->loop, &sender->sent[i].task);
    }
    return NULL;
}

TEST(loop_takes_posts_of_several_threads_each_once_and_in_order)
{
    struct loop *loop = new_loop();
    pthread_t threads[THREADS];

    arrived_n = 0;
    for (int i = 0; i < THREADS; i++) {
        senders[i].loop = loop;
        senders[i].next = 0;
        CHECK_INT(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
    }
    loop_run(loop);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_INT(arrived_n, THREADS * POSTS);
    loop_close(loop);
}
