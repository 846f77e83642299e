/* SPDX-License-Identifier: Apache-2.0 */
#include "train/train.h"

#include "train/choose.h"
#include "train/head.h"
#include "train/index_train.h"
#include "train/report.h"
#include "train/train_note.h"
#include "train/w_train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RETRIEVERS_SHARE 0.55 /* of the time for choosing; the rest is for the ranks */

struct train_settings train_settings_start(const struct history *history, const struct train_span *span, size_t threads)
{
    struct train_settings start = {.base = {.window_ms = 28 * DAY_MS, .customers_min = span->customers_min, .threads = threads},
                                   .rho = 0.97f, .rho_source = 0.97f, .case_power = 0.5f};
    bool has_looks = history->looks_n > 0, has_baskets = history->baskets_n > 0;
    bool is_learnt[MODEL_WS_] = {[MODEL_W_TOGETHER] = has_baskets, [MODEL_W_HISTORY] = has_baskets,
                                 [MODEL_W_SESSION] = has_looks, [MODEL_W_BOUGHT] = has_looks && has_baskets};

    for (int kind = 0; kind < MODEL_WS_; kind++) {
        if (is_learnt[kind]) {
            start.base.w[kind] = w_train_start((enum model_w)kind, span->customers_min, threads);
        }
    }
    for (int domain = 0; domain < MODEL_DOMAINS_; domain++) {
        if (domain == MODEL_SESSION ? has_looks : has_baskets) {
            start.base.domain[domain] = index_train_start((enum model_domain)domain);
        }
    }
    return start;
}

struct train_span train_span_of(int64_t before_ms)
{
    return (struct train_span){.before_ms = before_ms, .validate_ms = before_ms - TRAIN_JUDGE_MS,
                               .window_ms = TRAIN_WINDOW_MS, .windows = TRAIN_WINDOWS,
                               .baskets_min = TRAIN_BASKETS_MIN, .customers_min = MODEL_CUSTOMERS_MIN};
}

struct train_span train_span_for(const struct history *history, int64_t before_ms)
{
    struct train_span span = train_span_of(before_ms);
    int64_t oldest_ms = before_ms, judge_ms;

    for (size_t b = 0; b < history->baskets_n; b++) {
        oldest_ms = history->baskets[b].at_ms < oldest_ms ? history->baskets[b].at_ms : oldest_ms;
    }
    judge_ms = (int64_t)((uint64_t)before_ms - (uint64_t)oldest_ms) / 6;
    if (judge_ms > 0 && judge_ms < TRAIN_JUDGE_MS) {
        span.window_ms = judge_ms < TRAIN_JUDGE_MS / TRAIN_WINDOW_MS ? 1 : judge_ms / (TRAIN_JUDGE_MS / TRAIN_WINDOW_MS);
        span.validate_ms = before_ms - judge_ms;
    }
    return span;
}

struct training { /* what all steps share */
    const struct history *history;
    const struct train_span *span;
    size_t threads;
    double (*seconds_now)(void);
    double ends; /* of choosing */
    struct train_report *report;
};

/* ---- bases of the past ---- */

struct past { /* a base of before a slice, opened as a server would */
    struct base_model base;
    struct arena arena;
    const struct model *model;
};

static void past_close(struct past *past)
{
    arena_close(&past->arena);
    base_model_close(&past->base);
}

static enum err past_build(struct past *past)
{
    struct why why;
    struct bytes file;
    enum err err = model_build(&past->base.build, &past->arena, &file);

    return err == ERR_OK ? model_file_open(file, &past->arena, &past->model, &why) : err;
}

/* ERR_ABSENT: there is no such slice, or nothing before it. */
static enum err past_open(const struct training *training, const struct train_settings *settings, enum model_head_kind head,
                          unsigned k, bool has_segments, struct past *past)
{
    struct base_settings base = settings->base;
    struct slice slice;
    enum err err;

    if (!slice_of(training->history, training->span, head, k, &slice)) {
        return ERR_ABSENT;
    }
    base.has_segments = has_segments;
    base_model_train(training->history, slice.from_ms, &base, &past->base);
    past->base.build.rank[MODEL_HEAD_HISTORY] = model_rank_start;
    past->base.build.rank[MODEL_HEAD_HISTORY].rho = settings->rho;
    past->base.build.rank[MODEL_HEAD_HISTORY].rho_source = settings->rho_source;
    arena_open(&past->arena, 1 << 20, SIZE_MAX / 4);
    err = past->base.build.head.items_n == 0 ? ERR_ABSENT : past_build(past);
    if (err != ERR_OK) {
        past_close(past);
    }
    return err;
}

