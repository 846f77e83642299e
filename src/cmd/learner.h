/* SPDX-License-Identifier: Apache-2.0 */
/* learner.h - the thread that learns while the server serves (models.md 18): what room learn says, done to each tenant's
 * live side.
 *
 *     loops  --lessons-->  bounded queue  -->  learner's thread  -->  live side of the published pair  -->  decisions
 * At the start, and when a new file is published, the live side is made again from the log: all events newer than what
 * the file learnt, in order of time; what arrives meanwhile follows them. So a restart loses nothing, and a queue that was
 * full loses only until then. Forgetting is done before it is answered. */
#pragma once

#include "cmd/publisher.h"

struct learner;

/* Starts the thread and puts itself into api->port. secret: of the data directory. Errors: ERR_NOMEM. */
MUST_USE enum err learner_open(struct api *api, struct publisher *publisher, const uint8_t secret[32],
                               struct learner **out_learner);
/* Ends the thread: before the publisher, after the server was drained. What waits to be forgotten is done first. NULL is
 * allowed. */
void learner_close(struct learner *learner);
