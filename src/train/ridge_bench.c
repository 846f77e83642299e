/* SPDX-License-Identifier: Apache-2.0 */
/* How fast W is trained: ridge_bench [--items N] [--events N] [--alpha A] [--customers N] [--neighbours M] [--threads T].
 *
 * Visits of 6 to 10 looks, items by Zipf's law, half of them near the one before, several visits a customer, all by seed. Each
 * step is held against a limit measured in the same run: the sweep against adding items up in the order they lie in
 * memory, nothing sought and nothing kept; solving against Cholesky alone on one ready matrix. Small by default: two
 * seconds; --items 100000 --events 100000000 is the size of models.md 17. */
#include "base/rng.h"
#include "train/cores.h"
#include "train/history.h"
#include "train/pool.h"
#include "train/ridge_sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sys/resource.h>

#include <cblas.h>
#include <lapacke.h>

enum { NEAR = 40, VISITS = 5, LIMIT_SOLVES = 2000 };

struct bench {
    size_t items_n, events_n;
    struct ridge_settings settings;
    struct ridge_rows rows;
    uint64_t pairs_n;
};

static double now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static double peak_gib(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1048576;
}

/* ---- rows ---- */

/* Item k weighs 1 / (k + 1): the inverse of ln(k + 1) / ln(n + 1), near enough to Zipf's law. */
static uint32_t zipf(struct rng *rng, size_t n)
{
    double k = exp(rng_unit(rng) * log((double)n + 1)) - 1;

    return (uint32_t)(k < (double)n ? k : (double)(n - 1));
}

static void make_rows(struct bench *b)
{
    size_t rows_most = b->events_n / 6 + 1, n = 0, r = 0;
    size_t *at = history_grow(NULL, rows_most + 1, sizeof(*at));
    uint32_t *customer = history_grow(NULL, rows_most, sizeof(*customer));
    uint32_t *item = history_grow(NULL, b->events_n + 10, sizeof(*item));
    uint8_t *step = b->settings.alpha < 1 ? history_grow(NULL, b->events_n + 10, 1) : NULL;
    struct rng rng = {4};

    at[0] = 0;
    while (n < b->events_n) {
        size_t len = 6 + rng_below(&rng, 5);

        customer[r] = (uint32_t)rng_below(&rng, b->events_n / 8 / VISITS + 1);
        for (size_t k = 0; k < len; k++) {
            uint32_t i = zipf(&rng, b->items_n);

            if (k > 0 && rng_coin(&rng)) {
                i = item[n - 1] / NEAR * NEAR + i % NEAR;
            }
            if (step != NULL) {
                step[n] = (uint8_t)k;
            }
            item[n++] = i < b->items_n ? i : (uint32_t)b->items_n - 1;
        }
        at[++r] = n;
    }
    b->rows = (struct ridge_rows){.at = at, .customer = customer, .item = item, .step = step, .rows_n = r, .items_n = b->items_n};
}

/* ---- limits ---- */

static void add_in_order(void *ctx, size_t from, size_t to)
{
    const struct ridge_copy *copy = ctx;
    float *sum = history_zero(copy->items_n, sizeof(*sum));

    for (uint32_t x = copy->source.at[from]; x < copy->source.at[to]; x++) {
        sum[copy->source.item[x]] += copy->pair[0];
    }
    if (!(sum[0] >= 0)) {
        abort(); /* so that the sums are made */
    }
    free(sum);
}

static uint64_t pairs_of(const struct ridge_side *side, size_t rows_n)
{
    uint64_t n = 0;

    for (size_t r = 0; r < rows_n; r++) {
        uint64_t len = side->at[r + 1] - side->at[r];

        n += len * len;
    }
    return n;
}

static double add_limit(const struct bench *b, struct ridge_copy *copy)
{
    double begun = now();

    pool_run(b->settings.threads, copy->rows_n / b->settings.threads + 1, copy->rows_n, add_in_order, copy);
    return (double)copy->source.at[copy->rows_n] / (now() - begun);
}

static void solve_ready(void *ctx, size_t from, size_t to)
{
    lapack_int m = *(lapack_int *)ctx;
    size_t room = (size_t)m * (size_t)m;
    float *ready = history_zero(room, sizeof(*ready)), *a = history_grow(NULL, room, sizeof(*a));
    float *x = history_zero((size_t)m, sizeof(*x));

    for (size_t i = 0; i < room; i++) {
        ready[i] = i % ((size_t)m + 1) == 0 ? 100 : 0.1f;
    }
    for (size_t k = from; k < to; k++) {
        memcpy(a, ready, room * sizeof(*a));
        if (LAPACKE_sposv_work(LAPACK_COL_MAJOR, 'L', m, 1, a, m, x, m) != 0) {
            abort();
        }
    }
    free(ready);
    free(a);
    free(x);
}

