/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_parse.h"

#include "base/test.h"
#include "http/http_address.h"
#include "http/http_gzip.h"
#include "http/http_route.h"

#include <stdio.h>
#include <stdlib.h>

#include <zlib.h>

static struct arena arena;

static void reset(void)
{
    if (arena.first == NULL) {
        arena_open(&arena, 1 << 16, 1 << 22);
    }
    arena_reset(&arena);
}

TEST(a_request_by_hand)
{
    struct http_parse parse;
    struct bytes text = BYTES_LIT("POST /v1/events?a=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                                  "Content-Encoding: gzip\r\nConnection: close\r\n\r\nabcGET");
    char room[3];
    size_t taken;

    reset();
    http_parse_begin(&parse, &arena);
    taken = http_parse_feed(&parse, text);
    CHECK_INT(parse.state, PARSE_HEAD_READ);
    CHECK_INT(parse.content_length, 3);
    CHECK(parse.is_gzip && parse.is_close);
    http_parse_body(&parse, room);
    taken += http_parse_feed(&parse, (struct bytes){text.p + taken, text.n - taken});
    CHECK_INT(parse.state, PARSE_DONE);
    CHECK_INT(text.n - taken, 3);
    CHECK_TEXT(parse.path, "/v1/events");
    CHECK_TEXT(parse.query, "a=1");
    CHECK_TEXT(((struct bytes){parse.body, parse.body_n}), "abc");
    CHECK_TEXT(http_parse_field(parse.fields, parse.fields_n, "HOST"), "x");
}

TEST(escapes_are_decoded_or_refused)
{
    char to[32];
    size_t n = 0;

    CHECK(http_parse_decode(BYTES_LIT("a%2Fb+c%c3%B8"), true, to, &n));
    CHECK_TEXT(((struct bytes){to, n}), "a/b c\xc3\xb8");
    CHECK(http_parse_decode(BYTES_LIT("a+"), false, to, &n));
    CHECK_TEXT(((struct bytes){to, n}), "a+");
    CHECK(!http_parse_decode(BYTES_LIT("%2"), false, to, &n));
    CHECK(!http_parse_decode(BYTES_LIT("%g0"), false, to, &n));
    CHECK(!http_parse_decode(BYTES_LIT("%"), false, to, &n));
}

static void none(struct http_request *request)
{
    (void)request;
}

TEST(routes_are_found_by_shape_and_method)
{
    static const struct http_route routes[] = {
        {HTTP_METHOD_GET | HTTP_METHOD_PUT, "/v1/items/{id}", none, 0, 1},
        {HTTP_METHOD_POST, "/v1/items/feed", none, 0, 2},
        {HTTP_METHOD_GET, "/v1/items/feed", none, 0, 3},
        {HTTP_METHOD_GET, "/sourceConfig/", none, 0, 4},
        {HTTP_METHOD_GET, "/", none, 0, 5},
        {HTTP_METHOD_GET, "/v1/customers/{c}/lists/{list}/{item}", none, 0, 6},
    };
    struct http_routes *table = http_route_open(routes, sizeof(routes) / sizeof(routes[0]));
    struct http_match match;
    char allow[64];

    reset();
    CHECK_OK(http_route_find(table, HTTP_METHOD_GET, BYTES_LIT("/v1/items/a%20b"), &arena, &match));
    CHECK_INT(match.route->tag, 1);
    CHECK_TEXT(match.params[0], "a b");
    CHECK_OK(http_route_find(table, HTTP_METHOD_HEAD, BYTES_LIT("/v1/items/feed"), &arena, &match));
    CHECK_INT(match.route->tag, 3);
    CHECK_OK(http_route_find(table, HTTP_METHOD_PUT, BYTES_LIT("/v1/items/feed"), &arena, &match));
    CHECK_INT(match.route->tag, 1);
    CHECK_OK(http_route_find(table, HTTP_METHOD_GET, BYTES_LIT("/sourceConfig/"), &arena, &match));
    CHECK_INT(match.route->tag, 4);
    CHECK_OK(http_route_find(table, HTTP_METHOD_GET, BYTES_LIT("/sourceConfig"), &arena, &match));
    CHECK(match.route == NULL && match.allowed == 0);
    CHECK_OK(http_route_find(table, HTTP_METHOD_GET, BYTES_LIT("/"), &arena, &match));
    CHECK_INT(match.route->tag, 5);
    CHECK_OK(http_route_find(table, HTTP_METHOD_GET, BYTES_LIT("/v1/customers/c/lists/l/i"), &arena, &match));
    CHECK_INT(match.params_n, 3);
    CHECK_TEXT(match.params[2], "i");
    CHECK_OK(http_route_find(table, HTTP_METHOD_GET, BYTES_LIT("/v1/items/"), &arena, &match));
    CHECK(match.route == NULL);
    CHECK_OK(
        http_route_find(table, HTTP_METHOD_GET, BYTES_LIT("/1/2/3/4/5/6/7/8/9/a/b/c/d/e"), &arena, &match));
    CHECK(match.route == NULL);
    CHECK_INT(http_route_find(table, HTTP_METHOD_GET, BYTES_LIT("/v1/items/%"), &arena, &match), ERR_INVALID);
    CHECK_OK(http_route_find(table, HTTP_METHOD_DELETE, BYTES_LIT("/v1/items/x"), &arena, &match));
    CHECK(match.route == NULL);
    http_route_allow(match.allowed, allow);
    CHECK_TEXT(bytes_of(allow), "GET, HEAD, PUT, OPTIONS");
    http_route_close(table);
}

TEST(addresses_are_counted_each)
{
    struct http_addresses *table = http_address_open();
    struct http_address a, b;
    char text[46];

    CHECK_OK(http_address_parse(BYTES_LIT(" 10.0.0.1\t"), &a));
    CHECK_OK(http_address_parse(BYTES_LIT("fd00::1"), &b));
    CHECK_INT(http_address_parse(BYTES_LIT("10.0.0.1:80"), &b), ERR_INVALID);
    CHECK_INT(http_address_parse(BYTES_LIT(""), &b), ERR_INVALID);
    http_address_format(&a, text);
    CHECK_TEXT(bytes_of(text), "10.0.0.1");
    http_address_format(&b, text);
    CHECK_TEXT(bytes_of(text), "fd00::1");
    CHECK(http_address_take(table, &a, 2) && http_address_take(table, &a, 2));
    CHECK(!http_address_take(table, &a, 2));
    CHECK(http_address_take(table, &b, 2));
    http_address_give(table, &a);
    CHECK(http_address_take(table, &a, 2));
    http_address_close(table);
}

/* What gzip makes of text, in the arena. */
static struct bytes packed(struct bytes text)
{
    z_stream stream = {0};
    size_t room = text.n + 1024;
    char *to = arena_take(&arena, room);

    CHECK_INT(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (z_const Bytef *)(uintptr_t)text.p;
    stream.avail_in = (uInt)text.n;
    stream.next_out = (Bytef *)to;
    stream.avail_out = (uInt)room;
    CHECK_INT(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return (struct bytes){to, room - stream.avail_out};
}

PROPERTY(gzip_comes_back_up_to_its_limit_and_cut_or_damaged_it_does_not)
{
    size_t n = rng_below(rng, 20000);
    char *text;
    struct bytes small, back = {0};
    enum err err;

    reset();
    text = arena_take(&arena, n + 1);
    for (size_t i = 0; i < n; i++) {
        text[i] = (char)rng_below(rng, 8);
    }
    small = packed((struct bytes){text, n});
    CHECK_OK(http_gzip_undo(small, n, &back));
    CHECK(bytes_equal(back, (struct bytes){text, n}));
    free((char *)(uintptr_t)back.p);
    if (n > 0) {
        CHECK_INT(http_gzip_undo(small, n - 1, &back), ERR_TOOBIG);
    }
    CHECK_INT(http_gzip_undo((struct bytes){small.p, rng_below(rng, small.n)}, 1 << 20, &back), ERR_INVALID);
    ((char *)(uintptr_t)small.p)[small.n - 1 - rng_below(rng, 8)] ^= 1;
    err = http_gzip_undo(small, 1 << 20, &back);
    CHECK_INT(err, ERR_INVALID);
}
