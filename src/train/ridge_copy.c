/* SPDX-License-Identifier: Apache-2.0 */
#include "train/ridge_copy.h"

#include "base/time.h"
#include "train/history.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OMEGA_LEAST 1e-20f /* a row that weighs less says nothing: products of it would leave the range of f32 */

/* ---- the order of rows ---- */

static void sort_digit(const uint32_t *key, const uint32_t *from, uint32_t *to, size_t n, int shift)
{
    size_t *at = history_zero(65537, sizeof(*at));

    for (size_t r = 0; r < n; r++) {
        at[((key[r] >> shift) & 0xffff) + 1]++;
    }
    for (size_t d = 0; d < 65536; d++) {
        at[d + 1] += at[d];
    }
    for (size_t k = 0; k < n; k++) {
        to[at[(key[from[k]] >> shift) & 0xffff]++] = from[k];
    }
    free(at);
}

/* Row numbers by customer, of one customer as they came. */
static uint32_t *order_of(const struct ridge_rows *rows, bool is_by_customer)
{
    uint32_t *order = history_grow(NULL, rows->rows_n, sizeof(*order)), *other;
    bool is_sorted = true;

    for (size_t r = 0; r < rows->rows_n; r++) {
        order[r] = (uint32_t)r;
        is_sorted = is_sorted && (r == 0 || rows->customer[r - 1] <= rows->customer[r]);
    }
    if (is_by_customer && !is_sorted) {
        other = history_grow(NULL, rows->rows_n, sizeof(*other));
        sort_digit(rows->customer, order, other, rows->rows_n, 0);
        sort_digit(rows->customer, other, order, rows->rows_n, 16);
        free(other);
    }
    return order;
}

static void number_customers(struct ridge_copy *copy, const uint32_t *order)
{
    uint32_t who = 0;

    copy->who = history_grow(NULL, copy->rows_n, sizeof(*copy->who));
    for (size_t r = 0; r < copy->rows_n; r++) {
        who += r == 0 || copy->rows->customer[order[r]] != copy->rows->customer[order[r - 1]];
        copy->who[r] = who;
    }
    assert(who < UINT32_C(1) << 26);
}

/* ---- X ---- */

/* Each item of the row once. want: the kind of item; 2: any. */
static void put_side(const struct ridge_copy *copy, size_t r, unsigned want, uint32_t *last, struct ridge_side *side)
{
    const struct ridge_rows *rows = copy->rows;
    uint32_t n = side->at[r];

    for (size_t x = copy->from[r]; x < copy->from[r] + copy->len[r]; x++) {
        uint32_t i = rows->item[x];

        if ((want == 2 || rows->is_target[x] == want) && last[i] != r + 1) {
            last[i] = (uint32_t)r + 1;
            side->item[n++] = i;
        }
    }
    side->at[r + 1] = n;
}

static void fill_side(const struct ridge_copy *copy, unsigned want, struct ridge_side *side)
{
    uint32_t *last = history_zero(copy->items_n, sizeof(*last));

    side->at = history_zero(copy->rows_n + 1, sizeof(*side->at));
    side->item = history_grow(NULL, copy->rows->at[copy->rows->rows_n], sizeof(*side->item));
    for (size_t r = 0; r < copy->rows_n; r++) {
        put_side(copy, r, want, last, side);
    }
    free(last);
}

static void fill_postings(const struct ridge_copy *copy, struct ridge_side *side)
{
    uint32_t *at = history_zero(copy->items_n + 2, sizeof(*at));

    side->posting = history_grow(NULL, side->at[copy->rows_n], sizeof(*side->posting));
    for (size_t x = 0; x < side->at[copy->rows_n]; x++) {
        at[side->item[x] + 2]++;
    }
    for (size_t i = 0; i <= copy->items_n; i++) {
        at[i + 1] += at[i];
    }
    for (size_t r = 0; r < copy->rows_n; r++) {
        for (uint32_t x = side->at[r]; x < side->at[r + 1]; x++) {
            side->posting[at[side->item[x] + 1]++] = (uint32_t)r;
        }
    }
    side->posting_at = at;
}

