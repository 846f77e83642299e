/* SPDX-License-Identifier: Apache-2.0 */
/* One thread for all tenants. Each turn: what waits to be forgotten; a published file that is new; a slice of a log that
 * is read again; the queue's lessons; once a second the clock. Live sides are touched between publish_enter and
 * publish_leave, when their generation is still the one this thread knows, and only here. */
#include "cmd/learner.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/metric.h"
#include "cmd/data.h"
#include "cmd/forgotten.h"
#include "cmd/learner_log.h"
#include "learn/learn.h"
#include "os/loop.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    QUEUE = 1 << 16,   /* lessons waiting: 3 MB, half a minute of the fastest ingest */
    REPLAY_MOST = 8192,/* lessons of a log in one turn */
    ROWS_EVERY_S = 60,
    ROWS_MOST = 256,
    LOG_KEPT_S = 60,   /* how long what was read from the log is remembered: until the queue can hold none of it */
    NICE = 5,
    AHEAD_MS = 5 * 60 * 1000, /* of an event's time before the server's: ingest allows as much */
    VISITS = 1 << 15,
    NEWCOMERS = 1 << 14,
    BUYERS_NEW = 1 << 18,
    FORGOTTEN_MOST = 1 << 20,
    PAIRS_MOST = 1 << 20,
    CATEGORIES = 1 << 12,
    ARENA_BYTES = 1 << 16,
    ARENA_BYTES_MAX = 1 << 28
};

enum mind_state { MIND_NONE = 0, MIND_READING, MIND_REPLAYING, MIND_READY };

struct mind { /* of one tenant */
    struct learner *learner;
    struct api_tenant *tenant;
    uint64_t generation; /* of the pair it learns into; 0: none */
    enum mind_state state;
    struct learn *learn;
    void *memory;
    struct learner_log log;
    int64_t ready_s;
    struct model_live_room room;
};

struct forget_job {
    struct loop_task task;
    struct forget_job *next;
    struct api_tenant *tenant;
    uint64_t parts[API_FORGET_MAX];
    size_t n;
    struct loop *reply_to;
    void (*done)(void *ctx, enum err err);
    void *ctx;
    enum err err;
};

struct learner {
    struct api *api;
    struct publisher *publisher;
    struct loop *loop; /* for storage_wait only */
    uint8_t owner_key[32];
    unsigned slot;
    pthread_t thread;
    bool is_running;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_stopping, is_changed; /* under lock, as is what follows */
    size_t queued_n;
    struct forget_job *forget_first, **forget_last;
    struct lesson queue[QUEUE];
    struct lesson batch[QUEUE]; /* the thread's own from here on */
    struct mind mind[API_TENANTS_MAX];
    int64_t ticked_s, rows_s;
};

static struct metric lost = {.kind = METRIC_COUNTER, .name = "falun_learn_lost_total",
                             .help = "Lessons that found the learner's queue full; the log has them for the next start."};
static struct metric learnt = {.kind = METRIC_COUNTER, .name = "falun_learn_lessons_total", .help = "Lessons learnt while serving."};
static struct metric sequences = {.kind = METRIC_GAUGE, .name = "falun_learn_sequences", .help = "Visits and purchases taken in since the files in use."};
static struct metric newcomers = {.kind = METRIC_GAUGE, .name = "falun_learn_new_items", .help = "Items the files in use do not know that can be shown."};
static struct metric rows = {.kind = METRIC_GAUGE, .name = "falun_learn_rows", .help = "Rows renewed since the files in use."};
static struct metric alarms = {.kind = METRIC_GAUGE, .name = "falun_learn_drift_alarms",
                               .help = "Categories whose looks the model no longer foretells, in the last 14 days."};

static int64_t seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static int64_t now_ms(const struct learner *learner)
{
    return learner->api->has_test_clock ? atomic_load(&learner->api->test_clock_ms) : data_now_ms(NULL);
}

/* ---- what the room learn asks ---- */

static struct bytes text_of(void *ctx, struct item_id id)
{
    const struct mind *mind = ctx;
    const struct item *item = catalog_item(mind->tenant->catalog, id);

    return item != NULL ? item->id_text : (struct bytes){0};
}

static uint64_t category_of(void *ctx, struct item_id id)
{
    const struct mind *mind = ctx;
    const struct item *item = catalog_item(mind->tenant->catalog, id);

    return item == NULL || item->category_n == 0 ? 0 : hash_fast(item->category[0].p, item->category[0].n, 0) | 1;
}

