/* SPDX-License-Identifier: Apache-2.0 */
#include "train/w_train.h"

#include "base/hash.h"
#include "base/test.h"
#include "base/time.h"
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

enum { PEOPLE = 8, ITEMS = 26 };
#define NOW_MS (100 * DAY_MS)

static struct history history;

static void add(uint64_t customer, enum event_kind kind, int64_t at_ms, const char *items)
{
    static uint64_t mids;
    struct event_line lines[8];
    struct event event = {.kind = kind, .at_ms = at_ms, .lines = lines};

    mids++;
    memcpy(&event.mid, &mids, sizeof(mids));
    for (size_t i = 0; items[i] != '\0'; i++) {
        struct bytes text = {items + i, 1};

        lines[event.lines_n++] = (struct event_line){hash_item((struct tenant_id){1}, text), text, 1000, 100};
    }
    history_add(&history, customer, &event);
}

/* Item letters, in the order they came, are the numbers: each test begins with all of its letters. */
static void begin(const char *letters)
{
    hash_start();
    history_close(&history);
    history = (struct history){0};
    add(1000, EVENT_VIEW, 0, letters);
}

static struct ridge_w learn(enum model_w kind, int64_t window_ms, struct ridge_settings settings, uint32_t left_out)
{
    struct base_settings base = {.window_ms = window_ms};
    struct ridge_w w[MODEL_WS_] = {{0}};
    uint32_t dense[ITEMS];

    for (uint32_t i = 0; i < ITEMS; i++) {
        dense[i] = i == left_out ? MODEL_NONE : i;
    }
    base.w[kind] = settings;
    w_train(&history, NOW_MS, dense, history.items.n, &base, w);
    for (int other = 0; other < MODEL_WS_; other++) {
        CHECK((w[other].at != NULL) == (other == (int)kind)); /* neighbours 0: not learnt */
    }
    return w[kind];
}

static struct ridge_w learn_start(enum model_w kind)
{
    return learn(kind, 28 * DAY_MS, w_train_start(kind, 5, 2), MODEL_NONE);
}

static float weight(const struct ridge_w *w, uint32_t from, uint32_t to)
{
    for (uint32_t k = w->at[from]; k < w->at[from + 1]; k++) {
        if (w->row[k].item == to) {
            return w->row[k].weight;
        }
    }
    return 0;
}

static void close(struct ridge_w *w)
{
    free(w->at);
    free(w->row);
}

/* Everybody buys a, then b the week after: a leads to b, b to nothing. In one basket they never are. */
TEST(next_purchases_have_a_direction_and_windows_have_none)
{
    struct ridge_settings rule = w_train_start(MODEL_W_HISTORY, 5, 1);
    struct ridge_w w;

    begin("ab");
    for (uint64_t c = 0; c < PEOPLE; c++) {
        add(c, EVENT_PURCHASE, (73 + (int64_t)c) * DAY_MS, "a");
        add(c, EVENT_PURCHASE, (80 + (int64_t)c) * DAY_MS, "b");
    }
    history_sort(&history);
    rule.alpha = 0;
    w = learn(MODEL_W_HISTORY, 0, rule, MODEL_NONE);
    CHECK(weight(&w, 0, 1) > 0 && weight(&w, 1, 0) == 0);
    close(&w);
    w = learn_start(MODEL_W_HISTORY);
    CHECK(weight(&w, 0, 1) > weight(&w, 1, 0));
    close(&w);
    w = learn_start(MODEL_W_TOGETHER);
    CHECK(weight(&w, 0, 1) > 0 && weight(&w, 1, 0) > 0);
    close(&w);
    w = learn(MODEL_W_TOGETHER, 0, w_train_start(MODEL_W_TOGETHER, 5, 1), MODEL_NONE);
    CHECK_INT(w.at[2], 0);
    close(&w);
    w = learn(MODEL_W_TOGETHER, 28 * DAY_MS, w_train_start(MODEL_W_TOGETHER, 5, 1), 1);
    CHECK_INT(w.at[2], 0); /* b is left out */
    close(&w);
}

