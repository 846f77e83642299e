/* SPDX-License-Identifier: Apache-2.0 */
/* http_request.h - one request as a handler sees it, and how it is answered.
 *
 * A handler runs on the request's loop thread and answers exactly once, at once or later on the same
 * thread: it keeps the pointer, and calls one of the http_reply_ functions when it knows. Until then the
 * request, its arena and all bytes in it stay, also when the client has gone meanwhile (then the answer
 * is dropped, and the after-hook still runs). After the answer the handler must not touch the request;
 * only the hook of http_request_after may, once more.
 *
 *     static void item_get(struct http_request *request)
 *     {
 *         struct bytes id = request->params[0];              path "/v1/items/{id}"
 *         ...
 *         http_reply_json(request, 200, &w);
 *     } */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct http_route;
struct json_write;
struct json_form;

enum http_method { /* bits, so that a route can take several */
                   HTTP_METHOD_NONE = 0,
                   HTTP_METHOD_GET = 1, /* a route with GET answers HEAD too */
                   HTTP_METHOD_HEAD = 2,
                   HTTP_METHOD_POST = 4,
                   HTTP_METHOD_PUT = 8,
                   HTTP_METHOD_PATCH = 16,
                   HTTP_METHOD_DELETE = 32,
                   HTTP_METHOD_OPTIONS = 64,
                   HTTP_METHOD_OTHER = 128,
};

enum { HTTP_PARAMS_MAX = 6, HTTP_REQUEST_ID_BYTES = 17, HTTP_ADDRESS_BYTES = 46 };

struct http_field { /* a header or a query parameter */
    struct bytes name, value;
};

struct http_request {
    enum http_method method; /* a HEAD is given as GET; is_head says so */
    bool is_head;
    bool is_by_file;                  /* came over DIR/socket: trusted by file permission */
    bool is_by_proxy;                 /* the peer is a trusted proxy; address is the one it named */
    char address[HTTP_ADDRESS_BYTES]; /* the client's, as text; "" on the unix socket */
    char id[HTTP_REQUEST_ID_BYTES];   /* random hex; sent back as Falun-Request-Id and in problems */
    const struct http_route *route;
    struct bytes path;                    /* as sent, percent-encoded, without the query */
    struct bytes query;                   /* as sent, without '?' */
    struct bytes params[HTTP_PARAMS_MAX]; /* of the route's {names}, in order, percent-decoded */
    size_t params_n;
    const struct http_field *headers; /* names as sent */
    size_t headers_n;
    struct bytes body;        /* after gzip was undone; empty when there was none */
    struct arena *arena;      /* the request's own; forgotten after the answer was written */
    int64_t received_ms;      /* wall clock, read once: the request's now (or --test-clock's) */
    int64_t received_mono_us; /* monotonic, for `took` */
    struct loop *loop;
    size_t loop_index; /* 0 .. loops_n - 1 */
    void *user;        /* what http_server_set_user put for this loop */
    void *state;       /* the handler's own, e.g. while it waits; NULL at first */
};

/* The value of a header, {NULL, 0} when absent. name in any case; of several the first. */
struct bytes http_request_header(const struct http_request *request, const char *name);
/* A query parameter, percent- and plus-decoded into the arena; false when absent. Of several the first. */
bool http_request_query(struct http_request *request, const char *name, struct bytes *out_value);
/* All query parameters, decoded: for refusing unknown ones. */
const struct http_field *http_request_queries(struct http_request *request, size_t *out_n);
/* The name of the first query parameter outside known (NULL-terminated), {NULL, 0} if none. */
struct bytes http_request_unknown_query(struct http_request *request, const char *const *known);
/* True when nobody waits for the answer any more. */
bool http_request_is_gone(const struct http_request *request);
/* fn(request, ctx) runs once, on the loop's thread, after the answer was handed to the kernel (or dropped);
 * the arena is still alive then, and forgotten when fn returns. One hook a request. */
void http_request_after(struct http_request *request, void (*fn)(struct http_request *request, void *ctx),
                        void *ctx);
/* Keeps the request alive after the hook returned, until http_request_release: for work offered to others
 * after the reply. Call it in the hook (or before the answer). */
void http_request_hold(struct http_request *request);
void http_request_release(struct http_request *request);

/* Adds a header to the answer to come; up to 16, both copied. CR, LF and NUL in value are an assert. */
void http_reply_header(struct http_request *request, const char *name, struct bytes value);
/* Retry-After: seconds, for 429 and 503. */
void http_reply_retry_after(struct http_request *request, int seconds);
/* THE answer. body: borrowed until it was written: in the arena, or static. content_type NULL: none. */
void http_reply_send(struct http_request *request, int status, const char *content_type, struct bytes body);
/* Answers with the document of w as application/json; a full writer becomes 500. */
void http_reply_json(struct http_request *request, int status, struct json_write *w);
/* application/problem+json (product.md 7.10). code NULL: type about:blank. detail: plain English, no
 * values of identifiers, names or keys. */
void http_reply_problem(struct http_request *request, int status, const char *code, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* The same with `errors`: whys_n <= 20. */
void http_reply_problems(struct http_request *request, int status, const char *code, const char *detail,
                         const struct why *whys, size_t whys_n);
/* The problem that err and why speak of: status by code or err_status; Retry-After 1 on 503; ERR_INVALID
 * with malformed_json is 400. why may be NULL or empty. */
void http_reply_err(struct http_request *request, enum err err, const struct why *why);
/* 422 unknown_field or invalid_field with all faults of the form; where all are of code unsupported, that code; where
 * all are of code not_allowed, 403 with it. */
void http_reply_faults(struct http_request *request, const struct json_form *form);

/* Title of a status ("Not Found"). */
const char *http_status_title(int status);
