/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_server.h"

#include "base/log.h"
#include "http/http_conn.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024, ACCEPTS_A_TURN = 64 };

struct handover { /* an accepted socket on its way to its loop */
    struct loop_task task;
    struct http_loop *loop;
    int fd;
    bool is_by_file, is_counted, is_by_proxy;
    struct http_address address;
    const struct http_fault *refuse;
};

static const struct http_fault full = {503, "overloaded", "Too many connections; try again in a second."};

/* ---- accepting ---- */

static void run_handover(struct loop_task *task)
{
    struct handover *handover = (struct handover *)(void *)task;

    http_conn_open(handover->loop, handover->fd, handover->is_by_file, &handover->address,
                   handover->is_counted, handover->is_by_proxy, handover->refuse);
    free(handover);
}

static struct http_loop *least_loaded(struct http_server *server)
{
    struct http_loop *best = &server->loops[0];

    for (size_t i = 1; i < server->loops_n; i++) {
        if (atomic_load(&server->loops[i].conns_n) < atomic_load(&best->conns_n)) {
            best = &server->loops[i];
        }
    }
    return best;
}

static bool is_proxy(const struct http_server *server, const struct http_address *address)
{
    for (size_t i = 0; i < server->proxies_n; i++) {
        if (memcmp(&server->proxies[i], address, sizeof(*address)) == 0) {
            return true;
        }
    }
    return false;
}

/* Deals one socket out. Rules 8 and 9: who is beyond a cap is told 503, a little beyond that is cut. */
static void deal(struct http_listener *listener, int fd, const struct sockaddr *from)
{
    struct http_server *server = listener->server;
    size_t conns_n = atomic_load(&server->conns_n);
    struct handover *handover = calloc(1, sizeof(*handover));
    int on = 1;

    if (handover == NULL) {
        close(fd);
        return;
    }
    handover->fd = fd;
    handover->is_by_file = listener->is_by_file;
    if (!listener->is_by_file) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        handover->address = http_address_of(from);
        handover->is_by_proxy = is_proxy(server, &handover->address);
        handover->is_counted = !handover->is_by_proxy;
        if (handover->is_counted && !http_address_take(server->addresses, &handover->address,
                                                       server->options.connections_per_address_max)) {
            handover->is_counted = false;
            handover->refuse = &full;
        }
        if (conns_n >= server->options.connections_max) {
            handover->refuse = &full;
        }
    }
    handover->loop = least_loaded(server);
    atomic_fetch_add(&handover->loop->conns_n, 1);
    atomic_fetch_add(&server->conns_n, 1);
    handover->task.run = run_handover;
    if (handover->loop->index == 0) {
        run_handover(&handover->task);
    } else {
        loop_post(handover->loop->loop, &handover->task);
    }
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct http_listener *listener = poll->data;
    struct http_server *server = listener->server;

    (void)events;
    if (status < 0) {
        return;
    }
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        struct sockaddr_storage from = {0};
        socklen_t from_n = sizeof(from);
        int fd;

        if (atomic_load(&server->conns_n) >= server->options.connections_max + HTTP_REFUSED_MAX) {
            listener->is_paused = true;
            uv_poll_stop(poll);
            return;
        }
        fd = accept4(listener->fd, (struct sockaddr *)&from, &from_n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE) {
                /* Tried again at the next tick. */
                listener->is_paused = true;
                uv_poll_stop(poll);
            }
            return;
        }
        deal(listener, fd, (struct sockaddr *)&from);
    }
}

static void resume(struct http_listener *listener)
{
    struct http_server *server = listener->server;

    if (listener->is_open && listener->is_paused &&
        atomic_load(&server->conns_n) < server->options.connections_max + HTTP_REFUSED_MAX) {
        listener->is_paused = false;
        uv_poll_start(&listener->poll, UV_READABLE, on_ready);
    }
}

/* ---- drain ---- */