/* Of systems as large as those of the run are: the third root of the mean cube. */
static double solve_limit(const struct bench *b, const uint32_t *n, lapack_int *out_m)
{
    double sum = 0, begun;

    for (size_t i = 0; i < b->items_n; i++) {
        sum += pow((double)n[i], 3);
    }
    *out_m = (lapack_int)fmax(1, round(cbrt(sum / (double)b->items_n)));
    begun = now();
    pool_run(b->settings.threads, 100, LIMIT_SOLVES, solve_ready, out_m);
    return LIMIT_SOLVES / (now() - begun);
}

/* ---- the run ---- */

static void print_sweep(double seconds, double pairs, double limit)
{
    printf("sweep       %8.2f s   %6.1f M pairs/s, %.0f %% of the limit %.1f M/s (adding up in order)\n", seconds,
           pairs / seconds / 1e6, 100 * pairs / seconds / limit, limit / 1e6);
}

static void run(const struct bench *b)
{
    struct ridge_copy copy;
    struct ridge_sums sums;
    struct ridge_w w;
    lapack_int m;
    double begun = now(), copied, swept, limited, solved, done, solve_most, before_gib = peak_gib(), pairs;

    ridge_copy_of(&b->rows, &b->settings, &copy);
    copied = now();
    ridge_sweep(&copy, &b->settings, &sums);
    swept = now();
    solve_most = solve_limit(b, sums.near.n, &m);
    limited = now();
    ridge_solve(&copy, &b->settings, &sums);
    solved = now();
    w = ridge_by_source(&sums, b->items_n, b->settings.row_most);
    done = now();
    printf("copy        %8.2f s\n", copied - begun);
    pairs = (double)pairs_of(&copy.source, copy.rows_n) * (b->settings.alpha > 0 ? 1 : 0.5);
    print_sweep(swept - copied, pairs, add_limit(b, &copy));
    printf("solve       %8.2f s   %6.0f items/s, %.0f %% of the limit %.0f/s (Cholesky alone of %d x %d, %s)\n", solved - limited,
           (double)b->items_n / (solved - limited), 100 * (double)b->items_n / (solved - limited) / solve_most, solve_most,
           (int)m, (int)m, openblas_get_corename());
    printf("by source   %8.2f s   %u weights\n", done - solved, w.at[b->items_n]);
    printf("W           %8.2f s   peak %.2f GiB, of it rows handed in %.2f GiB\n", done - begun - (limited - swept), peak_gib(),
           before_gib);
    ridge_copy_free(&copy);
    ridge_sums_free(&sums, b->items_n);
    free(w.at);
    free(w.row);
}

static bool read_option(struct bench *b, const char *name, const char *value)
{
    if (strcmp(name, "--alpha") == 0) {
        b->settings.alpha = strtof(value, NULL);
    } else if (strcmp(name, "--items") == 0) {
        b->items_n = strtoull(value, NULL, 10);
    } else if (strcmp(name, "--events") == 0) {
        b->events_n = strtoull(value, NULL, 10);
    } else if (strcmp(name, "--customers") == 0) {
        b->settings.customers_min = strtoull(value, NULL, 10);
    } else if (strcmp(name, "--neighbours") == 0) {
        b->settings.neighbours = strtoull(value, NULL, 10);
    } else if (strcmp(name, "--threads") == 0) {
        b->settings.threads = strtoull(value, NULL, 10);
    } else {
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct bench b = {.items_n = 10000, .events_n = 2000000};

    cores_choose();
    b.settings = (struct ridge_settings){.gamma = 0.5f, .lambda = 1, .delta = 0.2f, .alpha = 1, .tau = 1, .neighbours = 100,
                                         .row_most = 100, .customers_min = 5, .threads = cores_n()};
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc || !read_option(&b, argv[i], argv[i + 1])) {
            fprintf(stderr, "usage: ridge_bench [--items N] [--events N] [--alpha A] [--customers N] [--neighbours M] "
                            "[--threads T]\n");
            return 1;
        }
    }
    make_rows(&b);
    printf("%zu items, %zu events in %zu visits, alpha %g, %zu neighbours, %zu customers at least, %zu threads\n", b.items_n,
           b.rows.at[b.rows.rows_n], b.rows.rows_n, (double)b.settings.alpha, b.settings.neighbours,
           b.settings.customers_min, b.settings.threads);
    run(&b);
    return 0;
}
