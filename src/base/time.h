/* SPDX-License-Identifier: Apache-2.0 */
/* time.h - moments are int64_t milliseconds since 1970-01-01 UTC, everywhere. Nothing here asks the
 * clock: now is an argument (os/clock gives it at the door). */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define QUARTER_MS (DAY_MS * 9131 / 100) /* a quarter of a mean year of 365.24 days */

/* The years 1900 to 2200: outside, a time is a mistake of its sender. */
#define TIME_MIN_MS (INT64_C(-25567) * DAY_MS)
#define TIME_MAX_MS (INT64_C(84006) * DAY_MS)

struct civil { /* a date and time of day, in no zone or in UTC */
    int year, month, day, hour, minute, second, ms; /* month, day from 1 */
};

int64_t time_of_civil(struct civil civil); /* as if UTC; fields are trusted */
struct civil time_civil(int64_t at_ms);
int64_t time_days(int year, int month, int day); /* days since 1970-01-01 */
int32_t time_day(int64_t at_ms);                 /* floor: days since 1970-01-01 UTC */
int32_t time_month(int64_t at_ms);               /* months since 1970-01 */
int32_t time_quarter(int64_t at_ms);             /* quarters (QUARTER_MS long) since 1970 */

/* RFC 3339 with offset ("2026-11-22T20:14:00+01:00", "…Z", fraction of 1..9 digits, 't'/'z' and a
 * space for T allowed); a leap second reads as the second after. Errors: ERR_INVALID. */
MUST_USE enum err time_parse(struct bytes text, int64_t *out_ms);
/* A bare date "2026-11-22" (midnight) or date and time without offset, as civil fields. */
MUST_USE enum err time_parse_civil(struct bytes text, struct civil *out_civil);

enum { TIME_TEXT_BYTES = 25 };
/* "2026-11-22T19:14:00.000Z". */
void time_format(int64_t at_ms, char out_text[TIME_TEXT_BYTES]);
