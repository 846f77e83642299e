/* SPDX-License-Identifier: Apache-2.0 */
/* api_catalog.h - configuration rows of items, stores and stock to and from the catalogue in memory. */
#pragma once

#include "catalog/catalog.h"
#include "storage/storage.h"

/* Puts one stored row (or its deletion) into the catalogue. Errors: ERR_STALE, a newer revision is held: fine;
 * ERR_CORRUPT; ERR_CONFLICT, two ids with one hash; ERR_NOMEM. */
MUST_USE enum err api_catalog_apply(struct catalog *catalog, struct tenant_id tenant, enum storage_table table,
                                    const struct storage_row *row, struct arena *arena);
