/* SPDX-License-Identifier: Apache-2.0 */
/* publisher.h - the thread that maps, verifies and publishes models, so that no loop waits for a file. */
#pragma once

#include "api/api.h"
#include "cmd/live_side.h"

struct publisher;

/* Publishes what each tenant's row names (what does not open is told in the log and left out), starts the thread
 * and puts itself into api->port. data_dir: borrowed. Errors: ERR_NOMEM, ERR_IO. */
MUST_USE enum err publisher_open(struct api *api, const char *data_dir, struct publisher **out_publisher);
/* Says when a tenant's file was swapped, on the publisher's thread and under its lock: changed only notes it. */
void publisher_listen(struct publisher *publisher, void (*changed)(void *ctx), void *ctx);
/* Publishes another live side of the same file and takes it over; false: another file was published meanwhile, the side
 * stays the caller's. at: place in api->tenants. Thread: the learner's. */
bool publisher_renew(struct publisher *publisher, size_t at, uint64_t generation, struct live_side *side);
/* Between these no model is published: for the learner while it forgets somebody, rows and sequences together. */
void publisher_lock(struct publisher *publisher);
void publisher_unlock(struct publisher *publisher);
/* Ends the thread, takes the models back and frees them: after the server was drained. NULL is allowed. */
void publisher_close(struct publisher *publisher);
