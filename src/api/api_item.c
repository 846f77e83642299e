/* SPDX-License-Identifier: Apache-2.0 */
/* Items (product.md 7.6): PUT, GET, DELETE of one, POST of up to 1,000 with a result each, a list. DELETE
 * keeps receipts and history; the item is not shown again. PATCH and feeds are not built: the route table
 * answers 405, 404. */
#include "api/api_rows.h"
#include "base/hash.h"
#include "base/json_form.h"
#include "catalog/item_json.h"
#include "event/event_json.h"

enum { ITEMS_MAX = 1000 };

static const char *const no_query[] = {NULL};

static bool is_id(struct http_request *request, struct bytes id)
{
    bool is_good = id.n >= 1 && id.n <= EVENT_ID_BYTES_MAX;

    for (size_t i = 0; i < id.n; i++) {
        is_good = is_good && (unsigned char)id.p[i] >= 0x20 && id.p[i] != 0x7f;
    }
    if (!is_good) {
        http_reply_problem(request, 422, "invalid_field",
                           "An id has 1 to %d bytes and no control characters.", EVENT_ID_BYTES_MAX);
    }
    return is_good;
}

/* ---- one item ---- */

static void put_done(struct api_rows *rows)
{
    http_reply_send(rows->request, 200, "application/json", rows->puts[0].row);
}

static bool is_clash(struct http_request *request, struct api_tenant *tenant, const struct item *item)
{
    struct api_loop *loop = api_loop_of(request);
    bool clashes;

    publish_enter(loop->api->publish, loop->slot);
    clashes = catalog_is_clash(tenant->catalog, item->id, item->id_text);
    publish_leave(loop->api->publish, loop->slot);
    return clashes;
}

static void item_put(struct http_request *request)
{
    struct api_caller caller;
    const struct json_node *root;
    struct json_form form = {0};
    struct item item;
    struct api_rows *rows;

    if (!api_caller_of(request, API_SECRET, &caller) || !api_query_known(request, no_query) ||
        !is_id(request, request->params[0]) || !api_body(request, &root)) {
        return;
    }
    if (!item_json_read(&form, root, caller.tenant->id, request->params[0], caller.tenant->currency,
                        request->arena, &item)) {
        if (form.faults_n > 0) {
            http_reply_faults(request, &form);
        } else {
            http_reply_err(request, ERR_NOMEM, NULL);
        }
        return;
    }
    if (is_clash(request, caller.tenant, &item)) {
        http_reply_problem(request, 409, "id_collides",
                           "Another item's id has the same hash; give this item another id.");
        return;
    }
    rows = api_rows_new(request, caller.tenant, STORAGE_ITEM, 1, put_done, NULL);
    if (rows != NULL) {
        rows->puts[rows->n++] = (struct storage_put){.id = item.id_text, .row = item.json};
        api_rows_put(rows);
    }
}

static void item_get(struct http_request *request)
{
    struct api_loop *loop = api_loop_of(request);
    struct api_caller caller;
    const struct item *item;
    struct bytes json = {0};

    if (!api_caller_of(request, API_SECRET, &caller) || !api_query_known(request, no_query)) {
        return;
    }
    publish_enter(loop->api->publish, loop->slot);
    item = catalog_item(caller.tenant->catalog, hash_item(caller.tenant->id, request->params[0]));
    if (item != NULL && bytes_equal(item->id_text, request->params[0])) {
        json = arena_copy(request->arena, item->json);
    }
    publish_leave(loop->api->publish, loop->slot);
    if (json.n == 0) {
        http_reply_problem(request, 404, "unknown_item", "There is no such item; PUT it first.");
        return;
    }
    http_reply_send(request, 200, "application/json", json);
}

static void delete_done(struct api_rows *rows)
{
    http_reply_send(rows->request, 204, NULL, (struct bytes){0});
}

