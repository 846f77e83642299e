/* SPDX-License-Identifier: Apache-2.0 */
#include "train/report.h"

#include "base/json_write.h"
#include "base/rng.h"
#include "base/topk.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SEED = 7474 };
#define RECENT_MS (28 * DAY_MS)

struct making {
    const struct history *history;
    const struct model *model;
    const struct next_case *cases;
    size_t n, threads;
    struct report *report;
};

/* ---- lists of all kinds ---- */

static void fill_up(const struct model *model, struct next_list *list)
{
    size_t recent_n;
    const uint32_t *recent = model_popular_recent(model, &recent_n);

    for (size_t r = 0; r < recent_n && list->n < NEXT_LIST; r++) {
        uint64_t id = model_item_id(model, recent[r]).v;
        bool is_there = false;

        for (size_t k = 0; k < list->n; k++) {
            is_there |= list->item[k] == id;
        }
        if (!is_there) {
            list->item[list->n++] = id;
        }
    }
}

static void list_of_dense(const struct model *model, const uint32_t *items, size_t n, struct next_list *out_list)
{
    out_list->n = 0;
    for (size_t k = 0; k < n && k < NEXT_LIST; k++) {
        out_list->item[out_list->n++] = model_item_id(model, items[k]).v;
    }
    fill_up(model, out_list);
}

static struct next_score *score_all(const struct making *making, const struct next_list *lists)
{
    struct next_score *scores = history_zero(making->n, sizeof(*scores));

    for (size_t c = 0; c < making->n; c++) {
        next_basket_score(making->history, &making->cases[c], &lists[c], &scores[c]);
    }
    return scores;
}

static void add_line(struct making *making, const char *name, struct next_score *scores)
{
    struct report_line *line;

    if (making->report->lines_n == REPORT_LINES_MAX) {
        free(scores);
        return;
    }
    line = &making->report->lines[making->report->lines_n++];
    *line = (struct report_line){.is_segment = strncmp(name, "segment", 7) == 0, .scores = scores,
                                 .mean = next_basket_mean(scores, making->n)};
    (void)snprintf(line->name, sizeof(line->name), "%s", name);
}

/* The better of two lists for each case's segment, over all cases. */
static void add_better(struct making *making, const char *name, const struct next_list *a, const struct next_list *b)
{
    struct next_score *x = score_all(making, a), *y = score_all(making, b);
    bool is_x = next_basket_mean(x, making->n).recall10 >= next_basket_mean(y, making->n).recall10;

    free(is_x ? y : x);
    add_line(making, name, is_x ? x : y);
}

static void add_popular(struct making *making, struct next_list *lists)
{
    size_t n;
    const uint32_t *items = model_popular_all(making->model, &n);

    for (size_t c = 0; c < making->n; c++) {
        list_of_dense(making->model, items, n, &lists[c]);
    }
    add_line(making, "popular", score_all(making, lists));
    for (size_t c = 0; c < making->n; c++) {
        list_of_dense(making->model, NULL, 0, &lists[c]);
    }
    add_line(making, "popular:recent", score_all(making, lists));
}

const char *report_segment_name(enum model_segment_kind kind)
{
    static const char *const names[MODEL_SEGMENTS_] = {"segment:store", "segment:spendFrequency", "segment:storeFrequency",
                                                       "segment:group"};

    assert(kind < MODEL_SEGMENTS_);
    return names[kind];
}

static void add_model_segments(struct making *making, struct next_list *lists, struct next_list *recent)
{
    struct part *lives = history_grow(NULL, 1, sizeof(*lives));

    for (unsigned kind = 0; kind < MODEL_SEGMENTS_; kind++) {
        if (model_segments(making->model)->keys_n[kind] == 0) {
            continue;
        }
        for (size_t c = 0; c < making->n; c++) {
            const uint32_t *items;
            size_t n;

            cases_fold(making->history, &making->cases[c], lives);
            items = model_segment_list(making->model, (enum model_segment_kind)kind, 0, lives, &n);
            list_of_dense(making->model, items, n, &lists[c]);
            items = model_segment_list(making->model, (enum model_segment_kind)kind, 1, lives, &n);
            list_of_dense(making->model, items, n, &recent[c]);
        }
        add_better(making, report_segment_name((enum model_segment_kind)kind), lists, recent);
    }
    free(lives);
}