static void close_listener(struct http_listener *listener)
{
    if (listener->is_open) {
        listener->is_open = false;
        uv_poll_stop(&listener->poll);
        uv_close((uv_handle_t *)&listener->poll, NULL);
        /* At once: what the kernel would still queue would never be answered. */
        close(listener->fd);
        listener->fd = -1;
    }
}

static void maybe_end(struct http_loop *loop)
{
    if (!loop->is_draining || loop->is_over) {
        return;
    }
    if (atomic_load(&loop->conns_n) > 0 && uv_now(loop_uv(loop->loop)) >= loop->drain_until_ms) {
        http_conn_drain(loop, true);
    }
    if (loop->conns == NULL && atomic_load(&loop->conns_n) == 0) {
        loop->is_over = true;
        uv_close((uv_handle_t *)&loop->tick, NULL);
        loop_stop(loop->loop);
    }
}

static void begin_drain(struct loop_task *task)
{
    struct http_loop *loop =
        (struct http_loop *)(void *)((char *)task - offsetof(struct http_loop, drain_task));

    uv_update_time(loop_uv(loop->loop));
    loop->is_draining = true;
    loop->drain_until_ms = uv_now(loop_uv(loop->loop)) + (uint64_t)loop->server->drain_ms;
    if (loop->index == 0) {
        close_listener(&loop->server->tcp);
        close_listener(&loop->server->file);
    }
    http_conn_drain(loop, false);
    maybe_end(loop);
}

static void on_tick(uv_timer_t *tick)
{
    struct http_loop *loop = tick->data;

    http_conn_tick(loop);
    if (loop->index == 0) {
        resume(&loop->server->tcp);
        resume(&loop->server->file);
    }
    maybe_end(loop);
}

/* ---- opening ---- */

#define FILL(member, value)                                                                                  \
    server->options.member = server->options.member == 0 ? (value) : server->options.member

static void fill_options(struct http_server *server)
{
    FILL(address, "127.0.0.1");
    FILL(loops_n, 2);
    FILL(connections_max, 4096);
    FILL(connections_per_address_max, 64);
    FILL(body_bytes_max, (size_t)1 << 20);
    FILL(inflated_bytes_max, (size_t)4 << 20);
    FILL(large_bytes_max, (size_t)64 << 20);
    FILL(held_bytes_max, (size_t)256 << 20);
    FILL(arena_bytes_max, (size_t)64 << 20);
    FILL(header_ms, 5000);
    FILL(body_ms, 10000);
    FILL(window_ms, 60000);
    FILL(idle_ms, 60000);
    FILL(write_ms, 60000);
}

static enum err listen_tcp(struct http_server *server, struct why *why)
{
    struct http_address address;
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(server->options.port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(server->options.port)};
    struct sockaddr_storage bound = {0};
    socklen_t bound_n = sizeof(bound);
    const char *text = server->options.address;
    bool is_six = strchr(text, ':') != NULL;
    int on = 1, fd;

    if (http_address_parse(bytes_of(text), &address) != ERR_OK) {
        return why_say(why, ERR_INVALID, "bad_address", "address",
                       "%.60s is no address; give one such as 127.0.0.1.", text);
    }
    memcpy(&six.sin6_addr, address.b, 16);
    memcpy(&four.sin_addr, address.b + 12, 4);
    fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return why_say(why, ERR_IO, "no_socket", "address", "No socket could be made: %s.", strerror(errno));
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four,
             is_six ? sizeof(six) : sizeof(four)) != 0 ||
        listen(fd, BACKLOG) != 0 || getsockname(fd, (struct sockaddr *)&bound, &bound_n) != 0) {
        int error = errno;

        close(fd);
        return why_say(why, ERR_IO, "cannot_listen", "port", "%.60s port %u cannot be listened on: %s; %s.",
                       text, server->options.port, strerror(error),
                       error == EADDRINUSE ? "stop what listens there or choose another port"
                                           : "choose another");
    }
    server->tcp.fd = fd;
    server->port = ntohs(is_six ? ((struct sockaddr_in6 *)(void *)&bound)->sin6_port
                                : ((struct sockaddr_in *)(void *)&bound)->sin_port);
    return ERR_OK;
}

