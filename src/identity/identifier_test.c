/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/identifier.h"

#include "base/test.h"

static struct arena arena;

static enum err normalise(enum identifier_kind kind, struct bytes value, struct event_identifier *out)
{
    struct why why = {0};
    enum err err;

    *out = (struct event_identifier){kind, value};
    err = identifier_normalise(out, BYTES_LIT("NO"), &arena, &why);
    CHECK(err == ERR_OK || why.says[0] != '\0');
    CHECK(err == ERR_OK || value.n < 4 || strstr(why.says, "ola@") == NULL);
    return err;
}

/* SHA-256 of "ola@example.com", worked out by sha256sum. */
TEST(an_address_is_folded_then_hashed)
{
    struct event_identifier a, b;

    arena_open(&arena, 65536, 65536);
    CHECK_OK(normalise(IDENTIFIER_EMAIL, BYTES_LIT("  Ola@Example.COM "), &a));
    CHECK_OK(normalise(IDENTIFIER_EMAIL, BYTES_LIT("ola@example.com"), &b));
    CHECK_INT(a.kind, IDENTIFIER_EMAIL_HASH);
    CHECK(bytes_equal(a.value, b.value));
    CHECK_TEXT(a.value, "4dc2395295507982ee5c81cd5b8b1daf50a570af0fa177bdf387d69d930609b4");
    CHECK_OK(normalise(IDENTIFIER_EMAIL_HASH, a.value, &b));
    CHECK(bytes_equal(a.value, b.value));
    CHECK_INT(normalise(IDENTIFIER_EMAIL, BYTES_LIT("ola@"), &b), ERR_INVALID);
    CHECK_INT(normalise(IDENTIFIER_EMAIL_HASH, BYTES_LIT("abc"), &b), ERR_INVALID);
    arena_close(&arena);
}

TEST(one_phone_written_in_four_ways_is_one)
{
    static const char *const written[] = {"99 99 99 99", "+47 99999999", "0047 999 99 999", "(99) 99-99-99"};
    struct event_identifier first, other;

    arena_open(&arena, 65536, 65536);
    CHECK_OK(normalise(IDENTIFIER_PHONE, bytes_of(written[0]), &first));
    for (int i = 1; i < 4; i++) {
        CHECK_OK(normalise(IDENTIFIER_PHONE, bytes_of(written[i]), &other));
        CHECK(bytes_equal(first.value, other.value));
    }
    CHECK_INT(normalise(IDENTIFIER_PHONE, BYTES_LIT("call me"), &other), ERR_INVALID);
    arena_close(&arena);
}

/* Numbers made up by rule; each has right control digits and belongs to nobody we know of. */
TEST(national_identity_numbers_are_refused_in_clear)
{
    struct event_identifier out;

    arena_open(&arena, 65536, 65536);
    CHECK_INT(normalise(IDENTIFIER_MEMBER, BYTES_LIT("01010750160"), &out), ERR_INVALID);
    CHECK_INT(normalise(IDENTIFIER_USER_ID, BYTES_LIT("811228-9874"), &out), ERR_INVALID);
    CHECK_INT(normalise(IDENTIFIER_X, BYTES_LIT("010190-1234"), &out), ERR_INVALID);
    CHECK_INT(normalise(IDENTIFIER_X, BYTES_LIT("card:010190-1234"), &out), ERR_INVALID);
    CHECK_OK(normalise(IDENTIFIER_X, BYTES_LIT("card:010190-12345"), &out));
    CHECK_INT(normalise(IDENTIFIER_ERP, BYTES_LIT("131052-308T"), &out), ERR_INVALID);
    CHECK_OK(normalise(IDENTIFIER_MEMBER, BYTES_LIT("12345678901"), &out));
    CHECK_OK(normalise(IDENTIFIER_MEMBER, BYTES_LIT("M-1001"), &out));
    arena_close(&arena);
}

TEST(what_is_no_text_is_no_identifier)
{
    struct event_identifier out;
    static char longer[300];

    arena_open(&arena, 65536, 65536);
    memset(longer, 'a', sizeof(longer));
    CHECK_INT(normalise(IDENTIFIER_COOKIE, BYTES_LIT(""), &out), ERR_INVALID);
    CHECK_INT(normalise(IDENTIFIER_COOKIE, BYTES_LIT("a\0b"), &out), ERR_INVALID);
    CHECK_INT(normalise(IDENTIFIER_COOKIE, BYTES_LIT("a\nb"), &out), ERR_INVALID);
    CHECK_INT(normalise(IDENTIFIER_COOKIE, BYTES_LIT("\xff\xfe"), &out), ERR_INVALID);
    CHECK_INT(normalise(IDENTIFIER_COOKIE, (struct bytes){longer, sizeof(longer)}, &out), ERR_INVALID);
    CHECK_OK(normalise(IDENTIFIER_COOKIE, (struct bytes){longer, 256}, &out));
    arena_close(&arena);
}

TEST(kind_and_value_are_read_from_one_word)
{
    struct event_identifier out;

    CHECK_OK(identifier_parse(BYTES_LIT("member:M:1"), &out, NULL));
    CHECK_INT(out.kind, IDENTIFIER_MEMBER);
    CHECK_TEXT(out.value, "M:1");
    CHECK_OK(identifier_parse(BYTES_LIT("x-crm:7"), &out, NULL));
    CHECK_TEXT(out.value, "crm:7");
    CHECK_INT(identifier_parse(BYTES_LIT("nobody:1"), &out, NULL), ERR_INVALID);
    CHECK_INT(identifier_parse(BYTES_LIT("M-1001"), &out, NULL), ERR_INVALID);
}
