/* SPDX-License-Identifier: Apache-2.0 */
#include "train/ridge_copy.h"

#include "base/time.h"
#include "train/history.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OMEGA_LEAST 1e-20f /* a row that weighs less says nothing: products of it would leave the range of f32 */

struct making {
    struct ridge_copy *copy;
    const struct ridge_settings *settings;
    uint32_t *order; /* rows as they are taken */
    size_t *from;    /* by row of the copy: its first place in the caller's arrays */
    uint32_t *len;
    float *omega;
};

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
static void put_side(const struct making *making, size_t r, unsigned want, uint32_t *last, struct ridge_side *side)
{
    const struct ridge_rows *rows = making->copy->rows;
    uint32_t n = side->at[r];

    for (size_t x = making->from[r]; x < making->from[r] + making->len[r]; x++) {
        uint32_t i = rows->item[x];

        if ((want == 2 || rows->is_target[x] == want) && last[i] != r + 1) {
            last[i] = (uint32_t)r + 1;
            side->item[n++] = i;
        }
    }
    side->at[r + 1] = n;
}

static void fill_side(const struct making *making, unsigned want, struct ridge_side *side)
{
    const struct ridge_copy *copy = making->copy;
    uint32_t *last = history_zero(copy->items_n, sizeof(*last));

    side->at = history_zero(copy->rows_n + 1, sizeof(*side->at));
    side->item = history_grow(NULL, copy->rows->at[copy->rows->rows_n], sizeof(*side->item));
    for (size_t r = 0; r < copy->rows_n; r++) {
        put_side(making, r, want, last, side);
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

/* A row too light is left empty. */
static void weigh(const struct making *making)
{
    const struct ridge_copy *copy = making->copy;
    float by_len[RIDGE_ROW_MOST + 1], alpha = copy->alpha;

    for (size_t n = 0; n <= RIDGE_ROW_MOST; n++) {
        by_len[n] = n == 0 ? 0 : powf((float)n, -making->settings->gamma);
    }
    for (size_t r = 0; r < copy->rows_n; r++) {
        uint32_t sources = copy->source.at[r + 1] - copy->source.at[r];
        uint32_t targets = copy->target.at[r + 1] - copy->target.at[r];
        float x = alpha < 1 && sources > 0 ? 1.0f / (float)sources : 1.0f;
        float y = alpha < 1 && targets > 0 ? 1.0f / (float)targets : 1.0f;
        float omega = by_len[sources] * age_weight(copy->rows, making->settings, making->order[r]);

        making->omega[r] = omega < OMEGA_LEAST ? 0 : omega;
        copy->pair[r] = alpha * making->omega[r] * x * x;
        copy->across[r] = alpha * making->omega[r] * x * y;
    }
}

/* ---- Z and Y ---- */

/* What place p of a row of n leads to: gives the sum of decays; first: the place after its step. */
static float follow(const struct ridge_copy *copy, struct ridge_place *row, size_t n, size_t p, size_t first)
{
    size_t q = first, ahead = 0;
    float sum = 0;

    for (; q < n && ahead < RIDGE_AHEAD; q++) {
        if (row[q].is_target) {
            sum += copy->decay[row[q].step - row[p].step - 1];
            ahead++;
        }
    }
    row[p].until = (uint16_t)q;
    return sum;
}

static void lead_row(const struct making *making, size_t r, double *self)
{
    const struct ridge_copy *copy = making->copy;
    struct ridge_place *row = copy->place + copy->place_at[r];
    size_t n = copy->place_at[r + 1] - copy->place_at[r], first = 0;
    float weight = making->omega[r] * (1 - copy->alpha);

    for (size_t p = 0; p < n; p++) {
        bool is_source = !copy->is_apart || !row[p].is_target;
        float sum;

        assert(p == 0 || row[p].step >= row[p - 1].step);
        while (first < n && row[first].step <= row[p].step) {
            first++;
        }
        sum = follow(copy, row, n, p, first);
        row[p].lead = sum > 0 && is_source ? weight / sum : 0;
        /* the last step of a sequence was not seen through; where targets are apart, that nothing was bought is news */
        if (copy->is_apart ? is_source : sum > 0) {
            self[row[p].item] += (double)weight;
        }
    }
}

static void fill_places(const struct making *making, double *self)
{
    struct ridge_copy *copy = making->copy;
    const struct ridge_rows *rows = copy->rows;
    uint32_t n = 0;

    for (int d = 0; d < 256; d++) { /* never 0: sums of them divide */
        copy->decay[d] = expf(-fminf((float)d / making->settings->tau, 40));
    }
    copy->place_at = history_grow(NULL, copy->rows_n + 1, sizeof(*copy->place_at));
    copy->place = history_grow(NULL, rows->at[rows->rows_n], sizeof(*copy->place));
    copy->place_at[0] = 0;
    for (size_t r = 0; r < copy->rows_n; r++) {
        for (size_t x = making->from[r]; x < making->from[r] + making->len[r]; x++) {
            copy->place[n++] = (struct ridge_place){.item = rows->item[x], .step = rows->step[x],
                                                    .is_target = copy->is_apart ? rows->is_target[x] : 1};
        }
        copy->place_at[r + 1] = n;
        lead_row(making, r, self);
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

static void take_rows(struct making *making, bool is_counted)
{
    const struct ridge_rows *rows = making->copy->rows;

    making->order = order_of(rows, is_counted);
    making->from = history_grow(NULL, rows->rows_n, sizeof(*making->from));
    making->len = history_grow(NULL, rows->rows_n, sizeof(*making->len));
    making->omega = history_grow(NULL, rows->rows_n, sizeof(*making->omega));
    for (size_t r = 0; r < rows->rows_n; r++) {
        size_t end = rows->at[making->order[r] + 1], n = end - rows->at[making->order[r]];

        making->len[r] = (uint32_t)(n < RIDGE_ROW_MOST ? n : RIDGE_ROW_MOST); /* the newest stand last */
        making->from[r] = end - making->len[r];
    }
    if (is_counted) {
        number_customers(making->copy, making->order);
    }
}

void ridge_copy_of(const struct ridge_rows *rows, const struct ridge_settings *settings, struct ridge_copy *out_copy)
{
    struct ridge_copy copy = {.rows = rows, .alpha = settings->alpha, .rows_n = rows->rows_n, .items_n = rows->items_n,
                              .is_apart = rows->is_target != NULL};
    struct making making = {.copy = &copy, .settings = settings};
    double *self = history_zero(rows->items_n, sizeof(*self));

    assert(rows->at[rows->rows_n] < UINT32_MAX && rows->rows_n < UINT32_MAX);
    take_rows(&making, settings->customers_min > 1 || settings->doubt > 0);
    fill_side(&making, copy.is_apart ? 0 : 2, &copy.source);
    fill_postings(&copy, &copy.source);
    copy.target = copy.source;
    if (copy.is_apart) {
        fill_side(&making, 1, &copy.target);
        fill_postings(&copy, &copy.target);
    }
    copy.pair = history_grow(NULL, rows->rows_n, sizeof(*copy.pair));
    copy.across = history_grow(NULL, rows->rows_n, sizeof(*copy.across));
    weigh(&making);
    if (settings->alpha < 1) {
        fill_places(&making, self);
    }
    copy.self = history_grow(NULL, rows->items_n, sizeof(*copy.self));
    fill_self(&copy, settings, self);
    free(making.order);
    free(making.from);
    free(making.len);
    free(making.omega);
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
    free(copy->who);
    free(copy->pair);
    free(copy->across);
    free(copy->place_at);
    free(copy->place);
    free(copy->self);
    *copy = (struct ridge_copy){0};
}