static void on_alarm(void *ctx, struct item_id id)
{
    const struct mind *mind = ctx;
    const struct item *item = catalog_item(mind->tenant->catalog, id);

    log_say(LOG_WARN, "cmd", "a category is no longer looked at as was learnt; a training soon would help",
            "tenant=%u category=\"%.*s\"", mind->tenant->id.v, item != NULL ? (int)item->category[0].n : 0,
            item != NULL ? item->category[0].p : "");
}

/* ---- the live side of now ---- */

/* NULL unless the published pair is still the mind's; then publish_leave follows. */
static struct model_live *enter(struct learner *learner, const struct mind *mind)
{
    struct api_model *model;

    publish_enter(learner->api->publish, learner->slot);
    model = atomic_load(&mind->tenant->model);
    if (model == NULL || mind->learn == NULL || model->generation != mind->generation) {
        publish_leave(learner->api->publish, learner->slot);
        return NULL;
    }
    return model->live;
}

static void leave(struct learner *learner)
{
    publish_leave(learner->api->publish, learner->slot);
}

static size_t place_of(const struct learner *learner, const struct mind *mind)
{
    return (size_t)(mind - learner->mind);
}

/* A fuller room in place of one that takes no more. Between enter and leave; gives the live side to go on with. */
static struct model_live *renew(struct learner *learner, struct mind *mind, struct model_live *live)
{
    struct api_model *model = atomic_load(&mind->tenant->model);
    uint32_t keep = mind->room.sequences / 2, shift[MODEL_DOMAINS_];
    struct live_side side;

    for (; keep > 0; keep /= 4) {
        if (live_side_open(model->base, &side) != ERR_OK) {
            return live;
        }
        if (model_live_renew(live, keep, side.live, shift)) {
            struct model_live *renewed = side.live;

            if (publisher_renew(learner->publisher, place_of(learner, mind), mind->generation, &side)) {
                learn_shift(mind->learn, renewed, shift);
                return renewed;
            }
            live_side_close(&side); /* another file was published, and this mind ends; or memory ran out, and it goes on as it is */
            return NULL;
        }
        live_side_close(&side);
    }
    return live;
}

/* Learns lessons one event after another; gives false when the pair is another's by now. */
static bool teach(struct learner *learner, struct mind *mind, const struct lesson *lessons, size_t n, bool is_replay)
{
    enum { AT_ONCE = 256 };
    size_t done = 0;

    while (done < n) {
        size_t to = done + AT_ONCE < n ? done + AT_ONCE : n;
        struct model_live *live = enter(learner, mind);

        if (live == NULL) {
            return false;
        }
        while (to < n && lessons[to].mid == lessons[to - 1].mid) {
            to++;
        }
        if (!learn_has_room(mind->learn, live, &mind->room, to - done)) {
            live = renew(learner, mind, live);
        }
        for (size_t i = done; live != NULL && i < to; i++) {
            learn_lesson(mind->learn, live, &lessons[i], is_replay ? lessons[i].at_ms : now_ms(learner));
        }
        if (live != NULL) {
            learn_tick(mind->learn, live, is_replay ? lessons[to - 1].at_ms : now_ms(learner));
        }
        leave(learner);
        done = to;
    }
    metric_add(&learnt, (int64_t)n);
    return true;
}

/* ---- a new file ---- */

static void mind_close(struct mind *mind)
{
    learner_log_close(&mind->log);
    free(mind->memory);
    mind->memory = NULL;
    mind->learn = NULL;
    mind->generation = 0;
    mind->state = MIND_NONE;
}

static uint32_t least(size_t a, size_t b)
{
    return (uint32_t)(a < b ? a : b);
}

static bool mind_make(struct learner *learner, struct mind *mind, const struct api_model *model)
{
    size_t items = (size_t)model_items_n(model->base) + LIVE_ITEMS;
    struct learn_room room = {.visits = VISITS,
                              .newcomers = NEWCOMERS,
                              .buyers = least(model_sequences_n(model->base, MODEL_HISTORY) + (size_t)BUYERS_NEW, UINT32_MAX / 4),
                              .forgotten = FORGOTTEN_MOST,
                              .pairs = least(items, PAIRS_MOST),
                              .categories = CATEGORIES};
    struct learn_world world = {mind, text_of, category_of, on_alarm};

    mind->memory = calloc(1, learn_bytes(&room) + 64);
    if (mind->memory == NULL) {
        return false;
    }
    mind->learn = learn_open(model->base, &room, &world, mind->tenant->id, learner->owner_key, now_ms(learner),
                             (void *)(((uintptr_t)mind->memory + 63) / 64 * 64));
    mind->generation = model->generation;
    mind->room = (struct model_live_room){.sequences = LIVE_SEQUENCES, .steps = LIVE_STEPS};
    mind->log.after_ms = model_trained_ms(model->base);
    return true;
}

