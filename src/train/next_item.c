/* SPDX-License-Identifier: Apache-2.0 */
#include "train/next_item.h"

#include "base/rng.h"
#include "train/pool.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CASES_PIECE = 64, SEED = 20261 };

/* A visitor's number is told to the picture alone; apart from those of any training history. */
#define VISITOR_BASE (UINT64_C(1) << 61)

const char *const item_metric_words[ITEM_METRICS_] = {"hr@5",      "hr@10",  "hr@20",   "mrr@20", "recall@10",
                                                      "recall@20", "ndcg@5", "ndcg@10", "ndcg@20"};

/* ---- asking ---- */

struct item_asker {
    const struct item_asking *asking;
    struct part life;
    struct arena arena;
    struct item_id *mask;
    size_t mask_room;
};

struct item_asker *item_asker_open(const struct item_asking *asking)
{
    struct item_asker *asker = history_zero(1, sizeof(*asker));

    asker->asking = asking;
    arena_open(&asker->arena, 1 << 21, 1 << 27);
    return asker;
}

void item_asker_close(struct item_asker *asker)
{
    arena_close(&asker->arena);
    free(asker->mask);
    free(asker);
}

static size_t mask_of(struct item_asker *asker, const struct next_case *one)
{
    const struct history *history = asker->asking->history;
    size_t room = one->look_to - one->look_from, n = 0;

    for (size_t b = one->from; b < one->to; b++) {
        room += history->baskets[b].lines_n;
    }
    if (room > asker->mask_room) {
        asker->mask_room = 2 * room;
        asker->mask = history_grow(asker->mask, asker->mask_room, sizeof(*asker->mask));
    }
    for (size_t b = one->from; b < one->to; b++) {
        for (size_t l = 0; l < history->baskets[b].lines_n; l++) {
            asker->mask[n++].v = history->items.id[history->lines[history->baskets[b].lines_at + l].item];
        }
    }
    for (size_t l = one->look_from; l < one->look_to; l++) {
        asker->mask[n++].v = history->items.id[history->looks[l].item];
    }
    return n;
}

/* What a part keeps of looks is bounded: older ones need not be folded (and a bot's thousands would take for ever). */
static void fold(const struct history *history, struct next_case one, struct part *life)
{
    if (one.look_to - one.look_from > PART_LOOKS) {
        one.look_from = one.look_to - PART_LOOKS;
    }
    if (one.to - one.from > PART_BASKETS) {
        one.from = one.to - PART_BASKETS;
    }
    cases_fold(history, &one, life);
}

float item_ask(struct item_asker *asker, const struct next_case *one, struct next_list *out_list)
{
    const struct item_asking *asking = asker->asking;
    struct decide_world world = {.view = asking->view};
    struct decide_placement placement = {.name = BYTES_LIT("next"), .n = NEXT_LIST};
    struct decide_request request = {.mode = one->is_look ? DECIDE_SESSION : DECIDE_PERSONAL, .variant = asking->variant,
                                     .placements = &placement, .placements_n = 1, .now_ms = one->at_ms};
    struct decide_result result = {0};
    struct picture picture;
    double begun;
    float us;

    world.view.owner = history_owner(asking->history, one->customer);
    fold(asking->history, *one, &asker->life);
    placement.exclude_n = asking->masks ? mask_of(asker, one) : 0;
    placement.exclude = asker->mask;
    picture = picture_of_part(asking->history->tenant, (struct customer_id){VISITOR_BASE + one->customer}, &asker->life,
                              one->at_ms);
    request.picture = &picture;
    out_list->n = 0;
    begun = asking->seconds_now();
    if (decide_run(&world, &request, &asker->arena, &result) == ERR_OK) { /* else an empty list, a miss */
        for (size_t i = 0; i < result.rows[0].items_n; i++) {
            out_list->item[out_list->n++] = result.rows[0].items[i].id.v;
        }
    }
    us = (float)(1e6 * (asking->seconds_now() - begun));
    arena_reset(&asker->arena);
    return us;
}

