/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_parse.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

#include <llhttp.h>

enum { HEAD_FIRST_BYTES = 1024 };

static bool is_control(unsigned char c)
{
    return (c < 0x20 && c != '\t' && c != '\r' && c != '\n') || c == 0x7f;
}

/* RFC 9110, 5.6.2: what a name is made of. */
static bool is_token(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static void fail(struct http_parse *parse, int status, const char *code, const char *detail)
{
    parse->state = PARSE_FAILED;
    parse->fault = (struct http_fault){status, code, detail};
}

static void fail_bad(struct http_parse *parse, const char *detail)
{
    fail(parse, 400, "bad_request", detail);
}

void http_parse_begin(struct http_parse *parse, struct arena *arena)
{
    /* The table of fields is large and written before it is read: not cleared. */
    parse->state = PARSE_HEAD;
    parse->arena = arena;
    parse->fault = (struct http_fault){0};
    parse->head = NULL;
    parse->head_n = parse->head_room = parse->line_at = parse->lines_n = parse->fields_at = 0;
    parse->is_blank_skipped = false;
    parse->method = HTTP_METHOD_NONE;
    parse->is_connect = false;
    parse->minor = 0;
    parse->target = parse->path = parse->query = (struct bytes){0};
    parse->fields_n = 0;
    parse->has_length = parse->is_close = parse->wants_continue = parse->is_gzip = false;
    parse->content_length = 0;
    parse->body = NULL;
    parse->body_n = 0;
}

struct bytes http_parse_field(const struct http_field *fields, size_t fields_n, const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < fields_n; i++) {
        if (fields[i].name.n == n && strncasecmp(fields[i].name.p, name, n) == 0) {
            return fields[i].value;
        }
    }
    return (struct bytes){0};
}

static int hex_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool http_parse_decode(struct bytes text, bool plus_is_space, char *to, size_t *out_n)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (c == '%') {
            int high = i + 2 < text.n ? hex_of(text.p[i + 1]) : -1;
            int low = i + 2 < text.n ? hex_of(text.p[i + 2]) : -1;

            if (high < 0 || low < 0) {
                return false;
            }
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        to[n++] = c;
    }
    *out_n = n;
    return true;
}

/* ---- the head as bytes ---- */

/* One header line without its CRLF. Rule 2. */
static void check_field_line(struct http_parse *parse, const char *line, size_t n)
{
    size_t name_n = 0;

    if (line[0] == ' ' || line[0] == '\t') {
        fail_bad(parse, "A header must not be folded over lines.");
        return;
    }
    while (name_n < n && is_token((unsigned char)line[name_n])) {
        name_n++;
    }
    if (name_n == n || line[name_n] != ':') {
        fail_bad(parse,
                 "A header line must be a name, a colon and a value, without blanks before the colon.");
    } else if (name_n == 0) {
        fail_bad(parse, "A header must have a name.");
    } else if (parse->lines_n > HTTP_FIELDS_MAX) {
        fail(parse, 431, "too_many_headers", "Send at most 100 headers.");
    }
}

/* A line ended at head_n; true when that was the empty one behind the head. */
static bool end_line(struct http_parse *parse)
{
    const char *line = parse->head + parse->line_at;
    size_t n = parse->head_n - parse->line_at - 2;

    parse->line_at = parse->head_n;
    if (parse->lines_n == 0) {
        if (n == 0) {
            /* RFC 9112, 2.2: one empty line before a request is forgiven. */
            if (parse->is_blank_skipped) {
                fail_bad(parse, "A request line is expected.");
            }
            parse->is_blank_skipped = true;
            parse->head_n = parse->line_at = 0;
            return false;
        }
        parse->fields_at = parse->head_n;
    } else if (n == 0) {
        return true;
    } else {
        check_field_line(parse, line, n);
    }
    parse->lines_n++;
    return false;
}

