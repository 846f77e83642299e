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

static int days_in(int year, int month)
{
    return (int)(time_days(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) - time_days(year, month, 1));
}

/* Adds an ISO 8601 duration ("P3Y", "P1M2DT3H"; whole numbers only) by the calendar; false when it is none. */
static bool advance(struct bytes text, int64_t from_ms, int64_t *out_ms)
{
    struct civil civil = time_civil(from_ms);
    bool is_time = false;
    int64_t more_ms = 0, months = 0, number = -1;

    if (text.n < 3 || text.n > 64 || text.p[0] != 'P') {
        return false;
    }
    for (size_t i = 1; i < text.n; i++) {
        char c = text.p[i];

        if (c >= '0' && c <= '9') {
            number = (number < 0 ? 0 : number) * 10 + (c - '0');
            if (number > 1000000) {
                return false;
            }
            continue;
        }
        if (c == 'T' && !is_time && number < 0) {
            is_time = true;
            continue;
        }
        if (number < 0) {
            return false;
        }
        if (c == 'Y' && !is_time) {
            months += number * 12;
        } else if (c == 'M' && !is_time) {
            months += number;
        } else if ((c == 'D' || c == 'W') && !is_time) {
            more_ms += number * DAY_MS * (c == 'W' ? 7 : 1);
        } else if ((c == 'H' || c == 'M' || c == 'S') && is_time) {
            more_ms += number * (c == 'H' ? HOUR_MS : c == 'M' ? MINUTE_MS : SECOND_MS);
        } else {
            return false;
        }
        number = -1;
    }
    months += civil.month - 1;
    if (number >= 0 || months > 12 * 200) {
        return false;
    }
    civil.year += (int)(months / 12);
    civil.month = (int)(months % 12) + 1;
    if (civil.year > 2199) {
        return false;
    }
    if (civil.day > days_in(civil.year, civil.month)) {
        civil.day = days_in(civil.year, civil.month);
    }
    *out_ms = time_of_civil(civil) + more_ms;
    return *out_ms < TIME_MAX_MS;
}

static void clock_post(struct http_request *request)
{
    struct api *api = api_of(request);
    const struct json_node *root;
    struct bytes text;
    int64_t ms = 0;
    bool is_good;

    if (!api->has_test_clock) {
        http_reply_problem(request, 404, NULL, "there is no test clock; start with --test-clock TIME");
        return;
    }
    if (!api_body(request, &root)) {
        return;
    }
    is_good = json_text(json_get(root, "advance"), &text) ? advance(text, atomic_load(&api->test_clock_ms), &ms)
                                                          : json_text(json_get(root, "set"), &text) && time_parse(text, &ms) == ERR_OK;
    if (!is_good) {
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
