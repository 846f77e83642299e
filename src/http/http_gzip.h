/* SPDX-License-Identifier: Apache-2.0 */
/* http_gzip.h - undoes Content-Encoding: gzip, the limit kept while inflating (rule 12 of stack.md 2). */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

/* One gzip member, nothing behind it. out_body: from malloc, the caller frees it. Errors: ERR_INVALID (no
 * gzip, cut off, checksum, or something follows), ERR_TOOBIG (more than most_bytes), ERR_NOMEM. */
MUST_USE enum err http_gzip_undo(struct bytes body, size_t most_bytes, struct bytes *out_body);
