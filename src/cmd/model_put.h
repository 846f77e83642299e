/* SPDX-License-Identifier: Apache-2.0 */
/* model_put.h - a trained model into a data directory: the file under its hash, and the row that names it. */
#pragma once

#include "cmd/data.h"
#include "model/model.h"

/* DIR/models/HASH, written aside and renamed, in place of what has that name. */
MUST_USE enum err model_put_file(const char *data_dir, const struct model *model, struct bytes file, struct why *why);
/* Where no server has the storage: what the next one will publish. */
MUST_USE enum err model_put_row(struct data *data, struct tenant_id tenant, const struct model *model);
