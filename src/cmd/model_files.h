/* SPDX-License-Identifier: Apache-2.0 */
/* model_files.h - the model files of a data directory, DIR/models/HASH: all tenants' in one place, immutable, the newest kept. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/id.h"
#include "cmd/forgotten.h"

enum { MODEL_FILES_KEPT = 5 };

struct model_file { /* one file, as found */
    char hash[65];
    int64_t made_ms, trained_ms;
    uint64_t bytes;
    double quality;     /* what its settings scored on the newest part, by which they were chosen; NAN: not said */
    char measure[32];   /* of quality: "recall@10", "hr@20" */
    bool is_readable;
    struct why why;     /* why it is not */
};

/* Those of the tenant, newest made first. What cannot be opened at all and names no tenant is listed for every one. Opens and
 * checks each whole: about 1 GB/s. Errors: ERR_NOMEM; a directory that is not there is an empty list. */
MUST_USE enum err model_files_list(const char *data_dir, struct tenant_id tenant, struct arena *arena,
                                   const struct model_file **out_files, size_t *out_n);
/* Deletes the tenant's files but the one in use and the newest MODEL_FILES_KEPT, and of those too each that holds a sequence
 * of a forgotten owner. held: set for each of `forgotten` that a file left over (the one in use) still holds. */
void model_files_tidy(const char *data_dir, struct tenant_id tenant, const char *in_use, const struct forgotten *forgotten,
                      size_t forgotten_n, bool *held);
/* The same with the forgotten as stored: after a model was published. Rows that have served their time are dropped. Blocking;
 * what fails is left for the next time. */
void model_files_tidy_all(const char *data_dir, struct storage *storage, struct loop *loop, struct tenant_id tenant,
                          const char *in_use);
