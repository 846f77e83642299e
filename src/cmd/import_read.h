/* SPDX-License-Identifier: Apache-2.0 */
/* import_read.h - whole files through the readers of ingest/import_*: maps found, siblings joined, zones
 * loaded, bytes inflated. What import, evaluate and train read recorded lines with.
 *
 *     struct import_map *map;  arena: the caller's
 *     import_read_map("x.map", arena, &map, why)
 *     import_read_receipts(map, "transactions.csv.zst", &options, NULL, NULL, &counts, why)
 * The siblings that [items] and [customers] name are looked for beside the lines: .csv.zst, .csv.gz, .csv. */
#pragma once

#include "ingest/import_item.h"
#include "ingest/import_receipt.h"

MUST_USE enum err import_read_map(const char *path, struct arena *arena, const struct import_map **out_map,
                                  struct why *why);

/* share: of the file, 0..1. Called after every chunk of at most 256 KiB. NULL is allowed. */
typedef void (*import_read_tick)(void *ctx, double share, uint64_t rows_n);

/* options.zone and options.joins are filled in here; options.receipt NULL: only counted. Memory: some MiB, and 16 to 32
 * bytes a receipt, all given back. Errors: those of the readers and of files, with why; *out_counts is filled also
 * then (as far as it came). */
MUST_USE enum err import_read_receipts(const struct import_map *map, const char *path,
                                       const struct import_receipt_options *options, import_read_tick tick,
                                       void *tick_ctx, struct import_counts *out_counts, struct why *why);
/* section: IMPORT_ITEMS, IMPORT_STORES, IMPORT_CUSTOMERS. options.scratch is filled in here. counts: receipts_n and
 * the days are 0. */
MUST_USE enum err import_read_items(const struct import_map *map, enum import_section section, const char *path,
                                    const struct import_item_options *options, import_read_tick tick, void *tick_ctx,
                                    struct import_counts *out_counts, struct why *why);
/* The path of a section's file beside `lines_path`, in the arena. Errors: ERR_ABSENT, none of the three endings. */
MUST_USE enum err import_read_sibling(const struct import_map *map, enum import_section section, const char *lines_path,
                                      struct arena *arena, const char **out_path, struct why *why);
/* Local midnight of a date "2026-11-22" in the map's zone as UTC, and its day since 1970. Errors: ERR_INVALID. */
MUST_USE enum err import_read_date(const struct import_map *map, const char *date, int64_t *out_at_ms,
                                   int64_t *out_day, struct why *why);
