/* SPDX-License-Identifier: Apache-2.0 */
/* How long the heads' scores take on one core: model_rank_bench [seconds a case].
 *
 * Random trees of full depth over random rows, the dearest there can be. One line a case: microseconds, the least of many
 * runs and the median, and the share of the limit: what a walk of nothing but its gathers would take (one load a row, tree and level,
 * measured here as sums of loads from the same rows). */
#include "base/rng.h"
#include "model/model_kit.h"
#include "model/model_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROWS_MOST = 200, RUNS_MOST = 20000 };

static float value[ROWS_MOST * FEATURES], margin[ROWS_MOST];
static struct model_tree trees[MODEL_TREES_MAX];

static double now_us(void)
{
    struct timespec at;

    timespec_get(&at, TIME_UTC);
    return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* As many loads from the rows as a walk has comparisons, each from a place the last did not tell. */
static void loads(size_t trees_n, size_t rows)
{
    float sum[4] = {0};

    for (size_t i = 0; i < rows; i++) {
        const float *row = value + i * FEATURES;

        for (size_t t = 0; t < trees_n; t++) {
            const uint16_t *feature = trees[t].feature;

            sum[0] += row[feature[0] & 0x7f] + row[feature[1] & 0x7f];
            sum[1] += row[feature[5] & 0x7f];
            sum[2] += row[feature[11] & 0x7f];
            sum[3] += row[feature[23] & 0x7f] + row[feature[47] & 0x7f];
        }
        margin[i] = sum[0] + sum[1] + sum[2] + sum[3];
    }
}

struct timing {
    double least_us, median_us;
};

/* way MODEL_WALKS_: the loads alone; trees_n 0: the logistic sum. */
static struct timing measure(enum model_walk way, size_t trees_n, size_t rows, double seconds)
{
    static double us[RUNS_MOST];
    double end = now_us() + seconds * 1e6;
    size_t n = 0;

    while (n < RUNS_MOST && (n < 5 || now_us() < end)) {
        double began = now_us();

        if (way == MODEL_WALKS_) {
            loads(trees_n, rows);
        } else if (trees_n == 0) {
            model_walk_sum(way, &model_rank_start, value, rows, margin);
        } else {
            model_walk_trees(way, trees, trees_n, -2, value, rows, margin);
        }
        us[n++] = now_us() - began;
        __asm__ volatile("" : : "r"(margin) : "memory");
    }
    qsort(us, n, sizeof(*us), by_size);
    return (struct timing){us[0], us[n / 2]};
}

int main(int n, char **words)
{
    static const size_t trees_of[] = {0, 60, 100, 150}, rows_of[] = {120, 200};
    double seconds = n > 1 ? atof(words[1]) : 0.3;
    struct rng rng = {1};

    for (size_t t = 0; t < MODEL_TREES_MAX; t++) {
        kit_tree(&rng, &trees[t]);
    }
    for (size_t i = 0; i < sizeof(value) / sizeof(*value); i++) {
        value[i] = (float)(3 * rng_unit(&rng) - 1.5);
    }
    for (size_t t = 0; t < sizeof(trees_of) / sizeof(*trees_of); t++) {
        for (size_t r = 0; r < sizeof(rows_of) / sizeof(*rows_of); r++) {
            double limit = measure(MODEL_WALKS_, trees_of[t], rows_of[r], seconds).least_us;

            for (unsigned way = 0; way <= (unsigned)model_walk_best(); way++) {
                struct timing took = measure((enum model_walk)way, trees_of[t], rows_of[r], seconds);

                printf("%3zu trees x %zu rows  %-8s %8.2f us (median %8.2f)", trees_of[t], rows_of[r],
                       model_walk_name((enum model_walk)way), took.least_us, took.median_us);
                if (trees_of[t] > 0) {
                    printf("  loads alone %7.2f us: %3.0f %% of the limit", limit,
                           100 * limit / took.least_us);
                } else {
                    printf("  the logistic sum");
                }
                printf("\n");
            }
        }
    }
    return 0;
}