/* ---- weights ---- */

static float age_weight(const struct ridge_rows *rows, const struct ridge_settings *settings, size_t row)
{
    double days;

    if (settings->age_days <= 0 || rows->end_ms == NULL) {
        return 1;
    }
    days = (double)(rows->now_ms - rows->end_ms[row]) / (double)DAY_MS;
    return days > 0 ? (float)exp(-days / (double)settings->age_days) : 1;
}

/* omega by row; a row too light is left empty. */
static float *weigh(const struct ridge_copy *copy, const struct ridge_settings *settings, const uint32_t *order)
{
    float *omega = history_grow(NULL, copy->rows_n, sizeof(*omega));
    float by_len[RIDGE_ROW_MOST + 1];

    for (size_t n = 0; n <= RIDGE_ROW_MOST; n++) {
        by_len[n] = n == 0 ? 0 : powf((float)n, -settings->gamma);
    }
    for (size_t r = 0; r < copy->rows_n; r++) {
        uint32_t sources = copy->source.at[r + 1] - copy->source.at[r], targets = copy->target.at[r + 1] - copy->target.at[r];
        float alpha = settings->alpha, x = alpha < 1 && sources > 0 ? 1.0f / (float)sources : 1.0f;
        float y = alpha < 1 && targets > 0 ? 1.0f / (float)targets : 1.0f;

        omega[r] = by_len[sources] * age_weight(copy->rows, settings, order[r]);
        omega[r] = omega[r] < OMEGA_LEAST ? 0 : omega[r];
        copy->pair[r] = alpha * omega[r] * x * x;
        copy->across[r] = alpha * omega[r] * x * y;
    }
    return omega;
}

/* ---- Z and Y ---- */

/* What place p of a row leads to: gives the sum of decays; *out_until: one past the last of them. */
static float follow(const struct ridge_copy *copy, size_t r, uint32_t p, uint32_t first, uint32_t *out_until)
{
    const struct ridge_rows *rows = copy->rows;
    const uint8_t *step = rows->step + copy->from[r];
    const uint8_t *is_target = copy->is_apart ? rows->is_target + copy->from[r] : NULL;
    uint32_t q = first, ahead = 0;
    float sum = 0;

    for (; q < copy->len[r] && ahead < RIDGE_AHEAD; q++) {
        if (is_target == NULL || is_target[q]) {
            sum += copy->decay[step[q] - step[p] - 1];
            ahead++;
        }
    }
    *out_until = q;
    return sum;
}

static void lead_row(struct ridge_copy *copy, size_t r, float omega, double *self)
{
    const struct ridge_rows *rows = copy->rows;
    const uint8_t *step = rows->step + copy->from[r];
    uint32_t first = 0, until;

    for (uint32_t p = 0; p < copy->len[r]; p++) {
        size_t x = copy->from[r] + p;
        float sum;

        assert(p == 0 || step[p] >= step[p - 1]);
        while (first < copy->len[r] && step[first] <= step[p]) {
            first++;
        }
        sum = follow(copy, r, p, first, &until);
        copy->until[x] = (uint16_t)until;
        copy->lead[x] = sum > 0 && !(copy->is_apart && rows->is_target[x]) ? omega * (1 - copy->alpha) / sum : 0;
        /* the last step of a sequence was not seen through; where targets are apart, that nothing was bought is news */
        if (copy->is_apart ? !rows->is_target[x] : sum > 0) {
            self[rows->item[x]] += (double)(omega * (1 - copy->alpha));
        }
    }
}

