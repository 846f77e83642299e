/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_key.h"

#include "base/hash.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "storage/storage_wait.h"

#include <sodium.h>

#include <stdlib.h>
#include <string.h>

struct api_keys { /* immutable once published */
    size_t n;
    struct api_key key[];
};

static void add_key(struct api_keys *keys, struct bytes text, size_t tenant, enum api_who who, bool is_server,
                    const char *source)
{
    struct api_key *key = &keys->key[keys->n++];

    *key = (struct api_key){.tenant = tenant, .who = who, .is_gated = true, .is_server = is_server};
    hash_256(NULL, text, key->hash);
    memcpy(key->source, source, strlen(source) + 1);
}

static enum err read_key(const struct storage_row *row, size_t tenant, struct arena *arena, struct api_keys *keys)
{
    struct api_key *key = &keys->key[keys->n];
    const struct json_node *root;
    struct bytes kind, source;
    size_t hash_n;
    enum err err = json_read(arena, row->row, &root, NULL);

    if (err != ERR_OK) {
        return ERR_CORRUPT;
    }
    *key = (struct api_key){.tenant = tenant};
    if (!json_text(json_get(root, "kind"), &kind) || !json_text(json_get(root, "source"), &source) ||
        source.n >= sizeof(key->source) ||
        sodium_hex2bin(key->hash, sizeof(key->hash), row->id.p, row->id.n, NULL, &hash_n, NULL) != 0 || hash_n != 32) {
        return ERR_CORRUPT;
    }
    key->who = bytes_equal(kind, BYTES_LIT("secret")) ? API_SECRET : API_PUBLIC;
    memcpy(key->source, source.p, source.n);
    (void)json_bool(json_get(root, "gated"), &key->is_gated);
    (void)json_bool(json_get(root, "server"), &key->is_server);
    key->is_server = key->is_server || key->who == API_SECRET;
    keys->n++;
    return ERR_OK;
}

enum err api_keys_load(struct api *api, struct loop *loop, struct arena *arena)
{
    struct api_keys *keys = calloc(1, sizeof(*keys) + (API_KEYS_MAX + 2) * sizeof(keys->key[0])), *old;
    enum err err = keys ? ERR_OK : ERR_NOMEM;

    for (size_t i = 0; err == ERR_OK && i < api->tenants_n; i++) {
        const struct storage_row *rows;
        size_t n;

        err = storage_wait_changes(api->storage, loop, api->tenants[i]->id, STORAGE_KEY, 0, API_KEYS_MAX, arena, &rows, &n);
        for (size_t j = 0; err == ERR_OK && j < n && keys->n < API_KEYS_MAX; j++) {
            err = rows[j].row.n > 0 ? read_key(&rows[j], i, arena, keys) : ERR_OK;
        }
    }
    if (err != ERR_OK) {
        free(keys);
        return err;
    }
    if (api->has_test_keys) {
        add_key(keys, BYTES_LIT("wk_test_0123456789"), 0, API_PUBLIC, true, "test-web");
        add_key(keys, BYTES_LIT("sk_test_0123456789"), 0, API_SECRET, true, "test-server");
    }
    old = atomic_exchange(&api->keys, keys);
    if (old != NULL) {
        publish_retire(api->publish, old, free);
    }
    return ERR_OK;
}

void api_keys_free(struct api *api)
{
    free(atomic_exchange(&api->keys, NULL));
}

size_t api_keys_n(const struct api *api)
{
    const struct api_keys *keys = atomic_load(&api->keys);

    return keys ? keys->n : 0;
}

struct bytes api_key_row(struct arena *arena, enum api_who who, struct bytes source, bool is_gated, bool is_server)
{
    struct json_write w;

    json_write_open(&w, arena, 256);
    json_write_object(&w, NULL);
    json_write_word(&w, "kind", who == API_SECRET ? "secret" : "public");
    json_write_text(&w, "source", source);
    json_write_bool(&w, "gated", is_gated);
    json_write_bool(&w, "server", is_server);
    json_write_end(&w);
    return json_write_bytes(&w);
}

void api_key_row_id(struct bytes key_text, char out_id[65])
{
    uint8_t hash[32];

    hash_256(NULL, key_text, hash);
    hash_hex(hash, sizeof(hash), out_id);
}

