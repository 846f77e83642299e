/* SPDX-License-Identifier: Apache-2.0 */
/* Till lines: the first basket of every customer in the test part, against segments and best sellers (evaluation.md 4).
 * Learns from what was before it, choosing settings on the month before that. */
#include "base/json_write.h"
#include "cmd/evaluate.h"
#include "cmd/evaluate_server.h"
#include "train/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "2017-11-01" gives "2017-10-01": the calendar month before (settled.md 5.2). */
static void month_before(const char *date, char out_date[11])
{
    int year = atoi(date), month = atoi(date + 5);

    month = month > 1 ? month - 1 : 12;
    year = month == 12 ? year - 1 : year;
    memcpy(out_date, date, 11);
    out_date[0] = (char)('0' + year / 1000 % 10);
    out_date[1] = (char)('0' + year / 100 % 10);
    out_date[2] = (char)('0' + year / 10 % 10);
    out_date[3] = (char)('0' + year % 10);
    out_date[5] = (char)('0' + month / 10);
    out_date[6] = (char)('0' + month % 10);
}

struct times {
    int64_t validate_ms, from_ms, to_ms;
};

static enum err read_times(const struct evaluate_asked *asked, const struct import_map *map, struct times *times, struct why *why)
{
    char validate[11];
    int64_t day;
    enum err err = import_read_date(map, asked->from, &times->from_ms, &day, why);

    if (err == ERR_OK) {
        err = import_read_date(map, asked->to, &times->to_ms, &day, why);
    }
    if (err == ERR_OK && asked->validate == NULL) {
        month_before(asked->from, validate);
        if (import_read_date(map, validate, &times->validate_ms, &day, why) != ERR_OK) {
            times->validate_ms = times->from_ms - 30 * DAY_MS; /* the 31st of a month of 30 days */
        }
    } else if (err == ERR_OK) {
        err = import_read_date(map, asked->validate, &times->validate_ms, &day, why);
    }
    if (err == ERR_OK && !(times->validate_ms < times->from_ms && times->from_ms < times->to_ms)) {
        err = why_say(why, ERR_INVALID, "bad_dates", "--test-from",
                      "the validation part must begin before the test part, and that must not be empty; mend the dates");
    }
    return err;
}

static void print_table(const struct report *report)
{
    printf("\n%-24s %23s %23s %23s %7s %8s %8s\n", "", "R@10", "N@10", "PHR@10", "R@20", "repeat", "explore");
    for (size_t l = 0; l < report->lines_n; l++) {
        const struct report_line *line = &report->lines[l];

        printf("%-24s  %.4f (%.4f-%.4f)  %.4f (%.4f-%.4f)  %.4f (%.4f-%.4f)  %.4f   %.4f   %.4f\n", line->name,
               line->recall10.mean, line->recall10.low, line->recall10.high, line->ndcg10.mean, line->ndcg10.low,
               line->ndcg10.high, line->phr10.mean, line->phr10.low, line->phr10.high, line->mean.recall20,
               line->repeat10, line->explore10);
    }
    if (report->best_segment > 0) {
        printf("\none-to-one finds %.2f times (%.2f-%.2f) as much of the next basket as the best segmentation, %s\n",
               report->times.mean, report->times.low, report->times.high, report->lines[report->best_segment].name);
    }
    printf("\n%-16s %-24s %7s %10s %10s %10s\n", "group", "", "cases", "one-to-one", "popular", "segment");
    for (size_t g = 0; g < report->groups_n; g++) {
        const struct report_group *group = &report->groups[g];

        printf("%-16s %-24s %7zu %10.4f %10.4f %10.4f%s\n", group->kind, group->name, group->cases_n, group->own,
               group->popular, group->segment, group->own < group->popular ? "  below popular" : "");
    }
}

