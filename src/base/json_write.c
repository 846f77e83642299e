/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"

#include "base/money.h"
#include "base/time.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void json_write_open(struct json_write *w, struct arena *arena, size_t first_bytes)
{
    *w = (struct json_write){.arena = arena, .room = first_bytes < 64 ? 64 : first_bytes};
    w->p = arena_take(arena, w->room);
    w->full = w->p == NULL;
}

/* Room for n more bytes; the old buffer stays behind in the arena, at most as much again in all. */
static bool reserve(struct json_write *w, size_t n)
{
    size_t room = w->room;
    char *grown;

    if (w->full) {
        return false;
    }
    if (w->room - w->n >= n) {
        return true;
    }
    while (room - w->n < n) {
        if (room > SIZE_MAX / 2) {
            w->full = true;
            return false;
        }
        room *= 2;
    }
    grown = arena_take(w->arena, room);
    if (grown == NULL) {
        w->full = true;
        return false;
    }
    memcpy(grown, w->p, w->n);
    w->p = grown;
    w->room = room;
    return true;
}

static void put(struct json_write *w, const char *p, size_t n)
{
    if (n > 0 && reserve(w, n)) {
        memcpy(w->p + w->n, p, n);
        w->n += n;
    }
}

static uint64_t level(const struct json_write *w)
{
    return (uint64_t)1 << w->depth;
}

/* The length of a well-formed sequence at p, 0 if it is none: RFC 3629, section 4. */
static size_t utf8_length(const unsigned char *p, size_t n)
{
    size_t length = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

    if (length == 0 || length > n) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] > 0x8f)) {
        return 0;
    }
    return length;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '<';
}

/* Writes the escape or sequence at p; gives how many bytes of p it stands for. */
static size_t put_special(struct json_write *w, const unsigned char *p, size_t n)
{
    static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    char text[8];
    size_t length;

    for (size_t i = 0; i + 1 < sizeof(shorts) - 1; i += 2) {
        if (p[0] == (unsigned char)shorts[i]) {
            put(w, (const char[2]){'\\', shorts[i + 1]}, 2);
            return 1;
        }
    }
    if (p[0] < 0x80) {
        snprintf(text, sizeof(text), "\\u%04x", p[0]);
        put(w, text, 6);
        return 1;
    }
    length = utf8_length(p, n);
    if (length == 0) {
        put(w, "\xef\xbf\xbd", 3);
        return 1;
    }
    if (length == 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9)) {
        put(w, p[2] == 0xa8 ? "\\u2028" : "\\u2029", 6);
        return 3;
    }
    put(w, (const char *)p, length);
    return length;
}

static void put_string(struct json_write *w, struct bytes text)
{
    const unsigned char *p = (const unsigned char *)text.p;
    size_t i = 0;

    put(w, "\"", 1);
    while (i < text.n) {
        size_t from = i;

        while (i < text.n && is_plain(p[i])) {
            i++;
        }
        put(w, text.p + from, i - from);
        if (i < text.n) {
            i += put_special(w, p + i, text.n - i);
        }
    }
    put(w, "\"", 1);
}

static void begin_member(struct json_write *w)
{
    if ((w->has_member & level(w)) != 0) {
        put(w, ",", 1);
    }
    w->has_member |= level(w);
}

/* The comma and the name before a value. */
static void begin(struct json_write *w, const char *key)
{
    bool is_in_object = w->depth > 0 && (w->is_array & level(w)) == 0;

    if (w->has_key) {
        assert(key == NULL);
        w->has_key = false;
        return;
    }
    assert((key != NULL) == is_in_object);
    assert(w->depth > 0 || (w->has_member & 1) == 0); /* one value a document */
    begin_member(w);
    if (key != NULL) {
        put_string(w, bytes_of(key));
        put(w, ":", 1);
    }
}

void json_write_key(struct json_write *w, struct bytes key)
{
    assert(w->depth > 0 && (w->is_array & level(w)) == 0 && !w->has_key);
    begin_member(w);
    put_string(w, key);
    put(w, ":", 1);
    w->has_key = true;
}

static void descend(struct json_write *w, const char *key, bool is_array)
{
    begin(w, key);
    assert(w->depth < JSON_WRITE_DEPTH_MAX);
    w->depth++;
    w->has_member &= ~level(w);
    w->is_array = is_array ? w->is_array | level(w) : w->is_array & ~level(w);
    put(w, is_array ? "[" : "{", 1);
}

void json_write_object(struct json_write *w, const char *key)
{
    descend(w, key, false);
}

void json_write_array(struct json_write *w, const char *key)
{
    descend(w, key, true);
}

void json_write_end(struct json_write *w)
{
    assert(w->depth > 0 && !w->has_key);
    put(w, (w->is_array & level(w)) != 0 ? "]" : "}", 1);
    w->depth--;
}

void json_write_text(struct json_write *w, const char *key, struct bytes text)
{
    begin(w, key);
    put_string(w, text);
}

void json_write_word(struct json_write *w, const char *key, const char *word)
{
    if (word == NULL) {
        json_write_null(w, key);
        return;
    }
    json_write_text(w, key, bytes_of(word));
}

void json_write_int(struct json_write *w, const char *key, int64_t value)
{
    char text[24], *p = text + sizeof(text);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    begin(w, key);
    do {
        *--p = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0) {
        *--p = '-';
    }
    put(w, p, (size_t)(text + sizeof(text) - p));
}

void json_write_double(struct json_write *w, const char *key, double value)
{
    char text[40];
    int n = 0;

    if (!isfinite(value)) {
        json_write_null(w, key);
        return;
    }
    begin(w, key);
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    put(w, text, (size_t)n);
}

void json_write_fixed(struct json_write *w, const char *key, double value, int decimals)
{
    static const double tens[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    char text[MONEY_TEXT_BYTES];
    double scaled;

    assert(decimals >= 0 && decimals <= 6);
    scaled = round(value * tens[decimals]);
    if (!(fabs(scaled) < 9e15)) { /* beyond exact integers, infinite or NaN */
        json_write_double(w, key, value);
        return;
    }
    begin(w, key);
    put(w, text, money_format((int64_t)scaled, decimals, text));
}

void json_write_bool(struct json_write *w, const char *key, bool value)
{
    begin(w, key);
    put(w, value ? "true" : "false", value ? 4 : 5);
}

void json_write_null(struct json_write *w, const char *key)
{
    begin(w, key);
    put(w, "null", 4);
}

void json_write_time(struct json_write *w, const char *key, int64_t at_ms)
{
    char text[TIME_TEXT_BYTES];

    time_format(at_ms, text);
    json_write_text(w, key, bytes_of(text));
}

void json_write_money(struct json_write *w, const char *key, int64_t minor, const char *currency)
{
    char text[MONEY_TEXT_BYTES];
    size_t n = money_format(minor, money_exponent(currency), text);

    json_write_object(w, key);
    json_write_text(w, "amount", (struct bytes){text, n});
    json_write_word(w, "currency", currency);
    json_write_end(w);
}

void json_write_raw(struct json_write *w, const char *key, struct bytes json)
{
    if (json.n == 0) {
        json_write_null(w, key);
        return;
    }
    begin(w, key);
    put(w, json.p, json.n);
}

struct bytes json_write_bytes(struct json_write *w)
{
    assert(w->depth == 0 && !w->has_key);
    return w->full ? (struct bytes){0} : (struct bytes){w->p, w->n};
}
