/* SPDX-License-Identifier: Apache-2.0 */
#include "train/next_item.h"

#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>

/* Items 0 .. 9 with ids 100 .. 109; one customer who looked at 3, 4, 3 and then bought 5, 6, 6. */
static void plant(struct history *history)
{
    static const unsigned looks[] = {3, 4, 3};
    char text[12];
    struct event_line lines[10];
    struct event event = {.kind = EVENT_VIEW, .lines = lines, .lines_n = 1};

    *history = (struct history){.tenant = {1}};
    for (unsigned i = 0; i < 10; i++) { /* somebody else makes the numbers */
        lines[0] = (struct event_line){.item = {100 + i}, .quantity_milli = 1000};
        lines[0].item_text = (struct bytes){text, (size_t)snprintf(text, sizeof(text), "i%u", i)};
        put_be64(event.mid.b, i);
        history_add(history, 2, &event);
    }
    for (size_t l = 0; l < 3; l++) {
        lines[0] = (struct event_line){.item = {100 + looks[l]}, .quantity_milli = 1000};
        event.at_ms = (int64_t)l * 1000;
        put_be64(event.mid.b, 50 + l);
        history_add(history, 1, &event);
    }
    for (size_t l = 0; l < 3; l++) {
        lines[l] = (struct event_line){.item = {105 + (l > 0)}, .quantity_milli = 1000};
    }
    event = (struct event){.kind = EVENT_PURCHASE, .at_ms = 5000, .lines = lines, .lines_n = 3};
    history_add(history, 1, &event);
    history_sort(history);
}

static struct next_list list_of(const uint64_t *items, size_t n)
{
    struct next_list list = {.n = n};

    memcpy(list.item, items, n * sizeof(*items));
    return list;
}

TEST(one_target_by_hand)
{
    static const uint64_t seven[] = {1, 2, 5, 6, 7, 8, 104, 9};
    struct next_list list = list_of(seven, 8), empty = {.n = 0};
    struct next_case one = {.customer = 0, .look_from = 0, .look_to = 1, .target = 1, .is_look = true};
    struct item_score score;
    struct history history;

    plant(&history);
    item_score_of(&history, &one, &list, &score); /* the seventh place */
    CHECK_NEAR((double)score.of[ITEM_HR5], 0);
    CHECK_NEAR((double)score.of[ITEM_HR10], 1);
    CHECK_NEAR((double)score.of[ITEM_HR20], 1);
    CHECK_WITHIN((double)score.of[ITEM_MRR20], 1.0 / 7, 1e-7);
    CHECK_NEAR((double)score.of[ITEM_NDCG5], 0);
    CHECK_WITHIN((double)score.of[ITEM_NDCG10], 1.0 / 3, 1e-7); /* 1 / log2(8) */
    CHECK_NEAR((double)score.of[ITEM_RECALL20], 1);
    one.target = 2; /* 103: not in the list */
    item_score_of(&history, &one, &list, &score);
    for (int m = 0; m < ITEM_METRICS_; m++) {
        CHECK_NEAR((double)score.of[m], 0);
    }
    item_score_of(&history, &one, &empty, &score);
    CHECK_NEAR((double)score.of[ITEM_HR20], 0);
    history_close(&history);
}

/* The basket holds 105 and 106 (said twice): two targets, at places 2 and 12. */
TEST(many_targets_by_hand)
{
    uint64_t items[20];
    struct next_case one = {.customer = 0, .target = 0};
    struct item_score score;
    struct next_list list;
    struct history history;

    for (uint64_t i = 0; i < 20; i++) {
        items[i] = i + 1;
    }
    items[1] = 106;
    items[11] = 105;
    list = list_of(items, 20);
    plant(&history);
    item_score_of(&history, &one, &list, &score);
    CHECK_NEAR((double)score.of[ITEM_RECALL10], .5);
    CHECK_NEAR((double)score.of[ITEM_RECALL20], 1);
    CHECK_NEAR((double)score.of[ITEM_MRR20], .5);
    CHECK_WITHIN((double)score.of[ITEM_NDCG10], (1 / log2(3)) / (1 + 1 / log2(3)), 1e-6);
    CHECK_WITHIN((double)score.of[ITEM_NDCG20], (1 / log2(3) + 1 / log2(13)) / (1 + 1 / log2(3)), 1e-6);
    history_close(&history);
}

static struct item_report report_of(size_t cases_n, size_t lines_n)
{
    struct item_report report = {.cases_n = cases_n, .lines_n = lines_n};

    for (size_t l = 0; l < lines_n; l++) {
        report.lines[l].scores = history_zero(cases_n, sizeof(struct item_score));
    }
    return report;
}

/* Two sessions: three cases all hit, one case missed. Means are over cases, draws over sessions. */
TEST(intervals_are_over_blocks)
{
    static const size_t block_at[] = {0, 3, 4};
    struct item_report report = report_of(4, 2);

    report.blocks_n = 2;
    for (size_t c = 0; c < 3; c++) {
        report.lines[0].scores[c].of[ITEM_HR20] = 1;
        report.lines[1].scores[c].of[ITEM_HR20] = 1;
    }
    report.lines[1].scores[3].of[ITEM_HR20] = 1;
    item_report_ranges(&report, block_at);
    CHECK_NEAR(report.lines[0].range[ITEM_HR20].mean, .75);
    CHECK_NEAR(report.lines[0].range[ITEM_HR20].low, 0);  /* both draws the second: a quarter of them */
    CHECK_NEAR(report.lines[0].range[ITEM_HR20].high, 1);
    CHECK_NEAR(report.lines[1].range[ITEM_HR20].low, 1);
    CHECK_NEAR(report.gain[ITEM_HR20].mean, .25);
    CHECK_NEAR(report.gain[ITEM_HR20].low, 0);            /* paired: never below */
    CHECK_NEAR(report.gain[ITEM_HR20].high, 1);
    CHECK_NEAR(report.gain[ITEM_MRR20].high, 0);
    item_report_close(&report);
}

TEST(groups_are_means_of_their_cases)
{
    static const bool some[] = {true, false, true, false}, none[] = {false, false, false, false};
    struct item_report report = report_of(4, 1);

    report.lines[0].scores[0].of[ITEM_MRR20] = .5f;
    report.lines[0].scores[1].of[ITEM_MRR20] = 1;
    item_report_group(&report, "kind", "some", some);
    item_report_group(&report, "kind", "none", none);
    CHECK_INT(report.groups_n, 1);
    CHECK_INT(report.groups[0].cases_n, 2);
    CHECK_NEAR((double)report.groups[0].mean[0].of[ITEM_MRR20], .25);
    item_report_close(&report);
}
