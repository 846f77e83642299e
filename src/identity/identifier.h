/* SPDX-License-Identifier: Apache-2.0 */
/* identifier.h - the written form of identifiers: normalising, checking, hashing of e-mail and phone.
 *
 * E-mail: NFKC, trimmed, lower case, then EMAIL_HASH = hex of SHA-256. Phone: E.164 with the tenant's
 * country, then PHONE_HASH = hex of SHA-256. The rest is byte-exact (settled.md 1.12). SHA-256 of the
 * normalised form is what other systems export, so their hashes meet ours; at rest it is keyed again. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "event/event.h"

/* Normalises in place of `identifier`: email becomes emailHash, phone phoneHash; hashes are lower-cased hex of
 * 64 digits. country: two letters for national phone numbers, may be empty.
 * Errors: ERR_INVALID with why (codes bad_identifier, identifier_too_long, national_identity_number): empty, over
 * 256 bytes, control characters or NUL, not UTF-8, an e-mail without @, a phone with letters; a Norwegian, Swedish,
 * Danish or Finnish national identity number in clear is refused for every kind. Nothing of the value is echoed. */
MUST_USE enum err identifier_normalise(struct event_identifier *identifier, struct bytes country, struct arena *arena,
                                       struct why *why);
/* Reads "kind:value" (path and short form), not yet normalised. Of kind x-name the value is "name:value".
 * Errors: ERR_INVALID, unknown kind. */
MUST_USE enum err identifier_parse(struct bytes text, struct event_identifier *out_identifier, struct why *why);
/* True where an unguessable id is its own proof: cookie, anonymousId, app (product.md 7.1). */
bool identifier_is_device(enum identifier_kind kind);
