/* SPDX-License-Identifier: Apache-2.0 */
/* falun train: learns from the storage of a data directory and publishes. With a server on the directory it reads a
 * checkpoint that the server makes and then tells it the new file's name over DIR/socket; the server verifies and swaps.
 * Without one it opens the storage itself and puts the row that names the model. The last line is one JSON object. */
#include "base/hash.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "catalog/item_json.h"
#include "cmd/cmd.h"
#include "cmd/import_store.h"
#include "cmd/model_files.h"
#include "cmd/model_put.h"
#include "cmd/model_use.h"
#include "cmd/rules.h"
#include "os/fetch.h"
#include "model/model_file.h"
#include "os/file.h"
#include "os/mapping.h"
#include "train/compare.h"
#include "storage/storage_wait.h"
#include "train/cores.h"
#include "train/from_storage.h"
#include "train/report.h"
#include "train/train_note.h"

#include <ftw.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PATH_BYTES = 1400, SECRET_BYTES = 32 };

static const char help[] =
    "falun train [--once] [--data DIR] [--tenant NAME] [--minutes N] [--threads N] [--json]\n"
    "\n"
    "Learns from everything bought and looked at and publishes the model, beside a running server or without one. Says what\n"
    "was tried, and chosen by what it gained on the newest part, unseen by what is judged; the last line is one JSON object.\n"
    "  --data DIR      data directory (./falun-data)\n"
    "  --tenant NAME   whose (default)\n"
    "  --minutes N     time for choosing settings (3)\n"
    "  --threads N     (the machine's cores)\n"
    "  --json          that line alone\n"
    "  --once          train now and end: what it does anyway\n";

struct asked {
    const char *data, *tenant;
    double minutes;
    size_t threads;
    bool is_json;
};

struct place { /* where the events are */
    struct data data;       /* own: storage and loop; dir NULL beside a server */
    struct fetch *fetch;    /* NULL: no server */
    char checkpoint[PATH_BYTES];
    struct tenant_id tenant;
    uint8_t secret[SECRET_BYTES];
};

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Gives -1 to go on, else the exit code. */
static int read_options(int argc, char **argv, struct asked *asked)
{
    static const struct option options[] = {{"once", no_argument, NULL, 'o'},        {"data", required_argument, NULL, 'd'},
                                            {"tenant", required_argument, NULL, 't'}, {"minutes", required_argument, NULL, 'n'},
                                            {"threads", required_argument, NULL, 'j'}, {"json", no_argument, NULL, 's'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int c;

    *asked = (struct asked){"./falun-data", "default", 3, cores_n(), false};
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'o': break;
        case 'd': asked->data = optarg; break;
        case 't': asked->tenant = optarg; break;
        case 'n': asked->minutes = strtod(optarg, NULL); break;
        case 'j': asked->threads = (size_t)strtoul(optarg, NULL, 10); break;
        case 's': asked->is_json = true; break;
        case 'h': printf("%s", help); return 0;
        default: fprintf(stderr, "falun train: an option is not known; falun train --help shows all\n"); return 2;
        }
    }
    if (asked->threads == 0 || asked->threads > 64 || !(asked->minutes >= 0 && asked->minutes <= 1440)) {
        fprintf(stderr, "falun train: --threads is 1 to 64, --minutes 0 to 1440\n");
        return 2;
    }
    return -1;
}

/* Beside a server a training takes what is left: of the processor (least priority, no wake-ups ahead of others) and of the
 * disk (class idle). Failing is no reason not to learn. */
static void be_modest(void)
{
    enum { NICE_LEAST = 19, IOPRIO_WHO_PROCESS = 1, IOPRIO_CLASS_IDLE = 3, IOPRIO_CLASS_SHIFT = 13 };
    struct sched_param none = {0};

    (void)setpriority(PRIO_PROCESS, 0, NICE_LEAST);
    (void)sched_setscheduler(0, SCHED_BATCH, &none);
    (void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT);
}

/* ---- where the events are ---- */

static enum err call(struct fetch *fetch, const char *path, struct bytes body, struct arena *arena,
                     struct bytes *out_reply, struct why *why)
{
    int status = 0;
    enum err err = fetch_call(fetch, "POST", path, body, arena, &status, out_reply, why);
    const struct json_node *root;
    struct bytes detail = {0};

    if (err == ERR_OK && status != 200) {
        if (json_read(arena, *out_reply, &root, NULL) == ERR_OK) {
            (void)json_text(json_get(root, "detail"), &detail);
        }
        err = why_say(why, ERR_IO, "refused", "", "the server answered %d to %s: %.*s", status, path,
                      (int)(detail.n < 150 ? detail.n : 150), detail.p);
    }
    return err;
}

