/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/publisher.h"

#include "base/log.h"
#include "cmd/forgotten.h"
#include "cmd/model_files.h"
#include "model/model_file.h"
#include "os/loop.h"
#include "os/mapping.h"
#include "storage/storage_wait.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { PATH_BYTES = 1300, ARENA_BYTES = 4096, ARENA_BYTES_MAX = 1 << 20, ARENA_BYTES_ROWS = 1 << 28, ROWS = 16 };

struct held { /* an opened model file: its mapping and its struct, freed together */
    struct bytes file;
    struct arena arena;
    const struct model *base;
};

struct pair { /* what is published: a file and what is learnt beside it. Renewed more often than the file */
    struct api_model model;
    struct live_side side;
};

struct publisher {
    struct api *api;
    const char *data_dir;
    struct loop *loop; /* the thread's */
    pthread_t thread;
    bool is_running;
    pthread_mutex_t lock; /* swaps, of files by this thread, of live sides by the learner's */
    void (*changed)(void *ctx); /* under lock, as is all that follows */
    void *changed_ctx;
    uint64_t generation;
    struct held *held[API_TENANTS_MAX]; /* by place in api->tenants */
    struct pair *pair[API_TENANTS_MAX];
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
    err = err == ERR_OK ? model_file_open(held->file, &held->arena, &held->base, why) : err;
    if (err == ERR_OK && !bytes_equal(model_hash(held->base), bytes_of(hash))) {
        err = why_say(why, ERR_CORRUPT, "corrupt", "/hash", "the file is not the one it is named; train again");
    }
    if (err == ERR_OK && model_tenant(held->base).v != tenant.v) {
        err = why_say(why, ERR_ABSENT, "unknown_model", "/hash", "this tenant has no such model; train it");
    }
    if (err != ERR_OK) {
        held_free(held);
        return err;
    }
    *out_held = held;
    return ERR_OK;
}

static void pair_free(void *old)
{
    struct pair *pair = old;

    live_side_close(&pair->side);
    free(pair);
}

/* Under lock. */
static void put_pair(struct publisher *publisher, size_t at, struct pair *pair)
{
    struct pair *old = publisher->pair[at];

    publisher->pair[at] = pair;
    atomic_store(&publisher->api->tenants[at]->model, &pair->model);
    if (old != NULL) {
        publish_retire(publisher->api->publish, old, pair_free);
    }
}

/* Those who were erased or withdrew are hidden before anybody reads the file. */
static enum err hide_forgotten(struct publisher *publisher, struct tenant_id tenant, struct model_live *live)
{
    const struct forgotten *forgotten;
    struct arena arena;
    uint64_t *owners;
    size_t n = 0;
    enum err err;

    arena_open(&arena, ARENA_BYTES, ARENA_BYTES_ROWS);
    err = forgotten_read(publisher->api->storage, publisher->loop, tenant, &arena, &forgotten, &n);
    owners = arena_array(&arena, n + 1, sizeof(*owners));
    err = err == ERR_OK && owners == NULL ? ERR_NOMEM : err;
    if (err == ERR_OK) {
        for (size_t i = 0; i < n; i++) { /* by owner already */
            owners[i] = forgotten[i].owner;
        }
        (void)model_live_erase_all(live, owners, n);
    }
    arena_close(&arena);
    return err;
}

/* Publishes the file with an empty live side; owns held when ERR_OK. */
static enum err swap(struct publisher *publisher, size_t at, struct held *held)
{
    struct pair *pair = calloc(1, sizeof(*pair));
    struct held *old;
    enum err err = pair != NULL ? live_side_open(held->base, &pair->side) : ERR_NOMEM;

