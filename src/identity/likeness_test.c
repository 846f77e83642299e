/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/likeness.h"

#include "base/test.h"

static struct arena arena;

static struct bytes form(enum likeness_kind kind, const char *text)
{
    if (arena.most_bytes == 0) {
        arena_open(&arena, 1 << 14, 1 << 24);
    }
    return likeness_form(kind, bytes_of(text), &arena);
}

static enum likeness_level level(enum likeness_kind kind, const char *a, const char *b)
{
    return likeness_level(kind, form(kind, a), form(kind, b));
}

/* The examples of Winkler 1990 and 1994. */
TEST(jaro_winkler_as_published)
{
    CHECK_WITHIN(likeness_jaro_winkler(BYTES_LIT("MARTHA"), BYTES_LIT("MARHTA")), .961, .0005);
    CHECK_WITHIN(likeness_jaro_winkler(BYTES_LIT("DIXON"), BYTES_LIT("DICKSONX")), .813, .0005);
    CHECK_WITHIN(likeness_jaro_winkler(BYTES_LIT("DWAYNE"), BYTES_LIT("DUANE")), .840, .0005);
    CHECK_WITHIN(likeness_jaro_winkler(BYTES_LIT("JELLYFISH"), BYTES_LIT("SMELLYFISH")), .896, .0005);
    CHECK_NEAR(likeness_jaro_winkler(BYTES_LIT("ABC"), BYTES_LIT("XYZ")), 0);
    CHECK_NEAR(likeness_jaro_winkler(BYTES_LIT(""), BYTES_LIT("X")), 0);
}

PROPERTY(jaro_winkler_is_symmetric_and_bounded)
{
    char a[80], b[80];
    size_t a_n = (size_t)rng_below(rng, sizeof(a)), b_n = (size_t)rng_below(rng, sizeof(b));
    double one, other;

    for (size_t i = 0; i < sizeof(a); i++) {
        a[i] = (char)(rng_below(rng, 40) == 0 ? rng_below(rng, 256) : 'a' + rng_below(rng, 3));
        b[i] = (char)('a' + rng_below(rng, 3));
    }
    one = likeness_jaro_winkler((struct bytes){a, a_n}, (struct bytes){b, b_n});
    other = likeness_jaro_winkler((struct bytes){b, b_n}, (struct bytes){a, a_n});
    CHECK_NEAR(one, other);
    CHECK(one >= 0 && one <= 1);
    if (b_n > 0 && b_n <= LIKENESS_CHARACTERS_MAX) {
        CHECK_NEAR(likeness_jaro_winkler((struct bytes){b, b_n}, (struct bytes){b, b_n}), 1);
    }
}

TEST(nordic_letters_meet_their_other_spelling)
{
    CHECK_TEXT(form(LIKENESS_SURNAME, " Bj\u00f8rn-\u00c5s "), "bjoern aas");
    CHECK_TEXT(form(LIKENESS_SURNAME, "A\u030a\u00e4\u00c6\u00d6"), "aaaeaeoe"); /* ring as a mark of its own */
    CHECK_TEXT(form(LIKENESS_SURNAME, "Andr\u00e9 O\u2019Neil"), "andre oneil");
    CHECK_TEXT(form(LIKENESS_NAME, "Zero\u200bwidth"), "zerowidth");
    CHECK_INT(level(LIKENESS_SURNAME, "\u00c5s", "AAS"), LIKENESS_EXACT);
    CHECK_INT(level(LIKENESS_SURNAME, "Sj\u00f6berg", "Sj\u00f8berg"), LIKENESS_EXACT);
    CHECK_INT(level(LIKENESS_SURNAME, "Larsson", "Larson"), LIKENESS_NEAR);
    CHECK_INT(level(LIKENESS_SURNAME, "Larsson", "Berg"), LIKENESS_DIFFERENT);
    CHECK_INT(level(LIKENESS_SURNAME, " -", "Berg"), LIKENESS_MISSING);
    CHECK_INT(form(LIKENESS_NAME, "\xff\xfe").n, 0);
    CHECK_TEXT(form(LIKENESS_NAME, "\u0418\u0432\u0430\u043d"), "\u0438\u0432\u0430\u043d");
}

