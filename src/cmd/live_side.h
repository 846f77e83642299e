/* SPDX-License-Identifier: Apache-2.0 */
/* live_side.h - the memory of a model's live side: reserved whole, touched as it fills. */
#pragma once

#include "base/err.h"
#include "model/model_live.h"

struct live_side {
    struct model_live_room room;
    struct model_live *live;
    void *memory; /* what is freed */
};

enum {
    LIVE_SEQUENCES = 1 << 18, /* per kind; a renewal keeps the newer half */
    LIVE_STEPS = 1 << 22,
    LIVE_ITEMS = 1 << 14,
    LIVE_TEXTS = LIVE_ITEMS * 24,
    LIVE_ROWS = 1 << 15,
    LIVE_WEIGHTS = 1 << 20
};

/* Address space for all of it, about 150 MB and 52 B an item; resident is what was written. Errors: ERR_NOMEM. */
MUST_USE enum err live_side_open(const struct model *base, struct live_side *out_side);
void live_side_close(struct live_side *side);