static bool has_room(struct http_parse *parse)
{
    size_t room = parse->head_room == 0 ? HEAD_FIRST_BYTES : parse->head_room * 2;
    char *grown;

    if (parse->lines_n == 0 && parse->head_n >= HTTP_LINE_BYTES_MAX) {
        fail(parse, 414, "target_too_long", "The request's target must be at most 8 kB.");
        return false;
    }
    if (parse->lines_n > 0 && parse->head_n - parse->fields_at >= HTTP_FIELDS_BYTES_MAX) {
        fail(parse, 431, "headers_too_large", "The headers must be at most 16 kB.");
        return false;
    }
    if (parse->head_n < parse->head_room) {
        return true;
    }
    grown = arena_take(parse->arena, room);
    if (grown == NULL) {
        fail(parse, 503, "no_memory", "The server has no memory left for this request; try again.");
        return false;
    }
    if (parse->head_n > 0) {
        memcpy(grown, parse->head, parse->head_n);
    }
    parse->head = grown;
    parse->head_room = room;
    return true;
}

/* ---- what the head says ---- */

static enum http_method method_of(uint8_t method)
{
    switch (method) {
    case HTTP_GET:
        return HTTP_METHOD_GET;
    case HTTP_HEAD:
        return HTTP_METHOD_HEAD;
    case HTTP_POST:
        return HTTP_METHOD_POST;
    case HTTP_PUT:
        return HTTP_METHOD_PUT;
    case HTTP_PATCH:
        return HTTP_METHOD_PATCH;
    case HTTP_DELETE:
        return HTTP_METHOD_DELETE;
    case HTTP_OPTIONS:
        return HTTP_METHOD_OPTIONS;
    default:
        return HTTP_METHOD_OTHER;
    }
}

static int on_url(llhttp_t *llhttp, const char *at, size_t n)
{
    struct http_parse *parse = llhttp->data;

    if (parse->target.p == NULL) {
        parse->target.p = at;
    }
    parse->target.n += n;
    return 0;
}

static int on_name(llhttp_t *llhttp, const char *at, size_t n)
{
    struct http_parse *parse = llhttp->data;

    if (parse->fields_n == HTTP_FIELDS_MAX) {
        return -1;
    }
    parse->fields[parse->fields_n] = (struct http_field){{at, n}, {at + n, 0}};
    return 0;
}

static int on_value(llhttp_t *llhttp, const char *at, size_t n)
{
    struct http_parse *parse = llhttp->data;

    parse->fields[parse->fields_n].value = (struct bytes){at, n};
    return 0;
}

static int on_field_end(llhttp_t *llhttp)
{
    struct http_parse *parse = llhttp->data;
    struct bytes *value = &parse->fields[parse->fields_n].value;

    while (value->n > 0 && (value->p[value->n - 1] == ' ' || value->p[value->n - 1] == '\t')) {
        value->n--;
    }
    parse->fields_n++;
    return 0;
}

static const llhttp_settings_t *settings(void)
{
    static const llhttp_settings_t all = {
        .on_url = on_url,
        .on_header_field = on_name,
        .on_header_value = on_value,
        .on_header_value_complete = on_field_end,
    };
    return &all;
}

static void say_llhttp(struct http_parse *parse, llhttp_errno_t error)
{
    if (error == HPE_INVALID_VERSION) {
        fail(parse, 505, "unsupported_version", "Speak HTTP/1.1 or HTTP/1.0.");
    } else if (error == HPE_INVALID_METHOD) {
        fail(parse, 501, "unknown_method", "There is no such method.");
    } else if (error == HPE_INVALID_CONTENT_LENGTH || error == HPE_UNEXPECTED_CONTENT_LENGTH) {
        fail_bad(parse, "Content-Length must be one number of digits.");
    } else if (error == HPE_INVALID_TRANSFER_ENCODING) {
        fail(parse, 411, "length_required", "Transfer-Encoding is not taken; send Content-Length.");
    } else {
        fail_bad(parse, "This is not an HTTP request.");
    }
}

