/* SPDX-License-Identifier: Apache-2.0 */
/* evidence_inside.h - gathering in parts, for the evidence files of this room only. */
#pragma once

#include "decide/evidence.h"

#define EVIDENCE_DAYS_LEAST 0.25f

/* Adds weight * row of every source, in their order. The tally is opened here. Errors: ERR_NOMEM. */
MUST_USE enum err evidence_add_rows(const struct model_view *view, enum model_w kind, const struct evidence_source *sources,
                                    size_t n, struct arena *arena, struct tally *out_sum);

/* What a look, a basket or a wish says (models.md 1): 0 for kinds that take back or say nothing. */
float evidence_look_kind(const struct part_look *look);
/* A newer look at the same item took this one back. */
bool evidence_is_taken_back(const struct part *life, size_t look);

/* A look of a visit that is over, at a thing never bought and not looked at again: not a wish (P7). */
bool evidence_is_quiet(const struct evidence *evidence, uint32_t item);
/* Too new for what was learnt of others' ways (models.md 7). */
bool evidence_is_cold(const struct evidence *evidence, uint32_t item);

/* The newest visit into domain[MODEL_SESSION], its sources weighted; sets is_live. */
MUST_USE enum err evidence_visit(struct evidence *evidence, const struct part *life, struct arena *arena);
/* The purchases into domain[MODEL_HISTORY], after the own were counted. */
MUST_USE enum err evidence_purchases(struct evidence *evidence, const struct part *life, struct arena *arena);
/* What the domain's sequence leads to, by the parts in use; neighbours only where they are worth their time. */
MUST_USE enum err evidence_lead(struct evidence *evidence, enum model_domain domain, bool has_neighbours, struct arena *arena);
/* The `most` largest sums above 0, best first, of equal ones the smaller item; at NULL: no memory. Cost: a pass over the table. */
struct topk evidence_best(const struct tally *sum, size_t most, struct arena *arena);

/* evidence_add_rows with room for more_n items more, which the caller adds. */
MUST_USE enum err evidence_sum_rows(const struct model_view *view, enum model_w kind, const struct evidence_source *sources, size_t n,
                                    size_t more_n, struct arena *arena, struct tally *out_sum);

/* ---- evidence_live.c: sequences since the file was made, by the items that speak ---- */

enum { EVIDENCE_LIVE_SOURCES = 4 }; /* of W's that are looked up there */

enum evidence_live_kind { /* what a step beside a source counts */
    EVIDENCE_LIVE_PAIR, /* 1, as MODEL_W_PAIR_* */
    EVIDENCE_LIVE_RULE, /* 1 / distance after it, as MODEL_W_RULE_* */
    EVIDENCE_LIVE_LEAD  /* the same without a reach, and a little of what was before: for W */
};

struct evidence_live_one {
    struct model_sequence_view sequence;
    uint32_t item, source; /* found by; its place among the sources */
};

struct evidence_live { /* all zero: none */
    enum model_domain which;
    struct evidence_live_one *at;
    size_t n, steps_n; /* steps_n: items they can add at most */
};

/* The newest that hold one of n sources and are not the view's owner's own. None where nothing is live. Errors: ERR_NOMEM. */
MUST_USE enum err evidence_live_find(const struct evidence *evidence, enum model_domain which, const struct evidence_source *sources,
                                     size_t n, struct arena *arena, struct evidence_live *out_live);
/* Adds counts, each times the scale of its source (NULL: 1), to a tally with room for steps_n. */
void evidence_live_add(const struct model_view *view, const struct evidence_live *live, enum evidence_live_kind kind,
                       const float *scale, struct tally *sum);
/* A source's row of W and its live counts as one row of the row's mass, each visit of the live side beside those of the file: lowers the
 * sources' weights and gives the scales for evidence_live_add. */
void evidence_live_mix(const struct model_view *view, enum model_w kind, const struct evidence_live *live,
                       struct evidence_source *sources, float out_scale[EVIDENCE_LIVE_SOURCES]);