/* ---- segments by declared facts ---- */

/* The most bought of every key in [since_ms, report->from_ms); keys of customers, UINT32_MAX: none. */
static struct next_list *lists_by_key(const struct making *making, const uint32_t *key, size_t keys_n, int64_t since_ms)
{
    const struct history *history = making->history;
    struct next_list *lists = history_zero(keys_n, sizeof(*lists));
    uint32_t *count = history_grow(NULL, history->items.n, sizeof(*count));
    size_t *in = history_zero(history->items.n, sizeof(*in));

    for (size_t k = 0; k < keys_n; k++) {
        struct topk_entry room[NEXT_LIST];
        struct topk best = topk_of(room, NEXT_LIST);

        memset(count, 0, history->items.n * sizeof(*count));
        for (size_t c = 0; c < history->customers_n; c++) {
            size_t end = key[c] == k ? history_basket_at(history, c, making->report->from_ms) : 0;

            for (size_t b = key[c] == k ? history_basket_at(history, c, since_ms) : 0; b < end; b++) {
                for (size_t l = 0; l < history->baskets[b].lines_n; l++) {
                    uint32_t item = history->lines[history->baskets[b].lines_at + l].item;

                    count[item] += in[item] != b + 1;
                    in[item] = b + 1;
                }
            }
        }
        memset(in, 0, history->items.n * sizeof(*in));
        for (uint32_t i = 0; i < history->items.n; i++) {
            if (count[i] > 0) {
                topk_offer(&best, (float)count[i], i);
            }
        }
        topk_sort(&best);
        for (size_t r = 0; r < best.n; r++) {
            lists[k].item[lists[k].n++] = history->items.id[best.at[r].item];
        }
        fill_up(making->model, &lists[k]);
    }
    free(count);
    free(in);
    return lists;
}

static void add_keyed(struct making *making, const char *name, const uint32_t *key, size_t keys_n,
                      struct next_list *lists, struct next_list *recent)
{
    struct next_list *all = lists_by_key(making, key, keys_n, INT64_MIN);
    struct next_list *late = lists_by_key(making, key, keys_n, making->report->from_ms - RECENT_MS);

    for (size_t c = 0; c < making->n; c++) {
        uint32_t k = key[making->cases[c].customer];

        lists[c] = recent[c] = (struct next_list){.n = 0};
        if (k < keys_n) {
            lists[c] = all[k];
            recent[c] = late[k];
        }
        fill_up(making->model, &lists[c]);
        fill_up(making->model, &recent[c]);
    }
    add_better(making, name, lists, recent);
    free(all);
    free(late);
}

static const struct history_fact *fact_named(const struct history *history, const char *name)
{
    for (size_t i = 0; i < history->facts_n; i++) {
        if (strcmp(history->facts[i].name, name) == 0) {
            return &history->facts[i];
        }
    }
    return NULL;
}

static void add_fact_segments(struct making *making, struct next_list *lists, struct next_list *recent)
{
    const struct history *history = making->history;
    const struct history_fact *age = fact_named(history, "age"), *kids = fact_named(history, "kids_count"),
                              *income = fact_named(history, "income");
    uint32_t *key = history_grow(NULL, history->customers_n, sizeof(*key));
    char name[48];

    for (size_t f = 0; f < history->facts_n && f < 3; f++) { /* one fact each; all would drown the table */
        (void)snprintf(name, sizeof(name), "segment:%s", history->facts[f].name);
        add_keyed(making, name, history->facts[f].of, history->facts[f].values.n, lists, recent);
    }
    if (age != NULL && kids != NULL && income != NULL) {
        size_t keys_n = age->values.n * kids->values.n * income->values.n;

        for (size_t c = 0; c < history->customers_n; c++) {
            bool is_said = age->of[c] != UINT32_MAX && kids->of[c] != UINT32_MAX && income->of[c] != UINT32_MAX;

            key[c] = is_said ? (uint32_t)((age->of[c] * kids->values.n + kids->of[c]) * income->values.n + income->of[c])
                             : UINT32_MAX;
        }
        add_keyed(making, "segment:demographics", key, keys_n, lists, recent);
    }
    free(key);
}

