/* SPDX-License-Identifier: Apache-2.0 */
/* http_server.h - listens, runs N loop threads, and hands requests to a table of routes.
 *
 * One thread accepts (loop 0) and deals connections out to the least loaded loop, so that 16 connections
 * are 8 and 8. A connection stays on its loop. Framing rules and limits: http_parse.h and
 * http_conn.h; they hold whatever a handler does.
 *
 *     http_server_open(&options, routes, routes_n, &server, &why);
 *     for each i: http_server_set_user(server, i, my_context(http_server_loop(server, i)));
 *     http_server_start(server);         threads run
 *     sigwait(...);
 *     http_server_drain(server, 10000);  stops accepting, answers what was read, threads have ended
 *     storage_close(...);
 *     http_server_close(server); */
#pragma once

#include "http/http_request.h"

typedef void http_handler(struct http_request *request);

enum http_route_flag {
    HTTP_ROUTE_PLAIN = 0,
    HTTP_ROUTE_LARGE = 1,   /* body up to options.large_bytes_max on the wire and inflated: feeds, imports */
    HTTP_ROUTE_NO_CORS = 2, /* never shared with other origins: console, secrets */
};

struct http_route {
    unsigned methods; /* enum http_method bits: HTTP_METHOD_GET | HTTP_METHOD_PUT */
    const char *path; /* "/v1/items/{id}": {} takes one whole segment; literal segments win over {} */
    http_handler *handle;
    unsigned flags;
    int tag; /* the handler's own */
};

struct http_options {    /* all zero is a server on a free port of 127.0.0.1 with the limits of stack.md 2 */
    const char *address; /* NULL: 127.0.0.1 */
    uint16_t port;       /* 0: any free one, see http_server_port */
    const char *socket_path;                   /* NULL: none; else a unix socket, mode 0600 */
    size_t loops_n;                            /* 0: 2 */
    size_t connections_max;                    /* 0: 4,096 */
    size_t connections_per_address_max;        /* 0: 64 */
    size_t body_bytes_max;                     /* 0: 1 MiB on the wire */
    size_t inflated_bytes_max;                 /* 0: 4 MiB */
    size_t large_bytes_max;                    /* 0: 64 MiB, HTTP_ROUTE_LARGE */
    size_t held_bytes_max;                     /* 0: 256 MiB: bodies in memory over all connections */
    size_t arena_bytes_max;                    /* 0: 64 MiB a request */
    int header_ms, body_ms, idle_ms, write_ms; /* 0: 5 s, 10 s, 60 s, 60 s: totals, never per read */
    int window_ms;              /* 0: 60 s; a LARGE body must bring 64 KiB in each, instead of body_ms */
    const char *const *proxies; /* NULL-terminated addresses of trusted proxies; NULL: none */
    /* May this page's origin use the call? NULL: no origin may. Pre-flights ask too, before any key is
     * known. Thread: the request's loop. */
    bool (*may_origin)(void *ctx, const struct http_request *request, struct bytes origin);
    bool with_credentials; /* allowed origins may send cookies: Access-Control-Allow-Credentials */
    void *ctx;
    int64_t (*clock_ms)(void *ctx); /* replaces the wall clock of received_ms: --test-clock. NULL: real */
};

struct http_server;

/* Binds and opens the loops; nothing runs yet. routes: borrowed. Errors: ERR_IO (why names the address and
 * the remedy), ERR_NOMEM, ERR_INVALID (an address that is none). */
MUST_USE enum err http_server_open(const struct http_options *options, const struct http_route *routes,
                                   size_t routes_n, struct http_server **out_server, struct why *why);
uint16_t http_server_port(const struct http_server *server);
size_t http_server_loops_n(const struct http_server *server);
struct loop *http_server_loop(struct http_server *server, size_t i);
/* What requests of loop i carry as `user`. Before http_server_start. */
void http_server_set_user(struct http_server *server, size_t i, void *user);
/* Starts the threads and listens. */
MUST_USE enum err http_server_start(struct http_server *server);
/* Stops accepting, answers what has been read with Connection: close, waits up to `ms`, then cuts, and
 * joins the threads. Gives the number of requests that were cut. Thread: not one of the loops. */
size_t http_server_drain(struct http_server *server, int ms);
/* Frees all, and waits for handles that others still have open on the loops: close them first. After http_server_drain (called with 0 ms when it was not). NULL is allowed. */
void http_server_close(struct http_server *server);
