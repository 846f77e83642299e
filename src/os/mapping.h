/* SPDX-License-Identifier: Apache-2.0 */
/* mapping.h - a file mapped read-only: its bytes as long as the mapping is open. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

/* Errors: ERR_ABSENT; ERR_IO; ERR_CORRUPT, an empty file. Page-aligned. */
MUST_USE enum err mapping_open(const char *path, struct bytes *out_file, struct why *why);
void mapping_close(struct bytes file);