/* ---- intervals ---- */

static int double_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static struct report_range range_of(double *resamples, double mean)
{
    qsort(resamples, REPORT_RESAMPLES, sizeof(*resamples), double_order);
    return (struct report_range){mean, resamples[REPORT_RESAMPLES * 25 / 1000], resamples[REPORT_RESAMPLES * 975 / 1000 - 1]};
}

/* Draws cases once a resample for all lines. sums: [line][metric][resample], means. */
static void bootstrap(const struct making *making, double *sums)
{
    struct rng rng = {SEED};

    for (size_t r = 0; r < REPORT_RESAMPLES; r++) {
        for (size_t i = 0; i < making->n; i++) {
            size_t c = (size_t)rng_below(&rng, making->n);

            for (size_t l = 0; l < making->report->lines_n; l++) {
                const struct next_score *s = &making->report->lines[l].scores[c];
                double *to = sums + l * 3 * REPORT_RESAMPLES + r;

                to[0] += (double)s->recall10 / (double)making->n;
                to[REPORT_RESAMPLES] += (double)s->ndcg10 / (double)making->n;
                to[2 * REPORT_RESAMPLES] += (double)s->phr10 / (double)making->n;
            }
        }
    }
}

static void add_intervals(struct making *making)
{
    struct report *report = making->report;
    double *sums = history_zero(report->lines_n * 3 * REPORT_RESAMPLES, sizeof(*sums));
    double ratio[REPORT_RESAMPLES];

    bootstrap(making, sums);
    for (size_t l = 0; l < report->lines_n; l++) {
        if (report->lines[l].is_segment && (report->best_segment == 0 || report->lines[l].mean.recall10 >
                                                                         report->lines[report->best_segment].mean.recall10)) {
            report->best_segment = l;
        }
    }
    if (report->best_segment > 0) {
        double segment = report->lines[report->best_segment].mean.recall10;

        for (size_t r = 0; r < REPORT_RESAMPLES; r++) {
            double below = sums[report->best_segment * 3 * REPORT_RESAMPLES + r];

            ratio[r] = below > 0 ? sums[r] / below : 0;
        }
        report->times = range_of(ratio, segment > 0 ? report->lines[0].mean.recall10 / segment : 0);
    }
    for (size_t l = 0; l < report->lines_n; l++) {
        double *at = sums + l * 3 * REPORT_RESAMPLES;

        report->lines[l].recall10 = range_of(at, report->lines[l].mean.recall10);
        report->lines[l].ndcg10 = range_of(at + REPORT_RESAMPLES, report->lines[l].mean.ndcg10);
        report->lines[l].phr10 = range_of(at + 2 * REPORT_RESAMPLES, report->lines[l].mean.phr10);
    }
    free(sums);
}

static void add_halves(struct making *making)
{
    for (size_t l = 0; l < making->report->lines_n; l++) {
        struct report_line *line = &making->report->lines[l];
        size_t repeat_n = 0, explore_n = 0;

        for (size_t c = 0; c < making->n; c++) {
            if (!isnan(line->scores[c].repeat10)) {
                line->repeat10 += (double)line->scores[c].repeat10;
                repeat_n++;
            }
            if (!isnan(line->scores[c].explore10)) {
                line->explore10 += (double)line->scores[c].explore10;
                explore_n++;
            }
        }
        line->repeat10 /= repeat_n > 0 ? (double)repeat_n : 1;
        line->explore10 /= explore_n > 0 ? (double)explore_n : 1;
    }
}

/* ---- groups ---- */

