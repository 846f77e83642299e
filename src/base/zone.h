/* SPDX-License-Identifier: Apache-2.0 */
/* zone.h - one time zone: local time to UTC and back, from the bytes of a TZif file (RFC 8536).
 *
 * os/zone reads the file and hands the bytes in; nothing here touches the system. A local hour that does
 * not exist goes forward, one that exists twice is the earlier (settled.md 5.1): in both cases the offset
 * from before the change counts, so local time `l` uses the offset after change i from
 * l >= change[i] + max(offset before, offset after).
 *
 * Times before the first change use the first standard offset, times after the last follow the file's
 * rule (footer) up to 2200. All zero is UTC. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"

struct zone { /* all zero: UTC */
    const int64_t *change_ms;  /* ascending, UTC */
    const int64_t *local_ms;   /* from this local time on the offset after change i counts */
    const int32_t *offset_ms;  /* n + 1: [0] before the first change, [i + 1] after change i */
    size_t n;
};

/* file: whole; at most 1 MiB. Arrays live in `arena`. Errors: ERR_INVALID, not TZif of version 2 or newer or
 * out of bounds; ERR_NOMEM. */
MUST_USE enum err zone_read(struct bytes file, struct arena *arena, struct zone *out_zone);
/* local_ms: civil time as if UTC (time_of_civil). Gives UTC. Cost: O(log n). */
int64_t zone_utc(const struct zone *zone, int64_t local_ms);
/* Gives local civil time as if UTC (time_civil of it is the date on the wall). */
int64_t zone_local(const struct zone *zone, int64_t at_ms);
