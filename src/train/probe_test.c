/* SPDX-License-Identifier: Apache-2.0 */
#include "train/probe.h"

#include "base/hash.h"
#include "base/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ITEMS = 6 };
#define START_MS (17000 * DAY_MS)

static const struct tenant_id tenant = {3};

static void tell(struct history *history, enum event_kind kind, uint64_t customer, int64_t at_ms, const unsigned *items, size_t n)
{
    struct event_line lines[ITEMS];
    char text[ITEMS][8], id[40];
    struct event event = {.kind = kind, .at_ms = at_ms, .lines = lines, .lines_n = n};

    for (size_t i = 0; i < n; i++) {
        struct bytes item = {text[i], (size_t)snprintf(text[i], sizeof(text[i]), "i%u", items[i])};

        lines[i] = (struct event_line){.item = hash_item(tenant, item), .item_text = item, .quantity_milli = 1000};
    }
    event.mid = hash_mid(BYTES_LIT("test"), (struct bytes){id, (size_t)snprintf(id, sizeof(id), "%d-%llu-%lld", (int)kind,
                                                                              (unsigned long long)customer, (long long)at_ms)});
    history_add(history, customer, &event);
}

/* Items are numbered as they come: i0 .. i5; all are known. */
static struct probe probe_of(const struct history *history, const uint32_t *dense, const struct next_case *cases, size_t n,
                             enum model_domain domain)
{
    return (struct probe){.history = history, .cases = cases, .n = n, .dense = dense, .items_n = ITEMS, .domain = domain,
                          .threads = 1};
}

/* A visit of i0, i1 and then i2. Rows: i0 -> i2 .9, i3 .5; i1 -> i3 .6. */
TEST(probe_sums_rows_by_steps_back)
{
    static const unsigned zero = 0, one = 1, two = 2, rest[3] = {3, 4, 5};
    struct history history = {.tenant = tenant};
    uint32_t dense[ITEMS] = {0, 1, 2, 3, 4, 5}, at[ITEMS + 1] = {0, 2, 3, 3, 3, 3, 3};
    struct model_weight row[3] = {{2, 0.9f}, {3, 0.5f}, {3, 0.6f}};
    struct ridge_w w = {at, row};
    struct next_case *cases;
    struct model_step steps[MODEL_SEQUENCE_MAX];
    struct probe probe;
    struct probe_score score;
    size_t n;

    hash_start();
    tell(&history, EVENT_VIEW, 1, START_MS, &zero, 1);
    tell(&history, EVENT_VIEW, 1, START_MS + 1000, &one, 1);
    tell(&history, EVENT_VIEW, 1, START_MS + 2000, &two, 1);
    tell(&history, EVENT_PURCHASE, 2, START_MS, rest, 3);
    history_sort(&history);
    n = cases_of_looks(&history, START_MS, START_MS + DAY_MS, 0, &cases);
    CHECK_INT(n, 2);
    probe = probe_of(&history, dense, cases + 1, 1, MODEL_SESSION);
    CHECK_INT(probe_steps(&probe, &cases[1], steps), 2);
    CHECK_INT(steps[0].item, 0);
    CHECK_INT(steps[1].item, 1);
    score = probe_w(&probe, &w, 0); /* all alike: i3 1.1, i2 .9 */
    CHECK_WITHIN(score.hr20, 1, 0);
    CHECK_WITHIN(score.mrr20, 0.5, 1e-6);
    score = probe_w(&probe, &w, 0.5f); /* the first look counts e^-2: i3 .67, i2 .12 */
    CHECK_WITHIN(score.mrr20, 0.5, 1e-6);
    row[1].weight = -0.5f;
    score = probe_w(&probe, &w, 0); /* i2 .9, i3 .1 */
    CHECK_WITHIN(score.mrr20, 1, 1e-6);
    CHECK_WITHIN(probe_worth(&score, MODEL_SESSION), 2.5, 1e-6);
    score = probe_w(&probe, &w, 0.5f); /* i3 .53, i2 .12 */
    CHECK_WITHIN(score.mrr20, 0.5, 1e-6);
    dense[2] = MODEL_NONE; /* what is not known stays a miss */
    score = probe_w(&probe, &w, 0);
    CHECK_INT(score.cases_n, 1);
    CHECK_WITHIN(score.hr20, 0, 0);
    free(cases);
    history_close(&history);
}

/* Baskets {i0, i1}, {i0, i2}, then {i1, i4} comes. */
TEST(probe_counts_own_purchases_and_hides_what_was_had)
{
    static const unsigned a[2] = {0, 1}, b[2] = {0, 2}, c[2] = {1, 4}, rest[2] = {3, 5};
    const float popular[ITEMS] = {0, 5, 1, 0, 0, 0};
    struct history history = {.tenant = tenant};
    uint32_t dense[ITEMS], at[ITEMS + 1] = {0, 2, 2, 2, 2, 2, 2};
    struct model_weight row[2] = {{1, 2.0f}, {4, 1.0f}};
    struct ridge_w w = {at, row};
    struct next_case *cases;
    struct probe probe;
    struct probe_score score;

    hash_start();
    tell(&history, EVENT_PURCHASE, 1, START_MS, a, 2);
    tell(&history, EVENT_PURCHASE, 1, START_MS + DAY_MS, b, 2);
    tell(&history, EVENT_PURCHASE, 1, START_MS + 2 * DAY_MS, c, 2);
    tell(&history, EVENT_PURCHASE, 2, START_MS, rest, 2);
    history_sort(&history);
    for (uint32_t i = 0; i < ITEMS; i++) { /* by name, for items are numbered as they come */
        for (unsigned k = 0; k < ITEMS; k++) {
            char text[8];
            struct bytes name = {text, (size_t)snprintf(text, sizeof(text), "i%u", k)};

            dense[i] = bytes_equal(history_name(&history.items, i), name) ? k : dense[i];
        }
    }
    CHECK_INT(cases_of_baskets(&history, START_MS + 2 * DAY_MS, START_MS + 3 * DAY_MS, 2, &cases), 1);
    probe = probe_of(&history, dense, cases, 1, MODEL_HISTORY);
    score = probe_own(&probe, popular, 1); /* i0 2, then i1 and i2 1, i1 more popular; i4 is not among them */
    CHECK_WITHIN(score.recall20, 0.5, 1e-6);
    CHECK_WITHIN(score.mrr20, 1.0 / 2, 1e-6);
    score = probe_own(&probe, popular, 0.5f); /* i0 1.5, i2 1, i1 .5 */
    CHECK_WITHIN(score.mrr20, 1.0 / 3, 1e-6);
    score = probe_together(&probe, &w, 1); /* i1 before i4 */
    CHECK_WITHIN(score.recall20, 1, 1e-6);
    probe.is_new_only = true; /* i1 was had: i4 alone is shown and looked for */
    score = probe_together(&probe, &w, 1);
    CHECK_WITHIN(score.recall20, 1, 1e-6);
    CHECK_WITHIN(score.mrr20, 1, 1e-6);
    free(cases);
    history_close(&history);
}
