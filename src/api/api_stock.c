/* SPDX-License-Identifier: Apache-2.0 */
/* Stock (product.md 7.6): quantities set per store and item, in force for the next decision; the later
 * `at` wins, of equal ones the one that came later. Changes by delta are not built: 422. */
#include "api/api_call.h"
#include "api/api_rows.h"
#include "base/hash.h"
#include "base/json_form.h"
#include "catalog/item_json.h"
#include "event/event_json.h"

enum { CHANGES_MAX = 10000, QUANTITY_MILLI_MAX = 1000000000 };

static const char *const no_query[] = {NULL};

struct stock_change {
    struct stock_row row;
    const char *verdict;
};

struct stock_call {
    struct stock_change *changes;
    size_t n;
};

static void answer(struct api_rows *rows)
{
    const struct stock_call *call = rows->ctx;
    struct json_write w;

    json_write_open(&w, rows->request->arena, 64 + call->n * 48);
    json_write_object(&w, NULL);
    json_write_array(&w, "results");
    for (size_t i = 0; i < call->n; i++) {
        json_write_object(&w, NULL);
        json_write_int(&w, "index", (int64_t)i);
        json_write_text(&w, "item", call->changes[i].row.item_text);
        json_write_word(&w, "verdict", call->changes[i].verdict);
        json_write_end(&w);
    }
    json_write_end(&w);
    json_write_end(&w);
    http_reply_json(rows->request, 200, &w);
}

static void read_change(struct json_form *form, const struct json_node *node,
                        const struct http_request *request, struct tenant_id tenant, struct stock_row *row)
{
    static const char *const known[] = {"store", "item", "quantity", "at", "delta", "id", NULL};

    json_form_known(form, node, known);
    if (node->type != JSON_OBJECT) {
        return;
    }
    (void)json_form_id(form, node, "store", JSON_NEEDED, &row->store_text);
    (void)json_form_id(form, node, "item", JSON_NEEDED, &row->item_text);
    if (!json_is_null(json_get(node, "delta"))) {
        api_unsupported(form, node, "delta");
        return;
    }
    api_unsupported(form, node, "id");
    if (json_is_null(json_get(node, "quantity"))) {
        json_form_fault(form, node, "quantity", "required", "quantity is missing; send how many there are.");
    } else if (event_json_quantity(form, node, "quantity", &row->milli) &&
               (row->milli < 0 || row->milli > QUANTITY_MILLI_MAX)) {
        json_form_fault(form, node, "quantity", "out_of_range", "quantity must be 0 to 1000000.");
    }
    row->at_ms = request->received_ms;
    (void)json_form_time(form, node, "at", JSON_MAY, &row->at_ms);
    row->store = hash_store(tenant, row->store_text);
    row->item = hash_item(tenant, row->item_text);
}

/* True when an earlier change of this call already says something later of the same pair. */
static bool is_overtaken(const struct stock_call *call, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        const struct stock_change *other = &call->changes[j];

        if (other->row.item.v == call->changes[i].row.item.v &&
            other->row.store.v == call->changes[i].row.store.v &&
            other->row.at_ms > call->changes[i].row.at_ms) {
            return true;
        }
    }
    return false;
}

static bool is_named(const struct catalog *catalog, const struct stock_row *row)
{
    bool is_store =
        bytes_equal(row->store_text, BYTES_LIT("*web")) || catalog_store(catalog, row->store) != NULL;

    return is_store && catalog_item(catalog, row->item) != NULL;
}

static void put_change(struct api_rows *rows, const struct stock_call *call, size_t i)
{
    const struct catalog *catalog = rows->tenant->catalog;
    struct stock_change *change = &call->changes[i];
    uint8_t *id;
    int64_t held_ms;

    if ((catalog_stock_at(catalog, change->row.store, change->row.item, &held_ms) &&
         held_ms > change->row.at_ms) ||
        (call->n < 1000 && is_overtaken(call, i))) { /* whole feeds name a pair once */
        change->verdict = "stale";
        return;
    }
    change->verdict = is_named(catalog, &change->row) ? "accepted" : "unknown";
    id = arena_take(rows->request->arena, STOCK_ID_BYTES);
    if (id == NULL) {
        return;
    }
    stock_row_id(&change->row, id);
    rows->puts[rows->n++] = (struct storage_put){.id = {(const char *)id, STOCK_ID_BYTES},
                                                 .row = stock_row_encode(&change->row, rows->request->arena)};
}

static void stock_post(struct http_request *request)
{
    static const char *const known[] = {"changes", NULL};
    struct api_loop *loop = api_loop_of(request);
    struct api_caller caller;
    const struct json_node *root, *array = NULL;
    struct json_form form = {0};
    struct stock_call *call;
    struct api_rows *rows;

    if (!api_caller_of(request, API_SECRET, &caller) || !api_query_known(request, no_query) ||
        !api_body(request, &root)) {
        return;
    }
    json_form_known(&form, root, known);
    (void)json_form_array(&form, root, "changes", JSON_NEEDED, 1, CHANGES_MAX, &array);
    call = arena_take(request->arena, sizeof(*call));
    rows = api_rows_new(request, caller.tenant, STORAGE_STOCK, array == NULL ? 0 : array->children_n, answer,
                        call);
    if (rows == NULL) {
        return;
    }
    call->n = array == NULL ? 0 : array->children_n;
    call->changes = arena_array(request->arena, call->n + 1, sizeof(*call->changes));
    for (const struct json_node *one = array == NULL || call->changes == NULL ? NULL : array->first;
         one != NULL; one = one->next) {
        read_change(&form, one, request, caller.tenant->id, &call->changes[one->index].row);
    }
    if (form.faults_n > 0) {
        http_reply_faults(request, &form);
        return;
    }
    publish_enter(loop->api->publish, loop->slot);
    for (size_t i = 0; call->changes != NULL && i < call->n; i++) {
        put_change(rows, call, i);
    }
    publish_leave(loop->api->publish, loop->slot);
    if (arena_overflowed(request->arena)) {
        http_reply_err(request, ERR_NOMEM, NULL);
        return;
    }
    api_rows_put(rows);
}