TEST(addresses_lose_care_of_and_postcodes_their_country)
{
    CHECK_TEXT(form(LIKENESS_ADDRESS, "C/O Olsen, Storgata 1"), "storgata 1");
    CHECK_INT(form(LIKENESS_ADDRESS, "c/o Olsen").n, 0);
    CHECK_TEXT(form(LIKENESS_POSTCODE, "NO-0150"), "0150");
    CHECK_TEXT(form(LIKENESS_POSTCODE, "150"), "0150");
    CHECK_TEXT(form(LIKENESS_POSTCODE, "S 111 22"), "11122");
    CHECK_TEXT(form(LIKENESS_POSTCODE, "TQ13 8DF"), "tq138df");
    CHECK_TEXT(form(LIKENESS_ID, "+47 900-00 001"), "4790000001");
}

TEST(dates_are_read_and_a_swapped_day_and_month_is_near)
{
    CHECK_TEXT(form(LIKENESS_DATE, "1980-02-11"), "19800211");
    CHECK_TEXT(form(LIKENESS_DATE, "11.2.1980"), "19800211");
    CHECK_TEXT(form(LIKENESS_DATE, "11/02/1980 00:00"), "19800211");
    CHECK_TEXT(form(LIKENESS_DATE, "02/25/1980"), "19800225");
    CHECK_TEXT(form(LIKENESS_DATE, "19800211"), "19800211");
    CHECK_INT(level(LIKENESS_DATE, "1980-02-11", "1980-11-02"), LIKENESS_NEAR);
    CHECK_INT(level(LIKENESS_DATE, "1980-02-11", "1981-11-02"), LIKENESS_DIFFERENT);
    CHECK_INT(level(LIKENESS_DATE, "1980-02-11", "1980-02-17"), LIKENESS_NEAR);
    CHECK_INT(level(LIKENESS_DATE, "1980-02-11", "1980-01-01"), LIKENESS_NEAR);
    CHECK_INT(level(LIKENESS_DATE, "1980-02-11", "1980-07-30"), LIKENESS_DIFFERENT);
    CHECK_INT(level(LIKENESS_ID, "4790000001", "4790000010"), LIKENESS_NEAR);
    CHECK_INT(level(LIKENESS_ID, "4790000001", "4790000012"), LIKENESS_DIFFERENT); /* two wrong */
}

TEST(kinds_are_guessed_from_values)
{
    struct bytes dates[] = {BYTES_LIT("1980-02-11"), BYTES_LIT(""), BYTES_LIT("19600101")};
    struct bytes codes[] = {BYTES_LIT("0150"), BYTES_LIT("111 22"), BYTES_LIT("SE1 7SG")};
    struct bytes ids[] = {BYTES_LIT("+4790000001"), BYTES_LIT("1804974")};
    struct bytes words[] = {BYTES_LIT("kari"), BYTES_LIT("ola")};

    CHECK_INT(likeness_guess(dates, 3), LIKENESS_DATE);
    CHECK_INT(likeness_guess(codes, 3), LIKENESS_POSTCODE);
    CHECK_INT(likeness_guess(ids, 2), LIKENESS_ID);
    CHECK_INT(likeness_guess(words, 2), LIKENESS_TEXT);
    CHECK_INT(likeness_guess(NULL, 0), LIKENESS_TEXT);
    CHECK_INT(likeness_kind_of(BYTES_LIT("surname")), LIKENESS_SURNAME);
    CHECK_INT(likeness_kind_of(BYTES_LIT("shoe")), LIKENESS_KINDS_);
}

PROPERTY(any_bytes_have_a_bounded_form_that_is_its_own_form)
{
    char text[300];
    size_t n = (size_t)rng_below(rng, sizeof(text));
    enum likeness_kind kind = (enum likeness_kind)rng_below(rng, LIKENESS_KINDS_);
    struct arena own = {0};
    struct bytes once, twice;

    arena_open(&own, 1 << 12, 1 << 20);
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (char)(rng_coin(rng) ? 'a' + rng_below(rng, 26) : rng_below(rng, 8) == 0 ? rng_below(rng, 256) : ' ' + rng_below(rng, 30));
    }
    once = likeness_form(kind, (struct bytes){text, n}, &own);
    CHECK(once.n <= 4 * LIKENESS_CHARACTERS_MAX);
    twice = likeness_form(kind, once, &own);
    if (kind == LIKENESS_TEXT || kind == LIKENESS_NAME || kind == LIKENESS_PLACE) {
        CHECK(bytes_equal(once, twice));
    }
    arena_close(&own);
}