static void fill_self(struct ridge_copy *copy, const struct ridge_settings *settings, double *self)
{
    uint32_t *customers = history_zero(copy->items_n, sizeof(*customers));
    uint32_t *last = history_zero(copy->items_n, sizeof(*last));
    double sum = 0;
    size_t n = 0;

    for (size_t r = 0; r < copy->rows_n; r++) {
        for (uint32_t x = copy->source.at[r]; x < copy->source.at[r + 1]; x++) {
            uint32_t i = copy->source.item[x], who = copy->who != NULL ? copy->who[r] : (uint32_t)r + 1;

            self[i] += (double)copy->pair[r];
            customers[i] += last[i] != who;
            last[i] = who;
        }
    }
    for (size_t i = 0; i < copy->items_n; i++) {
        copy->self[i] = (float)self[i];
        if (self[i] > 0 && customers[i] >= settings->customers_min) {
            sum += self[i];
            n++;
        }
    }
    copy->mean_self = n > 0 ? (float)(sum / (double)n) : 1.0f;
    free(customers);
    free(last);
}

void ridge_copy_of(const struct ridge_rows *rows, const struct ridge_settings *settings, struct ridge_copy *out_copy)
{
    struct ridge_copy copy = {.rows = rows, .alpha = settings->alpha, .rows_n = rows->rows_n, .items_n = rows->items_n,
                              .is_apart = rows->is_target != NULL};
    bool is_counted = settings->customers_min > 1 || settings->doubt > 0;
    uint32_t *order = order_of(rows, is_counted);
    double *self = history_zero(rows->items_n, sizeof(*self));
    float *omega;

    assert(rows->at[rows->rows_n] < UINT32_MAX && rows->rows_n < UINT32_MAX);
    copy.from = history_grow(NULL, rows->rows_n, sizeof(*copy.from));
    copy.len = history_grow(NULL, rows->rows_n, sizeof(*copy.len));
    for (size_t r = 0; r < rows->rows_n; r++) {
        size_t n = rows->at[order[r] + 1] - rows->at[order[r]];

        copy.len[r] = (uint32_t)(n < RIDGE_ROW_MOST ? n : RIDGE_ROW_MOST); /* the newest stand last */
        copy.from[r] = rows->at[order[r] + 1] - copy.len[r];
    }
    if (is_counted) {
        number_customers(&copy, order);
    }
    fill_side(&copy, copy.is_apart ? 0 : 2, &copy.source);
    fill_postings(&copy, &copy.source);
    copy.target = copy.source;
    if (copy.is_apart) {
        fill_side(&copy, 1, &copy.target);
        fill_postings(&copy, &copy.target);
    }
    copy.pair = history_grow(NULL, rows->rows_n, sizeof(*copy.pair));
    copy.across = history_grow(NULL, rows->rows_n, sizeof(*copy.across));
    omega = weigh(&copy, settings, order);
    if (settings->alpha < 1) {
        for (int d = 0; d < 256; d++) {
            copy.decay[d] = expf(-fminf((float)d / settings->tau, 40)); /* never 0: sums of them divide */
        }
        copy.lead = history_grow(NULL, rows->at[rows->rows_n], sizeof(*copy.lead));
        copy.until = history_grow(NULL, rows->at[rows->rows_n], sizeof(*copy.until));
        for (size_t r = 0; r < rows->rows_n; r++) {
            lead_row(&copy, r, omega[r], self);
        }
    }
    copy.self = history_grow(NULL, rows->items_n, sizeof(*copy.self));
    fill_self(&copy, settings, self);
    free(omega);
    free(order);
    free(self);
    *out_copy = copy;
}

static void free_side(struct ridge_side *side)
{
    free(side->at);
    free(side->item);
    free(side->posting_at);
    free(side->posting);
}

void ridge_copy_free(struct ridge_copy *copy)
{
    free_side(&copy->source);
    if (copy->is_apart) {
        free_side(&copy->target);
    }
    free(copy->from);
    free(copy->len);
    free(copy->who);
    free(copy->pair);
    free(copy->across);
    free(copy->lead);
    free(copy->until);
    free(copy->self);
    *copy = (struct ridge_copy){0};
}
