/* SPDX-License-Identifier: Apache-2.0 */
/* falun import: history in (product.md 8). Reads files through import_read, keeps through import_store or, where a
 * server has the data directory, through its socket (import_socket). Bad rows go to FILE.rejected.csv. */
#include "cmd/cmd.h"
#include "cmd/import_read.h"
#include "cmd/import_socket.h"
#include "cmd/import_store.h"
#include "base/hash.h"
#include "base/json_write.h"
#include "os/file.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SHOWN_MOST = 20, MAP_BYTES_MOST = 8 << 20 };

struct words { /* what was asked */
    const char *data, *tenant, *map, *shift_to;
    enum import_kind kind;
    bool is_dry, is_json, is_help;
    char **files;
    int files_n;
};

struct work { /* one file */
    const struct words *words;
    const struct import_map *map;
    const char *path;
    FILE *rejected;
    char rejected_path[1100];
    uint64_t rejected_n;
    struct import_store *store;   /* one of these two, none in a dry run */
    struct import_socket *socket;
    int64_t began_ms, told_ms;
    bool is_terminal;
    struct import_counts counts;
    int64_t shift_days;
};

static const char usage[] =
    "falun import --kind receipts|items|stores|customers --map MAP [options] FILE...\n"
    "    Reads history from CSV files (.gz and .zst as they are) by a map: columns, formats, filters.\n"
    "    --map MAP          an INI file, see demo/recorded/complete_journey.map\n"
    "    --data DIR         data directory, default ./falun-data; where a server has it, the server is spoken to\n"
    "    --tenant NAME      default: default\n"
    "    --format csv       the only format yet\n"
    "    --dry-run          checks everything, keeps nothing, lists bad rows first\n"
    "    --shift-to DATE    moves all receipts by whole days so that the last is on DATE (2026-11-22)\n"
    "    --json             the summary as one JSON object a file\n"
    "    Resumes where it was interrupted; the same file twice changes nothing. Rows that cannot be taken go to\n"
    "    FILE.rejected.csv with line, field and reason. Exit: 0 done, 1 failed, 2 wrong use, 3 done with rejected rows.\n";

/* ---- words ---- */

static bool read_kind(const char *word, enum import_kind *out_kind)
{
    static const char *const kinds[] = {"", "receipts", "items", "customers", "stores"};

    for (int i = 1; i < 5; i++) {
        if (strcmp(word, kinds[i]) == 0) {
            *out_kind = (enum import_kind)i;
            return true;
        }
    }
    fprintf(stderr, "falun import: --kind must be receipts, items, stores or customers, not `%.40s`; events come in through "
            "POST /v1/events\n", word);
    return false;
}

static bool read_words(int argc, char **argv, struct words *words)
{
    static const struct option options[] = {
        {"data", required_argument, NULL, 'd'},     {"tenant", required_argument, NULL, 't'},
        {"kind", required_argument, NULL, 'k'},     {"format", required_argument, NULL, 'f'},
        {"map", required_argument, NULL, 'm'},      {"dry-run", no_argument, NULL, 'n'},
        {"shift-to", required_argument, NULL, 's'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0}};
    int c;

    *words = (struct words){.data = "./falun-data", .tenant = "default"};
    optind = 1;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'd': words->data = optarg; break;
        case 't': words->tenant = optarg; break;
        case 'm': words->map = optarg; break;
        case 's': words->shift_to = optarg; break;
        case 'n': words->is_dry = true; break;
        case 'j': words->is_json = true; break;
        case 'h': words->is_help = true; return true;
        case 'k':
            if (!read_kind(optarg, &words->kind)) {
                return false;
            }
            break;
        case 'f':
            if (strcmp(optarg, "csv") != 0) {
                fprintf(stderr, "falun import: --format %.40s is not built yet; csv is\n", optarg);
                return false;
            }
            break;
        default: return false;
        }
    }
    words->files = argv + optind;
    words->files_n = argc - optind;
    if (words->kind == 0 || words->map == NULL || words->files_n == 0) {
        fprintf(stderr, "falun import: --kind, --map and at least one FILE are needed; see falun import --help\n");
        return false;
    }
    if (words->shift_to != NULL && words->kind != IMPORT_KIND_RECEIPTS) {
        fprintf(stderr, "falun import: --shift-to moves receipts; leave it out for --kind items, stores and customers\n");
        return false;
    }
    return true;
}

/* ---- bad rows ---- */

static void write_field(FILE *to, const char *text)
{
    fputc('"', to);
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            fputc('"', to);
        }
        fputc(*text, to);
    }
    fputc('"', to);
}

