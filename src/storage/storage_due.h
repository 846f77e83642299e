/* SPDX-License-Identifier: Apache-2.0 */
/* storage_due.h - which parts have a tail, and when each is to be folded.
 *
 * A part is ready with STORAGE_FOLD_EVENTS events in its tail, at the front of the line with
 * STORAGE_FOLD_AT, else after STORAGE_FOLD_QUIET_MS without a new one. Lost at a crash and rebuilt from
 * `tail` at open. Thread: any (a lock of its own, a leaf: nothing is called under it). */
#pragma once

#include "base/id.h"
#include "storage/storage.h"

#include <pthread.h>

struct storage_due_part;
struct storage_due_line {
    struct storage_due_part *first, *last;
};

struct storage_due {
    pthread_mutex_t lock;
    struct storage_due_part **heads; /* under lock, as is all that follows */
    size_t heads_n, parts_n;
    struct storage_due_line quiet; /* longest untouched first */
    struct storage_due_line ready;
};

struct storage_owner { /* a part by name */
    struct tenant_id tenant;
    struct part_id part;
};

void storage_due_open(struct storage_due *due);
void storage_due_close(struct storage_due *due);
/* Notes events_n more events; true when the part has just become ready. */
bool storage_due_add(struct storage_due *due, struct storage_owner owner, uint32_t events_n, int64_t now_ms);
void storage_due_remove(struct storage_due *due, struct storage_owner owner);
size_t storage_due_count(struct storage_due *due);
/* How long until a part is due: 0, one is; -1, there is none at all. */
int64_t storage_due_wait_ms(struct storage_due *due, int64_t now_ms);
/* Gives up to `room` parts that are due at now_ms (or all with a tail) in the buckets [from, to), and how
 * many; they stay noted. */
size_t storage_due_find(struct storage_due *due, int64_t now_ms, bool all, uint16_t from, uint16_t to,
                        struct storage_owner *owners, size_t room);
