/* SPDX-License-Identifier: Apache-2.0 */
/* visits.h - the visits under way, by part: when one is worth telling, and when it has ended.
 *
 * A visit ends after MODEL_SESSION_GAP_MS without a look: by the clock of arrival (visits_tick), or because the next look is that
 * much later by its own time. It is told when it holds its third look, each time it has doubled since, and when it ends, if
 * it grew: an open visit costs at most as much room again as it is long. Past MODEL_SEQUENCE_MAX looks it is a bot or staff
 * and is told once more as gone. Bounded: where all places are taken the visit longest without a look ends. */
#pragma once

#include "base/bytes.h"
#include "model/model_domain.h"
#include "model/model_session.h"

enum {
    VISIT_STEPS = 64,      /* its newest looks that are kept */
    VISIT_TOLD_FIRST = 3,  /* an open one */
    VISIT_LEAST = 2        /* one that ended: a single look says nothing of another item */
};

struct visit { /* owned by visits; all zero: free */
    uint64_t part;
    int64_t last_ms, arrived_ms; /* of the newest look: its own time, and when it came */
    uint64_t alone; /* item_id of a look at something not yet numbered that had no company; 0: none */
    uint32_t looks_n; /* all of them, those not kept too */
    uint32_t steps_n, told_n; /* looks_n when last told; 0: never */
    uint32_t number;          /* the teller's: of the sequence it was told as; UINT32_MAX: none */
    uint32_t next, before, after; /* of its bucket; of the order of arrival */
    struct model_step steps[VISIT_STEPS]; /* step: its place in the whole visit */
};

struct visits;

/* is_gone: what was told as visit->number holds no longer (a bot's). Else steps, steps_n of them, are to stand in its place;
 * the teller sets visit->number. */
struct visits_to {
    void *ctx;
    void (*tell)(void *ctx, struct visit *visit, bool is_gone);
};

size_t visits_bytes(uint32_t places);
/* p: visits_bytes, 16-aligned, zero. places: 1 .. 2^24. */
struct visits *visits_open(uint32_t places, void *p);
/* The visit a look of this moment belongs to, begun if need be. May end others. Valid until the next call. */
struct visit *visits_at(struct visits *visits, uint64_t part, int64_t at_ms, int64_t now_ms, const struct visits_to *to);
/* Adds a look at an item; tells when it is time to. */
void visits_look(struct visits *visits, struct visit *visit, uint32_t item, const struct visits_to *to);
/* Ends what has been idle. Cost: the ended ones. */
void visits_tick(struct visits *visits, int64_t now_ms, const struct visits_to *to);
/* Drops the part's visit without telling. False: it had none. */
bool visits_drop(struct visits *visits, uint64_t part);
/* Sequences were renumbered: n becomes n - shift, what is below is told anew. */
void visits_shift(struct visits *visits, uint32_t shift);
uint32_t visits_n(const struct visits *visits);
