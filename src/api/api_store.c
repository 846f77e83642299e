/* SPDX-License-Identifier: Apache-2.0 */
/* Stores (product.md 7.6): PUT, GET, DELETE of one, a list. */
#include "api/api_rows.h"
#include "base/hash.h"
#include "base/json_form.h"
#include "catalog/item_json.h"

static const char *const no_query[] = {NULL};

static void put_done(struct api_rows *rows)
{
    http_reply_send(rows->request, 200, "application/json", rows->puts[0].row);
}

static bool is_clash(struct http_request *request, struct api_tenant *tenant, const struct store *store)
{
    struct api_loop *loop = api_loop_of(request);
    bool clashes;

    publish_enter(loop->api->publish, loop->slot);
    clashes = catalog_is_store_clash(tenant->catalog, store->id, store->id_text);
    publish_leave(loop->api->publish, loop->slot);
    return clashes;
}

static void store_put(struct http_request *request)
{
    struct api_caller caller;
    const struct json_node *root;
    struct json_form form = {0};
    struct bytes id = request->params[0];
    struct store store;
    struct api_rows *rows;

    if (!api_caller_of(request, API_SECRET, &caller) || !api_query_known(request, no_query) ||
        !api_body(request, &root)) {
        return;
    }
    if (id.n > EVENT_ID_BYTES_MAX || bytes_equal(id, BYTES_LIT("*web"))) {
        http_reply_problem(request, 422, "invalid_field",
                           "A store's id has 1 to %d bytes; *web is the central stock.", EVENT_ID_BYTES_MAX);
        return;
    }
    if (!store_json_read(&form, root, caller.tenant->id, id, request->arena, &store)) {
        if (form.faults_n > 0) {
            http_reply_faults(request, &form);
        } else {
            http_reply_err(request, ERR_NOMEM, NULL);
        }
        return;
    }
    if (is_clash(request, caller.tenant, &store)) {
        http_reply_problem(request, 409, "id_collides",
                           "Another store's id has the same hash; give this store another id.");
        return;
    }
    rows = api_rows_new(request, caller.tenant, STORAGE_STORE, 1, put_done, NULL);
    if (rows != NULL) {
        rows->puts[rows->n++] = (struct storage_put){.id = store.id_text, .row = store.json};
        api_rows_put(rows);
    }
}

static void store_get(struct http_request *request)
{
    struct api_loop *loop = api_loop_of(request);
    struct api_caller caller;
    const struct store *store;
    struct bytes json = {0};

    if (!api_caller_of(request, API_SECRET, &caller) || !api_query_known(request, no_query)) {
        return;
    }
    publish_enter(loop->api->publish, loop->slot);
    store = catalog_store(caller.tenant->catalog, hash_store(caller.tenant->id, request->params[0]));
    if (store != NULL && bytes_equal(store->id_text, request->params[0])) {
        json = arena_copy(request->arena, store->json);
    }
    publish_leave(loop->api->publish, loop->slot);
    if (json.n == 0) {
        http_reply_problem(request, 404, "unknown_store", "There is no such store; PUT it first.");
        return;
    }
    http_reply_send(request, 200, "application/json", json);
}

static void delete_done(struct api_rows *rows)
{
    http_reply_send(rows->request, 204, NULL, (struct bytes){0});
}

static void store_delete(struct http_request *request)
{
    struct api_loop *loop = api_loop_of(request);
    struct api_caller caller;
    struct api_rows *rows;
    bool is_there;

    if (!api_caller_of(request, API_SECRET, &caller) || !api_query_known(request, no_query)) {
        return;
    }
    publish_enter(loop->api->publish, loop->slot);
    is_there =
        catalog_store(caller.tenant->catalog, hash_store(caller.tenant->id, request->params[0])) != NULL;
    publish_leave(loop->api->publish, loop->slot);
    rows = api_rows_new(request, caller.tenant, STORAGE_STORE, 1, delete_done, NULL);
    if (rows != NULL) {
        rows->puts[0] = (struct storage_put){.id = request->params[0]};
        rows->n = is_there ? 1 : 0;
        api_rows_put(rows);
    }
}

/* ---- the list ---- */

struct store_walk {
    struct api_page page;
    struct api_listed *found;
    size_t n, room;
};

static bool walk_store(void *ctx, const struct store *store)
{
    struct store_walk *walk = ctx;

    if (walk->n < walk->room && bytes_compare(store->id_text, walk->page.after) > 0) {
        walk->found[walk->n++] = (struct api_listed){store->id_text, store};
    }
    return true;
}

static void stores_get(struct http_request *request)
{
    static const char *const known[] = {"limit", "cursor", NULL};
    struct api_loop *loop = api_loop_of(request);
    struct store_walk walk = {0};
    struct api_caller caller;
    struct json_write w;
    size_t shown_n;

    if (!api_caller_of(request, API_SECRET, &caller) || !api_query_known(request, known) ||
        !api_page_read(request, &walk.page)) {
        return;
    }
    publish_enter(loop->api->publish, loop->slot);
    walk.room = catalog_stores_n(caller.tenant->catalog) + 16;
    walk.found = arena_array(request->arena, walk.room, sizeof(*walk.found));
    if (walk.found == NULL) {
        walk.room = 0;
    }
    catalog_each_store(caller.tenant->catalog, walk_store, &walk);
    shown_n = api_page_cut(&walk.page, walk.found, walk.n);
    json_write_open(&w, request->arena, 4096);
    json_write_object(&w, NULL);
    json_write_array(&w, "stores");
    for (size_t i = 0; i < shown_n; i++) {
        json_write_raw(&w, NULL, ((const struct store *)walk.found[i].what)->json);
    }
    json_write_end(&w);
    api_page_next(&w, walk.found, shown_n, walk.n);
    publish_leave(loop->api->publish, loop->slot);
    json_write_end(&w);
    http_reply_json(request, 200, &w);
}

const struct http_route api_store_routes[] = {
    {HTTP_METHOD_GET, "/v1/stores", stores_get, HTTP_ROUTE_NO_CORS, 0},
    {HTTP_METHOD_PUT, "/v1/stores/{id}", store_put, HTTP_ROUTE_NO_CORS, 0},
    {HTTP_METHOD_GET, "/v1/stores/{id}", store_get, HTTP_ROUTE_NO_CORS, 0},
    {HTTP_METHOD_DELETE, "/v1/stores/{id}", store_delete, HTTP_ROUTE_NO_CORS, 0},
};
const size_t api_store_routes_n = sizeof(api_store_routes) / sizeof(api_store_routes[0]);
