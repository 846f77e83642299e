/* SPDX-License-Identifier: Apache-2.0 */
/* http_echo.c - a server for tests of room http: small handlers, limits from the command line.
 *
 *     http_echo [name=number ...] [socket=PATH] [proxy=ADDRESS]
 * prints `port N` when it listens, drains on SIGTERM, and then prints `handled N cut N`. */
#include "base/hash.h"
#include "base/json_form.h"
#include "base/json_write.h"
#include "base/metric.h"
#include "http/http_server.h"
#include "os/loop.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <uv.h>

static _Atomic int64_t handled, after_n;
static char filler[600];

static int64_t query_int(struct http_request *request, const char *name, int64_t otherwise)
{
    struct bytes value;

    return http_request_query(request, name, &value) ? strtoll(arena_copy(request->arena, value).p, NULL, 10)
                                                     : otherwise;
}

static void hello(struct http_request *request)
{
    atomic_fetch_add_explicit(&handled, 1, memory_order_relaxed);
    http_reply_send(request, 200, "text/plain", (struct bytes){filler, sizeof(filler)});
}

static void echo(struct http_request *request)
{
    atomic_fetch_add(&handled, 1);
    http_reply_send(request, 200, "application/octet-stream", request->body);
}

static void tell(struct http_request *request)
{
    struct json_write w;

    atomic_fetch_add(&handled, 1);
    json_write_open(&w, request->arena, 256);
    json_write_object(&w, NULL);
    json_write_bool(&w, "byFile", request->is_by_file);
    json_write_bool(&w, "byProxy", request->is_by_proxy);
    json_write_word(&w, "address", request->address);
    json_write_int(&w, "loop", (int64_t)request->loop_index);
    for (size_t i = 0; i < request->params_n; i++) {
        json_write_text(&w, i == 0 ? "param" : "other", request->params[i]);
    }
    json_write_text(&w, "x", http_request_header(request, "X-Test"));
    json_write_end(&w);
    http_reply_json(request, 200, &w);
}

static void count(struct http_request *request)
{
    struct json_write w;

    json_write_open(&w, request->arena, 64);
    json_write_object(&w, NULL);
    json_write_int(&w, "handled", atomic_load(&handled));
    json_write_int(&w, "after", atomic_load(&after_n));
    json_write_end(&w);
    http_reply_json(request, 200, &w);
}

static void on_late(uv_timer_t *timer)
{
    struct http_request *request = timer->data;

    http_reply_send(request, 200, "text/plain",
                    http_request_is_gone(request) ? BYTES_LIT("gone") : BYTES_LIT("late"));
    uv_close((uv_handle_t *)timer, (uv_close_cb)(void (*)(void))free);
}

static void on_after(struct http_request *request, void *ctx)
{
    (void)request;
    (void)ctx;
    atomic_fetch_add(&after_n, 1);
}

static void slow(struct http_request *request)
{
    uv_timer_t *timer = malloc(sizeof(*timer));

    if (timer == NULL) {
        abort();
    }
    atomic_fetch_add(&handled, 1);
    http_request_after(request, on_after, NULL);
    uv_timer_init(loop_uv(request->loop), timer);
    timer->data = request;
    uv_timer_start(timer, on_late, (uint64_t)query_int(request, "ms", 100), 0);
}

static void on_release(uv_timer_t *timer)
{
    struct http_request *request = timer->data;

    /* The request's bytes are still there, long after its answer. */
    if (bytes_equal(request->path, BYTES_LIT("/held"))) {
        atomic_fetch_add(&after_n, 1);
    }
    http_request_release(request);
    uv_close((uv_handle_t *)timer, (uv_close_cb)(void (*)(void))free);
}

static void hold_on(struct http_request *request, void *ctx)
{
    uv_timer_t *timer = ctx;

    http_request_hold(request);
    uv_timer_init(loop_uv(request->loop), timer);
    timer->data = request;
    uv_timer_start(timer, on_release, 50, 0);
}

static void held(struct http_request *request)
{
    uv_timer_t *timer = malloc(sizeof(*timer));

    if (timer == NULL) {
        abort();
    }
    atomic_fetch_add(&handled, 1);
    http_request_after(request, hold_on, timer);
    http_reply_send(request, 204, NULL, (struct bytes){0});
}

static void big(struct http_request *request)
{
    size_t n = (size_t)query_int(request, "n", 1 << 20);
    char *body = arena_take(request->arena, n);

    atomic_fetch_add(&handled, 1);
    if (body == NULL) {
        http_reply_err(request, ERR_TOOBIG, NULL);
        return;
    }
    memset(body, 'x', n);
    http_reply_send(request, 200, "text/plain", (struct bytes){body, n});
}

