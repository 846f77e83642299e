/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/publisher.h"

#include "base/log.h"
#include "model/model_file.h"
#include "os/loop.h"
#include "os/mapping.h"
#include "storage/storage_wait.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { PATH_BYTES = 1300, ARENA_BYTES = 4096, ARENA_BYTES_MAX = 1 << 20, ROWS = 16 };

struct held { /* a published model: its mapping and its struct, freed together */
    struct bytes file;
    struct arena arena;
    struct api_model model;
};

struct publisher {
    struct api *api;
    const char *data_dir;
    struct loop *loop; /* the thread's */
    pthread_t thread;
    bool is_running;
    uint64_t generation;
    struct held *held[API_TENANTS_MAX]; /* by place in api->tenants; the publisher's thread only */
};

struct job {
    struct loop_task task;
    struct publisher *publisher;
    struct api_tenant *tenant;
    char hash[65];
    struct loop *reply_to;
    void (*done)(void *ctx, enum err err, const struct why *why);
    void *ctx;
    enum err err;
    struct why why;
};

static void held_free(void *old)
{
    struct held *held = old;

    arena_close(&held->arena);
    mapping_close(held->file);
    free(held);
}

/* Opens the file and looks that it is the one it is named, and the tenant's own: all tenants' models lie in one place. */
static enum err held_open(struct publisher *publisher, struct tenant_id tenant, const char *hash, struct held **out_held,
                          struct why *why)
{
    struct held *held = calloc(1, sizeof(*held));
    char path[PATH_BYTES];
    enum err err;

    if (held == NULL) {
        return ERR_NOMEM;
    }
    snprintf(path, sizeof(path), "%s/models/%s", publisher->data_dir, hash);
    arena_open(&held->arena, ARENA_BYTES, ARENA_BYTES_MAX);
    err = mapping_open(path, &held->file, why);
    err = err == ERR_OK ? model_file_open(held->file, &held->arena, &held->model.base, why) : err;
    if (err == ERR_OK && !bytes_equal(model_hash(held->model.base), bytes_of(hash))) {
        err = why_say(why, ERR_CORRUPT, "corrupt", "/hash", "the file is not the one it is named; train again");
    }
    if (err == ERR_OK && model_tenant(held->model.base).v != tenant.v) {
        err = why_say(why, ERR_ABSENT, "unknown_model", "/hash", "this tenant has no such model; train it");
    }
    if (err != ERR_OK) {
        held_free(held);
        return err;
    }
    *out_held = held;
    return ERR_OK;
}

static void swap(struct publisher *publisher, size_t at, struct held *held)
{
    struct held *old = publisher->held[at];

    held->model.generation = ++publisher->generation;
    publisher->held[at] = held;
    atomic_store(&publisher->api->tenants[at]->model, &held->model);
    if (old != NULL) {
        publish_retire(publisher->api->publish, old, held_free);
    }
}

static size_t place_of(const struct api *api, const struct api_tenant *tenant)
{
    size_t at = 0;

    while (api->tenants[at] != tenant) {
        at++;
    }
    return at;
}

static void told(struct loop_task *task)
{
    struct job *job = (struct job *)task;

    job->done(job->ctx, job->err, &job->why);
    free(job);
}

static void publish_now(struct loop_task *task)
{
    struct job *job = (struct job *)task;
    struct publisher *publisher = job->publisher;
    struct storage_put put = {.id = BYTES_LIT("current"), .row = bytes_of(job->hash)};
    struct held *held = NULL;
    uint64_t revision;

    job->err = held_open(publisher, job->tenant->id, job->hash, &held, &job->why);
    if (job->err == ERR_OK) {
        job->err = storage_wait_put(publisher->api->storage, publisher->loop, job->tenant->id, STORAGE_MODEL, &put, 1, &revision);
        if (job->err == ERR_OK) {
            swap(publisher, place_of(publisher->api, job->tenant), held);
            log_say(LOG_INFO, "cmd", "a model is published", "hash=%.12s items=%u", job->hash, model_items_n(held->model.base));
        } else {
            held_free(held);
        }
    }
    if (job->err != ERR_OK) {
        log_say(LOG_WARN, "cmd", "a model was refused; the one in use stays", "hash=%.12s why=\"%s\"", job->hash, job->why.says);
    }
    job->task = (struct loop_task){.run = told};
    loop_post(job->reply_to, &job->task);
}

static void publish_model(void *ctx, struct api_tenant *tenant, const char hash[65], struct loop *loop,
                          void (*done)(void *done_ctx, enum err err, const struct why *why), void *done_ctx)
{
    struct publisher *publisher = ctx;
    struct job *job = calloc(1, sizeof(*job));

    if (job == NULL) {
        abort(); /* a few hundred bytes at a rare moment: the machine is out of memory */
    }
    *job = (struct job){.task = {.run = publish_now},
                        .publisher = publisher,
                        .tenant = tenant,
                        .reply_to = loop,
                        .done = done,
                        .ctx = done_ctx};
    memcpy(job->hash, hash, sizeof(job->hash));
    loop_post(publisher->loop, &job->task);
}

