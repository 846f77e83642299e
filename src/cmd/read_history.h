/* SPDX-License-Identifier: Apache-2.0 */
/* read_history.h - a history out of recorded lines: the reader of `import`, without storage. */
#pragma once

#include "cmd/import_read.h"
#include "train/history.h"

enum { READ_HISTORY_KEY_BYTES = 320 };

/* The key under which a customer's receipts and facts meet: of the first identifier, kind and value; 0: none. */
uint64_t read_history_key(const struct event_identifier *identifiers, size_t n);
/* Reads receipts of customers (receipts of nobody teach no repeat and are left out) and the facts of [customers], where
 * the map names them. Sorted. Errors: those of import_read.h. */
MUST_USE enum err read_history(const struct import_map *map, const char *lines_path, struct tenant_id tenant,
                               struct history *out_history, struct import_counts *out_counts, struct why *why);
