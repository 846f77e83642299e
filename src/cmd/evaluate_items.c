/* SPDX-License-Identifier: Apache-2.0 */
/* Long-term taste: the last thing of every customer, or a hidden part of what they have (evaluation.md 3). What they
 * had before is masked; all other items are ranked; every customer is one case. */
#include "base/json_write.h"
#include "cmd/evaluate.h"

#include <stdio.h>
#include <stdlib.h>

static const enum item_metric last_metrics[] = {ITEM_HR5, ITEM_NDCG5, ITEM_HR10, ITEM_NDCG10};
static const enum item_metric held_metrics[] = {ITEM_RECALL20, ITEM_NDCG20, ITEM_RECALL10, ITEM_NDCG10};

struct question {
    const char *protocol;
    const enum item_metric *metrics;
    struct history history;
    struct train_span span;
    size_t baskets_min;
};

/* ---- groups ---- */

static void add_groups(const struct question *question, const struct next_case *cases, size_t n, struct item_report *report)
{
    static const struct {
        const char *name;
        size_t from, to;
    } lengths[] = {{"0", 0, 1}, {"1-4", 1, 5}, {"5-9", 5, 10}, {"10-49", 10, 50}, {"50+", 50, SIZE_MAX}};
    bool *is_in = history_zero(n, sizeof(*is_in));

    for (size_t g = 0; g < sizeof(lengths) / sizeof(lengths[0]); g++) {
        for (size_t c = 0; c < n; c++) {
            size_t had = 0;

            for (size_t b = cases[c].from; b < cases[c].to; b++) {
                had += question->history.baskets[b].lines_n;
            }
            is_in[c] = had >= lengths[g].from && had < lengths[g].to;
        }
        item_report_group(report, "items before", lengths[g].name, is_in);
    }
    free(is_in);
}

/* ---- the whole ---- */

static void show(const struct evaluate_asked *asked, const struct question *question, const struct next_case *cases,
                 size_t n, const struct train_report *training, const struct model *model, struct arena *arena)
{
    struct item_asking asking = {&question->history, {.base = model}, VARIANT_ONE_TO_ONE, true, evaluate_seconds_now};
    struct evaluate_shown shown = {question->protocol, question->metrics, 4, question->span.customers_min, training, model};
    struct next_list *lists = history_zero(n, sizeof(*lists));
    size_t *block_at = history_grow(NULL, n + 1, sizeof(*block_at));
    struct item_report report = {.blocks_n = n};
    uint32_t *seen_n = evaluate_seen(&question->history, question->span.before_ms, model);
    struct json_write w;
    struct bytes text;

    for (size_t c = 0; c <= n; c++) {
        block_at[c] = c;
    }
    evaluate_ask_all(&asking, cases, n, asked->threads, lists, &report);
    evaluate_breadth(&report, model, lists, seen_n);
    asking.variant = VARIANT_POPULAR;
    item_lists(&asking, cases, n, asked->threads, lists, NULL);
    evaluate_add_line(&report, "popular", &question->history, cases, n, lists);
    item_report_ranges(&report, block_at);
    add_groups(question, cases, n, &report);
    evaluate_show(&report, &shown);
    json_write_open(&w, arena, 8192);
    json_write_object(&w, NULL);
    evaluate_json(&report, &shown, &w);
    json_write_end(&w);
    text = json_write_bytes(&w);
    printf("%.*s\n", (int)text.n, text.p);
    item_report_close(&report);
    free(block_at);
    free(seen_n);
    free(lists);
}

static enum err learn_and_show(const struct evaluate_asked *asked, const struct question *question, struct arena *arena,
                               struct why *why)
{
    struct train_report training;
    const struct model *model;
    struct next_case *cases;
    struct bytes file;
    size_t n = cases_of_baskets(&question->history, EVALUATE_DAY_0_MS, EVALUATE_DAY_0_MS + 1, question->baskets_min, &cases);
    enum err err = n > 0 ? ERR_OK
                         : why_say(why, ERR_ABSENT, "no_cases", "",
                                   "no customer has anything to be found in the test part; choose other files");

    err = err == ERR_OK ? evaluate_train(asked, &question->history, &question->span, arena, &model, &file, &training, why) : err;
    if (err == ERR_OK) {
        show(asked, question, cases, n, &training, model, arena);
    }
    free(cases);
    return err;
}

/* One day is one step: the test's is day 0, and what is learnt ends before day `end`. */
static struct train_span span_of(const struct evaluate_asked *asked, int64_t end, unsigned windows, size_t baskets_min)
{
    int64_t before_ms = EVALUATE_DAY_0_MS + end * DAY_MS;

    return (struct train_span){.before_ms = before_ms, .validate_ms = before_ms - DAY_MS, .window_ms = DAY_MS,
                               .windows = windows, .baskets_min = baskets_min, .masks = true,
                               .customers_min = asked->customers_min > 0 ? asked->customers_min : 1};
}

enum err evaluate_last_out(const struct evaluate_asked *asked, struct arena *arena, uint64_t *out_rejected,
                           struct why *why)
{
    /* The validation item is known when the last is asked for, and not learnt from: as published tables do. */
    struct question question = {"last-out", last_metrics, {.tenant = {1}}, span_of(asked, asked->is_refit ? 0 : -1, 3, 1), 1};
    struct read_sequences read = {0};
    enum err err = evaluate_read(asked->sequences, READ_STEPS, &read, out_rejected, why);

    if (err == ERR_OK) {
        evaluate_steps(&read, &question.history);
        read_sequences_close(&read);
        err = learn_and_show(asked, &question, arena, why);
        history_close(&question.history);
    }
    return err;
}

enum err evaluate_held_out(const struct evaluate_asked *asked, struct arena *arena, uint64_t *out_rejected,
                           struct why *why)
{
    struct question question = {"held-out", held_metrics, {.tenant = {1}}, span_of(asked, 0, 2, 1), 0};
    struct read_sequences train = {0}, test = {0};
    size_t had = 0;
    enum err err = evaluate_read(asked->train, READ_SETS, &train, out_rejected, why);

    err = err == ERR_OK ? evaluate_read(asked->test, READ_SETS, &test, out_rejected, why) : err;
    if (err == ERR_OK) {
        had = evaluate_sets(&train, &test, &question.history);
        if (had > 0) {
            printf("%zu test rows stand in --train too and are left out\n", had);
        }
    }
    read_sequences_close(&train);
    read_sequences_close(&test);
    err = err == ERR_OK ? learn_and_show(asked, &question, arena, why) : err;
    history_close(&question.history);
    return err;
}
