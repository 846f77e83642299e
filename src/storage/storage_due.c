/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/storage_due.h"

#include "base/hash.h"

#include <stdlib.h>

struct storage_due_part {
    struct storage_owner owner;
    struct storage_due_part *chain;       /* of the hash table */
    struct storage_due_part *prev, *next; /* of its line */
    int64_t last_ms;
    uint32_t events_n;
};

void storage_due_open(struct storage_due *due)
{
    *due = (struct storage_due){.heads_n = 1024};
    pthread_mutex_init(&due->lock, NULL);
    due->heads = calloc(due->heads_n, sizeof(struct storage_due_part *));
    if (due->heads == NULL) {
        abort();
    }
}

void storage_due_close(struct storage_due *due)
{
    for (size_t i = 0; i < due->heads_n; i++) {
        while (due->heads[i] != NULL) {
            struct storage_due_part *next = due->heads[i]->chain;

            free(due->heads[i]);
            due->heads[i] = next;
        }
    }
    free(due->heads);
    pthread_mutex_destroy(&due->lock);
}

static struct storage_due_part **slot_of(const struct storage_due *due, struct storage_owner owner)
{
    uint64_t name[2] = {owner.tenant.v, owner.part.v};
    struct storage_due_part **slot = &due->heads[hash_fast(name, sizeof(name), 0) % due->heads_n];

    while (*slot != NULL &&
           ((*slot)->owner.part.v != owner.part.v || (*slot)->owner.tenant.v != owner.tenant.v)) {
        slot = &(*slot)->chain;
    }
    return slot;
}

static void grow(struct storage_due *due)
{
    struct storage_due_part **old = due->heads;
    size_t old_n = due->heads_n;

    due->heads_n *= 4;
    due->heads = calloc(due->heads_n, sizeof(struct storage_due_part *));
    if (due->heads == NULL) {
        abort();
    }
    for (size_t i = 0; i < old_n; i++) {
        while (old[i] != NULL) {
            struct storage_due_part *part = old[i];

            old[i] = part->chain;
            part->chain = NULL;
            *slot_of(due, part->owner) = part;
        }
    }
    free(old);
}

static struct storage_due_line *line_of(struct storage_due *due, const struct storage_due_part *part)
{
    return part->events_n >= STORAGE_FOLD_EVENTS ? &due->ready : &due->quiet;
}

static void leave(struct storage_due_line *line, struct storage_due_part *part)
{
    *(part->prev != NULL ? &part->prev->next : &line->first) = part->next;
    *(part->next != NULL ? &part->next->prev : &line->last) = part->prev;
    part->prev = part->next = NULL;
}

static void join(struct storage_due_line *line, struct storage_due_part *part)
{
    if (part->events_n >= STORAGE_FOLD_AT) {
        part->next = line->first;
        *(line->first != NULL ? &line->first->prev : &line->last) = part;
        line->first = part;
        return;
    }
    part->prev = line->last;
    *(line->last != NULL ? &line->last->next : &line->first) = part;
    line->last = part;
}

bool storage_due_add(struct storage_due *due, struct storage_owner owner, uint32_t events_n, int64_t now_ms)
{
    struct storage_due_part **slot, *part;
    bool was_ready = false, is_ready;

    pthread_mutex_lock(&due->lock);
    if (due->parts_n >= due->heads_n * 2) {
        grow(due);
    }
    slot = slot_of(due, owner);
    part = *slot;
    if (part == NULL) {
        part = calloc(1, sizeof(*part));
        if (part == NULL) {
            abort();
        }
        part->owner = owner;
        *slot = part;
        due->parts_n++;
    } else {
        was_ready = part->events_n >= STORAGE_FOLD_EVENTS;
        leave(line_of(due, part), part);
    }
    part->events_n += events_n;
    part->last_ms = now_ms;
    is_ready = part->events_n >= STORAGE_FOLD_EVENTS;
    join(line_of(due, part), part);
    pthread_mutex_unlock(&due->lock);
    return is_ready && !was_ready;
}

void storage_due_remove(struct storage_due *due, struct storage_owner owner)
{
    struct storage_due_part **slot, *part;

    pthread_mutex_lock(&due->lock);
    slot = slot_of(due, owner);
    part = *slot;
    if (part != NULL) {
        leave(line_of(due, part), part);
        *slot = part->chain;
        due->parts_n--;
        free(part);
    }
    pthread_mutex_unlock(&due->lock);
}

size_t storage_due_count(struct storage_due *due)
{
    size_t n;

    pthread_mutex_lock(&due->lock);
    n = due->parts_n;
    pthread_mutex_unlock(&due->lock);
    return n;
}

int64_t storage_due_wait_ms(struct storage_due *due, int64_t now_ms)
{
    int64_t wait_ms = -1;

    pthread_mutex_lock(&due->lock);
    if (due->ready.first != NULL) {
        wait_ms = 0;
    } else if (due->quiet.first != NULL) {
        wait_ms = due->quiet.first->last_ms + STORAGE_FOLD_QUIET_MS - now_ms;
        wait_ms = wait_ms < 0 ? 0 : wait_ms > STORAGE_FOLD_QUIET_MS ? STORAGE_FOLD_QUIET_MS : wait_ms;
    }
    pthread_mutex_unlock(&due->lock);
    return wait_ms;
}

static bool is_inside(const struct storage_due_part *part, uint16_t from, uint16_t to)
{
    uint16_t bucket;

    if (from == 0 && to >= HASH_BUCKETS) {
        return true;
    }
    bucket = hash_bucket(part->owner.tenant, part->owner.part.v);
    return bucket >= from && bucket < to;
}

size_t storage_due_find(struct storage_due *due, int64_t now_ms, bool all, uint16_t from, uint16_t to,
                        struct storage_owner *owners, size_t room)
{
    size_t n = 0;

    pthread_mutex_lock(&due->lock);
    for (const struct storage_due_part *part = due->ready.first; part != NULL && n < room;
         part = part->next) {
        if (is_inside(part, from, to)) {
            owners[n++] = part->owner;
        }
    }
    for (const struct storage_due_part *part = due->quiet.first; part != NULL && n < room;
         part = part->next) {
        if (!all && part->last_ms + STORAGE_FOLD_QUIET_MS > now_ms) {
            break; /* the line is in order of last_ms */
        }
        if (is_inside(part, from, to)) {
            owners[n++] = part->owner;
        }
    }
    pthread_mutex_unlock(&due->lock);
    return n;
}
