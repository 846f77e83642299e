/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: after every click, what is clicked next (evaluation.md 2). Nothing is masked, items that the training
 * never saw stay misses. */
#include "base/json_write.h"
#include "cmd/evaluate.h"
#include "cmd/evaluate_server.h"
#include "model/model_domain.h"
#include "train/item_online.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SESSIONS_DAYS 100 /* over which sessions without times stand */

static const enum item_metric metrics[] = {ITEM_HR20, ITEM_MRR20, ITEM_HR10, ITEM_NDCG20};

struct question { /* all cases of the test part */
    struct history history;
    int64_t *end_ms; /* by session: when it was really over */
    struct next_case *cases;
    size_t cases_n, *block_at, blocks_n, too_long_n;
};

static void question_close(struct question *question)
{
    history_close(&question->history);
    free(question->end_ms);
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

/* ---- learning on and off ---- */

enum { QUARTERS = 4 };

struct quarter {
    size_t cases_n;
    double off, on; /* HR@20 */
};

static void quarters_of(const struct item_report *report, const uint32_t *order, struct quarter out_quarters[QUARTERS])
{
    memset(out_quarters, 0, QUARTERS * sizeof(*out_quarters));
    for (size_t i = 0; i < report->cases_n; i++) {
        struct quarter *to = &out_quarters[i * QUARTERS / report->cases_n];

        to->cases_n++;
        to->off += (double)report->lines[0].scores[order[i]].of[ITEM_HR20];
        to->on += (double)report->lines[1].scores[order[i]].of[ITEM_HR20];
    }
    for (size_t q = 0; q < QUARTERS; q++) {
        double n = out_quarters[q].cases_n > 0 ? (double)out_quarters[q].cases_n : 1;

        out_quarters[q].off /= n;
        out_quarters[q].on /= n;
    }
}

static void show_freshness(const struct item_report *report, const struct quarter quarters[QUARTERS])
{
    const struct report_range *hr = &report->gain[ITEM_HR20], *mrr = &report->gain[ITEM_MRR20];

    printf("\nlearning on minus off: hr@20 %+.4f (%+.4f to %+.4f), mrr@20 %+.4f (%+.4f to %+.4f)\n", hr->mean, hr->low,
           hr->high, mrr->mean, mrr->low, mrr->high);
    for (size_t q = 0; q < QUARTERS; q++) {
        printf("  quarter %zu of the test: %zu cases, hr@20 off %.4f, on %.4f\n", q + 1, quarters[q].cases_n,
               quarters[q].off, quarters[q].on);
    }
}

static void write_freshness(const struct item_report *report, const struct quarter quarters[QUARTERS],
                            const struct evaluate_shown *shown, struct json_write *w)
{
    json_write_object(w, "online");
    evaluate_json_line(report->lines[1].range, shown, w);
    json_write_end(w);
    json_write_object(w, "freshness");
    evaluate_json_line(report->gain, shown, w);
    json_write_array(w, "quarters");
    for (size_t q = 0; q < QUARTERS; q++) {
        json_write_object(w, NULL);
        json_write_int(w, "cases", (int64_t)quarters[q].cases_n);
        json_write_fixed(w, "off", quarters[q].off, 4);
        json_write_fixed(w, "on", quarters[q].on, 4);
        json_write_end(w);
    }
    json_write_end(w);
    json_write_end(w);
}

/* ---- through a server ---- */

struct through_counts {
    size_t cases_n, same_n;
};

enum { THROUGH_CASES = 500 };

/* Asks a server for evenly taken cases; gives how many lists are our own. */
static enum err compare(const struct evaluate_asked *asked, const struct question *question, const struct next_list *own,
                        struct through_counts *out_through, struct why *why)
{
    size_t n = question->cases_n < THROUGH_CASES ? question->cases_n : THROUGH_CASES;
    struct fetch *fetch;
    struct arena arena;
    enum err err = fetch_open(asked->through, NULL, asked->key, &fetch);

    if (err != ERR_OK) {
        return err;
    }
    *out_through = (struct through_counts){.cases_n = n};
    arena_open(&arena, 1 << 18, 1 << 24);
    err = evaluate_clock(fetch, history_newest_ms(&question->history), &arena, why);
    for (size_t i = 0; err == ERR_OK && i < n; i++) {
        size_t c = i * question->cases_n / n;
        struct next_list list = {.n = 0};

        err = evaluate_ask_look(fetch, &question->history, &question->cases[c], &arena, &list, why);
        out_through->same_n += list.n == own[c].n && memcmp(list.item, own[c].item, list.n * sizeof(*list.item)) == 0;
        arena_reset(&arena);
    }
    arena_close(&arena);
    fetch_close(fetch);
    if (err == ERR_OK) {
        printf("%zu of %zu lists of the server are the same as our own\n", out_through->same_n, n);
    }
    return err;
}

static enum err ask_online(const struct evaluate_asked *asked, const struct question *question,
                           const struct item_asking *asking, const uint32_t *order, struct next_list *lists, struct why *why)
{
    struct item_stream stream = {question->end_ms, order};
    struct evaluate_visits visits = {&question->history, question->cases, question->cases_n, order, question->end_ms};
    struct fetch *fetch;
    enum err err;

    if (asked->through == NULL) {
        return item_online_lists(asking, &stream, question->cases, question->cases_n, lists);
    }
    err = fetch_open(asked->through, NULL, asked->key, &fetch);
    if (err == ERR_OK) {
        err = evaluate_ask_stream(fetch, &visits, lists, why);
        fetch_close(fetch);
    }
    return err;
}

/* ---- the whole ---- */

/* lines: one-to-one, online where asked for, popular. */
static enum err fill(const struct evaluate_asked *asked, const struct question *question, const struct model *model,
                     const uint32_t *seen_n, const uint32_t *order, struct item_report *report,
                     struct through_counts *out_through, struct why *why)
{
    struct item_asking asking = {&question->history, {.base = model}, VARIANT_ONE_TO_ONE, false, evaluate_seconds_now};
    struct next_list *lists = history_zero(question->cases_n, sizeof(*lists));
    enum err err = ERR_OK;

    evaluate_ask_all(&asking, question->cases, question->cases_n, asked->threads, lists, report);
    evaluate_breadth(report, model, lists, seen_n);
    if (asked->through != NULL) {
        err = compare(asked, question, lists, out_through, why);
    }
    if (err == ERR_OK && asked->is_online) {
        err = ask_online(asked, question, &asking, order, lists, why);
        evaluate_add_line(report, "online", &question->history, question->cases, question->cases_n, lists);
    }
    if (err == ERR_OK) {
        asking.variant = VARIANT_POPULAR;
        item_lists(&asking, question->cases, question->cases_n, asked->threads, lists, NULL);
        evaluate_add_line(report, "popular", &question->history, question->cases, question->cases_n, lists);
        item_report_ranges(report, question->block_at);
        add_groups(question, model, seen_n, report);
    }
    free(lists);
    return err;
}

static enum err show(const struct evaluate_asked *asked, const struct history *history, const struct question *question,
                     const struct evaluate_shown *shown, int64_t before_ms, struct arena *arena, struct why *why)
{
    struct through_counts through = {0};
    struct item_report report = {.blocks_n = question->blocks_n};
    uint32_t *seen_n = evaluate_seen(history, before_ms, shown->model);
    uint32_t *order = item_online_order(question->cases, question->cases_n);
    struct quarter quarters[QUARTERS];
    struct json_write w;
    struct bytes text;
    enum err err = fill(asked, question, shown->model, seen_n, order, &report, &through, why);

    if (err == ERR_OK) {
        evaluate_show(&report, shown);
        json_write_open(&w, arena, 8192);
        json_write_object(&w, NULL);
        evaluate_json(&report, shown, &w);
        if (asked->through != NULL) {
            json_write_object(&w, "through");
            json_write_int(&w, "asked", (int64_t)through.cases_n);
            json_write_int(&w, "same", (int64_t)through.same_n);
            json_write_end(&w);
        }
        if (asked->is_online) {
            quarters_of(&report, order, quarters);
            show_freshness(&report, quarters);
            write_freshness(&report, quarters, shown, &w);
        }
        json_write_end(&w);
        text = json_write_bytes(&w);
        printf("%.*s\n", (int)text.n, text.p);
    }
    item_report_close(&report);
    free(order);
    free(seen_n);
    return err;
}

/* Sessions without times follow the training's, as dense as those. */
static void make_question(const struct read_sequences *test, struct evaluate_times times, struct question *question)
{
    evaluate_sessions(test, times, &question->history);
    question->end_ms = history_grow(NULL, test->groups_n, sizeof(*question->end_ms));
    for (size_t s = 0; s < test->groups_n; s++) {
        question->end_ms[s] = evaluate_session_end(test, times, s);
    }
    make_cases(question);
    if (question->too_long_n > 0) {
        printf("%zu test sessions of more than %d clicks are left out: no person does that\n", question->too_long_n,
               MODEL_SEQUENCE_MAX);
    }
}

static enum err learn_and_show(const struct evaluate_asked *asked, const struct read_sequences *train,
                               const struct read_sequences *test, struct arena *arena, struct why *why)
{
    struct evaluate_times times = {EVALUATE_DAY_0_MS, SESSIONS_DAYS * DAY_MS / (int64_t)train->groups_n};
    struct history history = {.tenant = {1}};
    struct question question = {.history = {.tenant = {1}, .owner_key = {1}}}; /* nobody of the training part */
    struct train_span span = {.windows = TRAIN_WINDOWS, .window_ms = TRAIN_WINDOW_MS, .baskets_min = TRAIN_BASKETS_MIN,
                              .customers_min = asked->customers_min > 0 ? asked->customers_min : 1};
    struct train_report training;
    const struct model *model;
    struct bytes file;
    enum err err;

    evaluate_sessions(train, times, &history);
    times.begin_ms += (int64_t)train->groups_n * times.step_ms;
    make_question(test, times, &question);
    span.before_ms = span.validate_ms = history_newest_ms(&history) + 1;
    err = question.cases_n > 0 ? ERR_OK
                               : why_say(why, ERR_ABSENT, "no_cases", "--test",
                                         "no test session has a second click, so there is nothing to ask; choose another file");
    err = err == ERR_OK ? evaluate_train(asked, &history, &span, arena, &model, &file, &training, why) : err;
    if (err == ERR_OK) {
        struct evaluate_shown shown = {"next-item", metrics, sizeof(metrics) / sizeof(metrics[0]), span.customers_min,
                                       &training, model};

        const struct history *const both[] = {&history, &question.history};

        err = asked->data != NULL ? evaluate_fill_items(asked->data, both, 2, model, file, why) : ERR_OK;
        err = err == ERR_OK ? show(asked, &history, &question, &shown, span.before_ms, arena, why) : err;
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
