/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_call.h"

#include <time.h>

void api_unsupported(struct json_form *form, const struct json_node *object, const char *key)
{
    if (!json_is_null(json_get(object, key))) {
        json_form_fault(form, object, key, "unsupported", "`%s` is not built yet; leave it out", key);
    }
}

int64_t api_took_us(const struct http_request *request)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 - request->received_mono_us;
}
