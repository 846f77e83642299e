/* SPDX-License-Identifier: Apache-2.0 */
/* read_sequences.h - things in order, by session or customer, out of a CSV file: what `evaluate` measures on.
 *
 *     session_id,item_id,seq     or  session_id,item_id,ts  (seconds since 1970, UTC)      READ_SESSIONS
 *     user_id,item_id,seq                                                                  READ_STEPS
 *     user_id,item_id                                                                      READ_SETS
 * Other columns are passed by. Groups whose ids are all numbers stand in the order of the numbers, else in the order
 * of their first rows: where no times are given, that order is the order of time. Steps of a group stand by ts, then
 * seq, then row. A row said twice (group, item and seq; of sets: group and item) is left out and counted; clicks of one
 * second are clicks. A row that cannot be read is left out
 * and counted, and the first one is said with its line, field and reason. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

#include <stddef.h>

enum read_shape { READ_SESSIONS, READ_STEPS, READ_SETS };

struct read_step {
    int64_t at_ms;  /* READ_SESSIONS with ts; else 0 */
    size_t item_at; /* into text */
    uint32_t item_n;
};

struct read_sequences { /* owned; read_sequences_close */
    struct read_step *steps; /* groups end to end */
    size_t *at;              /* groups_n + 1 */
    uint64_t *group;         /* hash of its id: the same in two files */
    size_t groups_n;
    char *text;
    bool has_times;
    uint64_t rows_n, rejected_n, duplicates_n;
    struct why rejected;       /* of the first rejected row */
    uint64_t rejected_line;
};

/* now_ms: rows of a time more than a day later are rejected. Errors: ERR_ABSENT, ERR_IO, ERR_CORRUPT of the file; ERR_INVALID, a
 * column is missing or no row could be read; why names file, column and remedy. */
MUST_USE enum err read_sequences(const char *path, enum read_shape shape, int64_t now_ms,
                                 struct read_sequences *out_read, struct why *why);
void read_sequences_close(struct read_sequences *read);
static inline struct bytes read_item(const struct read_sequences *read, size_t step)
{
    return (struct bytes){read->text + read->steps[step].item_at, read->steps[step].item_n};
}
