/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/time.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 1000 };

static _Atomic int least_level = LOG_INFO;
static void (*sink_now)(void *ctx, struct bytes line);
static void *sink_ctx;

void log_level_set(enum log_level level)
{
    atomic_store(&least_level, (int)level);
}

void log_sink_set(void (*sink)(void *ctx, struct bytes line), void *ctx)
{
    sink_now = sink;
    sink_ctx = ctx;
}

static void write_all(struct bytes line)
{
    while (line.n > 0) {
        ssize_t n = write(STDERR_FILENO, line.p, line.n);

        if (n < 0 && errno != EINTR) {
            return; /* nobody to tell */
        }
        if (n > 0) {
            line = (struct bytes){line.p + n, line.n - (size_t)n};
        }
    }
}

void log_say(enum log_level level, const char *room, const char *msg, const char *format, ...)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    char line[LINE_BYTES + 1], at[TIME_TEXT_BYTES];
    struct timespec now;
    va_list args;
    int n;

    if ((int)level < atomic_load(&least_level)) {
        return;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    time_format((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, at);
    n = snprintf(line, LINE_BYTES, "at=%s level=%s room=%s msg=\"%s\"%s", at, levels[level], room, msg,
                 format[0] == '\0' ? "" : " ");
    if (n < LINE_BYTES) {
        va_start(args, format);
        n += vsnprintf(line + n, (size_t)(LINE_BYTES - n), format, args);
        va_end(args);
    }
    n = n < LINE_BYTES ? n : LINE_BYTES - 1;
    for (int i = 0; i < n; i++) {
        line[i] = (unsigned char)line[i] < 0x20 || line[i] == 0x7f ? ' ' : line[i];
    }
    line[n++] = '\n';
    if (sink_now != NULL) {
        sink_now(sink_ctx, (struct bytes){line, (size_t)n});
    } else {
        write_all((struct bytes){line, (size_t)n});
    }
}
