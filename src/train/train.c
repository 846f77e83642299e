/* SPDX-License-Identifier: Apache-2.0 */
#include "train/train.h"

#include "base/json_write.h"
#include "train/next_basket.h"
#include "train/report.h"
#include "train/w_train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CASES_MOST = 8000 };

struct train_settings train_settings_start(size_t threads)
{
    return (struct train_settings){
        .base = {.w = {[MODEL_W_TOGETHER] = w_train_start(MODEL_W_TOGETHER, MODEL_CUSTOMERS_MIN, threads)},
                 .window_ms = 28 * DAY_MS},
        .rho = 0.97f,
        .rho_source = 0.97f,
        .case_power = 0.5f};
}

struct train_span train_span_of(int64_t before_ms)
{
    return (struct train_span){.before_ms = before_ms, .validate_ms = before_ms - TRAIN_WINDOW_MS,
                               .window_ms = TRAIN_WINDOW_MS, .windows = TRAIN_WINDOWS,
                               .baskets_min = TRAIN_BASKETS_MIN, .customers_min = MODEL_CUSTOMERS_MIN};
}

/* What is tried, best guess first: the winner on complete_journey, then what other shops may need. */
static size_t plan(struct train_settings start, struct train_settings out[8])
{
    size_t n = 0;

    out[n++] = start;
    out[n] = start;
    out[n++].case_power = 0;
    out[n] = start;
    out[n++].base.w[MODEL_W_TOGETHER].lambda = 16;
    out[n] = start;
    out[n++].base.window_ms = 3650 * DAY_MS;
    out[n] = start;
    out[n++].base.window_ms = 0;
    out[n] = start;
    out[n++].rho = 1;
    return n;
}

/* ---- one model ---- */

static enum err open_base(struct base_model *base, struct arena *arena, const struct model **out_model)
{
    struct why why;
    struct bytes file;
    enum err err = model_build(&base->build, arena, &file);

    return err == ERR_OK ? model_file_open(file, arena, out_model, &why) : err;
}

/* Rows of the windows before span->before_ms, oldest last. A window without cases ends it. */
static enum err learn_rank(const struct history *history, const struct train_span *span, const struct train_settings *settings,
                            struct model_rank *out_rank)
{
    struct model_rank start = model_rank_start;
    struct rank_rows rows = {0};
    enum err err = ERR_OK;

    start.rho = settings->rho;
    start.rho_source = settings->rho_source;
    for (unsigned w = 1; err == ERR_OK && w <= span->windows; w++) {
        int64_t from_ms = span->before_ms - (int64_t)w * span->window_ms;
        struct next_case *cases;
        size_t n = cases_of_baskets(history, from_ms, from_ms + span->window_ms, span->baskets_min, &cases);
        struct base_settings base_settings = settings->base;
        struct base_model base = {0};
        const struct model *model;
        struct arena arena;

        if (n == 0) {
            free(cases);
            break;
        }
        base_settings.has_segments = false;
        base_model_train(history, from_ms, &base_settings, &base);
        base.build.rank[MODEL_HEAD_HISTORY] = start;
        arena_open(&arena, 1 << 20, SIZE_MAX / 4);
        err = open_base(&base, &arena, &model);
        if (err == ERR_OK) {
            rank_rows_add(&rows, history, &(struct model_view){.base = model}, cases, n, CASES_MOST, settings->case_power, span->masks,
                          settings->base.w[MODEL_W_TOGETHER].threads);
        }
        arena_close(&arena);
        base_model_close(&base);
        free(cases);
    }
    if (err == ERR_OK) {
        *out_rank = rank_train_sum(&rows, &start, settings->base.w[MODEL_W_TOGETHER].threads);
    }
    rank_rows_free(&rows);
    return err;
}

