/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/storage_group.h"

#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>

/* Room for the largest group: 4,096 events of 64 KiB would need 256 MiB. */
#define ARENA_BYTES ((size_t)1 << 20)
#define ARENA_BYTES_MAX ((size_t)1 << 30)

void storage_group_open(struct storage_group *group, const struct storage_driver *driver, void *at)
{
    *group = (struct storage_group){.driver = driver, .at = at, .changes_room = 1024};
    arena_open(&group->arena, ARENA_BYTES, ARENA_BYTES_MAX);
    group->changes = malloc(group->changes_room * sizeof(*group->changes));
    group->heads = malloc(STORAGE_GROUP_HEADS * sizeof(*group->heads));
    if (group->changes == NULL || group->heads == NULL) {
        abort();
    }
    memset(group->heads, 0xff, STORAGE_GROUP_HEADS * sizeof(*group->heads));
}

void storage_group_close(struct storage_group *group)
{
    arena_close(&group->arena);
    free(group->changes);
    free(group->heads);
}

static int32_t *head_of(const struct storage_group *group, enum storage_family family, struct bytes key)
{
    return &group->heads[hash_fast(key.p, key.n, family) % STORAGE_GROUP_HEADS];
}

static const struct storage_change *find(const struct storage_group *group, enum storage_family family,
                                         struct bytes key)
{
    for (int32_t i = *head_of(group, family, key); i >= 0; i = group->changes[i].next) {
        const struct storage_change *change = &group->changes[i];

        if (change->family == family && bytes_equal(change->key, key)) {
            return change;
        }
    }
    return NULL;
}

/* Chains grow at their heads only, so taking changes back newest first restores each head. */
void storage_group_rollback(struct storage_group *group, size_t mark)
{
    assert(mark <= group->changes_n);
    while (group->changes_n > mark) {
        const struct storage_change *change = &group->changes[--group->changes_n];

        *head_of(group, change->family, change->key) = change->next;
        group->family_n[change->family]--;
    }
}

static void add(struct storage_group *group, enum storage_family family, struct bytes key, struct bytes value,
                bool is_delete)
{
    struct storage_change *change;
    int32_t *head;

    if (group->changes_n == group->changes_room) {
        group->changes_room *= 2;
        group->changes = realloc(group->changes, group->changes_room * sizeof(*group->changes));
        if (group->changes == NULL) {
            abort();
        }
    }
    key = arena_copy(&group->arena, key);
    if (key.p == NULL) {
        return; /* the arena remembers: commit refuses */
    }
    head = head_of(group, family, key);
    change = &group->changes[group->changes_n];
    *change = (struct storage_change){
        .key = key, .value = value, .next = *head, .family = (uint8_t)family, .is_delete = is_delete};
    *head = (int32_t)group->changes_n++;
    group->family_n[family]++;
}

void storage_group_put(struct storage_group *group, enum storage_family family, struct bytes key,
                       struct bytes value)
{
    add(group, family, key, value, false);
}

void storage_group_delete(struct storage_group *group, enum storage_family family, struct bytes key)
{
    add(group, family, key, (struct bytes){0}, true);
}

enum err storage_group_get(struct storage_group *group, enum storage_family family, struct bytes key,
                           struct bytes *out_value)
{
    const struct storage_change *change = find(group, family, key);

    if (change == NULL) {
        return group->driver->get(group->at, NULL, family, key, &group->arena, out_value);
    }
    if (change->is_delete) {
        return ERR_ABSENT;
    }
    *out_value = change->value;
    return ERR_OK;
}

bool storage_pairs_add(struct storage_pairs *pairs, struct arena *arena, struct bytes key, struct bytes value)
{
    struct storage_pair pair;

    if (pairs->n == pairs->room) {
        size_t room = pairs->room == 0 ? 16 : pairs->room * 2;
        struct storage_pair *at = arena_array(arena, room, sizeof(*at));

        if (at == NULL) {
            return false;
        }
        if (pairs->n > 0) {
            memcpy(at, pairs->at, pairs->n * sizeof(*at));
        }
        pairs->at = at;
        pairs->room = room;
    }
    pair.key = arena_copy(arena, key);
    pair.value = arena_copy(arena, value);
    if (pair.key.p == NULL || pair.value.p == NULL) {
        return false;
    }
    pairs->at[pairs->n++] = pair;
    return true;
}

struct walk {
    struct storage_group *group; /* NULL: nothing to hide */
    enum storage_family family;
    struct arena *arena;
    struct storage_pairs *pairs;
};

static bool on_pair(void *ctx, struct bytes key, struct bytes value)
{
    struct walk *walk = ctx;

    if (walk->group != NULL && find(walk->group, walk->family, key) != NULL) {
        return true;
    }
    return storage_pairs_add(walk->pairs, walk->arena, key, value);
}

static enum err walk_prefix(const struct storage_driver *driver, void *at, void *view, struct bytes prefix,
                            struct walk *walk)
{
    struct storage_key_room room;
    enum err err;

    err = driver->walk(at, view, walk->family, prefix, storage_key_after(&room, prefix), on_pair, walk);
    return err == ERR_OK && arena_overflowed(walk->arena) ? ERR_NOMEM : err;
}

enum err storage_pairs_walk(const struct storage_driver *driver, void *at, void *view,
                            enum storage_family family, struct bytes prefix, struct arena *arena,
                            struct storage_pairs *out_pairs)
{
    struct walk walk = {.family = family, .arena = arena, .pairs = out_pairs};

    *out_pairs = (struct storage_pairs){0};
    return walk_prefix(driver, at, view, prefix, &walk);
}

enum err storage_group_list(struct storage_group *group, enum storage_family family, struct bytes prefix,
                            struct storage_pairs *out_pairs)
{
    struct walk walk = {.family = family, .arena = &group->arena, .pairs = out_pairs};
    enum err err;

    *out_pairs = (struct storage_pairs){0};
    walk.group = group->family_n[family] > 0 ? group : NULL;
    err = walk_prefix(group->driver, group->at, NULL, prefix, &walk);
    if (err != ERR_OK || walk.group == NULL) {
        return err;
    }
    for (size_t i = 0; i < group->changes_n; i++) {
        const struct storage_change *change = &group->changes[i];

        if (change->family == family && !change->is_delete && bytes_starts(change->key, prefix) &&
            find(group, family, change->key) == change &&
            !storage_pairs_add(out_pairs, &group->arena, change->key, change->value)) {
            return ERR_NOMEM;
        }
    }
    return ERR_OK;
}

enum err storage_group_write(struct storage_group *group, bool is_synced)
{
    if (arena_overflowed(&group->arena)) {
        return ERR_NOMEM;
    }
    return group->changes_n == 0
               ? ERR_OK
               : group->driver->write(group->at, group->changes, group->changes_n, is_synced);
}

void storage_group_forget(struct storage_group *group)
{
    storage_group_rollback(group, 0);
    arena_reset(&group->arena);
}
