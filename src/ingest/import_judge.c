/* SPDX-License-Identifier: Apache-2.0 */
/* What a map means on a row: columns found in a header, filters asked, numbers and times read. */
#include "ingest/import_map.h"

#include "base/nearest.h"

#include <assert.h>
#include <stdio.h>

/* ---- columns ---- */

static enum err find_column(struct bytes name, const struct bytes *header, size_t header_n, uint16_t *out_at,
                            struct why *why)
{
    size_t nearest = 0, least = SIZE_MAX;
    char field[96];

    for (size_t i = 0; i < header_n; i++) {
        size_t far;

        if (bytes_equal(name, header[i])) {
            *out_at = (uint16_t)i;
            return ERR_OK;
        }
        far = nearest_distance(name, header[i]);
        if (far < least) {
            least = far;
            nearest = i;
        }
    }
    snprintf(field, sizeof(field), "%.*s", (int)(name.n < 90 ? name.n : 90), name.p);
    return why_say(why, ERR_INVALID, "no_column", field,
                   "the file has no column `%s` that the map names; the nearest is `%.*s`: correct the map or the file",
                   field, header_n > 0 ? (int)(header[nearest].n < 60 ? header[nearest].n : 60) : 0,
                   header_n > 0 ? header[nearest].p : "");
}

static enum err bind_column(struct import_column *column, const struct bytes *header, size_t n, struct why *why)
{
    enum err err = ERR_OK;

    if (column->name.n > 0) {
        err = find_column(column->name, header, n, &column->at, why);
    }
    if (err == ERR_OK && column->times.n > 0) {
        err = find_column(column->times, header, n, &column->times_at, why);
    }
    return err;
}

static enum err bind_text(struct import_text *text, const struct bytes *header, size_t n, struct why *why)
{
    for (size_t i = 0; i < text->n; i++) {
        for (size_t j = 0; j < text->parts[i].n; j++) {
            enum err err = bind_column(&text->parts[i].columns[j], header, n, why);

            if (err != ERR_OK) {
                return err;
            }
        }
    }
    return ERR_OK;
}

enum err import_bind(const struct import_sheet *sheet, const struct bytes *header, size_t header_n, struct arena *arena,
                     struct import_sheet **out_bound, struct why *why)
{
    struct import_sheet *bound = arena_take(arena, sizeof(*bound));
    enum err err = ERR_OK;

    if (bound == NULL) {
        return ERR_NOMEM;
    }
    *bound = *sheet;
    for (size_t i = 0; i < IMPORT_FIELDS && err == ERR_OK; i++) {
        err = bind_column(&bound->fields[i], header, header_n, why);
    }
    for (size_t i = 0; i < bound->identifiers_n && err == ERR_OK; i++) {
        err = bind_column(&bound->identifiers[i].column, header, header_n, why);
    }
    for (size_t i = 0; i < bound->facts_n && err == ERR_OK; i++) {
        err = bind_column(&bound->facts[i].column, header, header_n, why);
    }
    for (size_t i = 0; i < bound->filters_n && err == ERR_OK; i++) {
        if (bound->filters[i].section == IMPORT_LINES) {
            err = bind_column(&bound->filters[i].column, header, header_n, why);
        }
    }
    if (err == ERR_OK) {
        err = bind_text(&bound->title, header, header_n, why);
    }
    if (err == ERR_OK) {
        err = bind_text(&bound->category, header, header_n, why);
    }
    if (err == ERR_OK) {
        *out_bound = bound;
    }
    return err;
}

enum err import_bind_filters(const struct import_sheet *lines, enum import_section section, const struct bytes *header,
                             size_t header_n, struct arena *arena, struct import_filter **out_filters, size_t *out_n,
                             struct why *why)
{
    struct import_filter *filters = arena_array(arena, lines->filters_n + 1, sizeof(*filters));
    size_t n = 0;

    if (filters == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < lines->filters_n; i++) {
        if (lines->filters[i].section == section) {
            enum err err;

            filters[n] = lines->filters[i];
            err = bind_column(&filters[n].column, header, header_n, why);
            if (err != ERR_OK) {
                return err;
            }
            n++;
        }
    }
    *out_filters = filters;
    *out_n = n;
    return ERR_OK;
}

struct bytes import_column_text(const struct import_column *column, const struct bytes *fields, char *room, size_t room_n)
{
    struct bytes text = fields[column->at];

    if (!column->is_upper || text.n > room_n) {
        return text;
    }
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        room[i] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    }
    return (struct bytes){room, text.n};
}

/* ---- filters ---- */

