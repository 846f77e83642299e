/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbours, pairs and rules on recorded sessions: near_bench DATA [SET DAYS AGE_DAYS IDF]...
 *
 *   - DATA/sessions_yoochoose100k: our pairs and rules beside the lists that session-rec wrote (evaluation.md 2.2). Its AR counts
 *     every two clicks of a session, both ways; its SR the 20 clicks before, 1 / distance^2; both count an item beside itself and
 *     keep the top 20. Ours for serving leave the item itself out and count rules 1 / distance over PAIR_STEPS.
 *   - each SET (default: sessions_diginetica 145 40 10): HR@20, MRR@20 and microseconds of VSTAN and VMIS, one core, by postings and
 *     neighbours; then with every finished test session learnt (model_live.h). "Without the last item" is how bol.com's server
 *     ranks: in sessions_serenade_toy nothing follows itself, so it stands first for nothing. DAYS: what the file covers, where
 *     it has no times.
 * Ends with 1 when a list differs. */
#include "base/hash.h"
#include "base/topk.h"
#include "cmd/evaluate.h"
#include "ingest/import_csv.h"
#include "model/model_live.h"
#include "os/file.h"
#include "train/index_train.h"
#include "train/pair_train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LIST = 20, PATH_MAX_ = 512 };

static void must(enum err err, const struct why *why)
{
    if (err != ERR_OK) {
        fprintf(stderr, "near_bench: %s\n", why->says);
        exit(2);
    }
}

static struct read_sequences read_of(const char *data, const char *set, const char *file)
{
    char path[PATH_MAX_];
    struct read_sequences read;
    struct why why = {0};

    snprintf(path, sizeof(path), "%s/%s/%s.csv.gz", data, set, file);
    must(read_sequences(path, READ_SESSIONS, INT64_MAX / 2, &read, &why), &why);
    return read;
}

