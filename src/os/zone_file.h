/* SPDX-License-Identifier: Apache-2.0 */
/* zone_file.h - time zones of this machine: base/zone from the files below /usr/share/zoneinfo ($TZDIR). */
#pragma once

#include "base/zone.h"

/* name: IANA, such as Europe/Oslo; empty: UTC. Arrays live in `arena`. Errors: ERR_ABSENT, no such zone (why says to
 * install tzdata or mend the name); ERR_INVALID; ERR_IO; ERR_NOMEM. */
MUST_USE enum err zone_file_read(struct bytes name, struct arena *arena, struct zone *out_zone, struct why *why);
