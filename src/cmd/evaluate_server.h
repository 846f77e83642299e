/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate_server.h - the same questions to a running server: a data directory filled with what was before the test part,
 * and the lists that a server on it answers with (settled.md 5.4). */
#pragma once

#include "cmd/read_history.h"
#include "os/fetch.h"
#include "train/next_basket.h"

/* Items, receipts before before_ms and the model into data_dir, which no server may have. */
MUST_USE enum err evaluate_fill(const char *data_dir, const struct import_map *map, const char *lines_path,
                                int64_t before_ms, const struct model *model, struct bytes file, struct why *why);
/* Asks POST /v1/decide for every case, as the customer, at the time they came. names: of read_history. */
MUST_USE enum err evaluate_ask(const char *url, const char *key, const struct history *history,
                               const struct read_names *names, const struct next_case *cases, size_t n,
                               struct next_list *out_lists, struct why *why);
/* The row named "next" of a reply of /v1/decide. */
MUST_USE enum err evaluate_list_of(struct bytes reply, int status, struct tenant_id tenant, struct arena *arena,
                                   struct next_list *out_list, struct why *why);
/* Every item that the histories name, each once, and the model into data_dir, which no server may have. */
MUST_USE enum err evaluate_fill_items(const char *data_dir, const struct history *const *histories, size_t n,
                                      const struct model *model, struct bytes file, struct why *why);
/* Sets the server's test clock, where it has one: no look may be ahead of its clock. */
MUST_USE enum err evaluate_clock(struct fetch *fetch, int64_t at_ms, struct arena *arena, struct why *why);
/* Asks for one case of looks in mode `session`: the visit's own looks travel with the call. */
MUST_USE enum err evaluate_ask_look(struct fetch *fetch, const struct history *history, const struct next_case *one,
                                    struct arena *arena, struct next_list *out_list, struct why *why);

struct evaluate_visits { /* one a customer of the history */
    const struct history *history;
    const struct next_case *cases;
    size_t cases_n;
    const uint32_t *order;  /* of cases, by moment */
    const int64_t *end_ms;  /* by customer */
};

/* Asks all cases in the order of their moments while the server is told every visit that ended (POST /v1/events) and learns from
 * it: in up to 50 steps, its test clock going with the cases. Errors: ERR_INVALID, it was started without --test-clock. */
MUST_USE enum err evaluate_ask_stream(struct fetch *fetch, const struct evaluate_visits *visits, struct next_list *out_lists,
                                      struct why *why);
