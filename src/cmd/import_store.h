/* SPDX-License-Identifier: Apache-2.0 */
/* import_store.h - imported things into an open storage: batches, consent of the map, and the mark that lets
 * an import go on where it stopped.
 *
 * Receipts go through the front door (ingest_offer) like everybody's. What the map says the customers agreed to is
 * recorded as their statement, said by the source, text version "map:" and the map's hash: but only for purposes about
 * which a customer has said nothing: a file never overrules a person (settled.md 1.10).
 *
 * The mark, table STORAGE_IMPORT, id = kind u8 | file hash 32 | map hash 32:
 *     1 | rows done varint | shift in days signed | is whole u8
 * It is written after its batch is durable; a crash between the two repeats one batch, which changes nothing. */
#pragma once

#include "cmd/data.h"
#include "ingest/import_item.h"
#include "ingest/import_receipt.h"
#include "ingest/ingest.h"

enum import_kind { IMPORT_KIND_RECEIPTS = 1, IMPORT_KIND_ITEMS, IMPORT_KIND_CUSTOMERS, IMPORT_KIND_STORES };

struct import_mark { /* all zero: never imported */
    bool is_known; /* there is a mark */
    bool is_whole;
    uint64_t rows_n; /* up to and with this row all is durable */
    int64_t shift_days;
};

struct import_tally { /* what became of receipts and items */
    uint64_t stored_n, duplicate_n, anonymous_n, refused_n, faulty_n, consents_n;
};

struct import_store;

struct import_store_options {
    const struct import_map *map;
    struct data *data;
    struct tenant_id tenant;
    enum import_kind kind;
    uint8_t file_hash[32];
    int64_t shift_days;
    int64_t now_ms;
    /* A receipt that the front door would not take. */
    void (*rejected)(void *ctx, const struct import_rejected *rejected);
    void *ctx;
};

MUST_USE enum err import_store_open(const struct import_store_options *options, struct import_store **out_store,
                                    struct why *why);
void import_store_close(struct import_store *store); /* NULL is allowed; keeps nothing that is not flushed */
struct import_mark import_store_mark(const struct import_store *store);
/* Copies it into the batch; a full batch is made durable first. Rows up to the mark are passed over. */
MUST_USE enum err import_store_receipt(struct import_store *store, const struct import_receipt *receipt, struct why *why);
MUST_USE enum err import_store_row(struct import_store *store, struct bytes id, struct bytes json, uint64_t row,
                                   struct why *why);
/* What is left becomes durable. is_whole: the file came to its end. */
MUST_USE enum err import_store_flush(struct import_store *store, bool is_whole, struct why *why);
/* The number of a tenant by its name. Errors: ERR_ABSENT, why says how to make one. */
MUST_USE enum err import_store_tenant(struct data *data, const char *name, struct tenant_id *out_tenant, struct why *why);
struct import_tally import_store_tally(const struct import_store *store);