struct listing {
    const struct item_asking *asking;
    const struct next_case *cases;
    struct next_list *lists;
    float *us;
};

static void list_part(void *ctx, size_t from, size_t to)
{
    const struct listing *listing = ctx;
    struct item_asker *asker = item_asker_open(listing->asking);

    for (size_t c = from; c < to; c++) {
        float us = item_ask(asker, &listing->cases[c], &listing->lists[c]);

        if (listing->us != NULL) {
            listing->us[c] = us;
        }
    }
    item_asker_close(asker);
}

void item_lists(const struct item_asking *asking, const struct next_case *cases, size_t n, size_t threads,
                struct next_list *out_lists, float *out_us)
{
    struct listing listing = {asking, cases, out_lists, out_us};

    pool_run(threads, CASES_PIECE, n, list_part, &listing);
}

/* ---- scores ---- */

static int id_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The ids that were to be found, ascending, each once; free *out_ids. */
static size_t targets_of(const struct history *history, const struct next_case *one, uint64_t **out_ids)
{
    size_t n = one->is_look ? 1 : history->baskets[one->target].lines_n, kept = 0;
    uint64_t *ids = history_grow(NULL, n, sizeof(*ids));

    for (size_t l = 0; l < n; l++) {
        ids[l] = history->items.id[one->is_look ? history->looks[one->target].item
                                                : history->lines[history->baskets[one->target].lines_at + l].item];
    }
    qsort(ids, n, sizeof(*ids), id_order);
    for (size_t l = 0; l < n; l++) {
        if (l == 0 || ids[l] != ids[l - 1]) {
            ids[kept++] = ids[l];
        }
    }
    *out_ids = ids;
    return kept;
}

static float ndcg(const bool *is_hit, size_t k, size_t targets_n)
{
    double gain = 0, ideal = 0;

    for (size_t r = 0; r < k; r++) {
        gain += is_hit[r] ? 1 / log2((double)r + 2) : 0;
        ideal += r < targets_n ? 1 / log2((double)r + 2) : 0;
    }
    return ideal > 0 ? (float)(gain / ideal) : 0;
}

void item_score_of(const struct history *history, const struct next_case *one, const struct next_list *list,
                   struct item_score *out_score)
{
    uint64_t *targets;
    size_t n = targets_of(history, one, &targets), hits[NEXT_LIST + 1] = {0}, first = 0;
    bool is_hit[NEXT_LIST] = {false};

    for (size_t r = 0; r < NEXT_LIST; r++) {
        is_hit[r] = r < list->n && bsearch(&list->item[r], targets, n, sizeof(*targets), id_order) != NULL;
        first = is_hit[r] && first == 0 ? r + 1 : first;
        hits[r + 1] = hits[r] + is_hit[r];
    }
    free(targets);
    *out_score = (struct item_score){
        {[ITEM_HR5] = hits[5] > 0, [ITEM_HR10] = hits[10] > 0, [ITEM_HR20] = hits[20] > 0,
         [ITEM_MRR20] = first > 0 ? 1 / (float)first : 0,
         [ITEM_RECALL10] = (float)hits[10] / (float)n, [ITEM_RECALL20] = (float)hits[20] / (float)n,
         [ITEM_NDCG5] = ndcg(is_hit, 5, n), [ITEM_NDCG10] = ndcg(is_hit, 10, n), [ITEM_NDCG20] = ndcg(is_hit, 20, n)}};
}

/* ---- means and intervals ---- */

static int double_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static struct report_range range_of(double *draws, double mean)
{
    qsort(draws, REPORT_RESAMPLES, sizeof(*draws), double_order);
    return (struct report_range){mean, draws[REPORT_RESAMPLES * 25 / 1000], draws[REPORT_RESAMPLES * 975 / 1000 - 1]};
}