/* True when somebody answers on the socket file: it is not left over. */
static bool is_alive(const struct sockaddr_un *at)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_answered = fd >= 0 && connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0;

    if (fd >= 0) {
        close(fd);
    }
    return is_answered;
}

static enum err listen_file(struct http_server *server, struct why *why)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const char *path = server->options.socket_path;
    int fd;
    bool is_bound;

    if (path == NULL) {
        return ERR_OK;
    }
    if (strlen(path) >= sizeof(at.sun_path)) {
        return why_say(why, ERR_INVALID, "bad_path", "socket",
                       "The path of the socket must be under %zu bytes.", sizeof(at.sun_path));
    }
    memcpy(at.sun_path, path, strlen(path) + 1);
    if (is_alive(&at)) {
        return why_say(why, ERR_IO, "cannot_listen", "socket",
                       "Another server uses this directory; stop it first.");
    }
    unlink(path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    is_bound = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
    /* Nobody can connect before listen, so the mode holds from the first connection on. */
    if (!is_bound || chmod(path, S_IRUSR | S_IWUSR) != 0 || listen(fd, BACKLOG) != 0) {
        int error = errno;

        if (fd >= 0) {
            close(fd);
        }
        return why_say(why, ERR_IO, "cannot_listen", "socket", "%.100s cannot be listened on: %s.", path,
                       strerror(error));
    }
    server->file.fd = fd;
    return ERR_OK;
}

static enum err read_proxies(struct http_server *server, struct why *why)
{
    const char *const *proxies = server->options.proxies;
    size_t n = 0;

    while (proxies != NULL && proxies[n] != NULL) {
        n++;
    }
    server->proxies = calloc(n + 1, sizeof(*server->proxies));
    if (server->proxies == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        if (http_address_parse(bytes_of(proxies[i]), &server->proxies[i]) != ERR_OK) {
            return why_say(why, ERR_INVALID, "bad_address", "proxies", "%.60s is no address of a proxy.",
                           proxies[i]);
        }
    }
    server->proxies_n = n;
    return ERR_OK;
}

static enum err open_loops(struct http_server *server)
{
    server->loops = calloc(server->options.loops_n, sizeof(*server->loops));
    if (server->loops == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < server->options.loops_n; i++) {
        struct http_loop *loop = &server->loops[i];
        enum err err = loop_open(&loop->loop);

        if (err != ERR_OK) {
            return err;
        }
        server->loops_n++;
        loop->server = server;
        loop->index = i;
        if (getrandom(&loop->id_state, sizeof(loop->id_state), 0) != (ssize_t)sizeof(loop->id_state)) {
            return ERR_IO;
        }
    }
    return ERR_OK;
}

