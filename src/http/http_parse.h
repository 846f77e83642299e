/* SPDX-License-Identifier: Apache-2.0 */
/* http_parse.h - bytes to one request, without a socket: framing rules 1 to 6 and 11 of stack.md 2.
 *
 * llhttp reads the head, strictly, once it is complete in one piece; what it would let pass is refused
 * before it, line by line as the bytes come: bare LF, folded lines, blanks before the colon, control
 * characters. Where the body ends is decided here alone, from ONE Content-Length of digits. A request is
 * fed until it is PARSE_HEAD_READ (the caller then says whether the body is wanted and where it goes),
 * then until PARSE_DONE; what follows is left to the next request. After PARSE_FAILED the connection must
 * be closed and nothing more be read from it.
 *
 *     http_parse_begin(&parse, arena);
 *     used = http_parse_feed(&parse, bytes);      state HEAD, HEAD_READ, BODY, DONE or FAILED
 * Not done: chunked bodies, trailers, upgrades, HTTP/2. */
#pragma once

#include "http/http_request.h"

enum {
    HTTP_FIELDS_MAX = 100,             /* stack.md 2.3 */
    HTTP_FIELDS_BYTES_MAX = 16 * 1024, /* the header block without the request line */
    HTTP_TARGET_BYTES_MAX = 8 * 1024,
    HTTP_LINE_BYTES_MAX = HTTP_TARGET_BYTES_MAX + 64, /* method, target, version */
};

enum http_parse_state { PARSE_HEAD = 0, PARSE_HEAD_READ, PARSE_BODY, PARSE_DONE, PARSE_FAILED };

struct http_fault { /* status 0: none */
    int status;
    const char *code;
    const char *detail; /* static text */
};

struct http_parse {
    enum http_parse_state state;
    struct arena *arena;
    struct http_fault fault;
    /* the head as it came */
    char *head;
    size_t head_n, head_room, line_at, lines_n, fields_at;
    bool is_blank_skipped;
    /* what it says; everything points into head. Valid from PARSE_HEAD_READ on */
    enum http_method method;
    bool is_connect;
    int minor; /* HTTP/1.minor */
    struct bytes target, path, query;
    struct http_field fields[HTTP_FIELDS_MAX];
    size_t fields_n;
    bool has_length, is_close, wants_continue, is_gzip;
    uint64_t content_length;
    /* the body */
    char *body;
    size_t body_n;
};

void http_parse_begin(struct http_parse *parse, struct arena *arena);
/* Takes bytes up to the end of the head, or of the body; gives how many were taken. In PARSE_HEAD_READ,
 * PARSE_DONE and PARSE_FAILED it takes none. */
size_t http_parse_feed(struct http_parse *parse, struct bytes bytes);
/* After PARSE_HEAD_READ: room for content_length bytes (NULL when that is 0). Goes on to PARSE_BODY or
 * PARSE_DONE. */
void http_parse_body(struct http_parse *parse, char *room);
/* The first field of that name (any case), {NULL, 0} if none. */
struct bytes http_parse_field(const struct http_field *fields, size_t fields_n, const char *name);
/* Percent-decodes text into to (text.n bytes of room); plus_is_space for queries. False on a bad escape. */
bool http_parse_decode(struct bytes text, bool plus_is_space, char *to, size_t *out_n);
