/* SPDX-License-Identifier: Apache-2.0 */
/* picture.h - all we know of one customer, assembled for one request: parts merged, tails and the
 * call's own events folded in. What decide reads; what it cannot change. */
#pragma once

#include "base/arena.h"
#include "consent/pass.h"
#include "event/sealed.h"
#include "profile/part.h"

struct picture {
    struct tenant_id tenant;
    struct customer_id customer; /* 0: nobody known (an unknown visitor, or session mode) */
    int64_t now_ms;
    uint16_t consent_word;       /* in force: record, call and signal together */
    const struct part *life;     /* never NULL: an empty part where nothing is known */
    size_t call_events_n;        /* events of the call itself that were counted */
    uint64_t hash;               /* of revisions and tail mids: equal on all channels (product.md 7.2 `picture`) */
};

/* Opens a loaded customer. pass: PURPOSE_PERSONALISE or PURPOSE_STORE of this very customer, else
 * ERR_NO_PASS. call_events: of this request, counted at once; those whose mid lies in a tail already
 * are skipped. Errors: ERR_CORRUPT, ERR_UNSUPPORTED, ERR_NOMEM. Owns: lives in `arena`. */
MUST_USE enum err picture_open(const struct pass *pass, const struct sealed_customer *customer,
                               const struct event *const *call_events, size_t call_events_n, int64_t now_ms,
                               struct arena *arena, const struct picture **out_picture);
/* The picture of nobody: what the call's own events say (mode `session`), or nothing (`anonymous`). */
MUST_USE enum err picture_of_events(struct tenant_id tenant, const struct event *const *call_events,
                                    size_t call_events_n, int64_t now_ms, struct arena *arena,
                                    const struct picture **out_picture);
/* For train and evaluate: the picture of a part folded elsewhere. life is borrowed. */
struct picture picture_of_part(struct tenant_id tenant, struct customer_id customer, const struct part *life,
                               int64_t now_ms);