bool import_pattern_matches(const struct import_pattern *pattern, struct bytes text)
{
    uint64_t places = 1; /* bit i: atoms 0 .. i - 1 are done */
    uint64_t end = UINT64_C(1) << pattern->n;

    for (size_t at = 0;; at++) {
        uint64_t next = 0;
        unsigned char c;

        for (size_t i = 0; i < pattern->n; i++) {
            if ((places >> i & 1) != 0 && (pattern->may_skip >> i & 1) != 0) {
                places |= UINT64_C(1) << (i + 1);
            }
        }
        if (at == text.n) {
            return (places & end) != 0;
        }
        c = (unsigned char)text.p[at];
        for (size_t i = 0; i < pattern->n; i++) {
            if ((pattern->set[i][c >> 6] >> (c & 63) & 1) == 0) {
                continue;
            }
            if ((places >> i & 1) != 0) {
                next |= UINT64_C(1) << (i + 1);
            }
            /* An atom that may repeat is taken once more from behind itself. */
            if ((places >> (i + 1) & 1) != 0 && (pattern->may_repeat >> i & 1) != 0) {
                next |= UINT64_C(1) << (i + 1);
            }
        }
        if (next == 0) {
            return false;
        }
        places = next;
    }
}

static bool is_in(const struct import_filter *filter, struct bytes text)
{
    for (size_t i = 0; i < filter->values_n; i++) {
        if (bytes_equal(filter->values[i], text)) {
            return true;
        }
    }
    return false;
}

static enum import_judgement judge_one(const struct import_filter *filter, struct bytes text, char decimal,
                                       struct why *why)
{
    bool holds = false;
    int64_t number;
    char field[96];

    if (filter->test >= IMPORT_TEST_EQUAL && !import_number(text, decimal, &number)) {
        if (text.n == 0) {
            return IMPORT_LEAVE; /* nothing there is neither more nor less than a number */
        }
        snprintf(field, sizeof(field), "%.*s", (int)(filter->column.name.n < 90 ? filter->column.name.n : 90),
                 filter->column.name.p);
        (void)why_say(why, ERR_INVALID, "not_a_number", field, "`%s` must be a number (decimal sign `%c`); correct the row",
                      field, decimal);
        return IMPORT_FAULT;
    }
    switch (filter->test) {
    case IMPORT_TEST_IN:
        holds = is_in(filter, text);
        break;
    case IMPORT_TEST_MATCHES:
        holds = import_pattern_matches(filter->pattern, text);
        break;
    case IMPORT_TEST_EMPTY:
        holds = text.n == 0;
        break;
    case IMPORT_TEST_EQUAL:
        holds = number == filter->number_micro;
        break;
    case IMPORT_TEST_LESS:
        holds = number < filter->number_micro;
        break;
    case IMPORT_TEST_MORE:
        holds = number > filter->number_micro;
        break;
    }
    return holds != filter->is_not ? IMPORT_KEEP : IMPORT_LEAVE;
}

enum import_judgement import_judge(const struct import_filter *filters, size_t filters_n, enum import_section section,
                                   const struct bytes *fields, char decimal, struct why *why)
{
    for (size_t i = 0; i < filters_n; i++) {
        char room[256];
        struct bytes text = {0};
        enum import_judgement judgement;

        if (filters[i].section != section) {
            continue;
        }
        if (fields != NULL) {
            text = import_column_text(&filters[i].column, fields, room, sizeof(room));
        }
        judgement = judge_one(&filters[i], text, decimal, why);
        if (judgement != IMPORT_KEEP) {
            return judgement;
        }
    }
    return IMPORT_KEEP;
}

/* ---- numbers and times ---- */

bool import_number(struct bytes text, char decimal, int64_t *out_micro)
{
    int64_t whole = 0, part = 0, scale = 100000;
    size_t at = 0, digits_n = 0;
    bool is_minus = false, rounds_up = false;

    while (text.n > 0 && (text.p[0] == ' ' || text.p[0] == '\t')) {
        text.p++;
        text.n--;
    }
    while (text.n > 0 && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\t')) {
        text.n--;
    }
    if (at < text.n && (text.p[at] == '-' || text.p[at] == '+')) {
        is_minus = text.p[at++] == '-';
    }
    for (; at < text.n && text.p[at] >= '0' && text.p[at] <= '9'; at++, digits_n++) {
        whole = whole * 10 + (text.p[at] - '0');
        if (whole > INT64_C(9000000000000)) {
            return false;
        }
    }
    if (at < text.n && text.p[at] == decimal) {
        for (at++; at < text.n && text.p[at] >= '0' && text.p[at] <= '9'; at++, digits_n++) {
            if (scale == 0) {
                rounds_up = rounds_up || text.p[at] >= '5';
                scale = -1;
            } else if (scale > 0) {
                part += (text.p[at] - '0') * scale;
                scale /= 10;
            }
        }
    }
    if (at != text.n || digits_n == 0) {
        return false;
    }
    whole = whole * 1000000 + part + rounds_up;
    *out_micro = is_minus ? -whole : whole;
    return true;
}

struct time_reading {
    struct civil civil;
    int64_t epoch_s, offset_ms;
    bool has_epoch, has_offset;
};