TEST(looks_of_one_visit_lead_to_each_other_and_not_to_the_next_visit)
{
    struct ridge_w w;

    begin("abc");
    for (uint64_t c = 0; c < PEOPLE; c++) {
        add(c, EVENT_VIEW, 50 * DAY_MS, "a");
        add(c, EVENT_VIEW, 50 * DAY_MS + 1000, "b");
        add(c, EVENT_VIEW, 50 * DAY_MS + HOUR_MS, "c");
    }
    history_sort(&history);
    w = learn_start(MODEL_W_SESSION);
    CHECK(weight(&w, 0, 1) > weight(&w, 1, 0));
    CHECK(weight(&w, 0, 2) == 0 && weight(&w, 1, 2) == 0);
    close(&w);
}

/* a and b are looked at alike. a is bought two days later, or p is; nobody who looked at b buys. */
TEST(looks_lead_to_what_was_bought_within_days)
{
    struct ridge_w w;

    begin("abpq");
    for (uint64_t c = 0; c < PEOPLE; c++) {
        add(c, EVENT_VIEW, 50 * DAY_MS, "a");
        add(c, EVENT_PURCHASE, 52 * DAY_MS, "ap");
        add(c, EVENT_PURCHASE, 50 * DAY_MS + (W_BOUGHT_DAYS + 1) * DAY_MS, "q"); /* too late */
        add(100 + c, EVENT_VIEW, 50 * DAY_MS, "b");
        add(200 + c, EVENT_PURCHASE, 49 * DAY_MS, "q"); /* before the look, not because of it */
        add(200 + c, EVENT_VIEW, 50 * DAY_MS, "b");
        add(300 + c, EVENT_VIEW, NOW_MS - 1000, "b");
        add(300 + c, EVENT_PURCHASE, NOW_MS, "q"); /* the moment has not seen it */
    }
    history_sort(&history);
    w = learn_start(MODEL_W_BOUGHT);
    CHECK(weight(&w, 0, 2) > 0 && weight(&w, 0, 0) > 0); /* what was looked at is bought itself, too */
    CHECK_INT(w.at[1] - w.at[0], 2);
    CHECK_INT(w.at[4], 2); /* and nothing else leads anywhere */
    close(&w);
    w = learn(MODEL_W_BOUGHT, 0, w_train_start(MODEL_W_BOUGHT, 5, 1), 2);
    CHECK_INT(w.at[4], 1); /* p is left out */
    close(&w);
}

/* Where half of those who looked bought, the weight is half of what it is where all did: visits in vain count. */
TEST(looks_in_vain_weigh)
{
    struct ridge_w w;

    begin("abpq");
    for (uint64_t c = 0; c < 2 * PEOPLE; c++) {
        add(c, EVENT_VIEW, 50 * DAY_MS, "a");
        add(c, EVENT_PURCHASE, 51 * DAY_MS, "p");
        add(100 + c, EVENT_VIEW, 50 * DAY_MS, "b");
        add(100 + c, EVENT_PURCHASE, (c % 2 == 0 ? 51 : 70) * DAY_MS, "q");
    }
    history_sort(&history);
    w = learn_start(MODEL_W_BOUGHT);
    CHECK_WITHIN((double)(weight(&w, 1, 3) / weight(&w, 0, 2)), 0.5, 1e-5);
    close(&w);
}

/* A visit that went on for more looks than anybody makes is a bot's, or staff's. */
TEST(visits_without_end_lead_to_no_purchase)
{
    struct ridge_w w;

    begin("ap");
    for (uint64_t c = 0; c < PEOPLE; c++) {
        for (int64_t k = 0; k <= MODEL_SEQUENCE_MAX; k++) {
            add(c, EVENT_VIEW, 50 * DAY_MS + k * 1000, "a");
        }
        add(c, EVENT_PURCHASE, 51 * DAY_MS, "p");
    }
    history_sort(&history);
    w = learn_start(MODEL_W_BOUGHT);
    CHECK_INT(w.at[2], 0);
    close(&w);
}

TEST(w_of_an_empty_history_is_empty)
{
    hash_start();
    history_close(&history);
    history = (struct history){0};
    history_sort(&history);
    for (int kind = 0; kind <= MODEL_W_BOUGHT; kind++) {
        struct ridge_w w = learn_start((enum model_w)kind);

        CHECK_INT(w.at[0], 0);
        close(&w);
    }
}
