/* SPDX-License-Identifier: Apache-2.0 */
/* sequence.h - the history as sequences of one domain (model/model_domain.h): what W, pairs and neighbours are learnt from.
 *
 *     MODEL_SESSION   every visit that ended before the moment, its looks in order, one step each
 *     MODEL_HISTORY   every customer's purchases before the moment, the newest MODEL_SEQUENCE_MAX items, a step a basket
 * In the order of their ends (ties: customer). Visits of more than MODEL_SEQUENCE_MAX looks are left out: bots, staff. */
#pragma once

#include "model/model_domain.h"
#include "train/history.h"

struct sequences { /* owned; sequences_close */
    size_t n;
    size_t *at;         /* n + 1 */
    uint32_t *item;     /* dense numbers */
    uint8_t *step;      /* within its sequence, 0 first; items of one basket share it */
    uint8_t *kind;      /* enum event_kind; PURCHASE in MODEL_HISTORY */
    int64_t *end_ms;    /* by sequence, ascending */
    uint32_t *customer; /* by sequence: number of the history */
    size_t items_n;     /* dense numbers are below */
};

/* dense: by history item, MODEL_NONE: leave out. Steps above 255 are 255. */
void sequences_of(const struct history *history, enum model_domain domain, int64_t before_ms, const uint32_t *dense,
                  size_t items_n, struct sequences *out_sequences);
void sequences_close(struct sequences *sequences);
