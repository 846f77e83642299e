/* SPDX-License-Identifier: Apache-2.0 */
/* hash.h - every hash that a stored key is made of. Fixed for ever: vectors in hash_test.c.
 *
 *     bucket      XXH3-64(tenant be32, id be64; seed 0) mod 1024                    storage.md 3
 *     mid         BLAKE2b-128(source length be32, source, id length be32, id)       settled.md 2.9
 *     item        BLAKE2b-64(tenant be32, id)   (store the same with a leading 's') settled.md 2.8
 *     owner       BLAKE2b-64 keyed with KDF(secret, "owner"): tenant be32, part be64   (in model files only)
 *     identifier  BLAKE2b-128 keyed with KDF(secret, "ident"): tenant be32, kind u8, value
 * XXH3 is not collision resistant: it spreads rows over buckets and nothing else. */
#pragma once

#include "base/bytes.h"
#include "base/id.h"

enum { HASH_BUCKETS = 1024, HASH_SECRET_BYTES = 32 };

/* Starts libsodium; call once before any other function of this file. Aborts when it cannot. */
void hash_start(void);

uint16_t hash_bucket(struct tenant_id tenant, uint64_t id);
/* The bucket of an identifier's row: XXH3-64(tenant be32, kind u8, idh) mod 1024. */
uint16_t hash_identifier_bucket(struct tenant_id tenant, uint8_t kind, const struct idh *idh);
struct mid hash_mid(struct bytes source, struct bytes id);
struct item_id hash_item(struct tenant_id tenant, struct bytes id);
struct store_id hash_store(struct tenant_id tenant, struct bytes id);
/* Derives one 32-byte key for one use; context: exactly 8 characters, see docs of crypto_kdf. */
void hash_derive(const uint8_t secret[HASH_SECRET_BYTES], uint64_t which, const char context[8],
                 uint8_t out_key[HASH_SECRET_BYTES]);
struct idh hash_identifier(const uint8_t key[HASH_SECRET_BYTES], struct tenant_id tenant,
                           uint8_t kind, struct bytes normalised);
/* Whose a sequence of a model is: BLAKE2b-64 keyed with KDF(secret, "owner"), of tenant be32 and the number of a part or
 * customer be64. Never 0: that is nobody. */
void hash_owner_key(const uint8_t secret[HASH_SECRET_BYTES], uint8_t out_key[HASH_SECRET_BYTES]);
uint64_t hash_owner(const uint8_t key[HASH_SECRET_BYTES], struct tenant_id tenant, uint64_t who);
/* BLAKE2b-256 of bytes; key may be NULL. For model file names, body hashes, API keys at rest. */
void hash_256(const uint8_t *key, struct bytes of, uint8_t out_hash[32]);
/* Keyed BLAKE2b-128, for tickets. */
void hash_mac(const uint8_t key[HASH_SECRET_BYTES], struct bytes of, uint8_t out_mac[16]);
/* Constant-time comparison of n bytes. */
bool hash_same(const void *a, const void *b, size_t n);
/* Fast 64-bit hash for tables in memory; never stored. */
uint64_t hash_fast(const void *of, size_t n, uint64_t seed);
/* Lower-case hex; out_text takes 2n + 1 bytes. */
void hash_hex(const void *of, size_t n, char *out_text);
