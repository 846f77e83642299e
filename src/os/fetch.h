/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.h - outgoing HTTP/1.1 by libcurl, one call after another on one kept connection, waited for: commands that
 * speak to a running server, never a server's loop.
 *
 * Goes where it is told: no redirects, no proxy from the environment, http and https only; replies are bounded. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

enum { FETCH_REPLY_BYTES_MAX = 64 << 20, FETCH_CONNECT_MS = 5000, FETCH_CALL_MS = 120000 };

struct fetch;

/* base_url: "http://127.0.0.1:7474", without a path. socket_path: a unix socket that is connected to instead, or NULL.
 * key: sent as Authorization: Bearer, or NULL. Errors: ERR_NOMEM. */
MUST_USE enum err fetch_open(const char *base_url, const char *socket_path, const char *key, struct fetch **out_fetch);
void fetch_close(struct fetch *fetch); /* NULL is allowed */
/* A header for all later calls: "Falun-Tenant: north". Errors: ERR_NOMEM. */
MUST_USE enum err fetch_header(struct fetch *fetch, const char *line);
/* method: "GET", "POST", "PUT", "DELETE". body: sent as application/json, may be empty. The reply's body lives in
 * `arena`. Any HTTP status is ERR_OK: look at *out_status. Errors: ERR_IO, nobody answered (why says what to look at);
 * ERR_TOOBIG, the reply is over the limit; ERR_NOMEM, the arena is full. */
MUST_USE enum err fetch_call(struct fetch *fetch, const char *method, const char *path, struct bytes body,
                             struct arena *arena, int *out_status, struct bytes *out_reply, struct why *why);
