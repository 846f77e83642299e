/* SPDX-License-Identifier: Apache-2.0 */
/* api.h - what all calls share: storage, tenants with their catalogue and model, keys, clock, tickets.
 *
 * One `struct api` a process, one `struct api_loop` a loop thread (request->user). A file api_x.c holds
 * the calls of one subject and exports its routes; api_routes.c lists them. A handler finds its caller
 * with api_caller_of, reads its body with json_form.h, and answers once. Customer data is read with a
 * pass (consent/pass.h) only; identifiers never reach a log line or an error. */
#pragma once

#include "base/publish.h"
#include "base/rng.h"
#include "catalog/catalog.h"
#include "event/event.h"
#include "http/http_request.h"
#include "http/http_server.h"
#include "learn/lesson.h"
#include "model/model_view.h"
#include "storage/storage.h"

#include <stdatomic.h>

struct json_node;

enum { API_TENANTS_MAX = 64, API_KEYS_MAX = 1024, API_TRACES = 10000, API_TRACE_ITEMS = 20 };

struct api_model { /* what a tenant answers with: published, read and retired together */
    const struct model *base;
    struct model_live *live; /* what was learnt since the file was made; NULL: nothing can be */
    uint64_t generation;     /* of this process, from 1: an address may come again, a generation does not */
};

struct api_tenant {
    struct tenant_id id;
    char name[64];
    char country[3];   /* "NO": national phone numbers */
    char currency[4];  /* money without one */
    char time_zone[64];
    struct catalog *catalog;
    _Atomic bool is_model_unreadable; /* at the start: its file is missing, damaged or of another format */
    struct api_model *_Atomic model; /* between publish_enter and publish_leave, by api_view; NULL: not ready */
};

/* What calls need and this room may not do itself (files, threads): cmd hands it in. Each calls back once, on
 * `loop`. NULL: not there, the call answers 503. */
struct api_port {
    void *ctx;
    /* Verifies, maps and publishes models/HASH for the tenant and keeps the row; the old model stays on error. */
    void (*publish_model)(void *ctx, struct api_tenant *tenant, const char hash[65], struct loop *loop,
                          void (*done)(void *done_ctx, enum err err, const struct why *why), void *done_ctx);
    /* Makes a consistent copy of storage for a trainer below the data directory; path is a loan. Whoever asked
     * removes it. */
    void (*checkpoint)(void *ctx, struct loop *loop, void (*done)(void *done_ctx, enum err err, const char *path),
                       void *done_ctx);
    void *learner;
    /* What is durable is learnt from: copied into a bounded queue. Never waits and never fails; what finds the queue full is
     * counted (falun_learn_lost_total) and learnt at the next start or training. NULL: nobody learns. Thread: any. */
    void (*learn)(void *learner, const struct api_tenant *tenant, const struct lesson *lessons, size_t n);
    /* Empties all that was learnt from these parts' sequences, here and in what is still to be published, and remembers it. At
     * most API_FORGET_MAX. done: once they are gone for all readers and that is durable. NULL: nobody learns. */
    void (*forget)(void *learner, struct api_tenant *tenant, const uint64_t *parts, size_t n, struct loop *loop,
                   void (*done)(void *done_ctx, enum err err), void *done_ctx);
};

enum { API_FORGET_MAX = STORAGE_PARTS_MAX + 1 };

struct api_traces; /* the last API_TRACES decisions, in memory: api_decide.c */
struct api_keys;   /* published table of keys: api_key.c */
struct api_demo;   /* the demo's page: api_demo.c */

struct api {
    struct storage *storage;
    struct publish *publish;
    struct api_tenant *tenants[API_TENANTS_MAX]; /* grows only; tenants_n is stored after the entry */
    _Atomic size_t tenants_n;
    struct api_keys *_Atomic keys;
    struct api_traces *traces;
    struct api_demo *_Atomic demo; /* NULL but under `falun demo`, which sets it once the server runs */
    uint8_t ticket_key[32], customer_key[32], owner_key[32];
    bool has_test_keys, has_test_clock, is_demo;
    _Atomic int64_t test_clock_ms;
    _Atomic bool is_ready; /* /readyz */
    struct api_port port;
};