static void item_delete(struct http_request *request)
{
    struct api_loop *loop = api_loop_of(request);
    struct api_caller caller;
    struct api_rows *rows;
    bool is_there;

    if (!api_caller_of(request, API_SECRET, &caller) || !api_query_known(request, no_query) ||
        !is_id(request, request->params[0])) {
        return;
    }
    publish_enter(loop->api->publish, loop->slot);
    is_there = catalog_item(caller.tenant->catalog, hash_item(caller.tenant->id, request->params[0])) != NULL;
    publish_leave(loop->api->publish, loop->slot);
    rows = api_rows_new(request, caller.tenant, STORAGE_ITEM, 1, delete_done, NULL);
    if (rows != NULL) {
        rows->puts[0] = (struct storage_put){.id = request->params[0]};
        rows->n = is_there ? 1 : 0;
        api_rows_put(rows);
    }
}

/* ---- many items ---- */

struct item_result {
    struct bytes id;
    struct why why; /* code empty: accepted */
};

struct item_batch {
    struct item_result *results;
    size_t n;
};

static void batch_done(struct api_rows *rows)
{
    struct item_batch *batch = rows->ctx;
    struct json_write w;

    json_write_open(&w, rows->request->arena, 64 + batch->n * 64);
    json_write_object(&w, NULL);
    json_write_int(&w, "accepted", (int64_t)rows->n);
    json_write_array(&w, "results");
    for (size_t i = 0; i < batch->n; i++) {
        const struct item_result *result = &batch->results[i];

        json_write_object(&w, NULL);
        json_write_int(&w, "index", (int64_t)i);
        if (result->id.n > 0) {
            json_write_text(&w, "id", result->id);
        }
        json_write_word(&w, "verdict", result->why.code[0] == '\0' ? "accepted" : "quarantined");
        if (result->why.code[0] != '\0') {
            json_write_word(&w, "code", result->why.code);
            json_write_word(&w, "detail", result->why.says);
            json_write_word(&w, "pointer", result->why.field);
        }
        json_write_end(&w);
    }
    json_write_end(&w);
    json_write_end(&w);
    http_reply_json(rows->request, 200, &w);
}

static void read_one(struct api_rows *rows, const struct json_element *element, struct item_result *result)
{
    struct http_request *request = rows->request;
    struct json_form form = {0};
    struct item item = {0};

    if (element->node == NULL) {
        result->why = *element->why;
        return;
    }
    (void)json_text(json_get(element->node, "id"), &result->id);
    if (element->node->has_duplicate_below) {
        (void)why_say(&result->why, ERR_INVALID, "malformed_json", "",
                      "An object names one field twice; send it once.");
    } else if (!item_json_read(&form, element->node, rows->tenant->id, (struct bytes){0},
                               rows->tenant->currency, request->arena, &item)) {
        if (form.faults_n > 0) {
            result->why = form.faults[0];
            event_json_inside(element->node, &result->why);
        } else {
            (void)why_say(&result->why, ERR_NOMEM, "no_memory", "",
                          "The server is short of memory; send fewer at once.");
        }
    } else if (is_clash(request, rows->tenant, &item)) {
        (void)why_say(&result->why, ERR_CONFLICT, "id_collides", "/id",
                      "Another item's id has the same hash; give this item another id.");
    } else {
        rows->puts[rows->n++] = (struct storage_put){.id = item.id_text, .row = item.json};
    }
}

static void items_post(struct http_request *request)
{
    static const char *const keys[] = {"items", NULL};
    struct api_caller caller;
    struct json_batch batch;
    struct item_batch *results;
    struct api_rows *rows;
    struct why why = {0};
    enum err err;

    if (!api_caller_of(request, API_SECRET, &caller) || !api_query_known(request, no_query)) {
        return;
    }
    err = json_read_batch(request->arena, request->body, keys, &batch, &why);
    if (err != ERR_OK) {
        http_reply_err(request, err, &why);
        return;
    }
    if (batch.elements_n > ITEMS_MAX) {
        http_reply_problem(request, 413, "too_big",
                           "A call takes at most %d items; send the rest in another.", ITEMS_MAX);
        return;
    }
    results = arena_take(request->arena, sizeof(*results));
    rows = api_rows_new(request, caller.tenant, STORAGE_ITEM, batch.elements_n, batch_done, results);
    if (rows == NULL) {
        return;
    }
    results->n = batch.elements_n;
    results->results = arena_array(request->arena, batch.elements_n + 1, sizeof(*results->results));
    for (size_t i = 0; results->results != NULL && i < batch.elements_n; i++) {
        read_one(rows, &batch.elements[i], &results->results[i]);
    }
    if (arena_overflowed(request->arena)) {
        http_reply_err(request, ERR_NOMEM, NULL);
        return;
    }
    api_rows_put(rows);
}

