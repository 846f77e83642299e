/* SPDX-License-Identifier: Apache-2.0 */
#include "base/nearest.h"

#include "base/test.h"

TEST(distance_by_hand)
{
    static char longer[65];

    CHECK_INT(nearest_distance(BYTES_LIT("kitten"), BYTES_LIT("sitting")), 3);
    CHECK_INT(nearest_distance(BYTES_LIT(""), BYTES_LIT("abc")), 3);
    CHECK_INT(nearest_distance(BYTES_LIT("exclude"), BYTES_LIT("exclude")), 0);
    CHECK_INT(nearest_distance((struct bytes){longer, 65}, BYTES_LIT("a")), NEAREST_BYTES_MAX);
}

/* Symmetric, and never more than the longer word. */
PROPERTY(distance_is_the_same_both_ways)
{
    char a[12], b[12];
    struct bytes x = {a, rng_below(rng, 13)}, y = {b, rng_below(rng, 13)};

    for (size_t i = 0; i < 12; i++) {
        a[i] = (char)('a' + rng_below(rng, 3));
        b[i] = (char)('a' + rng_below(rng, 3));
    }
    CHECK_INT(nearest_distance(x, y), nearest_distance(y, x));
    CHECK(nearest_distance(x, y) <= (x.n > y.n ? x.n : y.n));
    CHECK_INT(nearest_distance(x, x), 0);
}
