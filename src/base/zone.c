/* SPDX-License-Identifier: Apache-2.0 */
/* TZif, version 2 and newer: a header and a block with 32-bit times (passed over), the same again with
 * 64-bit times, then the rule for later times in the form of POSIX TZ between two line feeds:
 *
 *     "TZif" version 15 zeros  isutc isstd leap time type char (6 counts of 4 bytes)
 *     time x (8 | 4) bytes, time x type index, type x { offset i32, is_dst u8, name u8 }, char, leap, isstd, isutc */
#include "base/zone.h"

#include "base/pack.h"

enum { FILE_BYTES_MAX = 1 << 20, RULE_YEAR_MAX = 2200, RULE_CHANGES_MAX = 2 * 231 };
enum { OFFSET_MAX_S = 93600 }; /* 26 hours: RFC 8536, 3.2 */

struct counts {
    uint32_t isutc, isstd, leap, time, type, name;
};

static bool read_header(struct unpack *from, struct counts *out_counts)
{
    struct bytes magic = unpack_raw(from, 4);
    uint8_t version = unpack_u8(from);

    (void)unpack_raw(from, 15);
    out_counts->isutc = unpack_u32(from);
    out_counts->isstd = unpack_u32(from);
    out_counts->leap = unpack_u32(from);
    out_counts->time = unpack_u32(from);
    out_counts->type = unpack_u32(from);
    out_counts->name = unpack_u32(from);
    return !from->bad && bytes_equal(magic, BYTES_LIT("TZif")) && version >= '2' && out_counts->type > 0 &&
           out_counts->type <= 256 && out_counts->time <= 100000 && out_counts->leap <= 10000 &&
           out_counts->name <= 65536 && out_counts->isutc <= 256 && out_counts->isstd <= 256;
}

/* ---- the footer's rule ---- */

struct moment { /* Mm.w.d/time: d of week w (5: the last) of month m, seconds after midnight */
    int month, week, day;
    int32_t seconds;
};

struct rule {
    int32_t standard_s, summer_s; /* east of Greenwich */
    struct moment begins, ends;
    bool has_summer;
};

static bool take(struct bytes *text, char c)
{
    if (text->n == 0 || text->p[0] != c) {
        return false;
    }
    text->p++;
    text->n--;
    return true;
}

static bool take_name(struct bytes *text)
{
    size_t n = 0;

    if (take(text, '<')) {
        while (text->n > 0 && text->p[0] != '>') {
            text->p++;
            text->n--;
        }
        return take(text, '>');
    }
    while (n < text->n && ((text->p[n] >= 'A' && text->p[n] <= 'Z') || (text->p[n] >= 'a' && text->p[n] <= 'z'))) {
        n++;
    }
    text->p += n;
    text->n -= n;
    return n >= 3;
}

static bool take_number(struct bytes *text, int most, int *out_number)
{
    int v = 0;
    size_t n = 0;

    while (n < text->n && text->p[n] >= '0' && text->p[n] <= '9' && v <= most) {
        v = v * 10 + (text->p[n++] - '0');
    }
    text->p += n;
    text->n -= n;
    *out_number = v;
    return n > 0 && v <= most;
}

/* [+-]h[h][:mm[:ss]] in seconds. */
static bool take_clock(struct bytes *text, int32_t *out_seconds)
{
    bool is_minus = take(text, '-');
    int hours = 0, minutes = 0, seconds = 0;

    if (!is_minus) {
        (void)take(text, '+');
    }
    if (!take_number(text, 167, &hours) || (take(text, ':') && (!take_number(text, 59, &minutes) ||
                                            (take(text, ':') && !take_number(text, 59, &seconds))))) {
        return false;
    }
    *out_seconds = (hours * 3600 + minutes * 60 + seconds) * (is_minus ? -1 : 1);
    return true;
}

static bool take_moment(struct bytes *text, struct moment *out_moment)
{
    out_moment->seconds = 7200;
    return take(text, ',') && take(text, 'M') && take_number(text, 12, &out_moment->month) && out_moment->month > 0 &&
           take(text, '.') && take_number(text, 5, &out_moment->week) && out_moment->week > 0 && take(text, '.') &&
           take_number(text, 6, &out_moment->day) && (!take(text, '/') || take_clock(text, &out_moment->seconds));
}

static bool read_rule(struct bytes text, struct rule *out_rule)
{
    int32_t west = 0;

    if (!take_name(&text) || !take_clock(&text, &west)) {
        return false;
    }
    out_rule->standard_s = -west;
    out_rule->has_summer = text.n > 0;
    if (!out_rule->has_summer) {
        return true;
    }
    if (!take_name(&text)) {
        return false;
    }
    out_rule->summer_s = out_rule->standard_s + 3600;
    if (text.n > 0 && text.p[0] != ',') {
        if (!take_clock(&text, &west)) {
            return false;
        }
        out_rule->summer_s = -west;
    }
    return take_moment(&text, &out_rule->begins) && take_moment(&text, &out_rule->ends) && text.n == 0;
}

/* UTC of a moment in a year, on a clock that is offset_s ahead. */
static int64_t moment_utc(const struct moment *moment, int year, int32_t offset_s)
{
    int64_t first = time_days(year, moment->month, 1);
    int64_t next = moment->month == 12 ? time_days(year + 1, 1, 1) : time_days(year, moment->month + 1, 1);
    int64_t weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
    int64_t day = first + (moment->day - weekday + 7) % 7 + (int64_t)(moment->week - 1) * 7;

    while (day >= next) {
        day -= 7;
    }
    return day * DAY_MS + (moment->seconds - (int64_t)offset_s) * SECOND_MS;
}

