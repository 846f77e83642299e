/* SPDX-License-Identifier: Apache-2.0 */
/* model_session.h - sequences that ended lately, by item: whose way the one under way resembles (models.md 3).
 *
 *     sequence    its items in order, each with its step (items of one basket share a step), when it ended, whose it
 *                 was as a keyed hash (0: nobody's), so that an erasure can find it
 *     postings    by item, the sequences that hold it, newest first, each once, at most `postings` of the settings
 * Scores of two variants over one sample of neighbours: VSTAN and VMIS. The sequences of the file and those learnt since
 * (model_live.h) are read as one, newest first. */
#pragma once

#include "base/arena.h"
#include "base/tally.h"
#include "model/model_domain.h"
#include "model/model_view.h"

struct model_step { /* one step of the sequence asked about, oldest first */
    uint32_t item;  /* of the view */
    uint32_t step;  /* 0, 1, ...; equal within a basket */
};

struct model_sequence_view { /* one stored sequence, a loan; n is 0 when it was erased */
    const uint32_t *item;
    const uint8_t *step;
    size_t n;
    int64_t end_ms;
    uint64_t owner;
};

const struct model_domain_settings *model_domain(const struct model *model, enum model_domain domain);
/* Sequences of the file: 0 is the oldest. */
uint32_t model_sequences_n(const struct model *model, enum model_domain domain);
struct model_sequence_view model_sequence(const struct model *model, enum model_domain domain, uint32_t sequence);
const uint32_t *model_postings(const struct model *model, enum model_domain domain, uint32_t item, size_t *out_n);
/* Times an item was seen in sequences of the domain, in all and in the newest twentieth. */
struct model_seen {
    float all[MODEL_DOMAINS_], recent[MODEL_DOMAINS_];
};
const struct model_seen *model_seen(const struct model *model, uint32_t item);

/* Scores what the neighbours of `steps` (n, oldest first; of more than MODEL_SEQUENCE_MAX the newest) hold. s: the sequence asked
 * about, n: a stored one, pos: steps, L: the newest step of s, pi: by the newest position of a distinct item of s.
 *
 *     candidates   of every distinct item the settings' `postings` newest sequences; of more than 16 items each its share
 *     VSTAN        pi(i) = exp((pos(i) - L) / position_steps)
 *                  sim(n) = sum of pi(i) over shared i / (||pi|| * sqrt(|n|)) * exp(-age(n) / age_days)      `neighbours` best kept
 *                  score(y) += sim(n) * exp(-|pos_n(y) - pos_n(i*)| / neighbour_steps) * exp(-(L - pos(i_last)) / session_steps)
 *                  times (1 + idf * ln(sequences / sequences with y))
 *     VMIS         pi(i) = (pos(i) + 1) / (L + 1); sim(n) = sum of pi(i)                                `vmis_neighbours` best kept
 *                  score(y) += sim(n) * max(0, 1 - .1 (L - pos(i_last)));  times ln(sequences / sequences with y)
 * i*: the last item of n that is in s; i_last: the item of n that is newest in s; pos_n(y): y's last position in n, each y once a
 * neighbour; |n|: its length. A length of 0 steps or days: all alike. Equal likeness: the newer sequence. Items of s that are
 * MODEL_NONE take a place and say nothing. A sequence of view->owner is no neighbour: in MODEL_SESSION one that ended within
 * MODEL_SESSION_GAP_MS of now (the visit itself, learnt already), in MODEL_HISTORY any. The same sequences give the same bits,
 * however the file and the live side share them out.
 * The tallies are opened here, in `arena`; empty where there is nothing. Errors: ERR_NOMEM. */
MUST_USE enum err model_session_score(const struct model_view *view, enum model_domain domain,
                                      const struct model_domain_settings *settings, const struct model_step *steps,
                                      size_t n, int64_t now_ms, struct arena *arena, struct tally *out_vstan,
                                      struct tally *out_vmis);