static void form(struct http_request *request)
{
    static const char *const known[] = {"n", "id", NULL};
    struct json_form faults = {0};
    const struct json_node *root;
    struct bytes id;
    int64_t n;
    struct why why = {0};
    enum err err = json_read_strict(request->arena, request->body, &root, &why);

    atomic_fetch_add(&handled, 1);
    if (err != ERR_OK) {
        http_reply_err(request, err, &why);
        return;
    }
    json_form_known(&faults, root, known);
    (void)json_form_int(&faults, root, "n", JSON_NEEDED, 1, 100, &n);
    (void)json_form_id(&faults, root, "id", JSON_NEEDED, &id);
    if (faults.faults_n > 0) {
        http_reply_faults(request, &faults);
        return;
    }
    http_reply_send(request, 204, NULL, (struct bytes){0});
}

static void metrics(struct http_request *request)
{
    http_reply_send(request, 200, "text/plain; version=0.0.4", metric_text(request->arena));
}

static bool may_origin(void *ctx, const struct http_request *request, struct bytes origin)
{
    (void)ctx;
    (void)request;
    return bytes_equal(origin, BYTES_LIT("https://shop.example"));
}

static const struct http_route routes[] = {
    {HTTP_METHOD_GET, "/hello", hello, 0, 0},
    {HTTP_METHOD_POST | HTTP_METHOD_PUT, "/echo", echo, 0, 0},
    {HTTP_METHOD_POST, "/large", echo, HTTP_ROUTE_LARGE, 0},
    {HTTP_METHOD_GET, "/items/{id}", tell, 0, 0},
    {HTTP_METHOD_DELETE, "/items/{id}", tell, 0, 0},
    {HTTP_METHOD_GET, "/items/{id}/of/{other}", tell, 0, 0},
    {HTTP_METHOD_POST, "/items/feed", echo, 0, 0},
    {HTTP_METHOD_GET, "/who", tell, 0, 0},
    {HTTP_METHOD_GET, "/slow", slow, 0, 0},
    {HTTP_METHOD_GET, "/held", held, 0, 0},
    {HTTP_METHOD_GET, "/big", big, 0, 0},
    {HTTP_METHOD_POST, "/form", form, 0, 0},
    {HTTP_METHOD_GET, "/count", count, 0, 0},
    {HTTP_METHOD_GET, "/metrics", metrics, 0, 0},
    {HTTP_METHOD_GET, "/secret", tell, HTTP_ROUTE_NO_CORS, 0},
};

static int drain_ms = 10000;

static void read_option(struct http_options *options, const char *name, const char *text)
{
    static const char *proxies[2];
    long number = strtol(text, NULL, 10);
    struct {
        const char *name;
        int *value;
    } times[] = {{"header_ms", &options->header_ms}, {"body_ms", &options->body_ms},
                 {"idle_ms", &options->idle_ms},     {"write_ms", &options->write_ms},
                 {"window_ms", &options->window_ms}, {"drain_ms", &drain_ms}};
    struct {
        const char *name;
        size_t *value;
    } sizes[] = {{"loops", &options->loops_n},
                 {"connections", &options->connections_max},
                 {"per_address", &options->connections_per_address_max},
                 {"held_bytes", &options->held_bytes_max}};

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        if (strcmp(times[i].name, name) == 0) {
            *times[i].value = (int)number;
            return;
        }
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (strcmp(sizes[i].name, name) == 0) {
            *sizes[i].value = (size_t)number;
            return;
        }
    }
    if (strcmp(name, "socket") == 0) {
        options->socket_path = text;
    } else if (strcmp(name, "proxy") == 0) {
        proxies[0] = text;
        options->proxies = proxies;
    } else if (strcmp(name, "port") == 0) {
        options->port = (uint16_t)number;
    } else {
        fprintf(stderr, "there is no option %s\n", name);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    struct http_options options = {.may_origin = may_origin};
    struct http_server *server = NULL;
    struct why why = {0};
    sigset_t signals;
    size_t cut_n;
    int got;

    hash_start();
    memset(filler, 'h', sizeof(filler));
    for (int i = 1; i < argc; i++) {
        char *equals = strchr(argv[i], '=');

        if (equals == NULL) {
            fprintf(stderr, "write name=value\n");
            return 2;
        }
        *equals = '\0';
        read_option(&options, argv[i], equals + 1);
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (http_server_open(&options, routes, sizeof(routes) / sizeof(routes[0]), &server, &why) != ERR_OK ||
        http_server_start(server) != ERR_OK) {
        fprintf(stderr, "%s\n", why.says);
        return 1;
    }
    printf("port %u\n", http_server_port(server));
    fflush(stdout);
    sigwait(&signals, &got);
    cut_n = http_server_drain(server, drain_ms);
    printf("handled %lld cut %zu\n", (long long)atomic_load(&handled), cut_n);
    if (cut_n > 0) {
        /* Handlers still wait for their own timers on the loops: the process ends without them. */
        fflush(stdout);
        _exit(0);
    }
    http_server_close(server);
    return 0;
}
