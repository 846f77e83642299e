/* SPDX-License-Identifier: Apache-2.0 */
#include "base/money.h"

#include "base/test.h"

static int64_t parsed(const char *text, int exponent)
{
    int64_t minor = -7;

    CHECK_OK(money_parse(bytes_of(text), exponent, &minor));
    return minor;
}

TEST(money_by_hand)
{
    CHECK_INT(parsed("349.50", 2), 34950);
    CHECK_INT(parsed("349.5", 2), 34950);
    CHECK_INT(parsed("349", 2), 34900);
    CHECK_INT(parsed("349.500", 2), 34950);
    CHECK_INT(parsed("-0.01", 2), -1);
    CHECK_INT(parsed("1.5e3", 2), 150000);
    CHECK_INT(parsed("15E-1", 2), 150);
    CHECK_INT(parsed("1200", 0), 1200);
    CHECK_INT(parsed("0e99999999999999", 2), 0);
    CHECK_INT(parsed("92233720368547758.07", 2), INT64_MAX);
}

TEST(money_beyond_its_digits_or_64_bits_is_refused_and_nothing_is_written)
{
    static const char *const bad[] = {"",   "-",  ".5",      "5.",   "1e",    "1e+", "0x1", "1,5",
                                      " 1", "1 ", "349.501", "1e-3", "1.2.3", "+1",  "NaN"};
    static const char *const big[] = {"92233720368547758.08", "1e17", "1e9999999", "99999999999999999999"};
    int64_t minor = -7;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_INT(money_parse(bytes_of(bad[i]), 2, &minor), ERR_INVALID);
    }
    for (size_t i = 0; i < sizeof(big) / sizeof(big[0]); i++) {
        CHECK_INT(money_parse(bytes_of(big[i]), 2, &minor), ERR_TOOBIG);
    }
    CHECK_INT(minor, -7);
}

TEST(money_that_a_page_added_up_in_doubles_can_be_rounded)
{
    int64_t minor;

    CHECK_OK(money_round(BYTES_LIT("0.30000000000000004"), 2, &minor));
    CHECK_INT(minor, 30);
    CHECK_OK(money_round(BYTES_LIT("698.995"), 2, &minor));
    CHECK_INT(minor, 69900);
    CHECK_OK(money_round(BYTES_LIT("-0.005"), 2, &minor));
    CHECK_INT(minor, -1);
    CHECK_OK(money_round(BYTES_LIT("4e-9"), 2, &minor));
    CHECK_INT(minor, 0);
    CHECK_OK(money_round(BYTES_LIT("0.0099"), 2, &minor));
    CHECK_INT(minor, 1);
}

TEST(currencies_have_their_own_digits)
{
    CHECK_INT(money_exponent("NOK"), 2);
    CHECK_INT(money_exponent("JPY"), 0);
    CHECK_INT(money_exponent("ISK"), 0);
    CHECK_INT(money_exponent("KWD"), 3);
    CHECK(money_is_currency(BYTES_LIT("NOK")));
    CHECK(!money_is_currency(BYTES_LIT("nok")));
    CHECK(!money_is_currency(BYTES_LIT("NO")));
}

PROPERTY(money_comes_back_from_its_text)
{
    int64_t minor = (int64_t)(rng_next(rng) >> rng_below(rng, 60)), back = 0;
    int exponent = (int)rng_below(rng, 5);
    char text[MONEY_TEXT_BYTES];

    if (minor == INT64_MIN) {
        minor++;
    }
    CHECK_OK(money_parse((struct bytes){text, money_format(minor, exponent, text)}, exponent, &back));
    CHECK_INT(back, minor);
    CHECK_OK(money_round((struct bytes){text, money_format(minor, exponent, text)}, exponent, &back));
    CHECK_INT(back, minor);
}
