/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"

#include "api/api_catalog.h"
#include "api/api_demo.h"
#include "api/api_key.h"
#include "api/api_trace.h"
#include "base/hash.h"
#include "base/json_form.h"
#include "base/json_write.h"
#include "model/model_live.h"
#include "storage/storage_wait.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_AT_ONCE = 1024, ARENA_BYTES = 1 << 20, ARENA_BYTES_MAX = 256 << 20 };

static const char base32_digits[] = "abcdefghijklmnopqrstuvwxyz234567";

/* ---- ids ---- */

/* 5 bits a digit, most significant first; n bytes give (8n + 4) / 5 digits. */
static size_t base32(const uint8_t *from, size_t n, char *to)
{
    uint32_t held = 0;
    int bits = 0;
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        held = held << 8 | from[i];
        for (bits += 8; bits >= 5; bits -= 5) {
            to[at++] = base32_digits[held >> (bits - 5) & 31];
        }
    }
    if (bits > 0) {
        to[at++] = base32_digits[held << (5 - bits) & 31];
    }
    return at;
}

static bool base32_read(struct bytes text, uint8_t *to, size_t n)
{
    uint32_t held = 0;
    int bits = 0;
    size_t at = 0;

    for (size_t i = 0; i < text.n; i++) {
        const char *digit = text.p[i] ? strchr(base32_digits, text.p[i]) : NULL;

        if (digit == NULL) {
            return false;
        }
        held = held << 5 | (uint32_t)(digit - base32_digits);
        bits += 5;
        if (bits >= 8) {
            if (at == n) {
                return false;
            }
            to[at++] = (uint8_t)(held >> (bits - 8));
            bits -= 8;
        }
    }
    return at == n;
}

/* 8 bytes of the number under a pad, 4 bytes of a keyed mark: whoever made it up is told apart from a real one. */
static void customer_bytes(const struct api *api, struct tenant_id tenant, uint64_t number, uint8_t out[12])
{
    uint8_t said[13], mark[16], pad[16];

    put_be32(said, tenant.v);
    said[4] = 'p';
    hash_mac(api->customer_key, (struct bytes){(char *)said, 5}, pad);
    put_be64(said + 4, number);
    said[12] = 'm';
    hash_mac(api->customer_key, (struct bytes){(char *)said, 13}, mark);
    put_be64(out, number ^ get_be64(pad));
    memcpy(out + 8, mark, 4);
}

void api_customer_text(const struct api *api, struct tenant_id tenant, struct customer_id customer,
                       char out_text[API_CUSTOMER_BYTES + 1])
{
    uint8_t bytes[12];
    size_t n;

    customer_bytes(api, tenant, customer.v, bytes);
    memcpy(out_text, "cus_", 4);
    n = base32(bytes, sizeof(bytes), out_text + 4);
    assert(n == API_CUSTOMER_BYTES - 4);
    out_text[API_CUSTOMER_BYTES] = '\0';
}

bool api_customer_read(const struct api *api, struct tenant_id tenant, struct bytes text, struct customer_id *out_customer)
{
    uint8_t said[12], none[12], right[12];
    uint64_t number;

    if (text.n != API_CUSTOMER_BYTES || !bytes_starts(text, BYTES_LIT("cus_")) ||
        !base32_read((struct bytes){text.p + 4, text.n - 4}, said, sizeof(said))) {
        return false;
    }
    customer_bytes(api, tenant, 0, none);
    number = get_be64(said) ^ get_be64(none);
    customer_bytes(api, tenant, number, right);
    if (!hash_same(said, right, sizeof(right)) || number >> 63 != 0) {
        return false;
    }
    out_customer->v = number;
    return true;
}

struct bytes api_random_id(struct http_request *request, const char *prefix)
{
    struct rng *chance = api_loop_of(request)->chance;
    uint8_t bytes[16];
    char text[64];
    size_t n = strlen(prefix);

    put_be64(bytes, rng_next(chance));
    put_be64(bytes + 8, rng_next(chance));
    memcpy(text, prefix, n);
    n += base32(bytes, sizeof(bytes), text + n);
    return arena_copy(request->arena, (struct bytes){text, n});
}

