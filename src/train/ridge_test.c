/* SPDX-License-Identifier: Apache-2.0 */
#include "train/ridge.h"

#include "base/test.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

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

/* ---- against the obvious way ---- */

enum { MANY = 12, ROWS = 24, LONG = 9, PEOPLE = 6, NOW_DAYS = 400 };

struct random_rows {
    size_t at[ROWS + 1];
    uint32_t customer[ROWS], item[ROWS * LONG];
    uint8_t step[ROWS * LONG], is_target[ROWS * LONG];
    int64_t end_ms[ROWS];
    struct ridge_rows rows;
};

static bool is_in(const uint32_t *items, size_t n, uint32_t item)
{
    for (size_t k = 0; k < n; k++) {
        if (items[k] == item) {
            return true;
        }
    }
    return false;
}

/* Visits and customers in any order, empty rows among them; steps that stand still and skip, items met twice. */
static void random_rows(struct rng *rng, bool is_set, bool is_apart, struct random_rows *r)
{
    size_t n = 0;

    for (size_t row = 0; row < ROWS; row++) {
        size_t len = rng_below(rng, LONG + 1);
        uint8_t step = 0;

        r->at[row] = n;
        r->customer[row] = (uint32_t)(rng_below(rng, 2) | rng_below(rng, PEOPLE / 2) << 16); /* both digits of the sort matter */
        r->end_ms[row] = (int64_t)rng_below(rng, (NOW_DAYS + 5) * DAY_MS); /* some are after the moment */
        for (size_t x = 0; x < len; x++) {
            r->item[n] = (uint32_t)rng_below(rng, MANY);
            r->is_target[n] = rng_coin(rng);
            r->step[n++] = step;
            step = (uint8_t)(step + rng_below(rng, 3));
        }
    }
    r->at[ROWS] = n;
    r->rows = (struct ridge_rows){.at = r->at, .customer = r->customer, .item = r->item, .end_ms = r->end_ms, .rows_n = ROWS,
                                  .items_n = MANY, .now_ms = NOW_DAYS * DAY_MS, .step = is_set ? NULL : r->step,
                                  .is_target = is_apart ? r->is_target : NULL};
}

struct obvious { /* in double, by the letter of the header */
    double g[MANY][MANY], c[MANY][MANY];
    uint64_t g_who[MANY][MANY], c_who[MANY][MANY]; /* customers, a bit each */
    double lambda;
};

static bool is_source(const struct ridge_rows *rows, size_t x)
{
    return rows->is_target == NULL || rows->is_target[x] == 0;
}

static bool is_aim(const struct ridge_rows *rows, size_t x)
{
    return rows->is_target == NULL || rows->is_target[x] == 1;
}

/* X' O X and X' O Y of one row. */
static void obvious_sets(const struct ridge_rows *rows, size_t r, double omega, double alpha, uint64_t who, struct obvious *o)
{
    double x[MANY] = {0}, y[MANY] = {0}, xs = 0, ys = 0;

    for (size_t p = rows->at[r]; p < rows->at[r + 1]; p++) {
        x[rows->item[p]] = is_source(rows, p) ? 1 : x[rows->item[p]];
        y[rows->item[p]] = is_aim(rows, p) ? 1 : y[rows->item[p]];
    }
    for (size_t i = 0; i < MANY; i++) {
        xs += x[i];
        ys += y[i];
    }
    for (size_t i = 0; i < MANY && alpha > 0; i++) {
        for (size_t j = 0; j < MANY; j++) {
            double by = alpha == 1 ? 1 : xs, to = alpha == 1 ? 1 : ys;

            o->g[i][j] += x[i] * x[j] > 0 ? alpha * omega / by / by : 0;
            o->c[i][j] += x[i] * y[j] > 0 ? alpha * omega / by / to : 0;
            o->g_who[i][j] |= x[i] * x[j] > 0 ? who : 0;
            o->c_who[i][j] |= x[i] * y[j] > 0 ? who : 0;
        }
    }
}

