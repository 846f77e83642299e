/* SPDX-License-Identifier: Apache-2.0 */
/* import_map.h - how the columns of somebody's files become receipts, items, customers and stores.
 *
 * A map is a text of lines `key = value`, sections in brackets, comments after `;` or `#` at the beginning
 * of a line. Before any section come the receipts' lines:
 *
 *     source = till-export              stable name of the sending system; with `id` the receipt's identity
 *     consent = store personalise measure   what the customers agreed to; without it lines come in anonymous
 *     currency = NOK                    ISO 4217              time_zone = Europe/Oslo     of times without offset
 *     channel = till                    decimal = .           delimiter = , (or ; or tab)
 *     id = receipt_no                   at = sold_at          at.format = %d.%m.%Y %H:%M:%S
 *     customer.member = member_no       any identifier kind; several lines for several kinds
 *     store = store_no                  item = upper(sku)     quantity = pieces
 *     paid = price * pieces             of the whole line: one column, or two multiplied
 *     keep = pieces > 0                 only rows that pass every `keep` count; the others are left out, not faults
 *
 * Filters (a column's name with blanks stands in quotes): COLUMN [not] in a, b, c | COLUMN [not] matches PATTERN | COLUMN [not] empty | COLUMN OP NUMBER with
 * = != < <= > >= | COLUMN = TEXT | COLUMN != TEXT. `upper(COLUMN)` is its text in capitals (ASCII).
 * `items.COLUMN` and `customers.COLUMN` look into the row of the file of [items] or [customers] whose id is
 * this line's; where there is no such row the text is empty. PATTERN covers the whole text: letters for
 * themselves, `.`, [A-Z0-9], [^ ...], then * + ? {n} {n,m}.
 *
 * [items]: file = products (beside the lines: products.csv, .csv.gz or .csv.zst), id, title, group, brand,
 *   url, image, price, category = outer, inner; title = a | b, c (the first of a and b that is not empty, then c);
 *   title.form = sentence and category.form = sentence turn CAPITALS into readable text.
 * [customers]: file, customer.KIND, fact.NAME = column.   [stores]: file, id, name, time_zone, country, postcode, city.
 *   All three take `delimiter` and `keep`.
 * [words]: ABBREVIATION = word, used by the form `sentence`.
 *
 * The parser is our own (libinih has no line numbers here, cuts lines at 200 bytes and needs a NUL). */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "event/event.h"

enum {
    IMPORT_MAP_BYTES_MAX = 65536,
    IMPORT_MAP_FILTERS_MAX = 64,
    IMPORT_MAP_VALUES_MAX = 256, /* texts of one `in` */
    IMPORT_MAP_FACTS_MAX = 32,
    IMPORT_MAP_WORDS_MAX = 512,
    IMPORT_MAP_PARTS_MAX = 8,
    IMPORT_PATTERN_ATOMS = 63,
};

enum import_section {
    IMPORT_LINES = 0,
    IMPORT_ITEMS = 1,
    IMPORT_CUSTOMERS = 2,
    IMPORT_STORES = 3,
    IMPORT_SECTIONS
};

enum import_field { /* what a row can give; fields_given bit f */
    IMPORT_ID,
    IMPORT_AT,
    IMPORT_STORE,
    IMPORT_ITEM,
    IMPORT_QUANTITY,
    IMPORT_PAID,
    IMPORT_TITLE,
    IMPORT_GROUP,
    IMPORT_BRAND,
    IMPORT_URL,
    IMPORT_IMAGE,
    IMPORT_PRICE,
    IMPORT_CATEGORY,
    IMPORT_NAME,
    IMPORT_TIME_ZONE,
    IMPORT_COUNTRY,
    IMPORT_POSTCODE,
    IMPORT_CITY,
    IMPORT_FIELDS
};

struct import_column { /* where a text comes from; all zero: not given */
    struct bytes name;  /* of the column */
    struct bytes times; /* a second column to multiply by; may be empty */
    bool is_upper;
    uint16_t at, times_at; /* places in the row, set by import_bind */
};

struct import_choice { /* one part of a title or category: the first column that is not empty */
    struct import_column columns[IMPORT_MAP_PARTS_MAX];
    size_t n;
};

struct import_text { /* parts in order */
    struct import_choice parts[IMPORT_MAP_PARTS_MAX];
    size_t n;
    bool is_sentence; /* the form `sentence` */
};