/* ---- the list ---- */

struct item_walk {
    struct api_page page;
    struct bytes category;
    bool only_without_image;
    struct api_listed *found;
    size_t n, room;
};

static bool is_wanted(const struct item_walk *walk, const struct item *item)
{
    bool is_in = walk->category.n == 0;

    for (size_t i = 0; i < item->category_n; i++) {
        is_in = is_in || bytes_equal(item->category[i], walk->category);
    }
    return is_in && (!walk->only_without_image || item->image.n == 0) &&
           bytes_compare(item->id_text, walk->page.after) > 0;
}

static bool walk_item(void *ctx, const struct item *item)
{
    struct item_walk *walk = ctx;

    if (walk->n < walk->room && is_wanted(walk, item)) {
        walk->found[walk->n++] = (struct api_listed){item->id_text, item};
    }
    return true;
}

static void items_get(struct http_request *request)
{
    static const char *const known[] = {"limit", "cursor", "category", "missing", NULL};
    struct api_loop *loop = api_loop_of(request);
    struct item_walk walk = {0};
    struct api_caller caller;
    struct bytes missing;
    struct json_write w;
    size_t shown_n;

    if (!api_caller_of(request, API_SECRET, &caller) || !api_query_known(request, known) ||
        !api_page_read(request, &walk.page)) {
        return;
    }
    (void)http_request_query(request, "category", &walk.category);
    if (http_request_query(request, "missing", &missing)) {
        if (!bytes_equal(missing, BYTES_LIT("image"))) {
            http_reply_problem(request, 422, "invalid_field", "missing must be image.");
            return;
        }
        walk.only_without_image = true;
    }
    publish_enter(loop->api->publish, loop->slot);
    walk.room = catalog_items_n(caller.tenant->catalog) + 16;
    walk.found = arena_array(request->arena, walk.room, sizeof(*walk.found));
    if (walk.found == NULL) {
        walk.room = 0;
    }
    catalog_each_item(caller.tenant->catalog, walk_item, &walk);
    shown_n = api_page_cut(&walk.page, walk.found, walk.n);
    json_write_open(&w, request->arena, 4096);
    json_write_object(&w, NULL);
    json_write_array(&w, "items");
    for (size_t i = 0; i < shown_n; i++) {
        json_write_raw(&w, NULL, ((const struct item *)walk.found[i].what)->json);
    }
    json_write_end(&w);
    api_page_next(&w, walk.found, shown_n, walk.n);
    publish_leave(loop->api->publish, loop->slot);
    json_write_end(&w);
    http_reply_json(request, 200, &w);
}

const struct http_route api_item_routes[] = {
    {HTTP_METHOD_GET, "/v1/items", items_get, HTTP_ROUTE_NO_CORS, 0},
    {HTTP_METHOD_POST, "/v1/items", items_post, HTTP_ROUTE_NO_CORS | HTTP_ROUTE_LARGE, 0},
    {HTTP_METHOD_PUT, "/v1/items/{id}", item_put, HTTP_ROUTE_NO_CORS, 0},
    {HTTP_METHOD_GET, "/v1/items/{id}", item_get, HTTP_ROUTE_NO_CORS, 0},
    {HTTP_METHOD_DELETE, "/v1/items/{id}", item_delete, HTTP_ROUTE_NO_CORS, 0},
};
const size_t api_item_routes_n = sizeof(api_item_routes) / sizeof(api_item_routes[0]);