/* ---- bodies and queries ---- */

bool api_body(struct http_request *request, const struct json_node **out_root)
{
    struct why why = {0};
    const struct json_node *root;
    enum err err = json_read_strict(request->arena, request->body, &root, &why);

    if (err == ERR_OK && root->type != JSON_OBJECT) {
        err = why_say(&why, ERR_INVALID, "invalid_field", "", "the body must be one JSON object");
    }
    if (err != ERR_OK) {
        http_reply_err(request, err, &why);
        return false;
    }
    *out_root = root;
    return true;
}

bool api_query_known(struct http_request *request, const char *const *known)
{
    struct bytes name = http_request_unknown_query(request, known);

    if (name.p == NULL) {
        return true;
    }
    http_reply_problem(request, 422, "unsupported", "a query parameter of this call is not known here; leave it out");
    return false;
}

/* ---- opening ---- */

static struct api_tenant *tenant_add(struct api *api, struct tenant_id id, struct bytes name, struct bytes row)
{
    struct api_tenant *tenant = calloc(1, sizeof(*tenant));
    struct arena arena;
    const struct json_node *root = NULL;
    static const struct {
        const char *key;
        size_t at, room;
    } fields[] = {{"country", offsetof(struct api_tenant, country), sizeof(tenant->country)},
                  {"currency", offsetof(struct api_tenant, currency), sizeof(tenant->currency)},
                  {"timeZone", offsetof(struct api_tenant, time_zone), sizeof(tenant->time_zone)}};

    if (tenant == NULL || name.n >= sizeof(tenant->name) || api->tenants_n == API_TENANTS_MAX) {
        free(tenant);
        return NULL;
    }
    arena_open(&arena, 4096, 1 << 16);
    tenant->id = id;
    memcpy(tenant->name, name.p, name.n);
    memcpy(tenant->currency, "NOK", 4);
    memcpy(tenant->country, "NO", 3);
    memcpy(tenant->time_zone, "Europe/Oslo", 12);
    if (json_read(&arena, row, &root, NULL) == ERR_OK) {
        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
            struct bytes text;

            if (json_text(json_get(root, fields[i].key), &text) && text.n < fields[i].room) {
                memset((char *)tenant + fields[i].at, 0, fields[i].room);
                memcpy((char *)tenant + fields[i].at, text.p, text.n);
            }
        }
    }
    arena_close(&arena);
    tenant->catalog = catalog_open(id, api->publish);
    api->tenants[api->tenants_n] = tenant;
    atomic_fetch_add(&api->tenants_n, 1);
    return tenant;
}

static enum err read_tenants(struct api *api, struct loop *loop, struct arena *arena)
{
    const struct storage_row *rows;
    size_t n;
    enum err err =
        storage_wait_changes(api->storage, loop, (struct tenant_id){1}, STORAGE_TENANT, 0, API_TENANTS_MAX, arena, &rows, &n);

    if (err != ERR_OK) {
        return err;
    }
    if (tenant_add(api, (struct tenant_id){1}, BYTES_LIT("default"), BYTES_LIT("{}")) == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        const struct json_node *root;
        int64_t id;

        if (rows[i].row.n == 0) {
            continue;
        }
        if (json_read(arena, rows[i].row, &root, NULL) != ERR_OK || !json_int(json_get(root, "id"), 1, INT32_MAX, &id)) {
            return ERR_CORRUPT;
        }
        if (id == 1) { /* the first tenant's settings were changed */
            catalog_close(api->tenants[0]->catalog);
            free(api->tenants[0]);
            api->tenants_n = 0;
        }
        if (tenant_add(api, (struct tenant_id){(uint32_t)id}, rows[i].id, rows[i].row) == NULL) {
            return ERR_TOOBIG;
        }
    }
    return ERR_OK;
}

static enum err apply_rows(struct api_tenant *tenant, enum storage_table table, const struct storage_row *rows, size_t n)
{
    struct arena one; /* a row at a time: what it is read into is several times as large */
    enum err err = ERR_OK;