/* The pair was published with all of them hidden (publisher.c), and who came after was hidden in it: what is left is to take no
 * lesson of them. */
static void refuse_all(struct learner *learner, struct mind *mind)
{
    const struct forgotten *all;
    struct arena arena;
    size_t n = 0;

    arena_open(&arena, ARENA_BYTES, ARENA_BYTES_MAX);
    publisher_lock(learner->publisher);
    if (forgotten_read(learner->api->storage, learner->loop, mind->tenant->id, &arena, &all, &n) == ERR_OK) {
        for (size_t i = 0; i < n; i++) {
            learn_refuse(mind->learn, all[i].owner, all[i].at_ms);
        }
    }
    publisher_unlock(learner->publisher);
    arena_close(&arena);
}

/* Looks whether another file is published than the one known; begins to read the log again for it. */
static void look_at_file(struct learner *learner, size_t at)
{
    struct mind *mind = &learner->mind[at];
    const struct api_model *model;
    bool is_made = false;

    mind->learner = learner;
    mind->tenant = learner->api->tenants[at];
    publish_enter(learner->api->publish, learner->slot);
    model = atomic_load(&mind->tenant->model);
    if (model == NULL || model->generation == mind->generation) {
        leave(learner);
        return;
    }
    mind_close(mind);
    is_made = mind_make(learner, mind, model);
    mind->generation = model->generation; /* not made: not tried again every second */
    leave(learner);
    if (is_made) {
        int64_t after_ms = mind->log.after_ms;

        refuse_all(learner, mind);
        if (learner_log_open(learner->api->storage, mind->tenant->id, after_ms, now_ms(learner), &mind->log) == ERR_OK) {
            mind->state = MIND_READING;
            return;
        }
    }
    log_say(LOG_WARN, "cmd", "nothing is learnt until the next model or start; look at memory and disk", "tenant=%u",
            mind->tenant->id.v);
}

/* A turn at reading or replaying; false: there is nothing to read. */
static bool go_on(struct learner *learner, struct mind *mind)
{
    struct learner_log *log = &mind->log;

    if (mind->state == MIND_READING) {
        bool is_whole = false;

        if (learner_log_read(log, &is_whole) != ERR_OK) {
            log_say(LOG_WARN, "cmd", "the log could not be read again; what was learnt before this start is not known",
                    "tenant=%u", mind->tenant->id.v);
            is_whole = true;
        }
        mind->state = is_whole ? MIND_REPLAYING : MIND_READING;
        return true;
    }
    if (mind->state == MIND_REPLAYING) {
        size_t from = log->taken_n, to = from + REPLAY_MOST < log->n ? from + REPLAY_MOST : log->n;

        while (to < log->n && log->lesson[to].mid == log->lesson[to - 1].mid) {
            to++;
        }
        if (to > from && !teach(learner, mind, log->lesson + from, to - from, true)) {
            return true; /* the next turn meets the new file */
        }
        log->taken_n = to;
        if (to == log->n) {
            mind->state = MIND_READY;
            mind->ready_s = seconds_now();
            log_say(LOG_INFO, "cmd", "learns", "tenant=%u again=%zu", mind->tenant->id.v, log->n);
        }
        return true;
    }
    if (mind->state == MIND_READY && log->mid != NULL && seconds_now() - mind->ready_s > LOG_KEPT_S) {
        learner_log_close(log);
    }
    return false;
}

/* ---- lessons ---- */

static struct mind *mind_of(struct learner *learner, uint32_t tenant)
{
    for (size_t i = 0; i < learner->api->tenants_n; i++) {
        if (learner->api->tenants[i]->id.v == tenant) {
            return &learner->mind[i];
        }
    }
    return NULL;
}

/* A run of lessons of one tenant. */
static void take(struct learner *learner, struct mind *mind, const struct lesson *lessons, size_t n)
{
    if (mind == NULL || mind->state == MIND_NONE) {
        return; /* no model yet: the log has them for the first */
    }
    for (size_t i = 0; i < n;) {
        size_t to = i;

        if (mind->log.mid != NULL && learner_log_has(&mind->log, lessons[i].mid)) {
            i++;
            continue;
        }
        while (to < n && !(mind->log.mid != NULL && learner_log_has(&mind->log, lessons[to].mid))) {
            to++;
        }
        if (mind->state == MIND_READY) {
            (void)teach(learner, mind, lessons + i, to - i, false);
        } else {
            learner_log_add(&mind->log, lessons + i, to - i);
        }
        i = to;
    }
}

