/* SPDX-License-Identifier: Apache-2.0 */
/* model_domain.h - the two kinds of sequence that models are learnt from, and how the request reads them.
 *
 *     MODEL_SESSION   looks (view, click, add, cart, wish) of one visit: a gap of 30 minutes ends it
 *     MODEL_HISTORY   purchases of one customer in order; items of one basket stand at one position
 * A sequence as the newest 200 steps at most, bots cut away. */
#pragma once

#include <stdint.h>

enum model_domain { MODEL_SESSION = 0, MODEL_HISTORY = 1, MODEL_DOMAINS_ };

enum { MODEL_SEQUENCE_MAX = 200, MODEL_SESSION_GAP_MS = 30 * 60 * 1000 };

struct model_domain_settings { /* flat, as stored; 64 bytes; all zero: the domain was not learnt. Meaning: models.md 1, 3, 4 */
    uint32_t is_learnt;
    uint32_t postings;      /* M: newest sequences an item is looked up in */
    uint32_t neighbours;    /* k, VSTAN */
    uint32_t vmis_neighbours;
    float w_steps;          /* a source p steps back weighs exp(-p / w_steps) in W's sum; 0: all alike */
    float position_steps;   /* l_spw */
    float age_days;         /* T_snh; 0: age says nothing */
    float neighbour_steps;  /* l_inh */
    float session_steps;    /* l_ipw */
    float idf;              /* l_idf */
    uint32_t uses;          /* bit 0 W, 1 VSTAN, 2 VMIS, 3 pairs and rules: what helped on the validation part */
    uint32_t spare[5];
};

enum { MODEL_USES_W = 1, MODEL_USES_VSTAN = 2, MODEL_USES_VMIS = 4, MODEL_USES_PAIRS = 8 };