/* Rows of the older slices, oldest first. */
static enum err gather_learn(const struct training *training, const struct train_settings *settings, struct head *head)
{
    enum err err = ERR_OK;

    for (unsigned k = slices_n(training->span, head->kind); k > 0 && err == ERR_OK; k--) {
        struct past past;

        err = past_open(training, settings, head->kind, k, false, &past);
        if (err == ERR_OK) {
            head_gather(head, training->history, training->span, k, past.model, settings, training->threads);
            past_close(&past);
        }
        err = err == ERR_ABSENT ? ERR_OK : err;
    }
    return err;
}

/* ---- the file ---- */

static enum err build_file(const struct training *training, const struct train_settings *settings,
                           const struct head_ranks ranks[MODEL_HEADS_], uint32_t segment, struct bytes note,
                           struct arena *arena, struct bytes *out_file)
{
    struct base_settings base_settings = settings->base;
    struct model_segments segments;
    struct base_model base = {0};
    enum err err;

    base_settings.has_segments = training->history->baskets_n > 0;
    base_model_train(training->history, training->span->before_ms, &base_settings, &base);
    for (int h = 0; h < MODEL_HEADS_; h++) {
        base.build.rank[h] = ranks[h].rank;
        base.build.trees[h] = ranks[h].trees;
    }
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

static bool head_has(const struct history *history, int head)
{
    return head == MODEL_HEAD_SESSION ? history->looks_n > 0 : history->baskets_n > 0;
}

enum err train_model(const struct history *history, const struct train_span *span, const struct train_settings *settings,
                     size_t threads, uint32_t segment, struct bytes note, struct arena *arena, struct bytes *out_file)
{
    struct training training = {.history = history, .span = span, .threads = threads};
    struct head_ranks ranks[MODEL_HEADS_] = {{.trees = NULL}};
    enum err err = ERR_OK;

    for (int h = 0; h < MODEL_HEADS_ && err == ERR_OK; h++) {
        struct head head = {.kind = (enum model_head_kind)h};
        struct past past;

        if (head_has(history, h)) {
            err = gather_learn(&training, settings, &head);
            if (err == ERR_OK && past_open(&training, settings, head.kind, 0, false, &past) == ERR_OK) {
                head_gather(&head, history, span, 0, past.model, settings, threads);
                past_close(&past);
            }
        }
        ranks[h] = head_learn(&head, settings, threads);
        head_close(&head);
    }
    err = err == ERR_OK ? build_file(&training, settings, ranks, segment, note, arena, out_file) : err;
    for (int h = 0; h < MODEL_HEADS_; h++) {
        head_ranks_close(&ranks[h]);
    }
    return err;
}

/* ---- choosing ---- */

/* What no head uses need not be made. */
static void leave_out(struct train_settings *settings, const struct history *history)
{
    static const struct {
        uint32_t use;
        size_t feature;
    } uses[] = {{MODEL_USES_W, FEATURE_W}, {MODEL_USES_VSTAN, FEATURE_VSTAN}, {MODEL_USES_VMIS, FEATURE_VMIS_SHARE},
                {MODEL_USES_PAIRS, FEATURE_PAIR_SHARE}};
    static const size_t first[MODEL_DOMAINS_] = {FEATURE_SESSION_FIRST, FEATURE_HISTORY_FIRST};
    static const enum model_w of_domain[MODEL_DOMAINS_] = {MODEL_W_SESSION, MODEL_W_HISTORY};
    bool is_hidden[FEATURES];

    for (size_t f = 0; f < FEATURES; f++) {
        is_hidden[f] = true;
        for (int h = 0; h < MODEL_HEADS_; h++) {
            is_hidden[f] = is_hidden[f] && (settings->left_out[h][f] || !head_has(history, h));
        }
    }
    for (int d = 0; d < MODEL_DOMAINS_; d++) {
        for (size_t u = 0; u < sizeof(uses) / sizeof(*uses); u++) {
            if (is_hidden[first[d] + uses[u].feature]) {
                settings->base.domain[d].uses &= ~uses[u].use;
            }
        }
        if (is_hidden[first[d] + FEATURE_W]) {
            settings->base.w[of_domain[d]].neighbours = 0;
        }
    }
    settings->base.leaves_content_out = is_hidden[FEATURE_CONTENT];
    if (is_hidden[FEATURE_BOUGHT_AFTER]) {
        settings->base.w[MODEL_W_BOUGHT].neighbours = 0;
    }
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

struct proof { /* the report on slice 0 of baskets: what a server shows, and the segmentation that is served */
    struct report report;
    bool has_report;
    uint32_t segment;
};

/* By a model that never saw slice 0. */
static enum err prove(const struct training *training, struct past *past, const struct head_ranks *ranks, struct proof *proof)
{
    const struct train_span *span = training->span;
    struct train_report *to = training->report;
    enum err err;

    past->base.build.rank[MODEL_HEAD_HISTORY] = ranks->rank;
    past->base.build.trees[MODEL_HEAD_HISTORY] = ranks->trees;
    err = past_build(past);
    if (err == ERR_OK && report_make(training->history, past->model, span->validate_ms, span->before_ms, training->threads,
                                     true, NULL, NULL, &proof->report)) {
        proof->has_report = true;
        proof->segment = best_kind(&proof->report);
        to->validation_cases_n = proof->report.cases_n;
        to->validation = proof->report.lines[0].mean;
        to->popular_recall10 = fmax(proof->report.lines[1].mean.recall10, proof->report.lines[2].mean.recall10);
    }
    return err;
}

/* One head: rows, choice, proof; gives the ranks that serve, learnt from all rows. */
static enum err choose_head(const struct training *training, int kind, struct proof *proof, struct head_ranks *out_ranks)
{
    struct train_settings *settings = &training->report->settings;
    struct head head = {.kind = (enum model_head_kind)kind};
    struct past past;
    double left = training->ends - training->seconds_now();
    bool is_last = kind == MODEL_HEAD_HISTORY || training->history->baskets_n == 0;
    enum err err = gather_learn(training, settings, &head), opened;

    if (err != ERR_OK) {
        head_close(&head);
        return err;
    }
    opened = past_open(training, settings, head.kind, 0, kind == MODEL_HEAD_HISTORY, &past);
    if (opened == ERR_OK) {
        head_gather_judge(&head, training->history, training->span, past.model, settings, training->threads);
        if (head.judge.cases_n > 0) {
            struct head_ranks ranks = head_choose(&head, training->history, is_last ? left : left / 2, training->seconds_now,
                                                  training->threads, training->report);

            if (kind == MODEL_HEAD_HISTORY && !training->span->masks) {
                err = prove(training, &past, &ranks, proof);
            }
            head_ranks_close(&ranks);
        }
        head_gather(&head, training->history, training->span, 0, past.model, settings, training->threads);
        past_close(&past);
    }
    *out_ranks = head_learn(&head, settings, training->threads);
    head_close(&head);
    return opened == ERR_NOMEM ? opened : err;
}

enum err train_choose(const struct history *history, const struct train_span *span, size_t threads, double seconds_most,
                      double (*seconds_now)(void), struct arena *arena, struct bytes *out_file,
                      struct train_report *out_report)
{
    double begun = seconds_now();
    struct train_report *report = history_zero(1, sizeof(*report));
    struct training training = {history, span, threads, seconds_now, begun + seconds_most, report};
    struct head_ranks ranks[MODEL_HEADS_] = {{.rank = model_rank_start_session}, {.rank = model_rank_start}};
    struct proof proof = {.segment = UINT32_MAX};
    struct bytes note = {0};
    enum err err = ERR_OK;

    report->settings = train_settings_start(history, span, threads);
    choose_retrievers(history, span, threads, RETRIEVERS_SHARE * seconds_most, seconds_now, report);
    for (int h = 0; h < MODEL_HEADS_ && err == ERR_OK; h++) {
        if (head_has(history, h)) {
            err = choose_head(&training, h, &proof, &ranks[h]);
        }
    }
    leave_out(&report->settings, history);
    if (err == ERR_OK) {
        note = train_note(report, proof.has_report ? &proof.report : NULL, arena);
        err = build_file(&training, &report->settings, ranks, proof.segment, note, arena, out_file);
    }
    if (proof.has_report) {
        report_close(&proof.report);
    }
    for (int h = 0; h < MODEL_HEADS_; h++) {
        head_ranks_close(&ranks[h]);
    }
    report->seconds = seconds_now() - begun;
    if (err == ERR_OK) {
        *out_report = *report;
    }
    free(report);
    return err;
}
