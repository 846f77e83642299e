/* SPDX-License-Identifier: Apache-2.0 */
/* falun key add|list|revoke and falun tenant add|list: offline on a data directory (a running server holds it and
 * says so). A key is printed once and kept as a hash. */
#include "api/api_key.h"
#include "base/json_form.h"
#include "base/json_write.h"
#include "base/money.h"
#include "cmd/cmd.h"
#include "cmd/data.h"
#include "storage/storage_wait.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

enum { ARENA_BYTES = 65536, ARENA_BYTES_MAX = 16 << 20, ROWS = 2000 };

struct words { /* what was asked */
    const char *data, *tenant, *source, *id, *country, *currency, *time_zone;
    bool is_secret, is_gated, is_server;
};

static int fail(const char *command, const struct why *why, enum err err)
{
    fprintf(stderr, "falun %s: %s\n", command, why->says[0] ? why->says : err_name(err));
    return 1;
}

static bool read_words(int argc, char **argv, struct words *words)
{
    static const struct option options[] = {
        {"data", required_argument, NULL, 'd'},     {"tenant", required_argument, NULL, 't'},
        {"source", required_argument, NULL, 's'},   {"id", required_argument, NULL, 'i'},
        {"country", required_argument, NULL, 'c'},  {"currency", required_argument, NULL, 'm'},
        {"time-zone", required_argument, NULL, 'z'}, {"secret", no_argument, NULL, 'S'},
        {"gated", no_argument, NULL, 'G'},          {"server", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0}};
    int c;

    *words = (struct words){.data = "./falun-data", .tenant = "default", .source = "web", .country = "NO", .currency = "NOK",
                            .time_zone = "Europe/Oslo"};
    optind = 1;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'd': words->data = optarg; break;
        case 't': words->tenant = optarg; break;
        case 's': words->source = optarg; break;
        case 'i': words->id = optarg; break;
        case 'c': words->country = optarg; break;
        case 'm': words->currency = optarg; break;
        case 'z': words->time_zone = optarg; break;
        case 'S': words->is_secret = true; break;
        case 'G': words->is_gated = true; break;
        case 'V': words->is_server = true; break;
        default: return false;
        }
    }
    return optind == argc;
}

/* Names stand in headers, logs and commands: printable, and nothing that needs quoting there. */
static bool is_name(const char *text, size_t most)
{
    size_t n = strlen(text);

    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f || strchr("\"'\\`", text[i]) != NULL) {
            return false;
        }
    }
    return n > 0 && n <= most;
}

/* Gives the tenant's number, 0 where there is none of the name. */
static uint32_t tenant_number(struct data *data, const char *name, struct arena *arena)
{
    const struct storage_row *rows;
    size_t n = 0;
    int64_t id;

    if (storage_wait_changes(data->storage, data->loop, (struct tenant_id){1}, STORAGE_TENANT, 0, ROWS, arena, &rows, &n) == ERR_OK) {
        for (size_t i = 0; i < n; i++) {
            const struct json_node *root;

            if (rows[i].row.n > 0 && bytes_equal(rows[i].id, bytes_of(name)) &&
                json_read(arena, rows[i].row, &root, NULL) == ERR_OK && json_int(json_get(root, "id"), 1, INT32_MAX, &id)) {
                return (uint32_t)id;
            }
        }
    }
    return strcmp(name, "default") == 0 ? 1 : 0;
}

