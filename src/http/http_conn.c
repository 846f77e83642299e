/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_conn.h"

#include "base/log.h"
#include "base/metric.h"
#include "http/http_gzip.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static struct metric requests[] = {
    {.name = "falun_http_requests_total", .labels = "class=\"2xx\"", .help = "Answers by class of status."},
    {.name = "falun_http_requests_total", .labels = "class=\"3xx\"", .help = "Answers by class of status."},
    {.name = "falun_http_requests_total", .labels = "class=\"4xx\"", .help = "Answers by class of status."},
    {.name = "falun_http_requests_total", .labels = "class=\"5xx\"", .help = "Answers by class of status."},
};
static struct metric seconds = {.kind = METRIC_HISTOGRAM,
                                .name = "falun_http_request_seconds",
                                .help = "From the whole request read to the answer handed to the kernel."};
static struct metric open_now = {
    .kind = METRIC_GAUGE, .name = "falun_http_connections", .help = "Open connections."};
static struct metric gone = {.name = "falun_http_gone_total",
                             .help = "Answers that nobody waited for any more."};

static void progress(struct http_conn *conn);

static uint64_t now_ms(const struct http_conn *conn)
{
    return uv_now(conn->uv.handle.loop);
}

static int64_t mono_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t wall_ms(const struct http_server *server)
{
    struct timespec now;

    if (server->options.clock_ms != NULL) {
        return server->options.clock_ms(server->options.ctx);
    }
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- exchanges ---- */

static struct http_exchange *exchange_new(struct http_conn *conn)
{
    struct http_loop *loop = conn->loop;
    struct http_exchange *exchange = loop->pool;
    struct arena arena;
    uint64_t id;

    if (exchange != NULL) {
        loop->pool = exchange->next;
        loop->pool_n--;
        arena = exchange->arena;
    } else {
        exchange = malloc(sizeof(*exchange));
        if (exchange == NULL) {
            return NULL;
        }
        arena_open(&arena, HTTP_ARENA_FIRST_BYTES, loop->server->options.arena_bytes_max);
    }
    memset(exchange, 0, offsetof(struct http_exchange, parse));
    memset((char *)exchange + offsetof(struct http_exchange, arena), 0,
           sizeof(*exchange) - offsetof(struct http_exchange, arena));
    exchange->arena = arena;
    exchange->loop = loop;
    exchange->conn = conn;
    http_parse_begin(&exchange->parse, &exchange->arena);
    loop->id_state = loop->id_state * 6364136223846793005u + 1442695040888963407u;
    id = loop->id_state ^ (loop->id_state >> 29);
    snprintf(exchange->request.id, sizeof(exchange->request.id), "%016llx", (unsigned long long)id);
    exchange->request.arena = &exchange->arena;
    exchange->request.loop = loop->loop;
    exchange->request.loop_index = loop->index;
    exchange->request.user = loop->user;
    exchange->request.is_by_file = conn->is_by_file;
    return exchange;
}

static void exchange_free_bodies(struct http_exchange *exchange)
{
    free(exchange->body_room);
    free(exchange->inflated);
    exchange->body_room = exchange->inflated = NULL;
    atomic_fetch_sub(&exchange->loop->server->held_bytes, exchange->reserved_bytes);
    exchange->reserved_bytes = 0;
}

static void exchange_recycle(struct http_exchange *exchange)
{
    struct http_loop *loop = exchange->loop;

    exchange_free_bodies(exchange);
    if (loop->pool_n == HTTP_POOL_MAX) {
        arena_close(&exchange->arena);
        free(exchange);
        return;
    }
    arena_reset(&exchange->arena);
    exchange->next = loop->pool;
    loop->pool = exchange;
    loop->pool_n++;
}

/* The exchange has left its connection: the hook runs, then the memory goes back unless it is held. */
static void exchange_end(struct http_exchange *exchange)
{
    void (*after)(struct http_request * request, void *ctx) = exchange->after;

    exchange->conn = NULL;
    exchange->after = NULL;
    if (exchange->is_answered) {
        int class = exchange->status / 100;

        metric_add(&requests[class < 2 || class > 5 ? 3 : class - 2], 1);
        if (exchange->request.received_mono_us > 0) {
            metric_observe_us(&seconds, mono_us() - exchange->request.received_mono_us);
        }
    }
    exchange->holds_n++;
    if (after != NULL) {
        after(&exchange->request, exchange->after_ctx);
    }
    exchange->is_over = true;
    http_request_release(&exchange->request);
}

void http_request_hold(struct http_request *request)
{
    ((struct http_exchange *)(void *)request)->holds_n++;
}

void http_request_release(struct http_request *request)
{
    struct http_exchange *exchange = (struct http_exchange *)(void *)request;

    assert(exchange->holds_n > 0);
    if (--exchange->holds_n == 0 && exchange->is_over) {
        exchange_recycle(exchange);
    }
}

void http_conn_free_pool(struct http_loop *loop)
{
    while (loop->pool != NULL) {
        struct http_exchange *next = loop->pool->next;

        arena_close(&loop->pool->arena);
        free(loop->pool);
        loop->pool = next;
    }
    loop->pool_n = 0;
}

/* ---- closing ---- */

static void maybe_free(struct http_conn *conn)
{
    if (conn->is_handle_closed && conn->first == NULL) {
        free((char *)(uintptr_t)conn->held.p);
        free(conn);
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct http_conn *conn = handle->data;

    conn->is_handle_closed = true;
    maybe_free(conn);
}

static struct http_exchange *pop(struct http_conn *conn)
{
    struct http_exchange *exchange = conn->first;

    conn->first = exchange->next;
    if (conn->first == NULL) {
        conn->last = &conn->first;
    }
    conn->outstanding_n--;
    conn->queued_bytes -= exchange->reply_head.n + exchange->reply_body.n;
    exchange->next = NULL;
    return exchange;
}

static void leave_list(struct http_conn *conn)
{
    struct http_server *server = conn->loop->server;

    if (conn->link == NULL) {
        return;
    }
    *conn->link = conn->next;
    if (conn->next != NULL) {
        conn->next->link = conn->link;
    }
    conn->link = NULL;
    atomic_fetch_sub(&conn->loop->conns_n, 1);
    atomic_fetch_sub(&server->conns_n, 1);
    metric_add(&open_now, -1);
    if (conn->is_counted) {
        http_address_give(server->addresses, &conn->address);
    }
}

/* Drops answers that nobody will read; exchanges that wait for a handler stay until it answers. */
static void drop_answers(struct http_conn *conn)
{
    struct http_exchange *exchange = conn->first, *over = NULL;
    size_t i = 0;

    conn->first = NULL;
    conn->last = &conn->first;
    conn->outstanding_n = 0;
    while (exchange != NULL) {
        struct http_exchange *next = exchange->next;
        bool is_kept = i++ < conn->writing_n || !exchange->is_answered;

        exchange->next = NULL;
        if (is_kept) {
            *conn->last = exchange;
            conn->last = &exchange->next;
            conn->outstanding_n++;
        } else {
            exchange->next = over;
            over = exchange;
        }
        exchange = next;
    }
    while (over != NULL) {
        struct http_exchange *next = over->next;

        metric_add(&gone, 1);
        exchange_end(over);
        over = next;
    }
}

static void conn_close(struct http_conn *conn)
{
    if (conn->phase == CONN_CLOSING) {
        return;
    }
    conn->phase = CONN_CLOSING;
    leave_list(conn);
    if (conn->current != NULL) {
        struct http_exchange *exchange = conn->current;

        conn->current = NULL;
        exchange_end(exchange);
    }
    uv_close(&conn->uv.handle, on_closed);
    drop_answers(conn);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *out_buffer)
{
    struct http_conn *conn = handle->data;

    (void)wanted;
    *out_buffer = uv_buf_init(conn->loop->read_room, HTTP_READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer);

static void set_reading(struct http_conn *conn, bool wanted)
{
    if (wanted == conn->is_reading || conn->phase == CONN_CLOSING) {
        return;
    }
    conn->is_reading = wanted;
    if (!wanted) {
        uv_read_stop(&conn->uv.stream);
    } else if (uv_read_start(&conn->uv.stream, on_alloc, on_read) != 0) {
        conn_close(conn);
    }
}

static void on_shut(uv_shutdown_t *shutdown, int status)
{
    (void)shutdown;
    (void)status;
}

/* The last answer is out. */
static void finish(struct http_conn *conn)
{
    if (conn->is_eof || uv_shutdown(&conn->shutdown, &conn->uv.stream, on_shut) != 0) {
        conn_close(conn);
        return;
    }
    conn->phase = CONN_LINGERING;
    conn->linger_until_ms = now_ms(conn) + HTTP_LINGER_MS;
    set_reading(conn, true);
}

/* ---- writing ---- */

static void on_written(uv_write_t *write, int status)
{
    struct http_conn *conn = write->data;
    bool is_last = false;

    conn->is_writing = false;
    atomic_fetch_sub(&conn->loop->server->held_bytes, conn->writing_bytes);
    conn->writing_bytes = 0;
    while (conn->writing_n > 0) {
        struct http_exchange *exchange = pop(conn);

        conn->writing_n--;
        is_last = is_last || exchange->is_last;
        exchange_end(exchange);
    }
    if (conn->phase == CONN_CLOSING) {
        maybe_free(conn);
    } else if (status < 0) {
        conn_close(conn);
    } else if (is_last) {
        finish(conn);
    } else {
        conn->idle_until_ms = now_ms(conn) + (uint64_t)conn->loop->server->options.idle_ms;
        if (conn->current != NULL) {
            /* We did not read for a while: its time begins anew, bounded by write_ms a turn. */
            conn->current_until_ms = now_ms(conn) + (uint64_t)conn->loop->server->options.body_ms;
        }
        progress(conn);
    }
}

/* Gathers the answers at the front; gives their number, and the buffers. */
static size_t gather(struct http_conn *conn, uv_buf_t buffers[2 * HTTP_OUTSTANDING_MAX], unsigned *out_n)
{
    struct http_exchange *exchange = conn->first;
    size_t exchanges_n = 0;
    unsigned n = 0;

    while (exchange != NULL && exchange->is_answered && exchanges_n < HTTP_OUTSTANDING_MAX) {
        buffers[n++] =
            uv_buf_init((char *)(uintptr_t)exchange->reply_head.p, (unsigned)exchange->reply_head.n);
        if (exchange->reply_body.n > 0) {
            buffers[n++] =
                uv_buf_init((char *)(uintptr_t)exchange->reply_body.p, (unsigned)exchange->reply_body.n);
        }
        exchanges_n++;
        if (exchange->is_last) {
            break;
        }
        exchange = exchange->next;
    }
    *out_n = n;
    return exchanges_n;
}

/* Hands the kernel what it did not take at once. */
static void write_rest(struct http_conn *conn, uv_buf_t *buffers, unsigned n, size_t written,
                       size_t exchanges_n)
{
    unsigned first = 0;

    while (first < n && written >= buffers[first].len) {
        written -= buffers[first++].len;
    }
    buffers[first].base += written;
    buffers[first].len -= written;
    conn->writing_bytes = 0;
    for (unsigned i = first; i < n; i++) {
        conn->writing_bytes += buffers[i].len;
    }
    conn->writing_n = exchanges_n;
    conn->write.data = conn;
    if (uv_write(&conn->write, &conn->uv.stream, buffers + first, n - first, on_written) != 0) {
        conn->writing_n = 0;
        conn_close(conn);
        return;
    }
    conn->is_writing = true;
    conn->write_until_ms = now_ms(conn) + (uint64_t)conn->loop->server->options.write_ms;
    atomic_fetch_add(&conn->loop->server->held_bytes, conn->writing_bytes);
}

/* Rule 11: told only when nothing stands before it, after the length was found good. */
static void send_continue(struct http_conn *conn)
{
    static char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    uv_buf_t buffer = uv_buf_init(text, sizeof(text) - 1);

    if (conn->phase != CONN_OPEN || conn->current == NULL || !conn->current->is_continue_due ||
        conn->first != NULL) {
        return;
    }
    conn->current->is_continue_due = false;
    if (conn->current->parse.body_n == 0 &&
        uv_try_write(&conn->uv.stream, &buffer, 1) != (int)(sizeof(text) - 1)) {
        conn_close(conn);
    }
}

static void flush(struct http_conn *conn)
{
    uv_buf_t buffers[2 * HTTP_OUTSTANDING_MAX];
    unsigned n;
    size_t exchanges_n, total = 0, written = 0;
    bool is_last = false;
    int code;

    if (conn->is_writing || conn->phase != CONN_OPEN) {
        return;
    }
    exchanges_n = gather(conn, buffers, &n);
    if (exchanges_n == 0) {
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        total += buffers[i].len;
    }
    code = uv_try_write(&conn->uv.stream, buffers, n);
    if (code < 0 && code != UV_EAGAIN) {
        conn_close(conn);
        return;
    }
    written = code < 0 ? 0 : (size_t)code;
    if (written < total) {
        write_rest(conn, buffers, n, written, exchanges_n);
        return;
    }
    conn->idle_until_ms = now_ms(conn) + (uint64_t)conn->loop->server->options.idle_ms;
    while (exchanges_n-- > 0) {
        struct http_exchange *exchange = pop(conn);

        is_last = is_last || exchange->is_last;
        exchange_end(exchange);
    }
    if (is_last) {
        finish(conn);
    }
}

/* ---- reading ---- */

static void append(struct http_conn *conn, struct http_exchange *exchange)
{
    *conn->last = exchange;
    conn->last = &exchange->next;
    conn->outstanding_n++;
}

/* The current request cannot be taken: its answer is the connection's last, and no byte more is looked at. */
static void refuse(struct http_conn *conn, const struct http_fault *fault)
{
    struct http_exchange *exchange = conn->current;

    conn->current = NULL;
    conn->is_ended = true;
    exchange->is_last = true;
    /* Also for what failed in its head: the origin is among the fields, and errors are shared with it. */
    exchange->request.headers = exchange->parse.fields;
    exchange->request.headers_n = exchange->parse.fields_n;
    append(conn, exchange);
    http_reply_fault(exchange, fault);
}

static bool reserve(struct http_exchange *exchange, size_t n)
{
    struct http_server *server = exchange->loop->server;

    if (atomic_fetch_add(&server->held_bytes, n) + n > server->options.held_bytes_max) {
        atomic_fetch_sub(&server->held_bytes, n);
        return false;
    }
    exchange->reserved_bytes += n;
    return true;
}

/* The client's address: the connection's, or what a trusted proxy says last (rule 8). */
static void find_address(struct http_conn *conn, struct http_exchange *exchange)
{
    struct http_request *request = &exchange->request;
    struct http_address address = conn->address;
    struct bytes list = {0};

    if (conn->is_by_proxy) {
        /* Of several such headers the last: haproxy adds its own behind whatever the client sent. */
        for (size_t i = 0; i < exchange->parse.fields_n; i++) {
            struct bytes value = http_parse_field(&exchange->parse.fields[i], 1, "x-forwarded-for");

            list = value.p != NULL ? value : list;
        }
        for (size_t i = list.n; i > 0; i--) {
            if (list.p[i - 1] == ',') {
                list = (struct bytes){list.p + i, list.n - i};
                break;
            }
        }
        request->is_by_proxy = http_address_parse(list, &address) == ERR_OK;
    }
    http_address_format(&address, request->address);
}

static bool is_large(const struct http_exchange *exchange)
{
    return exchange->match.route != NULL && (exchange->match.route->flags & HTTP_ROUTE_LARGE) != 0;
}

/* What the head alone tells: before any byte of the body is read. */
static struct http_fault check_head(struct http_conn *conn, struct http_exchange *exchange)
{
    static const struct http_fault busy = {503, "overloaded", "Too much at once; try again in a second."};
    const struct http_options *options = &conn->loop->server->options;
    struct http_parse *parse = &exchange->parse;
    struct http_request *request = &exchange->request;
    enum err err;

    request->is_head = parse->method == HTTP_METHOD_HEAD;
    request->method = request->is_head ? HTTP_METHOD_GET : parse->method;
    request->path = parse->path;
    request->query = parse->query;
    request->headers = parse->fields;
    request->headers_n = parse->fields_n;
    find_address(conn, exchange);
    err = http_route_find(conn->loop->server->routes, parse->method, parse->path, &exchange->arena,
                          &exchange->match);
    if (err != ERR_OK) {
        return err == ERR_INVALID
                   ? (struct http_fault){400, "bad_request", "A percent escape of the path is bad."}
                   : busy;
    }
    request->route = exchange->match.route;
    memcpy(request->params, exchange->match.params, sizeof(request->params));
    request->params_n = exchange->match.params_n;
    if (parse->content_length > (is_large(exchange) ? options->large_bytes_max : options->body_bytes_max)) {
        return (struct http_fault){413, "too_big",
                                   "The body is too large; send it in parts, at most 1 MiB each."};
    }
    if (!reserve(exchange, parse->content_length)) {
        return busy;
    }
    if (parse->content_length > 0) {
        exchange->body_room = malloc(parse->content_length);
        if (exchange->body_room == NULL) {
            return busy;
        }
    }
    return (struct http_fault){0};
}

static void head_is_read(struct http_conn *conn)
{
    struct http_exchange *exchange = conn->current;
    struct http_fault fault = check_head(conn, exchange);

    if (fault.status != 0) {
        refuse(conn, &fault);
        return;
    }
    exchange->is_continue_due = exchange->parse.wants_continue && exchange->parse.content_length > 0;
    conn->current_until_ms =
        now_ms(conn) + (uint64_t)(is_large(exchange) ? conn->loop->server->options.window_ms
                                                     : conn->loop->server->options.body_ms);
    http_parse_body(&exchange->parse, exchange->body_room);
}

/* Rule 12. False when the request was answered. */
static bool undo_gzip(struct http_exchange *exchange)
{
    const struct http_options *options = &exchange->loop->server->options;
    size_t most = is_large(exchange) ? options->large_bytes_max : options->inflated_bytes_max;
    struct bytes body = {exchange->parse.body, exchange->parse.body_n};
    enum err err;

    exchange->request.body = body;
    if (!exchange->parse.is_gzip || body.n == 0) {
        return true;
    }
    err = http_gzip_undo(body, most, &exchange->request.body);
    if (err == ERR_INVALID) {
        http_reply_problem(&exchange->request, 400, "bad_gzip", "The body is not one whole gzip stream.");
        return false;
    }
    if (err == ERR_TOOBIG) {
        http_reply_problem(&exchange->request, 413, "too_big",
                           "The body is larger than %zu bytes when inflated.", most);
        return false;
    }
    exchange->inflated = (char *)(uintptr_t)exchange->request.body.p;
    if (err != ERR_OK || !reserve(exchange, exchange->request.body.n)) {
        http_reply_retry_after(&exchange->request, 1);
        http_reply_problem(&exchange->request, 503, "overloaded", "Too much at once; try again in a second.");
        return false;
    }
    return true;
}

static void dispatch(struct http_conn *conn)
{
    struct http_exchange *exchange = conn->current;
    struct http_request *request = &exchange->request;
    char allow[64];

    conn->current = NULL;
    append(conn, exchange);
    if (exchange->parse.is_close) {
        exchange->is_last = conn->is_ended = true;
    }
    request->received_ms = wall_ms(conn->loop->server);
    request->received_mono_us = mono_us();
    if (!undo_gzip(exchange)) {
        return;
    }
    if (exchange->match.route != NULL) {
        exchange->match.route->handle(request);
    } else if (exchange->match.allowed == 0) {
        http_reply_problem(request, 404, NULL, "There is nothing at this path.");
    } else if (request->method == HTTP_METHOD_OPTIONS) {
        http_reply_options(exchange);
    } else {
        http_route_allow(exchange->match.allowed, allow);
        http_reply_header(request, "Allow", bytes_of(allow));
        http_reply_problem(request, 405, NULL, "This path takes: %s.", allow);
    }
}

static bool may_begin(const struct http_conn *conn)
{
    return conn->outstanding_n < HTTP_OUTSTANDING_MAX && conn->queued_bytes < HTTP_QUEUED_BYTES_MAX &&
           !conn->is_writing;
}

/* Takes what it may of bytes; gives how much. */
static size_t feed(struct http_conn *conn, struct bytes bytes)
{
    size_t taken = 0;

    while (taken < bytes.n && conn->phase == CONN_OPEN && !conn->is_ended) {
        struct http_parse *parse;

        if (conn->current == NULL) {
            if (!may_begin(conn)) {
                return taken;
            }
            conn->current = exchange_new(conn);
            if (conn->current == NULL) {
                conn_close(conn);
                return bytes.n;
            }
            conn->current_until_ms = now_ms(conn) + (uint64_t)conn->loop->server->options.header_ms;
        }
        parse = &conn->current->parse;
        taken += http_parse_feed(parse, (struct bytes){bytes.p + taken, bytes.n - taken});
        if (parse->state == PARSE_HEAD_READ) {
            head_is_read(conn);
        }
        if (parse->state == PARSE_FAILED) {
            refuse(conn, &parse->fault);
        } else if (conn->current != NULL && parse->state == PARSE_DONE) {
            dispatch(conn);
        }
    }
    return conn->is_ended || conn->phase != CONN_OPEN ? bytes.n : taken;
}

/* Keeps what could not be looked at yet: at most one read. */
static void hold(struct http_conn *conn, struct bytes bytes)
{
    char *room = malloc(bytes.n);

    assert(conn->held.p == NULL);
    if (room == NULL) {
        conn_close(conn);
        return;
    }
    memcpy(room, bytes.p, bytes.n);
    conn->held = (struct bytes){room, bytes.n};
    conn->held_at = 0;
}

/* True when something was taken. */
static bool feed_held(struct http_conn *conn)
{
    size_t taken;

    if (conn->held.p == NULL || conn->phase != CONN_OPEN || (conn->current == NULL && !may_begin(conn))) {
        return false;
    }
    taken = feed(conn, (struct bytes){conn->held.p + conn->held_at, conn->held.n - conn->held_at});
    conn->held_at += taken;
    if (conn->held_at == conn->held.n) {
        free((char *)(uintptr_t)conn->held.p);
        conn->held = (struct bytes){0};
    }
    return taken > 0;
}

/* Sends what is due, takes what waits, until neither moves; then decides about reading. */
static void progress(struct http_conn *conn)
{
    if (conn->is_busy) {
        return;
    }
    conn->is_busy = true;
    do {
        flush(conn);
    } while (feed_held(conn));
    conn->is_busy = false;
    send_continue(conn);
    if (conn->phase != CONN_OPEN) {
        return;
    }
    if (conn->first == NULL && conn->current == NULL && (conn->is_eof || conn->loop->is_draining)) {
        finish(conn);
        return;
    }
    set_reading(conn, !conn->is_eof && !conn->is_ended && conn->held.p == NULL &&
                          (conn->current != NULL || may_begin(conn)) && !conn->is_writing);
}

static void on_eof(struct http_conn *conn)
{
    conn->is_eof = conn->is_ended = true;
    conn->is_reading = false;
    uv_read_stop(&conn->uv.stream);
    if (conn->current != NULL) {
        struct http_exchange *exchange = conn->current;

        conn->current = NULL;
        exchange_end(exchange);
    }
    if (conn->first == NULL) {
        conn_close(conn);
    }
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct http_conn *conn = stream->data;
    size_t taken;

    if (conn->phase == CONN_LINGERING) {
        if (n < 0) {
            conn_close(conn);
        }
        return;
    }
    if (n == UV_EOF) {
        on_eof(conn);
    } else if (n < 0) {
        conn_close(conn);
    } else if (n > 0) {
        conn->is_busy = true;
        taken = feed(conn, (struct bytes){buffer->base, (size_t)n});
        if (taken < (size_t)n) {
            hold(conn, (struct bytes){buffer->base + taken, (size_t)n - taken});
        }
        conn->is_busy = false;
        progress(conn);
    }
}

void http_conn_answered(struct http_exchange *exchange)
{
    struct http_conn *conn = exchange->conn;

    conn->queued_bytes += exchange->reply_head.n + exchange->reply_body.n;
    if (conn->phase == CONN_CLOSING) {
        drop_answers(conn);
        maybe_free(conn);
        return;
    }
    progress(conn);
}

bool http_request_is_gone(const struct http_request *request)
{
    const struct http_exchange *exchange = (const struct http_exchange *)(const void *)request;

    return exchange->conn == NULL || exchange->conn->phase == CONN_CLOSING;
}

/* ---- opening, deadlines, drain ---- */

void http_conn_open(struct http_loop *loop, int fd, bool is_by_file, const struct http_address *address,
                    bool is_counted, bool is_by_proxy, const struct http_fault *refuse_with)
{
    struct http_conn *conn = calloc(1, sizeof(*conn));
    uv_loop_t *uv = loop_uv(loop->loop);
    int code;

    if (conn == NULL) {
        abort();
    }
    conn->loop = loop;
    conn->last = &conn->first;
    conn->is_by_file = is_by_file;
    conn->is_by_proxy = is_by_proxy;
    conn->address = *address;
    conn->is_counted = is_counted;
    conn->next = loop->conns;
    conn->link = &loop->conns;
    if (conn->next != NULL) {
        conn->next->link = &conn->next;
    }
    loop->conns = conn;
    metric_add(&open_now, 1);
    if (is_by_file) {
        uv_pipe_init(uv, &conn->uv.pipe, 0);
        code = uv_pipe_open(&conn->uv.pipe, fd);
    } else {
        uv_tcp_init(uv, &conn->uv.tcp);
        code = uv_tcp_open(&conn->uv.tcp, fd);
    }
    conn->uv.handle.data = conn;
    if (code != 0) {
        close(fd);
        conn_close(conn);
        return;
    }
    conn->idle_until_ms = now_ms(conn) + (uint64_t)loop->server->options.idle_ms;
    if (refuse_with != NULL) {
        conn->current = exchange_new(conn);
        if (conn->current == NULL) {
            conn_close(conn);
            return;
        }
        conn->is_busy = true;
        refuse(conn, refuse_with);
        conn->is_busy = false;
    }
    progress(conn);
}

/* Rule 6: a feed has no deadline but a lowest rate, total over any window. True when it is kept up. */
static bool keeps_rate(struct http_conn *conn)
{
    struct http_exchange *exchange = conn->current;

    if (!is_large(exchange) || exchange->parse.state != PARSE_BODY ||
        exchange->parse.body_n - exchange->window_n < HTTP_WINDOW_BYTES_MIN) {
        return false;
    }
    exchange->window_n = exchange->parse.body_n;
    conn->current_until_ms = now_ms(conn) + (uint64_t)conn->loop->server->options.window_ms;
    return true;
}

static void check_deadlines(struct http_conn *conn)
{
    static const struct http_fault late = {408, "too_slow", "The request came too slowly; send it again."};
    uint64_t now = now_ms(conn);

    if (conn->phase == CONN_LINGERING) {
        if (now >= conn->linger_until_ms) {
            conn_close(conn);
        }
    } else if (conn->is_writing) {
        if (now >= conn->write_until_ms) {
            conn_close(conn);
        }
    } else if (conn->current != NULL) {
        if (now >= conn->current_until_ms && !keeps_rate(conn)) {
            refuse(conn, &late);
        }
    } else if (conn->first == NULL && now >= conn->idle_until_ms) {
        conn_close(conn);
    }
}

void http_conn_tick(struct http_loop *loop)
{
    struct http_conn *conn = loop->conns;

    while (conn != NULL) {
        struct http_conn *next = conn->next;

        check_deadlines(conn);
        conn = next;
    }
}

void http_conn_drain(struct http_loop *loop, bool cut)
{
    struct http_conn *conn = loop->conns;

    while (conn != NULL) {
        struct http_conn *next = conn->next;

        if (cut) {
            loop->cut_n += conn->outstanding_n + (conn->current != NULL);
            conn_close(conn);
        } else if (conn->phase == CONN_OPEN && conn->first == NULL && conn->current == NULL) {
            conn_close(conn);
        }
        conn = next;
    }
}
