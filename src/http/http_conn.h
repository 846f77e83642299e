/* SPDX-License-Identifier: Apache-2.0 */
/* http_conn.h - inside room http: a connection, its exchanges, its loop and the server.
 *
 * An exchange is one request with its answer. A connection reads one exchange at a time (`current`), and
 * keeps those that wait for their answer or for their turn in a queue; answers leave in the order of the
 * queue. While the kernel does not take more, nothing is read (rule 10 of stack.md 2): a slow reader holds at
 * most HTTP_OUTSTANDING_MAX answers. Deadlines are totals (rule 7), looked at every HTTP_TICK_MS by one
 * timer a loop.
 *
 *     OPEN       reads, answers, waits
 *     LINGERING  the last answer is out and our side shut; what still comes is thrown away for a moment, so
 *                that the kernel does not reset the connection before the client has read the answer
 *     CLOSING    the handle closes; exchanges without answer keep the struct alive until they have one */
#pragma once

#include "http/http_address.h"
#include "http/http_parse.h"
#include "http/http_route.h"
#include "http/http_server.h"
#include "os/loop.h"

#include <pthread.h>
#include <stdatomic.h>

#include <uv.h>

enum {
    HTTP_OUTSTANDING_MAX = 16, /* stack.md 2.10 */
    HTTP_QUEUED_BYTES_MAX =
        256 * 1024,              /* answers not yet taken by the kernel; beyond, no new request begins */
    HTTP_READ_BYTES = 64 * 1024, /* one read; a loop has one such buffer */
    HTTP_TICK_MS = 50,           /* grain of the deadlines */
    HTTP_WINDOW_BYTES_MIN = 64 * 1024, /* a feed brings at least this a window: about 1 kB/s */
    HTTP_LINGER_MS = 1000,
    HTTP_REPLY_HEADERS_MAX = 16,
    HTTP_ARENA_FIRST_BYTES = 16 * 1024,
    HTTP_POOL_MAX = 256,   /* exchanges kept a loop: 256 x 24 kB */
    HTTP_REFUSED_MAX = 64, /* connections beyond the cap that are still told 503 */
};

enum http_conn_phase { CONN_OPEN = 0, CONN_LINGERING, CONN_CLOSING };

struct http_exchange {
    struct http_request request; /* first: a handler's pointer is this one */
    struct http_loop *loop;
    struct http_conn *conn; /* NULL: no longer on a connection */
    struct http_exchange *next;
    struct http_parse parse;
    struct arena arena;
    struct http_match match;
    char *body_room, *inflated;
    size_t window_n;       /* bytes of the body when the window began */
    size_t reserved_bytes; /* of the server's held bytes */
    const struct http_field *queries;
    size_t queries_n;
    bool has_queries;
    /* the answer */
    bool is_answered, is_last, is_continue_due;
    int status;
    struct bytes reply_head, reply_body;
    struct http_field headers[HTTP_REPLY_HEADERS_MAX];
    size_t headers_n;
    /* afterwards */
    void (*after)(struct http_request *request, void *ctx);
    void *after_ctx;
    unsigned holds_n;
    bool is_over; /* off the connection; recycled when holds_n is 0 */
};

struct http_conn {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv; /* first: its address is the handle's */
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct http_loop *loop;
    struct http_conn *next, **link; /* in the loop's list; link NULL: not in it */
    enum http_conn_phase phase;
    struct http_exchange *current, *first, **last;
    size_t outstanding_n;
    size_t writing_n; /* exchanges at the front that the kernel is taking */
    size_t writing_bytes;
    size_t queued_bytes; /* of answers in the queue */
    struct bytes held;   /* read but not yet looked at; from malloc */
    size_t held_at;
    bool is_busy, is_reading, is_writing, is_ended, is_eof, is_handle_closed;
    bool is_by_file, is_by_proxy, is_counted;
    struct http_address address;
    uint64_t current_until_ms, idle_until_ms, write_until_ms, linger_until_ms;
};

struct http_loop {
    struct http_server *server;
    struct loop *loop;
    size_t index;
    void *user;
    pthread_t thread;
    bool is_running;
    uv_timer_t tick;
    struct loop_task drain_task;
    struct http_conn *conns;
    _Atomic size_t conns_n;
    struct http_exchange *pool;
    size_t pool_n;
    uint64_t id_state; /* of request ids; not secret */
    int64_t date_s;
    char date[32];
    bool is_draining, is_over;
    uint64_t drain_until_ms;
    size_t cut_n;
    char read_room[HTTP_READ_BYTES];
};

struct http_listener {
    struct http_server *server;
    int fd; /* -1: none */
    bool is_by_file, is_open, is_paused;
    uv_poll_t poll;
};

struct http_server {
    struct http_options options; /* defaults filled in */
    struct http_routes *routes;
    struct http_loop *loops;
    size_t loops_n;
    struct http_listener tcp, file;
    uint16_t port;
    struct http_addresses *addresses;
    struct http_address *proxies;
    size_t proxies_n;
    _Atomic size_t conns_n, held_bytes;
    bool is_started, is_drained;
    int drain_ms;
};

/* Takes an accepted socket over. refuse: NULL, or the fault it is told at once. Thread: the loop's. */
void http_conn_open(struct http_loop *loop, int fd, bool is_by_file, const struct http_address *address,
                    bool is_counted, bool is_by_proxy, const struct http_fault *refuse);
/* Looks at the deadlines of all connections. */
void http_conn_tick(struct http_loop *loop);
/* Closes what is idle and ends the others after their answers; with cut, closes all at once. */
void http_conn_drain(struct http_loop *loop, bool cut);
/* The answer of exchange is complete: sends what is due. */
void http_conn_answered(struct http_exchange *exchange);
/* Frees the pool. Thread: any, when the loop no longer runs. */
void http_conn_free_pool(struct http_loop *loop);
/* Composes reply_head from status, content_type, headers. */
void http_reply_compose(struct http_exchange *exchange, const char *content_type);
/* Answers what no handler answers: a fault of framing. */
void http_reply_fault(struct http_exchange *exchange, const struct http_fault *fault);
/* Answers OPTIONS. */
void http_reply_options(struct http_exchange *exchange);