static void add_group(struct making *making, const char *kind, struct bytes name, const bool *is_in)
{
    struct report *report = making->report;
    struct report_group group = {{0}};

    for (size_t c = 0; c < making->n; c++) {
        if (is_in[c]) {
            group.cases_n++;
            group.own += (double)report->lines[0].scores[c].recall10;
            group.popular += (double)report->lines[2].scores[c].recall10;
            group.segment += report->best_segment > 0 ? (double)report->lines[report->best_segment].scores[c].recall10 : 0;
        }
    }
    if (group.cases_n < 5 || report->groups_n == REPORT_GROUPS_MAX) {
        return; /* too few to say anything of, or of whom */
    }
    group.own /= (double)group.cases_n;
    group.popular /= (double)group.cases_n;
    group.segment /= (double)group.cases_n;
    (void)snprintf(group.kind, sizeof(group.kind), "%s", kind);
    (void)snprintf(group.name, sizeof(group.name), "%.*s", (int)name.n, name.p);
    report->groups[report->groups_n++] = group;
}

static void add_length_groups(struct making *making, bool *is_in)
{
    static const struct {
        size_t from, to;
        const char *name;
    } lengths[] = {{2, 10, "2 to 9 baskets"}, {10, 30, "10 to 29 baskets"}, {30, 100, "30 to 99 baskets"},
                   {100, SIZE_MAX, "100 baskets or more"}};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        for (size_t c = 0; c < making->n; c++) {
            size_t n = making->cases[c].to - making->cases[c].from;

            is_in[c] = n >= lengths[i].from && n < lengths[i].to;
        }
        add_group(making, "history", bytes_of(lengths[i].name), is_in);
    }
}

/* The five stores most cases are at home in, and all others together. */
static void add_store_groups(struct making *making, bool *is_in)
{
    const struct history *history = making->history;
    uint64_t *home = history_zero(making->n, sizeof(*home));
    size_t *times = history_zero(history->stores.n, sizeof(*times));
    bool *is_left = history_grow(NULL, making->n, sizeof(*is_left));
    struct part *life = history_grow(NULL, 1, sizeof(*life));

    for (size_t c = 0; c < making->n; c++) {
        cases_fold(history, &making->cases[c], life);
        home[c] = model_segment_habits(life).home.v;
        is_left[c] = true;
        for (size_t s = 0; s < history->stores.n; s++) {
            times[s] += history->stores.id[s] == home[c];
        }
    }
    for (int k = 0; k < 5 && history->stores.n > 1; k++) {
        size_t best = 0;

        for (size_t s = 1; s < history->stores.n; s++) {
            best = times[s] > times[best] ? s : best;
        }
        for (size_t c = 0; c < making->n; c++) {
            is_in[c] = home[c] == history->stores.id[best];
            is_left[c] = is_left[c] && !is_in[c];
        }
        add_group(making, "store", history_name(&history->stores, (uint32_t)best), is_in);
        times[best] = 0;
    }
    if (history->stores.n > 5) {
        add_group(making, "store", BYTES_LIT("all others"), is_left);
    }
    free(home);
    free(times);
    free(is_left);
    free(life);
}

static void add_fact_groups(struct making *making, bool *is_in)
{
    const struct history *history = making->history;

    for (size_t f = 0; f < history->facts_n; f++) {
        for (uint32_t v = 0; v < history->facts[f].values.n; v++) {
            for (size_t c = 0; c < making->n; c++) {
                is_in[c] = history->facts[f].of[making->cases[c].customer] == v;
            }
            add_group(making, history->facts[f].name, history_name(&history->facts[f].values, v), is_in);
        }
    }
}

/* ---- */

