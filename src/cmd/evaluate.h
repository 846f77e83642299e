/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.h - what the protocols of `falun evaluate` share: options, times out of order alone, tables.
 *
 * Every protocol becomes one time-ordered history, so that one train_choose serves all (evaluation.md 1 to 4):
 *     next-item   a session is a customer of its own with looks; without ts, sessions stand in their order over
 *                 100 days; a pause of over half an hour within a session is shortened to that: it stays one visit
 *     last-out    one basket of one line a step, a day apart: day -2 teaches last, day -1 is known, day 0 is asked
 *     held-out    a customer's items by hash: 80 % on day -3, 10 % each on day -2 and -1; day 0 is asked */
#pragma once

#include "cmd/read_sequences.h"
#include "train/next_item.h"
#include "train/train.h"

struct evaluate_asked {
    const char *protocol;
    const char *lines, *map, *from, *to, *against, *validate; /* next-basket */
    const char *train, *valid, *test, *sequences;             /* the others */
    const char *data, *through, *key, *model;
    double minutes;
    size_t threads, customers_min; /* customers_min 0: the protocol's own */
    bool is_online, is_refit;
};

/* Each prints its table and, as its last line, one JSON object. out_rejected: rows that could not be read. */
MUST_USE enum err evaluate_next_basket(const struct evaluate_asked *asked, struct arena *arena, uint64_t *out_rejected,
                                       struct why *why);
MUST_USE enum err evaluate_next_item(const struct evaluate_asked *asked, struct arena *arena, uint64_t *out_rejected,
                                     struct why *why);
MUST_USE enum err evaluate_last_out(const struct evaluate_asked *asked, struct arena *arena, uint64_t *out_rejected,
                                    struct why *why);
MUST_USE enum err evaluate_held_out(const struct evaluate_asked *asked, struct arena *arena, uint64_t *out_rejected,
                                    struct why *why);

double evaluate_seconds_now(void);
/* The span's train_choose and the opened file. Errors as theirs; ERR_ABSENT with why. */
MUST_USE enum err evaluate_train(const struct evaluate_asked *asked, const struct history *history,
                                 const struct train_span *span, struct arena *arena, const struct model **out_model,
                                 struct bytes *out_file, struct train_report *out_training, struct why *why);
/* Reads a file and says what was read, left out and rejected. */
MUST_USE enum err evaluate_read(const char *path, enum read_shape shape, struct read_sequences *out_read,
                                uint64_t *rejected, struct why *why);

/* ---- evaluate_history.c ---- */

enum { EVALUATE_STEPS_MAX = 10000 }; /* of one customer, the newest: ten thousand days */
#define EVALUATE_DAY_0_MS INT64_C(1704067200000) /* 2024-01-01: any day of the past would do */

struct evaluate_times { /* when sessions are that have no times: the s-th ends at begin_ms + (s + 1) * step_ms */
    int64_t begin_ms, step_ms;
};

/* Adds looks of all sessions to a history, which is then sorted. Customer c is session c. */
void evaluate_sessions(const struct read_sequences *read, struct evaluate_times times, struct history *out_history);
/* When session s really ended: with ts its newest. */
int64_t evaluate_session_end(const struct read_sequences *read, struct evaluate_times times, size_t s);
void evaluate_steps(const struct read_sequences *read, struct history *out_history);
/* Test items that the same customer has in `train` are left out; gives how many. */
size_t evaluate_sets(const struct read_sequences *train, const struct read_sequences *test, struct history *out_history);

/* ---- evaluate_show.c ---- */

struct evaluate_shown { /* what a protocol's table has */
    const char *protocol;
    const enum item_metric *metrics;
    size_t metrics_n, customers_min;
    const struct train_report *training;
    const struct model *model;
};

/* Lists, scores and times of all cases, beside popularity, as lines[0] and the last. blocks: as in item_report_ranges. */
void evaluate_ask_all(const struct item_asking *asking, const struct next_case *cases, size_t n, size_t threads,
                      struct next_list *out_lists, struct item_report *report);
/* Adds a line of these lists. */
void evaluate_add_line(struct item_report *report, const char *name, const struct history *history,
                       const struct next_case *cases, size_t n, const struct next_list *lists);
/* Coverage and share of the popular; seen_n: by dense item, times seen in training. */
void evaluate_breadth(struct item_report *report, const struct model *model, const struct next_list *lists,
                      const uint32_t *seen_n);
/* Times each of the model's items is in the history before before_ms; free it. */
uint32_t *evaluate_seen(const struct history *history, int64_t before_ms, const struct model *model);
void evaluate_show(const struct item_report *report, const struct evaluate_shown *shown);
/* The members every protocol writes; the caller begins and ends the object. */
struct json_write;
void evaluate_json_line(const struct report_range range[ITEM_METRICS_], const struct evaluate_shown *shown,
                        struct json_write *w);
void evaluate_json(const struct item_report *report, const struct evaluate_shown *shown, struct json_write *w);
