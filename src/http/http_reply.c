/* SPDX-License-Identifier: Apache-2.0 */
/* http_reply.c - answers: head, body, Problem Details (product.md 7.10) and CORS (wire.md 1.7).
 *
 * CORS headers go on every answer whose request named an origin that the shop lists, errors included. A
 * pre-flight echoes the headers it asks for: one missing from a list would only show on the first retry. */
#include "base/json_form.h"
#include "base/json_write.h"
#include "http/http_conn.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

enum { HEAD_BYTES_MAX = 16 * 1024, PROBLEMS_MAX = 20 };

static const struct {
    int status;
    const char *title;
} titles[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

const char *http_status_title(int status)
{
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        if (titles[i].status == status) {
            return titles[i].title;
        }
    }
    return "Unknown";
}

static struct http_exchange *exchange_of(struct http_request *request)
{
    return (struct http_exchange *)(void *)request;
}

void http_reply_header(struct http_request *request, const char *name, struct bytes value)
{
    struct http_exchange *exchange = exchange_of(request);
    struct http_field field = {arena_copy(&exchange->arena, bytes_of(name)),
                               arena_copy(&exchange->arena, value)};

    for (size_t i = 0; i < value.n; i++) {
        assert(value.p[i] != '\r' && value.p[i] != '\n' && value.p[i] != '\0');
    }
    assert(exchange->headers_n < HTTP_REPLY_HEADERS_MAX);
    if (field.name.p != NULL && field.value.p != NULL) {
        exchange->headers[exchange->headers_n++] = field;
    }
}

void http_reply_retry_after(struct http_request *request, int seconds)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", seconds < 1 ? 1 : seconds);
    http_reply_header(request, "Retry-After", bytes_of(text));
}

/* ---- CORS ---- */

static bool is_shared(struct http_exchange *exchange, struct bytes *out_origin)
{
    const struct http_options *options = &exchange->loop->server->options;
    struct bytes origin = http_request_header(&exchange->request, "Origin");

    bool is_preflight = exchange->request.method == HTTP_METHOD_OPTIONS;

    if (origin.n == 0 || options->may_origin == NULL || (is_preflight && exchange->match.route == NULL) ||
        (exchange->match.route != NULL && (exchange->match.route->flags & HTTP_ROUTE_NO_CORS) != 0) ||
        !options->may_origin(options->ctx, &exchange->request, origin)) {
        return false;
    }
    *out_origin = origin;
    return true;
}

static void share(struct http_exchange *exchange)
{
    struct http_request *request = &exchange->request;
    struct bytes origin;

    /* Vary also when no origin was named: else a cache gives that answer to a page. */
    if (exchange->loop->server->options.may_origin == NULL ||
        exchange->headers_n + 4 > HTTP_REPLY_HEADERS_MAX) {
        return;
    }
    http_reply_header(request, "Vary", BYTES_LIT("Origin"));
    if (is_shared(exchange, &origin)) {
        http_reply_header(request, "Access-Control-Allow-Origin", origin);
        http_reply_header(request, "Access-Control-Expose-Headers",
                          BYTES_LIT("ETag, Retry-After, X-SSE-Support, RateLimit, RateLimit-Policy, "
                                    "Falun-Request-Id"));
        if (exchange->loop->server->options.with_credentials) {
            http_reply_header(request, "Access-Control-Allow-Credentials", BYTES_LIT("true"));
        }
    }
}

/* The route that the request asks leave for; NULL when there is none. */
static const struct http_route *find_asked(struct http_exchange *exchange)
{
    static const struct {
        const char *word;
        enum http_method method;
    } methods[] = {{"GET", HTTP_METHOD_GET}, {"HEAD", HTTP_METHOD_GET},    {"POST", HTTP_METHOD_POST},
                   {"PUT", HTTP_METHOD_PUT}, {"PATCH", HTTP_METHOD_PATCH}, {"DELETE", HTTP_METHOD_DELETE}};
    struct bytes asked = http_request_header(&exchange->request, "Access-Control-Request-Method");
    struct http_match match = {0};

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (bytes_equal(asked, bytes_of(methods[i].word)) &&
            http_route_find(exchange->loop->server->routes, methods[i].method, exchange->request.path,
                            &exchange->arena, &match) == ERR_OK) {
            return match.route;
        }
    }
    return NULL;
}

