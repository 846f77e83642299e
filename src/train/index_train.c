/* SPDX-License-Identifier: Apache-2.0 */
#include "train/index_train.h"

#include <stdlib.h>

enum { RECENT_PART = 20 };

struct model_domain_settings index_train_start(enum model_domain domain)
{
    struct model_domain_settings start = {.is_learnt = 1, .postings = 1000, .neighbours = 300, .vmis_neighbours = 300,
                                          .w_steps = 2, .position_steps = 4.9f, .age_days = 40, .neighbour_steps = 4.9f,
                                          .session_steps = 1.225f, .idf = 10,
                                          .uses = MODEL_USES_W | MODEL_USES_VSTAN | MODEL_USES_VMIS | MODEL_USES_PAIRS};

    if (domain == MODEL_HISTORY) { /* models.md 3, Amazon sequences */
        start.age_days = 0;
        start.session_steps = 4;
        start.idf = 2;
        start.w_steps = 3;
    }
    return start;
}

static void *take(struct arena *arena, size_t n, size_t each)
{
    void *p = arena_array(arena, n + 1, each);

    if (p == NULL) {
        abort(); /* the limit of the arena is the machine's memory */
    }
    return p;
}

/* Walks from the newest sequence to the oldest over its distinct items; gives whether one of them still takes it. */
static bool is_named(const struct sequences *s, size_t q, uint32_t postings, uint32_t *last, uint32_t *named)
{
    bool is = false;

    for (size_t x = s->at[q]; x < s->at[q + 1]; x++) {
        uint32_t item = s->item[x];

        if (last[item] != q + 1) {
            last[item] = (uint32_t)q + 1;
            if (named[item] < postings) {
                named[item]++;
                is = true;
            }
        }
    }
    return is;
}

static void count_holders(const struct sequences *s, uint32_t *last, uint32_t *holders)
{
    for (size_t q = 0; q < s->n; q++) {
        for (size_t x = s->at[q]; x < s->at[q + 1]; x++) {
            if (last[s->item[x]] != q + 1) {
                last[s->item[x]] = (uint32_t)q + 1;
                holders[s->item[x]]++;
            }
        }
    }
    holders[s->items_n] = (uint32_t)s->n;
    memset(last, 0, s->items_n * sizeof(*last));
}

/* The kept sequences, put down in order; number: by old number, what each is called now. */
static void put_sequences(const struct sequences *s, const struct history *history, const uint8_t *is_kept,
                          uint32_t *number, struct arena *arena, struct model_build_index *out)
{
    size_t kept_n = 0, steps_n = 0;
    uint32_t *at, *item;
    uint8_t *step;
    int64_t *end_ms;
    uint64_t *owner;

    for (size_t q = 0; q < s->n; q++) {
        if (is_kept[q] != 0) {
            number[q] = (uint32_t)kept_n++;
            steps_n += s->at[q + 1] - s->at[q];
        }
    }
    out->sequences_n = (uint32_t)kept_n;
    out->at = at = take(arena, kept_n + 1, sizeof(*at));
    out->item = item = take(arena, steps_n, sizeof(*item));
    out->step = step = take(arena, steps_n, 1);
    out->end_ms = end_ms = take(arena, kept_n, sizeof(*end_ms));
    out->owner = owner = take(arena, kept_n, sizeof(*owner));
    for (size_t q = 0; q < s->n; q++) {
        size_t n = s->at[q + 1] - s->at[q], to = number[q];

        if (is_kept[q] != 0) {
            memcpy(item + at[to], s->item + s->at[q], n * sizeof(*item));
            memcpy(step + at[to], s->step + s->at[q], n);
            at[to + 1] = at[to] + (uint32_t)n;
            end_ms[to] = s->end_ms[q];
            owner[to] = history_owner(history, s->customer[q]);
        }
    }
}

static size_t customers_n(const struct sequences *s)
{
    size_t n = 0;

    for (size_t q = 0; q < s->n; q++) {
        n = s->customer[q] >= n ? (size_t)s->customer[q] + 1 : n;
    }
    return n;
}

void index_train(const struct sequences *sequences, const struct history *history, uint32_t postings,
                 struct arena *arena, struct model_build_index *out_index)
{
    size_t items_n = sequences->items_n;
    uint32_t *last = history_zero(items_n, sizeof(*last)); /* 1 + sequence */
    uint32_t *named = history_zero(items_n, sizeof(*named)), *number = history_zero(sequences->n, sizeof(*number));
    uint32_t *posting_at = take(arena, items_n + 1, sizeof(*posting_at)), *holders = take(arena, items_n + 1, sizeof(*holders));
    uint32_t *posting;
    uint32_t *of_one = history_zero(customers_n(sequences), sizeof(*of_one));
    uint8_t *is_kept = history_zero(sequences->n, 1);

    *out_index = (struct model_build_index){.posting_at = posting_at, .holders = holders};
    count_holders(sequences, last, holders);
    for (size_t q = sequences->n; q-- > 0;) {
        uint32_t *n = &of_one[sequences->customer[q]];

        if (*n < INDEX_OF_ONE && is_named(sequences, q, postings, last, named)) {
            is_kept[q] = 1;
            (*n)++;
        }
    }
    put_sequences(sequences, history, is_kept, number, arena, out_index);
    for (size_t i = 0; i < items_n; i++) {
        posting_at[i + 1] = posting_at[i] + named[i];
    }
    out_index->posting = posting = take(arena, posting_at[items_n], sizeof(*posting));
    memset(named, 0, items_n * sizeof(*named));
    memset(last, 0, items_n * sizeof(*last));
    for (size_t q = sequences->n; q-- > 0;) {
        for (size_t x = sequences->at[q]; is_kept[q] != 0 && x < sequences->at[q + 1]; x++) {
            uint32_t item = sequences->item[x];

            if (last[item] != q + 1 && named[item] < posting_at[item + 1] - posting_at[item]) {
                last[item] = (uint32_t)q + 1;
                posting[posting_at[item] + named[item]++] = number[q];
            }
        }
    }
    free(last);
    free(named);
    free(number);
    free(of_one);
    free(is_kept);
}

void index_train_seen(const struct sequences *sequences, enum model_domain domain, struct model_seen *seen)
{
    size_t recent = sequences->n - (sequences->n + RECENT_PART - 1) / RECENT_PART;

    for (size_t q = 0; q < sequences->n; q++) {
        for (size_t x = sequences->at[q]; x < sequences->at[q + 1]; x++) {
            seen[sequences->item[x]].all[domain] += 1;
            seen[sequences->item[x]].recent[domain] += q >= recent ? 1.0f : 0.0f;
        }
    }
}