static void print_json(const struct report *report, const struct train_report *training,
                       const struct train_span *span, const struct model *model, struct arena *arena)
{
    struct json_write w;
    struct bytes text;

    json_write_open(&w, arena, 8192);
    json_write_object(&w, NULL);
    json_write_word(&w, "protocol", "next-basket");
    report_json(report, &w);
    json_write_fixed(&w, "trainSeconds", training->seconds, 1);
    json_write_text(&w, "model", model_hash(model));
    json_write_int(&w, "customersMin", (int64_t)span->customers_min);
    json_write_object(&w, "settings");
    train_settings_json(&training->settings, &w);
    json_write_int(&w, "tried", (int64_t)training->tried_n);
    json_write_end(&w);
    json_write_end(&w);
    text = json_write_bytes(&w);
    printf("%.*s\n", (int)text.n, text.p);
}

/* The server's lists, and how many of them are ours. */
static enum err ask_server(const struct evaluate_asked *asked, const struct history *history, const struct read_names *names,
                           const struct model *model, const struct times *times, struct next_list **out_lists,
                           struct why *why)
{
    struct next_case *cases;
    size_t n = cases_of_baskets(history, times->from_ms, times->to_ms, 2, &cases), same = 0;
    struct next_list *server = history_zero(n, sizeof(*server)), *own = history_zero(n, sizeof(*own));
    enum err err = evaluate_ask(asked->through, asked->key, history, names, cases, n, server, why);

    next_basket_lists(history, model, VARIANT_ONE_TO_ONE, cases, n, asked->threads, own, NULL, NULL);
    for (size_t c = 0; err == ERR_OK && c < n; c++) {
        same += server[c].n == own[c].n && memcmp(server[c].item, own[c].item, own[c].n * sizeof(*own[c].item)) == 0;
    }
    free(cases);
    free(own);
    if (err != ERR_OK) {
        free(server);
        return err;
    }
    printf("%zu of %zu lists of the server are the same as our own\n", same, n);
    *out_lists = server;
    return ERR_OK;
}

static enum err prove(const struct evaluate_asked *asked, const struct import_map *map, const struct history *history,
                      const struct read_names *names, const struct times *times, struct arena *arena, struct why *why)
{
    struct train_report training;
    struct report report;
    struct next_list *lists = NULL;
    struct train_span span = train_span_of(times->from_ms);
    const struct model *model;
    struct bytes file;
    enum err err;

    span.validate_ms = times->validate_ms;
    span.customers_min = asked->customers_min > 0 ? asked->customers_min : span.customers_min;
    err = evaluate_train(asked, history, &span, arena, &model, &file, &training, why);
    if (err == ERR_OK && asked->data != NULL) {
        err = evaluate_fill(asked->data, map, asked->lines, times->from_ms, model, file, why);
    }
    if (err == ERR_OK && asked->through != NULL) {
        err = ask_server(asked, history, names, model, times, &lists, why);
    }
    if (err == ERR_OK && !report_make(history, model, times->from_ms, times->to_ms, asked->threads,
                                      strstr(asked->against, "segments") != NULL, lists, evaluate_seconds_now, &report)) {
        err = why_say(why, ERR_ABSENT, "no_cases", "--test-from",
                      "no customer with two baskets before bought anything in the test part; choose other days");
    }
    free(lists);
    if (err == ERR_OK) {
        print_table(&report);
        print_json(&report, &training, &span, model, arena);
        report_close(&report);
    }
    return err;
}

enum err evaluate_next_basket(const struct evaluate_asked *asked, struct arena *arena, uint64_t *out_rejected,
                              struct why *why)
{
    const struct import_map *map;
    struct import_counts counts;
    struct read_names names;
    struct history history;
    struct times times;
    enum err err = import_read_map(asked->map, arena, &map, why);

    err = err == ERR_OK ? read_times(asked, map, &times, why) : err;
    err = err == ERR_OK ? read_history(map, asked->lines, (struct tenant_id){1}, &history, &names, &counts, why) : err;
    if (err != ERR_OK) {
        return err;
    }
    *out_rejected = counts.rejected_n;
    printf("%llu lines kept of %llu, %zu baskets of %zu customers, %zu items\n", (unsigned long long)counts.kept_n,
           (unsigned long long)counts.rows_n, history.baskets_n, history.customers_n, history.items.n);
    fflush(stdout);
    err = prove(asked, map, &history, &names, &times, arena, why);
    history_close(&history);
    read_names_close(&names);
    return err;
}