void http_reply_options(struct http_exchange *exchange)
{
    struct http_request *request = &exchange->request;
    struct bytes origin, wanted = http_request_header(request, "Access-Control-Request-Headers");
    char allow[64];

    http_route_allow(exchange->match.allowed, allow);
    http_reply_header(request, "Allow", bytes_of(allow));
    exchange->match.route = request->route = find_asked(exchange);
    if (is_shared(exchange, &origin)) {
        http_reply_header(request, "Access-Control-Allow-Methods", bytes_of(allow));
        http_reply_header(request, "Access-Control-Max-Age", BYTES_LIT("7200"));
        if (wanted.n > 0) {
            http_reply_header(request, "Access-Control-Allow-Headers", wanted);
        }
    }
    http_reply_send(request, 204, NULL, (struct bytes){0});
}

/* ---- the answer ---- */

static const char *date_of(struct http_loop *loop)
{
    time_t now = time(NULL);
    struct tm civil;

    if ((int64_t)now != loop->date_s) {
        gmtime_r(&now, &civil);
        strftime(loop->date, sizeof(loop->date), "%a, %d %b %Y %H:%M:%S GMT", &civil);
        loop->date_s = (int64_t)now;
    }
    return loop->date;
}

static void put(char **at, const char *p, size_t n)
{
    memcpy(*at, p, n);
    *at += n;
}

#define PUT(at, literal) put(at, literal, sizeof(literal) - 1)

/* Bytes enough for the head whatever it holds. */
static size_t head_room(const struct http_exchange *exchange, size_t type_n)
{
    size_t n = 320 + type_n;

    for (size_t i = 0; i < exchange->headers_n; i++) {
        n += exchange->headers[i].name.n + exchange->headers[i].value.n + 4;
    }
    return n;
}

void http_reply_compose(struct http_exchange *exchange, const char *content_type)
{
    const char *title = http_status_title(exchange->status);
    size_t type_n = content_type == NULL ? 0 : strlen(content_type);
    char *head = arena_take(&exchange->arena, head_room(exchange, type_n)), *at = head;
    const char *date = date_of(exchange->loop);
    bool has_body = exchange->status != 204 && exchange->status != 304;

    if (head == NULL) {
        static const char lost[] =
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n"
            "Connection: close\r\n\r\n";

        exchange->is_last = true;
        exchange->reply_head = BYTES_LIT(lost);
        exchange->reply_body = (struct bytes){0};
        return;
    }
    at += snprintf(at, 64, "HTTP/1.1 %d %s\r\nDate: ", exchange->status, title);
    put(&at, date, strlen(date));
    PUT(&at, "\r\nFalun-Request-Id: ");
    put(&at, exchange->request.id, HTTP_REQUEST_ID_BYTES - 1);
    if (has_body) {
        at += snprintf(at, 48, "\r\nContent-Length: %zu", exchange->reply_body.n);
    }
    if (type_n > 0) {
        PUT(&at, "\r\nContent-Type: ");
        put(&at, content_type, type_n);
        PUT(&at, "\r\nX-Content-Type-Options: nosniff");
    }
    for (size_t i = 0; i < exchange->headers_n; i++) {
        PUT(&at, "\r\n");
        put(&at, exchange->headers[i].name.p, exchange->headers[i].name.n);
        PUT(&at, ": ");
        put(&at, exchange->headers[i].value.p, exchange->headers[i].value.n);
    }
    if (exchange->is_last) {
        PUT(&at, "\r\nConnection: close");
    }
    PUT(&at, "\r\n\r\n");
    exchange->reply_head = (struct bytes){head, (size_t)(at - head)};
    if (!has_body || exchange->request.is_head) {
        exchange->reply_body = (struct bytes){0};
    }
}

void http_reply_send(struct http_request *request, int status, const char *content_type, struct bytes body)
{
    struct http_exchange *exchange = exchange_of(request);

    assert(!exchange->is_answered);
    exchange->status = status;
    exchange->reply_body = body;
    exchange->is_last = exchange->is_last || exchange->loop->is_draining;
    share(exchange);
    http_reply_compose(exchange, content_type);
    exchange->is_answered = true;
    http_conn_answered(exchange);
}