struct api_loop { /* request->user */
    struct api *api;
    struct loop *loop;
    unsigned slot;        /* of api->publish, this thread's */
    struct rng *chance;   /* this thread's; seeded from the system at start. For ids, never for secrets */
};

static inline struct api_loop *api_loop_of(const struct http_request *request)
{
    return request->user;
}
static inline struct api *api_of(const struct http_request *request)
{
    return api_loop_of(request)->api;
}

/* ---- opening: blocking, before the server starts; api.c ---- */
/* Reads tenants, keys and catalogues from storage; makes tenant `default` (id 1) where there is none.
 * secret: of the data directory. Errors: what storage gave, with why. */
MUST_USE enum err api_open(struct storage *storage, const uint8_t secret[32], struct api **out_api, struct why *why);
/* Frees all; no loop may run any more. The storage is the caller's. */
void api_close(struct api *api);
struct api_tenant *api_tenant_find(struct api *api, struct bytes name); /* NULL: none of that name */

/* What a request reads, pinned: between publish_enter and publish_leave. base NULL: not ready. */
struct model_view api_view(const struct api_tenant *tenant);
/* A number that names what a view has learnt since its base: the sequences taken in. 0: nothing. */
uint64_t api_learned(const struct model_view *view);

/* ---- callers: api_key.c ---- */
enum api_who { API_PUBLIC = 1, API_SECRET = 2 }; /* bits: who may use a call */

struct api_caller {
    struct api_tenant *tenant;
    enum api_who who;     /* a request over the socket file is SECRET */
    struct bytes source;  /* stable name of the sending system, in the request's arena */
    bool is_gated, is_server;
};

/* Finds who calls by `Authorization: Bearer|Basic`, `X-Write-Key` or the query parameter `writeKey`. may: enum
 * api_who bits. When it gives false it has answered: 401 with WWW-Authenticate, or 403 not_allowed. */
bool api_caller_of(struct http_request *request, unsigned may, struct api_caller *out_caller);
bool api_has_gpc(const struct http_request *request); /* Sec-GPC: 1 */

/* ---- bodies: api.c ---- */
/* Reads the body of an own call: one strict JSON object. False: 400 malformed_json or 422 was answered. */
bool api_body(struct http_request *request, const struct json_node **out_root);
/* Refuses unknown query parameters with 422 unsupported. known: NULL-terminated. False: answered. */
bool api_query_known(struct http_request *request, const char *const *known);

/* ---- ids ---- */
enum { API_CUSTOMER_BYTES = 24, API_TOKEN_BYTES = 32 };
/* "cus_" and 20 base32 digits: keyed, so it tells nothing of rows; the same for good. */
void api_customer_text(const struct api *api, struct tenant_id tenant, struct customer_id customer,
                       char out_text[API_CUSTOMER_BYTES + 1]);
/* False: it is no such id of this tenant. */
bool api_customer_read(const struct api *api, struct tenant_id tenant, struct bytes text, struct customer_id *out_customer);
/* prefix ("dec_") and 26 base32 digits of 128 random bits. */
struct bytes api_random_id(struct http_request *request, const char *prefix);

/* ---- routes: one table a file, gathered in api_routes.c ---- */
extern const struct http_route api_event_routes[], api_receipt_routes[], api_item_routes[], api_store_routes[],
    api_stock_routes[], api_customer_routes[], api_decide_routes[], api_health_routes[], api_model_routes[];
extern const size_t api_event_routes_n, api_receipt_routes_n, api_item_routes_n, api_store_routes_n, api_stock_routes_n,
    api_customer_routes_n, api_decide_routes_n, api_health_routes_n, api_model_routes_n;
/* All of them, in one array that lives as long as the program. */
const struct http_route *api_routes(size_t *out_n);
