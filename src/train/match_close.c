/* SPDX-License-Identifier: Apache-2.0 */
/* Guarded closure. Links are followed heaviest first. Two groups become one only if what is known of ALL their pairs, linked or
 * not, speaks for it on the mean, and, once either has more than one row, two links hold or the mean itself is a link. One false
 * link between two families meets many pairs that say no. Refused links are tried again after others were followed. */
#include "train/history.h"
#include "train/match_inside.h"

#include <math.h>
#include <stdlib.h>

enum { ASKED_MAX = 256, ROUNDS_MAX = 4 }; /* pairs asked of two groups; a larger product is thinned evenly */

struct closing {
    const struct match_rows *rows;
    struct match_result *result;
    uint32_t *next; /* a ring a component */
    uint32_t *size; /* by the component's first row */
    double link_from;
};

static void look_across(const struct closing *closing, uint32_t a, uint32_t b, double *out_mean, size_t *out_links_n)
{
    uint32_t *component = closing->result->component;
    size_t product = (size_t)closing->size[component[a]] * closing->size[component[b]];
    size_t step = (product + ASKED_MAX - 1) / ASKED_MAX, at = 0, n = 0;
    uint32_t x = a, y;

    *out_mean = 0;
    *out_links_n = 0;
    do {
        y = b;
        do {
            if (at++ % step == 0) {
                uint32_t levels = match_levels(closing->rows, x, y);
                double weight = match_weight(closing->rows, &closing->result->model, x, y, levels);

                *out_mean += weight;
                *out_links_n += weight >= closing->link_from && match_is_person(closing->rows, &closing->result->model, levels);
                n++;
            }
            y = closing->next[y];
        } while (y != b);
        x = closing->next[x];
    } while (x != a);
    *out_mean /= (double)n;
}

static void join(struct closing *closing, uint32_t a, uint32_t b)
{
    uint32_t *component = closing->result->component;
    uint32_t to = component[a] < component[b] ? component[a] : component[b];
    uint32_t from = component[a] < component[b] ? component[b] : component[a];
    uint32_t swap = closing->next[to], at = from;

    closing->result->components_n += closing->size[to] == 1 && closing->size[from] == 1;
    closing->result->components_n -= closing->size[to] > 1 && closing->size[from] > 1;
    closing->size[to] += closing->size[from];
    do {
        component[at] = to;
        at = closing->next[at];
    } while (at != from);
    closing->next[to] = closing->next[from];
    closing->next[from] = swap;
}

static bool may_join(const struct closing *closing, uint32_t a, uint32_t b)
{
    const uint32_t *component = closing->result->component;
    uint32_t a_n = closing->size[component[a]], b_n = closing->size[component[b]];
    double mean;
    size_t links_n;

    if (a_n + b_n > closing->rows->options->component_most) {
        return false;
    }
    if (a_n == 1 && b_n == 1) {
        return true;
    }
    look_across(closing, a, b, &mean, &links_n);
    return mean >= closing->link_from || (links_n >= 2 && mean > 0);
}

void match_close(const struct match_rows *rows, struct match_result *result)
{
    size_t n = rows->table->rows_n;
    double link = rows->options->link_at;
    struct closing closing = {rows, result, history_grow(NULL, n + 1, sizeof(uint32_t)),
                              history_grow(NULL, n + 1, sizeof(uint32_t)), log(link / (1 - link))};
    bool is_changed = true;

    for (size_t i = 0; i < n; i++) {
        result->component[i] = closing.next[i] = (uint32_t)i;
        closing.size[i] = 1;
    }
    for (int round = 0; is_changed && round < ROUNDS_MAX; round++) {
        is_changed = false;
        for (size_t i = 0; i < result->pairs_n; i++) {
            const struct match_pair *pair = &result->pairs[i];

            if (pair->verdict == MATCH_LINK && result->component[pair->a] != result->component[pair->b] &&
                may_join(&closing, pair->a, pair->b)) {
                join(&closing, pair->a, pair->b);
                is_changed = true;
            }
        }
    }
    for (size_t i = 0; i < result->pairs_n; i++) {
        struct match_pair *pair = &result->pairs[i];

        if (pair->verdict == MATCH_LINK && result->component[pair->a] != result->component[pair->b]) {
            pair->verdict = MATCH_GUARDED;
        }
    }
    free(closing.next);
    free(closing.size);
}
