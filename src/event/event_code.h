/* SPDX-License-Identifier: Apache-2.0 */
/* event_code.h - the stored body of an event: format byte 1, then ascending tagged fields (base/pack.h).
 *
 *     1 kind  2 channel  3 at_ms (signed)  4 declared_ms - at_ms  5 received_ms - at_ms  6 id  7 source
 *     8 store text  9 session  10 order  11 query  12 ticket  13 currency  14 total  15 position
 *     16 lines: count, { item hash u64, item text, quantity signed, paid signed }*   17 purposes  18 properties
 *     19 kind name  20 flags (1 has_id, 2 has_time, 4 is_receipt)  21 retracts (16 bytes)  22 placement
 * Identifiers are NOT in the body: they are the part's, in the customer's row. Canonical: the same
 * event gives the same bytes. An unknown tag is skipped; an unknown format byte is ERR_UNSUPPORTED. */
#pragma once

#include "base/arena.h"
#include "base/pack.h"
#include "event/event.h"

void event_encode(const struct event *event, struct pack *to);
/* Text is borrowed from `body`; lines live in `arena`. tenant: for the hash of the store (those of
 * items are in the body: a tail of receipts has hundreds). The
 * mid is the key's, set it after. Errors: ERR_CORRUPT; ERR_UNSUPPORTED; ERR_NOMEM, the arena is full. */
MUST_USE enum err event_decode(struct bytes body, struct tenant_id tenant, struct arena *arena,
                               struct event *out_event);
