/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metric.h"

#include <stdio.h>
#include <stdlib.h>

static struct metric *_Atomic registered;

/* Seconds, and the same in microseconds. */
static const double bounds[METRIC_BOUNDS] = {0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02,
                                             0.05,   0.1,    0.2,    0.5,   1,     2,     5,    10};
static const int64_t bounds_us[METRIC_BOUNDS] = {100,     200,     500,     1000,    2000,   5000,
                                                 10000,   20000,   50000,   100000,  200000, 500000,
                                                 1000000, 2000000, 5000000, 10000000};

void metric_register(struct metric *metric)
{
    struct metric *first;

    if (atomic_flag_test_and_set(&metric->is_claimed)) {
        return;
    }
    first = atomic_load(&registered);
    do {
        atomic_store(&metric->next, first);
    } while (!atomic_compare_exchange_weak(&registered, &first, metric));
}

void metric_add(struct metric *metric, int64_t n)
{
    metric_register(metric);
    atomic_fetch_add_explicit(&metric->value, n, memory_order_relaxed);
}

void metric_set(struct metric *metric, int64_t value)
{
    metric_register(metric);
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

void metric_observe_us(struct metric *metric, int64_t us)
{
    size_t i = 0;

    metric_register(metric);
    while (i < METRIC_BOUNDS && us > bounds_us[i]) {
        i++;
    }
    atomic_fetch_add_explicit(&metric->counts[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&metric->value, us, memory_order_relaxed);
}

int64_t metric_value(struct metric *metric)
{
    return atomic_load_explicit(&metric->value, memory_order_relaxed);
}

static int by_name(const void *a, const void *b)
{
    const struct metric *const *one = a, *const *other = b;
    int order = strcmp((*one)->name, (*other)->name);

    return order != 0 || (*one)->labels == NULL || (*other)->labels == NULL
               ? order
               : strcmp((*one)->labels, (*other)->labels);
}

static void add(struct arena *arena, struct bytes *text, size_t *room, struct bytes more)
{
    if (text->n + more.n > *room) {
        char *grown;

        *room = (*room + more.n) * 2;
        grown = arena_take(arena, *room);
        if (grown == NULL) {
            *room = SIZE_MAX / 4;
            *text = (struct bytes){0};
            return;
        }
        if (text->n > 0) {
            memcpy(grown, text->p, text->n);
        }
        text->p = grown;
    }
    if (text->p != NULL && more.n > 0) {
        memcpy((char *)(uintptr_t)text->p + text->n, more.p, more.n);
        text->n += more.n;
    }
}

static struct bytes tell_histogram(struct arena *arena, struct metric *metric)
{
    const char *labels = metric->labels == NULL ? "" : metric->labels, *comma = labels[0] == '\0' ? "" : ",";
    struct bytes text = {0};
    size_t room = 0;
    uint64_t below = 0;
    char bound[16];

    for (size_t i = 0; i <= METRIC_BOUNDS; i++) {
        below += atomic_load_explicit(&metric->counts[i], memory_order_relaxed);
        snprintf(bound, sizeof(bound), "%g", i < METRIC_BOUNDS ? bounds[i] : 0.0);
        add(arena, &text, &room,
            arena_format(arena, "%s_bucket{%s%sle=\"%s\"} %llu\n", metric->name, labels, comma,
                         i < METRIC_BOUNDS ? bound : "+Inf", (unsigned long long)below));
    }
    add(arena, &text, &room,
        arena_format(arena, "%s_sum{%s} %.6f\n%s_count{%s} %llu\n", metric->name, labels,
                     (double)metric_value(metric) / 1e6, metric->name, labels, (unsigned long long)below));
    return text;
}

struct bytes metric_text(struct arena *arena)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    struct bytes text = {0};
    struct metric **all, *metric;
    size_t n = 0, room = 0, i = 0;

    for (metric = atomic_load(&registered); metric != NULL; metric = atomic_load(&metric->next)) {
        n++;
    }
    all = arena_array(arena, n, sizeof(struct metric *));
    if (all == NULL) {
        return text;
    }
    for (metric = atomic_load(&registered); metric != NULL && i < n; metric = atomic_load(&metric->next)) {
        all[i++] = metric;
    }
    qsort(all, i, sizeof(struct metric *), by_name);
    for (size_t j = 0; j < i; j++) {
        bool has_labels = all[j]->labels != NULL;

        if (j == 0 || strcmp(all[j]->name, all[j - 1]->name) != 0) {
            add(arena, &text, &room,
                arena_format(arena, "# HELP %s %s\n# TYPE %s %s\n", all[j]->name, all[j]->help, all[j]->name,
                             kinds[all[j]->kind]));
        }
        add(arena, &text, &room,
            all[j]->kind == METRIC_HISTOGRAM
                ? tell_histogram(arena, all[j])
                : arena_format(arena, "%s%s%s%s %lld\n", all[j]->name, has_labels ? "{" : "",
                               has_labels ? all[j]->labels : "", has_labels ? "}" : "",
                               (long long)metric_value(all[j])));
    }
    return arena_overflowed(arena) ? (struct bytes){0} : text;
}
