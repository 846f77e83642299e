/* SPDX-License-Identifier: Apache-2.0 */
/* rng.h - chance as an argument: SplitMix64, seeded, so that every draw can be replayed.
 * Origin: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014. Not for
 * secrets: those come from os/entropy. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
    uint64_t z = (rng->state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* 0 .. below - 1; below > 0. The bias is under below / 2^64. */
static inline uint64_t rng_below(struct rng *rng, uint64_t below)
{
    __extension__ typedef unsigned __int128 wide;

    return (uint64_t)(((wide)rng_next(rng) * below) >> 64);
}

static inline bool rng_coin(struct rng *rng)
{
    return (rng_next(rng) >> 63) != 0;
}

/* 0 <= x < 1, 53 bits. */
static inline double rng_unit(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1.0p-53;
}
