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
/* Whose a sequence is: a keyed hash, the same wherever it is made; never 0. key: 32 bytes that no file holds (hash_derive of the
 * server's secret); customer: the key a history gives the customer (train/history.h): customer_id, or the part where there is none. */
uint64_t model_owner(const uint8_t key[32], struct tenant_id tenant, uint64_t customer);
/* Times an item was seen in sequences of the domain, in all and in the newest twentieth. */
struct model_seen {
    float all[MODEL_DOMAINS_], recent[MODEL_DOMAINS_];
};
const struct model_seen *model_seen(const struct model *model, uint32_t item);

/* Scores what the neighbours of `steps` (n, oldest first; at most MODEL_SEQUENCE_MAX, the newest count) hold. The
 * tallies are opened here, in `arena`. Empty steps give empty tallies. Errors: ERR_NOMEM. Cost: about 35 us for
 * 1000 postings and 300 neighbours, 100 to 250 us for 5000 and 1500. */
MUST_USE enum err model_session_score(const struct model_view *view, enum model_domain domain,
                                      const struct model_domain_settings *settings, const struct model_step *steps,
                                      size_t n, int64_t now_ms, struct arena *arena, struct tally *out_vstan,
                                      struct tally *out_vmis);