static int64_t now_us(void)
{
    struct timespec at;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

struct learnt { /* sessions of one file, learnt */
    struct history history;
    struct base_model base;
    int64_t end_ms;
};

static void learn(const struct read_sequences *train, struct evaluate_times times, const struct model_domain_settings *domain,
                  struct learnt *to)
{
    struct base_settings settings = {.domain[MODEL_SESSION] = *domain, .customers_min = 1, .threads = 1};

    *to = (struct learnt){.history = {.tenant = {1}}};
    evaluate_sessions(train, times, &to->history);
    to->end_ms = history_newest_ms(&to->history) + 1;
    base_model_train(&to->history, to->end_ms, &settings, &to->base);
}

/* ---- pairs and rules beside the reference ---- */

struct beside {
    const struct read_sequences *test;
    const struct learnt *learnt;
    const struct ridge_w *rows;
    size_t lists_n, same_n;
};

static uint32_t dense_of(const struct learnt *learnt, struct bytes text)
{
    struct item_id id = hash_item(learnt->history.tenant, text);

    for (uint32_t i = 0; i < learnt->base.build.head.items_n; i++) {
        if (learnt->base.build.item_id[i] == id.v) {
            return i;
        }
    }
    return MODEL_NONE;
}

static enum err check_header(void *ctx, const struct bytes *header, size_t n, struct why *why)
{
    (void)ctx;
    return n == 4 && bytes_equal(header[2], BYTES_LIT("item_ids"))
               ? ERR_OK
               : why_say(why, ERR_INVALID, "missing_column", "item_ids", "the reference file has other columns");
}

/* The next word of a list; empty at its end. */
static struct bytes word(struct bytes *rest)
{
    struct bytes found = {rest->p, 0};

    while (found.n < rest->n && rest->p[found.n] != ' ') {
        found.n++;
    }
    rest->p += found.n + (found.n < rest->n ? 1 : 0);
    rest->n -= found.n + (found.n < rest->n ? 1 : 0);
    return found;
}

/* A list is the same when each of its first twenty items has the score that our row gives it, ours being divided by the largest, and
 * ours holds as many: items of equal score may stand in any order, and at the end of the list any of them may. */
static enum err check_list(void *ctx, const struct import_row *row, struct why *why)
{
    struct beside *beside = ctx;
    uint64_t group = 0;
    size_t s = 0, position = strtoul(row->fields[1].p, NULL, 10);
    struct bytes items = row->fields[2], scores = row->fields[3];
    uint32_t asked;
    size_t n, found_n = 0, wanted_n = 0;
    const struct model_weight *ours;
    bool is_same = true;

    (void)why;
    group = hash_item((struct tenant_id){0}, row->fields[0]).v;
    while (s < beside->test->groups_n && beside->test->group[s] != group) {
        s++;
    }
    if (s == beside->test->groups_n) {
        return why_say(why, ERR_INVALID, "session", "session_id", "the reference names a session that the test file lacks");
    }
    asked = dense_of(beside->learnt, read_item(beside->test, beside->test->at[s] + position));
    ours = beside->rows->row + beside->rows->at[asked];
    n = beside->rows->at[asked + 1] - beside->rows->at[asked];
    for (size_t k = 0; k < LIST; k++) {
        uint32_t item = dense_of(beside->learnt, word(&items));
        double score = strtod(word(&scores).p, NULL), got = 0;

        for (size_t x = 0; x < n; x++) {
            got = ours[x].item == item ? (double)(ours[x].weight / ours[0].weight) : got;
        }
        is_same = is_same && fabs(got - score) < 1e-5;
        wanted_n += score > 0;
        found_n += k < n;
    }
    beside->lists_n++;
    beside->same_n += is_same && wanted_n == found_n;
    return ERR_OK;
}

static bool check_reference(const char *data, const char *name, struct beside *beside)
{
    struct import_csv_calls calls = {check_header, check_list, NULL, beside};
    char path[PATH_MAX_];
    struct file_reader *file;
    struct arena arena;
    struct import_csv *csv;
    struct bytes chunk = {"", 1};
    struct why why = {0};
    enum err err;

    snprintf(path, sizeof(path), "%s/sessions_yoochoose100k/reference_%s.csv.gz", data, name);
    must(file_open(path, &file, &why), &why);
    arena_open(&arena, 1 << 22, 1 << 24);
    csv = import_csv_open(&arena, ',', &calls);
    for (err = ERR_OK; err == ERR_OK && chunk.n > 0;) {
        err = file_read(file, &chunk, &why);
        err = err == ERR_OK && chunk.n > 0 ? import_csv_feed(csv, chunk, &why) : err;
    }
    must(err == ERR_OK ? import_csv_end(csv, &why) : err, &why);
    file_close(file);
    arena_close(&arena);
    printf("%s: %zu of %zu lists the same\n", name, beside->same_n, beside->lists_n);
    return beside->same_n == beside->lists_n && beside->lists_n > 0;
}

static bool conform(const char *data)
{
    struct read_sequences train = read_of(data, "sessions_yoochoose100k", "train");
    struct read_sequences test = read_of(data, "sessions_yoochoose100k", "test");
    struct model_domain_settings domain = index_train_start(MODEL_SESSION);
    struct pair_settings settings = {.row_most = MODEL_W_ROW_MAX, .customers_min = 1, .threads = 1, .has_self = true,
                                     .rule_steps = 20, .is_square = true};
    struct beside beside = {.test = &test};
    struct sequences sequences;
    struct ridge_w pair, rule;
    struct learnt learnt;
    bool is_same;

    learn(&train, (struct evaluate_times){0}, &domain, &learnt);
    sequences_of(&learnt.history, MODEL_SESSION, learnt.end_ms, learnt.base.dense, learnt.base.build.head.items_n, &sequences);
    pair_train(&sequences, &settings, &pair, &rule);
    beside.learnt = &learnt;
    beside.rows = &pair;
    is_same = check_reference(data, "ar", &beside);
    beside.lists_n = beside.same_n = 0;
    beside.rows = &rule;
    is_same = check_reference(data, "sr", &beside) && is_same;
    sequences_close(&sequences);
    free(pair.at);
    free(pair.row);
    free(rule.at);
    free(rule.row);
    base_model_close(&learnt.base);
    history_close(&learnt.history);
    read_sequences_close(&train);
    read_sequences_close(&test);
    return is_same;
}

/* ---- quality and time ---- */

struct hits {
    double hr, mrr;
};

/* but: an item that is left out; MODEL_NONE: none. */
static void count_hit(const struct tally *tally, uint32_t target, uint32_t but, struct hits *hits)
{
    struct topk_entry room[LIST];
    struct topk best = topk_of(room, LIST);

    for (size_t s = 0; tally->n > 0 && s <= tally->mask; s++) {
        if (tally->slot[s].key != 0 && tally->slot[s].key - 1 != but) {
            topk_offer(&best, tally->slot[s].sum, tally->slot[s].key - 1);
        }
    }
    topk_sort(&best);
    for (size_t k = 0; k < best.n; k++) {
        if (best.at[k].item == target) {
            hits->hr += 1;
            hits->mrr += 1 / (double)(k + 1);
        }
    }
}

static int us_order(const void *a, const void *b)
{
    const float *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

struct ask {
    const struct model *model;
    const struct read_sequences *test;
    const struct learnt *learnt;
    struct evaluate_times times; /* of the test's sessions */
    bool is_online;
};

static struct model_live *room_for(const struct ask *ask, void **out_p)
{
    struct model_live_room room = {.sequences = (uint32_t)ask->test->groups_n, .items = 65536, .texts = 1 << 20,
                                   .steps = (uint32_t)ask->test->at[ask->test->groups_n]};
    size_t n = model_live_bytes(ask->model, &room);
    void *p = aligned_alloc(64, n);

    if (p == NULL) {
        abort();
    }
    memset(p, 0, n);
    *out_p = p;
    return model_live_open(ask->model, &room, p);
}

static void ask_all(const struct ask *ask, const struct model_domain_settings *settings)
{
    struct hits hits[4] = {{0, 0}, {0, 0}, {0, 0}, {0, 0}};
    float *us = history_grow(NULL, ask->test->at[ask->test->groups_n], sizeof(*us));
    void *p;
    struct model_live *live = room_for(ask, &p);
    struct arena arena;
    size_t n = 0;

    arena_open(&arena, 1 << 22, 1 << 28);
    for (size_t g = 0; g < ask->test->groups_n; g++) {
        struct model_step steps[MODEL_SEQUENCE_MAX];
        size_t from = ask->test->at[g], to = ask->test->at[g + 1], known;
        int64_t now_ms = ask->is_online ? evaluate_session_end(ask->test, ask->times, g) : ask->learnt->end_ms;
        struct model_view view;

        to = to - from > MODEL_SEQUENCE_MAX ? from + MODEL_SEQUENCE_MAX : to;
        for (size_t x = from; x < to; x++) {
            struct bytes text = read_item(ask->test, x);
            struct item_id id = hash_item(ask->learnt->history.tenant, text);

            steps[x - from] = (struct model_step){ask->is_online ? model_live_item(live, id, text) : model_item_find(ask->model, id),
                                                  (uint32_t)(x - from)};
        }
        view = model_view_of(ask->model, live);
        for (known = 1; known < to - from; known++) {
            struct tally vstan, vmis;
            int64_t begin;

            arena_reset(&arena);
            begin = now_us();
            if (model_session_score(&view, MODEL_SESSION, settings, steps, known, now_ms, &arena, &vstan, &vmis) != ERR_OK) {
                abort();
            }
            us[n++] = (float)(now_us() - begin);
            count_hit(&vstan, steps[known].item, MODEL_NONE, &hits[0]);
            count_hit(&vmis, steps[known].item, MODEL_NONE, &hits[1]);
            count_hit(&vstan, steps[known].item, steps[known - 1].item, &hits[2]);
            count_hit(&vmis, steps[known].item, steps[known - 1].item, &hits[3]);
        }
        if (ask->is_online && to > from) {
            (void)model_live_append(live, MODEL_SESSION, steps, to - from, now_ms, 0, UINT32_MAX);
        }
    }
    qsort(us, n, sizeof(*us), us_order);
    printf("  %-6s M %u k %u: p50 %.0f us, p99 %.0f us; HR@20 MRR@20 of VSTAN", ask->is_online ? "online" : "static",
           settings->postings, settings->neighbours, (double)us[n / 2], (double)us[n * 99 / 100]);
    for (int v = 0; v < 4; v++) {
        printf("%s %.4f %.4f", v == 1 ? ", VMIS" : v == 2 ? "; without the last item" : v == 3 ? "," : "", hits[v].hr / (double)n,
               hits[v].mrr / (double)n);
    }
    printf(" (%zu cases)\n", n);
    arena_close(&arena);
    free(us);
    free(p);
}

/* CPU seconds of what is learnt from the sessions; a million pairs is as many met steps. */
static void time_learning(const struct learnt *learnt, uint32_t postings)
{
    struct pair_settings settings = {.row_most = 100, .customers_min = 1, .threads = 1};
    struct model_build_index index;
    struct sequences sequences;
    struct ridge_w pair, rule;
    struct arena arena;
    int64_t at[4] = {now_us(), 0, 0, 0};
    double pairs = 0;

    sequences_of(&learnt->history, MODEL_SESSION, learnt->end_ms, learnt->base.dense, learnt->base.build.head.items_n, &sequences);
    at[1] = now_us();
    arena_open(&arena, 1 << 20, SIZE_MAX / 4);
    index_train(&sequences, &learnt->history, postings, &arena, &index);
    at[2] = now_us();
    pair_train(&sequences, &settings, &pair, &rule);
    at[3] = now_us();
    for (size_t s = 0; s < sequences.n; s++) {
        double n = (double)(sequences.at[s + 1] - sequences.at[s]);

        pairs += n * (n - 1);
    }
    printf("  learnt from %zu steps in CPU-s: sequences %.2f, index %.2f, pairs and rules %.2f (%.1f million pairs)\n",
           sequences.at[sequences.n], (double)(at[1] - at[0]) / 1e6, (double)(at[2] - at[1]) / 1e6, (double)(at[3] - at[2]) / 1e6,
           pairs / 1e6);
    free(pair.at);
    free(pair.row);
    free(rule.at);
    free(rule.row);
    sequences_close(&sequences);
    arena_close(&arena);
}

static void measure(const char *data, const char *set, double days, float age_days, float idf)
{
    struct read_sequences train = read_of(data, set, "train"), test = read_of(data, set, "test");
    struct model_domain_settings domain = index_train_start(MODEL_SESSION);
    struct evaluate_times times = {EVALUATE_DAY_0_MS, (int64_t)(days * (double)DAY_MS / (double)train.groups_n)};
    struct ask ask = {.test = &test};
    const unsigned sizes[2][2] = {{1000, 300}, {5000, 1500}};
    struct learnt learnt;
    struct bytes file;
    struct why why = {0};

    domain.postings = 5000;
    domain.uses = MODEL_USES_VSTAN | MODEL_USES_VMIS;
    domain.age_days = age_days;
    domain.idf = idf;
    learn(&train, times, &domain, &learnt);
    must(model_build(&learnt.base.build, &learnt.base.arena, &file), &why);
    must(model_file_open(file, &learnt.base.arena, &ask.model, &why), &why);
    ask.learnt = &learnt;
    ask.times = (struct evaluate_times){learnt.end_ms, times.step_ms};
    printf("%s: %u sequences, %u items, %.1f MB\n", set, model_sequences_n(ask.model, MODEL_SESSION), model_items_n(ask.model),
           (double)file.n / 1e6);
    time_learning(&learnt, domain.postings);
    for (size_t k = 0; k < 2; k++) {
        domain.postings = sizes[k][0];
        domain.neighbours = domain.vmis_neighbours = sizes[k][1];
        ask.is_online = false;
        ask_all(&ask, &domain);
        ask.is_online = true;
        ask_all(&ask, &domain);
    }
    base_model_close(&learnt.base);
    history_close(&learnt.history);
    read_sequences_close(&train);
    read_sequences_close(&test);
}

int main(int argc, char **argv)
{
    bool is_same;

    if (argc < 2 || (argc - 2) % 4 != 0) {
        fprintf(stderr, "near_bench DATA [SET DAYS AGE_DAYS IDF]...\n");
        return 2;
    }
    hash_start();
    is_same = conform(argv[1]);
    if (argc == 2) {
        measure(argv[1], "sessions_diginetica", 145, 40, 10);
    }
    for (int i = 2; i < argc; i += 4) {
        measure(argv[1], argv[i], strtod(argv[i + 1], NULL), strtof(argv[i + 2], NULL), strtof(argv[i + 3], NULL));
    }
    return is_same ? 0 : 1;
}