static bool take_digits(struct bytes text, size_t *at, size_t least, size_t most, int64_t *out_value)
{
    int64_t v = 0;
    size_t n = 0;

    while (n < most && *at < text.n && text.p[*at] >= '0' && text.p[*at] <= '9') {
        v = v * 10 + (text.p[(*at)++] - '0');
        n++;
    }
    *out_value = v;
    return n >= least;
}

static bool take_offset(struct bytes text, size_t *at, struct time_reading *reading)
{
    int64_t hours = 0, minutes = 0;
    bool is_west;

    reading->has_offset = true;
    if (*at < text.n && text.p[*at] == 'Z') {
        (*at)++;
        return true;
    }
    if (*at >= text.n || (text.p[*at] != '+' && text.p[*at] != '-')) {
        return false;
    }
    is_west = text.p[(*at)++] == '-';
    if (!take_digits(text, at, 2, 2, &hours)) {
        return false;
    }
    if (*at < text.n && text.p[*at] == ':') {
        (*at)++;
    }
    if (!take_digits(text, at, 2, 2, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    reading->offset_ms = (hours * HOUR_MS + minutes * MINUTE_MS) * (is_west ? -1 : 1);
    return true;
}

static bool take_fraction(struct bytes text, size_t *at, struct time_reading *reading)
{
    int scale = 100;
    size_t from = *at;

    reading->civil.ms = 0;
    while (*at < text.n && *at - from < 9 && text.p[*at] >= '0' && text.p[*at] <= '9') {
        reading->civil.ms += (text.p[(*at)++] - '0') * scale;
        scale /= 10;
    }
    return *at > from;
}

/* One %X of a format. */
static bool take_part(char what, struct bytes text, size_t *at, struct time_reading *reading)
{
    int *const into[] = {&reading->civil.year, &reading->civil.month,  &reading->civil.day,
                         &reading->civil.hour, &reading->civil.minute, &reading->civil.second};
    static const char letters[] = "YmdHMS";
    const char *letter = strchr(letters, what);
    int64_t value;

    if (what == 'f') {
        return take_fraction(text, at, reading);
    }
    if (what == 'z') {
        return take_offset(text, at, reading);
    }
    if (what == 's') {
        reading->has_epoch = true;
        return take_digits(text, at, 1, 11, &reading->epoch_s);
    }
    if (what == 'y') {
        /* POSIX: 69 to 99 are 1969 to 1999. */
        if (!take_digits(text, at, 2, 2, &value)) {
            return false;
        }
        reading->civil.year = (int)(value < 69 ? 2000 + value : 1900 + value);
        return true;
    }
    assert(letter != NULL && *letter != '\0'); /* the map was checked when it was read */
    if (!take_digits(text, at, what == 'Y' ? 4 : 1, what == 'Y' ? 4 : 2, &value)) {
        return false;
    }
    *into[letter - letters] = (int)value;
    return true;
}

static bool read_format(struct bytes text, struct bytes format, struct time_reading *reading)
{
    size_t at = 0;

    for (size_t i = 0; i < format.n; i++) {
        if (format.p[i] != '%' || format.p[i + 1] == '%') {
            i += format.p[i] == '%';
            if (at >= text.n || text.p[at++] != format.p[i]) {
                return false;
            }
        } else if (!take_part(format.p[++i], text, &at, reading)) {
            return false;
        }
    }
    return at == text.n;
}

static bool is_civil(const struct civil *c)
{
    static const int days[12] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (c->year % 4 == 0 && c->year % 100 != 0) || c->year % 400 == 0;

    return c->month >= 1 && c->month <= 12 && c->day >= 1 && c->day <= days[c->month - 1] &&
           (c->month != 2 || c->day < 29 || is_leap) && c->hour <= 23 && c->minute <= 59 && c->second <= 60;
}

bool import_time(struct bytes text, struct bytes format, int64_t *out_ms, bool *out_is_utc)
{
    struct time_reading reading = {.civil = {1970, 1, 1, 0, 0, 0, 0}};
    int64_t at_ms;

    if (format.n == 0) {
        if (time_parse(text, &at_ms) == ERR_OK) {
            reading.has_offset = true;
        } else if (time_parse_civil(text, &reading.civil) == ERR_OK) {
            at_ms = time_of_civil(reading.civil);
        } else {
            return false;
        }
    } else {
        if (!read_format(text, format, &reading) || (!reading.has_epoch && !is_civil(&reading.civil))) {
            return false;
        }
        at_ms = reading.has_epoch ? reading.epoch_s * SECOND_MS + reading.civil.ms
                                  : time_of_civil(reading.civil) - reading.offset_ms;
    }
    if (at_ms < TIME_MIN_MS || at_ms > TIME_MAX_MS) {
        return false;
    }
    *out_ms = at_ms;
    *out_is_utc = reading.has_offset || reading.has_epoch;
    return true;
}
