/* SPDX-License-Identifier: Apache-2.0 */
#include "train/choose.h"

#include "train/probe.h"
#include "train/slice.h"
#include "train/tune.h"
#include "train/w_train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CASES_MOST = 3000, STEPS_MOST = 600 * 1000, KEPT_W = 2, POSTINGS_MOST = 2000, NEIGHBOURS_MOST = 100,
       NEAR_STEPS_MOST = 60 * 1000, NEAR_CASES_LEAST = 1000 };
#define WORTH_LEAST 0.0004 /* a change must be worth so much more: less is noise on a few thousand cases */

enum what { /* settings that an axis may stand for */
    WHAT_RHO, WHAT_WINDOW, WHAT_RHO_SOURCE, WHAT_ALPHA, WHAT_LAMBDA, WHAT_GAMMA, WHAT_DELTA, WHAT_TAU,
    WHAT_AGE, WHAT_DOUBT, WHAT_STEPS, WHAT_POSTINGS, WHAT_NEIGHBOURS, WHAT_VMIS_NEIGHBOURS, WHAT_POSITION,
    WHAT_NEAR_AGE, WHAT_NEIGHBOUR_STEPS, WHAT_SESSION_STEPS, WHAT_IDF
};

struct axis { /* n 0: ends the list */
    enum what what;
    const char *name;
    double value[TUNE_VALUES];
    size_t n;
    bool is_share; /* values are shares of the days covered */
    bool is_choice;
};

struct choosing {
    const struct history *history;
    const struct train_span *span;
    size_t threads;
    double (*seconds_now)(void);
    double ends;     /* by the clock */
    double weight;   /* of the stages to come, for sharing out what is left */
    struct train_report *report;
};

struct kept_w { /* matrices learnt lately: a setting of scoring alone needs no new one */
    struct ridge_settings settings;
    int64_t window_ms;
    struct ridge_w w;
    bool is_here;
};

struct bench { /* one domain on the table */
    struct choosing *choosing;
    enum model_domain domain;
    enum model_w kind;
    struct slice slice;
    struct history part;   /* what matrices are learnt from */
    struct base_model base;
    struct next_case *cases;
    struct probe probe;
    struct model_view view;
    struct arena arena;
    double days;           /* covered by what is before the slice */
    bool is_vmis;
    const struct axis *axes;
    struct tune_problem problem;
    struct kept_w kept[KEPT_W];
    size_t kept_next;
};

/* ---- settings by axis ---- */

static float *float_of(struct train_settings *s, const struct bench *bench, enum what what)
{
    struct ridge_settings *w = &s->base.w[bench->kind];
    struct model_domain_settings *near = &s->base.domain[bench->domain];

    switch (what) {
    case WHAT_RHO: return &s->rho;
    case WHAT_RHO_SOURCE: return &s->rho_source;
    case WHAT_ALPHA: return &w->alpha;
    case WHAT_LAMBDA: return &w->lambda;
    case WHAT_GAMMA: return &w->gamma;
    case WHAT_DELTA: return &w->delta;
    case WHAT_TAU: return &w->tau;
    case WHAT_AGE: return &w->age_days;
    case WHAT_DOUBT: return &w->doubt;
    case WHAT_STEPS: return &near->w_steps;
    case WHAT_POSITION: return &near->position_steps;
    case WHAT_NEAR_AGE: return &near->age_days;
    case WHAT_NEIGHBOUR_STEPS: return &near->neighbour_steps;
    case WHAT_SESSION_STEPS: return &near->session_steps;
    case WHAT_IDF: return &near->idf;
    case WHAT_WINDOW:
    case WHAT_POSTINGS:
    case WHAT_NEIGHBOURS:
    case WHAT_VMIS_NEIGHBOURS: break;
    }
    return NULL;
}