/* Z' O Z and Z' O Y of one row. */
static void obvious_steps(const struct ridge_rows *rows, size_t r, double omega, const struct ridge_settings *s, uint64_t who,
                          struct obvious *o)
{
    for (size_t p = rows->at[r]; p < rows->at[r + 1]; p++) {
        double sum = 0;

        for (size_t q = p; q < rows->at[r + 1] && is_source(rows, p); q++) {
            sum += rows->step[q] > rows->step[p] && is_aim(rows, q) ?
                       exp(-(rows->step[q] - rows->step[p] - 1) / (double)s->tau) : 0;
        }
        if (is_source(rows, p) && (sum > 0 || rows->is_target != NULL)) {
            o->g[rows->item[p]][rows->item[p]] += (1 - (double)s->alpha) * omega;
        }
        for (size_t q = p; q < rows->at[r + 1] && sum > 0; q++) {
            if (rows->step[q] > rows->step[p] && is_aim(rows, q)) {
                o->c[rows->item[p]][rows->item[q]] += (1 - (double)s->alpha) * omega / sum *
                                                      exp(-(rows->step[q] - rows->step[p] - 1) / (double)s->tau);
                o->c_who[rows->item[p]][rows->item[q]] |= who;
            }
        }
    }
}

static size_t bits(uint64_t x)
{
    return (size_t)__builtin_popcountll(x);
}

static void obvious_sums(const struct ridge_rows *rows, const struct ridge_settings *s, struct obvious *o)
{
    uint64_t who_has[MANY] = {0};
    double sum = 0, n = 0;

    *o = (struct obvious){0};
    for (size_t r = 0; r < rows->rows_n; r++) {
        uint64_t who = UINT64_C(1) << ((rows->customer[r] & 1) | rows->customer[r] >> 16 << 1);
        double age = (double)(rows->now_ms - rows->end_ms[r]) / (double)DAY_MS, omega;
        uint32_t distinct[LONG];
        size_t len = 0;

        for (size_t p = rows->at[r]; p < rows->at[r + 1]; p++) {
            if (is_source(rows, p) && !is_in(distinct, len, rows->item[p])) {
                distinct[len++] = rows->item[p];
            }
            who_has[rows->item[p]] |= is_source(rows, p) ? who : 0;
        }
        omega = len == 0 ? 0 : pow((double)len, -(double)s->gamma);
        omega *= s->age_days > 0 && age > 0 ? exp(-age / (double)s->age_days) : 1;
        obvious_sets(rows, r, omega, (double)s->alpha, len > 0 ? who : 0, o);
        if (s->alpha < 1) {
            obvious_steps(rows, r, omega, s, who, o);
        }
    }
    for (size_t i = 0; i < MANY; i++) {
        bool is_counted = o->g[i][i] > 0 && bits(who_has[i]) >= s->customers_min;

        sum += is_counted ? o->g[i][i] : 0;
        n += is_counted ? 1 : 0;
    }
    o->lambda = (double)s->lambda * (n > 0 ? sum / n : 1);
}

static double trusted(const struct obvious *o, const struct ridge_settings *s, size_t i, size_t j)
{
    double n = (double)bits(o->c_who[i][j]);

    return o->c[i][j] * n / (n + (double)s->doubt);
}

/* The m sources of target j; false when it hangs by a hair which they are. */
static bool obvious_near(const struct obvious *o, const struct ridge_settings *s, size_t j, bool is_itself, bool near[MANY])
{
    double score[MANY], last = INFINITY;

    for (size_t i = 0; i < MANY; i++) {
        bool may = o->c[i][j] > 0 && bits(o->c_who[i][j]) >= s->customers_min && (i != j || is_itself);

        score[i] = may ? trusted(o, s, i, j) / sqrt(o->g[i][i] + o->lambda) : 0;
        near[i] = false;
    }
    for (size_t k = 0; k <= s->neighbours; k++) {
        size_t best = MANY;

        for (size_t i = 0; i < MANY; i++) {
            best = !near[i] && score[i] > 0 && (best == MANY || score[i] > score[best]) ? i : best;
        }
        if (best == MANY || k == s->neighbours) {
            return best == MANY || score[best] < last * (1 - 1e-4);
        }
        last = score[best];
        near[best] = true;
    }
    return true;
}

