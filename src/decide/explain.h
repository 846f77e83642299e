/* SPDX-License-Identifier: Apache-2.0 */
/* explain.h - why an item is shown: a code for machines, a sentence for the customer.
 *
 * A sentence may be read over the customer's shoulder: it names no person, no count, no hour and no place (P7). */
#pragma once

#include "decide/decide.h"

enum explain_language { EXPLAIN_EN = 0, EXPLAIN_NB, EXPLAIN_SV, EXPLAIN_DA, EXPLAIN_FI, EXPLAIN_LANGUAGES_ };

/* "repeat", "together", "looked", "store", "segment", "popular", "new"; "none" for REASON_NONE. */
const char *explain_code(enum decide_reason reason);
/* "excluded", "notCandidate", "onPage", "unknownItem", "hidden", "unavailable", "below"; "none". */
const char *explain_drop(enum decide_drop drop);
/* null for FALLBACK_NONE, else "unknownCustomer", ... (product.md 7.2). */
const char *explain_fallback(enum decide_fallback fallback);
/* The language of a tag such as "nb-NO"; nn and no give nb; all others English. */
enum explain_language explain_language_of(struct bytes tag);
/* The sentence; because_title: of the item `because`, may be empty. Lives in `arena`; {NULL, 0} when it is full. */
struct bytes explain_text(enum decide_reason reason, enum explain_language language, struct bytes because_title,
                          struct arena *arena);
