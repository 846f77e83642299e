/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/test.h"
#include "train/cases.h"
#include "train/sequence.h"

#include <stdlib.h>
#include <string.h>

static struct history history;

static void add(uint64_t customer, enum event_kind kind, int64_t at_ms, const char *items)
{
    static uint64_t mids;
    struct event_line lines[300];
    struct event event = {.kind = kind, .at_ms = at_ms, .lines = lines};

    mids++;
    memcpy(&event.mid, &mids, sizeof(mids));
    for (size_t i = 0; items[i] != '\0'; i++) {
        struct bytes text = {items + i, 1};

        lines[event.lines_n++] = (struct event_line){hash_item((struct tenant_id){1}, text), text, 1000, 100};
    }
    history_add(&history, customer, &event);
}

static struct sequences of(enum model_domain domain, int64_t before_ms)
{
    static uint32_t dense[256];
    struct sequences sequences;

    for (uint32_t i = 0; i < 256; i++) {
        dense[i] = i;
    }
    sequences_of(&history, domain, before_ms, dense, history.items.n, &sequences);
    return sequences;
}

TEST(visits_end_after_half_an_hour_and_stand_in_order_of_their_ends)
{
    struct sequences s;
    struct next_case *cases;

    history = (struct history){0};
    add(9, EVENT_VIEW, 1000, "a");
    add(9, EVENT_VIEW, 2000, "b");
    add(9, EVENT_VIEW, 2000 + MODEL_SESSION_GAP_MS, "c");     /* just within */
    add(9, EVENT_VIEW, 2001 + 2 * MODEL_SESSION_GAP_MS, "d"); /* just without */
    add(4, EVENT_ADD, 1500, "ab");
    history_sort(&history);
    s = of(MODEL_SESSION, INT64_MAX);
    CHECK_INT(s.n, 3);
    CHECK_INT(s.at[1], 2); /* the one of customer 4 ended first */
    CHECK_INT(s.at[2] - s.at[1], 3);
    CHECK_INT(s.customer[1], 1);
    CHECK_INT(s.step[4], 2);
    CHECK_INT(s.kind[0], EVENT_ADD);
    sequences_close(&s);
    s = of(MODEL_SESSION, 1501); /* nothing of a visit that still went on */
    CHECK_INT(s.n, 1);
    sequences_close(&s);
    CHECK_INT(cases_of_looks(&history, 0, INT64_MAX, 0, &cases), 3);
    CHECK_INT(cases[1].look_to, 3);
    CHECK_INT(cases[1].target, 3);
    CHECK_INT(cases[1].at_ms, 1000);
    free(cases);
    history_close(&history);
}

TEST(a_history_is_cut_to_its_newest_items_and_a_basket_is_one_step)
{
    struct sequences s;
    char many[202];

    history = (struct history){0};
    memset(many, 'x', 199);
    many[199] = '\0';
    add(1, EVENT_PURCHASE, 1000, "abcd");
    add(1, EVENT_PURCHASE, 2000, many);
    add(1, EVENT_PURCHASE, 3000, "late");
    history_sort(&history);
    s = of(MODEL_HISTORY, 3000);
    CHECK_INT(s.n, 1);
    CHECK_INT(s.at[1], MODEL_SEQUENCE_MAX);
    CHECK_TEXT(history_name(&history.items, s.item[0]), "d");
    CHECK_INT(s.step[0], 0);
    CHECK_INT(s.step[1], 1);
    CHECK_INT(s.step[199], 1);
    CHECK_INT(s.end_ms[0], 2000);
    sequences_close(&s);
    history_close(&history);
}
