/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate_server.h - the same questions to a running server: a data directory filled with what was before the test part,
 * and the lists that a server on it answers with (settled.md 5.4). */
#pragma once

#include "cmd/read_history.h"
#include "train/next_basket.h"

/* Items, receipts before before_ms and the model into data_dir, which no server may have. */
MUST_USE enum err evaluate_fill(const char *data_dir, const struct import_map *map, const char *lines_path,
                                int64_t before_ms, const struct model *model, struct bytes file, struct why *why);
/* Asks POST /v1/decide for every case, as the customer, at the time they came. names: of read_history. */
MUST_USE enum err evaluate_ask(const char *url, const char *key, const struct history *history,
                               const struct read_names *names, const struct next_case *cases, size_t n,
                               struct next_list *out_lists, struct why *why);
