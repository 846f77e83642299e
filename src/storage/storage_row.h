/* SPDX-License-Identifier: Apache-2.0 */
/* storage_row.h - the values of the families, as structs and as bytes.
 *
 *     cust     format 1 | 1 revision  2 flags (1 erased)  3 joined to (8)  4 parts (8 each)
 *              5 identifiers: { part8 kind1 idh16 strength1 linked (signed) source text, sealed text }*
 *              6 declared
 *     part     format 1 | 1 revision  2 flags (1 erased, 2 shared device)  3 customer (8)  4 kind
 *              5 idh (16)  6 used_ms (signed)  7 fold version  8 state
 *     ident    format 1 | part8 customer8 word2 (top bit: bare) until8                         27 bytes
 *     seen     part8 day4                                                      12
 *     receipt  format 1 | version4 body hash16 part8 day4                      33
 *     tail,ev  flags1 (1: receipt's own mid follows, 16) | event body
 *     conf     revision8 | row (empty: deleted)
 * Fields as in base/pack.h. Nothing here owns memory: text is borrowed from the row read. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "storage/storage.h"

struct storage_member { /* one identifier of a customer */
    struct part_id part;
    uint8_t kind;
    struct idh idh;
    uint8_t strength; /* of the link that brought it; 0: the customer's own first */
    int64_t linked_ms;
    struct bytes source;
    struct bytes text; /* sealed: storage_text.h; empty: withdrawn */
};

struct storage_customer { /* all zero: no row yet */
    uint64_t revision;
    bool is_erased;
    struct customer_id joined_to; /* 0: stands by itself; else parts are those it had when it was joined */
    struct part_id parts[STORAGE_PARTS_MAX];
    size_t parts_n;
    struct storage_member members[STORAGE_PARTS_MAX];
    size_t members_n;
    struct bytes declared;
};

struct storage_part {
    uint64_t revision;
    bool is_erased;
    bool is_shared; /* a device of two members: links no more */
    struct customer_id customer;
    uint8_t kind;
    struct idh idh;
    int64_t used_ms; /* when it was made or last folded */
    uint16_t fold_version;
    struct bytes state;
};

enum { IDENT_BARE = 1 << 15 }; /* a consent word has 14 bits; this one says that the identifier's text is gone */

struct storage_ident {
    struct part_id part;
    struct customer_id customer;
    uint16_t word;
    int64_t until_ms;
    bool is_bare;
};

struct storage_receipt {
    uint32_t version;
    uint8_t hash[16];
    struct part_id part;
    uint32_t day;
};

struct storage_body { /* the value of a tail or log row */
    bool has_base;    /* a later version of a receipt, or what takes one back */
    struct mid base;  /* the receipt's own mid */
    struct bytes body;
};

/* Encoders give bytes in `arena`, {NULL, 0} when it is full. Decoders: ERR_CORRUPT, ERR_UNSUPPORTED (a newer
 * format); the output is untouched then. */
struct bytes storage_row_customer(const struct storage_customer *customer, struct arena *arena);
MUST_USE enum err storage_row_customer_decode(struct bytes row, struct storage_customer *out_customer);
struct bytes storage_row_part(const struct storage_part *part, struct arena *arena);
MUST_USE enum err storage_row_part_decode(struct bytes row, struct storage_part *out_part);
struct bytes storage_row_ident(const struct storage_ident *ident, struct arena *arena);
MUST_USE enum err storage_row_ident_decode(struct bytes row, struct storage_ident *out_ident);
struct bytes storage_row_seen(struct part_id part, uint32_t day, struct arena *arena);
MUST_USE enum err storage_row_seen_decode(struct bytes row, struct part_id *out_part);
struct bytes storage_row_receipt(const struct storage_receipt *receipt, struct arena *arena);
MUST_USE enum err storage_row_receipt_decode(struct bytes row, struct storage_receipt *out_receipt);
struct bytes storage_row_body(const struct storage_body *body, struct arena *arena);
MUST_USE enum err storage_row_body_decode(struct bytes row, struct storage_body *out_body);
struct bytes storage_row_conf(uint64_t revision, struct bytes row, struct arena *arena);
MUST_USE enum err storage_row_conf_decode(struct bytes row, uint64_t *out_revision, struct bytes *out_row);
/* A number as 8 bytes: counters, moments of cuts. */
struct bytes storage_row_number(uint64_t v, struct arena *arena);
MUST_USE enum err storage_row_number_decode(struct bytes row, uint64_t *out_v);

/* The hash by which two sendings of one receipt are the same: of the event body without what differs at each
 * sending (corrected time, time of receipt, purposes); a body of another format is hashed whole. */
void storage_row_receipt_hash(struct bytes body, uint8_t out_hash[16]);
