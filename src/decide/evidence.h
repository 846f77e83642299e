/* SPDX-License-Identifier: Apache-2.0 */
/* evidence.h - what one customer's own events say about items, gathered once a request.
 *
 * Own purchases counted by item; W's sums over what was bought and over what was looked at (models.md 1, 4, 5); for each domain of
 * model_domain.h the sequence under way, and what W, neighbours, pairs and rules lead to from it (models.md 3, 9); what the
 * customer's store sells. The same code serves and makes the examples that ranks are learnt from. Retrievers propose items
 * of it; evidence_value turns it into the features of model_feature.h.
 *
 * Shares and ranks are those of a retriever's whole list, found while gathering: no item's value depends on which other items are
 * asked about. */
#pragma once

#include "base/arena.h"
#include "base/tally.h"
#include "base/topk.h"
#include "model/model_copurchase.h"
#include "model/model_rank.h"
#include "model/model_session.h"
#include "model/model_view.h"
#include "profile/part.h"

enum {
    EVIDENCE_SOURCES = 100,    /* bought items that speak through W_TOGETHER: more changed nothing on recorded data */
    EVIDENCE_LIST = 60,        /* of a list are candidates and have a rank */
    EVIDENCE_OWN = 200,        /* items bought that are candidates */
    EVIDENCE_RULES = 20,
    EVIDENCE_POPULAR = 60,
    EVIDENCE_STORE = 40,
    EVIDENCE_LEAST = 40,       /* candidates of a visit: the most bought fill up to so many */
    EVIDENCE_CANDIDATES_MAX = EVIDENCE_OWN + PART_LOOKS + 6 * EVIDENCE_LIST + 2 * EVIDENCE_RULES + EVIDENCE_STORE
};

struct evidence_own { /* one item that was bought */
    struct item_id id;
    uint32_t item; /* of the view; MODEL_NONE: the model never saw it */
    uint16_t times, basket; /* baskets with it; 1 + the basket it was last counted in */
    uint16_t since, since_first; /* baskets since the newest and the oldest */
    int64_t last_ms, first_ms;
    int32_t last_milli; /* pieces in 1/1000, of the newest basket with it */
    float count, count_source, days_decayed, baskets_decayed;
    float source; /* weight as a source of W_HISTORY */
};

struct evidence_source { /* one item that speaks through its row of W */
    uint32_t item;
    float weight;
    uint16_t times, back; /* how often it is in the sequence; steps since the newest time */
};

struct evidence_list { /* what one retriever says, of all items it names */
    struct tally sum;
    float most[2];           /* the largest sum of items never bought, of items bought */
    struct topk_entry *best; /* best_n <= EVIDENCE_LIST, best first; in MODEL_HISTORY items never bought alone */
    size_t best_n;
    struct tally rank; /* item -> 1 + rank among them */
};

struct evidence_domain { /* all zero: nothing to say */
    bool is_used;
    struct model_domain_settings settings;
    struct model_step *steps; /* oldest first */
    size_t steps_n;
    struct evidence_source *sources; /* its items, each once */
    size_t sources_n;
    struct tally source_at; /* item -> 1 + place in sources */
    struct evidence_list w, vstan, vmis, pairs, rules;
    float last_seen; /* how often items of the newest step were seen by the model */
};

struct evidence {
    const struct model_view *view;
    int64_t now_ms;
    struct store_id store;
    enum model_head_kind head; /* which scores this customer at this moment; MODEL_HEADS_: none, nothing is known */
    bool is_live;              /* a visit is under way */
    struct evidence_own *own;
    size_t own_n;
    struct tally own_at; /* item -> 1 + place in own */
    uint16_t *line_own;  /* by line of the life: 1 + place in own, 0: not counted */
    struct evidence_source *bought, *seen;
    size_t bought_n, seen_n;
    struct tally together, looked, interest, here; /* here: bought in the store */
    struct tally bought_after, content;
    struct evidence_domain domain[MODEL_DOMAINS_];
    const struct model_weight *store_row;
    size_t store_row_n;
    float store_sum;
    float same[FEATURES]; /* values that are the same for all items */
};

/* Gathers. life: may be empty. store: {0}: the home store of the life, if it has one. Lines and looks after now_ms are left out.
 * head: what is asked for, by the trainer; MODEL_HEADS_: chosen as a server does. view is borrowed. Errors: ERR_NOMEM. Cost: see
 * decide_bench.c. */
MUST_USE enum err evidence_gather(const struct model_view *view, const struct part *life, struct store_id store,
                                  int64_t now_ms, enum model_head_kind head, struct arena *arena,
                                  struct evidence *out_evidence);
bool evidence_is_empty(const struct evidence *evidence);
const struct evidence_own *evidence_of(const struct evidence *evidence, uint32_t item); /* NULL: not bought */
/* The features of one item; those of the other side (own, new) are 0. Finite always. */
void evidence_value(const struct evidence *evidence, uint32_t item, float out_value[FEATURES]);
/* The items any retriever proposes, each once; room: EVIDENCE_CANDIDATES_MAX. */
MUST_USE enum err evidence_candidates(const struct evidence *evidence, struct arena *arena, uint32_t *room,
                                      size_t *out_n);
/* The source that adds most to `item` in the sum of one kind of W; MODEL_NONE: none. */
uint32_t evidence_because(const struct evidence *evidence, enum model_w kind, const struct evidence_source *sources, size_t n,
                          uint32_t item);