static int float_order(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static void ask_own(struct making *making, struct next_list *lists, double (*seconds_now)(void))
{
    float *us = seconds_now != NULL ? history_zero(making->n, sizeof(*us)) : NULL;

    next_basket_lists(making->history, making->model, VARIANT_ONE_TO_ONE, making->cases, making->n,
                      us != NULL ? 1 : making->threads, lists, seconds_now, us);
    if (us != NULL) {
        qsort(us, making->n, sizeof(*us), float_order);
        making->report->p50_us = (double)us[making->n / 2];
        making->report->p99_us = (double)us[making->n * 99 / 100];
    }
    free(us);
}

bool report_make(const struct history *history, const struct model *model, int64_t from_ms, int64_t to_ms,
                 size_t threads, bool has_segments, const struct next_list *own, double (*seconds_now)(void),
                 struct report *out_report)
{
    struct making making = {.history = history, .model = model, .threads = threads, .report = out_report};
    struct next_list *lists, *recent;
    struct next_case *cases;
    bool *is_in;

    *out_report = (struct report){.from_ms = from_ms, .to_ms = to_ms};
    making.n = out_report->cases_n = cases_of_baskets(history, from_ms, to_ms, 2, &cases);
    making.cases = cases;
    if (making.n == 0) {
        free(cases);
        return false;
    }
    lists = history_zero(making.n, sizeof(*lists));
    recent = history_zero(making.n, sizeof(*recent));
    is_in = history_zero(making.n, sizeof(*is_in));
    if (own == NULL) {
        ask_own(&making, lists, seconds_now);
    }
    add_line(&making, "one-to-one", score_all(&making, own != NULL ? own : lists));
    add_popular(&making, lists);
    if (has_segments) {
        add_model_segments(&making, lists, recent);
        add_fact_segments(&making, lists, recent);
    }
    add_intervals(&making);
    add_halves(&making);
    add_length_groups(&making, is_in);
    add_store_groups(&making, is_in);
    add_fact_groups(&making, is_in);
    free(lists);
    free(recent);
    free(is_in);
    free(cases);
    return true;
}

void report_close(struct report *report)
{
    for (size_t l = 0; l < report->lines_n; l++) {
        free(report->lines[l].scores);
    }
    *report = (struct report){0};
}

/* ---- JSON ---- */

static void write_range(struct json_write *w, const char *key, const struct report_range *range)
{
    char interval[48];

    (void)snprintf(interval, sizeof(interval), "%sInterval", key);
    json_write_fixed(w, key, range->mean, 4);
    json_write_array(w, interval);
    json_write_fixed(w, NULL, range->low, 4);
    json_write_fixed(w, NULL, range->high, 4);
    json_write_end(w);
}

static void write_line(struct json_write *w, const struct report_line *line)
{
    write_range(w, "recall@10", &line->recall10);
    json_write_fixed(w, "recall@20", line->mean.recall20, 4);
    write_range(w, "ndcg@10", &line->ndcg10);
    json_write_fixed(w, "ndcg@20", line->mean.ndcg20, 4);
    write_range(w, "phr@10", &line->phr10);
    json_write_fixed(w, "repeatRecall@10", line->repeat10, 4);
    json_write_fixed(w, "exploreRecall@10", line->explore10, 4);
}

static void write_date(struct json_write *w, const char *key, int64_t at_ms)
{
    char text[TIME_TEXT_BYTES];

    time_format(at_ms, text);
    json_write_text(w, key, (struct bytes){text, 10});
}

void report_json(const struct report *report, struct json_write *w)
{
    json_write_int(w, "cases", (int64_t)report->cases_n);
    write_date(w, "from", report->from_ms);
    write_date(w, "to", report->to_ms);
    write_line(w, &report->lines[0]);
    if (report->p50_us > 0) {
        json_write_fixed(w, "p50Us", report->p50_us, 0);
        json_write_fixed(w, "p99Us", report->p99_us, 0);
    }
    json_write_object(w, "against");
    for (size_t l = 1; l < report->lines_n; l++) {
        json_write_object(w, report->lines[l].name);
        write_line(w, &report->lines[l]);
        json_write_end(w);
    }
    json_write_end(w);
    if (report->best_segment > 0) {
        json_write_word(w, "bestSegment", report->lines[report->best_segment].name);
        write_range(w, "timesBestSegment", &report->times);
    }
    json_write_array(w, "groups");
    for (size_t g = 0; g < report->groups_n; g++) {
        json_write_object(w, NULL);
        json_write_word(w, "kind", report->groups[g].kind);
        json_write_word(w, "name", report->groups[g].name);
        json_write_int(w, "cases", (int64_t)report->groups[g].cases_n);
        json_write_fixed(w, "recall@10", report->groups[g].own, 4);
        json_write_fixed(w, "popular", report->groups[g].popular, 4);
        json_write_fixed(w, "segment", report->groups[g].segment, 4);
        json_write_end(w);
    }
    json_write_end(w);
}
