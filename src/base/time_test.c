/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"

#include "base/test.h"

TEST(time_by_hand)
{
    int64_t ms = 0;
    char text[TIME_TEXT_BYTES];

    CHECK_OK(time_parse(BYTES_LIT("2026-11-22T20:14:00+01:00"), &ms));
    time_format(ms, text);
    CHECK_TEXT(bytes_of(text), "2026-11-22T19:14:00.000Z");
    CHECK_OK(time_parse(BYTES_LIT("1969-12-31T23:59:59.999Z"), &ms));
    CHECK_INT(ms, -1);
    CHECK_INT(time_day(ms), -1);
}

TEST(a_date_that_no_calendar_has_is_refused)
{
    int64_t ms = 42;

    CHECK_INT(time_parse(BYTES_LIT("2026-02-29T00:00:00Z"), &ms), ERR_INVALID);
    CHECK_INT(time_parse(BYTES_LIT("2026-13-01T00:00:00Z"), &ms), ERR_INVALID);
    CHECK_INT(time_parse(BYTES_LIT("2026-02-28T00:00:00"), &ms), ERR_INVALID);
    CHECK_INT(time_parse(BYTES_LIT("2026-02-28T00:00:00Zx"), &ms), ERR_INVALID);
    CHECK_INT(ms, 42);
}

PROPERTY(any_moment_comes_back_from_its_text)
{
    int64_t at_ms = TIME_MIN_MS + (int64_t)rng_below(rng, (uint64_t)(TIME_MAX_MS - TIME_MIN_MS)), back_ms;
    char text[TIME_TEXT_BYTES];

    time_format(at_ms, text);
    CHECK_OK(time_parse(bytes_of(text), &back_ms));
    CHECK_INT(back_ms, at_ms);
    CHECK_INT(time_day(at_ms), (at_ms - (((at_ms % DAY_MS) + DAY_MS) % DAY_MS)) / DAY_MS);
}
