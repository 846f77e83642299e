/* SPDX-License-Identifier: Apache-2.0 */
#include "base/publish.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct retired {
    struct retired *next;
    void *old;
    void (*free_it)(void *old);
    uint64_t epoch; /* readers that entered at a later epoch cannot see it */
};

struct publish {
    _Atomic uint64_t epoch;
    struct {
        _Alignas(64) _Atomic uint64_t inside; /* the epoch at entry; 0: outside */
        _Atomic int is_taken;
    } slots[PUBLISH_SLOTS];
    pthread_mutex_t lock; /* writers among themselves */
    struct retired *first; /* under lock */
};

struct publish *publish_open(void)
{
    struct publish *publish = aligned_alloc(64, (sizeof(*publish) + 63) / 64 * 64);

    if (publish == NULL) {
        abort();
    }
    atomic_init(&publish->epoch, 1);
    for (unsigned i = 0; i < PUBLISH_SLOTS; i++) {
        atomic_init(&publish->slots[i].inside, 0);
        atomic_init(&publish->slots[i].is_taken, 0);
    }
    pthread_mutex_init(&publish->lock, NULL);
    publish->first = NULL;
    return publish;
}

static void free_before(struct publish *publish, uint64_t epoch)
{
    struct retired **at = &publish->first;

    while (*at != NULL) {
        struct retired *retired = *at;

        if (retired->epoch >= epoch) {
            at = &retired->next;
            continue;
        }
        *at = retired->next;
        retired->free_it(retired->old);
        free(retired);
    }
}

void publish_close(struct publish *publish)
{
    if (publish == NULL) {
        return;
    }
    free_before(publish, UINT64_MAX);
    pthread_mutex_destroy(&publish->lock);
    free(publish);
}

unsigned publish_slot(struct publish *publish)
{
    for (unsigned i = 0; i < PUBLISH_SLOTS; i++) {
        int free_slot = 0;

        if (atomic_compare_exchange_strong(&publish->slots[i].is_taken, &free_slot, 1)) {
            return i;
        }
    }
    abort();
}

void publish_slot_free(struct publish *publish, unsigned slot)
{
    assert(atomic_load(&publish->slots[slot].inside) == 0);
    atomic_store(&publish->slots[slot].is_taken, 0);
}

void publish_enter(struct publish *publish, unsigned slot)
{
    atomic_store(&publish->slots[slot].inside, atomic_load(&publish->epoch));
}

void publish_leave(struct publish *publish, unsigned slot)
{
    atomic_store_explicit(&publish->slots[slot].inside, 0, memory_order_release);
}

void publish_retire(struct publish *publish, void *old, void (*free_it)(void *old))
{
    struct retired *retired = malloc(sizeof(*retired));
    uint64_t oldest;

    if (retired == NULL) {
        abort();
    }
    pthread_mutex_lock(&publish->lock);
    retired->old = old;
    retired->free_it = free_it;
    retired->epoch = atomic_fetch_add(&publish->epoch, 1);
    retired->next = publish->first;
    publish->first = retired;
    oldest = UINT64_MAX;
    for (unsigned i = 0; i < PUBLISH_SLOTS; i++) {
        uint64_t inside = atomic_load(&publish->slots[i].inside);

        if (inside != 0 && inside < oldest) {
            oldest = inside;
        }
    }
    free_before(publish, oldest);
    pthread_mutex_unlock(&publish->lock);
}