enum err http_server_open(const struct http_options *options, const struct http_route *routes,
                          size_t routes_n, struct http_server **out_server, struct why *why)
{
    struct http_server *server = calloc(1, sizeof(*server));
    enum err err;

    if (server == NULL) {
        return ERR_NOMEM;
    }
    server->options = *options;
    server->tcp = (struct http_listener){.server = server, .fd = -1};
    server->file = (struct http_listener){.server = server, .fd = -1, .is_by_file = true};
    fill_options(server);
    server->routes = http_route_open(routes, routes_n);
    server->addresses = http_address_open();
    err = read_proxies(server, why);
    if (err == ERR_OK) {
        err = open_loops(server);
    }
    if (err == ERR_OK) {
        err = listen_tcp(server, why);
    }
    if (err == ERR_OK) {
        err = listen_file(server, why);
    }
    if (err != ERR_OK) {
        http_server_close(server);
        return err;
    }
    *out_server = server;
    return ERR_OK;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

size_t http_server_loops_n(const struct http_server *server)
{
    return server->loops_n;
}

struct loop *http_server_loop(struct http_server *server, size_t i)
{
    assert(i < server->loops_n);
    return server->loops[i].loop;
}

void http_server_set_user(struct http_server *server, size_t i, void *user)
{
    assert(i < server->loops_n && !server->is_started);
    server->loops[i].user = user;
}

static void *run_loop(void *arg)
{
    struct http_loop *loop = arg;

    loop_run(loop->loop);
    return NULL;
}

static enum err open_listener(struct http_loop *loop, struct http_listener *listener)
{
    if (listener->fd < 0) {
        return ERR_OK;
    }
    if (uv_poll_init(loop_uv(loop->loop), &listener->poll, listener->fd) != 0) {
        return ERR_IO;
    }
    listener->poll.data = listener;
    listener->is_open = true;
    return uv_poll_start(&listener->poll, UV_READABLE, on_ready) == 0 ? ERR_OK : ERR_IO;
}

enum err http_server_start(struct http_server *server)
{
    enum err err;

    assert(!server->is_started);
    for (size_t i = 0; i < server->loops_n; i++) {
        struct http_loop *loop = &server->loops[i];

        uv_timer_init(loop_uv(loop->loop), &loop->tick);
        loop->tick.data = loop;
        uv_timer_start(&loop->tick, on_tick, HTTP_TICK_MS, HTTP_TICK_MS);
    }
    server->is_started = true;
    err = open_listener(&server->loops[0], &server->tcp);
    if (err == ERR_OK) {
        err = open_listener(&server->loops[0], &server->file);
    }
    for (size_t i = 0; err == ERR_OK && i < server->loops_n; i++) {
        struct http_loop *loop = &server->loops[i];

        if (pthread_create(&loop->thread, NULL, run_loop, loop) != 0) {
            err = ERR_NOMEM;
            break;
        }
        loop->is_running = true;
    }
    if (err == ERR_OK) {
        log_say(LOG_INFO, "http", "listens", "address=%s port=%u loops=%zu", server->options.address,
                server->port, server->loops_n);
    }
    return err;
}

size_t http_server_drain(struct http_server *server, int ms)
{
    size_t cut_n = 0;

    if (!server->is_started || server->is_drained) {
        return 0;
    }
    server->is_drained = true;
    server->drain_ms = ms;
    /* Loop 0 first, so that nothing is dealt out to a loop that has ended. */
    for (size_t i = 0; i < server->loops_n; i++) {
        struct http_loop *loop = &server->loops[i];

        loop->drain_task.run = begin_drain;
        if (loop->is_running) {
            loop_post(loop->loop, &loop->drain_task);
        } else {
            begin_drain(&loop->drain_task);
        }
    }
    for (size_t i = 0; i < server->loops_n; i++) {
        if (server->loops[i].is_running) {
            pthread_join(server->loops[i].thread, NULL);
            server->loops[i].is_running = false;
        }
        cut_n += server->loops[i].cut_n;
    }
    if (server->options.socket_path != NULL) {
        unlink(server->options.socket_path);
    }
    log_say(LOG_INFO, "http", "has drained", "cut=%zu", cut_n);
    return cut_n;
}

void http_server_close(struct http_server *server)
{
    if (server == NULL) {
        return;
    }
    (void)http_server_drain(server, 0);
    for (size_t i = 0; i < server->loops_n; i++) {
        loop_close(server->loops[i].loop);
        http_conn_free_pool(&server->loops[i]);
    }
    if (server->tcp.fd >= 0) {
        close(server->tcp.fd);
    }
    if (server->file.fd >= 0) {
        close(server->file.fd);
    }
    http_route_close(server->routes);
    http_address_close(server->addresses);
    free(server->proxies);
    free(server->loops);
    free(server);
}
