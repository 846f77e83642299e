/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the stream of one connection: whole, and cut at EVERY position. However it is cut, the same
 * requests come out of it, and after a refusal none. */
#include "http/http_parse.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SUMMARY_BYTES = 4096, BODY_MAX = 1 << 16 };

struct reading { /* what one way of cutting made of the stream */
    struct http_parse parse;
    struct arena arena;
    bool is_begun;
    bool is_over;
    char summary[SUMMARY_BYTES];
    size_t n;
};

static void add(struct reading *r, struct bytes more)
{
    size_t n = more.n < SUMMARY_BYTES - r->n ? more.n : SUMMARY_BYTES - r->n;

    if (n > 0) {
        memcpy(r->summary + r->n, more.p, n);
        r->n += n;
    }
}

static void add_number(struct reading *r, uint64_t v)
{
    uint8_t b[8];

    put_be64(b, v);
    add(r, (struct bytes){(const char *)b, 8});
}

/* Everything a handler may look at lies in the head, in order. */
static void check_inside(const struct http_parse *parse)
{
    const char *end = parse->head + parse->head_n;

    for (size_t i = 0; i < parse->fields_n; i++) {
        struct bytes name = parse->fields[i].name, value = parse->fields[i].value;

        if (name.n == 0 || name.p < parse->head || name.p + name.n > end || value.p + value.n > end ||
            value.p < name.p + name.n || (value.n > 0 && memchr(value.p, '\n', value.n) != NULL)) {
            abort();
        }
    }
}

static void end_request(struct reading *r)
{
    struct http_parse *parse = &r->parse;

    add_number(r, parse->method);
    add(r, parse->path);
    add(r, parse->query);
    add_number(r, parse->fields_n);
    for (size_t i = 0; i < parse->fields_n; i++) {
        add(r, parse->fields[i].name);
        add(r, parse->fields[i].value);
    }
    add_number(r, parse->body_n);
    add(r, (struct bytes){parse->body, parse->body_n});
    r->is_over = parse->is_close;
    r->is_begun = false;
    free(parse->body);
}

static void feed(struct reading *r, struct bytes bytes)
{
    while (bytes.n > 0 && !r->is_over) {
        size_t taken;

        if (!r->is_begun) {
            arena_reset(&r->arena);
            http_parse_begin(&r->parse, &r->arena);
            r->is_begun = true;
        }
        taken = http_parse_feed(&r->parse, bytes);
        if (taken > bytes.n || (taken == 0 && r->parse.state != PARSE_FAILED)) {
            abort();
        }
        bytes = (struct bytes){bytes.p + taken, bytes.n - taken};
        if (r->parse.state == PARSE_HEAD_READ) {
            check_inside(&r->parse);
            if (r->parse.content_length > BODY_MAX) {
                add_number(r, 413);
                r->is_over = true;
                return;
            }
            http_parse_body(&r->parse, r->parse.content_length == 0 ? NULL : malloc(r->parse.content_length));
        }
        if (r->parse.state == PARSE_FAILED) {
            add_number(r, (uint64_t)r->parse.fault.status);
            if (http_parse_feed(&r->parse, bytes) != 0) {
                abort();
            }
            r->is_over = true;
        } else if (r->parse.state == PARSE_DONE) {
            end_request(r);
        }
    }
}

static void restart(struct reading *r)
{
    if (r->arena.first == NULL) {
        arena_open(&r->arena, 1 << 16, 1 << 20);
    }
    if (r->is_begun && r->parse.state == PARSE_BODY) {
        free(r->parse.body);
    }
    r->is_begun = r->is_over = false;
    r->n = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reading whole, cut;
    struct bytes all = {(const char *)data, size};

    restart(&whole);
    feed(&whole, all);
    for (size_t at = 1; at < size && at < 512; at++) {
        restart(&cut);
        feed(&cut, (struct bytes){all.p, at});
        feed(&cut, (struct bytes){all.p + at, size - at});
        if (cut.n != whole.n || memcmp(cut.summary, whole.summary, whole.n) != 0) {
            abort();
        }
    }
    restart(&cut);
    for (size_t i = 0; i < size && size < 2048; i++) {
        feed(&cut, (struct bytes){all.p + i, 1});
    }
    if (size < 2048 && (cut.n != whole.n || memcmp(cut.summary, whole.summary, whole.n) != 0)) {
        abort();
    }
    return 0;
}
