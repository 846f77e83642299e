/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name;
    int status;
} table[ERR_COUNT_] = {
    [ERR_OK] = {"ok", 200},
    [ERR_ABSENT] = {"absent", 404},
    [ERR_INVALID] = {"invalid", 422},
    [ERR_NO_PASS] = {"no_pass", 403},
    [ERR_STALE] = {"stale", 412},
    [ERR_CONFLICT] = {"conflict", 409},
    [ERR_TOOBIG] = {"too_big", 413},
    [ERR_FULL] = {"storage_full", 507},
    [ERR_BUSY] = {"busy", 503},
    [ERR_IO] = {"io", 503},
    [ERR_CORRUPT] = {"corrupt", 500},
    [ERR_NOMEM] = {"no_memory", 503},
    [ERR_UNSUPPORTED] = {"unsupported", 422},
};

const char *err_name(enum err err)
{
    assert(err < ERR_COUNT_);
    return table[err].name;
}

int err_status(enum err err)
{
    assert(err < ERR_COUNT_);
    return table[err].status;
}

enum err why_say(struct why *why, enum err err, const char *code, const char *field,
                 const char *format, ...)
{
    va_list args;

    if (why == NULL) {
        return err;
    }
    snprintf(why->code, sizeof(why->code), "%s", code);
    snprintf(why->field, sizeof(why->field), "%s", field);
    va_start(args, format);
    vsnprintf(why->says, sizeof(why->says), format, args);
    va_end(args);
    return err;
}