static int key_add(struct data *data, const struct words *words, struct tenant_id tenant, struct arena *arena)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    enum api_who who = words->is_secret ? API_SECRET : API_PUBLIC;
    char text[64], id[65];
    struct storage_put put;
    uint64_t revision;

    if (!is_name(words->source, sizeof((struct api_key){0}.source) - 1)) {
        fprintf(stderr, "falun key: --source names the sending system in 1 to 63 bytes, without blanks and quotes\n");
        return 2;
    }
    memcpy(text, who == API_SECRET ? "sk_" : "wk_", 3);
    for (size_t i = 0; i < 32; i++) {
        text[3 + i] = digits[randombytes_uniform(32)];
    }
    text[35] = '\0';
    api_key_row_id(bytes_of(text), id);
    put = (struct storage_put){.id = bytes_of(id),
                               .row = api_key_row(arena, who, bytes_of(words->source), words->is_gated, words->is_server)};
    if (storage_wait_put(data->storage, data->loop, tenant, STORAGE_KEY, &put, 1, &revision) != ERR_OK) {
        fprintf(stderr, "falun key: the key could not be stored\n");
        return 1;
    }
    printf("%s\n", text);
    fprintf(stderr, "This key is shown once. Its name for `falun key revoke --id` is %.12s\n", id);
    return 0;
}

static int key_list(struct data *data, const struct words *words, struct tenant_id tenant, struct arena *arena, bool is_revoke)
{
    const struct storage_row *rows;
    size_t n = 0, revoked = 0;

    if (storage_wait_changes(data->storage, data->loop, tenant, STORAGE_KEY, 0, ROWS, arena, &rows, &n) != ERR_OK) {
        fprintf(stderr, "falun key: the keys could not be read\n");
        return 1;
    }
    for (size_t i = 0; i < n; i++) {
        if (rows[i].row.n == 0) {
            continue;
        }
        if (!is_revoke) {
            printf("%.12s  %.*s\n", rows[i].id.p, (int)rows[i].row.n, rows[i].row.p);
        } else if (words->id != NULL && strlen(words->id) >= 8 && bytes_starts(rows[i].id, bytes_of(words->id))) {
            struct storage_put put = {.id = rows[i].id};
            uint64_t revision;

            if (storage_wait_put(data->storage, data->loop, tenant, STORAGE_KEY, &put, 1, &revision) != ERR_OK) {
                return 1;
            }
            revoked++;
        }
    }
    if (is_revoke && revoked == 0) {
        fprintf(stderr, "falun key: no key has that name; give at least 8 digits of what `falun key list` shows\n");
        return 1;
    }
    return 0;
}

int cmd_key(int argc, char **argv)
{
    struct words words;
    struct data data;
    struct data_options options = {0};
    struct why why = {0};
    struct arena arena;
    struct tenant_id tenant;
    const char *what = argc > 1 ? argv[1] : "";
    int code = 2;
    enum err err;

    if ((strcmp(what, "add") != 0 && strcmp(what, "list") != 0 && strcmp(what, "revoke") != 0) ||
        !read_words(argc - 1, argv + 1, &words)) {
        fprintf(stderr, "falun key add [--secret] [--gated] [--server] [--source NAME] | list | revoke --id DIGITS\n"
                        "    [--data DIR] [--tenant NAME]\n");
        return strcmp(what, "--help") == 0 ? 0 : 2;
    }
    err = data_open(words.data, &options, &data, &why);
    if (err != ERR_OK) {
        return fail("key", &why, err);
    }
    arena_open(&arena, ARENA_BYTES, ARENA_BYTES_MAX);
    tenant.v = tenant_number(&data, words.tenant, &arena);
    if (tenant.v == 0) {
        fprintf(stderr, "falun key: there is no tenant %s; see `falun tenant list`\n", words.tenant);
    } else {
        code = strcmp(what, "add") == 0 ? key_add(&data, &words, tenant, &arena)
                                        : key_list(&data, &words, tenant, &arena, what[0] == 'r');
    }
    arena_close(&arena);
    data_close(&data);
    return code;
}

