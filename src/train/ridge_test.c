/* SPDX-License-Identifier: Apache-2.0 */
#include "train/ridge.h"

#include "base/test.h"
#include "train/history.h"

#include <stdlib.h>

static float weight_of(const struct ridge_w *w, uint32_t from, uint32_t to)
{
    for (uint32_t k = w->at[from]; k < w->at[from + 1]; k++) {
        if (w->row[k].item == to) {
            return w->row[k].weight;
        }
    }
    return 0;
}

static void free_w(struct ridge_w *w)
{
    free(w->at);
    free(w->row);
}

/* Items 0 and 1 are bought together by six customers, 2 and 3 by six others; gamma 0, lambda 1 x mean(G_ii) = 6, delta 0.
 * G_ii = 6, G_01 = 6: w = 6 / (6 + 6) = .5 within a pair and nothing between pairs. */
TEST(ridge_of_four_items_by_hand)
{
    size_t at[13];
    uint32_t customer[12], item[24];
    struct ridge_rows rows = {.at = at, .customer = customer, .item = item, .rows_n = 12, .items_n = 4};
    struct ridge_settings settings = {.lambda = 1, .neighbours = 3, .alpha = 1, .row_most = 100, .customers_min = 5,
                                      .threads = 1};
    struct ridge_w w;

    for (uint32_t r = 0; r < 12; r++) {
        at[r] = 2 * r;
        customer[r] = r;
        item[2 * r] = r < 6 ? 0 : 2;
        item[2 * r + 1] = r < 6 ? 1 : 3;
    }
    at[12] = 24;
    w = ridge_train(&rows, &settings);
    CHECK_WITHIN((double)weight_of(&w, 0, 1), 0.5, 1e-6);
    CHECK_WITHIN((double)weight_of(&w, 3, 2), 0.5, 1e-6);
    CHECK_INT(w.at[1] - w.at[0], 1);
    CHECK(weight_of(&w, 0, 2) == 0 && weight_of(&w, 0, 0) == 0);
    free_w(&w);
}

/* P7. What four customers did is not published, what five did is. */
TEST(ridge_says_nothing_of_fewer_than_five_customers)
{
    size_t at[9];
    uint32_t customer[8], item[16];
    struct ridge_rows rows = {.at = at, .customer = customer, .item = item, .rows_n = 8, .items_n = 2};
    struct ridge_settings settings = {.lambda = 1, .neighbours = 3, .alpha = 1, .row_most = 100, .customers_min = 5,
                                      .threads = 1};

    for (uint32_t people = 4; people <= 5; people++) {
        struct ridge_w w;

        for (uint32_t r = 0; r < 8; r++) { /* eight rows, but of few customers */
            at[r] = 2 * r;
            customer[r] = r < people ? r : people - 1;
            item[2 * r] = 0;
            item[2 * r + 1] = 1;
        }
        at[8] = 16;
        w = ridge_train(&rows, &settings);
        CHECK_INT(w.at[2], people < 5 ? 0 : 2);
        free_w(&w);
    }
}

enum { MANY = 30, CUSTOMERS = 60 };

struct random_rows {
    size_t at[CUSTOMERS + 1];
    uint32_t customer[CUSTOMERS], item[CUSTOMERS * MANY];
    struct ridge_rows rows;
};

static void random_rows(struct rng *rng, struct random_rows *r)
{
    size_t n = 0;

    for (uint32_t c = 0; c < CUSTOMERS; c++) {
        r->at[c] = n;
        r->customer[c] = c;
        for (uint32_t i = 0; i < MANY; i++) {
            if (rng_below(rng, 3) != 0) { /* dense: no pair of fewer than five customers */
                r->item[n++] = i;
            }
        }
    }
    r->at[CUSTOMERS] = n;
    r->rows = (struct ridge_rows){.at = r->at, .customer = r->customer, .item = r->item, .rows_n = CUSTOMERS, .items_n = MANY};
}

/* The obvious way: G in full, Gauss elimination in double. */
static void dense(const struct random_rows *r, const struct ridge_settings *s, uint32_t target, double out_w[MANY])
{
    double g[MANY][MANY] = {{0}}, a[MANY][MANY + 1], mean = 0;

    for (size_t row = 0; row < CUSTOMERS; row++) {
        double omega = pow((double)(r->at[row + 1] - r->at[row]), -(double)s->gamma);

        for (size_t x = r->at[row]; x < r->at[row + 1]; x++) {
            for (size_t y = r->at[row]; y < r->at[row + 1]; y++) {
                g[r->item[x]][r->item[y]] += omega;
            }
        }
    }
    for (int i = 0; i < MANY; i++) {
        mean += g[i][i] / MANY;
    }
    for (uint32_t i = 0; i < MANY; i++) {
        for (uint32_t k = 0; k < MANY; k++) {
            a[i][k] = i == target || k == target ? (i == k) : g[i][k];
        }
        a[i][i] += i == target ? 0 : (double)s->lambda * mean + (double)s->delta * g[i][i];
        a[i][MANY] = i == target ? 0 : g[i][target];
    }
    for (int p = 0; p < MANY; p++) {
        for (int i = 0; i < MANY; i++) {
            double by = i == p ? 0 : a[i][p] / a[p][p];

            for (int k = p; k <= MANY && i != p; k++) {
                a[i][k] -= by * a[p][k];
            }
        }
    }
    for (int i = 0; i < MANY; i++) {
        out_w[i] = a[i][MANY] / a[i][i];
    }
}

/* Two roads: with as many neighbours as items the local solution is the dense one. */
PROPERTY(ridge_with_all_neighbours_is_the_dense_solution)
{
    static struct random_rows r;
    struct ridge_settings settings = {.gamma = 0.5f, .lambda = 0.5f, .delta = 0.2f, .neighbours = MANY, .alpha = 1, .row_most = 100, .customers_min = 5,
                                      .threads = 1};
    struct ridge_w w;
    double wanted[MANY];
    uint32_t target = (uint32_t)rng_below(rng, MANY);

    if (rng_below(rng, 20) != 0) {
        return; /* dear: a twentieth of the seeds is enough */
    }
    random_rows(rng, &r);
    w = ridge_train(&r.rows, &settings);
    dense(&r, &settings, target, wanted);
    for (uint32_t i = 0; i < MANY; i++) {
        CHECK_WITHIN((double)weight_of(&w, i, target), wanted[i], 2e-4);
    }
    free_w(&w);
}

PROPERTY(ridge_is_the_same_for_any_number_of_threads)
{
    static struct random_rows r;
    struct ridge_settings settings = {.gamma = 0.5f, .lambda = 1, .delta = 0.2f, .neighbours = 10, .alpha = 1, .row_most = 100, .customers_min = 5,
                                      .threads = 1};
    struct ridge_w one, many;

    if (rng_below(rng, 20) != 0) {
        return;
    }
    random_rows(rng, &r);
    one = ridge_train(&r.rows, &settings);
    settings.threads = 3;
    many = ridge_train(&r.rows, &settings);
    CHECK_SAME_BYTES(one.at, many.at, (MANY + 1) * sizeof(*one.at));
    CHECK_SAME_BYTES(one.row, many.row, one.at[MANY] * sizeof(*one.row));
    free_w(&one);
    free_w(&many);
}
