/* SPDX-License-Identifier: Apache-2.0 */
/* storage_text.h - the text of an identifier, sealed: XChaCha20-Poly1305, 16 bytes longer than the text.
 *
 * The nonce is (idh, tenant, kind, 0 0 0) and not stored: idh is a keyed hash of tenant, kind and text, so
 * one nonce never meets two texts, and the same text gives the same bytes in every run. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/id.h"

enum { STORAGE_TEXT_TAG_BYTES = 16 };

/* Gives the sealed text in `arena`; {NULL, 0} when it is full. */
struct bytes storage_text_seal(const uint8_t key[32], struct tenant_id tenant, uint8_t kind,
                               const struct idh *idh, struct bytes text, struct arena *arena);
/* Opens into `arena`. Empty stays empty (a withdrawn text).
 * Errors: ERR_CORRUPT, it was not sealed with this key for this identifier; ERR_NOMEM. */
MUST_USE enum err storage_text_open(const uint8_t key[32], struct tenant_id tenant, uint8_t kind,
                                    const struct idh *idh, struct bytes sealed, struct arena *arena,
                                    struct bytes *out_text);
