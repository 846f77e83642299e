/* SPDX-License-Identifier: Apache-2.0 */
/* forgotten.h - who was erased or withdrew while models still hold sequences of them: hidden at every start until no file does.
 *
 * Table STORAGE_FORGOTTEN, id = owner be64 (hash_owner of a part or customer: it names nobody), row = moment be64 ms. A row
 * goes once no model file of the tenant holds the owner and it is older than FORGOTTEN_KEPT_MS: until then a training
 * that began before the erasure may still bring one. */
#pragma once

#include "base/time.h"
#include "storage/storage.h"

#define FORGOTTEN_KEPT_MS (7 * DAY_MS)

struct forgotten {
    uint64_t owner;
    int64_t at_ms;
};

/* All rows, by owner. Blocking; loop is not running. Errors: what storage gave; ERR_NOMEM. */
MUST_USE enum err forgotten_read(struct storage *storage, struct loop *loop, struct tenant_id tenant, struct arena *arena,
                                 const struct forgotten **out_forgotten, size_t *out_n);
/* Durable when it returns. n: at most 256. */
MUST_USE enum err forgotten_put(struct storage *storage, struct loop *loop, struct tenant_id tenant, const uint64_t *owners,
                                size_t n, int64_t at_ms);
MUST_USE enum err forgotten_drop(struct storage *storage, struct loop *loop, struct tenant_id tenant, uint64_t owner);
