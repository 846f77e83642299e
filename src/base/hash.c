/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>

#include <sodium.h>
#include <xxhash.h>

void hash_start(void)
{
    if (sodium_init() < 0) {
        abort();
    }
}

uint16_t hash_bucket(struct tenant_id tenant, uint64_t id)
{
    uint8_t b[12];

    put_be32(b, tenant.v);
    put_be64(b + 4, id);
    return (uint16_t)(XXH3_64bits(b, sizeof(b)) % HASH_BUCKETS);
}

uint16_t hash_identifier_bucket(struct tenant_id tenant, uint8_t kind, const struct idh *idh)
{
    uint8_t b[21];

    put_be32(b, tenant.v);
    b[4] = kind;
    memcpy(b + 5, idh->b, sizeof(idh->b));
    return (uint16_t)(XXH3_64bits(b, sizeof(b)) % HASH_BUCKETS);
}

static void update_length(crypto_generichash_state *state, size_t n)
{
    uint8_t b[4];

    assert(n <= UINT32_MAX);
    put_be32(b, (uint32_t)n);
    crypto_generichash_update(state, b, sizeof(b));
}

static void update(crypto_generichash_state *state, struct bytes of)
{
    crypto_generichash_update(state, (const unsigned char *)of.p, of.n);
}

struct mid hash_mid(struct bytes source, struct bytes id)
{
    crypto_generichash_state state;
    struct mid mid;

    crypto_generichash_init(&state, NULL, 0, sizeof(mid.b));
    update_length(&state, source.n);
    update(&state, source);
    update_length(&state, id.n);
    update(&state, id);
    crypto_generichash_final(&state, mid.b, sizeof(mid.b));
    return mid;
}

/* libsodium's shortest BLAKE2b is 16 bytes; the first 8 of those are kept. */
static uint64_t hash_64(uint8_t kind, struct tenant_id tenant, struct bytes id)
{
    crypto_generichash_state state;
    uint8_t b[4], full[16];

    crypto_generichash_init(&state, NULL, 0, sizeof(full));
    if (kind != 0) {
        crypto_generichash_update(&state, &kind, 1);
    }
    put_be32(b, tenant.v);
    crypto_generichash_update(&state, b, sizeof(b));
    update(&state, id);
    crypto_generichash_final(&state, full, sizeof(full));
    return get_be64(full);
}

struct item_id hash_item(struct tenant_id tenant, struct bytes id)
{
    return (struct item_id){hash_64(0, tenant, id)};
}

struct store_id hash_store(struct tenant_id tenant, struct bytes id)
{
    return (struct store_id){hash_64('s', tenant, id)};
}

void hash_derive(const uint8_t secret[HASH_SECRET_BYTES], uint64_t which, const char context[8],
                 uint8_t out_key[HASH_SECRET_BYTES])
{
    crypto_kdf_derive_from_key(out_key, HASH_SECRET_BYTES, which, context, secret);
}

struct idh hash_identifier(const uint8_t key[HASH_SECRET_BYTES], struct tenant_id tenant,
                           uint8_t kind, struct bytes normalised)
{
    crypto_generichash_state state;
    struct idh idh;
    uint8_t b[5];

    crypto_generichash_init(&state, key, HASH_SECRET_BYTES, sizeof(idh.b));
    put_be32(b, tenant.v);
    b[4] = kind;
    crypto_generichash_update(&state, b, sizeof(b));
    update(&state, normalised);
    crypto_generichash_final(&state, idh.b, sizeof(idh.b));
    return idh;
}

void hash_owner_key(const uint8_t secret[HASH_SECRET_BYTES], uint8_t out_key[HASH_SECRET_BYTES])
{
    hash_derive(secret, 1, "owner   ", out_key);
}

uint64_t hash_owner(const uint8_t key[HASH_SECRET_BYTES], struct tenant_id tenant, uint64_t who)
{
    uint8_t b[12], full[16];
    uint64_t owner;

    put_be32(b, tenant.v);
    put_be64(b + 4, who);
    crypto_generichash(full, sizeof(full), b, sizeof(b), key, HASH_SECRET_BYTES);
    owner = get_be64(full);
    return owner != 0 ? owner : 1;
}

void hash_256(const uint8_t *key, struct bytes of, uint8_t out_hash[32])
{
    crypto_generichash(out_hash, 32, (const unsigned char *)of.p, of.n, key,
                       key ? HASH_SECRET_BYTES : 0);
}

void hash_mac(const uint8_t key[HASH_SECRET_BYTES], struct bytes of, uint8_t out_mac[16])
{
    crypto_generichash(out_mac, 16, (const unsigned char *)of.p, of.n, key, HASH_SECRET_BYTES);
}

bool hash_same(const void *a, const void *b, size_t n)
{
    return sodium_memcmp(a, b, n) == 0;
}

uint64_t hash_fast(const void *of, size_t n, uint64_t seed)
{
    return XXH3_64bits_withSeed(of, n, seed);
}

void hash_hex(const void *of, size_t n, char *out_text)
{
    sodium_bin2hex(out_text, 2 * n + 1, of, n);
}