struct import_pattern { /* atoms in order; atom i takes one byte of set[i] */
    uint64_t set[IMPORT_PATTERN_ATOMS][4];
    uint64_t may_skip, may_repeat; /* bit i */
    size_t n;
};

enum import_test {
    IMPORT_TEST_IN = 1, /* also = and != with a text */
    IMPORT_TEST_MATCHES,
    IMPORT_TEST_EMPTY,
    IMPORT_TEST_EQUAL, /* numbers from here on */
    IMPORT_TEST_LESS,
    IMPORT_TEST_MORE,
};

struct import_filter {
    enum import_section section; /* whose row the column is of: IMPORT_LINES means the section's own */
    struct import_column column;
    enum import_test test;
    bool is_not;
    const struct bytes *values; /* of IN */
    size_t values_n;
    int64_t number_micro; /* in 1/1,000,000 */
    const struct import_pattern *pattern;
    unsigned line; /* of the map */
};

struct import_fact {
    struct bytes name;
    struct import_column column;
};

struct import_sheet { /* one section: one kind of file */
    struct bytes file; /* its name without ending; empty: not named */
    char delimiter;
    bool is_given;
    struct import_column fields[IMPORT_FIELDS];
    struct import_text title, category;
    struct {
        enum identifier_kind kind;
        struct bytes x_name; /* of kind x-name */
        struct import_column column;
    } identifiers[EVENT_IDENTIFIERS_MAX];
    size_t identifiers_n;
    struct import_filter filters[IMPORT_MAP_FILTERS_MAX];
    size_t filters_n;
    struct import_fact facts[IMPORT_MAP_FACTS_MAX];
    size_t facts_n;
};

struct import_map { /* text lives in the arena of import_map_read */
    struct bytes source, time_zone, at_format;
    char currency[4];
    enum channel channel;
    char decimal;
    bool has_consent;
    uint16_t purposes; /* bit p: consented */
    struct import_sheet sheets[IMPORT_SECTIONS];
    struct {
        struct bytes from, to;
    } words[IMPORT_MAP_WORDS_MAX];
    size_t words_n;
    uint8_t hash[32]; /* of the map's text: with the file's hash the name of an import */
};

/* Reads a map; it is copied. Checks grammar and completeness of the sections that are given, not columns: those are
 * checked against a file's header by import_bind. Errors: ERR_INVALID, why names the line, what is wrong and the
 * remedy; ERR_TOOBIG, over a limit above; ERR_NOMEM. */
MUST_USE enum err import_map_read(struct bytes text, struct arena *arena, const struct import_map **out_map,
                                  struct why *why);

/* ---- used by the readers ---- */

/* Finds the columns of a sheet in a file's header: a copy of the sheet with places set. Filters on other sections are
 * bound by whoever reads those. Errors: ERR_INVALID, why names the missing column and the nearest that is there. */
MUST_USE enum err import_bind(const struct import_sheet *sheet, const struct bytes *header, size_t header_n,
                              struct arena *arena, struct import_sheet **out_bound, struct why *why);
/* Binds only filters: those of `lines` that look into `section`. */
MUST_USE enum err import_bind_filters(const struct import_sheet *lines, enum import_section section,
                                      const struct bytes *header, size_t header_n, struct arena *arena,
                                      struct import_filter **out_filters, size_t *out_n, struct why *why);

enum import_judgement { IMPORT_KEEP = 0, IMPORT_LEAVE, IMPORT_FAULT /* not a number: why says which */ };
/* fields: the row, as many as the header; NULL: an absent row, all texts empty. section: only filters on it are asked. */
enum import_judgement import_judge(const struct import_filter *filters, size_t filters_n, enum import_section section,
                                   const struct bytes *fields, char decimal, struct why *why);
bool import_pattern_matches(const struct import_pattern *pattern, struct bytes text);
/* A decimal number in 1/1,000,000, rounded half away from zero; blanks around it allowed. False: it is none or does
 * not fit. */
bool import_number(struct bytes text, char decimal, int64_t *out_micro);
/* Local civil time as if UTC when the text has no offset (is_utc false), else UTC. format empty: RFC 3339, or a date
 * (and time) without offset. Formats know %Y %y %m %d %H %M %S %f %z %s %%. */
bool import_time(struct bytes text, struct bytes format, int64_t *out_ms, bool *out_is_utc);
/* The text of a column of a row: `upper` is applied, in `room` (of room_n bytes) where needed. Borrowed. */
struct bytes import_column_text(const struct import_column *column, const struct bytes *fields, char *room, size_t room_n);