static uint32_t *count_of(struct train_settings *s, const struct bench *bench, enum what what)
{
    struct model_domain_settings *near = &s->base.domain[bench->domain];

    return what == WHAT_POSTINGS ? &near->postings : what == WHAT_NEIGHBOURS ? &near->neighbours : &near->vmis_neighbours;
}

static double value_get(struct train_settings *s, const struct bench *bench, enum what what)
{
    const float *v = float_of(s, bench, what);

    if (what == WHAT_WINDOW) {
        return (double)s->base.window_ms / (double)DAY_MS;
    }
    return v != NULL ? (double)*v : (double)*count_of(s, bench, what);
}

static void value_set(struct train_settings *s, const struct bench *bench, enum what what, double value)
{
    float *v = float_of(s, bench, what);

    if (what == WHAT_WINDOW) {
        s->base.window_ms = (int64_t)(value * (double)DAY_MS);
    } else if (v != NULL) {
        *v = (float)value;
    } else {
        *count_of(s, bench, what) = (uint32_t)value;
    }
}

static struct train_settings settings_at(const struct bench *bench, const size_t at[TUNE_AXES])
{
    struct train_settings s = bench->choosing->report->settings;

    for (size_t a = 0; a < bench->problem.n; a++) {
        value_set(&s, bench, bench->axes[a].what, bench->problem.axis[a].value[at[a]]);
    }
    return s;
}

/* ---- a part of the history, to learn matrices from ---- */

