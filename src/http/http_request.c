/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_request.h"

#include "http/http_conn.h"

static struct http_exchange *exchange_of(struct http_request *request)
{
    return (struct http_exchange *)(void *)request;
}

struct bytes http_request_header(const struct http_request *request, const char *name)
{
    return http_parse_field(request->headers, request->headers_n, name);
}

static struct bytes decoded(struct arena *arena, struct bytes text)
{
    char *to = arena_take(arena, text.n + 1);
    size_t n;

    if (to == NULL || !http_parse_decode(text, true, to, &n)) {
        /* A bad escape is taken as it stands: some pages build their beacons by hand. */
        return text;
    }
    return (struct bytes){to, n};
}

/* "a=1&b" cut and decoded, once. */
static void read_queries(struct http_exchange *exchange)
{
    struct bytes query = exchange->request.query;
    struct http_field *fields;
    const char *p, *end;
    size_t most = 1, n = 0;

    exchange->has_queries = true;
    if (query.n == 0) {
        return;
    }
    for (size_t i = 0; i < query.n; i++) {
        most += query.p[i] == '&';
    }
    fields = arena_array(&exchange->arena, most, sizeof(*fields));
    if (fields == NULL) {
        return;
    }
    p = query.p;
    end = query.p + query.n;
    while (p <= end) {
        const char *mark = memchr(p, '&', (size_t)(end - p)), *equals;
        struct bytes part = {p, (size_t)((mark == NULL ? end : mark) - p)};

        equals = part.n == 0 ? NULL : memchr(part.p, '=', part.n);
        if (part.n > 0) {
            size_t name_n = equals == NULL ? part.n : (size_t)(equals - part.p);

            fields[n].name = decoded(&exchange->arena, (struct bytes){part.p, name_n});
            if (equals != NULL) {
                fields[n].value = decoded(&exchange->arena, (struct bytes){equals + 1, part.n - name_n - 1});
            }
            n++;
        }
        p += part.n + 1;
    }
    exchange->queries = fields;
    exchange->queries_n = n;
}

const struct http_field *http_request_queries(struct http_request *request, size_t *out_n)
{
    struct http_exchange *exchange = exchange_of(request);

    if (!exchange->has_queries) {
        read_queries(exchange);
    }
    *out_n = exchange->queries_n;
    return exchange->queries;
}

bool http_request_query(struct http_request *request, const char *name, struct bytes *out_value)
{
    size_t n;
    const struct http_field *fields = http_request_queries(request, &n);

    for (size_t i = 0; i < n; i++) {
        if (bytes_equal(fields[i].name, bytes_of(name))) {
            *out_value = fields[i].value;
            return true;
        }
    }
    return false;
}

struct bytes http_request_unknown_query(struct http_request *request, const char *const *known)
{
    size_t n;
    const struct http_field *fields = http_request_queries(request, &n);

    for (size_t i = 0; i < n; i++) {
        const char *const *word = known;

        while (*word != NULL && !bytes_equal(fields[i].name, bytes_of(*word))) {
            word++;
        }
        if (*word == NULL) {
            return fields[i].name;
        }
    }
    return (struct bytes){0};
}

void http_request_after(struct http_request *request, void (*fn)(struct http_request *request, void *ctx),
                        void *ctx)
{
    exchange_of(request)->after = fn;
    exchange_of(request)->after_ctx = ctx;
}
