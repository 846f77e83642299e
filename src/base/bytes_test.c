/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include "base/test.h"

static int sign(int v)
{
    return (v > 0) - (v < 0);
}

TEST(bytes_compare_is_memcmp_and_the_shorter_first)
{
    CHECK_INT(bytes_compare(BYTES_LIT("a"), BYTES_LIT("a")), 0);
    CHECK(bytes_compare(BYTES_LIT("a"), BYTES_LIT("ab")) < 0);
    CHECK(bytes_compare(BYTES_LIT("b"), BYTES_LIT("ab")) > 0);
    CHECK(bytes_compare(BYTES_LIT("a\xff"), BYTES_LIT("a\x01")) > 0); /* unsigned */
    CHECK(bytes_compare((struct bytes){0}, BYTES_LIT("a")) < 0);
    CHECK_INT(bytes_compare((struct bytes){0}, (struct bytes){0}), 0);
}

TEST(bytes_may_hold_a_nul)
{
    CHECK(!bytes_equal(BYTES_LIT("a\0b"), BYTES_LIT("a\0c")));
    CHECK(bytes_equal(BYTES_LIT("a\0b"), BYTES_LIT("a\0b")));
    CHECK(!bytes_equal(BYTES_LIT("a\0b"), BYTES_LIT("a")));
    CHECK_INT(bytes_of("a\0b").n, 1);
    CHECK_INT(bytes_of(NULL).n, 0);
}

TEST(bytes_starts_with_itself_and_with_nothing)
{
    CHECK(bytes_starts(BYTES_LIT("x-ski"), BYTES_LIT("x-")));
    CHECK(bytes_starts(BYTES_LIT("x-"), BYTES_LIT("x-")));
    CHECK(bytes_starts((struct bytes){0}, (struct bytes){0}));
    CHECK(!bytes_starts(BYTES_LIT("x"), BYTES_LIT("x-")));
    CHECK(!bytes_starts(BYTES_LIT("y-ski"), BYTES_LIT("x-")));
}

TEST(bytes_of_numbers_are_big_endian)
{
    uint8_t b[8];

    put_be64(b, UINT64_C(0x0123456789abcdef));
    CHECK_SAME_BYTES(b, "\x01\x23\x45\x67\x89\xab\xcd\xef", 8);
    CHECK_INT(get_be16(b), 0x0123);
    CHECK_INT(get_be32(b), 0x01234567);
    CHECK(get_be64(b) == UINT64_C(0x0123456789abcdef));
}

/* Numeric order is memcmp order: what range scans of keys rest on. */
PROPERTY(bytes_of_numbers_order_as_the_numbers_do)
{
    uint64_t a = rng_next(rng) >> rng_below(rng, 64), b = rng_next(rng) >> rng_below(rng, 64);
    uint8_t a_bytes[8], b_bytes[8];

    put_be64(a_bytes, a);
    put_be64(b_bytes, b);
    CHECK_INT(sign(memcmp(a_bytes, b_bytes, 8)), (a > b) - (a < b));
    CHECK(get_be64(a_bytes) == a);
}