/* What the server could not hold would keep it from starting. */
static bool is_tenant(const struct words *words)
{
    const struct api_tenant *room = NULL;
    const char *wrong = NULL;

    if (!is_name(words->tenant, sizeof(room->name) - 1)) {
        wrong = "--tenant is a name of 1 to 63 bytes, without blanks and quotes";
    } else if (strlen(words->country) != 2 || strspn(words->country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2) {
        wrong = "--country is two capital letters, such as NO";
    } else if (!money_is_currency(bytes_of(words->currency))) {
        wrong = "--currency is three capital letters, such as NOK";
    } else if (!is_name(words->time_zone, sizeof(room->time_zone) - 1)) {
        wrong = "--time-zone is a name such as Europe/Oslo";
    }
    if (wrong != NULL) {
        fprintf(stderr, "falun tenant: %s\n", wrong);
    }
    return wrong == NULL;
}

static int tenant_add(struct data *data, const struct words *words, struct arena *arena)
{
    const struct storage_row *rows;
    size_t n = 0, others_n = 0;
    int64_t id, most = 1;
    struct json_write w;
    struct storage_put put = {.id = bytes_of(words->tenant), .if_revision = UINT64_MAX};
    uint64_t revision = 0;

    if (storage_wait_changes(data->storage, data->loop, (struct tenant_id){1}, STORAGE_TENANT, 0, ROWS, arena, &rows, &n) != ERR_OK) {
        return 1;
    }
    for (size_t i = 0; i < n; i++) {
        const struct json_node *root;

        if (rows[i].row.n > 0 && json_read(arena, rows[i].row, &root, NULL) == ERR_OK &&
            json_int(json_get(root, "id"), 1, INT32_MAX, &id)) {
            most = id > most ? id : most;
            others_n += id != 1;
        }
    }
    if (strcmp(words->tenant, "default") != 0 && others_n + 1 >= API_TENANTS_MAX) {
        fprintf(stderr, "falun tenant: a server holds %d tenants at most; use another data directory\n", API_TENANTS_MAX);
        return 1;
    }
    json_write_open(&w, arena, 256);
    json_write_object(&w, NULL);
    json_write_int(&w, "id", strcmp(words->tenant, "default") == 0 ? 1 : most + 1);
    json_write_word(&w, "country", words->country);
    json_write_word(&w, "currency", words->currency);
    json_write_word(&w, "timeZone", words->time_zone);
    json_write_end(&w);
    put.row = json_write_bytes(&w);
    if (storage_wait_put(data->storage, data->loop, (struct tenant_id){1}, STORAGE_TENANT, &put, 1, &revision) != ERR_OK) {
        return 1;
    }
    if (revision == 0) {
        fprintf(stderr, "falun tenant: there is a tenant %s already\n", words->tenant);
        return 1;
    }
    printf("tenant %s is made; `falun key add --tenant %s` gives it keys\n", words->tenant, words->tenant);
    return 0;
}

int cmd_tenant(int argc, char **argv)
{
    struct words words;
    struct data data;
    struct data_options options = {0};
    struct why why = {0};
    struct arena arena;
    const char *what = argc > 1 ? argv[1] : "";
    int code;
    enum err err;

    if ((strcmp(what, "add") != 0 && strcmp(what, "list") != 0) || !read_words(argc - 1, argv + 1, &words)) {
        fprintf(stderr, "falun tenant add --tenant NAME [--country NO] [--currency NOK] [--time-zone Europe/Oslo] | list\n"
                        "    [--data DIR]\n");
        return strcmp(what, "--help") == 0 ? 0 : 2;
    }
    if (what[0] == 'a' && !is_tenant(&words)) {
        return 2;
    }
    err = data_open(words.data, &options, &data, &why);
    if (err != ERR_OK) {
        return fail("tenant", &why, err);
    }
    arena_open(&arena, ARENA_BYTES, ARENA_BYTES_MAX);
    if (what[0] == 'a') {
        code = tenant_add(&data, &words, &arena);
    } else {
        const struct storage_row *rows;
        size_t n = 0;

        code = storage_wait_changes(data.storage, data.loop, (struct tenant_id){1}, STORAGE_TENANT, 0, ROWS, &arena, &rows, &n) !=
               ERR_OK;
        printf("default\n");
        for (size_t i = 0; i < n; i++) {
            printf("%.*s  %.*s\n", (int)rows[i].id.n, rows[i].id.p, (int)rows[i].row.n, rows[i].row.p);
        }
    }
    arena_close(&arena);
    data_close(&data);
    return code;
}
