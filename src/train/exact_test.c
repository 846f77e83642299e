/* SPDX-License-Identifier: Apache-2.0 */
#include "train/exact.h"

#include "base/test.h"

enum { N = 5000 };

/* Numbers of very different sizes, added forwards, backwards and in three parts: the same bits. */
PROPERTY(exact_sums_do_not_know_their_order)
{
    static float x[N];
    double most = ldexp(1 + rng_unit(rng), (int)rng_below(rng, 20) - 10), step = exact_step(N, most);
    double forwards = 0, backwards = 0, part[3] = {0};

    for (size_t i = 0; i < N; i++) {
        double v = most * ldexp(2 * rng_unit(rng) - 1, -(int)rng_below(rng, 40));

        x[i] = exact_round(v, step);
        CHECK(fabs((double)x[i] - v) <= step / 2 + fabs(v) * 0x1.0p-24);
    }
    for (size_t i = 0; i < N; i++) {
        forwards += (double)x[i];
        backwards += (double)x[N - 1 - i];
        part[i % 3] += (double)x[i];
    }
    CHECK(forwards == backwards);
    CHECK(forwards == part[0] + part[1] + part[2]);
}

TEST(exact_step_of_a_million_ones_is_fine)
{
    CHECK(exact_step(1000000, 1) <= 0x1.0p-32);
    CHECK(exact_round(0.25, exact_step(1000000, 1)) == 0.25f);
    CHECK(exact_step(10, 0) > 0); /* nothing to add is no error */
}