/* w of target j: Gauss. Gives the smallest pivot: above 0 where the system is positive definite. */
static double obvious_solve(const struct obvious *o, const struct ridge_settings *s, size_t j, const bool near[MANY],
                            double lambda, double out_w[MANY])
{
    double a[MANY][MANY + 1], least = INFINITY;

    for (size_t i = 0; i < MANY; i++) {
        for (size_t k = 0; k < MANY; k++) {
            a[i][k] = near[i] && near[k] && bits(o->g_who[i][k]) >= s->customers_min ? o->g[i][k] : 0;
        }
        a[i][i] = near[i] ? o->g[i][i] * (1 + (double)s->delta) + lambda : 1;
        a[i][MANY] = near[i] ? trusted(o, s, i, j) : 0;
    }
    for (size_t p = 0; p < MANY; p++) {
        least = near[p] ? fmin(least, a[p][p]) : least;
        for (size_t i = 0; i < MANY; i++) {
            double by = i == p ? 0 : a[i][p] / a[p][p];

            for (size_t k = p; k <= MANY && i != p; k++) {
                a[i][k] -= by * a[p][k];
            }
        }
    }
    for (size_t i = 0; i < MANY; i++) {
        out_w[i] = a[i][MANY] / a[i][i];
    }
    return least;
}

static struct ridge_settings random_settings(struct rng *rng, bool is_set)
{
    static const float alphas[] = {0, 0.5f, 0.8f};

    return (struct ridge_settings){
        .gamma = rng_coin(rng) ? 0.5f : -0.5f, .lambda = rng_coin(rng) ? 0.5f : 4, .delta = rng_coin(rng) ? 0.2f : 0,
        .alpha = is_set ? 1 : alphas[rng_below(rng, 3)], .tau = rng_coin(rng) ? 1 : 3,
        .age_days = rng_coin(rng) ? 100 : 0, .doubt = rng_coin(rng) ? 2 : 0,
        .neighbours = rng_coin(rng) ? 4 : MANY, .row_most = MANY, .customers_min = rng_coin(rng) ? 3 : 1, .threads = 1};
}

/* Two roads: f32, thinned lists and one sweep here, all of it in double there. */
PROPERTY(ridge_is_what_its_header_says)
{
    static struct random_rows r;
    bool is_set = rng_coin(rng), is_apart = rng_below(rng, 3) == 0;
    struct ridge_settings settings = random_settings(rng, is_set);
    struct obvious o;
    struct ridge_w w;

    random_rows(rng, is_set, is_apart, &r);
    w = ridge_train(&r.rows, &settings);
    obvious_sums(&r.rows, &settings, &o);
    for (uint32_t j = 0; j < MANY; j++) {
        double wanted[MANY], lambda = o.lambda, least;
        bool near[MANY];

        if (!obvious_near(&o, &settings, j, !is_set || is_apart, near)) {
            continue;
        }
        /* pairs of too few customers left out, G may not be positive definite any more */
        while ((least = obvious_solve(&o, &settings, j, near, lambda, wanted)) <= 0) {
            lambda *= 4;
        }
        if (least < lambda / 100) {
            continue; /* f32 may see it otherwise */
        }
        for (uint32_t i = 0; i < MANY; i++) {
            CHECK_WITHIN((double)weight_of(&w, i, j), wanted[i], 2e-4 * (1 + fabs(wanted[i])));
        }
    }
    for (uint32_t i = 0; i < MANY; i++) { /* rows: largest first */
        for (uint32_t k = w.at[i] + 1; k < w.at[i + 1]; k++) {
            CHECK(fabsf(w.row[k - 1].weight) >= fabsf(w.row[k].weight));
        }
    }
    free_w(&w);
}