static void clear_progress(const struct work *work)
{
    if (work->is_terminal && work->told_ms > 0) {
        fprintf(stderr, "\r\033[K");
    }
}

static void on_rejected(void *ctx, const struct import_rejected *rejected)
{
    struct work *work = ctx;

    work->rejected_n++;
    if (work->words->is_dry && work->rejected_n <= SHOWN_MOST && !work->words->is_json) {
        clear_progress(work);
        printf("%s:%" PRIu64 ": %s%s%s\n", work->path, rejected->line, rejected->why.field,
               rejected->why.field[0] != '\0' ? ": " : "", rejected->why.says);
    }
    if (work->words->is_dry) {
        return;
    }
    if (work->rejected == NULL) {
        work->rejected = fopen(work->rejected_path, "w");
        if (work->rejected == NULL) {
            clear_progress(work);
            fprintf(stderr, "falun import: %s cannot be written: %s; bad rows are listed here\n", work->rejected_path,
                    strerror(errno));
            work->rejected = stderr;
        }
        fprintf(work->rejected, "line,field,code,reason\n");
    }
    fprintf(work->rejected, "%" PRIu64 ",", rejected->line);
    write_field(work->rejected, rejected->why.field);
    fprintf(work->rejected, ",%s,", rejected->why.code);
    write_field(work->rejected, rejected->why.says);
    fputc('\n', work->rejected);
}

/* ---- progress: five times a second on a terminal, one line a minute elsewhere ---- */

static void on_tick(void *ctx, double share, uint64_t rows_n)
{
    struct work *work = ctx;
    int64_t now_ms = data_now_ms(NULL);
    double seconds = (double)(now_ms - work->began_ms) / 1000;
    double left = share > 0 ? seconds / share * (1 - share) : 0;

    if (now_ms - (work->told_ms > 0 ? work->told_ms : work->began_ms) < (work->is_terminal ? 200 : 60000)) {
        return;
    }
    clear_progress(work);
    work->told_ms = now_ms;
    fprintf(stderr, "%s: %" PRIu64 " rows, %.0f rows/s, %.0f %%, %d:%02d left%s", work->path, rows_n,
            seconds > 0 ? (double)rows_n / seconds : 0, share * 100, (int)left / 60, (int)left % 60,
            work->is_terminal ? "" : "\n");
}

/* ---- one file ---- */

static enum err on_receipt(void *ctx, const struct import_receipt *receipt, struct why *why)
{
    struct work *work = ctx;

    return work->store != NULL    ? import_store_receipt(work->store, receipt, why)
           : work->socket != NULL ? import_socket_receipt(work->socket, receipt, why)
                                  : ERR_OK;
}

static enum err on_item(void *ctx, const struct item *item, uint64_t row, struct why *why)
{
    struct work *work = ctx;

    return work->store != NULL    ? import_store_row(work->store, item->id_text, item->json, row, why)
           : work->socket != NULL ? import_socket_row(work->socket, item->id_text, item->json, row, why)
                                  : ERR_OK;
}

static enum err on_store(void *ctx, const struct store *store, uint64_t row, struct why *why)
{
    struct work *work = ctx;

    return work->store != NULL    ? import_store_row(work->store, store->id_text, store->json, row, why)
           : work->socket != NULL ? import_socket_row(work->socket, store->id_text, store->json, row, why)
                                  : ERR_OK;
}

static enum err on_customer(void *ctx, const struct import_customer *customer, uint64_t row, struct why *why)
{
    (void)ctx;
    (void)customer;
    (void)row;
    (void)why;
    return ERR_OK;
}

static enum err read_file(struct work *work, struct tenant_id tenant, struct why *why)
{
    if (work->words->kind == IMPORT_KIND_RECEIPTS) {
        struct import_receipt_options options = {
            .shift_days = work->shift_days, .receipt = on_receipt, .rejected = on_rejected, .ctx = work};

        options.tenant = tenant;
        return import_read_receipts(work->map, work->path, &options, on_tick, work, &work->counts, why);
    } else {
        struct import_item_options options = {.tenant = tenant,
                                              .item = on_item,
                                              .store = on_store,
                                              .customer = on_customer,
                                              .rejected = on_rejected,
                                              .ctx = work};
        enum import_section section = work->words->kind == IMPORT_KIND_ITEMS    ? IMPORT_ITEMS
                                      : work->words->kind == IMPORT_KIND_STORES ? IMPORT_STORES
                                                                                : IMPORT_CUSTOMERS;

        return import_read_items(work->map, section, work->path, &options, on_tick, work, &work->counts, why);
    }
}

