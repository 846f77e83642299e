/* SPDX-License-Identifier: Apache-2.0 */
/* html.h - HTML into a bounded buffer, escaped by default.
 *
 *     struct html h;
 *     html_open(&h, room, sizeof(room));
 *     html_raw(&h, "<b title=\"");  html_text(&h, title);  html_raw(&h, "\">");
 *     struct bytes page = html_bytes(&h);      {NULL, 0} when the buffer was too small
 *
 * Whatever is not a literal of this program goes through html_text (elements and quoted attributes) or
 * html_query (one value of a link's query). Nothing is cut silently: once the buffer is full, nothing more is
 * written and the result is nothing. Text comes out as valid UTF-8 without control characters (bad bytes
 * become U+FFFD, which HTML allows), so that no stored byte can end a tag, an attribute or the page. */
#pragma once

#include "base/bytes.h"

struct html {
    char *p;
    size_t n, room;
    bool is_full;
};

/* room: the caller's; lives as long as what html_bytes gives. */
void html_open(struct html *html, char *room, size_t room_bytes);
/* A literal of this program, as it is. */
void html_raw(struct html *html, const char *literal);
/* A format of this program; its arguments are numbers or words of this program, never text from outside. */
void html_rawf(struct html *html, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Text from outside, for elements and for attributes in quotes. */
void html_text(struct html *html, struct bytes text);
/* The same for the name of a ware: a till's capitals come small ("ICE - CRUSHED" as "Ice - crushed"), text with a small
 * letter is left as it is. */
void html_title(struct html *html, struct bytes text);
/* Text from outside as one value of a query: all but letters, digits and -._~ percent-encoded. */
void html_query(struct html *html, struct bytes text);
/* 1234567 as "1,234,567". */
void html_count(struct html *html, int64_t count);
struct bytes html_bytes(const struct html *html);