/* True when the comma-separated value holds the word, in any case. */
static bool has_word(struct bytes value, const char *word)
{
    size_t n = strlen(word), i = 0;

    while (i < value.n) {
        size_t from, end;

        while (i < value.n && (value.p[i] == ' ' || value.p[i] == '\t' || value.p[i] == ',')) {
            i++;
        }
        from = i;
        while (i < value.n && value.p[i] != ',') {
            i++;
        }
        end = i;
        while (end > from && (value.p[end - 1] == ' ' || value.p[end - 1] == '\t')) {
            end--;
        }
        if (end - from == n && strncasecmp(value.p + from, word, n) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_word(struct bytes value, const char *word)
{
    return value.n == strlen(word) && strncasecmp(value.p, word, value.n) == 0;
}

/* Rule 5: digits only, no sign, no list, no overflow. */
static bool read_length(struct bytes value, uint64_t *out_length)
{
    uint64_t length = 0;

    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '9' || __builtin_mul_overflow(length, (uint64_t)10, &length) ||
            __builtin_add_overflow(length, (uint64_t)(value.p[i] - '0'), &length)) {
            return false;
        }
    }
    *out_length = length;
    return value.n > 0;
}

/* Rules 1, 4, 5, 11, 12 over the fields. llhttp 8.1.0 refuses two lengths, and a length beside a coding, before us;
 * where a body ends is too dear to rest on that. */
static void check_fields(struct http_parse *parse)
{
    size_t hosts_n = 0, lengths_n = 0;
    bool has_transfer = false;

    for (size_t i = 0; i < parse->fields_n; i++) {
        struct bytes name = parse->fields[i].name, value = parse->fields[i].value;

        if (is_word(name, "host")) {
            hosts_n++;
        } else if (is_word(name, "content-length")) {
            lengths_n++;
            if (lengths_n > 1 || !read_length(value, &parse->content_length)) {
                fail_bad(parse, "Content-Length must be one number of digits.");
                return;
            }
            parse->has_length = true;
        } else if (is_word(name, "transfer-encoding")) {
            has_transfer = true;
        } else if (is_word(name, "connection")) {
            parse->is_close = parse->is_close || has_word(value, "close");
        } else if (is_word(name, "expect")) {
            if (!is_word(value, "100-continue")) {
                fail(parse, 417, "expectation_failed", "Only Expect: 100-continue is honoured.");
                return;
            }
            parse->wants_continue = parse->minor == 1;
        } else if (is_word(name, "content-encoding")) {
            if (!is_word(value, "gzip") && !is_word(value, "identity")) {
                fail(parse, 415, "unsupported_encoding", "Send the body as it is, or with gzip.");
                return;
            }
            parse->is_gzip = is_word(value, "gzip");
        }
    }
    if (parse->minor == 1 && hosts_n != 1) {
        fail_bad(parse, "Send exactly one Host header.");
    } else if (hosts_n > 1) {
        fail_bad(parse, "Send at most one Host header.");
    } else if (has_transfer && parse->has_length) {
        fail_bad(parse, "Send Content-Length, and no Transfer-Encoding.");
    } else if (has_transfer) {
        fail(parse, 411, "length_required", "Transfer-Encoding is not taken; send Content-Length.");
    } else if (!parse->has_length &&
               (parse->method & (HTTP_METHOD_POST | HTTP_METHOD_PUT | HTTP_METHOD_PATCH)) != 0) {
        fail(parse, 411, "length_required", "Send Content-Length.");
    }
}

/* Rule 3 and 11; splits the target into path and query. */
static void check_target(struct http_parse *parse)
{
    struct bytes target = parse->target;
    const char *mark;

    if (target.n > HTTP_TARGET_BYTES_MAX) {
        fail(parse, 414, "target_too_long", "The request's target must be at most 8 kB.");
        return;
    }
    for (size_t i = 0; i < target.n; i++) {
        if ((unsigned char)target.p[i] <= 0x20 || (unsigned char)target.p[i] >= 0x7f || target.p[i] == '#') {
            fail_bad(parse, "The target must be percent-encoded ASCII without a fragment.");
            return;
        }
    }
    if (target.n > 7 && strncasecmp(target.p, "http", 4) == 0 && memchr(target.p, ':', 6) != NULL) {
        /* Absolute form, RFC 9112 3.2.2: what a proxy sends. */
        const char *end = target.p + target.n, *host = (const char *)memchr(target.p, ':', 6) + 3;
        const char *slash = host < end ? memchr(host, '/', (size_t)(end - host)) : NULL;
        target = slash == NULL ? BYTES_LIT("/") : (struct bytes){slash, (size_t)(end - slash)};
    }
    if (target.n == 0 || (target.p[0] != '/' && !(target.n == 1 && target.p[0] == '*'))) {
        fail_bad(parse, "The target must be a path.");
        return;
    }
    mark = memchr(target.p, '?', target.n);
    parse->path = (struct bytes){target.p, mark == NULL ? target.n : (size_t)(mark - target.p)};
    if (mark != NULL) {
        parse->query = (struct bytes){mark + 1, target.n - parse->path.n - 1};
    }
}

static void read_head(struct http_parse *parse)
{
    llhttp_t llhttp;
    llhttp_errno_t error;

    llhttp_init(&llhttp, HTTP_REQUEST, settings());
    llhttp.data = parse;
    error = llhttp_execute(&llhttp, parse->head, parse->head_n);
    /* A request for an upgrade is read as if it had not asked; CONNECT is refused by its method. */
    if (error != HPE_OK && error != HPE_PAUSED_UPGRADE) {
        say_llhttp(parse, error);
        return;
    }
    if (llhttp.http_major != 1 || llhttp.http_minor > 1) {
        fail(parse, 505, "unsupported_version", "Speak HTTP/1.1 or HTTP/1.0.");
        return;
    }
    parse->minor = llhttp.http_minor;
    parse->is_close = parse->minor == 0;
    if (llhttp.method == HTTP_CONNECT) {
        fail(parse, 405, "method_not_allowed", "This is no proxy.");
        return;
    }
    parse->method = method_of(llhttp.method);
    check_target(parse);
    if (parse->state == PARSE_HEAD) {
        check_fields(parse);
    }
    if (parse->state == PARSE_HEAD) {
        parse->state = PARSE_HEAD_READ;
    }
}

static size_t feed_head(struct http_parse *parse, struct bytes bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        unsigned char c = (unsigned char)bytes.p[i];
        bool is_after_cr = parse->head_n > parse->line_at && parse->head[parse->head_n - 1] == '\r';

        if (is_control(c) || is_after_cr != (c == '\n')) {
            fail_bad(parse, "A line must end in CR LF and hold no control characters.");
            return i;
        }
        if ((parse->head_n >= parse->head_room || parse->head_n >= HTTP_LINE_BYTES_MAX) && !has_room(parse)) {
            return i;
        }
        parse->head[parse->head_n++] = (char)c;
        if (c == '\n') {
            bool is_end = end_line(parse);

            if (is_end) {
                read_head(parse);
            }
            if (is_end || parse->state == PARSE_FAILED) {
                return i + 1;
            }
        }
    }
    return bytes.n;
}

size_t http_parse_feed(struct http_parse *parse, struct bytes bytes)
{
    size_t n;

    if (parse->state == PARSE_HEAD) {
        return feed_head(parse, bytes);
    }
    if (parse->state != PARSE_BODY) {
        return 0;
    }
    n = parse->content_length - parse->body_n;
    n = bytes.n < n ? bytes.n : n;
    memcpy(parse->body + parse->body_n, bytes.p, n);
    parse->body_n += n;
    if (parse->body_n == parse->content_length) {
        parse->state = PARSE_DONE;
    }
    return n;
}

void http_parse_body(struct http_parse *parse, char *room)
{
    assert(parse->state == PARSE_HEAD_READ);
    parse->body = room;
    parse->state = parse->content_length == 0 ? PARSE_DONE : PARSE_BODY;
}
