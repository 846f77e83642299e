/* SPDX-License-Identifier: Apache-2.0 */
/* storage_key.h - the keys of every family: big-endian, so that memcmp order is numeric order.
 *
 *     cust, part   p2 tenant4 c8                    14
 *     tail, ev     p2 tenant4 part8 day4 mid16      34
 *     seen         p2 tenant4 mid16                 22   p: bucket of the mid's first 8 bytes
 *     receipt      p2 tenant4 mid16                 22   mid of (source, receipt id): version 0
 *     ident        p2 tenant4 kind1 idh16           23
 *     conf         tenant4 table1 id                5 + up to 600
 *     conf_rev     tenant4 table1 rev8              13
 *     default      "schema" "secret" | "conf" tenant4 table1 | "cut" p2 tenant4 part8 other8
 *                  | "erase" tenant4 c8
 * p is the bucket, 0..1023 (base/hash.h). Fixed for ever: vectors in storage_key_test.c and, in words,
 * docs/formats/storage.md. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "base/id.h"

enum storage_family { /* the order is RocksDB's handle order only; names are what is stored */
                      STORAGE_DEFAULT = 0,
                      STORAGE_CUST,
                      STORAGE_PART,
                      STORAGE_TAIL,
                      STORAGE_EV,
                      STORAGE_SEEN,
                      STORAGE_RECEIPT,
                      STORAGE_IDENT,
                      STORAGE_CONF,
                      STORAGE_CONF_REV,
                      STORAGE_LEASE,
                      STORAGE_FAMILIES_
};

enum {
    STORAGE_KEY_OWNER_BYTES = 14, /* p, tenant, c: also the prefix of a part's events */
    STORAGE_KEY_EVENT_BYTES = 34,
    STORAGE_KEY_MID_BYTES = 22,
    STORAGE_KEY_IDENT_BYTES = 23,
    STORAGE_KEY_ID_BYTES_MAX = 600, /* of a configuration row */
    STORAGE_KEY_BYTES_MAX = 640
};

struct storage_key_room { /* memory for one key */
    uint8_t b[STORAGE_KEY_BYTES_MAX];
};

/* Gives the family's stored name; never NULL. */
const char *storage_key_family(enum storage_family family);

/* Each writes a key into `room` and gives it, borrowed from `room`. */
struct bytes storage_key_owner(struct storage_key_room *room, struct tenant_id tenant, uint64_t c);
struct bytes storage_key_event(struct storage_key_room *room, struct tenant_id tenant, struct part_id part,
                               uint32_t day, const struct mid *mid);
struct bytes storage_key_mid(struct storage_key_room *room, struct tenant_id tenant, const struct mid *mid);
struct bytes storage_key_ident(struct storage_key_room *room, struct tenant_id tenant, uint8_t kind,
                               const struct idh *idh);
/* id: at most STORAGE_KEY_ID_BYTES_MAX. */
struct bytes storage_key_conf(struct storage_key_room *room, struct tenant_id tenant, uint8_t table,
                              struct bytes id);
struct bytes storage_key_conf_rev(struct storage_key_room *room, struct tenant_id tenant, uint8_t table,
                                  uint64_t revision);
struct bytes storage_key_counter(struct storage_key_room *room, struct tenant_id tenant, uint8_t table);
/* other 0: the prefix of all cuts of `part`. */
struct bytes storage_key_cut(struct storage_key_room *room, struct tenant_id tenant, struct part_id part,
                             struct part_id other);
struct bytes storage_key_erase(struct storage_key_room *room, struct tenant_id tenant,
                               struct customer_id customer);
struct bytes storage_key_sweep(struct storage_key_room *room, struct tenant_id tenant, struct customer_id customer,
                               uint64_t revision);
/* The prefix of everything of a tenant in one bucket. */
struct bytes storage_key_bucket(struct storage_key_room *room, uint16_t bucket, struct tenant_id tenant);
/* The first key behind all that begin with `prefix`; empty: there is none. */
struct bytes storage_key_after(struct storage_key_room *room, struct bytes prefix);

/* The part under which an anonymous event is kept: the top 63 bits of its mid, never 0. */
struct part_id storage_key_anonymous(const struct mid *mid);

/* Read keys back; false when it is no such key (outputs untouched). */
MUST_USE bool storage_key_owner_parse(struct bytes key, struct tenant_id *out_tenant, uint64_t *out_c);
MUST_USE bool storage_key_event_parse(struct bytes key, struct tenant_id *out_tenant,
                                      struct part_id *out_part, uint32_t *out_day, struct mid *out_mid);