    /* Whoever is forgotten meanwhile is hidden here or, once this is published, there: never in neither. */
    pthread_mutex_lock(&publisher->lock);
    err = err == ERR_OK ? hide_forgotten(publisher, publisher->api->tenants[at]->id, pair->side.live) : err;
    if (err != ERR_OK) {
        pthread_mutex_unlock(&publisher->lock);
        if (pair != NULL) {
            pair_free(pair);
        }
        return err;
    }
    old = publisher->held[at];
    publisher->held[at] = held;
    pair->model = (struct api_model){held->base, pair->side.live, ++publisher->generation};
    put_pair(publisher, at, pair);
    if (old != NULL) {
        publish_retire(publisher->api->publish, old, held_free);
    }
    if (publisher->changed != NULL) {
        publisher->changed(publisher->changed_ctx);
    }
    pthread_mutex_unlock(&publisher->lock);
    return ERR_OK;
}

bool publisher_renew(struct publisher *publisher, size_t at, uint64_t generation, struct live_side *side)
{
    struct pair *pair = calloc(1, sizeof(*pair));
    bool is_same;

    pthread_mutex_lock(&publisher->lock);
    is_same = pair != NULL && publisher->pair[at] != NULL && publisher->pair[at]->model.generation == generation;
    if (is_same) {
        *pair = (struct pair){{publisher->held[at]->base, side->live, generation}, *side};
        *side = (struct live_side){0};
        put_pair(publisher, at, pair);
    }
    pthread_mutex_unlock(&publisher->lock);
    if (!is_same) {
        free(pair);
    }
    return is_same;
}

void publisher_lock(struct publisher *publisher)
{
    pthread_mutex_lock(&publisher->lock);
}

void publisher_unlock(struct publisher *publisher)
{
    pthread_mutex_unlock(&publisher->lock);
}

void publisher_listen(struct publisher *publisher, void (*changed)(void *ctx), void *ctx)
{
    pthread_mutex_lock(&publisher->lock); /* who listened is told nothing any more once this returns */
    publisher->changed = changed;
    publisher->changed_ctx = ctx;
    pthread_mutex_unlock(&publisher->lock);
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
        uint32_t items_n = model_items_n(held->base);

        job->err = storage_wait_put(publisher->api->storage, publisher->loop, job->tenant->id, STORAGE_MODEL, &put, 1, &revision);
        job->err = job->err == ERR_OK ? swap(publisher, place_of(publisher->api, job->tenant), held) : job->err;
        if (job->err == ERR_OK) {
            job->tenant->is_model_unreadable = false;
            log_say(LOG_INFO, "cmd", "a model is published", "hash=%.12s items=%u", job->hash, items_n);
        } else {
            held_free(held);
        }
    }
    if (job->err != ERR_OK) {
        log_say(LOG_WARN, "cmd", "a model was refused; the one in use stays", "hash=%.12s why=\"%s\"", job->hash, job->why.says);
    }
    {
        char hash[65];
        struct api_tenant *tenant = job->tenant;
        bool is_published = job->err == ERR_OK;

        memcpy(hash, job->hash, sizeof(hash));
        job->task = (struct loop_task){.run = told};
        loop_post(job->reply_to, &job->task); /* the job is the loop's from here on */
        if (is_published) {
            model_files_tidy_all(publisher->data_dir, publisher->api->storage, publisher->loop, tenant->id, hash);
        }
    }
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
                if (held_open(publisher, publisher->api->tenants[i]->id, hash, &held, &why) != ERR_OK) {
                    publisher->api->tenants[i]->is_model_unreadable = true;
                    log_say(LOG_WARN, "cmd", "the model in use does not open; rows are not personal until it is trained again",
                            "hash=%.12s why=\"%s\"", hash, why.says);
                } else if (swap(publisher, i, held) != ERR_OK) {
                    held_free(held);
                    log_say(LOG_WARN, "cmd", "the model in use could not be published; look at memory and disk", "hash=%.12s",
                            hash);
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
    pthread_mutex_init(&publisher->lock, NULL);
    publisher->api = api;
    publisher->data_dir = data_dir;
    /* A loop belongs to one thread: what is read now is read on one of its own. */
    if (loop_open(&starting) != ERR_OK) {
        pthread_mutex_destroy(&publisher->lock);
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
            pair_free(publisher->pair[i]);
            held_free(publisher->held[i]);
        }
    }
    pthread_mutex_destroy(&publisher->lock);
    free(publisher);
}
