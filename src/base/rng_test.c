/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rng.h"

#include "base/test.h"

/* Published vector of SplitMix64 for seed 1234567: a decision must draw the same numbers for ever. */
TEST(rng_draws_the_published_numbers)
{
    static const uint64_t wanted[] = {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
                                      UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
                                      UINT64_C(16408922859458223821)};
    struct rng rng = {1234567};

    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        CHECK(rng_next(&rng) == wanted[i]);
    }
}

PROPERTY(rng_stays_in_its_bounds)
{
    uint64_t below = (rng_next(rng) >> rng_below(rng, 64)) | 1;
    double unit = rng_unit(rng);

    CHECK(rng_below(rng, below) < below);
    CHECK_INT(rng_below(rng, 1), 0);
    CHECK(unit >= 0.0 && unit < 1.0);
}

/* 60,000 throws of a die: a face's share is 1/6 with a standard deviation of 91. */
TEST(rng_is_even)
{
    struct rng rng = {7};
    int faces[6] = {0}, heads = 0;

    for (int i = 0; i < 60000; i++) {
        faces[rng_below(&rng, 6)]++;
        heads += rng_coin(&rng);
    }
    for (int i = 0; i < 6; i++) {
        CHECK_WITHIN(faces[i], 10000.0, 460.0);
    }
    CHECK_WITHIN(heads, 30000.0, 620.0);
}