static int64_t newest_looks_ms(const struct history *history, int64_t before_ms, size_t most)
{
    int64_t low = INT64_MAX, high = before_ms;

    for (size_t l = 0; l < history->looks_n; l++) {
        low = history->looks[l].at_ms < low ? history->looks[l].at_ms : low;
    }
    while (low < high) { /* the earliest moment after which there are at most so many */
        int64_t middle = low + (high - low) / 2;
        size_t n = 0;

        for (size_t l = 0; l < history->looks_n; l++) {
            n += history->looks[l].at_ms >= middle && history->looks[l].at_ms < before_ms;
        }
        if (n > most) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Names, lines and customers are borrowed; baskets of every k-th customer and looks since a moment are copied. */
static void part_of(const struct history *from, size_t every, int64_t looks_since_ms, struct history *out_part)
{
    struct history part = *from;

    part.baskets = history_grow(NULL, from->baskets_n, sizeof(*part.baskets));
    part.looks = history_grow(NULL, from->looks_n, sizeof(*part.looks));
    part.from = history_grow(NULL, from->customers_n + 1, sizeof(*part.from));
    part.look_from = history_grow(NULL, from->customers_n + 1, sizeof(*part.look_from));
    part.baskets_n = part.looks_n = 0;
    for (size_t c = 0; c < from->customers_n; c++) {
        part.from[c] = part.baskets_n;
        part.look_from[c] = part.looks_n;
        for (size_t b = from->from[c]; c % every == 0 && b < from->from[c + 1]; b++) {
            part.baskets[part.baskets_n++] = from->baskets[b];
        }
        for (size_t l = from->look_from[c]; l < from->look_from[c + 1]; l++) {
            if (from->looks[l].at_ms >= looks_since_ms) {
                part.looks[part.looks_n++] = from->looks[l];
            }
        }
    }
    part.from[from->customers_n] = part.baskets_n;
    part.look_from[from->customers_n] = part.looks_n;
    *out_part = part;
}

static void part_close(struct history *part)
{
    free(part->baskets);
    free(part->looks);
    free(part->from);
    free(part->look_from);
}

/* ---- trials ---- */

/* Of the settings that are searched. */
static bool is_same(const struct ridge_settings *a, const struct ridge_settings *b)
{
    const float x[] = {a->gamma, a->lambda, a->delta, a->alpha, a->tau, a->age_days, a->doubt};
    const float y[] = {b->gamma, b->lambda, b->delta, b->alpha, b->tau, b->age_days, b->doubt};

    return memcmp(x, y, sizeof(x)) == 0;
}

static const struct ridge_w *matrix(struct bench *bench, const struct train_settings *s)
{
    struct base_settings only = {.window_ms = s->base.window_ms};
    struct ridge_w w[MODEL_WS_] = {{0}};
    struct kept_w *to;

    for (size_t i = 0; i < KEPT_W; i++) {
        const struct kept_w *kept = &bench->kept[i];

        if (kept->is_here && kept->window_ms == s->base.window_ms &&
            is_same(&kept->settings, &s->base.w[bench->kind])) {
            return &kept->w;
        }
    }
    only.w[bench->kind] = s->base.w[bench->kind];
    if (only.w[bench->kind].neighbours > NEIGHBOURS_MOST) {
        only.w[bench->kind].neighbours = NEIGHBOURS_MOST; /* twice as many cost three times as much and change no choice */
    }
    w_train(&bench->part, bench->slice.from_ms, bench->base.dense, bench->probe.items_n, &only, w);
    to = &bench->kept[bench->kept_next++ % KEPT_W];
    free(to->w.at);
    free(to->w.row);
    *to = (struct kept_w){s->base.w[bench->kind], s->base.window_ms, w[bench->kind], true};
    return &to->w;
}

static void forget_matrices(struct bench *bench)
{
    for (size_t i = 0; i < KEPT_W; i++) {
        free(bench->kept[i].w.at);
        free(bench->kept[i].w.row);
        bench->kept[i] = (struct kept_w){.is_here = false};
    }
}

static double worth_w(void *ctx, const size_t at[TUNE_AXES])
{
    struct bench *bench = ctx;
    struct train_settings s = settings_at(bench, at);
    struct probe_score score = probe_w(&bench->probe, matrix(bench, &s), s.base.domain[bench->domain].w_steps);

    return probe_worth(&score, bench->domain);
}

static double worth_together(void *ctx, const size_t at[TUNE_AXES])
{
    struct bench *bench = ctx;
    struct train_settings s = settings_at(bench, at);
    struct probe_score score = probe_together(&bench->probe, matrix(bench, &s), s.rho_source);

    return probe_worth(&score, bench->domain);
}

static double worth_near(void *ctx, const size_t at[TUNE_AXES])
{
    struct bench *bench = ctx;
    struct train_settings s = settings_at(bench, at);
    struct probe_score score = probe_neighbours(&bench->probe, &bench->view, &s.base.domain[bench->domain], bench->is_vmis);

    return probe_worth(&score, bench->domain);
}

static double worth_own(void *ctx, const size_t at[TUNE_AXES])
{
    struct bench *bench = ctx;
    struct train_settings s = settings_at(bench, at);
    float *recent = history_zero(bench->probe.items_n, sizeof(*recent));
    struct probe_score score;

    for (size_t i = 0; i < bench->probe.items_n; i++) {
        recent[i] = bench->base.build.stat[i].recent_n;
    }
    score = probe_own(&bench->probe, recent, s.rho);
    free(recent);
    return probe_worth(&score, bench->domain);
}

/* ---- a stage ---- */

static void begin_axes(struct bench *bench, const struct axis *axes)
{
    struct train_settings s = bench->choosing->report->settings;

    bench->axes = axes;
    bench->problem = (struct tune_problem){.ctx = bench, .least = WORTH_LEAST, .passes_most = 2,
                                           .seconds_now = bench->choosing->seconds_now};
    for (size_t a = 0; axes[a].n > 0; a++, bench->problem.n++) {
        struct tune_axis *axis = &bench->problem.axis[a];
        double now = value_get(&s, bench, axes[a].what), nearest = INFINITY;

        *axis = (struct tune_axis){.name = axes[a].name, .n = axes[a].n, .is_choice = axes[a].is_choice};
        for (size_t v = 0; v < axes[a].n; v++) { /* the value in force stands in for the nearest of the list */
            double away;

            axis->value[v] = axes[a].value[v] * (axes[a].is_share ? bench->days : 1);
            away = fabs(asinh(100 * axis->value[v]) - asinh(100 * now)); /* as logarithms, either side of 0 */
            if (away < nearest) {
                nearest = away;
                axis->start = v;
            }
        }
        axis->value[axis->start] = now;
    }
}

static void note_changes(struct bench *bench, const char *name, const struct tune_result *result, double seconds)
{
    struct train_report *report = bench->choosing->report;
    struct train_stage *stage;

    report->tried_n += result->tried_n;
    if (report->stages_n < TRAIN_STAGES) {
        stage = &report->stages[report->stages_n++];
        *stage = (struct train_stage){.cases_n = bench->probe.n, .tried_n = result->tried_n, .worth_start = result->start_worth,
                                      .worth = result->worth, .seconds = seconds, .is_cut = result->is_cut};
        (void)snprintf(stage->name, sizeof(stage->name), "%s", name);
    }
    for (size_t a = 0; a < bench->problem.n && report->changes_n < TRAIN_CHANGES; a++) {
        const struct tune_axis *axis = &bench->problem.axis[a];
        struct train_change *change = &report->changes[report->changes_n];

        if (result->at[a] != axis->start) {
            *change = (struct train_change){.from = axis->value[axis->start], .to = axis->value[result->at[a]],
                                            .gain = result->gain[a]};
            (void)snprintf(change->stage, sizeof(change->stage), "%s", name);
            (void)snprintf(change->name, sizeof(change->name), "%s", axis->name);
            report->changes_n++;
        }
    }
}

/* Searches; takes what was found into the settings. weight: of the time that is left, against the stages to come. */
static void stage(struct bench *bench, const char *name, double weight, const struct axis *axes,
                  double (*worth)(void *ctx, const size_t at[TUNE_AXES]))
{
    struct choosing *choosing = bench->choosing;
    double begun = choosing->seconds_now(), left = choosing->ends - begun;
    struct tune_result result;

    if (left > 0 && bench->probe.n > 0) {
        begin_axes(bench, axes);
        bench->problem.worth = worth;
        bench->problem.seconds_most = left * weight / choosing->weight;
        tune_run(&bench->problem, &result);
        choosing->report->settings = settings_at(bench, result.at);
        note_changes(bench, name, &result, choosing->seconds_now() - begun);
        forget_matrices(bench);
    }
    choosing->weight -= weight;
}

static const struct axis own_axes[] = {{WHAT_RHO, "rho", {0.8, 0.9, 0.95, 0.97, 0.985, 1}, 6, false, false}, {.n = 0}};
static const struct axis together_axes[] = { /* what matters most comes first: the time may be short */
    {WHAT_WINDOW, "windowDays", {0, 28, 3650}, 3, false, true},
    {WHAT_LAMBDA, "lambda", {0.3, 1, 3, 10, 30}, 5, false, false},
    {WHAT_GAMMA, "gamma", {0, 0.25, 0.5, 0.75}, 4, false, false},
    {WHAT_RHO_SOURCE, "rhoSource", {0.8, 0.9, 0.97, 1}, 4, false, false},
    {WHAT_DOUBT, "doubt", {0, 1, 2}, 3, false, false},
    {WHAT_DELTA, "delta", {0, 0.2, 1, 4}, 4, false, false},
    {.n = 0}};
static const struct axis sequence_axes[] = {
    {WHAT_ALPHA, "alpha", {0.2, 0.4, 0.6, 0.8, 0.9, 0.95}, 6, false, false},
    {WHAT_STEPS, "wSteps", {0.5, 1, 2, 3, 5, 10}, 6, false, false},
    {WHAT_DOUBT, "doubt", {0, 0.5, 1, 2, 4}, 5, false, false},
    {WHAT_AGE, "ageDays", {0, 4, 1, 0.5, 0.25, 0.1}, 6, true, true},
    {WHAT_GAMMA, "gamma", {-1, -0.5, 0, 0.5}, 4, false, false},
    {WHAT_LAMBDA, "lambda", {0.3, 1, 3, 10}, 4, false, false},
    {WHAT_TAU, "tau", {1, 2, 3}, 3, false, false},
    {WHAT_DELTA, "delta", {0, 0.2, 1, 4}, 4, false, false},
    {.n = 0}};
static const struct axis near_axes[] = {
    {WHAT_SESSION_STEPS, "sessionSteps", {0.5, 1.2, 2, 4, 8}, 5, false, false},
    {WHAT_IDF, "idf", {0, 1, 2, 5, 10, 20}, 6, false, false},
    {WHAT_NEAR_AGE, "nearAgeDays", {0, 4, 1, 0.5, 0.25, 0.1, 0.03}, 7, true, true},
    {WHAT_POSITION, "positionSteps", {0.5, 1.2, 2.5, 4.9, 10}, 5, false, false},
    {WHAT_NEIGHBOUR_STEPS, "neighbourSteps", {1.2, 2.5, 4.9, 10, 20}, 5, false, false},
    {WHAT_NEIGHBOURS, "neighbours", {50, 100, 200, 300, 500, 800}, 6, false, false},
    {WHAT_POSTINGS, "postings", {500, 1000, POSTINGS_MOST}, 3, false, false},
    {.n = 0}};

/* ---- a domain ---- */

static size_t looks_before(const struct history *history, int64_t before_ms)
{
    size_t n = 0;

    for (size_t l = 0; l < history->looks_n; l++) {
        n += history->looks[l].at_ms < before_ms;
    }
    return n;
}

/* False when there is nothing to learn from or to judge by. */
static bool bench_open(struct bench *bench, struct choosing *choosing, enum model_domain domain)
{
    enum model_head_kind head = domain == MODEL_SESSION ? MODEL_HEAD_SESSION : MODEL_HEAD_HISTORY;
    struct base_settings settings = choosing->report->settings.base;
    int64_t oldest = INT64_MAX;
    size_t every, n;
    const struct model *model;
    struct bytes file;
    struct why why;

    *bench = (struct bench){.choosing = choosing, .domain = domain};
    if (!slice_of(choosing->history, choosing->span, head, 0, &bench->slice)) {
        return false;
    }
    n = slice_cases(choosing->history, choosing->span, head, &bench->slice, CASES_MOST, &bench->cases);
    if (n == 0) {
        free(bench->cases);
        return false;
    }
    for (int kind = 0; kind < MODEL_WS_; kind++) {
        settings.w[kind].neighbours = 0;
    }
    settings.has_segments = false;
    settings.domain[domain].postings = POSTINGS_MOST;
    base_model_train(choosing->history, bench->slice.from_ms, &settings, &bench->base);
    arena_open(&bench->arena, 1 << 20, SIZE_MAX / 4);
    if (bench->base.build.head.items_n == 0 || model_build(&bench->base.build, &bench->arena, &file) != ERR_OK ||
        model_file_open(file, &bench->arena, &model, &why) != ERR_OK) {
        arena_close(&bench->arena);
        base_model_close(&bench->base);
        free(bench->cases);
        return false;
    }
    bench->view = (struct model_view){.base = model};
    every = domain == MODEL_HISTORY ? (choosing->history->lines_n + STEPS_MOST - 1) / STEPS_MOST : 1;
    part_of(choosing->history, every > 0 ? every : 1,
            looks_before(choosing->history, bench->slice.from_ms) > STEPS_MOST
                ? newest_looks_ms(choosing->history, bench->slice.from_ms, STEPS_MOST) : INT64_MIN, &bench->part);
    for (size_t i = 0; i < choosing->history->baskets_n; i++) {
        oldest = choosing->history->baskets[i].at_ms < oldest ? choosing->history->baskets[i].at_ms : oldest;
    }
    for (size_t i = 0; i < choosing->history->looks_n; i++) {
        oldest = choosing->history->looks[i].at_ms < oldest ? choosing->history->looks[i].at_ms : oldest;
    }
    bench->days = (double)(bench->slice.from_ms - oldest) / (double)DAY_MS;
    bench->probe = (struct probe){.history = choosing->history, .cases = bench->cases, .n = n, .dense = bench->base.dense,
                                  .items_n = bench->base.build.head.items_n, .domain = domain,
                                  .is_new_only = choosing->span->masks, .threads = choosing->threads};
    return true;
}

static void bench_close(struct bench *bench)
{
    forget_matrices(bench);
    part_close(&bench->part);
    arena_close(&bench->arena);
    base_model_close(&bench->base);
    free(bench->cases);
}

/* Fewer cases where sequences are long: every step has its postings. */
static size_t near_cases_n(const struct bench *bench)
{
    struct model_step steps[MODEL_SEQUENCE_MAX];
    size_t sum = 0, most;

    for (size_t c = 0; c < bench->probe.n; c++) {
        sum += probe_steps(&bench->probe, &bench->cases[c], steps);
    }
    most = sum > 0 ? bench->probe.n * NEAR_STEPS_MOST / sum : bench->probe.n;
    most = most < NEAR_CASES_LEAST ? NEAR_CASES_LEAST : most;
    return most < bench->probe.n ? most : bench->probe.n;
}

static void choose_near(struct bench *bench, const char *name, double weight)
{
    if (bench->choosing->report->settings.base.domain[bench->domain].is_learnt) {
        size_t all = bench->probe.n, n = near_cases_n(bench);

        for (size_t c = 0; c < n; c++) { /* evenly; this is the last stage that asks them */
            bench->cases[c] = bench->cases[c * all / n];
        }
        bench->probe.n = n;
        stage(bench, name, weight, near_axes, worth_near);
    } else {
        bench->choosing->weight -= weight;
    }
}

static void choose_of_purchases(struct choosing *choosing)
{
    struct bench bench;

    if (!bench_open(&bench, choosing, MODEL_HISTORY)) {
        return;
    }
    if (!choosing->span->masks) {
        stage(&bench, "own purchases", 0.2, own_axes, worth_own);
    }
    bench.kind = MODEL_W_TOGETHER;
    bench.probe.is_new_only = true; /* what was bought before has its own part */
    stage(&bench, "bought together", 3, together_axes, worth_together);
    bench.probe.is_new_only = choosing->span->masks;
    if (choosing->report->settings.base.w[MODEL_W_HISTORY].neighbours > 0) {
        bench.kind = MODEL_W_HISTORY;
        stage(&bench, "next purchase", 3, sequence_axes, worth_w);
    }
    choose_near(&bench, "buyers alike", 2);
    bench_close(&bench);
}

static void choose_of_looks(struct choosing *choosing)
{
    struct bench bench;

    if (!bench_open(&bench, choosing, MODEL_SESSION)) {
        return;
    }
    if (choosing->report->settings.base.w[MODEL_W_SESSION].neighbours > 0) {
        bench.kind = MODEL_W_SESSION;
        stage(&bench, "next look", 4, sequence_axes, worth_w);
    }
    choose_near(&bench, "visits alike", 2);
    bench_close(&bench);
}

void choose_retrievers(const struct history *history, const struct train_span *span, size_t threads, double seconds_most,
                       double (*seconds_now)(void), struct train_report *report)
{
    double now = seconds_now();
    struct choosing choosing = {history, span, threads, seconds_now, now + seconds_most, 0, report};

    if (!(seconds_most > 0)) {
        return;
    }
    choosing.weight = (history->baskets_n > 0 ? 8.2 : 0) + (history->looks_n > 0 ? 6 : 0);
    if (history->looks_n > 0) {
        choose_of_looks(&choosing);
        choosing.weight = 8.2;
    }
    if (history->baskets_n > 0) {
        choose_of_purchases(&choosing);
    }
}