static void drain(struct learner *learner, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t to = i + 1;

        while (to < n && learner->batch[to].tenant == learner->batch[i].tenant) {
            to++;
        }
        take(learner, mind_of(learner, learner->batch[i].tenant), learner->batch + i, to - i);
        i = to;
    }
}

static void learn_from(void *ctx, const struct api_tenant *tenant, const struct lesson *lessons, size_t n)
{
    struct learner *learner = ctx;
    bool is_first;

    if (atomic_load_explicit(&tenant->model, memory_order_relaxed) == NULL) {
        return;
    }
    pthread_mutex_lock(&learner->lock);
    is_first = learner->queued_n == 0;
    if (n > QUEUE - learner->queued_n) {
        metric_add(&lost, (int64_t)n);
    } else {
        memcpy(learner->queue + learner->queued_n, lessons, n * sizeof(*lessons));
        learner->queued_n += n;
    }
    if (is_first) {
        pthread_cond_signal(&learner->wake);
    }
    pthread_mutex_unlock(&learner->lock);
}

/* ---- forgetting ---- */

static void forgotten_told(struct loop_task *task)
{
    struct forget_job *job = (struct forget_job *)task;

    job->done(job->ctx, job->err);
    free(job);
}

static void empty(struct learner *learner, struct mind *mind, const uint64_t *parts, const uint64_t *owners, size_t n,
                  int64_t at_ms)
{
    struct api_model *model;

    publish_enter(learner->api->publish, learner->slot);
    model = atomic_load(&mind->tenant->model);
    for (size_t i = 0; model != NULL && i < n; i++) {
        if (mind->learn != NULL && model->generation == mind->generation) {
            (void)learn_forget(mind->learn, model->live, owners[i], at_ms);
            learn_drop(mind->learn, parts[i]);
        } else {
            (void)model_live_erase(model->live, owners[i]);
        }
    }
    leave(learner);
}

static void forget_now(struct learner *learner, struct forget_job *job)
{
    struct mind *mind = mind_of(learner, job->tenant->id.v);
    int64_t at_ms = now_ms(learner) + AHEAD_MS;
    uint64_t owners[API_FORGET_MAX];

    for (size_t i = 0; i < job->n; i++) {
        owners[i] = hash_owner(learner->owner_key, job->tenant->id, job->parts[i]);
    }
    publisher_lock(learner->publisher);
    job->err = forgotten_put(learner->api->storage, learner->loop, job->tenant->id, owners, job->n, at_ms);
    if (mind != NULL) {
        mind->tenant = job->tenant;
        empty(learner, mind, job->parts, owners, job->n, at_ms);
    }
    publisher_unlock(learner->publisher);
    job->task = (struct loop_task){.run = forgotten_told};
    loop_post(job->reply_to, &job->task);
}

static void forget(void *ctx, struct api_tenant *tenant, const uint64_t *parts, size_t n, struct loop *loop,
                   void (*done)(void *done_ctx, enum err err), void *done_ctx)
{
    struct learner *learner = ctx;
    struct forget_job *job = calloc(1, sizeof(*job));

    if (job == NULL) {
        abort(); /* a few hundred bytes at a rare moment: the machine is out of memory */
    }
    *job = (struct forget_job){.tenant = tenant, .n = n, .reply_to = loop, .done = done, .ctx = done_ctx};
    memcpy(job->parts, parts, n * sizeof(*parts));
    pthread_mutex_lock(&learner->lock);
    *learner->forget_last = job;
    learner->forget_last = &job->next;
    pthread_cond_signal(&learner->wake);
    pthread_mutex_unlock(&learner->lock);
}

/* ---- the thread ---- */

static void each_second(struct learner *learner, int64_t now_s)
{
    struct learn_counts sum = {0};
    bool is_rows = now_s - learner->rows_s >= ROWS_EVERY_S;

    for (size_t i = 0; i < learner->api->tenants_n; i++) {
        struct mind *mind = &learner->mind[i];
        struct model_live *live = mind->state == MIND_READY ? enter(learner, mind) : NULL;
        struct learn_counts counts;

        if (live == NULL) {
            continue;
        }
        learn_tick(mind->learn, live, now_ms(learner));
        if (is_rows && model_live_rows_are_stale(live)) {
            live = renew(learner, mind, live);
        }
        if (is_rows && live != NULL) {
            (void)learn_rows(mind->learn, live, ROWS_MOST, now_ms(learner));
        }
        counts = learn_counts(mind->learn, now_ms(learner));
        leave(learner);
        sum.sequences_n += counts.sequences_n;
        sum.newcomers_n += counts.newcomers_n;
        sum.rows_n += counts.rows_n;
        sum.alarms_n += counts.alarms_n;
    }
    learner->rows_s = is_rows ? now_s : learner->rows_s;
    metric_set(&sequences, (int64_t)sum.sequences_n);
    metric_set(&newcomers, (int64_t)sum.newcomers_n);
    metric_set(&rows, (int64_t)sum.rows_n);
    metric_set(&alarms, sum.alarms_n);
}

