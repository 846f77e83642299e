/* SPDX-License-Identifier: Apache-2.0 */
/* api_call.h - small things that several calls need. */
#pragma once

#include "api/api.h"
#include "base/json_form.h"

/* A field that the design has and this version does not: 422 `unsupported`, never ignored (settled.md 4.2). */
void api_unsupported(struct json_form *form, const struct json_node *object, const char *key);
/* Microseconds since the request was read. */
int64_t api_took_us(const struct http_request *request);
