/* SPDX-License-Identifier: Apache-2.0 */
/* metric.h - counters, gauges and latency histograms, told as Prometheus text (format 0.0.4).
 *
 *     static struct metric served = {.kind = METRIC_COUNTER, .name = "falun_http_requests_total",
 *                                    .labels = "class=\"2xx\"", .help = "Answers by class of status."};
 *     metric_add(&served, 1);
 * A metric is a static variable: it registers itself at its first use and lives for ever. Adding is one relaxed
 * atomic addition, from any thread. A histogram has fixed bounds from 0.1 ms to 10 s in steps of about 2, so a
 * quantile read from it is right within a factor of 2. */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"

#include <stdatomic.h>

enum metric_kind { METRIC_COUNTER = 0, METRIC_GAUGE, METRIC_HISTOGRAM };

enum { METRIC_BOUNDS = 16 };

struct metric { /* all other members zero at first */
    enum metric_kind kind;
    const char *name;   /* falun_..._total for counters, ..._seconds for histograms */
    const char *labels; /* "class=\"2xx\"", or NULL */
    const char *help;
    _Atomic int64_t value; /* histogram: sum in us */
    _Atomic uint64_t counts[METRIC_BOUNDS + 1];
    atomic_flag is_claimed;
    struct metric *_Atomic next;
};

/* Registers, so that it is told before it first counts. Twice does nothing. */
void metric_register(struct metric *metric);
void metric_add(struct metric *metric, int64_t n);
void metric_set(struct metric *metric, int64_t value);
/* Histogram: one observation in microseconds. */
void metric_observe_us(struct metric *metric, int64_t us);
int64_t metric_value(struct metric *metric);
/* All registered metrics, sorted by name; {NULL, 0} when the arena is full. */
struct bytes metric_text(struct arena *arena);
