/* SPDX-License-Identifier: Apache-2.0 */
/* evidence.h - what one customer's own events say about items, gathered once a request.
 *
 * Own purchases counted by item; W's sums over what was bought and over what was looked at (models.md 1, 4, 5); what the
 * customer's store sells. The same code serves and makes the examples that ranks are learnt from. Retrievers propose items of
 * it; evidence_value turns it into the features of model_feature.h. */
#pragma once

#include "base/arena.h"
#include "base/topk.h"
#include "base/tally.h"
#include "model/model_rank.h"
#include "model/model_copurchase.h"
#include "profile/part.h"

enum {
    EVIDENCE_SOURCES = 100,    /* own items that speak through W: more changed nothing on recorded data */
    EVIDENCE_TOGETHER = 60,    /* candidates each retriever proposes */
    EVIDENCE_LOOKED = 60,
    EVIDENCE_POPULAR = 60,
    EVIDENCE_STORE = 40,
    EVIDENCE_CANDIDATES_MAX = PART_LINES + EVIDENCE_TOGETHER + EVIDENCE_LOOKED + EVIDENCE_POPULAR + EVIDENCE_STORE
};

struct evidence_own { /* one item that was bought */
    struct item_id id;
    uint32_t item; /* dense; MODEL_NONE: the model never saw it */
    uint16_t times, basket; /* baskets with it; 1 + the basket it was last counted in */
    uint16_t since, since_first; /* baskets since the newest and the oldest */
    int64_t last_ms, first_ms;
    float count, count_source, days_decayed, baskets_decayed;
};

struct evidence_source { /* one item that speaks through its row of W */
    uint32_t item;
    float weight;
};

struct evidence {
    const struct model *model;
    int64_t now_ms;
    struct store_id store;
    struct evidence_own *own;
    size_t own_n;
    struct tally own_at; /* item -> 1 + place in own */
    struct evidence_source *bought, *seen;
    size_t bought_n, seen_n;
    struct tally together, looked, interest, here; /* here: bought in the store */
    const struct model_weight *store_row;
    size_t store_row_n;
    float store_sum;
};

/* Gathers. life: may be empty. store: {0}: the home store of the life, if it has one. Lines and looks after now_ms are left out.
 * Errors: ERR_NOMEM. Cost: about 60 us for 64 baskets of 13 lines. */
MUST_USE enum err evidence_gather(const struct model *model, const struct part *life, struct store_id store,
                                  int64_t now_ms, struct arena *arena, struct evidence *out_evidence);
bool evidence_is_empty(const struct evidence *evidence);
const struct evidence_own *evidence_of(const struct evidence *evidence, uint32_t item); /* NULL: not bought */
/* The features of one item; those of the other side (own, new) are 0. */
void evidence_value(const struct evidence *evidence, uint32_t item, float out_value[FEATURES]);
/* The items any retriever proposes, each once; room: EVIDENCE_CANDIDATES_MAX. */
MUST_USE enum err evidence_candidates(const struct evidence *evidence, struct arena *arena, uint32_t *room,
                                      size_t *out_n);
/* The source that adds most to `item` in W's sum; MODEL_NONE: none. */
uint32_t evidence_because(const struct evidence *evidence, const struct evidence_source *sources, size_t n,
                          uint32_t item);
