/* SPDX-License-Identifier: Apache-2.0 */
/* storage_group.h - the changes that the writer is about to commit, visible to the operations among them.
 *
 * One batch over all families. A look-up meets the group's own changes before the database, so two events,
 * two folds or two revisions of one thing in a group see each other. An operation that fails is rolled
 * back to its mark and adds nothing; a write that fails throws the whole group away.
 * Thread: the writer's. All bytes given live until the next commit. */
#pragma once

#include "storage/storage_driver.h"

enum { STORAGE_GROUP_HEADS = 1 << 14 };

struct storage_pair {
    struct bytes key, value;
};

struct storage_pairs { /* grows in an arena; all zero: empty */
    struct storage_pair *at;
    size_t n, room;
};

struct storage_group {
    const struct storage_driver *driver;
    void *at;
    struct arena arena;
    struct storage_change *changes;
    size_t changes_n, changes_room;
    size_t family_n[STORAGE_FAMILIES_]; /* changes in each */
    int32_t *heads;                     /* of chains of changes, newest first; -1: empty */
};

void storage_group_open(struct storage_group *group, const struct storage_driver *driver, void *at);
void storage_group_close(struct storage_group *group);

static inline size_t storage_group_mark(const struct storage_group *group)
{
    return group->changes_n;
}
void storage_group_rollback(struct storage_group *group, size_t mark);
void storage_group_put(struct storage_group *group, enum storage_family family, struct bytes key,
                       struct bytes value);
void storage_group_delete(struct storage_group *group, enum storage_family family, struct bytes key);
/* Errors: ERR_ABSENT; ERR_IO; ERR_CORRUPT; ERR_NOMEM. */
MUST_USE enum err storage_group_get(struct storage_group *group, enum storage_family family, struct bytes key,
                                    struct bytes *out_value);
/* All rows whose keys begin with `prefix`, in no order. */
MUST_USE enum err storage_group_list(struct storage_group *group, enum storage_family family,
                                     struct bytes prefix, struct storage_pairs *out_pairs);
/* Writes the group; it stays to be looked at until forgotten.
 * Errors: ERR_FULL; ERR_IO; ERR_NOMEM, nothing was written. */
MUST_USE enum err storage_group_write(struct storage_group *group, bool is_synced);
void storage_group_forget(struct storage_group *group);

/* Copies a pair in; false when the arena is full. */
bool storage_pairs_add(struct storage_pairs *pairs, struct arena *arena, struct bytes key,
                       struct bytes value);
/* Lists straight from the driver, in key order. */
MUST_USE enum err storage_pairs_walk(const struct storage_driver *driver, void *at, void *view,
                                     enum storage_family family, struct bytes prefix, struct arena *arena,
                                     struct storage_pairs *out_pairs);