static enum err open_checkpoint(const struct asked *asked, struct place *place, struct arena *arena, struct why *why)
{
    char path[PATH_BYTES + 16], header[256];
    struct storage_options options = {.rules = rules_standard(), .now_ms = data_now_ms, .is_read_only = true};
    struct bytes reply, secret, text = {0};
    const struct json_node *root;
    enum err err;

    data_dir_join(asked->data, "socket", path, sizeof(path));
    err = fetch_open("http://falun", path, NULL, &place->fetch);
    (void)snprintf(header, sizeof(header), "Falun-Tenant: %.150s", asked->tenant);
    err = err == ERR_OK ? fetch_header(place->fetch, header) : err;
    err = err == ERR_OK ? call(place->fetch, "/v1/checkpoints", (struct bytes){0}, arena, &reply, why) : err;
    if (err != ERR_OK) {
        return err;
    }
    if (json_read(arena, reply, &root, NULL) != ERR_OK || !json_text(json_get(root, "path"), &text) ||
        text.n + 16 > sizeof(place->checkpoint)) {
        return why_say(why, ERR_IO, "bad_reply", "", "the server gave no checkpoint; is it the same program as this one?");
    }
    memcpy(place->checkpoint, text.p, text.n);
    data_dir_join(asked->data, "secret", path, sizeof(path));
    err = file_whole(path, SECRET_BYTES, arena, &secret, why);
    if (err == ERR_OK && secret.n == SECRET_BYTES) {
        memcpy(options.secret, secret.p, SECRET_BYTES);
        memcpy(place->secret, secret.p, SECRET_BYTES);
    }
    (void)snprintf(path, sizeof(path), "rocksdb:%s", place->checkpoint);
    err = err == ERR_OK ? storage_open(path, &options, &place->data.storage, why) : err;
    return err == ERR_OK ? loop_open(&place->data.loop) : err;
}

static enum err open_place(const struct asked *asked, struct place *place, struct arena *arena, struct why *why)
{
    struct data_options options = {0};
    enum err err = data_open(asked->data, &options, &place->data, why);

    if (err == ERR_OK) {
        memcpy(place->secret, data_dir_secret(place->data.dir), SECRET_BYTES);
    }
    if (err == ERR_BUSY) {
        struct why busy = *why;

        be_modest();
        err = open_checkpoint(asked, place, arena, why);
        if (err != ERR_OK && place->checkpoint[0] == '\0') {
            *why = busy; /* whoever has the directory does not answer as a server: say who it is */
        }
    }
    if (err == ERR_OK) {
        err = import_store_tenant(&place->data, asked->tenant, &place->tenant, why);
    }
    return err;
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
    (void)stat;
    (void)kind;
    (void)at;
    return remove(path);
}