/* The whole days between the file's last receipt and the day asked for: the file is read once for it. */
static enum err find_shift(struct work *work, struct why *why)
{
    struct import_receipt_options options = {.ctx = work};
    int64_t at_ms, day;
    enum err err;

    if (work->words->shift_to == NULL) {
        return ERR_OK;
    }
    err = import_read_date(work->map, work->words->shift_to, &at_ms, &day, why);
    if (err == ERR_OK) {
        err = import_read_receipts(work->map, work->path, &options, NULL, NULL, &work->counts, why);
    }
    if (err == ERR_OK && work->counts.receipts_n > 0) {
        work->shift_days = day - work->counts.last_day;
    }
    return err;
}

static enum err hash_file(const char *path, uint8_t out_hash[32], struct why *why)
{
    struct bytes content;
    enum err err = file_map(path, &content, why);

    if (err == ERR_OK) {
        hash_256(NULL, content, out_hash);
        file_unmap(content);
    }
    return err;
}

static void print_json(const struct work *work, const struct import_tally *tally, bool was_whole, double seconds)
{
    const struct import_counts *c = &work->counts;
    struct arena arena = {0};
    struct json_write w;
    struct bytes text;

    arena_open(&arena, 16384, 65536);
    json_write_open(&w, &arena, 1024);
    json_write_object(&w, NULL);
    json_write_text(&w, "file", bytes_of(work->path));
    json_write_bool(&w, "dryRun", work->words->is_dry);
    json_write_bool(&w, "alreadyWhole", was_whole);
    json_write_int(&w, "rows", (int64_t)c->rows_n);
    json_write_int(&w, "kept", (int64_t)c->kept_n);
    json_write_int(&w, "left", (int64_t)c->left_n);
    json_write_int(&w, "rejected", (int64_t)work->rejected_n);
    json_write_int(&w, "receipts", (int64_t)c->receipts_n);
    json_write_int(&w, "stored", (int64_t)tally->stored_n);
    json_write_int(&w, "duplicate", (int64_t)tally->duplicate_n);
    json_write_int(&w, "anonymous", (int64_t)tally->anonymous_n);
    json_write_int(&w, "refused", (int64_t)tally->refused_n);
    json_write_int(&w, "shiftDays", work->shift_days);
    json_write_fixed(&w, "seconds", seconds, 3);
    json_write_fixed(&w, "rowsPerSecond", seconds > 0 ? (double)c->rows_n / seconds : 0, 0);
    json_write_end(&w);
    text = json_write_bytes(&w);
    printf("%.*s\n", (int)text.n, text.n > 0 ? text.p : "");
    arena_close(&arena);
}

static void summarise(const struct work *work, const struct import_tally *tally, bool was_whole)
{
    double seconds = (double)(data_now_ms(NULL) - work->began_ms) / 1000;
    const struct import_counts *c = &work->counts;
    double rate = seconds > 0 ? (double)c->rows_n / seconds : 0;

    clear_progress(work);
    if (work->words->is_json) {
        print_json(work, tally, was_whole, seconds);
        return;
    }
    if (was_whole) {
        printf("%s: was imported whole before; nothing to do\n", work->path);
        return;
    }
    printf("%s: %" PRIu64 " rows in %.1f s (%.0f rows/s): %" PRIu64 " kept, %" PRIu64 " left out by filters, %" PRIu64
           " rejected",
           work->path, c->rows_n, seconds, rate, c->kept_n, c->left_n, work->rejected_n);
    if (work->words->kind == IMPORT_KIND_RECEIPTS) {
        printf("; %" PRIu64 " receipts: %" PRIu64 " new, %" PRIu64 " known, %" PRIu64 " anonymous", c->receipts_n,
               tally->stored_n, tally->duplicate_n, tally->anonymous_n);
    }
    printf("%s\n", work->words->is_dry ? "; dry run, nothing was kept" : "");
    if (work->rejected_n > 0 && !work->words->is_dry && work->rejected != stderr) {
        printf("bad rows: %s\n", work->rejected_path);
    }
}

/* Where the file's receipts and rows go; data and socket are the command's. */
static enum err open_sink(struct work *work, struct data *data, struct import_socket *socket, struct tenant_id tenant,
                          struct why *why)
{
    struct import_store_options options = {.map = work->map,
                                           .data = data,
                                           .tenant = tenant,
                                           .kind = work->words->kind,
                                           .shift_days = work->shift_days,
                                           .now_ms = work->began_ms,
                                           .rejected = on_rejected,
                                           .ctx = work};
    enum err err = hash_file(work->path, options.file_hash, why);

