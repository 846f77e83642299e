/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - one line an occurrence, key=value, on standard error:
 *
 *     at=2026-11-22T19:14:00.000Z level=info room=http msg="listens" address=127.0.0.1 port=7474
 * Never a value of an identifier, a name or a key. What an answer already says is not logged again: the log is
 * for whoever runs the server. A line is written in one call, so threads do not mix. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

enum log_level { LOG_DEBUG = 0, LOG_INFO, LOG_WARN, LOG_ERROR };

/* msg: a sentence without values. format and what follows: the pairs, e.g. "port=%d path=%s", or "".
 * Control characters become spaces; a line is cut at 1,000 bytes. Thread: any. */
void log_say(enum log_level level, const char *room, const char *msg, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* Lines below level are dropped; LOG_INFO at first. */
void log_level_set(enum log_level level);
/* Lines go to sink (with their line feed) instead of standard error; NULL: back. For tests. */
void log_sink_set(void (*sink)(void *ctx, struct bytes line), void *ctx);
