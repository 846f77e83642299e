/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: after every click, what is clicked next (evaluation.md 2). Nothing is masked, items that the training
 * never saw stay misses. */
#include "base/json_write.h"
#include "cmd/evaluate.h"
#include "model/model_domain.h"

#include <stdio.h>
#include <stdlib.h>

#define SESSIONS_DAYS 100 /* over which sessions without times stand */

static const enum item_metric metrics[] = {ITEM_HR20, ITEM_MRR20, ITEM_HR10, ITEM_NDCG20};

struct question { /* all cases of the test part */
    struct history history;
    struct next_case *cases;
    size_t cases_n, *block_at, blocks_n, too_long_n;
};

static void question_close(struct question *question)
{
    history_close(&question->history);
    free(question->cases);
    free(question->block_at);
}

/* Clicks 2 .. n of every session. Sessions longer than any the model keeps are bots: counted and left out. */
static void make_cases(struct question *question)
{
    const struct history *history = &question->history;
    size_t n = 0;

    question->cases = history_grow(NULL, history->looks_n, sizeof(*question->cases));
    question->block_at = history_grow(NULL, history->customers_n + 1, sizeof(*question->block_at));
    for (size_t c = 0; c < history->customers_n; c++) {
        size_t from = history->look_from[c], to = history->look_from[c + 1];

        question->too_long_n += to - from > MODEL_SEQUENCE_MAX;
        if (to - from < 2 || to - from > MODEL_SEQUENCE_MAX) {
            continue;
        }
        question->block_at[question->blocks_n++] = n;
        for (size_t k = from + 1; k < to; k++) {
            question->cases[n++] = (struct next_case){.customer = c, .from = history->from[c], .to = history->from[c],
                                                      .look_from = from, .look_to = k, .target = k,
                                                      .at_ms = history->looks[k - 1].at_ms, .is_look = true};
        }
    }
    question->block_at[question->blocks_n] = question->cases_n = n;
}

/* ---- groups ---- */

static bool is_seen_before(const struct history *history, const struct next_case *one)
{
    for (size_t l = one->look_from; l < one->look_to; l++) {
        if (history->looks[l].item == history->looks[one->target].item) {
            return true;
        }
    }
    return false;
}

enum group { LENGTH_1, LENGTH_2, LENGTH_4, TARGET_UNSEEN, TARGET_COLD, TARGET_KNOWN, AGAIN, NEW, GROUPS_ };

static bool is_in_group(const struct question *question, const struct next_case *one, uint32_t seen_n, bool is_known,
                        enum group group)
{
    size_t length = one->look_to - one->look_from;

    switch (group) {
    case LENGTH_1: return length == 1;
    case LENGTH_2: return length == 2 || length == 3;
    case LENGTH_4: return length >= 4;
    case TARGET_UNSEEN: return !is_known;
    case TARGET_COLD: return is_known && seen_n < 5;
    case TARGET_KNOWN: return is_known && seen_n >= 5;
    case AGAIN: return is_seen_before(&question->history, one);
    case NEW: return !is_seen_before(&question->history, one);
    case GROUPS_: break;
    }
    return false;
}

static void add_groups(const struct question *question, const struct model *model, const uint32_t *seen_n,
                       struct item_report *report)
{
    static const char *const words[GROUPS_][2] = {{"clicks before", "1"}, {"clicks before", "2-3"}, {"clicks before", "4+"},
                                                  {"item", "never seen"}, {"item", "seen 1-4"}, {"item", "seen 5+"},
                                                  {"in this session", "again"}, {"in this session", "new"}};
    bool *is_in = history_zero(question->cases_n, sizeof(*is_in));

    for (int g = 0; g < GROUPS_; g++) {
        for (size_t c = 0; c < question->cases_n; c++) {
            const struct next_case *one = &question->cases[c];
            uint64_t id = question->history.items.id[question->history.looks[one->target].item];
            uint32_t dense = model_item_find(model, (struct item_id){id});

            is_in[c] = is_in_group(question, one, dense != MODEL_NONE ? seen_n[dense] : 0, dense != MODEL_NONE, (enum group)g);
        }
        item_report_group(report, words[g][0], words[g][1], is_in);
    }
    free(is_in);
}

