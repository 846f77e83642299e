/* SPDX-License-Identifier: Apache-2.0 */
/* falun demo: recorded till lines in, learnt, and served on this machine with a page to look at.
 *
 *     DIR/demo-state     what stands, a line each: "falun demo 1", "shift-to 2026-11-24", "imported", "trained"
 *     DIR/demo-proof     the report of `falun evaluate` on the held-back month, one JSON object
 * The steps are this same program's commands (import, train, evaluate), each in a process of its own, so that their memory
 * goes with them and an interrupted demo goes on where it stopped. Served as soon as something is learnt; the proof is
 * computed beside it, once. The shift is kept: the same file may not be imported with another (settled.md 5.5). */
#include "cmd/cmd.h"
#include "cmd/serve.h"

#include "api/api_demo.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/time.h"
#include "os/file.h"
#include "os/zone_file.h"
#include "storage/storage_wait.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TENANT "recorded"
#define STATE_FIRST "falun demo 1"
/* The published month (evaluation.md 4.2): the first basket in November of each household, all before it is learnt from. */
#define TEST_FROM "2017-11-01"
#define TEST_TO "2017-12-01"

enum {
    PATH_BYTES = 1300,
    STATE_BYTES = 512,
    REPORT_BYTES = 65536,
    ARGS_MOST = 24,
    ARENA_BYTES = 65536,
    NICE = 10
};

struct demo {
    const char *data, *recorded, *port;
    bool is_fresh;
    char recorded_room[PATH_BYTES];
    char lines[PATH_BYTES], products[PATH_BYTES], map[PATH_BYTES];
    char state[STATE_BYTES]; /* the whole file */
    char shift_to[16];
    struct serve *serve;
    pthread_t prover;
    pid_t child; /* of the prover, under lock; 0: none */
    bool is_stopping;
    pthread_mutex_t lock;
};

static const char usage[] =
    "falun demo [options]\n"
    "    Imports the recorded till lines, learns from them and serves a page on 127.0.0.1: real households, "
    "their rows, the proof.\n"
    "    --data DIR       a data directory of its own, default ./falun-demo; reused when whole\n"
    "    --port N         default 7474; the address is always 127.0.0.1, for the demo's keys are known to "
    "everybody\n"
    "    --fresh          starts over: what is in the demo's directory is deleted first\n"
    "    --recorded DIR   where transactions, products and map lie, default demo/recorded beside the program "
    "or here\n";

/* ---- words ---- */

/* Exit code, or -1: go on. */
static int read_words(int argc, char **argv, struct demo *demo)
{
    static const struct option options[] = {{"data", required_argument, NULL, 'd'},
                                            {"port", required_argument, NULL, 'p'},
                                            {"fresh", no_argument, NULL, 'f'},
                                            {"recorded", required_argument, NULL, 'r'},
                                            {"listen", required_argument, NULL, 'l'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int c;
    char *end;

    *demo = (struct demo){.data = "./falun-demo", .port = "7474"};
    optind = 1;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'd':
            demo->data = optarg;
            break;
        case 'p':
            demo->port = optarg;
            break;
        case 'f':
            demo->is_fresh = true;
            break;
        case 'r':
            demo->recorded = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        case 'l':
            fprintf(stderr, "falun demo: the demo answers on 127.0.0.1 only, for its keys are known to "
                            "everybody; choose a port "
                            "with --port, and use `falun serve` for anything else\n");
            return 2;
        default:
            return 2;
        }
    }
    if (optind < argc || strtol(demo->port, &end, 10) < 0 || strtol(demo->port, &end, 10) > 65535 ||
        *end != '\0' || *demo->port == '\0') {
        fprintf(stderr, "falun demo: --port is a number from 0 to 65535, and there is nothing else to name; "
                        "see falun demo --help\n");
        return 2;
    }
    return -1;
}

/* ---- where the recorded lines lie ---- */

static bool find_file(const char *directory, const char *name, char out_path[PATH_BYTES])
{
    static const char *const endings[] = {".csv.zst", ".csv.gz", ".csv"};

    for (size_t i = 0; i < 3; i++) {
        snprintf(out_path, PATH_BYTES, "%s/%s%s", directory, name, endings[i]);
        if (file_is_there(out_path))
            return true;
    }
    return false;
}

