/* SPDX-License-Identifier: Apache-2.0 */
/* Health and figures. /healthz: the process lives; /readyz: storage is open and answers may be given;
 * /metrics: Prometheus text, no personal value in it, no label that could hold one. */
#include "api/api.h"
#include "base/json_form.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/metric.h"

static void healthz(struct http_request *request)
{
    http_reply_send(request, 200, "application/json", BYTES_LIT("{\"status\":\"ok\"}"));
}

static void readyz(struct http_request *request)
{
    struct api *api = api_of(request);
    struct storage_stat stat;

    storage_stat(api->storage, &stat);
    if (!atomic_load(&api->is_ready) || stat.is_failing) {
        http_reply_retry_after(request, 1);
        http_reply_problem(request, 503, "not_ready", stat.is_failing ? "storage reports a failure; see the log" : "starting");
        return;
    }
    http_reply_send(request, 200, "application/json", BYTES_LIT("{\"status\":\"ready\"}"));
}

static void metrics(struct http_request *request)
{
    static struct metric events = {.kind = METRIC_GAUGE, .name = "falun_storage_events", .help = "Events stored since start."};
    static struct metric duplicates = {
        .kind = METRIC_GAUGE, .name = "falun_storage_duplicates", .help = "Repeats met since start."};
    static struct metric commits = {.kind = METRIC_GAUGE, .name = "falun_storage_commits", .help = "Groups written since start."};
    static struct metric waiting = {
        .kind = METRIC_GAUGE, .name = "falun_storage_queue", .help = "Operations waiting for the writer."};
    static struct metric tails = {
        .kind = METRIC_GAUGE, .name = "falun_storage_tail_parts", .help = "Parts waiting to be folded."};
    struct storage_stat stat;

    storage_stat(api_of(request)->storage, &stat);
    metric_set(&events, (int64_t)stat.events_n);
    metric_set(&duplicates, (int64_t)stat.duplicates_n);
    metric_set(&commits, (int64_t)stat.commits_n);
    metric_set(&waiting, (int64_t)stat.queue_n);
    metric_set(&tails, (int64_t)stat.tail_parts_n);
    http_reply_send(request, 200, "text/plain; version=0.0.4", metric_text(request->arena));
}

/* The test clock: with --test-clock only, else these paths do not exist (product.md 2.1). */
static void clock_get(struct http_request *request)
{
    struct api *api = api_of(request);
    struct json_write w;

    if (!api->has_test_clock) {
        http_reply_problem(request, 404, NULL, "there is no test clock; start with --test-clock TIME");
        return;
    }
    json_write_open(&w, request->arena, 64);
    json_write_object(&w, NULL);
    json_write_time(&w, "now", atomic_load(&api->test_clock_ms));
    json_write_end(&w);
    http_reply_json(request, 200, &w);
}

/* ISO 8601 durations of one unit: P3Y, P2M, P10D, PT5H, PT30M, PT10S; years are 365 days, months 30. */
static bool duration_read(struct bytes text, int64_t *out_ms)
{
    bool is_time = text.n > 1 && text.p[1] == 'T';
    int64_t v = 0;
    size_t at = is_time ? 2 : 1;

    if (text.n < 3 || text.p[0] != 'P' || text.n > 12) {
        return false;
    }
    for (; at + 1 < text.n; at++) {
        if (text.p[at] < '0' || text.p[at] > '9') {
            return false;
        }
        v = v * 10 + (text.p[at] - '0');
    }
    switch (text.p[at]) {
    case 'Y':
        *out_ms = v * 365 * DAY_MS;
        return !is_time;
    case 'M':
        *out_ms = is_time ? v * MINUTE_MS : v * 30 * DAY_MS;
        return true;
    case 'D':
        *out_ms = v * DAY_MS;
        return !is_time;
    case 'H':
        *out_ms = v * HOUR_MS;
        return is_time;
    case 'S':
        *out_ms = v * SECOND_MS;
        return is_time;
    default:
        return false;
    }
}

static void clock_post(struct http_request *request)
{
    struct api *api = api_of(request);
    const struct json_node *root;
    struct bytes text;
    int64_t ms;

    if (!api->has_test_clock) {
        http_reply_problem(request, 404, NULL, "there is no test clock; start with --test-clock TIME");
        return;
    }
    if (!api_body(request, &root)) {
        return;
    }
    if (json_text(json_get(root, "advance"), &text) && duration_read(text, &ms)) {
        ms += atomic_load(&api->test_clock_ms);
    } else if (!json_text(json_get(root, "set"), &text) || time_parse(text, &ms) != ERR_OK) {
        http_reply_problem(request, 422, "invalid_field", "send {\"advance\":\"P3D\"} or {\"set\":\"2026-10-01T08:00:00Z\"}");
        return;
    }
    if (ms < TIME_MIN_MS || ms > TIME_MAX_MS) {
        http_reply_problem(request, 422, "invalid_field", "the test clock runs from 1900 to 2200");
        return;
    }
    atomic_store(&api->test_clock_ms, ms);
    clock_get(request);
}

const struct http_route api_health_routes[] = {
    {HTTP_METHOD_GET, "/healthz", healthz, HTTP_ROUTE_PLAIN, 0},
    {HTTP_METHOD_GET, "/readyz", readyz, HTTP_ROUTE_PLAIN, 0},
    {HTTP_METHOD_GET, "/metrics", metrics, HTTP_ROUTE_PLAIN, 0},
    {HTTP_METHOD_GET, "/v1/test/clock", clock_get, HTTP_ROUTE_PLAIN, 0},
    {HTTP_METHOD_POST, "/v1/test/clock", clock_post, HTTP_ROUTE_PLAIN, 0},
};
const size_t api_health_routes_n = sizeof(api_health_routes) / sizeof(api_health_routes[0]);
