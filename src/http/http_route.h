/* SPDX-License-Identifier: Apache-2.0 */
/* http_route.h - finds the handler of a method and a path.
 *
 * Paths are compared segment by segment, each percent-decoded after the split, so that %2F in an id stays
 * inside its segment. A literal segment wins over {}; a trailing slash is a segment of its own. Nothing is
 * ever redirected (rule 13 of stack.md 2). Cost: one comparison a route of that many segments. */
#pragma once

#include "http/http_server.h"

enum { HTTP_SEGMENTS_MAX = 12 };

struct http_routes;

/* Aborts on a table that contradicts itself (two routes of one method and shape). routes: borrowed. */
struct http_routes *http_route_open(const struct http_route *routes, size_t routes_n);
void http_route_close(struct http_routes *table);

struct http_match {
    const struct http_route *route;       /* NULL: see allowed */
    unsigned allowed;                     /* methods of all routes with this path; 0: no such path */
    struct bytes params[HTTP_PARAMS_MAX]; /* decoded */
    size_t params_n;
};

/* method: HEAD counts as GET. Errors: ERR_INVALID (a bad escape), ERR_NOMEM. Without a route: ERR_OK and
 * route NULL. */
MUST_USE enum err http_route_find(const struct http_routes *table, enum http_method method, struct bytes path,
                                  struct arena *arena, struct http_match *out_match);
/* "GET, HEAD, PUT" of method bits; OPTIONS is always among them. */
void http_route_allow(unsigned methods, char out_text[64]);
