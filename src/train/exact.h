/* SPDX-License-Identifier: Apache-2.0 */
/* exact.h - numbers rounded so that their sums in f64 are exact, in whatever order and by whatever threads they are added.
 *
 * All are multiples of one step, a power of two, and n of them add up to less than 2^53 steps: no sum on the way is ever rounded. */
#pragma once

#include <math.h>
#include <stddef.h>

/* The step for n numbers of at most `most` each; `most` >= 0. */
static inline double exact_step(size_t n, double most)
{
    return ldexp(1, ilogb((double)n * most + 1e-300) + 1 - 52);
}

/* The nearest multiple that an f32 near x can hold: to f32 first, which a multiple of a larger step then stays. */
static inline float exact_round(double x, double step)
{
    return (float)(rint((double)(float)x / step) * step);
}