/* Sums of one metric by line and block: [line * blocks_n + block]. */
static void block_sums(const struct item_report *report, const size_t *block_at, int metric, double *out_sums)
{
    for (size_t l = 0; l < report->lines_n; l++) {
        for (size_t b = 0; b < report->blocks_n; b++) {
            double sum = 0;

            for (size_t c = block_at[b]; c < block_at[b + 1]; c++) {
                sum += (double)report->lines[l].scores[c].of[metric];
            }
            out_sums[l * report->blocks_n + b] = sum;
        }
    }
}

/* out_means: [line][resample]; the last line's place after them: lines 1 minus 0. */
static void draw(const struct item_report *report, const size_t *block_at, const double *sums, double *out_means)
{
    struct rng rng = {SEED};

    for (size_t r = 0; r < REPORT_RESAMPLES; r++) {
        double sum[ITEM_LINES_MAX] = {0};
        size_t cases = 0;

        for (size_t i = 0; i < report->blocks_n; i++) {
            size_t b = (size_t)rng_below(&rng, report->blocks_n);

            cases += block_at[b + 1] - block_at[b];
            for (size_t l = 0; l < report->lines_n; l++) {
                sum[l] += sums[l * report->blocks_n + b];
            }
        }
        for (size_t l = 0; l < report->lines_n; l++) {
            out_means[l * REPORT_RESAMPLES + r] = cases > 0 ? sum[l] / (double)cases : 0;
        }
        out_means[report->lines_n * REPORT_RESAMPLES + r] =
            report->lines_n > 1 && cases > 0 ? (sum[1] - sum[0]) / (double)cases : 0;
    }
}

void item_report_ranges(struct item_report *report, const size_t *block_at)
{
    double *sums = history_zero(report->lines_n * report->blocks_n, sizeof(*sums));
    double *means = history_zero((report->lines_n + 1) * REPORT_RESAMPLES, sizeof(*means));

    for (int m = 0; m < ITEM_METRICS_; m++) {
        double mean[ITEM_LINES_MAX] = {0};

        block_sums(report, block_at, m, sums);
        draw(report, block_at, sums, means);
        for (size_t l = 0; l < report->lines_n; l++) {
            for (size_t b = 0; b < report->blocks_n; b++) {
                mean[l] += sums[l * report->blocks_n + b] / (double)report->cases_n;
            }
            report->lines[l].range[m] = range_of(means + l * REPORT_RESAMPLES, mean[l]);
        }
        report->gain[m] = range_of(means + report->lines_n * REPORT_RESAMPLES, mean[1] - mean[0]);
    }
    free(means);
    free(sums);
}

void item_report_group(struct item_report *report, const char *kind, const char *name, const bool *is_in)
{
    struct item_group group = {{0}};

    for (size_t c = 0; c < report->cases_n; c++) {
        group.cases_n += is_in[c];
        for (size_t l = 0; is_in[c] && l < report->lines_n; l++) {
            for (int m = 0; m < ITEM_METRICS_; m++) {
                group.mean[l].of[m] += report->lines[l].scores[c].of[m];
            }
        }
    }
    if (group.cases_n == 0 || report->groups_n == ITEM_GROUPS_MAX) {
        return;
    }
    for (size_t l = 0; l < report->lines_n; l++) {
        for (int m = 0; m < ITEM_METRICS_; m++) {
            group.mean[l].of[m] /= (float)group.cases_n;
        }
    }
    (void)snprintf(group.kind, sizeof(group.kind), "%s", kind);
    (void)snprintf(group.name, sizeof(group.name), "%s", name);
    report->groups[report->groups_n++] = group;
}

void item_report_close(struct item_report *report)
{
    for (size_t l = 0; l < report->lines_n; l++) {
        free(report->lines[l].scores);
    }
    *report = (struct item_report){0};
}
