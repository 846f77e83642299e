/* SPDX-License-Identifier: Apache-2.0 */
/* publisher.h - the thread that maps, verifies and publishes models, so that no loop waits for a file. */
#pragma once

#include "api/api.h"

struct publisher;

/* Publishes what each tenant's row names (what does not open is told in the log and left out), starts the thread
 * and puts itself into api->port. data_dir: borrowed. Errors: ERR_NOMEM, ERR_IO. */
MUST_USE enum err publisher_open(struct api *api, const char *data_dir, struct publisher **out_publisher);
/* Ends the thread, takes the models back and frees them: after the server was drained. NULL is allowed. */
void publisher_close(struct publisher *publisher);
