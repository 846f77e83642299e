/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/model_put.h"

#include "os/file.h"
#include "storage/storage_wait.h"

#include <stdio.h>

enum { PATH_BYTES = 1400 };

enum err model_put_file(const char *data_dir, const struct model *model, struct bytes file, struct why *why)
{
    char path[PATH_BYTES];
    enum err err;

    data_dir_join(data_dir, "models", path, sizeof(path));
    err = file_make_directory(path, 0700, why);
    (void)snprintf(path, sizeof(path), "%.1200s/models/%.64s", data_dir, model_hash(model).p);
    /* Also where it is there: it may be damaged, and this is what was just learnt. */
    return err == ERR_OK ? file_write(path, file, 0600, why) : err;
}

enum err model_put_row(struct data *data, struct tenant_id tenant, const struct model *model)
{
    struct storage_put put = {.id = BYTES_LIT("current"), .row = model_hash(model)};
    uint64_t revision;

    return storage_wait_put(data->storage, data->loop, tenant, STORAGE_MODEL, &put, 1, &revision);
}
