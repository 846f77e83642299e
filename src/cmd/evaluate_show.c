/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"
#include "base/topk.h"
#include "cmd/evaluate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int float_order(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

void evaluate_add_line(struct item_report *report, const char *name, const struct history *history,
                       const struct next_case *cases, size_t n, const struct next_list *lists)
{
    struct item_line *line = &report->lines[report->lines_n++];

    *line = (struct item_line){.scores = history_zero(n, sizeof(*line->scores))};
    (void)snprintf(line->name, sizeof(line->name), "%s", name);
    for (size_t c = 0; c < n; c++) {
        item_score_of(history, &cases[c], &lists[c], &line->scores[c]);
    }
}

void evaluate_ask_all(const struct item_asking *asking, const struct next_case *cases, size_t n, size_t threads,
                      struct next_list *out_lists, struct item_report *report)
{
    enum { TIMED_MOST = 2000 };
    size_t timed_n = n < TIMED_MOST ? n : TIMED_MOST;
    float *us = history_zero(timed_n, sizeof(*us));

    report->cases_n = n;
    item_lists(asking, cases, n, threads, out_lists, NULL);
    evaluate_add_line(report, "one-to-one", asking->history, cases, n, out_lists);
    /* Times by themselves, on one thread: evenly taken cases. */
    for (size_t i = 0; i < timed_n; i++) {
        struct next_list list;

        item_lists(asking, &cases[i * n / timed_n], 1, 1, &list, &us[i]);
    }
    qsort(us, timed_n, sizeof(*us), float_order);
    report->p50_us = (double)us[timed_n / 2];
    report->p99_us = (double)us[timed_n * 99 / 100];
    free(us);
}

/* ---- breadth ---- */

uint32_t *evaluate_seen(const struct history *history, int64_t before_ms, const struct model *model)
{
    uint32_t *of_item = history_zero(history->items.n, sizeof(*of_item));
    uint32_t *seen_n = history_zero(model_items_n(model), sizeof(*seen_n));

    for (size_t b = 0; b < history->baskets_n; b++) {
        for (size_t l = 0; history->baskets[b].at_ms < before_ms && l < history->baskets[b].lines_n; l++) {
            of_item[history->lines[history->baskets[b].lines_at + l].item]++;
        }
    }
    for (size_t l = 0; l < history->looks_n; l++) {
        of_item[history->looks[l].item] += history->looks[l].at_ms < before_ms;
    }
    for (size_t i = 0; i < history->items.n; i++) {
        uint32_t dense = model_item_find(model, (struct item_id){history->items.id[i]});

        if (dense != MODEL_NONE) {
            seen_n[dense] = of_item[i];
        }
    }
    free(of_item);
    return seen_n;
}

void evaluate_breadth(struct item_report *report, const struct model *model, const struct next_list *lists,
                      const uint32_t *seen_n)
{
    size_t items_n = model_items_n(model), most = items_n / 100 + 1, in_list_n = 0, places = 0, popular = 0;
    struct topk best = topk_of(history_grow(NULL, most, sizeof(struct topk_entry)), most);
    uint8_t *marks = history_zero(items_n, 1); /* 1: in a list; 2: popular */

    for (uint32_t i = 0; i < items_n; i++) {
        topk_offer(&best, (float)seen_n[i], i);
    }
    for (size_t i = 0; i < best.n; i++) {
        marks[best.at[i].item] = 2;
    }
    for (size_t c = 0; c < report->cases_n; c++) {
        for (size_t r = 0; r < lists[c].n; r++) {
            uint32_t dense = model_item_find(model, (struct item_id){lists[c].item[r]});

            places++;
            if (dense != MODEL_NONE) {
                popular += (marks[dense] & 2) != 0;
                in_list_n += (marks[dense] & 1) == 0;
                marks[dense] |= 1;
            }
        }
    }
    report->coverage20 = items_n > 0 ? (double)in_list_n / (double)items_n : 0;
    report->popular_share20 = places > 0 ? (double)popular / (double)places : 0;
    free(best.at);
    free(marks);
}

/* ---- table ---- */

