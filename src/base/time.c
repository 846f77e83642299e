/* SPDX-License-Identifier: Apache-2.0 */
/* Civil dates are computed by the days-from-civil method (a year that begins in March, eras of 400
 * years). Origin: H. Hinnant, "chrono-compatible low-level date algorithms". */
#include "base/time.h"

#include <stdio.h>

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

int64_t time_days(int year, int month, int day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = floor_div(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

int64_t time_of_civil(struct civil c)
{
    return time_days(c.year, c.month, c.day) * DAY_MS + c.hour * HOUR_MS + c.minute * MINUTE_MS +
           c.second * SECOND_MS + c.ms;
}

struct civil time_civil(int64_t at_ms)
{
    int64_t days = floor_div(at_ms, DAY_MS);
    int64_t rest = at_ms - days * DAY_MS;
    int64_t z = days + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    struct civil c;

    c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
    c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
    c.year = (int)(yoe + era * 400 + (c.month <= 2));
    c.hour = (int)(rest / HOUR_MS);
    c.minute = (int)(rest / MINUTE_MS % 60);
    c.second = (int)(rest / SECOND_MS % 60);
    c.ms = (int)(rest % SECOND_MS);
    return c;
}

int32_t time_day(int64_t at_ms)
{
    return (int32_t)floor_div(at_ms, DAY_MS);
}

int32_t time_month(int64_t at_ms)
{
    struct civil c = time_civil(at_ms);

    return (int32_t)((c.year - 1970) * 12 + c.month - 1);
}

int32_t time_quarter(int64_t at_ms)
{
    return (int32_t)floor_div(at_ms, QUARTER_MS);
}

/* Reads exactly n digits at *at; -1 when there are not. */
static int digits(struct bytes text, size_t *at, int n)
{
    int v = 0;

    if (text.n - *at < (size_t)n) {
        return -1;
    }
    for (int i = 0; i < n; i++) {
        char c = text.p[*at + (size_t)i];

        if (c < '0' || c > '9') {
            return -1;
        }
        v = v * 10 + (c - '0');
    }
    *at += (size_t)n;
    return v;
}

static bool one(struct bytes text, size_t *at, char a, char b)
{
    if (*at < text.n && (text.p[*at] == a || text.p[*at] == b)) {
        (*at)++;
        return true;
    }
    return false;
}

static int month_days(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && is_leap);
}

static bool read_date(struct bytes text, size_t *at, struct civil *c)
{
    c->year = digits(text, at, 4);
    if (c->year < 0 || !one(text, at, '-', '-')) {
        return false;
    }
    c->month = digits(text, at, 2);
    if (c->month < 1 || c->month > 12 || !one(text, at, '-', '-')) {
        return false;
    }
    c->day = digits(text, at, 2);
    return c->day >= 1 && c->day <= month_days(c->year, c->month);
}

static bool read_clock(struct bytes text, size_t *at, struct civil *c)
{
    int scale = 100;

    c->hour = digits(text, at, 2);
    if (c->hour < 0 || c->hour > 23 || !one(text, at, ':', ':')) {
        return false;
    }
    c->minute = digits(text, at, 2);
    if (c->minute < 0 || c->minute > 59 || !one(text, at, ':', ':')) {
        return false;
    }
    c->second = digits(text, at, 2);
    if (c->second < 0 || c->second > 60) {
        return false;
    }
    if (one(text, at, '.', ',')) {
        size_t from = *at;

        while (*at < text.n && text.p[*at] >= '0' && text.p[*at] <= '9') {
            c->ms += (text.p[*at] - '0') * scale;
            scale /= 10;
            (*at)++;
        }
        if (*at == from || *at - from > 9) {
            return false;
        }
    }
    return true;
}

enum err time_parse_civil(struct bytes text, struct civil *out_civil)
{
    struct civil c = {0};
    size_t at = 0;

    if (!read_date(text, &at, &c)) {
        return ERR_INVALID;
    }
    if (at < text.n && (!(one(text, &at, 'T', ' ') || one(text, &at, 't', 't')) ||
                        !read_clock(text, &at, &c) || at != text.n)) {
        return ERR_INVALID;
    }
    *out_civil = c;
    return ERR_OK;
}

enum err time_parse(struct bytes text, int64_t *out_ms)
{
    struct civil c = {0};
    size_t at = 0;
    int64_t offset = 0, ms;

    if (!read_date(text, &at, &c) || !(one(text, &at, 'T', ' ') || one(text, &at, 't', 't')) ||
        !read_clock(text, &at, &c)) {
        return ERR_INVALID;
    }
    if (!one(text, &at, 'Z', 'z')) {
        bool is_west = at < text.n && text.p[at] == '-';
        int hours, minutes;

        if (!one(text, &at, '+', '-')) {
            return ERR_INVALID;
        }
        hours = digits(text, &at, 2);
        if (hours < 0 || hours > 23 || !one(text, &at, ':', ':')) {
            return ERR_INVALID;
        }
        minutes = digits(text, &at, 2);
        if (minutes < 0 || minutes > 59) {
            return ERR_INVALID;
        }
        offset = (hours * HOUR_MS + minutes * MINUTE_MS) * (is_west ? -1 : 1);
    }
    ms = time_of_civil(c) - offset;
    if (at != text.n || ms < TIME_MIN_MS || ms > TIME_MAX_MS) {
        return ERR_INVALID;
    }
    *out_ms = ms;
    return ERR_OK;
}

void time_format(int64_t at_ms, char out_text[TIME_TEXT_BYTES])
{
    struct civil c = time_civil(at_ms);
    char text[96];

    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year, c.month, c.day,
             c.hour, c.minute, c.second, c.ms);
    memcpy(out_text, text, TIME_TEXT_BYTES - 1);
    out_text[TIME_TEXT_BYTES - 1] = '\0';
}
