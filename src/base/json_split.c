/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_split.h"

#include "base/json_read.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { HALF_HIGH = 1, HALF_LOW };

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_of(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The code unit of the escape \uXXXX at p, or -1. */
static int unit_at(const char *p, const char *end)
{
    int unit = 0;

    if (end - p < 6 || p[0] != '\\' || p[1] != 'u') {
        return -1;
    }
    for (int i = 2; i < 6; i++) {
        int digit = hex_of(p[i]);

        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

static int half_of(int unit)
{
    return unit < 0xd800 || unit > 0xdfff ? 0 : unit < 0xdc00 ? HALF_HIGH : HALF_LOW;
}

/* Whether an integer's digits (no sign, no leading zeros) go beyond what simdjson keeps exact. */
static bool is_beyond(bool is_negative, const char *digits, size_t n)
{
    static const char most[] = "18446744073709551615", least[] = "9223372036854775808";
    const char *limit = is_negative ? least : most;
    size_t limit_n = is_negative ? sizeof(least) - 1 : sizeof(most) - 1;

    return n > limit_n || (n == limit_n && memcmp(digits, limit, n) > 0);
}

/* ---- where is the fault ---- */

struct locate {
    const char *now, *end;
    const char *what; /* NULL: no fault so far */
    uint64_t objects; /* one bit a level: 1 is an object */
    int depth;
};

static bool fault(struct locate *l, const char *what)
{
    l->what = l->now == l->end ? "it ends too early" : what;
    return false;
}

static void skip_space(struct locate *l)
{
    while (l->now < l->end && is_space(*l->now)) {
        l->now++;
    }
}

/* The length of the UTF-8 sequence at p, 0 when it is none. RFC 3629, table in section 4. */
static size_t utf8_length(const unsigned char *p, size_t n)
{
    unsigned lead = p[0], low = 0x80, high = 0xbf;
    size_t length = lead < 0x80   ? 1
                    : lead < 0xc2 ? 0
                    : lead < 0xe0 ? 2
                    : lead < 0xf0 ? 3
                    : lead < 0xf5 ? 4
                                  : 0;

    if (length == 0 || length > n) {
        return 0;
    }
    if (lead == 0xe0) {
        low = 0xa0;
    } else if (lead == 0xed) {
        high = 0x9f;
    } else if (lead == 0xf0) {
        low = 0x90;
    } else if (lead == 0xf4) {
        high = 0x8f;
    }
    for (size_t i = 1; i < length; i++) {
        if (p[i] < low || p[i] > high) {
            return 0;
        }
        low = 0x80;
        high = 0xbf;
    }
    return length;
}

static bool pass_escape(struct locate *l)
{
    int unit;

    if (l->end - l->now < 2) {
        l->now = l->end;
        return fault(l, "");
    }
    if (l->now[1] != 'u') {
        if (strchr("\"\\/bfnrt", l->now[1]) == NULL || l->now[1] == '\0') {
            return fault(l, "there is no such escape in JSON");
        }
        l->now += 2;
        return true;
    }
    unit = unit_at(l->now, l->end);
    if (unit < 0) {
        return fault(l, "\\u must be followed by four hexadecimal digits");
    }
    if (half_of(unit) == HALF_LOW) {
        return fault(l, "half a character (a lone surrogate); send U+FFFD in its stead");
    }
    if (half_of(unit) == HALF_HIGH) {
        if (half_of(unit_at(l->now + 6, l->end)) != HALF_LOW) {
            return fault(l, "half a character (a lone surrogate); send U+FFFD in its stead");
        }
        l->now += 6;
    }
    l->now += 6;
    return true;
}

static bool pass_string(struct locate *l)
{
    l->now++;
    while (l->now < l->end && *l->now != '"') {
        size_t length;

        if ((unsigned char)*l->now < 0x20) {
            return fault(l, "a control character in a string must be escaped");
        }
        if (*l->now == '\\') {
            if (!pass_escape(l)) {
                return false;
            }
            continue;
        }
        length = utf8_length((const unsigned char *)l->now, (size_t)(l->end - l->now));
        if (length == 0) {
            l->what = "this is not UTF-8";
            return false;
        }
        l->now += length;
    }
    if (l->now == l->end) {
        return fault(l, "");
    }
    l->now++;
    return true;
}

static const char *skip_digits(const char *p, const char *end)
{
    while (p < end && is_digit(*p)) {
        p++;
    }
    return p;
}

/* Whether a fraction or exponent number is finite; text that long is beyond any sense, so it is cut. */
static bool is_finite_number(const char *from, const char *end)
{
    char text[400];
    size_t n = (size_t)(end - from);

    if (n >= sizeof(text)) {
        return true;
    }
    memcpy(text, from, n);
    text[n] = '\0';
    return isfinite(strtod(text, NULL));
}

static bool pass_number(struct locate *l)
{
    const char *from = l->now, *p = from + (*from == '-'), *digits = p, *after;
    bool is_integer = true;

    after = skip_digits(p, l->end);
    if (after == p || (*p == '0' && after - p > 1)) {
        l->now = after == p ? p : from;
        return fault(l, "this is not a number");
    }
    p = after;
    for (int part = 0; part < 2; part++) {
        bool is_exponent = part == 1;

        if (p == l->end || (is_exponent ? (*p | 0x20) != 'e' : *p != '.')) {
            continue;
        }
        is_integer = false;
        p++;
        if (is_exponent && p < l->end && (*p == '+' || *p == '-')) {
            p++;
        }
        after = skip_digits(p, l->end);
        if (after == p) {
            l->now = p;
            return fault(l, "a digit is missing");
        }
        p = after;
    }
    if (is_integer && is_beyond(*from == '-', digits, (size_t)(p - digits))) {
        return fault(l, "this integer is beyond 64 bits; send it as text");
    }
    if (!is_integer && !is_finite_number(from, p)) {
        return fault(l, "this number is too large");
    }
    l->now = p;
    return true;
}

static bool pass_word(struct locate *l)
{
    static const char *const words[] = {"true", "false", "null"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t n = strlen(words[i]);

        if ((size_t)(l->end - l->now) >= n && memcmp(l->now, words[i], n) == 0) {
            l->now += n;
            return true;
        }
    }
    return fault(l, "a value is expected here");
}

static bool pass_key(struct locate *l)
{
    skip_space(l);
    if (l->now == l->end || *l->now != '"') {
        return fault(l, "a name in quotes is expected here");
    }
    if (!pass_string(l)) {
        return false;
    }
    skip_space(l);
    if (l->now == l->end || *l->now != ':') {
        return fault(l, "a colon is expected here");
    }
    l->now++;
    return true;
}

/* Passes one scalar, an empty container, or the opening of a container (then out_opened is true). */
static bool pass_value(struct locate *l, bool *out_opened)
{
    bool is_object;

    *out_opened = false;
    skip_space(l);
    if (l->now == l->end) {
        return fault(l, "");
    }
    if (*l->now == '"') {
        return pass_string(l);
    }
    if (*l->now == '-' || is_digit(*l->now)) {
        return pass_number(l);
    }
    if (*l->now != '{' && *l->now != '[') {
        return pass_word(l);
    }
    if (l->depth == JSON_DEPTH_MAX) {
        return fault(l, "it is nested more than 32 deep; send it flatter");
    }
    is_object = *l->now == '{';
    l->now++;
    skip_space(l);
    if (l->now < l->end && *l->now == (is_object ? '}' : ']')) {
        l->now++;
        return true;
    }
    l->objects = (l->objects << 1) | is_object;
    l->depth++;
    *out_opened = true;
    return !is_object || pass_key(l);
}

/* After a value: passes closings and one comma, up to where the next value begins. */
static bool pass_between(struct locate *l)
{
    for (;;) {
        bool is_object = (l->objects & 1) != 0;

        skip_space(l);
        if (l->depth == 0) {
            return true;
        }
        if (l->now == l->end) {
            return fault(l, "");
        }
        if (*l->now == ',') {
            l->now++;
            return !is_object || pass_key(l);
        }
        if (*l->now != (is_object ? '}' : ']')) {
            return fault(l, is_object ? "a comma or } is expected here" : "a comma or ] is expected here");
        }
        l->now++;
        l->depth--;
        l->objects >>= 1;
    }
}

size_t json_split_locate(struct bytes text, const char **out_what)
{
    struct locate l = {.now = text.p, .end = text.p + text.n};
    bool opened;

    do {
        if (!pass_value(&l, &opened)) {
            break;
        }
        if (!opened && !pass_between(&l)) {
            break;
        }
    } while (opened || l.depth > 0);
    if (l.what == NULL && l.now < l.end) {
        l.what = "something follows the value";
    }
    if (l.what == NULL) {
        *out_what = "it was refused";
        return SIZE_MAX;
    }
    *out_what = l.what;
    return (size_t)(l.now - text.p);
}

/* ---- mending ---- */

struct mend {
    const char *now, *end;
    char *to;
    bool is_mended;
};

static void take(struct mend *m, size_t n)
{
    memcpy(m->to, m->now, n);
    m->to += n;
    m->now += n;
}

static void mend_string(struct mend *m)
{
    take(m, 1);
    while (m->now < m->end && *m->now != '"') {
        int half = half_of(unit_at(m->now, m->end));

        if (*m->now != '\\') {
            take(m, 1);
        } else if (half == HALF_HIGH && half_of(unit_at(m->now + 6, m->end)) == HALF_LOW) {
            take(m, 12);
        } else if (half != 0) {
            memcpy(m->to, "\\ufffd", 6);
            m->to += 6;
            m->now += 6;
            m->is_mended = true;
        } else {
            take(m, m->end - m->now > 1 ? 2 : 1);
        }
    }
    if (m->now < m->end) {
        take(m, 1);
    }
}

static void mend_number(struct mend *m)
{
    const char *digits = m->now + (*m->now == '-'), *after = skip_digits(digits, m->end);
    bool is_integer = after == m->end || (*after != '.' && (*after | 0x20) != 'e');
    bool is_mended = is_integer && is_beyond(*m->now == '-', digits, (size_t)(after - digits));

    take(m, (size_t)(after - m->now));
    if (is_mended) {
        memcpy(m->to, "e0", 2);
        m->to += 2;
        m->is_mended = true;
    } else {
        /* The rest of the number, so that its exponent's digits are not taken for another. */
        while (m->now < m->end && (is_digit(*m->now) || strchr(".eE+-", *m->now) != NULL) &&
               *m->now != '\0') {
            take(m, 1);
        }
    }
}

struct bytes json_split_mend(struct arena *arena, struct bytes text)
{
    /* An integer beyond 64 bits has at least 19 digits and gains two bytes. */
    char *room = arena_take(arena, text.n + text.n / 19 * 2 + 2);
    struct mend m = {.now = text.p, .end = text.p + text.n, .to = room};

    if (room == NULL) {
        return (struct bytes){0};
    }
    while (m.now < m.end) {
        if (*m.now == '"') {
            mend_string(&m);
        } else if (*m.now == '-' || is_digit(*m.now)) {
            mend_number(&m);
        } else {
            take(&m, 1);
        }
    }
    return m.is_mended ? (struct bytes){room, (size_t)(m.to - room)} : (struct bytes){0};
}

/* ---- cutting ---- */

static struct bytes trim(const char *from, const char *end)
{
    while (from < end && is_space(*from)) {
        from++;
    }
    while (end > from && is_space(end[-1])) {
        end--;
    }
    return (struct bytes){from, (size_t)(end - from)};
}

/* Behind the string that begins at p; end when it never closes. */
static const char *behind_string(const char *p, const char *end)
{
    for (p++; p < end; p++) {
        if (*p == '\\') {
            p++;
        } else if (*p == '"') {
            return p + 1;
        }
    }
    return end;
}

/* Goes on from p, outside strings, to the first comma or closing bracket of this level, or the end. */
static const char *to_border(const char *p, const char *end)
{
    size_t depth = 0;

    while (p < end) {
        char c = *p;

        if (c == '"') {
            p = behind_string(p, end);
            continue;
        }
        if (depth == 0 && (c == ',' || c == ']' || c == '}')) {
            return p;
        }
        if (c == '[' || c == '{') {
            depth++;
        } else if (c == ']' || c == '}') {
            depth--;
        }
        p++;
    }
    return end;
}

struct json_split json_split_array(struct bytes array)
{
    struct bytes text = trim(array.p, array.p + array.n);

    assert(text.n > 0 && text.p[0] == '[');
    return (struct json_split){.now = text.p + 1, .end = text.p + text.n};
}

struct json_split json_split_lines(struct bytes text)
{
    return (struct json_split){.now = text.p, .end = text.p + text.n, .is_lines = true};
}

static bool next_line(struct json_split *split, struct bytes *out_line)
{
    while (split->now < split->end) {
        const char *end = memchr(split->now, '\n', (size_t)(split->end - split->now));
        struct bytes line = trim(split->now, end == NULL ? split->end : end);

        split->now = end == NULL ? split->end : end + 1;
        if (line.n > 0) {
            *out_line = line;
            return true;
        }
    }
    return false;
}

bool json_split_next(struct json_split *split, struct bytes *out_element)
{
    const char *border;
    struct bytes element;
    bool is_last;

    if (split->is_lines) {
        return next_line(split, out_element);
    }
    if (split->is_over) {
        return false;
    }
    border = to_border(split->now, split->end);
    element = trim(split->now, border);
    is_last = border == split->end || *border != ',';
    split->is_over = is_last;
    split->now = is_last ? border : border + 1;
    /* "[]" and "[1,]": nothing stands before the bracket. */
    if (is_last && element.n == 0) {
        return false;
    }
    *out_element = element;
    return true;
}

struct bytes json_split_value(struct bytes text)
{
    struct bytes value = trim(text.p, text.p + text.n);
    const char *end = value.p + value.n, *border;

    if (value.n == 0) {
        return (struct bytes){0};
    }
    if (value.p[0] == '[' || value.p[0] == '{') {
        /* To the bracket that closes it: borders inside are commas of its elements. */
        border = value.p + 1;
        for (;;) {
            border = to_border(border, end);
            if (border == end) {
                return (struct bytes){0};
            }
            border++;
            if (border[-1] != ',') {
                return (struct bytes){value.p, (size_t)(border - value.p)};
            }
        }
    }
    return trim(value.p, to_border(value.p, end));
}

struct bytes json_split_member(struct bytes object, struct bytes key)
{
    struct bytes text = trim(object.p, object.p + object.n);
    const char *p = text.p + 1, *end = text.p + text.n;

    if (text.n == 0 || text.p[0] != '{') {
        return (struct bytes){0};
    }
    while (p < end) {
        const char *name = trim(p, end).p, *border = to_border(p, end), *behind;

        if (name >= border || *name != '"') {
            return (struct bytes){0};
        }
        behind = behind_string(name, border);
        p = trim(behind, border).p;
        if (p < border && *p == ':' && behind - name >= 2 &&
            bytes_equal((struct bytes){name + 1, (size_t)(behind - name) - 2}, key)) {
            return trim(p + 1, border);
        }
        if (border == end || *border != ',') {
            return (struct bytes){0};
        }
        p = border + 1;
    }
    return (struct bytes){0};
}

bool json_split_is_lines(struct bytes text)
{
    struct json_split lines = json_split_lines(text);
    struct bytes line;
    size_t n = 0;
    bool is_first_whole = false, is_all = true;

    while (json_split_next(&lines, &line)) {
        if (n == 0) {
            is_first_whole = line.p[0] == '{' && json_split_value(line).n == line.n;
        }
        is_all = is_all && line.p[0] == '{' && line.p[line.n - 1] == '}';
        n++;
    }
    return n > 1 && (is_first_whole || is_all);
}