/* ---- checkpoints ---- */

struct checkpoint_job {
    struct loop_task task;
    struct publisher *publisher;
    struct loop *reply_to;
    void (*done)(void *ctx, enum err err, const char *path);
    void *ctx;
    enum err err;
    char path[PATH_BYTES];
};

static void checkpoint_told(struct loop_task *task)
{
    struct checkpoint_job *job = (struct checkpoint_job *)task;

    job->done(job->ctx, job->err, job->path);
    free(job);
}

static void checkpoint_now(struct loop_task *task)
{
    struct checkpoint_job *job = (struct checkpoint_job *)task;
    uint32_t number;

    randombytes_buf(&number, sizeof(number));
    snprintf(job->path, sizeof(job->path), "%s/spool/checkpoint-%08x", job->publisher->data_dir, (unsigned)number);
    job->err = storage_checkpoint(job->publisher->api->storage, job->path);
    job->task = (struct loop_task){.run = checkpoint_told};
    loop_post(job->reply_to, &job->task);
}

static void checkpoint(void *ctx, struct loop *loop, void (*done)(void *done_ctx, enum err err, const char *path),
                       void *done_ctx)
{
    struct publisher *publisher = ctx;
    struct checkpoint_job *job = calloc(1, sizeof(*job));

    if (job == NULL) {
        abort(); /* as in publish_model */
    }
    *job = (struct checkpoint_job){
        .task = {.run = checkpoint_now}, .publisher = publisher, .reply_to = loop, .done = done, .ctx = done_ctx};
    loop_post(publisher->loop, &job->task);
}

static void load_rows(struct publisher *publisher)
{
    for (size_t i = 0; i < publisher->api->tenants_n; i++) {
        const struct storage_row *rows;
        struct arena arena;
        size_t n = 0;

        arena_open(&arena, ARENA_BYTES, ARENA_BYTES_MAX);
        if (storage_wait_changes(publisher->api->storage, publisher->loop, publisher->api->tenants[i]->id, STORAGE_MODEL, 0,
                                 ROWS, &arena, &rows, &n) == ERR_OK) {
            for (size_t j = 0; j < n; j++) {
                char hash[65] = "";
                struct held *held;
                struct why why = {0};

                if (!bytes_equal(rows[j].id, BYTES_LIT("current")) || rows[j].row.n != 64) {
                    continue;
                }
                memcpy(hash, rows[j].row.p, 64);
                if (held_open(publisher, publisher->api->tenants[i]->id, hash, &held, &why) == ERR_OK) {
                    swap(publisher, i, held);
                } else {
                    log_say(LOG_WARN, "cmd", "the model in use does not open; train again", "hash=%.12s why=\"%s\"", hash,
                            why.says);
                }
            }
        }
        arena_close(&arena);
    }
}

static void *run(void *ctx)
{
    struct publisher *publisher = ctx;

    loop_run(publisher->loop);
    return NULL;
}

enum err publisher_open(struct api *api, const char *data_dir, struct publisher **out_publisher)
{
    struct publisher *publisher = calloc(1, sizeof(*publisher));
    struct loop *starting;

    if (publisher == NULL) {
        return ERR_NOMEM;
    }
    publisher->api = api;
    publisher->data_dir = data_dir;
    /* A loop belongs to one thread: what is read now is read on one of its own. */
    if (loop_open(&starting) != ERR_OK) {
        free(publisher);
        return ERR_NOMEM;
    }
    publisher->loop = starting;
    load_rows(publisher);
    loop_close(starting);
    if (loop_open(&publisher->loop) != ERR_OK) {
        publisher->loop = NULL;
        publisher_close(publisher);
        return ERR_NOMEM;
    }
    if (pthread_create(&publisher->thread, NULL, run, publisher) != 0) {
        publisher_close(publisher);
        return ERR_NOMEM;
    }
    publisher->is_running = true;
    api->port.ctx = publisher;
    api->port.publish_model = publish_model;
    api->port.checkpoint = checkpoint;
    *out_publisher = publisher;
    return ERR_OK;
}

void publisher_close(struct publisher *publisher)
{
    if (publisher == NULL) {
        return;
    }
    if (publisher->is_running) {
        loop_stop(publisher->loop);
        pthread_join(publisher->thread, NULL);
    }
    loop_close(publisher->loop);
    for (size_t i = 0; i < API_TENANTS_MAX; i++) {
        if (publisher->held[i] != NULL) {
            atomic_store(&publisher->api->tenants[i]->model, NULL);
            held_free(publisher->held[i]);
        }
    }
    free(publisher);
}
