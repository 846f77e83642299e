/* SPDX-License-Identifier: Apache-2.0 */
/* newcomers.h - items the model does not know, and by how many different people they were met so far.
 *
 * P7: what fewer than NEWCOMER_LEAST people did says something of them, not of the item. Whoever looked at it beside
 * something else, or bought it, counts once; each anonymous receipt is somebody of its own. */
#pragma once

#include "base/id.h"
#include "learn/table.h"

enum { NEWCOMER_LEAST = 5 };

struct newcomers {
    struct table table; /* item -> 1 + place */
    struct newcomer *at;
    size_t n, most;
};

size_t newcomers_bytes(size_t most);
/* p: newcomers_bytes, 16-aligned, zero. */
struct newcomers newcomers_open(size_t most, void *p);
/* Counts a person (any keyed hash, not 0); true once NEWCOMER_LEAST different ones have met it. False also where there
 * is no more room: such an item waits for the next training. */
bool newcomers_met(struct newcomers *newcomers, struct item_id item, uint64_t who);