/* ---- the whole ---- */

static void show(const struct evaluate_asked *asked, const struct history *history, const struct question *question,
                 const struct train_span *span, const struct train_report *training, const struct model *model,
                 struct arena *arena)
{
    struct item_asking asking = {&question->history, model, VARIANT_ONE_TO_ONE, false, evaluate_seconds_now};
    struct evaluate_shown shown = {"next-item", metrics, sizeof(metrics) / sizeof(metrics[0]), span->customers_min, training,
                                   model};
    struct next_list *lists = history_zero(question->cases_n, sizeof(*lists));
    struct item_report report = {.blocks_n = question->blocks_n};
    uint32_t *seen_n = evaluate_seen(history, span->before_ms, model);
    struct json_write w;
    struct bytes text;

    evaluate_ask_all(&asking, question->cases, question->cases_n, asked->threads, lists, &report);
    evaluate_breadth(&report, model, lists, seen_n);
    asking.variant = VARIANT_POPULAR;
    item_lists(&asking, question->cases, question->cases_n, asked->threads, lists, NULL);
    evaluate_add_line(&report, "popular", &question->history, question->cases, question->cases_n, lists);
    item_report_ranges(&report, question->block_at);
    add_groups(question, model, seen_n, &report);
    evaluate_show(&report, &shown);
    json_write_open(&w, arena, 8192);
    json_write_object(&w, NULL);
    evaluate_json(&report, &shown, &w);
    json_write_end(&w);
    text = json_write_bytes(&w);
    printf("%.*s\n", (int)text.n, text.p);
    item_report_close(&report);
    free(seen_n);
    free(lists);
}

static enum err learn_and_show(const struct evaluate_asked *asked, const struct read_sequences *train,
                               const struct read_sequences *test, struct arena *arena, struct why *why)
{
    struct evaluate_times times = {EVALUATE_DAY_0_MS, SESSIONS_DAYS * DAY_MS / (int64_t)train->groups_n};
    struct history history = {.tenant = {1}};
    struct question question = {.history = {.tenant = {1}}};
    struct train_span span = {.windows = TRAIN_WINDOWS, .window_ms = TRAIN_WINDOW_MS, .baskets_min = TRAIN_BASKETS_MIN,
                              .customers_min = asked->customers_min > 0 ? asked->customers_min : 1};
    struct train_report training;
    const struct model *model;
    struct bytes file;
    enum err err;

    evaluate_sessions(train, times, &history);
    times.begin_ms += (int64_t)train->groups_n * times.step_ms;
    evaluate_sessions(test, times, &question.history);
    make_cases(&question);
    span.before_ms = history_newest_ms(&history) + 1;
    span.validate_ms = span.before_ms;
    if (question.too_long_n > 0) {
        printf("%zu test sessions of more than %d clicks are left out: no person does that\n", question.too_long_n,
               MODEL_SEQUENCE_MAX);
    }
    err = question.cases_n > 0 ? ERR_OK
                               : why_say(why, ERR_ABSENT, "no_cases", "--test",
                                         "no test session has a second click, so there is nothing to ask; choose another file");
    err = err == ERR_OK ? evaluate_train(asked, &history, &span, arena, &model, &file, &training, why) : err;
    if (err == ERR_OK) {
        show(asked, &history, &question, &span, &training, model, arena);
    }
    question_close(&question);
    history_close(&history);
    return err;
}

enum err evaluate_next_item(const struct evaluate_asked *asked, struct arena *arena, uint64_t *out_rejected,
                            struct why *why)
{
    struct read_sequences train = {0}, test = {0};
    enum err err = evaluate_read(asked->train, READ_SESSIONS, &train, out_rejected, why);

    err = err == ERR_OK ? evaluate_read(asked->test, READ_SESSIONS, &test, out_rejected, why) : err;
    if (err == ERR_OK && train.has_times != test.has_times) {
        err = why_say(why, ERR_INVALID, "times_differ", "ts",
                      "one of --train and --test has a column ts and the other has not; give both or none");
    }
    err = err == ERR_OK ? learn_and_show(asked, &train, &test, arena, why) : err;
    read_sequences_close(&train);
    read_sequences_close(&test);
    return err;
}
