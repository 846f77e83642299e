/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_route.h"

#include "http/http_parse.h"

#include <stdio.h>
#include <stdlib.h>

struct shape { /* a route's path, cut */
    const struct http_route *route;
    struct bytes segments[HTTP_SEGMENTS_MAX]; /* {NULL, 0}: takes anything */
    uint32_t params;                          /* bits: the later in the path, the lower */
};

struct http_routes {
    size_t first[HTTP_SEGMENTS_MAX + 2]; /* shapes of i segments: first[i] .. first[i + 1] - 1 */
    size_t n;
    struct shape shapes[];
};

/* "/a/b" is a, b; "/" is one empty segment; "/a/" is a and an empty one. Gives their number, 0 when too many
 * or when it is no path. */
static size_t split(struct bytes path, struct bytes segments[HTTP_SEGMENTS_MAX])
{
    const char *p = path.p + 1, *end = path.p + path.n;
    size_t n = 0;

    if (path.n == 0 || path.p[0] != '/') {
        return 0;
    }
    for (;;) {
        const char *slash = memchr(p, '/', (size_t)(end - p));

        if (n == HTTP_SEGMENTS_MAX) {
            return 0;
        }
        segments[n++] = (struct bytes){p, (size_t)((slash == NULL ? end : slash) - p)};
        if (slash == NULL) {
            return n;
        }
        p = slash + 1;
    }
}

static struct shape shape_of(const struct http_route *route, size_t *out_n)
{
    struct shape shape = {.route = route};
    size_t n = split(bytes_of(route->path), shape.segments), params_n = 0;

    if (n == 0) {
        abort();
    }
    for (size_t i = 0; i < n; i++) {
        if (shape.segments[i].n > 0 && shape.segments[i].p[0] == '{') {
            shape.segments[i] = (struct bytes){0};
            shape.params |= 1u << (HTTP_SEGMENTS_MAX - i);
            params_n++;
        }
    }
    if (params_n > HTTP_PARAMS_MAX) {
        abort();
    }
    *out_n = n;
    return shape;
}

static bool is_same_shape(const struct shape *a, const struct shape *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((a->segments[i].p == NULL) != (b->segments[i].p == NULL) ||
            !bytes_equal(a->segments[i], b->segments[i])) {
            return false;
        }
    }
    return true;
}

struct http_routes *http_route_open(const struct http_route *routes, size_t routes_n)
{
    struct http_routes *table = calloc(1, sizeof(*table) + routes_n * sizeof(table->shapes[0]));

    if (table == NULL) {
        abort();
    }
    for (size_t wanted = 1; wanted <= HTTP_SEGMENTS_MAX; wanted++) {
        table->first[wanted] = table->n;
        for (size_t i = 0; i < routes_n; i++) {
            size_t n;
            struct shape shape = shape_of(&routes[i], &n);

            if (n != wanted) {
                continue;
            }
            for (size_t j = table->first[wanted]; j < table->n; j++) {
                if ((table->shapes[j].route->methods & routes[i].methods) != 0 &&
                    is_same_shape(&table->shapes[j], &shape, n)) {
                    fprintf(stderr, "two routes for %s: leave one out\n", routes[i].path);
                    abort();
                }
            }
            table->shapes[table->n++] = shape;
        }
    }
    table->first[HTTP_SEGMENTS_MAX + 1] = table->n;
    return table;
}

void http_route_close(struct http_routes *table)
{
    free(table);
}

static bool fits(const struct shape *shape, const struct bytes *segments, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool is_param = shape->segments[i].p == NULL;

        if (is_param ? segments[i].n == 0 : !bytes_equal(shape->segments[i], segments[i])) {
            return false;
        }
    }
    return true;
}

static enum err decode_segments(struct arena *arena, struct bytes *segments, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *to;
        size_t to_n;

        if (segments[i].n == 0 || memchr(segments[i].p, '%', segments[i].n) == NULL) {
            continue;
        }
        to = arena_take(arena, segments[i].n);
        if (to == NULL) {
            return ERR_NOMEM;
        }
        if (!http_parse_decode(segments[i], false, to, &to_n)) {
            return ERR_INVALID;
        }
        segments[i] = (struct bytes){to, to_n};
    }
    return ERR_OK;
}

enum err http_route_find(const struct http_routes *table, enum http_method method, struct bytes path,
                         struct arena *arena, struct http_match *out_match)
{
    struct bytes segments[HTTP_SEGMENTS_MAX];
    size_t n = split(path, segments);
    const struct shape *best = NULL;
    struct http_match match = {0};
    enum err err = decode_segments(arena, segments, n);

    if (err != ERR_OK) {
        return err;
    }
    for (size_t i = n == 0 ? 0 : table->first[n]; n > 0 && i < table->first[n + 1]; i++) {
        const struct shape *shape = &table->shapes[i];

        if (!fits(shape, segments, n)) {
            continue;
        }
        match.allowed |= shape->route->methods;
        if ((shape->route->methods & (method == HTTP_METHOD_HEAD ? HTTP_METHOD_GET : method)) != 0 &&
            (best == NULL || shape->params < best->params)) {
            best = shape;
        }
    }
    if (best != NULL) {
        match.route = best->route;
        for (size_t i = 0; i < n; i++) {
            if (best->segments[i].p == NULL) {
                match.params[match.params_n++] = segments[i];
            }
        }
    }
    *out_match = match;
    return ERR_OK;
}

void http_route_allow(unsigned methods, char out_text[64])
{
    static const struct {
        unsigned bit;
        const char *word;
    } words[] = {{HTTP_METHOD_GET, "GET, HEAD, "}, {HTTP_METHOD_POST, "POST, "},
                 {HTTP_METHOD_PUT, "PUT, "},       {HTTP_METHOD_PATCH, "PATCH, "},
                 {HTTP_METHOD_DELETE, "DELETE, "}, {~0u, "OPTIONS"}};
    size_t n = 0;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if ((methods & words[i].bit) != 0) {
            n += (size_t)snprintf(out_text + n, 64 - n, "%s", words[i].word);
        }
    }
}
