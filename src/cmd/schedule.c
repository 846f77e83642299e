/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/schedule.h"

#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATH_BYTES = 1100 };

extern char **environ;

struct schedule {
    struct api *api;
    const char *data_dir;
    int64_t every_ms;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_stopping; /* under lock */
    pid_t trainer;    /* under lock; 0: none */
};

/* Waits for the time to come or the end; true when it is time. */
static bool wait_next(struct schedule *schedule)
{
    struct timespec until;
    bool is_stopping;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += schedule->every_ms / 1000;
    pthread_mutex_lock(&schedule->lock);
    while (!schedule->is_stopping && pthread_cond_timedwait(&schedule->wake, &schedule->lock, &until) != ETIMEDOUT) {
    }
    is_stopping = schedule->is_stopping;
    pthread_mutex_unlock(&schedule->lock);
    return !is_stopping;
}

static void train(struct schedule *schedule, const struct api_tenant *tenant)
{
    char program[] = "falun", command[] = "train", once[] = "--once", data[] = "--data", tenant_option[] = "--tenant";
    char directory[PATH_BYTES], name[sizeof(tenant->name)];
    char *argv[] = {program, command, once, data, directory, tenant_option, name, NULL};
    posix_spawnattr_t attributes;
    sigset_t none;
    pid_t pid;
    int status = 0, failed;

    snprintf(directory, sizeof(directory), "%s", schedule->data_dir);
    memcpy(name, tenant->name, sizeof(name));
    /* The server's threads block SIGTERM; the trainer must not. */
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    pthread_mutex_lock(&schedule->lock);
    failed = schedule->is_stopping || posix_spawn(&pid, "/proc/self/exe", NULL, &attributes, argv, environ) != 0;
    posix_spawnattr_destroy(&attributes);
    if (failed) {
        pthread_mutex_unlock(&schedule->lock);
        return;
    }
    schedule->trainer = pid;
    pthread_mutex_unlock(&schedule->lock);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    pthread_mutex_lock(&schedule->lock);
    schedule->trainer = 0;
    pthread_mutex_unlock(&schedule->lock);
    log_say(WIFEXITED(status) && WEXITSTATUS(status) == 0 ? LOG_INFO : LOG_WARN, "cmd", "a training ended", "status=%d",
            WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void *run(void *ctx)
{
    struct schedule *schedule = ctx;

    /* P9: a shop whose model cannot be read (the program is newer than it, the disk lost it) does not wait a day for one. */
    for (size_t i = 0; i < schedule->api->tenants_n; i++) {
        if (schedule->api->tenants[i]->is_model_unreadable) {
            train(schedule, schedule->api->tenants[i]);
        }
    }
    while (wait_next(schedule)) {
        for (size_t i = 0; i < schedule->api->tenants_n; i++) {
            train(schedule, schedule->api->tenants[i]);
        }
    }
    return NULL;
}

enum err schedule_open(struct api *api, const char *data_dir, int64_t every_ms, struct schedule **out_schedule)
{
    struct schedule *schedule;
    pthread_condattr_t attributes;

    if (every_ms == 0) {
        *out_schedule = NULL;
        return ERR_OK;
    }
    schedule = calloc(1, sizeof(*schedule));
    if (schedule == NULL) {
        return ERR_NOMEM;
    }
    schedule->api = api;
    schedule->data_dir = data_dir;
    schedule->every_ms = every_ms;
    pthread_mutex_init(&schedule->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&schedule->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&schedule->thread, NULL, run, schedule) != 0) {
        free(schedule);
        return ERR_NOMEM;
    }
    *out_schedule = schedule;
    return ERR_OK;
}

void schedule_close(struct schedule *schedule)
{
    if (schedule == NULL) {
        return;
    }
    pthread_mutex_lock(&schedule->lock);
    schedule->is_stopping = true;
    if (schedule->trainer > 0) {
        kill(schedule->trainer, SIGTERM);
    }
    pthread_cond_broadcast(&schedule->wake);
    pthread_mutex_unlock(&schedule->lock);
    pthread_join(schedule->thread, NULL);
    pthread_cond_destroy(&schedule->wake);
    pthread_mutex_destroy(&schedule->lock);
    free(schedule);
}
