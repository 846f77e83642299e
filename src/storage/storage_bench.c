/* SPDX-License-Identifier: Apache-2.0 */
/* How fast durable events go in, per driver: storage_bench URL [seconds a case].
 *
 * Cases: `senders x batch` calls kept in the air on one loop, each sent again when it is answered; receipts
 * carry ten lines (about 300 bytes). Then loads of customers with folded parts. One line a case. */
#include "base/hash.h"
#include "base/rng.h"
#include "storage/storage.h"
#include "storage/storage_wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PARTS = 100000, BATCH_MAX = 1000 };

static const struct tenant_id tenant = {1};

struct bench {
    struct storage *storage;
    struct loop *loop;
    struct rng rng, chance; /* the loop's and the writer's */
    uint64_t end_us, events_n, calls_n, ids_n;
    int in_air;
    bool is_receipt, is_done;
    size_t batch;
    char body[300];
};

struct sender {
    struct bench *bench;
    struct storage_event events[BATCH_MAX];
};

static uint64_t now_us(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000 + (uint64_t)at.tv_nsec / 1000;
}

static int64_t wall_ms(void *ctx)
{
    (void)ctx;
    return (int64_t)(now_us() / 1000);
}

static uint64_t chance(void *ctx)
{
    return rng_next(ctx);
}

/* As long as a real part's state, and as cheap to make as can be: the storage itself is measured. */
static enum err fold(struct tenant_id of, struct bytes state, const struct storage_fold_event *events,
                     size_t n, struct arena *arena, struct bytes *out_state)
{
    (void)of;
    (void)events;
    *out_state = state.n > 0 ? arena_copy(arena, state) : (struct bytes){arena_take(arena, 2000), 2000};
    return n > 0 && out_state->p != NULL ? ERR_OK : ERR_NOMEM;
}

static void send_one(struct sender *sender);

static void on_done(void *ctx, enum err err, const struct storage_ingested *results, size_t n)
{
    struct sender *sender = ctx;
    struct bench *bench = sender->bench;

    (void)results;
    if (err != ERR_OK) {
        fprintf(stderr, "ingest: %s\n", err_name(err));
        exit(1);
    }
    bench->events_n += n;
    bench->calls_n++;
    if (now_us() < bench->end_us) {
        send_one(sender);
        return;
    }
    bench->is_done = --bench->in_air == 0;
}

static void send_one(struct sender *sender)
{
    struct bench *bench = sender->bench;

    for (size_t i = 0; i < bench->batch; i++) {
        uint64_t id = ++bench->ids_n;

        sender->events[i] = (struct storage_event){
            .tenant = tenant,
            .part = {1 + rng_below(&bench->rng, PARTS)},
            .day = 20000,
            .mid = hash_mid(BYTES_LIT("bench"), (struct bytes){(const char *)&id, sizeof(id)}),
            .body = {bench->body, sizeof(bench->body)},
            .is_receipt = bench->is_receipt};
    }
    storage_ingest(bench->storage, bench->loop, sender->events, bench->batch, on_done, sender);
}

static void run_case(struct bench *bench, int senders, size_t batch, bool is_receipt, uint64_t seconds)
{
    struct sender *all = calloc((size_t)senders, sizeof(*all));
    struct storage_stat before, after;
    uint64_t began_us = now_us();

    bench->end_us = began_us + seconds * 1000000;
    bench->events_n = bench->calls_n = 0;
    bench->in_air = senders;
    bench->is_done = false;
    bench->batch = batch;
    bench->is_receipt = is_receipt;
    storage_stat(bench->storage, &before);
    for (int i = 0; i < senders; i++) {
        all[i].bench = bench;
        send_one(&all[i]);
    }
    loop_run_until(bench->loop, &bench->is_done);
    storage_stat(bench->storage, &after);
    printf("%3d senders x %4zu %s: %8.0f events/s, %6.0f calls/s, %5.0f writes/s, %zu MB\n", senders, batch,
           is_receipt ? "receipts" : "events  ",
           (double)bench->events_n * 1e6 / (double)(now_us() - began_us),
           (double)bench->calls_n * 1e6 / (double)(now_us() - began_us),
           (double)(after.commits_n - before.commits_n) * 1e6 / (double)(now_us() - began_us),
           (size_t)(after.disk_bytes >> 20));
    fflush(stdout);
    free(all);
}

static void on_loaded(void *ctx, enum err err, const struct sealed_customer *customers, size_t n)
{
    (void)customers;
    (void)n;
    if (err != ERR_OK) {
        exit(1);
    }
    *(bool *)ctx = true;
}

static void run_load(struct bench *bench, size_t n)
{
    struct storage_identity *identities = calloc(1000, sizeof(*identities));
    struct storage_identifier identifiers[1000];
    char names[1000][16];
    uint64_t began_us;

    for (size_t i = 0; i < 1000; i++) {
        snprintf(names[i], sizeof(names[i]), "m%zu", i);
        identifiers[i] = (struct storage_identifier){IDENTIFIER_MEMBER, bytes_of(names[i])};
    }
    if (storage_wait_identify(bench->storage, bench->loop, tenant, identifiers, 1000, true,
                              BYTES_LIT("bench"), identities) != ERR_OK) {
        exit(1);
    }
    for (int round = 0; round < 2; round++) {
        began_us = now_us();
        for (size_t i = 0; i < n; i++) {
            struct storage_key key = {tenant, identities[i % 1000].customer};
            bool is_done = false;

            storage_load(bench->storage, bench->loop, &key, 1, 0, on_loaded, &is_done);
            loop_run_until(bench->loop, &is_done);
        }
        printf("load of one customer, one part: %.1f us\n", (double)(now_us() - began_us) / (double)n);
    }
    free(identities);
}

int main(int argc, char **argv)
{
    struct bench bench = {.rng = {1}, .chance = {2}};
    struct storage_options options = {.rules = {.fold = fold, .fold_version = 1},
                                      .now_ms = wall_ms,
                                      .chance = chance,
                                      .chance_ctx = &bench.chance};
    uint64_t seconds = argc > 2 ? strtoull(argv[2], NULL, 10) : 5;
    struct why why = {0};

    hash_start();
    if (argc < 2 || loop_open(&bench.loop) != ERR_OK ||
        storage_open(argv[1], &options, &bench.storage, &why) != ERR_OK) {
        fprintf(stderr, "usage: storage_bench URL [seconds]  %s\n", why.says);
        return 1;
    }
    run_case(&bench, 1, 1, false, seconds);
    run_case(&bench, 64, 1, false, seconds);
    run_case(&bench, 8, 100, false, seconds);
    run_case(&bench, 64, 100, false, seconds);
    run_case(&bench, 2, 1000, true, seconds);
    run_load(&bench, 20000);
    storage_close(bench.storage);
    loop_close(bench.loop);
    return 0;
}
