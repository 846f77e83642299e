/* SPDX-License-Identifier: Apache-2.0 */
/* declared.h - the declared side of a customer: what was said, each on the part it was said on.
 *
 *     format u8 1 | 1 consents (consent/consent.h) | later fields: facts, refusals, lists
 *     change: field number u8, then that field's change
 * Pure functions that storage is handed as rules. Unknown fields are kept as they are by patch,
 * stay with the kept side at a cut, and make a join ERR_UNSUPPORTED where only the joined side has them. */
#pragma once

#include "base/arena.h"
#include "event/event.h"

enum { DECLARED_FORMAT = 1, DECLARED_CONSENTS = 1 };

MUST_USE enum err declared_patch(struct bytes declared, struct bytes change, const struct part_id *parts,
                                 size_t parts_n, struct arena *arena, struct bytes *out_declared);
MUST_USE enum err declared_join(struct bytes into, struct bytes from, struct arena *arena, struct bytes *out_declared);
MUST_USE enum err declared_cut(struct bytes declared, struct part_id part, struct arena *arena, struct bytes *out_kept,
                               struct bytes *out_moved);
MUST_USE enum err declared_word(struct bytes declared, uint16_t *out_word, int64_t *out_until_ms);
