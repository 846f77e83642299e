/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metric.h"

#include "base/log.h"
#include "base/test.h"

#include <pthread.h>

static struct metric good = {.name = "falun_test_total", .labels = "kind=\"good\"", .help = "Things."};
static struct metric bad = {.name = "falun_test_total", .labels = "kind=\"bad\"", .help = "Things."};
static struct metric took = {.kind = METRIC_HISTOGRAM, .name = "falun_test_seconds", .help = "Time."};

static void *add_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < 10000; i++) {
        metric_add(&good, 1);
    }
    return NULL;
}

TEST(counts_from_several_threads_add_up_and_are_told)
{
    pthread_t threads[4];
    struct arena arena;
    struct bytes text;

    arena_open(&arena, 1 << 12, 1 << 20);
    for (int i = 0; i < 4; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, add_many, NULL), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    metric_register(&bad);
    metric_observe_us(&took, 100);
    metric_observe_us(&took, 101);
    metric_observe_us(&took, 60000000);
    text = metric_text(&arena);
    CHECK_INT(metric_value(&good), 40000);
    CHECK_TEXT(((struct bytes){text.p, 121}),
               "# HELP falun_test_seconds Time.\n# TYPE falun_test_seconds histogram\n"
               "falun_test_seconds_bucket{le=\"0.0001\"} 1\nfalun_test_s");
    CHECK(strstr(text.p, "falun_test_seconds_bucket{le=\"0.0002\"} 2\n") != NULL);
    CHECK(strstr(text.p, "falun_test_seconds_bucket{le=\"10\"} 2\n") != NULL);
    CHECK(strstr(text.p, "falun_test_seconds_bucket{le=\"+Inf\"} 3\n") != NULL);
    CHECK(strstr(text.p, "falun_test_seconds_sum{} 60.000201\n") != NULL);
    CHECK(strstr(text.p, "# TYPE falun_test_total counter\nfalun_test_total{kind=\"bad\"} 0\n"
                         "falun_test_total{kind=\"good\"} 40000\n") != NULL);
    arena_close(&arena);
}

static char lines[4096];
static size_t lines_n;

static void keep(void *ctx, struct bytes line)
{
    (void)ctx;
    memcpy(lines + lines_n, line.p, line.n);
    lines_n += line.n;
    lines[lines_n] = '\0';
}

TEST(a_log_line_is_pairs_on_one_line)
{
    char longer[2000];

    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    log_sink_set(keep, NULL);
    log_say(LOG_DEBUG, "test", "is dropped", "%s", "");
    CHECK_INT(lines_n, 0);
    log_say(LOG_WARN, "test", "broke", "port=%d text=%s", 7, "a\nat=1970 level=error");
    CHECK(strstr(lines, " level=warn room=test msg=\"broke\" port=7 text=a at=1970 level=error\n") != NULL);
    CHECK(strchr(lines, '\n') == lines + lines_n - 1);
    lines_n = 0;
    log_say(LOG_ERROR, "test", "long", "text=%s", longer);
    CHECK_INT(lines_n, 1000);
    CHECK_INT(lines[999], '\n');
    log_sink_set(NULL, NULL);
}
