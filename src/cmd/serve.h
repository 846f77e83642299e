/* SPDX-License-Identifier: Apache-2.0 */
/* serve.h - a running server: what `falun serve` and `falun demo` have in common. */
#pragma once

#include "api/api.h"
#include "cmd/config.h"
#include "cmd/data.h"

struct serve;

/* Opens the data directory (or takes `data`, already open, over), storage, keys, models and listens. On the first
 * start of a directory it makes a public and a secret key and prints them once.
 * more: further routes (the demo's page), may be NULL. Errors: with why. */
MUST_USE enum err serve_open(const struct config *config, struct data *data, const struct http_route *more, size_t more_n,
                             struct serve **out_serve, struct why *why);
struct api *serve_api(struct serve *serve);
uint16_t serve_port(const struct serve *serve);
/* Waits for SIGTERM or SIGINT, drains (10 s), closes everything, storage last. Signals must be blocked before
 * serve_open: serve_block_signals, first thing in the command. Gives the exit code. */
int serve_until_signal(struct serve *serve);
/* The two halves of it, for a command with threads of its own to end in between. */
void serve_wait_signal(void);
int serve_stop(struct serve *serve);
void serve_block_signals(void);
