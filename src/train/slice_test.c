/* SPDX-License-Identifier: Apache-2.0 */
#include "train/slice.h"

#include "base/hash.h"
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>

#define START_MS (17000 * DAY_MS)

static const struct tenant_id tenant = {3};

static void look(struct history *history, uint64_t customer, int64_t at_ms)
{
    char id[40];
    struct event_line line = {.item = hash_item(tenant, BYTES_LIT("a")), .item_text = BYTES_LIT("a")};
    struct event event = {.kind = EVENT_VIEW, .at_ms = at_ms, .lines = &line, .lines_n = 1};

    event.mid = hash_mid(BYTES_LIT("test"), (struct bytes){id, (size_t)snprintf(id, sizeof(id), "%llu-%lld",
                                                                              (unsigned long long)customer, (long long)at_ms)});
    history_add(history, customer, &event);
}

static void plant(struct history *history, size_t visits, int64_t apart_ms)
{
    *history = (struct history){.tenant = tenant};
    for (size_t v = 0; v < visits; v++) {
        look(history, v + 1, START_MS + (int64_t)v * apart_ms);
        look(history, v + 1, START_MS + (int64_t)v * apart_ms + 1000);
    }
    history_sort(history);
}

TEST(slice_of_visits_is_the_newest_twentieth_and_the_one_before)
{
    struct train_span span = train_span_of(START_MS + 1000 * DAY_MS);
    struct history history;
    struct slice newest, older;
    struct next_case *cases;

    hash_start();
    plant(&history, 200, DAY_MS);
    CHECK(slice_of(&history, &span, MODEL_HEAD_SESSION, 0, &newest));
    CHECK(slice_of(&history, &span, MODEL_HEAD_SESSION, 1, &older));
    CHECK_INT(older.to_ms, newest.from_ms);
    CHECK_INT(newest.to_ms, span.before_ms);
    CHECK_INT(slice_cases(&history, &span, MODEL_HEAD_SESSION, &newest, 0, &cases), 10);
    free(cases);
    CHECK_INT(slice_cases(&history, &span, MODEL_HEAD_SESSION, &older, 0, &cases), 10);
    free(cases);
    CHECK_INT(slice_cases(&history, &span, MODEL_HEAD_SESSION, &newest, 5, &cases), 5);
    free(cases);
    history_close(&history);
}

PROPERTY(slice_never_asks_of_what_a_base_saw)
{
    struct history history = {.tenant = tenant};
    struct train_span span = train_span_of(START_MS + 20 * DAY_MS);
    size_t visits = 1 + (size_t)rng_below(rng, 60);

    hash_start();
    for (size_t v = 0; v < visits; v++) { /* many at one time, some after the end */
        int64_t at_ms = START_MS + (int64_t)rng_below(rng, 25) * DAY_MS;

        for (size_t k = 0; k <= rng_below(rng, 3); k++) {
            look(&history, v + 1, at_ms + (int64_t)k * 60000);
        }
    }
    history_sort(&history);
    for (unsigned k = 0; k < 2; k++) {
        struct next_case *cases;
        struct slice slice;
        size_t n;

        if (!slice_of(&history, &span, MODEL_HEAD_SESSION, k, &slice)) {
            continue;
        }
        CHECK(slice.from_ms < slice.to_ms && slice.to_ms <= span.before_ms);
        n = slice_cases(&history, &span, MODEL_HEAD_SESSION, &slice, 0, &cases);
        CHECK(n > 0);
        for (size_t c = 0; c < n; c++) { /* a base learns from visits that ended before: the target's did not */
            size_t end = cases_visit_end(&history, cases[c].target, history.look_from[cases[c].customer + 1]);

            CHECK(history.looks[end - 1].at_ms >= slice.from_ms && history.looks[end - 1].at_ms < slice.to_ms);
        }
        free(cases);
    }
    history_close(&history);
}

TEST(slice_of_one_moment_or_one_visit_is_none)
{
    struct train_span span = train_span_of(START_MS + 1000 * DAY_MS);
    struct history history;
    struct slice slice;

    hash_start();
    plant(&history, 100, 0);
    CHECK(!slice_of(&history, &span, MODEL_HEAD_SESSION, 0, &slice));
    CHECK(!slice_of(&history, &span, MODEL_HEAD_HISTORY, 0, &slice));
    history_close(&history);
    plant(&history, 1, 0);
    CHECK(!slice_of(&history, &span, MODEL_HEAD_SESSION, 0, &slice));
    history_close(&history);
}