static bool find_in(struct demo *demo, const char *directory)
{
    snprintf(demo->map, sizeof(demo->map), "%s/complete_journey.map", directory);
    return file_is_there(demo->map) && find_file(directory, "transactions", demo->lines) &&
           find_file(directory, "products", demo->products);
}

/* Named by --recorded, else demo/recorded here, else beside the program's directory (build/falun). */
static bool find_recorded(struct demo *demo)
{
    char program[PATH_BYTES - 64];
    ssize_t n;

    if (demo->recorded)
        return find_in(demo, demo->recorded);
    if (find_in(demo, "demo/recorded"))
        return true;
    n = readlink("/proc/self/exe", program, sizeof(program) - 1);
    for (int up = 0; n > 0 && up < 2; up++) {
        while (n > 0 && program[n - 1] != '/')
            n--;
        n -= n > 0;
    }
    if (n <= 0)
        return false;
    program[n] = '\0';
    snprintf(demo->recorded_room, sizeof(demo->recorded_room), "%s/demo/recorded", program);
    return find_in(demo, demo->recorded_room);
}

/* ---- the directory and its state ---- */

static bool state_has(const struct demo *demo, const char *line)
{
    const char *at = strstr(demo->state, line);
    size_t n = strlen(line);

    return at && (at == demo->state || at[-1] == '\n') && (at[n] == '\n' || at[n] == ' ');
}

static void state_read(struct demo *demo)
{
    char path[PATH_BYTES];
    FILE *file;
    size_t n = 0;
    const char *at;

    data_dir_join(demo->data, "demo-state", path, sizeof(path));
    file = fopen(path, "r");
    if (file) {
        n = fread(demo->state, 1, sizeof(demo->state) - 1, file);
        fclose(file);
    }
    demo->state[n] = '\0';
    at = strstr(demo->state, "\nshift-to ");
    if (at)
        snprintf(demo->shift_to, sizeof(demo->shift_to), "%.10s", at + 10);
}

static bool state_add(struct demo *demo, const char *line)
{
    char path[PATH_BYTES];
    size_t n = strlen(demo->state);
    struct why why = {0};

    snprintf(demo->state + n, sizeof(demo->state) - n, "%s\n", line);
    data_dir_join(demo->data, "demo-state", path, sizeof(path));
    if (file_write(path, bytes_of(demo->state), 0600, &why) == ERR_OK)
        return true;
    fprintf(stderr, "falun demo: %s\n", why.says);
    return false;
}

