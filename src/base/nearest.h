/* SPDX-License-Identifier: Apache-2.0 */
/* nearest.h - how far one short word is from another, for "did you mean". */
#pragma once

#include "base/bytes.h"

enum { NEAREST_BYTES_MAX = 64 };

/* Edit distance of Levenshtein in bytes: insertions, deletions, changes. NEAREST_BYTES_MAX where a word is longer
 * than that. Cost: a.n * b.n steps. */
size_t nearest_distance(struct bytes a, struct bytes b);
