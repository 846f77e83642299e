/* SPDX-License-Identifier: Apache-2.0 */
/* data_dir.h - the data directory: made on first use, owned by one process, with its secret.
 *
 *     DIR (0700)  db/  models/  spool/  secret (32 random bytes, 0600)  lock (pid of the owner)  socket
 * `secret` is made once; identifier, ticket and seal keys are derived from it: whoever loses it loses
 * the identities. Back it up with the rest. */
#pragma once

#include "base/err.h"

#include <stdint.h>

struct data_dir;

/* Makes what is missing, takes the lock and empties spool/: what lies there is of processes that are gone. Errors: ERR_BUSY, another process has it (why names its
 * pid); ERR_IO; ERR_CORRUPT, a secret of another length. */
MUST_USE enum err data_dir_open(const char *path, struct data_dir **out_dir, struct why *why);
/* Gives up the lock. NULL is allowed. */
void data_dir_close(struct data_dir *dir);
const char *data_dir_path(const struct data_dir *dir);
const uint8_t *data_dir_secret(const struct data_dir *dir); /* 32 bytes */
/* Formats DIR/name into out_path. */
void data_dir_join(const char *path, const char *name, char *out_path, size_t room);
