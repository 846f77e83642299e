/* SPDX-License-Identifier: Apache-2.0 */
/* from_storage.h - the history of one tenant out of its storage: a checkpoint of a running server, or the storage itself.
 *
 * Purchases of all parts of a customer are one customer's. Who refused or withdrew personalisation teaches nothing (P7), nor
 * does an event that was not let in for it. Anonymous receipts count as one customer each. */
#pragma once

#include "storage/storage.h"
#include "train/history.h"

/* Blocking. now_ms: for consents that end. Sorted. Errors: what storage gave; ERR_CORRUPT. */
MUST_USE enum err history_from_storage(struct storage *storage, struct tenant_id tenant, int64_t now_ms,
                                       struct history *out_history);
