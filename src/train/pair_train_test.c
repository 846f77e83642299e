/* SPDX-License-Identifier: Apache-2.0 */
#include "train/pair_train.h"

#include "base/test.h"

#include <stdlib.h>

static void close_w(struct ridge_w *w)
{
    free(w->at);
    free(w->row);
}

static float weight_of(const struct ridge_w *w, uint32_t i, uint32_t j)
{
    for (uint32_t x = w->at[i]; x < w->at[i + 1]; x++) {
        if (w->row[x].item == j) {
            return w->row[x].weight;
        }
    }
    return 0;
}

/* Customer 0: 0 1 0 in steps 0 1 2. Customer 1: a basket of 1 and 2, two steps later 0.
 *     pairs   0-1: twice by customer 0, once by customer 1; 0-2 and 1-2 once
 *     rules   0 -> 1: 1; 1 -> 0: 1 + 1/2; 2 -> 0: 1/2; a basket's items do not follow each other; 0 does not follow itself */
TEST(pair_train_by_hand)
{
    size_t at[] = {0, 3, 6};
    uint32_t item[] = {0, 1, 0, 1, 2, 0}, customer[] = {0, 1};
    uint8_t step[] = {0, 1, 2, 0, 0, 2};
    const struct sequences s = {2, at, item, step, NULL, NULL, customer, 4};
    struct pair_settings settings = {.row_most = 10, .customers_min = 1, .threads = 1};
    struct ridge_w pair, rule;

    pair_train(&s, &settings, &pair, &rule);
    CHECK(pair.at[1] == 2 && pair.row[0].item == 1 && pair.row[1].item == 2);
    CHECK_NEAR((double)weight_of(&pair, 0, 1), 3);
    CHECK_NEAR((double)weight_of(&pair, 1, 0), 3);
    CHECK_NEAR((double)weight_of(&pair, 2, 1), 1);
    CHECK(pair.row[pair.at[2]].item == 0); /* of equal counts the smaller item */
    CHECK_INT(pair.at[4], 6);              /* item 3 has none */
    CHECK_NEAR((double)weight_of(&rule, 0, 1), 1);
    CHECK_NEAR((double)weight_of(&rule, 1, 0), 1.5);
    CHECK_NEAR((double)weight_of(&rule, 2, 0), 0.5);
    CHECK_INT(rule.at[4], 3);
    close_w(&pair);
    close_w(&rule);
    settings.customers_min = 2; /* 0 -> 1 was done by one customer only */
    pair_train(&s, &settings, &pair, &rule);
    CHECK_INT(pair.at[4], 2);
    CHECK_NEAR((double)weight_of(&pair, 0, 1), 3);
    CHECK_INT(rule.at[4], 1);
    CHECK_NEAR((double)weight_of(&rule, 1, 0), 1.5);
    close_w(&pair);
    close_w(&rule);
    settings = (struct pair_settings){.row_most = 10, .customers_min = 1, .has_self = true, .rule_steps = 1, .is_square = true};
    pair_train(&s, &settings, &pair, &rule);
    CHECK_NEAR((double)weight_of(&pair, 0, 0), 2); /* each of the two is met by the other */
    CHECK_NEAR((double)weight_of(&rule, 1, 0), 1); /* two steps are too far */
    close_w(&pair);
    close_w(&rule);
}

/* A pair of one customer who comes back between others stays one customer's. */
TEST(pair_train_counts_a_customer_once)
{
    size_t at[] = {0, 2, 4, 6, 8, 10};
    uint32_t item[] = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, customer[] = {7, 8, 7, 8, 7};
    uint8_t step[] = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
    const struct sequences s = {5, at, item, step, NULL, NULL, customer, 2};
    struct pair_settings settings = {.row_most = 10, .customers_min = 3};
    struct ridge_w pair, rule;

    pair_train(&s, &settings, &pair, &rule);
    CHECK_INT(pair.at[2] + rule.at[2], 0);
    close_w(&pair);
    close_w(&rule);
}

enum { ITEMS = 600, WAYS = 300, MOST = 12 };

struct planted {
    size_t at[WAYS + 1];
    uint32_t item[WAYS * MOST], customer[WAYS];
    uint8_t step[WAYS * MOST];
    struct sequences s;
};

static void plant(struct rng *rng, struct planted *p)
{
    p->at[0] = 0;
    for (size_t q = 0; q < WAYS; q++) {
        size_t n = 1 + (size_t)rng_below(rng, MOST);
        uint8_t step = 0;

        p->customer[q] = (uint32_t)rng_below(rng, 30);
        p->at[q + 1] = p->at[q] + n;
        for (size_t x = p->at[q]; x < p->at[q + 1]; x++) {
            p->item[x] = (uint32_t)(rng_coin(rng) ? rng_below(rng, 6) : rng_below(rng, ITEMS));
            p->step[x] = step;
            step = (uint8_t)(step + rng_below(rng, 3));
        }
    }
    p->s = (struct sequences){WAYS, p->at, p->item, p->step, NULL, NULL, p->customer, ITEMS};
}

/* What the formula says of one pair. */
static void plain(const struct planted *p, uint32_t i, uint32_t j, double *out_pair, double *out_rule, size_t *out_customers)
{
    bool has[30] = {false};

    *out_pair = *out_rule = 0;
    *out_customers = 0;
    for (size_t q = 0; q < WAYS; q++) {
        for (size_t x = p->at[q]; x < p->at[q + 1]; x++) {
            for (size_t y = p->at[q]; p->item[x] == i && y < p->at[q + 1]; y++) {
                int later = (int)p->step[y] - (int)p->step[x];

                if (x != y && p->item[y] == j) {
                    *out_pair += 1;
                    *out_rule += later > 0 && later <= PAIR_STEPS ? 1.0 / later : 0;
                    has[p->customer[q]] = true;
                }
            }
        }
    }
    for (size_t c = 0; c < 30; c++) {
        *out_customers += has[c];
    }
}

PROPERTY(pair_train_is_the_counts_for_any_threads)
{
    static struct planted p;
    struct pair_settings settings = {.row_most = MODEL_W_ROW_MAX, .customers_min = 1 + (size_t)rng_below(rng, 3), .threads = 1};
    struct ridge_w pair[2], rule[2];

    if (rng_below(rng, 20) > 0) {
        return; /* fifty draws are enough: each counts all */
    }
    plant(rng, &p);
    pair_train(&p.s, &settings, &pair[0], &rule[0]);
    settings.threads = 3;
    pair_train(&p.s, &settings, &pair[1], &rule[1]);
    for (int w = 0; w < 2; w++) {
        const struct ridge_w *of = w == 0 ? pair : rule;

        CHECK_SAME_BYTES(of[0].at, of[1].at, (ITEMS + 1) * sizeof(*of[0].at));
        CHECK_SAME_BYTES(of[0].row, of[1].row, of[0].at[ITEMS] * sizeof(*of[0].row));
    }
    for (uint32_t i = 0; i < 6; i++) {
        for (uint32_t j = 0; j < 6; j++) {
            double counted, ruled;
            size_t customers;

            plain(&p, i, j, &counted, &ruled, &customers);
            if (i != j) {
                CHECK_WITHIN((double)weight_of(&pair[0], i, j), customers >= settings.customers_min ? counted : 0, 1e-4);
            }
            if (i != j && settings.customers_min == 1) {
                CHECK_WITHIN((double)weight_of(&rule[0], i, j), ruled, 1e-3);
            }
        }
    }
    for (int k = 0; k < 2; k++) {
        close_w(&pair[k]);
        close_w(&rule[k]);
    }
}
