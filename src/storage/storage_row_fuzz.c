/* SPDX-License-Identifier: Apache-2.0 */
/* Stored rows of any bytes, every kind: reading never hurts, and a row that reads is written so that it reads
 * again to the same bytes. The first byte chooses the kind. */
#include "storage/storage_row.h"

#include "base/hash.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void try_customer(struct bytes row, struct arena *arena)
{
    struct storage_customer customer, again;
    struct bytes written;

    if (storage_row_customer_decode(row, &customer) == ERR_OK) {
        written = storage_row_customer(&customer, arena);
        must(storage_row_customer_decode(written, &again) == ERR_OK);
        must(bytes_equal(storage_row_customer(&again, arena), written));
    }
}

static void try_part(struct bytes row, struct arena *arena)
{
    struct storage_part part, again;
    struct bytes written;

    if (storage_row_part_decode(row, &part) == ERR_OK) {
        written = storage_row_part(&part, arena);
        must(storage_row_part_decode(written, &again) == ERR_OK);
        must(bytes_equal(storage_row_part(&again, arena), written));
    }
}

static void try_small(uint8_t kind, struct bytes row, struct arena *arena)
{
    struct storage_ident ident;
    struct storage_receipt receipt;
    struct storage_body body;
    struct part_id part;
    uint64_t number;
    struct bytes rest;

    if (kind == 2 && storage_row_ident_decode(row, &ident) == ERR_OK) {
        must(bytes_equal(storage_row_ident(&ident, arena), row));
    } else if (kind == 3 && storage_row_receipt_decode(row, &receipt) == ERR_OK) {
        must(bytes_equal(storage_row_receipt(&receipt, arena), row));
    } else if (kind == 4 && storage_row_body_decode(row, &body) == ERR_OK) {
        must(bytes_equal(storage_row_body(&body, arena), row));
    } else if (kind == 5 && storage_row_conf_decode(row, &number, &rest) == ERR_OK) {
        must(bytes_equal(storage_row_conf(number, rest, arena), row));
    } else if (kind == 6 && storage_row_seen_decode(row, &part) == ERR_OK) {
        must(part.v == get_be64((const uint8_t *)row.p));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes row;
    struct arena arena;
    uint8_t kind, hash[16];

    if (n == 0) {
        return 0;
    }
    hash_start();
    arena_open(&arena, 1 << 16, 1 << 24);
    kind = data[0] % 8;
    row = (struct bytes){(const char *)data + 1, n - 1};
    if (kind == 0) {
        try_customer(row, &arena);
    } else if (kind == 1) {
        try_part(row, &arena);
    } else if (kind == 7) {
        storage_row_receipt_hash(row, hash);
    } else {
        try_small(kind, row, &arena);
    }
    arena_close(&arena);
    return 0;
}
