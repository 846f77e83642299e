/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/live_side.h"

#include <stdlib.h>

enum { ALIGN = 64 };

enum err live_side_open(const struct model *base, struct live_side *out_side)
{
    struct live_side side = {.room = {.sequences = LIVE_SEQUENCES,
                                      .steps = LIVE_STEPS,
                                      .items = LIVE_ITEMS,
                                      .texts = LIVE_TEXTS,
                                      .rows = LIVE_ROWS,
                                      .weights = LIVE_WEIGHTS}};

    /* calloc gives a room this large as fresh pages that are zero and not there until written; aligned_alloc does not. */
    side.memory = calloc(1, model_live_bytes(base, &side.room) + ALIGN);
    if (side.memory == NULL) {
        return ERR_NOMEM;
    }
    side.live = model_live_open(base, &side.room, (void *)(((uintptr_t)side.memory + ALIGN - 1) / ALIGN * ALIGN));
    *out_side = side;
    return ERR_OK;
}

void live_side_close(struct live_side *side)
{
    free(side->memory);
    *side = (struct live_side){0};
}
