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
