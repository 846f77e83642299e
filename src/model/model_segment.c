/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_segment.h"

#include "model/model_inside.h"

#include <assert.h>
#include <math.h>

const char *model_segment_word(enum model_segment_kind kind)
{
    static const char *const words[MODEL_SEGMENTS_] = {"store", "spend-frequency", "store-frequency", "groups"};

    assert(kind < MODEL_SEGMENTS_);
    return words[kind];
}

const struct model_segments *model_segments(const struct model *model)
{
    return model->segments;
}

static struct store_id home_of(const struct part *life)
{
    struct store_id stores[PART_BASKETS];
    size_t times[PART_BASKETS], n = 0, best = 0;

    for (size_t i = 0; i < life->baskets_n; i++) {
        size_t j = 0;

        if (life->baskets[i].is_retracted || life->baskets[i].store.v == 0) {
            continue;
        }
        while (j < n && stores[j].v != life->baskets[i].store.v) {
            j++;
        }
        if (j == n) {
            stores[n] = life->baskets[i].store;
            times[n++] = 0;
        }
        times[j]++;
    }
    for (size_t j = 1; j < n; j++) {
        if (times[j] > times[best] || (times[j] == times[best] && stores[j].v < stores[best].v)) {
            best = j;
        }
    }
    return n > 0 ? stores[best] : (struct store_id){0};
}

struct model_habits model_segment_habits(const struct part *life)
{
    struct model_habits habits = {.home = home_of(life)};

    for (size_t i = 0; i < life->months_n; i++) {
        habits.baskets += (float)life->months[i].purchases;
        habits.spend_minor += (float)life->months[i].paid_minor;
    }
    return habits;
}

unsigned model_segment_quintile(const float over[MODEL_QUINTILES - 1], float v)
{
    unsigned q = 0;

    while (q < MODEL_QUINTILES - 1 && v > over[q]) {
        q++;
    }
    return q;
}

/* The nearest centre of the life's factors; MODEL_NONE when no item of it has any. */
static uint32_t group_of(const struct model *model, const struct part *life)
{
    float at[MODEL_FACTORS] = {0}, nearest = INFINITY;
    uint32_t items[PART_LINES], times[PART_LINES], best = MODEL_NONE;
    size_t n = 0;

    if (model->factor == NULL) {
        return MODEL_NONE;
    }
    model_segment_counts(model, life, items, times, &n);
    for (size_t i = 0; i < n; i++) {
        const float *factor = model->factor + (size_t)items[i] * MODEL_FACTORS;
        float v = log1pf((float)times[i]);

        for (size_t k = 0; k < MODEL_FACTORS; k++) {
            at[k] += v * factor[k];
        }
    }
    for (uint32_t g = 0; n > 0 && g < model->segments->groups_n; g++) {
        const float *centre = model->centre + (size_t)g * MODEL_FACTORS;
        float far = 0;

        for (size_t k = 0; k < MODEL_FACTORS; k++) {
            far += (at[k] - centre[k]) * (at[k] - centre[k]);
        }
        if (far < nearest) {
            nearest = far;
            best = g;
        }
    }
    return best;
}

void model_segment_counts(const struct model *model, const struct part *life, uint32_t items[PART_LINES],
                          uint32_t times[PART_LINES], size_t *out_n)
{
    enum { SLOTS = 2 * PART_LINES };
    uint16_t slot[SLOTS] = {0}; /* 1 + place in items */
    size_t n = 0;

    for (size_t b = 0; b < life->baskets_n; b++) {
        const struct part_basket *basket = &life->baskets[b];

        for (size_t l = 0; !basket->is_retracted && l < basket->lines_n; l++) {
            const struct part_line *line = &life->lines[basket->lines_at + l];
            uint32_t item = line->quantity_milli > 0 ? model_item_find(model, line->item) : MODEL_NONE;
            size_t at = (item * UINT32_C(2654435769)) % SLOTS;

            if (item == MODEL_NONE) {
                continue;
            }
            while (slot[at] != 0 && items[slot[at] - 1] != item) {
                at = (at + 1) % SLOTS;
            }
            if (slot[at] == 0) {
                items[n] = item;
                times[n] = 0;
                slot[at] = (uint16_t)++n;
            }
            times[slot[at] - 1]++;
        }
    }
    *out_n = n;
}

/* The place of the life among the segments of one kind; MODEL_NONE: nowhere. */
static uint32_t key_of(const struct model *model, enum model_segment_kind kind, const struct part *life)
{
    const struct model_segments *s = model->segments;
    struct model_habits habits = model_segment_habits(life);
    uint32_t store = model_store_find(model, habits.home);
    unsigned often = model_segment_quintile(s->baskets_over, habits.baskets);

    switch (kind) {
    case MODEL_SEGMENT_STORE:
        return store;
    case MODEL_SEGMENT_SPEND_FREQUENCY:
        return often * MODEL_QUINTILES + model_segment_quintile(s->spend_over, habits.spend_minor);
    case MODEL_SEGMENT_STORE_FREQUENCY:
        return store == MODEL_NONE ? MODEL_NONE : store * MODEL_QUINTILES + often;
    case MODEL_SEGMENT_GROUP:
        return group_of(model, life);
    case MODEL_SEGMENTS_:
        break;
    }
    return MODEL_NONE;
}

const uint32_t *model_segment_list(const struct model *model, enum model_segment_kind kind, unsigned basis,
                                   const struct part *life, size_t *out_n)
{
    const struct model_segments *s = model->segments;
    uint32_t key, list;

    assert(kind < MODEL_SEGMENTS_ && basis < 2);
    *out_n = 0;
    if (s->keys_n[kind] == 0 || life->baskets_n == 0) {
        return model->segment_row;
    }
    key = key_of(model, kind, life);
    if (key >= s->keys_n[kind]) {
        return model->segment_row;
    }
    list = s->list_first[kind] + 2 * key + basis;
    *out_n = model->segment_at[list + 1] - model->segment_at[list];
    return model->segment_row + model->segment_at[list];
}