/* More items than one piece, so that threads have something to share. */
PROPERTY(ridge_is_the_same_for_any_number_of_threads)
{
    enum { WIDE = 300, BASKETS = 400, EACH = 6 };
    static size_t at[BASKETS + 1];
    static uint32_t customer[BASKETS], item[BASKETS * EACH];
    static uint8_t step[BASKETS * EACH];
    struct ridge_rows rows = {.at = at, .customer = customer, .item = item, .step = step, .rows_n = BASKETS, .items_n = WIDE};
    struct ridge_settings settings = {.gamma = 0.5f, .lambda = 1, .delta = 0.2f, .neighbours = 20, .alpha = 0.5f, .tau = 2,
                                      .row_most = 10, .customers_min = rng_coin(rng) ? 2 : 1, .threads = 1};
    struct ridge_w one, many;

    if (rng_below(rng, 50) != 0) {
        return; /* dear: a fiftieth of the seeds is enough */
    }
    for (size_t x = 0; x < BASKETS * EACH; x++) {
        item[x] = (uint32_t)rng_below(rng, 1 + rng_below(rng, WIDE));
        step[x] = (uint8_t)(x % EACH / 2);
        customer[x / EACH] = (uint32_t)rng_below(rng, 50);
        at[x / EACH + 1] = (x / EACH + 1) * EACH;
    }
    one = ridge_train(&rows, &settings);
    settings.threads = 3;
    many = ridge_train(&rows, &settings);
    CHECK(one.at[WIDE] > WIDE); /* something was learnt */
    CHECK_SAME_BYTES(one.at, many.at, (WIDE + 1) * sizeof(*one.at));
    CHECK_SAME_BYTES(one.row, many.row, one.at[WIDE] * sizeof(*one.row));
    free_w(&one);
    free_w(&many);
}

/* ---- planted truths and edges ---- */

static struct ridge_w learn_steps(const uint32_t *items, size_t rows_n, size_t each, size_t items_n,
                                  struct ridge_settings settings)
{
    size_t *at = calloc(rows_n + 1, sizeof(*at));
    uint32_t *customer = calloc(rows_n + 1, sizeof(*customer));
    uint8_t *step = calloc(rows_n * each + 1, 1);
    struct ridge_w w;

    for (size_t r = 0; r < rows_n; r++) {
        at[r + 1] = (r + 1) * each;
        customer[r] = (uint32_t)r;
        for (size_t k = 0; k < each; k++) {
            step[r * each + k] = (uint8_t)k;
        }
    }
    w = ridge_train(&(struct ridge_rows){.at = at, .customer = customer, .item = items, .step = step, .rows_n = rows_n,
                                         .items_n = items_n}, &settings);
    free(at);
    free(customer);
    free(step);
    return w;
}

static const struct ridge_settings plain = {.lambda = 0.1f, .alpha = 0, .tau = 1, .neighbours = 10, .row_most = 10,
                                            .customers_min = 5, .threads = 1};

/* Item 1 always follows item 0, item 0 follows itself never. */
TEST(ridge_of_steps_knows_what_comes_first)
{
    static const uint32_t items[] = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
    struct ridge_w w = learn_steps(items, 6, 2, 2, plain);

    CHECK_WITHIN((double)weight_of(&w, 0, 1), 6 / 6.6, 1e-6); /* C = 6, G = 6, lambda .1 x 6 */
    CHECK_INT(w.at[2], 1);
    free_w(&w);
}

