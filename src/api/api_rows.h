/* SPDX-License-Identifier: Apache-2.0 */
/* api_rows.h - writing catalogue rows: durable in storage first, then in the catalogue of this node, then
 * the answer. And lists of them, a page at a time. */
#pragma once

#include "api/api.h"
#include "base/json_write.h"

struct api_rows { /* in the request's arena */
    struct http_request *request;
    struct api_tenant *tenant;
    enum storage_table table;
    struct storage_put *puts;
    size_t n;
    void (*done)(struct api_rows *rows); /* answers; only called when all went well */
    void *ctx;
};

/* Room for n puts. NULL: 503 was answered. */
struct api_rows *api_rows_new(struct http_request *request, struct api_tenant *tenant,
                              enum storage_table table, size_t n, void (*done)(struct api_rows *rows),
                              void *ctx);
void api_rows_put(struct api_rows *rows);

struct api_page {       /* ?limit= and ?cursor= of a list */
    size_t limit;       /* 1..1000, 100 */
    struct bytes after; /* ids greater than this one; empty: from the first */
};

/* False: 422 was answered. */
bool api_page_read(struct http_request *request, struct api_page *out_page);
/* Sorts found (n, by the id at its beginning) and gives how many of them make the page. */
struct api_listed {
    struct bytes id;
    const void *what;
};
size_t api_page_cut(const struct api_page *page, struct api_listed *found, size_t n);
/* Writes "next": the last id shown when there is more, else null. */
void api_page_next(struct json_write *w, const struct api_listed *found, size_t shown_n, size_t n);