static bool is_empty(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    bool is = true;

    while (directory && (entry = readdir(directory)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            is = false;
    if (directory)
        closedir(directory);
    return is;
}

static int delete_one(const char *path, const struct stat *stat, int kind, struct FTW *ftw)
{
    (void)stat;
    (void)kind;
    (void)ftw;
    return remove(path);
}

/* Only what the demo made itself is ever deleted, and only while nobody uses it. */
static bool prepare_directory(struct demo *demo)
{
    struct data_dir *lock;
    struct why why = {0};

    state_read(demo);
    if (!is_empty(demo->data) && !state_has(demo, STATE_FIRST)) {
        fprintf(stderr,
                "falun demo: %s holds something that the demo did not make; choose another directory with "
                "--data\n",
                demo->data);
        return false;
    }
    if (demo->is_fresh && !is_empty(demo->data)) {
        if (data_dir_open(demo->data, &lock, &why) != ERR_OK) {
            fprintf(stderr, "falun demo: %s\n", why.says);
            return false;
        }
        data_dir_close(lock);
        if (nftw(demo->data, delete_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0) {
            fprintf(stderr, "falun demo: %s could not be deleted: %s; delete it by hand\n", demo->data,
                    strerror(errno));
            return false;
        }
        demo->state[0] = demo->shift_to[0] = '\0';
    }
    if (mkdir(demo->data, 0700) != 0 && errno != EEXIST) {
        fprintf(stderr, "falun demo: %s cannot be made: %s; choose another with --data\n", demo->data,
                strerror(errno));
        return false;
    }
    return true;
}

/* Yesterday where the tills stood (New York, at most an hour off): no line may lie in the future. */
static void yesterday(char out_date[16])
{
    struct civil civil = time_civil(data_now_ms(NULL) - 5 * HOUR_MS - DAY_MS);

    snprintf(out_date, 16, "%04d-%02d-%02d", civil.year % 10000, civil.month % 100, civil.day % 100);
}

/* The first tenant is called *recorded* and speaks dollars: the samples' keys are the first tenant's. */
static bool make_tenant(struct demo *demo)
{
    static const char row[] =
        "{\"id\":1,\"country\":\"US\",\"currency\":\"USD\",\"timeZone\":\"America/New_York\"}";
    struct storage_put put = {.id = BYTES_LIT(TENANT), .row = BYTES_LIT(row)};
    struct data_options options = {0};
    struct data data;
    struct why why = {0};
    uint64_t revision;
    enum err err = data_open(demo->data, &options, &data, &why);

    if (err == ERR_OK) {
        err = storage_wait_put(data.storage, data.loop, (struct tenant_id){1}, STORAGE_TENANT, &put, 1,
                               &revision);
        data_close(&data);
    }
    if (err != ERR_OK)
        fprintf(stderr, "falun demo: %s\n",
                why.says[0] ? why.says : "the tenant could not be written; see the log above");
    return err == ERR_OK;
}

/* A taken port is told before the work, not after it. */
static bool is_port_free(const struct demo *demo)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtol(demo->port, NULL, 10)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int on = 1, probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_free;

    if (probe < 0)
        return true; /* the server will say what is wrong */
    (void)setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    is_free = bind(probe, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(probe);
    if (!is_free)
        fprintf(stderr, "falun demo: port %s of 127.0.0.1 is taken; choose another with --port\n",
                demo->port);
    return is_free;
}

/* ---- steps in processes of their own ---- */

/* Runs this program with argv; out: where its standard output goes, -1: ours. Gives the pid, -1 on failure. The child ends
 * with the thread that started it. */
static pid_t start(char *const argv[], int out, int nicer)
{
    pid_t pid = fork();
    sigset_t none;

    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (out >= 0)
        dup2(out, STDOUT_FILENO);
    if (nice(nicer) == -1)
        errno = 0;
    execv("/proc/self/exe", argv);
    _exit(127);
}

static int finish(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* Waits; on a terminal the seconds run, for a step that shows no progress of its own. */
static int finish_shown(pid_t pid)
{
    int status = 0;

    if (!isatty(STDERR_FILENO))
        return finish(pid);
    for (int64_t began_ms = data_now_ms(NULL); waitpid(pid, &status, WNOHANG) == 0; usleep(200000))
        fprintf(stderr, "\r  %lld s", (long long)(data_now_ms(NULL) - began_ms) / 1000);
    fprintf(stderr, "\r\033[K");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* words: NULL-terminated, of one command. is_silent: its standard output, made for machines, is not shown and the seconds
 * are. */
static bool step(const char *const words[], bool is_silent)
{
    char *argv[ARGS_MOST + 2] = {0};
    char copy[ARGS_MOST][PATH_BYTES];
    static char program[] = "falun";
    int code, nowhere = is_silent ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1;
    pid_t pid;

    argv[0] = program;
    for (size_t i = 0; words[i]; i++) { /* exec takes words as char * */
        snprintf(copy[i], sizeof(copy[i]), "%s", words[i]);
        argv[i + 1] = copy[i];
    }
    fflush(stdout);
    pid = start(argv, nowhere, 0);
    code = pid < 0 ? 127 : is_silent ? finish_shown(pid) : finish(pid);
    if (nowhere >= 0)
        close(nowhere);
    if (code == 0 || code == 3) /* 3: done, some rows were rejected and listed */
        return true;
    fprintf(stderr,
            "falun demo: `falun %s` ended with %d; its last lines say why. Start the demo again and it goes "
            "on here\n",
            words[0], code);
    return false;
}

static bool import(struct demo *demo)
{
    const char *const items[] = {"import",   "--kind",   "items", "--map",        demo->map, "--data",
                                 demo->data, "--tenant", TENANT,  demo->products, NULL};
    const char *const receipts[] = {"import",       "--kind",    "receipts", "--map", demo->map,
                                    "--data",       demo->data,  "--tenant", TENANT,  "--shift-to",
                                    demo->shift_to, demo->lines, NULL};

    if (state_has(demo, "imported"))
        return true;
    printf("Step 1 of 3: importing the recorded till lines, shifted to end on %s\n", demo->shift_to);
    return step(items, false) && step(receipts, false) && state_add(demo, "imported");
}

static bool train(struct demo *demo)
{
    const char *const words[] = {"train", "--once",    "--data", demo->data, "--tenant",
                                 TENANT,  "--minutes", "0",      NULL};

    if (state_has(demo, "trained"))
        return true;
    printf("Step 2 of 3: learning from them, about half a minute on two idle cores\n");
    return step(words, true) && state_add(demo, "trained");
}

/* ---- the proof ---- */

static size_t read_all(int from, char *to, size_t room)
{
    size_t n = 0;
    ssize_t got;

    while (n < room && (got = read(from, to + n, room - n)) != 0) {
        if (got < 0 && errno != EINTR)
            break;
        n += got > 0 ? (size_t)got : 0;
    }
    return n;
}

/* The last line that is not empty: the report, by contract of `evaluate`. */
static struct bytes last_line(char *text, size_t n)
{
    size_t end = n, at;

    while (end > 0 && text[end - 1] == '\n')
        end--;
    for (at = end; at > 0 && text[at - 1] != '\n';)
        at--;
    return (struct bytes){text + at, end - at};
}

static int evaluate(struct demo *demo, char *out_text, size_t room, size_t *out_n)
{
    char words[][24] = {"falun",     "evaluate", "--protocol", "next-basket",      "--lines",
                        "",          "--map",    "",           "--test-from",      TEST_FROM,
                        "--test-to", TEST_TO,    "--against",  "popular,segments", "--minutes",
                        "0"};
    enum { WORDS = sizeof(words) / sizeof(words[0]) };
    char *argv[WORDS + 1] = {0};
    int ends[2], code;
    pid_t pid;

    for (size_t i = 0; i < WORDS; i++)
        argv[i] = words[i];
    argv[5] = demo->lines;
    argv[7] = demo->map;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return 127;
    pthread_mutex_lock(&demo->lock);
    pid = demo->is_stopping ? -1 : start(argv, ends[1], NICE);
    demo->child = pid > 0 ? pid : 0;
    pthread_mutex_unlock(&demo->lock);
    close(ends[1]);
    *out_n = pid > 0 ? read_all(ends[0], out_text, room) : 0;
    close(ends[0]);
    code = pid > 0 ? finish(pid) : 127;
    pthread_mutex_lock(&demo->lock);
    demo->child = 0;
    pthread_mutex_unlock(&demo->lock);
    return code;
}

static void *prove(void *ctx)
{
    struct demo *demo = ctx;
    struct api *api = serve_api(demo->serve);
    char path[PATH_BYTES], *text = malloc(REPORT_BYTES);
    size_t n = 0;
    int code = text ? evaluate(demo, text, REPORT_BYTES, &n) : 127;
    struct bytes report = text ? last_line(text, n) : (struct bytes){0};
    struct why why = {0};

    data_dir_join(demo->data, "demo-proof", path, sizeof(path));
    if (code == 0 && api_demo_proof_put(api, report)) {
        if (file_write(path, report, 0600, &why) != ERR_OK)
            log_say(LOG_WARN, "cmd", "the proof could not be kept and will be computed again", "code=%s",
                    why.code);
        log_say(LOG_INFO, "cmd", "the proof is on the page", "bytes=%zu", report.n);
    } else {
        api_demo_proof_failed(
            api, "The evaluation on the held-back month ended early. `falun evaluate --help` says how to run "
                 "it by hand; the rows below do not need it.");
    }
    free(text);
    return NULL;
}

/* A report of an earlier start is on the page at once. */
static bool proof_is_there(struct demo *demo)
{
    char path[PATH_BYTES];
    struct arena arena;
    struct bytes report;
    struct why why;
    bool is;

    arena_open(&arena, ARENA_BYTES, 4 * REPORT_BYTES);
    data_dir_join(demo->data, "demo-proof", path, sizeof(path));
    is = file_is_there(path) && file_whole(path, REPORT_BYTES, &arena, &report, &why) == ERR_OK &&
         api_demo_proof_put(serve_api(demo->serve), report);
    arena_close(&arena);
    return is;
}

/* ---- serving ---- */

static bool open_server(struct demo *demo)
{
    char words[][24] = {"--data", "", "--listen", "127.0.0.1:65535", "--test-keys"};
    char data[PATH_BYTES];
    char *argv[] = {words[0], data, words[2], words[3], words[4], NULL};
    struct config config;
    struct why why = {0};
    bool unused;

    snprintf(data, sizeof(data), "%s", demo->data);
    snprintf(words[3], sizeof(words[3]), "127.0.0.1:%.5s", demo->port);
    if (config_read(5, argv, &config, &unused, &unused, &why) != ERR_OK ||
        serve_open(&config, NULL, api_demo_routes, api_demo_routes_n, &demo->serve, &why) != ERR_OK) {
        fprintf(stderr, "falun demo: %s\n", why.says[0] ? why.says : "the start failed; see the log above");
        return false;
    }
    return true;
}

static void say_commands(const struct demo *demo, const char *household)
{
    unsigned port = serve_port(demo->serve);

    printf(
        "\n  keys    public wk_test_0123456789, secret sk_test_0123456789 (known to everybody: this machine "
        "only)\n"
        "  try     curl -s http://127.0.0.1:%u/v1/decide -H 'Authorization: Bearer sk_test_0123456789' \\\n"
        "            -d '{\"identifier\":\"%s\",\"placement\":\"home-top\",\"n\":4}'\n"
        "          curl -s http://127.0.0.1:%u/v1/events -H 'Authorization: Bearer sk_test_0123456789' \\\n"
        "            -d '{\"kind\":\"view\",\"identifier\":\"%s\",\"item\":\"1082185\"}'\n"
        "          curl -s http://127.0.0.1:%u/v1/customers/%s -H 'Authorization: Bearer "
        "sk_test_0123456789'\n"
        "  stop    Ctrl-C; start again and it is there at once; --fresh starts over\n\n",
        port, household, port, household, port, household);
    fflush(stdout);
}

static int serve(struct demo *demo)
{
    struct api *api;
    char household[API_DEMO_KEY_BYTES];
    struct arena zone_arena; /* the page's dates; longer than api */
    struct zone zone;
    struct why why = {0};
    bool is_proving;
    enum err err;
    int code;

    serve_block_signals();
    printf("Step 3 of 3: serving\n");
    if (!open_server(demo))
        return 1;
    api = serve_api(demo->serve);
    arena_open(&zone_arena, ARENA_BYTES, 16 * ARENA_BYTES);
    if (zone_file_read(bytes_of(api->tenants[0]->time_zone), &zone_arena, &zone, &why) != ERR_OK) {
        log_say(LOG_WARN, "cmd", "dates on the page are UTC", "why=%s", why.says);
        zone = (struct zone){0};
    }
    if (api_demo_open(api, api->tenants[0], &zone) != ERR_OK) {
        fprintf(stderr, "falun demo: out of memory\n");
        return 1;
    }
    printf("\n  open    http://127.0.0.1:%u/\n", serve_port(demo->serve));
    fflush(stdout);
    is_proving = !proof_is_there(demo) && pthread_create(&demo->prover, NULL, prove, demo) == 0;
    err = api_demo_survey(api, data_now_ms(NULL));
    if (err != ERR_OK)
        log_say(LOG_WARN, "cmd",
                "the households could not be looked through; the page offers the newcomer only", "err=%s",
                err_name(err));
    api_demo_household(api, household);
    say_commands(demo, household);
    serve_wait_signal();
    pthread_mutex_lock(&demo->lock);
    demo->is_stopping = true;
    if (demo->child > 0)
        kill(demo->child, SIGTERM);
    pthread_mutex_unlock(&demo->lock);
    if (is_proving)
        pthread_join(demo->prover, NULL);
    code = serve_stop(demo->serve);
    arena_close(&zone_arena);
    return code;
}

int cmd_demo(int argc, char **argv)
{
    struct demo demo;
    int code = read_words(argc, argv, &demo);
    char line[40];

    if (code >= 0)
        return code;
    setvbuf(stdout, NULL, _IOLBF, 0); /* steps and their own processes' lines stay in order */
    pthread_mutex_init(&demo.lock, NULL);
    if (!find_recorded(&demo)) {
        fprintf(stderr, "falun demo: demo/recorded with complete_journey.map, transactions and products is "
                        "not here; run it from "
                        "the source tree, or name the directory with --recorded\n");
        return 1;
    }
    if (!is_port_free(&demo) || !prepare_directory(&demo))
        return 1;
    printf("Falun demo: tenant " TENANT ", data in %s\n", demo.data);
    if (!state_has(&demo, STATE_FIRST)) {
        yesterday(demo.shift_to);
        snprintf(line, sizeof(line), "shift-to %s", demo.shift_to);
        if (!state_add(&demo, STATE_FIRST) || !state_add(&demo, line) || !make_tenant(&demo))
            return 1;
    }
    if (!import(&demo) || !train(&demo))
        return 1;
    return serve(&demo);
}