enum err train_model(const struct history *history, const struct train_span *span,
                     const struct train_settings *settings, uint32_t segment, struct bytes note, struct arena *arena,
                     struct bytes *out_file)
{
    struct model_segments segments;
    struct model_rank rank;
    struct base_model base = {0};
    enum err err;

    if (history->baskets_n == 0) {
        return ERR_ABSENT;
    }
    err = learn_rank(history, span, settings, &rank);
    if (err != ERR_OK) {
        return err;
    }
    base_model_train(history, span->before_ms, &settings->base, &base);
    base.build.rank[MODEL_HEAD_HISTORY] = rank;
    base.build.note = note;
    if (segment < MODEL_SEGMENTS_ && base.build.segments != NULL) {
        segments = *base.build.segments;
        segments.chosen = segment;
        base.build.segments = &segments;
    }
    err = base.build.head.items_n == 0 ? ERR_ABSENT : model_build(&base.build, arena, out_file);
    base_model_close(&base);
    return err;
}

/* ---- choosing ---- */

static double worth(const struct train_scores *scores)
{
    return scores->recall10 + scores->ndcg10 + scores->phr10 / 3;
}

struct trial { /* a model of the past, and what it scored on the validation part */
    struct arena arena;
    const struct model *model;
    struct train_scores scores;
};

static void trial_close(struct trial *trial)
{
    if (trial->arena.first != NULL) {
        arena_close(&trial->arena);
    }
    *trial = (struct trial){0};
}

static enum err try_settings(const struct history *history, const struct train_span *span, struct train_settings settings,
                             const struct next_case *cases, size_t n, struct trial *out_trial)
{
    struct next_list *lists = history_zero(n, sizeof(*lists));
    struct next_score *scores = history_zero(n, sizeof(*scores));
    struct train_span past = *span;
    struct trial trial = {0};
    struct bytes file;
    struct why why;
    enum err err;

    past.before_ms = span->validate_ms;
    arena_open(&trial.arena, 1 << 20, SIZE_MAX / 4);
    settings.base.has_segments = true; /* the winner is asked for its segments, too */
    err = train_model(history, &past, &settings, UINT32_MAX, (struct bytes){0}, &trial.arena, &file);
    if (err == ERR_OK) {
        err = model_file_open(file, &trial.arena, &trial.model, &why);
    }
    if (err == ERR_OK) {
        next_basket_lists(history, trial.model, VARIANT_ONE_TO_ONE, cases, n, settings.base.w[MODEL_W_TOGETHER].threads, lists, NULL, NULL);
        for (size_t c = 0; c < n; c++) {
            next_basket_score(history, &cases[c], &lists[c], &scores[c]);
        }
        trial.scores = next_basket_mean(scores, n);
        *out_trial = trial;
    } else {
        trial_close(&trial);
    }
    free(lists);
    free(scores);
    return err;
}

void train_settings_json(const struct train_settings *s, struct json_write *w)
{
    json_write_fixed(w, "windowDays", (double)s->base.window_ms / (double)DAY_MS, 0);
    json_write_fixed(w, "lambda", (double)s->base.w[MODEL_W_TOGETHER].lambda, 3);
    json_write_fixed(w, "gamma", (double)s->base.w[MODEL_W_TOGETHER].gamma, 3);
    json_write_fixed(w, "delta", (double)s->base.w[MODEL_W_TOGETHER].delta, 3);
    json_write_int(w, "neighbours", (int64_t)s->base.w[MODEL_W_TOGETHER].neighbours);
    json_write_fixed(w, "rho", (double)s->rho, 3);
    json_write_fixed(w, "casePower", (double)s->case_power, 2);
}

/* Of the segmentations that a model holds, the best. */
static uint32_t best_kind(const struct report *report)
{
    uint32_t best = UINT32_MAX;
    double most = -1;

    for (size_t l = 0; l < report->lines_n; l++) {
        for (uint32_t kind = 0; kind < MODEL_SEGMENTS_; kind++) {
            if (strcmp(report->lines[l].name, report_segment_name((enum model_segment_kind)kind)) == 0 &&
                report->lines[l].mean.recall10 > most) {
                most = report->lines[l].mean.recall10;
                best = kind;
            }
        }
    }
    return best;
}

