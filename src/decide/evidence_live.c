/* SPDX-License-Identifier: Apache-2.0 */
/* What the live side holds with an item, read at the request: no row need be solved for it, and what was emptied is gone at once. */
#include "decide/evidence_inside.h"
#include "model/model_live.h"

enum {
    LIVE_MOST = 256,        /* newest live sequences of one source that count, */
    LIVE_STEPS_MOST = 2000, /* and steps in all of them: some microseconds */
    LIVE_REACH = 10         /* steps a rule reaches (train/pair_train.h) */
};

#define LIVE_BACKWARD 0.3f /* of what was looked at before, beside what came after */
#define LIVE_SHARE 0.5f    /* a live visit against one of the file in W: counts alone say less than a solved row */

enum err evidence_live_find(const struct evidence *evidence, enum model_domain which, const struct evidence_source *sources,
                            size_t n, struct arena *arena, struct evidence_live *out_live)
{
    struct evidence_live live = {.which = which};
    uint32_t *found;

    *out_live = live;
    if (evidence->view->live == NULL) {
        return ERR_OK;
    }
    live.at = arena_array(arena, n * LIVE_MOST + 1, sizeof(*live.at));
    found = arena_array(arena, LIVE_MOST, sizeof(*found));
    if (live.at == NULL || found == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        size_t found_n = model_live_postings(evidence->view, which, sources[i].item, LIVE_MOST, found);

        for (size_t f = 0; f < found_n && live.steps_n < LIVE_STEPS_MOST; f++) {
            struct model_sequence_view sequence = model_live_sequence(evidence->view->live, which, found[f]);

            if (sequence.n > 0 && !model_view_is_own(evidence->view, sequence.owner)) {
                live.at[live.n++] = (struct evidence_live_one){sequence, sources[i].item, (uint32_t)i};
                live.steps_n += sequence.n;
            }
        }
    }
    *out_live = live;
    return ERR_OK;
}

/* Of an item that stands `steps` steps after the source (before it: negative). */
static float count_of(enum evidence_live_kind kind, int steps)
{
    switch (kind) {
    case EVIDENCE_LIVE_PAIR: return 1;
    case EVIDENCE_LIVE_RULE: return steps >= 1 && steps <= LIVE_REACH ? 1 / (float)steps : 0;
    case EVIDENCE_LIVE_LEAD: return steps > 0 ? 1 / (float)steps : steps < 0 ? LIVE_BACKWARD / (float)-steps : 0;
    }
    return 0;
}

/* Counts of one sequence around each place of its source; sum NULL: only their total is wanted. */
static float count_one(const struct model_view *view, const struct evidence_live_one *one, enum evidence_live_kind kind,
                       float scale, struct tally *sum)
{
    uint32_t items_n = model_view_items_n(view);
    const struct model_sequence_view *in = &one->sequence;
    float total = 0;

    for (size_t a = 0; a < in->n; a++) {
        for (size_t b = 0; in->item[a] == one->item && b < in->n; b++) {
            float count = in->item[b] != one->item && in->item[b] < items_n
                              ? count_of(kind, (int)in->step[b] - (int)in->step[a])
                              : 0;

            total += count;
            if (sum != NULL && count > 0) {
                tally_add(sum, in->item[b], scale * count);
            }
        }
    }
    return total;
}

void evidence_live_add(const struct model_view *view, const struct evidence_live *live, enum evidence_live_kind kind,
                       const float *scale, struct tally *sum)
{
    for (size_t l = 0; l < live->n; l++) {
        float by = scale != NULL ? scale[live->at[l].source] : 1;

        if (by > 0) {
            (void)count_one(view, &live->at[l], kind, by, sum);
        }
    }
}

void evidence_live_mix(const struct model_view *view, enum model_w kind, const struct evidence_live *live,
                       struct evidence_source *sources, float out_scale[EVIDENCE_LIVE_SOURCES])
{
    float held[EVIDENCE_LIVE_SOURCES] = {0}, total[EVIDENCE_LIVE_SOURCES] = {0};

    for (size_t l = 0; l < live->n; l++) {
        held[live->at[l].source]++;
        total[live->at[l].source] += count_one(view, &live->at[l], EVIDENCE_LIVE_LEAD, 1, NULL);
    }
    for (size_t i = 0; i < EVIDENCE_LIVE_SOURCES; i++) {
        size_t n;
        const struct model_weight *row = total[i] > 0 ? model_view_row(view, kind, sources[i].item, &n) : NULL;
        float mass = 0, share;

        for (size_t k = 0; row != NULL && k < n; k++) {
            mass += row[k].weight > 0 && row[k].item != sources[i].item ? row[k].weight : 0;
        }
        if (mass > 0) {
            share = LIVE_SHARE * held[i] / (1 + model_view_seen(view, sources[i].item).all[live->which]);
            share = share < LIVE_SHARE ? share : LIVE_SHARE;
            out_scale[i] = sources[i].weight * mass * share / total[i];
            sources[i].weight *= 1 - share;
        }
    }
}
