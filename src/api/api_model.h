/* SPDX-License-Identifier: Apache-2.0 */
/* api_model.h - which model a tenant answers with: a file models/HASH, verified, mapped, published by one
 * pointer swap. The trainer writes the file and then says so (POST /v1/models over DIR/socket or with a
 * secret key); the server verifies it and puts the row (table STORAGE_MODEL, id "current", row = hash). */
#pragma once

#include "api/api.h"

/* Maps, verifies and publishes DIR/models/HASH for the tenant; the old model is freed when no reader sees it.
 * hash: 64 hex digits. Errors: ERR_ABSENT, no such file; ERR_CORRUPT, ERR_UNSUPPORTED with why: the old model
 * stays. Blocking: reads the whole file once. */
MUST_USE enum err api_model_publish(struct api *api, struct api_tenant *tenant, struct bytes hash, struct why *why);
/* Publishes what each tenant's row names; a tenant without one, or whose file does not open, answers without a
 * model (told in the log). Before the server starts. */
void api_models_load(struct api *api, struct loop *loop);
/* Frees the published models; no reader may be inside. */
void api_models_free(struct api *api);
