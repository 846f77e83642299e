/* SPDX-License-Identifier: Apache-2.0 */
/* model_use.h - which model a tenant answers with, read and changed by a command: through the server that runs on the data
 * directory, else in its storage. */
#pragma once

#include "cmd/data.h"
#include "os/fetch.h"

struct model_use { /* all zero: closed */
    struct data data;    /* storage NULL beside a server */
    struct fetch *fetch; /* NULL: no server */
    struct tenant_id tenant;
    char hash[65];       /* in use; empty: none */
};

/* Errors: with why; ERR_ABSENT, no such tenant. */
MUST_USE enum err model_use_open(const char *data_dir, const char *tenant, struct arena *arena, struct model_use *out_use,
                                 struct why *why);
void model_use_close(struct model_use *use);
/* The file was looked at. A server looks at it itself and keeps the old one when it does not like it. */
MUST_USE enum err model_use_put(struct model_use *use, const char hash[65], struct arena *arena, struct why *why);
/* The row of a tenant in an opened storage: the name of its model, or empty. */
MUST_USE enum err model_use_read(struct storage *storage, struct loop *loop, struct tenant_id tenant, struct arena *arena,
                                 char out_hash[65]);