/* The report on the validation part, by a model that never saw it: the proof that a server shows. Also chooses the
 * segmentation that is served beside one-to-one: the best there. */
static void prove(const struct history *history, const struct train_span *span, const struct model *model,
                  struct train_report *to, uint32_t *out_segment, struct arena *arena, struct bytes *out_note)
{
    struct report report;
    struct json_write w;

    json_write_open(&w, arena, 8192);
    json_write_object(&w, NULL);
    json_write_object(&w, "settings");
    train_settings_json(&to->settings, &w);
    json_write_int(&w, "tried", (int64_t)to->tried_n);
    json_write_int(&w, "of", (int64_t)to->grid_n);
    json_write_end(&w);
    if (report_make(history, model, span->validate_ms, span->before_ms, to->settings.base.w[MODEL_W_TOGETHER].threads, true, NULL, NULL, &report)) {
        report_json(&report, &w);
        *out_segment = best_kind(&report);
        to->popular_recall10 = fmax(report.lines[1].mean.recall10, report.lines[2].mean.recall10);
        report_close(&report);
    }
    json_write_end(&w);
    *out_note = json_write_bytes(&w);
}

/* Tries the grid while there is time, the first in any case; keeps the best trial. */
static enum err choose(const struct history *history, const struct train_span *span, const struct next_case *cases, size_t n,
                       double seconds_most, double (*seconds_now)(void), struct train_report *report, struct trial *best)
{
    struct train_settings grid[8];
    double begun = seconds_now(), longest = 0;

    report->grid_n = plan(report->settings, grid);
    for (size_t i = 0; i < report->grid_n; i++) {
        double start = seconds_now();
        struct trial trial = {0};
        enum err err;

        if (i > 0 && start - begun + longest > seconds_most) {
            return ERR_OK;
        }
        err = try_settings(history, span, grid[i], cases, n, &trial);
        if (err != ERR_OK) {
            return err == ERR_ABSENT ? ERR_OK : err; /* nothing before the validation part: no proof, still a model */
        }
        report->tried_n++;
        if (i == 0 || worth(&trial.scores) > worth(&best->scores)) {
            trial_close(best);
            *best = trial;
            report->settings = grid[i];
        } else {
            trial_close(&trial);
        }
        longest = fmax(longest, seconds_now() - start);
    }
    return ERR_OK;
}

enum err train_choose(const struct history *history, const struct train_span *span, size_t threads, double seconds_most,
                      double (*seconds_now)(void), struct arena *arena, struct bytes *out_file,
                      struct train_report *out_report)
{
    struct train_report report = {.settings = train_settings_start(threads)};
    double begun = seconds_now();
    struct trial best = {0};
    struct next_case *cases;
    struct bytes note = {0};
    uint32_t segment = UINT32_MAX;
    enum err err = ERR_OK;

    report.settings.base.w[MODEL_W_TOGETHER].customers_min = span->customers_min;
    report.validation_cases_n = cases_of_baskets(history, span->validate_ms, span->before_ms, span->baskets_min, &cases);
    if (report.validation_cases_n > 0) {
        err = choose(history, span, cases, report.validation_cases_n, seconds_most, seconds_now, &report, &best);
    }
    free(cases);
    if (best.model != NULL) {
        report.validation = best.scores;
        prove(history, span, best.model, &report, &segment, arena, &note);
    }
    trial_close(&best);
    if (err == ERR_OK) {
        report.settings.base.has_segments = true;
        err = train_model(history, span, &report.settings, segment, note, arena, out_file);
    }
    if (err == ERR_OK) {
        report.seconds = seconds_now() - begun;
        *out_report = report;
    }
    return err;
}