    if (err != ERR_OK || work->words->is_dry) {
        return err;
    }
    if (socket != NULL) {
        work->socket = socket;
        return import_socket_begin(socket, work->map, work->words->kind, on_rejected, work);
    }
    return import_store_open(&options, &work->store, why);
}

static enum err import_file(struct work *work, struct data *data, struct import_socket *socket, struct tenant_id tenant,
                            struct why *why)
{
    struct import_tally tally = {0};
    bool was_whole = false;
    enum err err;

    work->began_ms = data_now_ms(NULL);
    work->is_terminal = isatty(STDERR_FILENO) == 1;
    snprintf(work->rejected_path, sizeof(work->rejected_path), "%.1000s.rejected.csv", work->path);
    err = find_shift(work, why);
    if (err == ERR_OK) {
        err = open_sink(work, data, socket, tenant, why);
    }
    was_whole = err == ERR_OK && work->store != NULL && import_store_mark(work->store).is_whole;
    if (err == ERR_OK && !was_whole) {
        if (!work->words->is_dry) {
            (void)unlink(work->rejected_path); /* of an earlier run: told anew below */
        }
        err = read_file(work, tenant, why);
    }
    if (err == ERR_OK && !was_whole && work->store != NULL) {
        err = import_store_flush(work->store, true, why);
    }
    if (err == ERR_OK && work->socket != NULL) {
        err = import_socket_flush(work->socket, why);
    }
    if (work->store != NULL) {
        tally = import_store_tally(work->store);
    } else if (work->socket != NULL) {
        tally = import_socket_tally(work->socket);
    }
    if (err == ERR_OK) {
        summarise(work, &tally, was_whole);
    }
    import_store_close(work->store);
    if (work->rejected != NULL && work->rejected != stderr && fclose(work->rejected) != 0 && err == ERR_OK) {
        err = why_say(why, ERR_IO, "file", "", "%.200s could not be written whole; free space", work->rejected_path);
    }
    return err;
}

static int import_all(const struct words *words, const struct import_map *map, struct data *data,
                      struct import_socket *socket, struct tenant_id tenant)
{
    int code = 0;

    for (int i = 0; i < words->files_n; i++) {
        struct work work = {.words = words, .map = map, .path = words->files[i]};
        struct why why = {0};
        enum err err = import_file(&work, data, socket, tenant, &why);

        if (err != ERR_OK) {
            clear_progress(&work);
            fprintf(stderr, "falun import: %s: %s\n", words->files[i], why.says[0] != '\0' ? why.says : err_name(err));
            return 1;
        }
        code = work.rejected_n > 0 ? 3 : code;
    }
    return code;
}

/* Opens what the words ask for: nothing in a dry run, the storage, or the socket of the server that has it. */
static int open_and_import(const struct words *words, const struct import_map *map)
{
    struct data_options options = {0};
    struct data data = {0};
    struct import_socket *socket = NULL;
    struct tenant_id tenant = {1};
    struct why why = {0};
    enum err err = ERR_OK;
    int code = 1;

    hash_start();
    if (!words->is_dry) {
        err = data_open(words->data, &options, &data, &why);
    }
    if (err == ERR_BUSY) {
        err = import_socket_open(words->data, words->tenant, &socket, &why);
    } else if (err == ERR_OK && !words->is_dry) {
        err = import_store_tenant(&data, words->tenant, &tenant, &why);
    }
    if (err != ERR_OK) {
        fprintf(stderr, "falun import: %s\n", why.says[0] != '\0' ? why.says : err_name(err));
    } else {
        code = import_all(words, map, &data, socket, tenant);
    }
    import_socket_close(socket);
    if (data.storage != NULL) {
        data_close(&data);
    }
    return code;
}

int cmd_import(int argc, char **argv)
{
    struct words words;
    struct arena arena = {0};
    const struct import_map *map;
    struct why why = {0};
    int code = 1;

    if (!read_words(argc, argv, &words)) {
        return 2;
    }
    if (words.is_help) {
        fputs(usage, stdout);
        return 0;
    }
    arena_open(&arena, 1 << 20, MAP_BYTES_MOST);
    hash_start();
    if (import_read_map(words.map, &arena, &map, &why) != ERR_OK) {
        fprintf(stderr, "falun import: %s: %s\n", words.map, why.says);
    } else if (words.kind == IMPORT_KIND_CUSTOMERS && !words.is_dry) {
        fprintf(stderr, "falun import: --kind customers reads and checks the file (--dry-run); facts of customers are not "
                "kept yet, so nothing would be\n");
    } else {
        code = open_and_import(&words, map);
    }
    arena_close(&arena);
    return code;
}
