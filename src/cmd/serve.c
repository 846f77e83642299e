/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/serve.h"

#include "api/api_key.h"
#include "base/hash.h"
#include "base/log.h"
#include "cmd/learner.h"
#include "cmd/publisher.h"
#include "cmd/schedule.h"
#include "storage/storage_wait.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { DRAIN_MS = 10000, LOOPS_MAX = 64, ARENA_BYTES = 65536, ARENA_BYTES_MAX = 8 << 20, PATH_BYTES = 1300 };

struct serve {
    struct config config;
    struct data data;
    struct api *api;
    struct publisher *publisher;
    struct learner *learner;
    struct schedule *schedule;
    struct http_server *server;
    struct http_route *routes;
    char host[256], socket_path[PATH_BYTES];
    const char *proxies[2];
    struct api_loop loops[LOOPS_MAX];
    struct rng chances[LOOPS_MAX];
    size_t loops_n;
};

static pthread_t waiting_thread;

/* A library's thread that was begun before main (OpenBLAS has some) blocks nothing: a signal that comes before sigwait
 * would end the process there without a drain. It is handed on to the thread that will wait. */
static void hand_on(int signal_number)
{
    if (!pthread_equal(pthread_self(), waiting_thread)) {
        pthread_kill(waiting_thread, signal_number);
    }
}

void serve_block_signals(void)
{
    struct sigaction action = {.sa_handler = hand_on, .sa_flags = SA_RESTART};
    sigset_t set;

    waiting_thread = pthread_self();
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int64_t test_clock(void *ctx)
{
    return atomic_load(&((const struct serve *)ctx)->api->test_clock_ms);
}

static bool may_origin(void *ctx, const struct http_request *request, struct bytes origin)
{
    const struct serve *serve = ctx;
    const char *allowed = serve->config.value[SETTING_ORIGINS];

    (void)request;
    for (const char *p = allowed; *p != '\0';) {
        size_t n = strcspn(p, " ");

        if ((n == 1 && *p == '*') || bytes_equal(origin, (struct bytes){p, n})) {
            return true;
        }
        p += n + (p[n] == ' ');
    }
    return false;
}

static bool is_loopback(const char *host)
{
    return strcmp(host, "127.0.0.1") == 0 || strcmp(host, "::1") == 0 || strcmp(host, "localhost") == 0;
}

static enum err split_listen(struct serve *serve, uint16_t *out_port, struct why *why)
{
    const char *text = serve->config.value[SETTING_LISTEN], *colon = strrchr(text, ':');
    char *end = NULL;
    long port = colon ? strtol(colon + 1, &end, 10) : -1;

    if (colon == NULL || end == colon + 1 || *end != '\0' || port < 0 || port > 65535) {
        return why_say(why, ERR_INVALID, "bad_address", "--listen", "write --listen HOST:PORT, for example 127.0.0.1:7474");
    }
    snprintf(serve->host, sizeof(serve->host), "%.*s", (int)(colon - text), text);
    if (config_bool(&serve->config, SETTING_TEST_KEYS) && !is_loopback(serve->host)) {
        return why_say(why, ERR_INVALID, "bad_address", "--listen",
                       "the samples' keys are known to everybody: --test-keys works on 127.0.0.1 only");
    }
    *out_port = (uint16_t)port;
    return ERR_OK;
}

/* ---- the first start ---- */

static void random_key(const char *prefix, char out_text[64])
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    size_t n = strlen(prefix);

    memcpy(out_text, prefix, n);
    for (size_t i = 0; i < 32; i++) {
        out_text[n + i] = digits[randombytes_uniform(32)];
    }
    out_text[n + 32] = '\0';
}

static enum err first_keys(struct serve *serve, struct arena *arena)
{
    static const struct {
        const char *prefix, *source;
        enum api_who who;
    } made[] = {{"wk_", "web", API_PUBLIC}, {"sk_", "server", API_SECRET}};

    printf("First start: these keys are shown once.\n");
    for (size_t i = 0; i < 2; i++) {
        char text[64], id[65];
        struct storage_put put;
        uint64_t revision;
        enum err err;

        random_key(made[i].prefix, text);
        api_key_row_id(bytes_of(text), id);
        put = (struct storage_put){.id = bytes_of(id),
                                   .row = api_key_row(arena, made[i].who, bytes_of(made[i].source), false, false)};
        err = storage_wait_put(serve->data.storage, serve->data.loop, (struct tenant_id){1}, STORAGE_KEY, &put, 1, &revision);
        if (err != ERR_OK) {
            return err;
        }
        printf("  %-6s %s   (source %s)\n", made[i].who == API_PUBLIC ? "public" : "secret", text, made[i].source);
    }
    return ERR_OK;
}

static enum err open_api(struct serve *serve, struct why *why)
{
    const struct config *config = &serve->config;
    struct arena arena;
    int64_t test_ms = 0;
    enum err err = api_open(serve->data.storage, data_dir_secret(serve->data.dir), &serve->api, why);

    if (err != ERR_OK) {
        return err;
    }
    if (config_bool(config, SETTING_TEST_CLOCK)) {
        if (time_parse(bytes_of(config->value[SETTING_TEST_CLOCK]), &test_ms) != ERR_OK) {
            return why_say(why, ERR_INVALID, "bad_time", "--test-clock", "write --test-clock 2026-10-01T08:00:00Z");
        }
        serve->api->has_test_clock = true;
        atomic_store(&serve->api->test_clock_ms, test_ms);
    }
    arena_open(&arena, ARENA_BYTES, ARENA_BYTES_MAX);
    serve->api->has_test_keys = config_bool(config, SETTING_TEST_KEYS);
    if (api_keys_n(serve->api) == 0 && !serve->api->has_test_keys) {
        err = first_keys(serve, &arena);
    }
    err = err == ERR_OK ? api_keys_load(serve->api, serve->data.loop, &arena) : err;
    arena_close(&arena);
    err = err == ERR_OK ? publisher_open(serve->api, data_dir_path(serve->data.dir), &serve->publisher) : err;
    return err == ERR_OK ? learner_open(serve->api, serve->publisher, data_dir_secret(serve->data.dir), &serve->learner) : err;
}

