/* SPDX-License-Identifier: Apache-2.0 */
/* consent.h - what a customer allowed, refused and took back, per purpose; the first field of the
 * declared side (profile/declared.h), the only one this room opens.
 *
 * Statements are kept per part: the newest of each (part, purpose); over the parts of a customer the
 * strictest counts, a part that said nothing is not asked (settled.md 1.8). A statement on a customer is
 * written to all parts it has at that moment, else an old cookie's refusal would block for ever.
 * Absent is refusal; a *gated* source (its own consent tool lets only consented events through) counts
 * absent as granted for store, personalise and measure, at its own requests only (settled.md 1.9).
 *
 *     declared field 1: { part u64, purpose u8, state u8, at signed, until signed, said version text,
 *                         source text, received signed }*     ascending (part, purpose)
 *     change: the same without part: { purpose u8, state u8, at, until, text, source, received }*  */
#pragma once

#include "base/arena.h"
#include "base/pack.h"
#include "event/event.h"
#include "event/sealed.h"

/* Of each purpose one a part, and one that a cut left behind (part 0). */
enum { CONSENT_TEXT_BYTES_MAX = 64, CONSENT_ENTRIES_MAX = (64 + 1) * PURPOSES_ };

/* A gated source counts absent as granted for these. */
#define CONSENT_GATED_WORD                                                                                  \
    ((uint16_t)(CONSENT_GRANTED << (2 * PURPOSE_STORE) | CONSENT_GRANTED << (2 * PURPOSE_PERSONALISE) |     \
                CONSENT_GRANTED << (2 * PURPOSE_MEASURE)))

struct consent_statement {
    struct part_id part;   /* where it was said; 0 in a change */
    enum purpose purpose;
    enum consent_state state; /* never UNSAID */
    int64_t at_ms;         /* when it was said */
    int64_t until_ms;      /* a grant's end; 0: none */
    struct bytes text_version; /* of the text that was agreed to */
    struct bytes source;
    int64_t received_ms;
};

struct consent { /* decoded: all statements, ascending (part, purpose) */
    const struct consent_statement *statements;
    size_t n;
};

/* Opens the consent field of a declared row (empty: nothing said). Text is borrowed.
 * Errors: ERR_CORRUPT, ERR_NOMEM. */
MUST_USE enum err consent_read(struct sealed declared, struct arena *arena, struct consent *out_consent);
/* The word in force at now_ms (an ended grant is unsaid), strictest over parts. */
uint16_t consent_word(const struct consent *consent, int64_t now_ms);
/* The statement that decides for a purpose, or NULL: the strictest, of these the newest. */
const struct consent_statement *consent_deciding(const struct consent *consent, enum purpose purpose, int64_t now_ms);
/* Joins what the record says with what the call says (it can only narrow), with Sec-GPC and with the
 * gate of the key's source. Gives granted bits only where the result is a grant; `store` refused or withdrawn takes
 * every other grant with it. */
uint16_t consent_in_force(uint16_t record_word, uint16_t call_word, bool has_gpc, bool is_gated);
static inline bool consent_may(uint16_t word_in_force, enum purpose purpose)
{
    return consent_word_get(word_in_force, purpose) == CONSENT_GRANTED;
}

/* ---- the field's bytes: pure, for storage_rules and tests ---- */
void consent_change_encode(const struct consent_statement *statements, size_t n, struct pack *to);
/* field: of declared, may be empty. Each statement of `change` goes to each part, if newer than what the
 * part has said (equal times: the stricter). */
MUST_USE enum err consent_field_patch(struct bytes field, struct bytes change, const struct part_id *parts,
                                      size_t parts_n, struct arena *arena, struct bytes *out_field);
MUST_USE enum err consent_field_join(struct bytes a, struct bytes b, struct arena *arena, struct bytes *out_field);
/* Takes the statements of `part` away. Cutting never widens: a refusal of the other side is kept on both (on part
 * 0 of the kept side). */
MUST_USE enum err consent_field_cut(struct bytes field, struct part_id part, struct arena *arena,
                                    struct bytes *out_kept, struct bytes *out_moved);
/* The strictest state of each purpose and the earliest end of a grant (0: none): whoever reads the word after that end
 * must look at the statements themselves. A grant that had ended when the newest statement was received is left out. */
MUST_USE enum err consent_field_word(struct bytes field, uint16_t *out_word, int64_t *out_until_ms);
