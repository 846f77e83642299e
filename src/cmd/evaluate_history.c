/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "cmd/evaluate.h"
#include "model/model_domain.h"

#include <stdlib.h>

enum { FOLD_TENTHS = 10, CLICK_MS = 1000 };

/* Order within one moment is the order of the mid's first bytes. */
static struct mid mid_of(size_t group, size_t step)
{
    struct mid mid;

    put_be64(mid.b, step);
    put_be64(mid.b + 8, group);
    return mid;
}

static struct event_line line_of(const struct read_sequences *read, size_t step, struct tenant_id tenant)
{
    struct bytes text = read_item(read, step);

    return (struct event_line){.item = hash_item(tenant, text), .item_text = text, .quantity_milli = 1000};
}

/* ---- sessions ---- */

static void add_look(struct history *history, const struct read_sequences *read, size_t session, size_t step,
                     int64_t at_ms)
{
    struct event_line line = line_of(read, step, history->tenant);
    struct event event = {.kind = EVENT_VIEW, .channel = CHANNEL_WEB, .has_id = true, .has_time = true, .at_ms = at_ms,
                          .mid = mid_of(session, step - read->at[session]), .lines = &line, .lines_n = 1};

    history_add(history, session + 1, &event);
}

int64_t evaluate_session_end(const struct read_sequences *read, struct evaluate_times times, size_t s)
{
    return read->has_times ? read->steps[read->at[s + 1] - 1].at_ms : times.begin_ms + (int64_t)(s + 1) * times.step_ms;
}

void evaluate_sessions(const struct read_sequences *read, struct evaluate_times times, struct history *out_history)
{
    for (size_t s = 0; s < read->groups_n; s++) {
        size_t from = read->at[s], n = read->at[s + 1] - from;
        /* Sessions without times never overlap: clicks share what lies between two ends. */
        int64_t each = times.step_ms / (int64_t)(n + 1), end = evaluate_session_end(read, times, s), at_ms = 0;

        each = each < CLICK_MS ? each : CLICK_MS;
        for (size_t i = 0; i < n; i++) {
            if (!read->has_times) {
                at_ms = end - (int64_t)(n - 1 - i) * each;
            } else if (i == 0) {
                at_ms = read->steps[from].at_ms;
            } else {
                int64_t pause = read->steps[from + i].at_ms - read->steps[from + i - 1].at_ms;

                /* Never later than it was: nothing may be known too early. */
                at_ms += pause < MODEL_SESSION_GAP_MS ? pause : MODEL_SESSION_GAP_MS;
            }
            add_look(out_history, read, s, from + i, at_ms);
        }
    }
    history_sort(out_history);
}

/* ---- steps and sets ---- */

void evaluate_steps(const struct read_sequences *read, struct history *out_history)
{
    for (size_t g = 0; g < read->groups_n; g++) {
        size_t from = read->at[g], to = read->at[g + 1];

        from = to - from > EVALUATE_STEPS_MAX ? to - EVALUATE_STEPS_MAX : from;
        for (size_t i = from; i < to; i++) {
            struct event_line line = line_of(read, i, out_history->tenant);
            struct event event = {.kind = EVENT_PURCHASE, .channel = CHANNEL_TILL, .has_id = true, .has_time = true,
                                  .at_ms = EVALUATE_DAY_0_MS - (int64_t)(to - 1 - i) * DAY_MS, .mid = mid_of(g, i - from),
                                  .lines = &line, .lines_n = 1};

            history_add(out_history, g + 1, &event);
        }
    }
    history_sort(out_history);
}

/* The day of a train item: by the hash of (user, item) alone, whatever the order of the file. */
static int64_t fold_day(uint64_t user, uint64_t item)
{
    uint64_t both[2] = {user, item};
    uint64_t tenth = hash_fast(both, sizeof(both), 0) % FOLD_TENTHS;

    return tenth < 8 ? -3 : tenth == 8 ? -2 : -1;
}