static enum err open_server(struct serve *serve, uint16_t port, const struct http_route *more, size_t more_n, struct why *why)
{
    const struct config *config = &serve->config;
    struct http_options options = {.address = serve->host,
                                   .port = port,
                                   .socket_path = serve->socket_path,
                                   .loops_n = (size_t)config_int(config, SETTING_THREADS),
                                   .connections_max = (size_t)config_int(config, SETTING_CONNECTIONS),
                                   .connections_per_address_max = (size_t)config_int(config, SETTING_PER_ADDRESS),
                                   .may_origin = may_origin,
                                   .ctx = serve};
    size_t n;
    const struct http_route *routes = api_routes(&n);
    enum err err;

    serve->routes = calloc(n + more_n, sizeof(*routes));
    if (serve->routes == NULL) {
        return ERR_NOMEM;
    }
    memcpy(serve->routes, routes, n * sizeof(*routes));
    if (more_n > 0) {
        memcpy(serve->routes + n, more, more_n * sizeof(*routes));
    }
    if (serve->api->has_test_clock) {
        options.clock_ms = test_clock;
        options.ctx = serve;
    }
    serve->proxies[0] = config->value[SETTING_PROXY][0] ? config->value[SETTING_PROXY] : NULL;
    options.proxies = serve->proxies;
    err = http_server_open(&options, serve->routes, n + more_n, &serve->server, why);
    if (err != ERR_OK) {
        return err;
    }
    serve->loops_n = http_server_loops_n(serve->server);
    assert(serve->loops_n <= LOOPS_MAX);
    for (size_t i = 0; i < serve->loops_n; i++) {
        randombytes_buf(&serve->chances[i].state, sizeof(serve->chances[i].state));
        serve->loops[i] = (struct api_loop){.api = serve->api,
                                            .loop = http_server_loop(serve->server, i),
                                            .slot = publish_slot(serve->api->publish),
                                            .chance = &serve->chances[i]};
        http_server_set_user(serve->server, i, &serve->loops[i]);
    }
    atomic_store(&serve->api->is_ready, true);
    return http_server_start(serve->server);
}

static void serve_close(struct serve *serve)
{
    schedule_close(serve->schedule);
    http_server_close(serve->server);
    for (size_t i = 0; i < serve->loops_n; i++) {
        publish_slot_free(serve->api->publish, serve->loops[i].slot);
    }
    learner_close(serve->learner);
    publisher_close(serve->publisher);
    api_close(serve->api);
    data_close(&serve->data);
    free(serve->routes);
    free(serve);
}

enum err serve_open(const struct config *config, struct data *data, const struct http_route *more, size_t more_n,
                    struct serve **out_serve, struct why *why)
{
    struct serve *serve = calloc(1, sizeof(*serve));
    struct data_options options = {.cache_bytes = (size_t)config_int(config, SETTING_CACHE) << 20};
    uint16_t port = 0;
    enum err err;

    if (serve == NULL) {
        return ERR_NOMEM;
    }
    serve->config = *config;
    err = split_listen(serve, &port, why);
    if (data != NULL) {
        serve->data = *data;
        *data = (struct data){0};
    } else if (err == ERR_OK) {
        err = data_open(config->value[SETTING_DATA], &options, &serve->data, why);
    }
    if (err == ERR_OK) {
        data_dir_join(data_dir_path(serve->data.dir), "socket", serve->socket_path, sizeof(serve->socket_path));
    }
    err = err == ERR_OK ? open_api(serve, why) : err;
    err = err == ERR_OK ? open_server(serve, port, more, more_n, why) : err;
    if (err == ERR_OK) {
        err = schedule_open(serve->api, data_dir_path(serve->data.dir), config_ms(config, SETTING_TRAIN_EVERY),
                            &serve->schedule);
    }
    if (err != ERR_OK) {
        serve_close(serve);
        return err;
    }
    log_say(LOG_INFO, "cmd", "serves", "address=%s port=%u threads=%zu", serve->host, http_server_port(serve->server),
            serve->loops_n);
    *out_serve = serve;
    return ERR_OK;
}

struct api *serve_api(struct serve *serve)
{
    return serve->api;
}

uint16_t serve_port(const struct serve *serve)
{
    return http_server_port(serve->server);
}

void serve_wait_signal(void)
{
    sigset_t set;
    int got;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigwait(&set, &got);
    log_say(LOG_INFO, "cmd", "drains", "signal=%d", got);
}

int serve_stop(struct serve *serve)
{
    size_t cut;

    schedule_close(serve->schedule);
    serve->schedule = NULL;
    cut = http_server_drain(serve->server, DRAIN_MS);
    log_say(LOG_INFO, "cmd", "stops", "cut=%zu", cut);
    if (cut > 0) {
        /* Their handlers may still be called: nothing is taken from under them. What was acknowledged is synced; the
         * next start reads the log. */
        return 1;
    }
    serve_close(serve);
    return 0;
}

int serve_until_signal(struct serve *serve)
{
    serve_wait_signal();
    return serve_stop(serve);
}
