/* SPDX-License-Identifier: Apache-2.0 */
/* import_receipt.h - receipts out of the rows of a file: adjacent rows of one id are the lines of one receipt.
 *
 *     import_join_open(items), feed its file, import_join_end          only where the map's filters look into it
 *     import_receipt_open(map, options), import_receipt_feed ..., import_receipt_end
 * For each receipt `receipt` is called with a whole `struct event` (EVENT_PURCHASE, is_receipt, its lines as
 * recorded: an item bought twice has two lines). Rows that a filter leaves out are no lines and break nothing.
 * A row is rejected, with line, field and reason, when a value cannot be read, when store or customer differ
 * from the receipt's first line, or when its receipt was closed before: a receipt may not be taken apart by others.
 * A receipt has the time of its first kept line. The same rows give the same events, however they are cut. */
#pragma once

#include "base/zone.h"
#include "ingest/import_csv.h"
#include "ingest/import_map.h"

struct import_join; /* which ids of a sibling file pass the filters */

/* Reads the sibling file of a section ([items] or [customers]) for the filters of the receipts' lines. Lives in
 * `arena`. NULL: it is full. */
struct import_join *import_join_open(struct arena *arena, const struct import_map *map, enum import_section section);
MUST_USE enum err import_join_feed(struct import_join *join, struct bytes chunk, struct why *why);
MUST_USE enum err import_join_end(struct import_join *join, struct why *why);
/* True when the map's filters on receipt lines look into the section: its file is needed. */
bool import_join_needed(const struct import_map *map, enum import_section section);

struct import_counts {
    uint64_t rows_n;     /* read */
    uint64_t kept_n;     /* became lines */
    uint64_t left_n;     /* left out by a filter */
    uint64_t rejected_n; /* faults */
    uint64_t receipts_n;
    int64_t first_day, last_day; /* local days since 1970 of kept receipts, before any shift; 0, 0 with none */
};

struct import_receipt { /* a loan until the callback returns */
    struct event *event;          /* finished (mid, item and store hashes) when options.tenant is set */
    uint64_t first_row, last_row; /* of its kept lines */
    uint64_t first_line;          /* of the file */
    int64_t local_ms;             /* its time on the wall, shifted, as if UTC */
};

struct import_receipt_options {
    struct tenant_id tenant;  /* 0: hashes are not computed */
    const struct zone *zone;  /* of map.time_zone; NULL: UTC */
    const struct import_join *joins[IMPORT_SECTIONS]; /* needed ones; lines and others NULL */
    int64_t shift_days;       /* whole local days that are added */
    /* Gives an error to stop. Texts, lines and the event itself may be changed, not kept. */
    enum err (*receipt)(void *ctx, const struct import_receipt *receipt, struct why *why);
    void (*rejected)(void *ctx, const struct import_rejected *rejected); /* may be NULL */
    void *ctx;
};

struct import_receipts;

/* Lives in `arena` (some MiB, and 16 to 32 bytes a receipt to know the closed ones). NULL: it is full. */
struct import_receipts *import_receipt_open(struct arena *arena, const struct import_map *map,
                                            const struct import_receipt_options *options);
/* Errors: ERR_INVALID with why (header, endless row); ERR_TOOBIG, the arena is full (too many receipts in one
 * file: split it); what `receipt` gave. */
MUST_USE enum err import_receipt_feed(struct import_receipts *receipts, struct bytes chunk, struct why *why);
MUST_USE enum err import_receipt_end(struct import_receipts *receipts, struct why *why);
struct import_counts import_receipt_counts(const struct import_receipts *receipts);
/* Copies an event with all it points to into `arena`; false: it is full. */
bool import_receipt_copy(const struct event *event, struct arena *arena, struct event *out_event);