/* ---- GET /v1/stock ---- */

struct stock_walk {
    struct http_request *request;
    const struct catalog *catalog;
    struct store_id store, web; /* store 0: all */
    struct item_id item;        /* 0: all */
    struct api_page page;
    struct api_listed *found;
    size_t n, room;
};

struct stock_found {
    struct bytes store, item;
    int64_t milli, at_ms;
};

/* Pairs of an item or store that is not named (yet) have no text to be listed by. */
static bool walk_stock(void *ctx, struct store_id store_id, struct item_id item_id, int64_t milli,
                       int64_t at_ms)
{
    struct stock_walk *walk = ctx;
    struct arena *arena = walk->request->arena;
    const struct store *store = catalog_store(walk->catalog, store_id);
    const struct item *item = catalog_item(walk->catalog, item_id);
    struct stock_found *found;
    struct bytes id;

    if ((walk->store.v != 0 && walk->store.v != store_id.v) ||
        (walk->item.v != 0 && walk->item.v != item_id.v) || item == NULL ||
        (store == NULL && store_id.v != walk->web.v)) {
        return true;
    }
    found = arena_take(arena, sizeof(*found));
    if (found == NULL || walk->n == walk->room) {
        return false;
    }
    *found = (struct stock_found){.store = store != NULL ? store->id_text : BYTES_LIT("*web"),
                                  .item = item->id_text,
                                  .milli = milli,
                                  .at_ms = at_ms};
    id = arena_format(arena, "%.*s/%.*s", (int)found->store.n, found->store.p, (int)found->item.n,
                      found->item.p);
    if (bytes_compare(id, walk->page.after) > 0) {
        walk->found[walk->n++] = (struct api_listed){id, found};
    }
    return true;
}

static void write_stock(struct json_write *w, const struct stock_found *found)
{
    json_write_object(w, NULL);
    json_write_text(w, "store", found->store);
    json_write_text(w, "item", found->item);
    json_write_fixed(w, "quantity", (double)found->milli / 1000.0, found->milli % 1000 != 0 ? 3 : 0);
    json_write_time(w, "at", found->at_ms);
    json_write_end(w);
}

enum { STOCK_LISTED_MAX = 200000 };

static void stock_get(struct http_request *request)
{
    static const char *const known[] = {"item", "store", "limit", "cursor", NULL};
    struct api_loop *loop = api_loop_of(request);
    struct stock_walk walk = {.request = request, .room = STOCK_LISTED_MAX};
    struct api_caller caller;
    struct bytes text;
    struct json_write w;
    size_t shown_n;

    if (!api_caller_of(request, API_SECRET, &caller) || !api_query_known(request, known) ||
        !api_page_read(request, &walk.page)) {
        return;
    }
    if (http_request_query(request, "item", &text)) {
        walk.item = hash_item(caller.tenant->id, text);
    }
    if (http_request_query(request, "store", &text)) {
        walk.store = hash_store(caller.tenant->id, text);
    }
    if (walk.item.v == 0 && walk.store.v == 0) {
        http_reply_problem(request, 422, "invalid_field",
                           "Name an item, a store or both: ?item=ID&store=ID.");
        return;
    }
    walk.catalog = caller.tenant->catalog;
    walk.web = hash_store(caller.tenant->id, BYTES_LIT("*web"));
    walk.found = arena_array(request->arena, walk.room, sizeof(*walk.found));
    if (walk.found == NULL) {
        http_reply_err(request, ERR_NOMEM, NULL);
        return;
    }
    publish_enter(loop->api->publish, loop->slot);
    catalog_each_stock(walk.catalog, walk_stock, &walk);
    shown_n = api_page_cut(&walk.page, walk.found, walk.n);
    json_write_open(&w, request->arena, 4096);
    json_write_object(&w, NULL);
    json_write_array(&w, "stock");
    for (size_t i = 0; i < shown_n; i++) {
        write_stock(&w, walk.found[i].what);
    }
    json_write_end(&w);
    api_page_next(&w, walk.found, shown_n, walk.n);
    publish_leave(loop->api->publish, loop->slot);
    json_write_end(&w);
    http_reply_json(request, 200, &w);
}

const struct http_route api_stock_routes[] = {
    {HTTP_METHOD_GET, "/v1/stock", stock_get, HTTP_ROUTE_NO_CORS, 0},
    {HTTP_METHOD_POST, "/v1/stock", stock_post, HTTP_ROUTE_NO_CORS, 0},
};
const size_t api_stock_routes_n = sizeof(api_stock_routes) / sizeof(api_stock_routes[0]);
