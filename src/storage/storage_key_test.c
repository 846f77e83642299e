/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/storage_key.h"

#include "base/hash.h"
#include "base/test.h"

static void check_hex(struct bytes key, const char *wanted)
{
    char hex[2 * STORAGE_KEY_BYTES_MAX + 1];

    hash_hex(key.p, key.n, hex);
    CHECK_TEXT(bytes_of(hex), wanted);
}

static const struct mid mid = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};

/* The buckets are stored in every key: these numbers never change. */
TEST(storage_key_vectors)
{
    const struct tenant_id tenant = {1}, last = {0x7fffffff};
    const struct idh idh = {{0xff}};
    struct storage_key_room room;

    CHECK_INT(hash_bucket(tenant, 1), 436);
    CHECK_INT(hash_bucket(last, UINT64_MAX >> 1), 530);
    check_hex(storage_key_owner(&room, tenant, 0x0102030405060708), "00f4000000010102030405060708");
    check_hex(storage_key_event(&room, tenant, (struct part_id){0x0102030405060708}, 20000, &mid),
              "00f400000001010203040506070800004e20000102030405060708090a0b0c0d0e0f");
    check_hex(storage_key_mid(&room, tenant, &mid), "01b900000001000102030405060708090a0b0c0d0e0f");
    check_hex(storage_key_ident(&room, tenant, 8, &idh), "03f50000000108ff000000000000000000000000000000");
    check_hex(storage_key_conf(&room, last, 2, BYTES_LIT("id")), "7fffffff026964");
    check_hex(storage_key_conf_rev(&room, last, 2, 258), "7fffffff020000000000000102");
    check_hex(storage_key_counter(&room, last, 2), "636f6e667fffffff02");
    check_hex(storage_key_bucket(&room, 1023, tenant), "03ff00000001");
    check_hex(storage_key_sweep(&room, tenant, (struct customer_id){2}, 3),
              "737765657000000001000000000000000200000000" "00000003");
    check_hex(storage_key_erase(&room, tenant, (struct customer_id){2}),
              "6572617365000000010000000000000002");
    check_hex(storage_key_cut(&room, tenant, (struct part_id){0x0102030405060708}, (struct part_id){3}),
              "63757400f40000000101020304050607080000000000000003");
    CHECK_INT(storage_key_anonymous(&mid).v, 0x0001020304050607 >> 1);
    CHECK_INT(storage_key_anonymous(&(struct mid){{0}}).v, 1);
}

TEST(storage_key_families_are_named_once)
{
    for (int i = 0; i < STORAGE_FAMILIES_; i++) {
        for (int j = 0; j < i; j++) {
            CHECK(strcmp(storage_key_family((enum storage_family)i),
                         storage_key_family((enum storage_family)j)) != 0);
        }
    }
}

TEST(storage_key_after_is_behind_all_of_a_prefix)
{
    struct storage_key_room room;

    check_hex(storage_key_after(&room, BYTES_LIT("\x01\x02")), "0103");
    check_hex(storage_key_after(&room, BYTES_LIT("\x01\xff\xff")), "02");
    CHECK_INT(storage_key_after(&room, BYTES_LIT("\xff\xff")).n, 0);
}

/* Byte order is the order of (bucket, tenant, part, day, mid), and what is written is read back. */
PROPERTY(storage_key_order_is_the_order_of_numbers)
{
    struct storage_key_room rooms[2];
    struct bytes keys[2];
    struct tenant_id tenants[2], tenant;
    struct part_id parts[2], part;
    uint32_t days[2], day;
    struct mid mids[2] = {mid, mid}, back;
    int64_t order;

    for (int i = 0; i < 2; i++) {
        tenants[i].v = 1 + (uint32_t)rng_below(rng, 2);
        parts[i].v = rng_coin(rng) ? rng_below(rng, 3) : rng_next(rng) >> 1;
        days[i] = (uint32_t)rng_below(rng, 3) * 255;
        mids[i].b[rng_below(rng, 16)] = (uint8_t)rng_next(rng);
        keys[i] = storage_key_event(&rooms[i], tenants[i], parts[i], days[i], &mids[i]);
        CHECK_INT(keys[i].n, STORAGE_KEY_EVENT_BYTES);
        CHECK(storage_key_event_parse(keys[i], &tenant, &part, &day, &back));
        CHECK(tenant.v == tenants[i].v && part.v == parts[i].v && day == days[i]);
        CHECK_SAME_BYTES(back.b, mids[i].b, 16);
    }
    order = (int64_t)hash_bucket(tenants[0], parts[0].v) - hash_bucket(tenants[1], parts[1].v);
    order = order != 0 ? order : (int64_t)tenants[0].v - tenants[1].v;
    order = order != 0 ? order : (parts[0].v > parts[1].v) - (parts[0].v < parts[1].v);
    order = order != 0 ? order : (int64_t)days[0] - days[1];
    order = order != 0 ? order : mid_compare(&mids[0], &mids[1]);
    CHECK_INT((bytes_compare(keys[0], keys[1]) > 0) - (bytes_compare(keys[0], keys[1]) < 0),
              (order > 0) - (order < 0));
}

TEST(storage_key_of_another_bucket_is_no_key)
{
    struct storage_key_room room;
    struct tenant_id tenant = {1};
    struct bytes key = storage_key_owner(&room, tenant, 5);
    uint64_t c = 77;

    CHECK(storage_key_owner_parse(key, &tenant, &c) && c == 5);
    c = 77;
    room.b[1] ^= 1;
    CHECK(!storage_key_owner_parse(key, &tenant, &c));
    key.n--;
    CHECK(!storage_key_owner_parse(key, &tenant, &c));
    CHECK_INT(c, 77);
}
