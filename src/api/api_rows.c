/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_rows.h"

#include "api/api_catalog.h"
#include "base/log.h"

#include <stdlib.h>

struct api_rows *api_rows_new(struct http_request *request, struct api_tenant *tenant,
                              enum storage_table table, size_t n, void (*done)(struct api_rows *rows),
                              void *ctx)
{
    struct api_rows *rows = arena_take(request->arena, sizeof(*rows));

    if (rows != NULL) {
        *rows =
            (struct api_rows){.request = request, .tenant = tenant, .table = table, .done = done, .ctx = ctx};
        rows->puts = arena_array(request->arena, n + 1, sizeof(*rows->puts));
    }
    if (arena_overflowed(request->arena)) {
        http_reply_err(request, ERR_NOMEM, NULL);
        return NULL;
    }
    return rows;
}

static void stored(void *ctx, enum err err, const uint64_t *revisions, size_t n)
{
    struct api_rows *rows = ctx;
    struct http_request *request = rows->request;

    if (err == ERR_OK && arena_overflowed(request->arena)) {
        err = ERR_NOMEM;
    }
    for (size_t i = 0; err == ERR_OK && i < n; i++) {
        struct storage_row row = {rows->puts[i].id, rows->puts[i].row, revisions[i]};

        err = api_catalog_apply(rows->tenant->catalog, rows->tenant->id, rows->table, &row, request->arena);
        err = err == ERR_STALE ? ERR_OK : err; /* somebody wrote it again meanwhile */
    }
    if (err != ERR_OK) {
        http_reply_err(request, err, NULL);
        return;
    }
    rows->done(rows);
}

void api_rows_put(struct api_rows *rows)
{
    if (rows->n == 0) {
        rows->done(rows);
        return;
    }
    storage_put(api_of(rows->request)->storage, rows->request->loop, rows->tenant->id, rows->table,
                rows->puts, rows->n, stored, rows);
}

bool api_page_read(struct http_request *request, struct api_page *out_page)
{
    struct bytes text;
    size_t limit = 0;

    *out_page = (struct api_page){.limit = 100};
    if (http_request_query(request, "limit", &text)) {
        for (size_t i = 0; i < text.n && i < 5; i++) {
            limit = text.p[i] >= '0' && text.p[i] <= '9' ? limit * 10 + (size_t)(text.p[i] - '0') : 100000;
        }
        if (limit < 1 || limit > 1000) {
            http_reply_problem(request, 422, "invalid_field", "limit must be a whole number from 1 to 1000.");
            return false;
        }
        out_page->limit = limit;
    }
    if (http_request_query(request, "cursor", &text)) {
        out_page->after = text;
    }
    return true;
}

static int by_id(const void *a, const void *b)
{
    return bytes_compare(((const struct api_listed *)a)->id, ((const struct api_listed *)b)->id);
}

size_t api_page_cut(const struct api_page *page, struct api_listed *found, size_t n)
{
    if (n > 1) {
        qsort(found, n, sizeof(*found), by_id);
    }
    return n < page->limit ? n : page->limit;
}

void api_page_next(struct json_write *w, const struct api_listed *found, size_t shown_n, size_t n)
{
    if (shown_n < n) {
        json_write_text(w, "next", found[shown_n - 1].id);
    } else {
        json_write_null(w, "next");
    }
}