void evaluate_show(const struct item_report *report, const struct evaluate_shown *shown)
{
    printf("\n%zu cases of %zu, %zu items, pairs of at least %zu\n%-14s", report->cases_n, report->blocks_n,
           (size_t)model_items_n(shown->model), shown->customers_min, "");
    for (size_t m = 0; m < shown->metrics_n; m++) {
        printf("  %-22s", item_metric_words[shown->metrics[m]]);
    }
    for (size_t l = 0; l < report->lines_n; l++) {
        printf("\n%-14s", report->lines[l].name);
        for (size_t m = 0; m < shown->metrics_n; m++) {
            const struct report_range *range = &report->lines[l].range[shown->metrics[m]];

            printf("  %.4f (%.4f-%.4f)", range->mean, range->low, range->high);
        }
    }
    printf("\n\n%-16s %-12s %8s", "group", "", "cases");
    for (size_t m = 0; m < shown->metrics_n; m++) {
        printf(" %10s", item_metric_words[shown->metrics[m]]);
    }
    for (size_t g = 0; g < report->groups_n; g++) {
        const struct item_group *group = &report->groups[g];

        printf("\n%-16s %-12s %8zu", group->kind, group->name, group->cases_n);
        for (size_t m = 0; m < shown->metrics_n; m++) {
            printf(" %10.4f", (double)group->mean[0].of[shown->metrics[m]]);
        }
    }
    printf("\n\ncoverage@20 %.3f, places of the most seen hundredth %.3f, decide p50 %.0f us, p99 %.0f us\n", report->coverage20,
           report->popular_share20, report->p50_us, report->p99_us);
    printf("training %.1f s, %zu settings tried\n", shown->training->seconds, shown->training->tried_n);
}

/* ---- JSON ---- */

void evaluate_json_line(const struct report_range range[ITEM_METRICS_], const struct evaluate_shown *shown,
                        struct json_write *w)
{
    for (size_t m = 0; m < shown->metrics_n; m++) {
        const char *word = item_metric_words[shown->metrics[m]];
        char interval[32];

        (void)snprintf(interval, sizeof(interval), "%sInterval", word);
        json_write_fixed(w, word, range[shown->metrics[m]].mean, 4);
        json_write_array(w, interval);
        json_write_fixed(w, NULL, range[shown->metrics[m]].low, 4);
        json_write_fixed(w, NULL, range[shown->metrics[m]].high, 4);
        json_write_end(w);
    }
}

static void write_groups(struct json_write *w, const struct item_report *report, const struct evaluate_shown *shown)
{
    json_write_array(w, "groups");
    for (size_t g = 0; g < report->groups_n; g++) {
        json_write_object(w, NULL);
        json_write_word(w, "kind", report->groups[g].kind);
        json_write_word(w, "name", report->groups[g].name);
        json_write_int(w, "cases", (int64_t)report->groups[g].cases_n);
        for (size_t m = 0; m < shown->metrics_n; m++) {
            json_write_fixed(w, item_metric_words[shown->metrics[m]],
                             (double)report->groups[g].mean[0].of[shown->metrics[m]], 4);
        }
        json_write_end(w);
    }
    json_write_end(w);
}

void evaluate_json(const struct item_report *report, const struct evaluate_shown *shown, struct json_write *w)
{
    json_write_word(w, "protocol", shown->protocol);
    json_write_int(w, "cases", (int64_t)report->cases_n);
    evaluate_json_line(report->lines[0].range, shown, w);
    json_write_fixed(w, "p50Us", report->p50_us, 0);
    json_write_fixed(w, "p99Us", report->p99_us, 0);
    json_write_fixed(w, "coverage@20", report->coverage20, 4);
    json_write_fixed(w, "popularShare@20", report->popular_share20, 4);
    json_write_fixed(w, "trainSeconds", shown->training->seconds, 1);
    json_write_text(w, "model", model_hash(shown->model));
    json_write_int(w, "customersMin", (int64_t)shown->customers_min);
    json_write_object(w, "settings");
    train_settings_json(&shown->training->settings, w);
    json_write_int(w, "tried", (int64_t)shown->training->tried_n);
    json_write_end(w);
    json_write_object(w, "against");
    for (size_t l = 1; l < report->lines_n; l++) {
        if (strcmp(report->lines[l].name, "online") != 0) {
            json_write_object(w, report->lines[l].name);
            evaluate_json_line(report->lines[l].range, shown, w);
            json_write_end(w);
        }
    }
    json_write_end(w);
    write_groups(w, report, shown);
}