/* ---- who calls ---- */

/* The user part of `Basic base64(key:)`; {NULL, 0} when it is none. */
static struct bytes basic_key(struct bytes coded, struct arena *arena)
{
    unsigned char *plain = arena_take(arena, coded.n + 1);
    size_t n = 0;
    const unsigned char *colon;

    if (plain == NULL || sodium_base642bin(plain, coded.n, coded.p, coded.n, NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL) != 0) {
        return (struct bytes){0};
    }
    colon = memchr(plain, ':', n);
    return (struct bytes){(char *)plain, colon ? (size_t)(colon - plain) : n};
}

/* The order of wire.md 1.2, as far as our own calls take keys. */
static struct bytes key_text(struct http_request *request)
{
    struct bytes value = http_request_header(request, "authorization");
    const char *colon;

    if (value.n > 7 && strncasecmp(value.p, "bearer ", 7) == 0) {
        return (struct bytes){value.p + 7, value.n - 7};
    }
    if (value.n > 6 && strncasecmp(value.p, "basic ", 6) == 0) {
        return basic_key((struct bytes){value.p + 6, value.n - 6}, request->arena);
    }
    value = http_request_header(request, "x-write-key");
    if (value.n > 0) {
        colon = memchr(value.p, ':', value.n);
        return colon ? (struct bytes){value.p, (size_t)(colon - value.p)} : value;
    }
    if (http_request_query(request, "writeKey", &value)) {
        return value;
    }
    return (struct bytes){0};
}

static bool find_key(struct api *api, struct bytes text, struct api_key *out_key)
{
    const struct api_keys *keys = atomic_load(&api->keys);
    uint8_t hash[32];
    bool is_found = false;

    hash_256(NULL, text, hash);
    for (size_t i = 0; keys != NULL && i < keys->n; i++) {
        /* Every key is compared, each in constant time: neither the place nor the beginning of a key shows. */
        if (hash_same(hash, keys->key[i].hash, sizeof(hash))) {
            *out_key = keys->key[i];
            is_found = true;
        }
    }
    return is_found;
}

static bool caller_by_file(struct http_request *request, struct api_caller *out_caller)
{
    struct bytes name = http_request_header(request, "falun-tenant");
    struct api_tenant *tenant = api_tenant_find(api_of(request), name.n > 0 ? name : BYTES_LIT("default"));

    if (tenant == NULL) {
        http_reply_problem(request, 404, "unknown_tenant", "no tenant of that name; see `falun tenant list`");
        return false;
    }
    *out_caller = (struct api_caller){tenant, API_SECRET, BYTES_LIT("command-line"), true, true};
    return true;
}

bool api_caller_of(struct http_request *request, unsigned may, struct api_caller *out_caller)
{
    struct api_loop *loop = api_loop_of(request);
    struct bytes text;
    struct api_key key;
    bool is_found;

    if (request->is_by_file) {
        return caller_by_file(request, out_caller);
    }
    text = key_text(request);
    publish_enter(loop->api->publish, loop->slot);
    is_found = text.n > 0 && find_key(loop->api, text, &key);
    publish_leave(loop->api->publish, loop->slot);
    if (!is_found) {
        http_reply_header(request, "WWW-Authenticate", BYTES_LIT("Bearer realm=\"falun\""));
        http_reply_problem(request, 401, "no_key",
                           text.n > 0 ? "the key is not known here; `falun key list` shows which sources have one"
                                      : "send a key as Authorization: Bearer wk_... or sk_...");
        return false;
    }
    if ((key.who & may) == 0) {
        http_reply_problem(request, 403, "not_allowed", "this call needs a secret key (sk_...); the one sent is public");
        return false;
    }
    *out_caller = (struct api_caller){.tenant = loop->api->tenants[key.tenant],
                                      .who = key.who,
                                      .source = arena_copy(request->arena, bytes_of(key.source)),
                                      .is_gated = key.is_gated,
                                      .is_server = key.is_server};
    return true;
}

bool api_has_gpc(const struct http_request *request)
{
    return bytes_equal(http_request_header(request, "sec-gpc"), BYTES_LIT("1"));
}
