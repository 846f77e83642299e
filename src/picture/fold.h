/* SPDX-License-Identifier: Apache-2.0 */
/* fold.h - from a part's stored state and some events to its next state: what storage is handed as its
 * fold rule, and what a decision does in memory with a tail. Pure; commutes (profile/part.h). */
#pragma once

#include "base/arena.h"
#include "event/event.h"
#include "profile/part.h"

enum { FOLD_VERSION = 1 }; /* raise it when the same events fold to another state: parts are then folded anew */

struct fold_event { /* laid out as storage's storage_fold_event is */
    struct mid mid;
    struct bytes body;
};

/* Adds stored bodies to `part`. scratch is reset after each event. Errors: ERR_CORRUPT, ERR_UNSUPPORTED,
 * ERR_NOMEM; events before the bad one are then in. */
MUST_USE enum err fold_bodies(struct tenant_id tenant, const struct fold_event *events, size_t n, struct arena *scratch,
                              struct part *part);
/* State and events to state, as bytes in `arena`. */
MUST_USE enum err fold_state(struct tenant_id tenant, struct bytes state, const struct fold_event *events, size_t n,
                             struct arena *arena, struct bytes *out_state);
/* The body of the event that takes back the purchase `body`, whose mid is `of`: the same lines, time and
 * store, kind RETRACT (settled.md 2.1). */
MUST_USE enum err fold_retract(struct bytes body, struct mid of, struct arena *arena, struct bytes *out_body);