static void add_set(struct history *history, uint64_t user, int64_t day, const struct event_line *lines, size_t n)
{
    size_t most = day == 0 ? n : EVENT_LINES_MAX; /* a life keeps no more of one basket; what is asked for is one */

    for (size_t i = 0; i < n; i += most) {
        struct event event = {.kind = EVENT_PURCHASE, .channel = CHANNEL_TILL, .has_id = true, .has_time = true,
                              .at_ms = EVALUATE_DAY_0_MS + day * DAY_MS, .mid = mid_of((size_t)user, i), .lines = lines + i,
                              .lines_n = n - i < most ? n - i : most};

        event.mid.b[0] = (uint8_t)(day + 4); /* days of one life are apart */
        history_add(history, user, &event);
    }
}

static int line_order(const void *a, const void *b)
{
    const struct event_line *x = a, *y = b;

    return (x->item.v > y->item.v) - (x->item.v < y->item.v);
}

static size_t lines_of(const struct read_sequences *read, size_t g, struct tenant_id tenant, struct event_line *lines)
{
    size_t n = 0;

    for (size_t i = read->at[g]; i < read->at[g + 1]; i++) {
        lines[n++] = line_of(read, i, tenant);
    }
    qsort(lines, n, sizeof(*lines), line_order);
    return n;
}

static size_t longest(const struct read_sequences *read)
{
    size_t most = 0;

    for (size_t g = 0; g < read->groups_n; g++) {
        most = read->at[g + 1] - read->at[g] > most ? read->at[g + 1] - read->at[g] : most;
    }
    return most;
}

struct key_at { /* a customer's key and place in the test file */
    uint64_t key;
    size_t group;
};

static int key_order(const void *a, const void *b)
{
    const struct key_at *x = a, *y = b;

    return (x->key > y->key) - (x->key < y->key);
}

static struct key_at *keys_of(const struct read_sequences *read)
{
    struct key_at *keys = history_grow(NULL, read->groups_n, sizeof(*keys));

    for (size_t g = 0; g < read->groups_n; g++) {
        keys[g] = (struct key_at){read->group[g], g};
    }
    qsort(keys, read->groups_n, sizeof(*keys), key_order);
    return keys;
}

static void add_train(const struct read_sequences *train, size_t g, struct event_line *lines, struct event_line *of_day,
                      struct history *history)
{
    size_t n = lines_of(train, g, history->tenant, lines);

    for (int64_t day = -3; day < 0; day++) {
        size_t day_n = 0;

        for (size_t i = 0; i < n; i++) {
            if (fold_day(train->group[g], lines[i].item.v) == day) {
                of_day[day_n++] = lines[i];
            }
        }
        add_set(history, train->group[g], day, of_day, day_n);
    }
}

size_t evaluate_sets(const struct read_sequences *train, const struct read_sequences *test, struct history *out_history)
{
    size_t most = longest(train) > longest(test) ? longest(train) : longest(test), had = 0;
    struct event_line *lines = history_grow(NULL, most, sizeof(*lines)), *more = history_grow(NULL, most, sizeof(*more));
    struct key_at *keys = keys_of(train);

    for (size_t g = 0; g < train->groups_n; g++) {
        add_train(train, g, lines, more, out_history);
    }
    for (size_t g = 0; g < test->groups_n; g++) {
        struct key_at wanted = {.key = test->group[g]};
        const struct key_at *same = bsearch(&wanted, keys, train->groups_n, sizeof(*keys), key_order);
        size_t n = lines_of(test, g, out_history->tenant, lines), kept = 0;
        size_t known_n = same != NULL ? lines_of(train, same->group, out_history->tenant, more) : 0;

        for (size_t i = 0; i < n; i++) {
            if (bsearch(&lines[i], more, known_n, sizeof(*more), line_order) == NULL) {
                lines[kept++] = lines[i];
            }
        }
        had += n - kept;
        add_set(out_history, test->group[g], 0, lines, kept);
    }
    history_sort(out_history);
    free(keys);
    free(lines);
    free(more);
    return had;
}
