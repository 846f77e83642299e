/* SPDX-License-Identifier: Apache-2.0 */
/* learner_log.h - a tenant's log read again for a new live side: lessons newer than a moment, in order of time.
 *
 * Read in slices, so that the learner does other things in between. What arrives while it reads is added by its caller:
 * both may hold the same event, which is met once. */
#pragma once

#include "learn/lesson.h"
#include "storage/storage.h"

struct learner_log { /* all zero: nothing; learner_log_close frees */
    struct storage *storage;
    struct tenant_id tenant;
    int64_t after_ms;
    uint16_t bucket;      /* read so far */
    uint64_t *denied;     /* parts of customers who refused or withdrew personalisation, ascending */
    size_t denied_n, denied_room;
    struct lesson *lesson;
    size_t n, room, taken_n; /* taken_n: replayed already */
    uint64_t *mid;        /* of all that was read, ascending; once it is whole */
    size_t mid_n;
};

/* Errors: what storage gave. */
MUST_USE enum err learner_log_open(struct storage *storage, struct tenant_id tenant, int64_t after_ms, int64_t now_ms,
                                   struct learner_log *out_log);
/* Reads a slice; *out_is_whole: it was the last, and all is sorted. Blocking. */
MUST_USE enum err learner_log_read(struct learner_log *log, bool *out_is_whole);
/* Adds what arrived meanwhile; it is put in order with the rest until the log is whole, after it then. */
void learner_log_add(struct learner_log *log, const struct lesson *lessons, size_t n);
/* Was the event of this mid read from the log? Once it is whole. */
bool learner_log_has(const struct learner_log *log, uint64_t mid);
void learner_log_close(struct learner_log *log);