void http_reply_json(struct http_request *request, int status, struct json_write *w)
{
    struct bytes body = json_write_bytes(w);

    if (body.p == NULL) {
        http_reply_problem(request, 500, "too_big", "The answer is too large; ask for less.");
        return;
    }
    http_reply_send(request, status, "application/json", body);
}

void http_reply_problems(struct http_request *request, int status, const char *code, const char *detail,
                         const struct why *whys, size_t whys_n)
{
    struct json_write w;
    struct bytes body, type;

    json_write_open(&w, request->arena, 512);
    json_write_object(&w, NULL);
    type =
        code == NULL ? BYTES_LIT("about:blank") : arena_format(request->arena, "urn:falun:problem:%s", code);
    json_write_text(&w, "type", type);
    json_write_word(&w, "title", http_status_title(status));
    json_write_int(&w, "status", status);
    json_write_word(&w, "detail", detail);
    if (request->route != NULL) {
        /* The route's shape, not the path: an id in it is not ours to repeat, also where the path is misspelt. */
        json_write_text(&w, "instance", bytes_of(request->route->path));
    }
    if (code != NULL) {
        json_write_word(&w, "code", code);
    }
    if (whys_n > 0) {
        json_write_array(&w, "errors");
        for (size_t i = 0; i < whys_n && i < PROBLEMS_MAX; i++) {
            json_write_object(&w, NULL);
            json_write_word(&w, "pointer", whys[i].field);
            json_write_word(&w, "code", whys[i].code);
            json_write_word(&w, "detail", whys[i].says);
            json_write_end(&w);
        }
        json_write_end(&w);
    }
    json_write_word(&w, "requestId", request->id);
    json_write_end(&w);
    body = json_write_bytes(&w);
    http_reply_send(request, status, "application/problem+json", body);
}

void http_reply_problem(struct http_request *request, int status, const char *code, const char *format, ...)
{
    char detail[512];
    va_list args;

    va_start(args, format);
    vsnprintf(detail, sizeof(detail), format, args);
    va_end(args);
    http_reply_problems(request, status, code, detail, NULL, 0);
}

void http_reply_fault(struct http_exchange *exchange, const struct http_fault *fault)
{
    if (fault->status == 503) {
        http_reply_retry_after(&exchange->request, 1);
    }
    http_reply_problem(&exchange->request, fault->status, fault->code, "%s", fault->detail);
}

void http_reply_err(struct http_request *request, enum err err, const struct why *why)
{
    bool has_why = why != NULL && why->code[0] != '\0';
    const char *code = has_why ? why->code : err_name(err);
    int status = err_status(err);

    if (err == ERR_INVALID && strcmp(code, "malformed_json") == 0) {
        status = 400;
    }
    if (status == 503 || status == 429) {
        http_reply_retry_after(request, 1);
    }
    if (status == 500 || !has_why) {
        http_reply_problem(request, status, code, "%s",
                           status == 500   ? "This is our fault; tell us the request id."
                           : status == 503 ? "Too much at once; try again in a second."
                                           : http_status_title(status));
        return;
    }
    http_reply_problems(request, status, code, why->says, why, why->field[0] != '\0' ? 1 : 0);
}

static bool all_are(const struct json_form *form, const char *code)
{
    for (size_t i = 0; i < form->faults_n; i++) {
        if (strcmp(form->faults[i].code, code) != 0) {
            return false;
        }
    }
    return true;
}

void http_reply_faults(struct http_request *request, const struct json_form *form)
{
    const char *code = form->has_unknown ? "unknown_field" : "invalid_field";
    char detail[320];

    assert(form->faults_n > 0);
    snprintf(detail, sizeof(detail), "%s%s", form->faults[0].says,
             form->faults_seen > 1 ? " There are more: see errors." : "");
    if (all_are(form, "not_allowed")) {
        http_reply_problems(request, 403, "not_allowed", detail, form->faults, form->faults_n);
        return;
    }
    code = all_are(form, "unsupported") ? "unsupported" : code;
    http_reply_problems(request, 422, code, detail, form->faults, form->faults_n);
}
