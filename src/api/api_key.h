/* SPDX-License-Identifier: Apache-2.0 */
/* api_key.h - keys: a public one (wk_) in pages and apps, a secret one (sk_) between servers.
 *
 * A key is 128 random bits and belongs to one tenant; it is shown once and kept as BLAKE2b-256 of itself
 * (a fast hash suffices for a long random key). The row, table STORAGE_KEY of the tenant, id = hash in hex:
 *     {"kind":"public|secret","source":"shop","gated":false,"server":false}      deleted: revoked */
#pragma once

#include "api/api.h"

struct arena;

struct api_key { /* as the table holds it */
    uint8_t hash[32];
    size_t tenant; /* index into api->tenants */
    enum api_who who;
    bool is_gated, is_server;
    char source[64];
};

/* Reads all tenants' keys; with has_test_keys also the two fixed ones (call again after setting it). */
MUST_USE enum err api_keys_load(struct api *api, struct loop *loop, struct arena *arena);
void api_keys_free(struct api *api);
size_t api_keys_n(const struct api *api); /* before the server starts */
/* Makes the row of a new key. key_text: prefix and 32 base32 digits are the caller's; out_id takes 65 bytes. */
struct bytes api_key_row(struct arena *arena, enum api_who who, struct bytes source, bool is_gated, bool is_server);
void api_key_row_id(struct bytes key_text, char out_id[65]);
