/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed vectors: stored keys are made of these, so a changed one loses data. The BLAKE2b ones were worked out
 * with Python's hashlib from the layout in hash.h, not with this code. */
#include "base/hash.h"

#include "base/test.h"

static const struct tenant_id tenant = {7};

static void key_of_0_to_31(uint8_t key[HASH_SECRET_BYTES])
{
    for (uint8_t i = 0; i < HASH_SECRET_BYTES; i++) {
        key[i] = i;
    }
}

static void check_hex(const void *got, size_t n, const char *wanted)
{
    char text[129];

    hash_hex(got, n, text);
    CHECK_TEXT(bytes_of(text), wanted);
}

TEST(hash_of_a_message_id)
{
    struct mid mid = hash_mid(BYTES_LIT("till-7"), BYTES_LIT("0001"));
    struct mid moved = hash_mid(BYTES_LIT("till-70"), BYTES_LIT("001"));

    check_hex(mid.b, sizeof(mid.b), "a3db6f4e4beab5b13ed3d8d393e28486");
    CHECK(mid_compare(&mid, &moved) != 0); /* lengths are hashed: the border between the two counts */
}

TEST(hash_of_an_item_and_of_a_store)
{
    CHECK(hash_item(tenant, BYTES_LIT("ski-42")).v == UINT64_C(0x7c227d3c8e0eeab0));
    CHECK(hash_store(tenant, BYTES_LIT("oslo")).v == UINT64_C(0x20a61d4637cfb414));
    CHECK(hash_item(tenant, BYTES_LIT("oslo")).v != hash_store(tenant, BYTES_LIT("oslo")).v);
    CHECK(hash_item((struct tenant_id){8}, BYTES_LIT("ski-42")).v != UINT64_C(0x7c227d3c8e0eeab0));
}

TEST(hash_of_an_identifier_needs_the_secret)
{
    uint8_t key[HASH_SECRET_BYTES];
    struct idh idh;

    key_of_0_to_31(key);
    idh = hash_identifier(key, tenant, 8, BYTES_LIT("kari"));
    check_hex(idh.b, sizeof(idh.b), "fb0cb82baceb2448c134a83fd86f68f9");
    key[31] ^= 1;
    idh = hash_identifier(key, tenant, 8, BYTES_LIT("kari"));
    CHECK(memcmp(idh.b, "\xfb\x0c\xb8\x2b", 4) != 0);
}

TEST(hash_of_bytes_keys_and_tickets)
{
    uint8_t key[HASH_SECRET_BYTES], out[32];

    key_of_0_to_31(key);
    hash_256(NULL, BYTES_LIT("abc"), out);
    check_hex(out, 32, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    hash_256(key, BYTES_LIT("abc"), out);
    check_hex(out, 32, "d63a32d3e44738d7907f964316c241adaba0abfeabc32349677578a15a203f7f");
    hash_mac(key, BYTES_LIT("abc"), out);
    check_hex(out, 16, "1a64be47e4729d951c302ee543f97cf3");
    hash_derive(key, 1, "ident\0\0", out);
    check_hex(out, 32, "7d0a20c9630644b51c66e8ce284d4aa7881aef324f797a473da5a07ef74a2a6d");
}

/* In model files: a change would hide nobody who was erased before it. */
TEST(hash_owner_is_fixed_for_ever)
{
    uint8_t secret[HASH_SECRET_BYTES], key[HASH_SECRET_BYTES];

    key_of_0_to_31(secret);
    hash_owner_key(secret, key);
    CHECK(hash_owner(key, tenant, 1) == UINT64_C(0x5b33b5cd55214d15));
    CHECK(hash_owner(key, tenant, 2) != hash_owner(key, tenant, 1));
    CHECK(hash_owner(key, (struct tenant_id){tenant.v + 1}, 1) != hash_owner(key, tenant, 1));
    CHECK(hash_owner(secret, tenant, 1) != hash_owner(key, tenant, 1));
}

/* XXH3's specification is stable; these guard the bytes that go in, and the number of buckets. */
TEST(hash_bucket_is_fixed_for_ever)
{
    struct idh idh;

    for (uint8_t i = 0; i < sizeof(idh.b); i++) {
        idh.b[i] = i;
    }
    CHECK_INT(hash_bucket(tenant, UINT64_C(0x0123456789abcdef)), 822);
    CHECK_INT(hash_identifier_bucket(tenant, 8, &idh), 258);
    CHECK(hash_fast("", 0, 0) == UINT64_C(0x2d06800538d394c2));
}

/* 64 parts a bucket are expected; 200 in one would mean that buckets do not spread. */
TEST(hash_bucket_spreads_parts)
{
    static int n[HASH_BUCKETS];
    struct rng rng = {42};

    for (int i = 0; i < 64 * HASH_BUCKETS; i++) {
        n[hash_bucket(tenant, rng_next(&rng) >> 1)]++;
    }
    for (int i = 0; i < HASH_BUCKETS; i++) {
        CHECK(n[i] > 16 && n[i] < 200);
    }
}

TEST(hash_same_compares_all_bytes)
{
    CHECK(hash_same("abcd", "abcd", 4));
    CHECK(!hash_same("abcd", "abce", 4));
    CHECK(!hash_same("abcd", "bbcd", 4));
}
