/* SPDX-License-Identifier: Apache-2.0 */
#include "api/html.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void html_open(struct html *html, char *room, size_t room_bytes)
{
    *html = (struct html){.p = room, .room = room_bytes};
}

static void put(struct html *html, const char *p, size_t n)
{
    if (html->is_full || n > html->room - html->n) {
        html->is_full = true;
        return;
    }
    if (n > 0)
        memcpy(html->p + html->n, p, n);
    html->n += n;
}

void html_raw(struct html *html, const char *literal)
{
    put(html, literal, strlen(literal));
}

void html_rawf(struct html *html, const char *format, ...)
{
    char text[1024];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    assert(n >= 0 && (size_t)n < sizeof(text)); /* numbers and own words are short */
    put(html, text, (size_t)n);
}

/* Gives the length of the UTF-8 character at p, 0 when there is none (overlong, surrogate, cut). */
static size_t character(const unsigned char *p, size_t n)
{
    static const struct {
        unsigned char from, to, second_from, second_to;
        size_t length;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    if (p[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (p[0] < forms[i].from || p[0] > forms[i].to)
            continue;
        if (n < forms[i].length || p[1] < forms[i].second_from || p[1] > forms[i].second_to)
            return 0;
        for (size_t at = 2; at < forms[i].length; at++)
            if ((p[at] & 0xc0) != 0x80)
                return 0;
        return forms[i].length;
    }
    return 0;
}

static void put_character(struct html *html, const unsigned char *p, size_t length)
{
    if (length == 0)
        html_raw(html, "\xef\xbf\xbd");
    else if (*p == '&')
        html_raw(html, "&amp;");
    else if (*p == '<')
        html_raw(html, "&lt;");
    else if (*p == '>')
        html_raw(html, "&gt;");
    else if (*p == '"')
        html_raw(html, "&quot;");
    else if (*p == '\'')
        html_raw(html, "&#39;");
    else if (*p < 0x20 || *p == 0x7f)
        html_raw(html, *p == '\n' ? "\n" : *p == '\t' || *p == '\r' ? " " : "\xef\xbf\xbd");
    else
        put(html, (const char *)p, length);
}

void html_text(struct html *html, struct bytes text)
{
    const unsigned char *p = (const unsigned char *)text.p;

    for (size_t at = 0; at < text.n;) {
        size_t length = character(p + at, text.n - at);

        put_character(html, p + at, length);
        at += length > 0 ? length : 1;
    }
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool has_small_letter(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((text.p[i] >= 'a' && text.p[i] <= 'z') || (unsigned char)text.p[i] >= 0x80)
            return true;
    return false;
}

void html_title(struct html *html, struct bytes text)
{
    if (has_small_letter(text)) {
        html_text(html, text);
        return;
    }
    for (size_t at = 0; at < text.n; at++) {
        char c = text.p[at];

        if (at > 0 && c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        put_character(html, (const unsigned char *)&c, 1);
        if ((c == ':' || c == ',') && at + 1 < text.n && text.p[at + 1] != ' ')
            html_raw(html, " ");
    }
}

void html_query(struct html *html, struct bytes text)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        char coded[3] = {'%', digits[c >> 4], digits[c & 15]};

        if (is_letter((char)c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~')
            put(html, text.p + i, 1);
        else
            put(html, coded, 3);
    }
}

void html_count(struct html *html, int64_t count)
{
    char plain[24];
    int n = snprintf(plain, sizeof(plain), "%" PRId64, count);

    for (int i = 0; i < n; i++) {
        put(html, plain + i, 1);
        if (plain[i] != '-' && i + 1 < n && (n - i - 1) % 3 == 0)
            html_raw(html, ",");
    }
}

struct bytes html_bytes(const struct html *html)
{
    return html->is_full ? (struct bytes){0} : (struct bytes){html->p, html->n};
}
