/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h - a range cut into pieces that threads take one after the other. */
#pragma once

#include <stddef.h>

enum { POOL_THREADS_MAX = 64 };

/* Calls run(ctx, from, to) over pieces of [0, n) of `piece` each, once, on `threads` threads (1: the caller's own). Pieces are the same
 * for any number of threads. BLAS runs on one thread each. Returns when all are done. */
void pool_run(size_t threads, size_t piece, size_t n, void (*run)(void *ctx, size_t from, size_t to), void *ctx);