/* An item bought again and again leads to itself, where steps count; in sets it cannot. */
TEST(ridge_of_steps_lets_an_item_lead_to_itself)
{
    static const uint32_t items[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    struct ridge_settings sets = plain;
    struct ridge_w w = learn_steps(items, 5, 2, 1, plain), none;

    CHECK_WITHIN((double)weight_of(&w, 0, 0), 1 / 1.1, 1e-6);
    sets.alpha = 1;
    none = learn_steps(items, 5, 2, 1, sets);
    CHECK_INT(none.at[1], 0);
    free_w(&w);
    free_w(&none);
}

/* One row of 61 items after the first: the last is too far ahead. */
TEST(ridge_of_steps_looks_sixty_items_ahead)
{
    uint32_t items[62];
    struct ridge_settings settings = plain;
    struct ridge_w w;

    for (uint32_t k = 0; k < 62; k++) {
        items[k] = k;
    }
    settings.tau = 1000;
    settings.customers_min = 1;
    settings.neighbours = 100;
    settings.row_most = 100;
    w = learn_steps(items, 1, 62, 62, settings);
    CHECK(weight_of(&w, 0, 60) > 0 && weight_of(&w, 1, 61) > 0);
    CHECK(weight_of(&w, 0, 61) == 0);
    free_w(&w);
}

/* P7. Five visits of two customers, their rows taking turns: two customers, not five. */
TEST(ridge_counts_customers_whose_rows_take_turns)
{
    size_t at[7];
    uint32_t customer[6], item[12];
    struct ridge_rows rows = {.at = at, .customer = customer, .item = item, .rows_n = 6, .items_n = 2};
    struct ridge_settings settings = plain;
    struct ridge_w w;

    for (uint32_t r = 0; r < 6; r++) {
        at[r] = 2 * r;
        customer[r] = r % 2;
        item[2 * r] = 0;
        item[2 * r + 1] = 1;
    }
    at[6] = 12;
    settings.alpha = 1;
    for (size_t least = 1; least <= 3; least++) {
        settings.customers_min = least;
        w = ridge_train(&rows, &settings);
        CHECK_INT(w.at[2], least <= 2 ? 2 : 0);
        free_w(&w);
    }
}

/* A customer of a million purchases in one row costs no more than the newest thousand. */
TEST(ridge_takes_the_newest_of_a_row_without_end)
{
    enum { ENDLESS = 1000000, ITEMS = 5000 };
    size_t at[2] = {0, ENDLESS};
    uint32_t customer = 7, *item = calloc(ENDLESS, sizeof(*item));
    struct ridge_settings settings = plain;
    struct ridge_w w;

    for (uint32_t x = 0; x < ENDLESS; x++) {
        item[x] = x < ENDLESS - 2 ? x % (ITEMS - 2) : ITEMS - (ENDLESS - x);
    }
    settings.alpha = 1;
    settings.customers_min = 1;
    settings.row_most = 200;
    w = ridge_train(&(struct ridge_rows){.at = at, .customer = &customer, .item = item, .rows_n = 1, .items_n = ITEMS},
                    &settings);
    CHECK_INT(w.at[1] - w.at[0], 200); /* one of the newest: 4,398 to 4,997 and 0 to 397 */
    CHECK_INT(w.at[1001] - w.at[1000], 0);
    free(item);
    free_w(&w);
}

TEST(ridge_of_nothing_is_empty)
{
    size_t at[3] = {0, 0, 0};
    uint32_t customer[2] = {1, 1}, item[1] = {0};
    struct ridge_rows rows = {.at = at, .customer = customer, .item = item, .rows_n = 0, .items_n = 0};
    struct ridge_settings settings = plain;

    settings.alpha = 1;
    for (size_t rows_n = 0; rows_n <= 2; rows_n++) {
        for (size_t items_n = 0; items_n <= 1; items_n++) {
            struct ridge_w w;

            rows.rows_n = rows_n;
            rows.items_n = items_n;
            w = ridge_train(&rows, &settings);
            CHECK_INT(w.at[items_n], 0);
            free_w(&w);
        }
    }
}

/* Twins in every row and no lambda to speak of: the system is all but singular, and W is finite still. */
TEST(ridge_of_twins_is_finite)
{
    static const uint32_t items[] = {0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2};
    struct ridge_settings settings = plain;
    struct ridge_w w;

    settings.alpha = 1;
    settings.lambda = 0;
    w = learn_steps(items, 6, 3, 3, settings);
    CHECK_INT(w.at[3], 6);
    for (uint32_t k = 0; k < w.at[3]; k++) {
        CHECK(w.row[k].weight > 0.4f && w.row[k].weight < 0.6f);
    }
    free_w(&w);
}
