/* SPDX-License-Identifier: Apache-2.0 */
#include "train/pool.h"

#include <pthread.h>
#include <stdatomic.h>

#include <cblas.h>

struct pool {
    _Atomic size_t next;
    size_t piece, n;
    void (*run)(void *ctx, size_t from, size_t to);
    void *ctx;
};

static void *work(void *arg)
{
    struct pool *pool = arg;

    for (;;) {
        size_t from = atomic_fetch_add(&pool->next, pool->piece);

        if (from >= pool->n) {
            return NULL;
        }
        pool->run(pool->ctx, from, from + pool->piece < pool->n ? from + pool->piece : pool->n);
    }
}

void pool_run(size_t threads, size_t piece, size_t n, void (*run)(void *ctx, size_t from, size_t to), void *ctx)
{
    struct pool pool = {.piece = piece, .n = n, .run = run, .ctx = ctx};
    pthread_t others[POOL_THREADS_MAX];
    size_t started = 0;

    openblas_set_num_threads(1);
    threads = threads > POOL_THREADS_MAX ? POOL_THREADS_MAX : threads;
    while (started + 1 < threads && pthread_create(&others[started], NULL, work, &pool) == 0) {
        started++; /* a thread that cannot be had is work for the rest */
    }
    (void)work(&pool);
    for (size_t i = 0; i < started; i++) {
        (void)pthread_join(others[i], NULL);
    }
}