/* Waits for something to do, a second at most; gives what was taken. */
static bool wait_next(struct learner *learner, bool is_busy, struct forget_job **out_jobs, size_t *out_n)
{
    struct timespec until;
    bool is_stopping;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    pthread_mutex_lock(&learner->lock);
    while (!is_busy && !learner->is_stopping && !learner->is_changed && learner->queued_n == 0 && learner->forget_first == NULL) {
        if (pthread_cond_timedwait(&learner->wake, &learner->lock, &until) != 0) {
            break;
        }
    }
    is_stopping = learner->is_stopping;
    learner->is_changed = false;
    *out_n = learner->queued_n;
    memcpy(learner->batch, learner->queue, learner->queued_n * sizeof(learner->queue[0]));
    learner->queued_n = 0;
    *out_jobs = learner->forget_first;
    learner->forget_first = NULL;
    learner->forget_last = &learner->forget_first;
    pthread_mutex_unlock(&learner->lock);
    return !is_stopping;
}

static void *run(void *ctx)
{
    struct learner *learner = ctx;
    bool is_going = true, is_busy = false;

    /* Of a full processor decisions and answers come first: what is learnt a second later is learnt. */
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);

    while (is_going) {
        struct forget_job *jobs;
        size_t n;
        int64_t now_s;

        is_going = wait_next(learner, is_busy, &jobs, &n);
        while (jobs != NULL) {
            struct forget_job *next = jobs->next;

            forget_now(learner, jobs);
            jobs = next;
        }
        is_busy = false;
        for (size_t i = 0; is_going && i < learner->api->tenants_n; i++) {
            look_at_file(learner, i);
            is_busy = go_on(learner, &learner->mind[i]) || is_busy;
        }
        drain(learner, n);
        now_s = seconds_now();
        if (now_s != learner->ticked_s) {
            learner->ticked_s = now_s;
            each_second(learner, now_s);
        }
    }
    return NULL;
}

static void changed(void *ctx)
{
    struct learner *learner = ctx;

    pthread_mutex_lock(&learner->lock);
    learner->is_changed = true;
    pthread_cond_signal(&learner->wake);
    pthread_mutex_unlock(&learner->lock);
}

enum err learner_open(struct api *api, struct publisher *publisher, const uint8_t secret[32], struct learner **out_learner)
{
    struct learner *learner = calloc(1, sizeof(*learner));
    pthread_condattr_t attributes;

    if (learner == NULL) {
        return ERR_NOMEM;
    }
    learner->api = api;
    learner->publisher = publisher;
    hash_owner_key(secret, learner->owner_key);
    learner->slot = publish_slot(api->publish);
    learner->forget_last = &learner->forget_first;
    pthread_mutex_init(&learner->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&learner->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    metric_register(&lost);
    metric_register(&learnt);
    if (loop_open(&learner->loop) != ERR_OK || pthread_create(&learner->thread, NULL, run, learner) != 0) {
        learner_close(learner);
        return ERR_NOMEM;
    }
    learner->is_running = true;
    publisher_listen(publisher, changed, learner);
    api->port.learner = learner;
    api->port.learn = learn_from;
    api->port.forget = forget;
    *out_learner = learner;
    return ERR_OK;
}

void learner_close(struct learner *learner)
{
    if (learner == NULL) {
        return;
    }
    if (learner->is_running) {
        pthread_mutex_lock(&learner->lock);
        learner->is_stopping = true;
        pthread_cond_signal(&learner->wake);
        pthread_mutex_unlock(&learner->lock);
        pthread_join(learner->thread, NULL);
    }
    publisher_listen(learner->publisher, NULL, NULL);
    for (size_t i = 0; i < API_TENANTS_MAX; i++) {
        mind_close(&learner->mind[i]);
    }
    loop_close(learner->loop);
    publish_slot_free(learner->api->publish, learner->slot);
    pthread_cond_destroy(&learner->wake);
    pthread_mutex_destroy(&learner->lock);
    free(learner);
}