    arena_open(&one, ARENA_BYTES, ARENA_BYTES_MAX);
    for (size_t i = 0; err == ERR_OK && i < n; i++) {
        err = api_catalog_apply(tenant->catalog, tenant->id, table, &rows[i], &one);
        err = err == ERR_STALE ? ERR_OK : err;
        arena_reset(&one);
    }
    arena_close(&one);
    return err;
}

static enum err read_table(struct api *api, struct loop *loop, struct api_tenant *tenant, enum storage_table table,
                           struct arena *arena)
{
    uint64_t since = 0;
    size_t most = ROWS_AT_ONCE;

    for (;;) {
        const struct storage_row *rows;
        size_t n;
        enum err err = storage_wait_changes(api->storage, loop, tenant->id, table, since, most, arena, &rows, &n);

        if (err == ERR_NOMEM && most > 1) { /* long texts: fewer at once, so that no catalogue keeps a server from starting */
            most /= 2;
            arena_reset(arena);
            continue;
        }
        err = err == ERR_OK ? apply_rows(tenant, table, rows, n) : err;
        if (err != ERR_OK || n < most) {
            arena_reset(arena);
            return err;
        }
        since = rows[n - 1].revision;
        arena_reset(arena);
    }
}

static enum err read_catalogues(struct api *api, struct loop *loop, struct arena *arena)
{
    static const enum storage_table tables[] = {STORAGE_ITEM, STORAGE_STORE, STORAGE_STOCK};

    for (size_t i = 0; i < api->tenants_n; i++) {
        for (size_t j = 0; j < sizeof(tables) / sizeof(tables[0]); j++) {
            enum err err = read_table(api, loop, api->tenants[i], tables[j], arena);

            if (err != ERR_OK) {
                return err;
            }
        }
    }
    return ERR_OK;
}

enum err api_open(struct storage *storage, const uint8_t secret[32], struct api **out_api, struct why *why)
{
    struct api *api = calloc(1, sizeof(*api));
    struct loop *loop = NULL;
    struct arena arena;
    enum err err;

    if (api == NULL) {
        return ERR_NOMEM;
    }
    api->storage = storage;
    api->publish = publish_open();
    api->traces = api_traces_open();
    hash_derive(secret, 1, "ticket__", api->ticket_key);
    hash_derive(secret, 1, "customer", api->customer_key);
    hash_owner_key(secret, api->owner_key);
    arena_open(&arena, ARENA_BYTES, ARENA_BYTES_MAX);
    err = loop_open(&loop);
    err = err == ERR_OK ? read_tenants(api, loop, &arena) : err;
    err = err == ERR_OK ? api_keys_load(api, loop, &arena) : err;
    err = err == ERR_OK ? read_catalogues(api, loop, &arena) : err;
    loop_close(loop);
    arena_close(&arena);
    if (err != ERR_OK) {
        api_close(api);
        return why_say(why, err, err_name(err), "", "the configuration in storage could not be read (%s); restore the backup",
                       err_name(err));
    }
    *out_api = api;
    return ERR_OK;
}

struct model_view api_view(const struct api_tenant *tenant)
{
    const struct api_model *model = atomic_load(&tenant->model); /* not before publish_enter's store: an acquire might be */

    return model != NULL ? model_view_of(model->base, model->live) : (struct model_view){0};
}

uint64_t api_learned(const struct model_view *view)
{
    return (uint64_t)view->sequences_end[MODEL_SESSION] + view->sequences_end[MODEL_HISTORY];
}

void api_close(struct api *api)
{
    if (api == NULL) {
        return;
    }
    for (size_t i = 0; i < api->tenants_n; i++) {
        catalog_close(api->tenants[i]->catalog);
        free(api->tenants[i]);
    }
    api_demo_close(api);
    api_keys_free(api);
    api_traces_close(api->traces);
    publish_close(api->publish);
    free(api);
}

struct api_tenant *api_tenant_find(struct api *api, struct bytes name)
{
    for (size_t i = 0; i < api->tenants_n; i++) {
        if (bytes_equal(bytes_of(api->tenants[i]->name), name)) {
            return api->tenants[i];
        }
    }
    return NULL;
}