struct growing { /* the arrays of a zone while they are filled */
    int64_t *change_ms;
    int32_t *offset_ms;
    size_t n;
};

static void add_change(struct growing *to, int64_t at_ms, int32_t offset_s)
{
    if (to->n == 0 || at_ms > to->change_ms[to->n - 1]) {
        to->change_ms[to->n] = at_ms;
        to->offset_ms[++to->n] = offset_s * 1000;
    }
}

static void add_rule(struct growing *to, const struct rule *rule)
{
    int year = to->n > 0 ? time_civil(to->change_ms[to->n - 1]).year : 1970;

    for (; rule->has_summer && year <= RULE_YEAR_MAX; year++) {
        int64_t begins = moment_utc(&rule->begins, year, rule->standard_s);
        int64_t ends = moment_utc(&rule->ends, year, rule->summer_s);

        add_change(to, begins < ends ? begins : ends, begins < ends ? rule->summer_s : rule->standard_s);
        add_change(to, begins < ends ? ends : begins, begins < ends ? rule->standard_s : rule->summer_s);
    }
}

/* ---- the file ---- */

static bool read_block(struct unpack *from, const struct counts *counts, struct growing *to)
{
    struct bytes times = unpack_raw(from, (size_t)counts->time * 8);
    struct bytes indices = unpack_raw(from, counts->time);
    struct bytes types = unpack_raw(from, (size_t)counts->type * 6);
    int32_t first_s;

    (void)unpack_raw(from, (size_t)counts->name + (size_t)counts->leap * 12 + counts->isstd + counts->isutc);
    if (from->bad) {
        return false;
    }
    first_s = (int32_t)get_be32((const uint8_t *)types.p);
    if (first_s < -OFFSET_MAX_S || first_s > OFFSET_MAX_S) {
        return false;
    }
    to->offset_ms[0] = first_s * 1000;
    for (uint32_t i = 0; i < counts->time; i++) {
        int64_t at_s = (int64_t)get_be64((const uint8_t *)times.p + (size_t)i * 8);
        uint8_t type = (uint8_t)indices.p[i];
        int32_t offset_s;

        if (type >= counts->type) {
            return false;
        }
        offset_s = (int32_t)get_be32((const uint8_t *)types.p + (size_t)type * 6);
        if (offset_s < -OFFSET_MAX_S || offset_s > OFFSET_MAX_S) {
            return false;
        }
        if (at_s < TIME_MIN_MS / SECOND_MS) {
            to->offset_ms[0] = offset_s * 1000; /* older than any time we take: the offset it begins with */
        } else if (at_s < TIME_MAX_MS / SECOND_MS) {
            add_change(to, at_s * SECOND_MS, offset_s);
        }
    }
    return true;
}

enum err zone_read(struct bytes file, struct arena *arena, struct zone *out_zone)
{
    struct unpack from = unpack_from(file);
    struct counts counts;
    struct growing to = {0};
    struct rule rule = {0};
    struct bytes footer;
    int64_t *local_ms;

    if (file.n > FILE_BYTES_MAX || !read_header(&from, &counts)) {
        return ERR_INVALID;
    }
    (void)unpack_raw(&from, (size_t)counts.time * 5 + (size_t)counts.type * 6 + counts.name + (size_t)counts.leap * 8 +
                                counts.isstd + counts.isutc);
    if (!read_header(&from, &counts)) {
        return ERR_INVALID;
    }
    to.change_ms = arena_array(arena, counts.time + RULE_CHANGES_MAX + 1u, sizeof(int64_t));
    to.offset_ms = arena_array(arena, counts.time + RULE_CHANGES_MAX + 2u, sizeof(int32_t));
    local_ms = arena_array(arena, counts.time + RULE_CHANGES_MAX + 1u, sizeof(int64_t));
    if (arena_overflowed(arena)) {
        return ERR_NOMEM;
    }
    if (!read_block(&from, &counts, &to)) {
        return ERR_INVALID;
    }
    footer = unpack_raw(&from, file.n - from.at);
    if (footer.n > 2 && footer.p[0] == '\n' && footer.p[footer.n - 1] == '\n') {
        if (!read_rule((struct bytes){footer.p + 1, footer.n - 2}, &rule)) {
            return ERR_INVALID;
        }
        add_rule(&to, &rule);
    }
    for (size_t i = 0; i < to.n; i++) {
        int32_t before = to.offset_ms[i], after = to.offset_ms[i + 1];

        local_ms[i] = to.change_ms[i] + (before > after ? before : after);
    }
    *out_zone = (struct zone){to.change_ms, local_ms, to.offset_ms, to.n};
    return ERR_OK;
}

/* How many of the ascending times are <= at. */
static size_t count_until(const int64_t *times, size_t n, int64_t at)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (times[middle] <= at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

int64_t zone_utc(const struct zone *zone, int64_t local_ms)
{
    return zone->n == 0 && zone->offset_ms == NULL
               ? local_ms
               : local_ms - zone->offset_ms[count_until(zone->local_ms, zone->n, local_ms)];
}

int64_t zone_local(const struct zone *zone, int64_t at_ms)
{
    return zone->n == 0 && zone->offset_ms == NULL
               ? at_ms
               : at_ms + zone->offset_ms[count_until(zone->change_ms, zone->n, at_ms)];
}