static void close_place(struct place *place)
{
    data_close(&place->data);
    fetch_close(place->fetch);
    if (place->checkpoint[0] != '\0') {
        (void)nftw(place->checkpoint, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    }
}

/* ---- publishing ---- */

static enum err publish(const struct asked *asked, struct place *place, const struct model *model, struct bytes file,
                        struct arena *arena, struct why *why)
{
    struct bytes reply, body;
    enum err err = model_put_file(asked->data, model, file, why);

    if (err != ERR_OK) {
        return err;
    }
    if (place->fetch == NULL) {
        err = model_put_row(&place->data, place->tenant, model);
        if (err == ERR_OK) {
            model_files_tidy_all(asked->data, place->data.storage, place->data.loop, place->tenant, model_hash(model).p);
        }
        return err;
    }
    body = arena_format(arena, "{\"hash\":\"%.64s\"}", model_hash(model).p);
    return call(place->fetch, "/v1/models", body, arena, &reply, why);
}

/* P9: nobody is served worse than by a list of best sellers. Small shops have no say in it: chance would decide. */
static enum err check_worth(const struct train_report *report, struct why *why)
{
    enum { CASES_MIN = 200 };

    if (report->validation_cases_n >= CASES_MIN && report->validation.recall10 < report->popular_recall10) {
        return why_say(why, ERR_CONFLICT, "not_worth", "",
                       "on the last month the new model finds %.4f of the next basket, best sellers find %.4f; it is not "
                       "published and the one in use stays. Look at what was imported lately",
                       report->validation.recall10, report->popular_recall10);
    }
    return ERR_OK;
}

/* ---- against the one in use ---- */

struct in_use { /* all zero: none that can be read */
    struct bytes file;
    const struct model *model;
};

static void open_in_use(const struct asked *asked, struct place *place, struct arena *arena, struct in_use *in_use)
{
    char path[PATH_BYTES], hash[65];
    struct why why = {{0}};
    enum err err = model_use_read(place->data.storage, place->data.loop, place->tenant, arena, hash);

    if (err != ERR_OK || hash[0] == '\0') {
        return;
    }
    (void)snprintf(path, sizeof(path), "%.1200s/models/%s", asked->data, hash);
    err = mapping_open(path, &in_use->file, &why);
    err = err == ERR_OK ? model_file_open(in_use->file, arena, &in_use->model, &why) : err;
    if (err != ERR_OK) {
        fprintf(stderr, "the model in use, %.12s, cannot be read (%s): nothing to compare with\n", hash, why.says);
        in_use->model = NULL;
    }
}

static void say_compared(const struct compare *compare, const char *what, const char *measure)
{
    if (compare->cases_n > 0) {
        fprintf(stderr, "held back, %zu %s since the model in use was made: %s %.4f, the one in use %.4f, difference %+.4f to %+.4f\n",
                compare->cases_n, what, measure, compare->own, compare->other, compare->low, compare->high);
    }
}

/* P9: nobody is served worse by a training than without it. What was held back is learnt from in the published file; a twin
 * with its settings that saw nothing of it is judged. */
static enum err check_not_worse(const struct asked *asked, const struct history *history, const struct train_span *span,
                                const struct train_report *report, const struct model *in_use, struct compare *out_baskets,
                                struct compare *out_looks, struct arena *arena, struct why *why)
{
    int64_t from_ms = compare_from_ms(model_trained_ms(in_use), span->before_ms);
    struct train_span before = train_span_for(history, from_ms);
    const struct model *twin;
    struct bytes file;
    enum err err;

    if (!compare_has_cases(history, span, from_ms)) {
        fprintf(stderr, "too little has come since the model in use was made to tell which is better: the new one is published\n");
        return ERR_OK;
    }
    err = train_model(history, &before, &report->settings, asked->threads, UINT32_MAX, (struct bytes){0}, arena, &file);
    if (err == ERR_ABSENT) {
        return ERR_OK; /* nothing is older than what the one in use learnt: it is no model of this history */
    }
    err = err == ERR_OK ? model_file_open(file, arena, &twin, why) : err;
    if (err != ERR_OK) {
        return err;
    }
    compare_models(history, span, twin, in_use, from_ms, asked->threads, out_baskets, out_looks);
    say_compared(out_baskets, "baskets", "R@10");
    say_compared(out_looks, "looks", "HR@20");
    if (!out_baskets->is_worse && !out_looks->is_worse) {
        return ERR_OK;
    }
    {
        const struct compare *worse = out_baskets->is_worse ? out_baskets : out_looks;

        return why_say(why, ERR_CONFLICT, "worse", "",
                       "on what came since the model in use was made the new one finds %.4f, the one in use %.4f (95 %% of the "
                       "difference: %+.4f to %+.4f): it is not published and the one in use stays. Look at what was imported lately",
                       worse->own, worse->other, worse->low, worse->high);
    }
}

static void compare_json(const struct compare *compare, const char *key, struct json_write *w)
{
    if (compare->cases_n == 0) {
        return;
    }
    json_write_object(w, key);
    json_write_int(w, "cases", (int64_t)compare->cases_n);
    json_write_fixed(w, "new", compare->own, 4);
    json_write_fixed(w, "inUse", compare->other, 4);
    json_write_fixed(w, "low", compare->low, 4);
    json_write_fixed(w, "high", compare->high, 4);
    json_write_end(w);
}

static void print_json(const struct train_report *report, const struct model *model, const struct history *history,
                       size_t file_n, const struct compare compared[2], struct arena *arena)
{
    struct json_write w;
    struct bytes text;

    json_write_open(&w, arena, 2048);
    json_write_object(&w, NULL);
    json_write_text(&w, "model", model_hash(model));
    json_write_int(&w, "items", (int64_t)model_items_n(model));
    json_write_int(&w, "customers", (int64_t)history->customers_n);
    json_write_int(&w, "baskets", (int64_t)history->baskets_n);
    json_write_int(&w, "looks", (int64_t)history->looks_n);
    json_write_int(&w, "bytes", (int64_t)file_n);
    json_write_fixed(&w, "trainSeconds", report->seconds, 1);
    json_write_object(&w, "settings");
    train_settings_json(&report->settings, &w);
    json_write_int(&w, "tried", (int64_t)report->tried_n);
    json_write_end(&w);
    json_write_object(&w, "validation");
    json_write_int(&w, "cases", (int64_t)report->validation_cases_n);
    json_write_fixed(&w, "recall@10", report->validation.recall10, 4);
    json_write_fixed(&w, "ndcg@10", report->validation.ndcg10, 4);
    json_write_fixed(&w, "phr@10", report->validation.phr10, 4);
    json_write_end(&w);
    json_write_object(&w, "against");
    compare_json(&compared[0], "recall@10", &w);
    compare_json(&compared[1], "hr@20", &w);
    json_write_end(&w);
    train_note_json(report, &w);
    json_write_end(&w);
    text = json_write_bytes(&w);
    printf("%.*s\n", (int)text.n, text.p);
}

enum { CATALOGUE_ROWS = 10000 };

/* What the catalogue says of items: for those too new to be learnt from receipts. */
static enum err read_catalogue(struct place *place, struct history *history)
{
    uint64_t since = 0;
    size_t n = CATALOGUE_ROWS;
    enum err err = ERR_OK;

    while (err == ERR_OK && n == CATALOGUE_ROWS) {
        const struct storage_row *rows;
        struct arena arena;

        arena_open(&arena, 1 << 20, SIZE_MAX / 4);
        err = storage_wait_changes(place->data.storage, place->data.loop, place->tenant, STORAGE_ITEM, since, CATALOGUE_ROWS,
                                   &arena, &rows, &n);
        for (size_t i = 0; err == ERR_OK && i < n; i++) {
            struct item item;

            since = rows[i].revision;
            if (rows[i].row.n > 0 &&
                item_json_stored(place->tenant, rows[i].id, rows[i].row, rows[i].revision, &arena, &item) == ERR_OK) {
                content_add(history, &item);
            }
        }
        arena_close(&arena);
    }
    return err;
}

static enum err train(const struct asked *asked, struct place *place, struct arena *arena, struct why *why)
{
    struct history history;
    struct train_report report;
    const struct model *model;
    struct bytes file;
    struct train_span span;
    struct in_use in_use = {0};
    struct compare compared[2] = {{0}};
    enum err err = history_from_storage(place->data.storage, place->tenant, data_now_ms(NULL), &history);

    if (err != ERR_OK) {
        return why_say(why, err, "unreadable", "", "the events could not be read (%s); look at the disk, or restore the backup", err_name(err));
    }
    err = read_catalogue(place, &history);
    if (err != ERR_OK) {
        history_close(&history);
        return why_say(why, err, "unreadable", "", "the catalogue could not be read (%s); look at the disk, or restore the backup", err_name(err));
    }
    hash_owner_key(place->secret, history.owner_key);
    span = train_span_for(&history, history_newest_ms(&history) + 1);
    if (history.unread_n > 0) {
        fprintf(stderr, "%zu events could not be read and are left out; `falun replay` looks at the log\n", history.unread_n);
    }
    fprintf(stderr, "learning from %zu baskets and %zu looks of %zu customers, %zu items\n", history.baskets_n,
            history.looks_n, history.customers_n, history.items.n);
    err = train_choose(&history, &span, asked->threads, 60 * asked->minutes, seconds_now, arena, &file, &report);
    if (err == ERR_ABSENT) {
        err = why_say(why, err, "nothing", "", "nothing was bought or looked at yet: import receipts first (falun import --help)");
    }
    err = err == ERR_OK ? model_file_open(file, arena, &model, why) : err;
    if (err == ERR_OK) {
        open_in_use(asked, place, arena, &in_use);
    }
    if (err == ERR_OK && in_use.model != NULL && !bytes_equal(model_hash(in_use.model), model_hash(model))) {
        err = check_not_worse(asked, &history, &span, &report, in_use.model, &compared[0], &compared[1], arena, why);
    }
    err = err == ERR_OK ? check_worth(&report, why) : err;
    err = err == ERR_OK ? publish(asked, place, model, file, arena, why) : err;
    if (err == ERR_OK && !asked->is_json) {
        train_note_text(&report, stdout);
    }
    if (err == ERR_OK) {
        print_json(&report, model, &history, file.n, compared, arena);
    }
    if (in_use.file.p != NULL) {
        mapping_close(in_use.file);
    }
    history_close(&history);
    return err;
}

int cmd_train(int argc, char **argv)
{
    struct asked asked;
    struct place place = {0};
    struct arena arena;
    struct why why = {{0}};
    int code;
    enum err err;

    cores_choose();
    code = read_options(argc, argv, &asked);
    if (code >= 0) {
        return code;
    }
    arena_open(&arena, 1 << 20, SIZE_MAX / 4);
    err = open_place(&asked, &place, &arena, &why);
    err = err == ERR_OK ? train(&asked, &place, &arena, &why) : err;
    close_place(&place);
    arena_close(&arena);
    if (err != ERR_OK) {
        fprintf(stderr, "falun train: %s\n", why.says[0] != '\0' ? why.says : err_name(err));
        return 1;
    }
    return 0;
}
