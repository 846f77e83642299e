/* SPDX-License-Identifier: Apache-2.0 */
/* schedule.h - what the server does by itself: `falun train`, in its own process, at low priority. */
#pragma once

#include "api/api.h"

struct schedule;

/* Starts the thread that trains every `every_ms` (0: never, and no thread), first after that time; at once where the model in use could not be read. The trainer is
 * this same program: `falun train --once --data DIR --tenant NAME`, one tenant at a time. */
MUST_USE enum err schedule_open(struct api *api, const char *data_dir, int64_t every_ms, struct schedule **out_schedule);
/* Stops; a running trainer is ended. NULL is allowed. */
void schedule_close(struct schedule *schedule);
