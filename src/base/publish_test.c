/* SPDX-License-Identifier: Apache-2.0 */
#include "base/publish.h"

#include "base/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { ALIVE = 0x600d, DEAD = 0xdead, READERS = 3, SWAPS = 20000 };

static _Atomic int freed_n;

static void count_free(void *old)
{
    *(int *)old = DEAD;
    atomic_fetch_add(&freed_n, 1);
}

TEST(publish_frees_at_once_what_nobody_reads)
{
    struct publish *publish = publish_open();
    int a = ALIVE, b = ALIVE;

    atomic_store(&freed_n, 0);
    publish_retire(publish, &a, count_free);
    publish_retire(publish, &b, count_free);
    publish_close(publish);
    CHECK_INT(freed_n, 2);
}

TEST(publish_keeps_what_a_reader_may_see_until_it_leaves)
{
    struct publish *publish = publish_open();
    unsigned slot = publish_slot(publish);
    int a = ALIVE, b = ALIVE, c = ALIVE;

    atomic_store(&freed_n, 0);
    publish_enter(publish, slot);
    publish_retire(publish, &a, count_free);
    publish_retire(publish, &b, count_free);
    CHECK_INT(a, ALIVE);
    CHECK_INT(b, ALIVE);
    publish_leave(publish, slot);
    publish_retire(publish, &c, count_free);
    CHECK_INT(a, DEAD);
    CHECK_INT(b, DEAD);
    publish_slot_free(publish, slot);
    publish_close(publish);
    CHECK_INT(freed_n, 3);
}

/* A reader that entered after the swap holds nothing back for ever: only what it may see. */
TEST(publish_of_a_later_reader_does_not_hold_older_things)
{
    struct publish *publish = publish_open();
    unsigned early = publish_slot(publish), late = publish_slot(publish);
    int a = ALIVE, b = ALIVE;

    publish_enter(publish, early);
    publish_retire(publish, &a, count_free);
    publish_enter(publish, late);
    publish_leave(publish, early);
    publish_retire(publish, &b, count_free);
    CHECK_INT(a, DEAD);
    CHECK_INT(b, ALIVE);
    publish_leave(publish, late);
    publish_close(publish);
}

TEST(publish_slots_are_given_once_and_again)
{
    struct publish *publish = publish_open();
    bool is_given[PUBLISH_SLOTS] = {false};

    for (unsigned i = 0; i < PUBLISH_SLOTS; i++) {
        unsigned slot = publish_slot(publish);

        CHECK(slot < PUBLISH_SLOTS && !is_given[slot]);
        is_given[slot] = true;
    }
    publish_slot_free(publish, 5);
    CHECK_INT(publish_slot(publish), 5);
    publish_close(publish);
}

struct shared {
    struct publish *publish;
    _Atomic(int *) now;
    atomic_bool is_over;
    _Atomic long dead_n, reads_n;
};

static void free_int(void *old)
{
    *(int *)old = DEAD;
    free(old);
}

static int *new_int(void)
{
    int *made = malloc(sizeof(*made));

    if (made == NULL) {
        abort();
    }
    *made = ALIVE;
    return made;
}

static void *read_on(void *arg)
{
    struct shared *shared = arg;
    unsigned slot = publish_slot(shared->publish);
    long dead = 0, reads = 0;

    while (!atomic_load(&shared->is_over)) {
        publish_enter(shared->publish, slot);
        for (int i = 0; i < 3; i++) {
            dead += *(volatile int *)atomic_load(&shared->now) != ALIVE;
        }
        publish_leave(shared->publish, slot);
        reads++;
    }
    publish_slot_free(shared->publish, slot);
    atomic_fetch_add(&shared->dead_n, dead);
    atomic_fetch_add(&shared->reads_n, reads);
    return NULL;
}

/* Under ThreadSanitizer and AddressSanitizer a thing freed too early is also reported by them. */
TEST(publish_readers_never_see_a_freed_thing)
{
    struct shared shared = {.publish = publish_open()};
    pthread_t readers[READERS];

    atomic_store(&shared.now, new_int());
    for (int i = 0; i < READERS; i++) {
        CHECK_INT(pthread_create(&readers[i], NULL, read_on, &shared), 0);
    }
    for (int i = 0; i < SWAPS; i++) {
        publish_retire(shared.publish, atomic_exchange(&shared.now, new_int()), free_int);
    }
    atomic_store(&shared.is_over, true);
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers[i], NULL);
    }
    CHECK_INT(shared.dead_n, 0);
    publish_close(shared.publish);
    free(atomic_load(&shared.now));
}
