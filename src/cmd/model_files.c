/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/model_files.h"

#include "base/json_read.h"
#include "base/log.h"
#include "cmd/data.h"
#include "model/model_file.h"
#include "model/model_session.h"
#include "os/mapping.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 1400, ARENA_BYTES = 4096, ARENA_BYTES_MAX = 1 << 22, TENANT_AT = 16 };

static bool is_name(const char *name)
{
    size_t n = 0;

    while ((name[n] >= '0' && name[n] <= '9') || (name[n] >= 'a' && name[n] <= 'f')) {
        n++;
    }
    return n == 64 && name[n] == '\0';
}

/* What the note says it scored: of the head that had cases, baskets before visits. */
static void read_quality(const struct model *model, struct arena *arena, struct model_file *file)
{
    static const char *const measures[] = {"recall@10", "hr@20"};
    const struct json_node *root;

    file->quality = NAN;
    if (model_note(model).n == 0 || json_read(arena, model_note(model), &root, NULL) != ERR_OK) {
        return;
    }
    for (size_t m = 0; m < 2; m++) {
        const struct json_node *heads = json_get(root, "heads");

        for (const struct json_node *head = heads != NULL ? heads->first : NULL; head != NULL; head = head->next) {
            if (json_double(json_get(head, measures[m]), 0, 1, &file->quality) && file->quality > 0) {
                (void)snprintf(file->measure, sizeof(file->measure), "%s", measures[m]);
                return;
            }
        }
    }
    file->quality = NAN;
}

/* False: another tenant's. */
static bool look(const char *path, struct tenant_id tenant, struct model_file *file)
{
    const struct model *model = NULL;
    struct arena arena;
    struct bytes bytes = {0};
    bool is_own = true;
    enum err err;

    arena_open(&arena, ARENA_BYTES, ARENA_BYTES_MAX);
    err = mapping_open(path, &bytes, &file->why);
    if (err == ERR_OK && bytes.n >= MODEL_HEADER_BYTES) {
        uint32_t number; /* a model's numbers are little-endian, and so is a machine that reads it at all */

        memcpy(&number, bytes.p + TENANT_AT, sizeof(number));
        is_own = number == tenant.v || !bytes_starts(bytes, BYTES_LIT("FALUNMDL"));
    }
    err = err == ERR_OK && is_own ? model_file_open(bytes, &arena, &model, &file->why) : err;
    if (err == ERR_OK && is_own && !bytes_equal(model_hash(model), bytes_of(file->hash))) {
        err = why_say(&file->why, ERR_CORRUPT, "corrupt", "/hash", "the file is not the one it is named");
    }
    file->is_readable = err == ERR_OK;
    file->quality = NAN;
    if (err == ERR_OK && is_own) {
        file->trained_ms = model_trained_ms(model);
        read_quality(model, &arena, file);
    }
    if (bytes.p != NULL) {
        mapping_close(bytes);
    }
    arena_close(&arena);
    return is_own;
}

static int by_made(const void *a, const void *b)
{
    const struct model_file *x = a, *y = b;

    if (x->made_ms != y->made_ms) {
        return x->made_ms > y->made_ms ? -1 : 1;
    }
    return strcmp(x->hash, y->hash);
}

enum err model_files_list(const char *data_dir, struct tenant_id tenant, struct arena *arena,
                          const struct model_file **out_files, size_t *out_n)
{
    enum { FILES_MOST = 4096 };
    struct model_file *files = arena_array(arena, FILES_MOST, sizeof(*files));
    char path[PATH_BYTES];
    struct dirent *entry;
    size_t n = 0;
    DIR *directory;

    if (files == NULL) {
        return ERR_NOMEM;
    }
    (void)snprintf(path, sizeof(path), "%.1200s/models", data_dir);
    directory = opendir(path);
    while (directory != NULL && n < FILES_MOST && (entry = readdir(directory)) != NULL) {
        struct model_file *file = &files[n];
        struct stat stat_of;

        if (!is_name(entry->d_name)) {
            continue;
        }
        *file = (struct model_file){0};
        memcpy(file->hash, entry->d_name, 65);
        (void)snprintf(path, sizeof(path), "%.1200s/models/%.64s", data_dir, file->hash);
        if (stat(path, &stat_of) != 0) {
            continue;
        }
        file->bytes = (uint64_t)stat_of.st_size;
        file->made_ms = (int64_t)stat_of.st_mtim.tv_sec * 1000 + stat_of.st_mtim.tv_nsec / 1000000;
        n += look(path, tenant, file);
    }
    if (directory != NULL) {
        closedir(directory);
    }
    if (n > 0) {
        qsort(files, n, sizeof(*files), by_made);
    }
    *out_files = files;
    *out_n = n;
    return ERR_OK;
}

/* ---- tidying ---- */

static int by_owner(const void *a, const void *b)
{
    const struct forgotten *x = a, *y = b;

    return (x->owner > y->owner) - (x->owner < y->owner);
}

/* Does the file hold a sequence of one of them? Says of which in `held` (may be NULL). */
static bool holds(const char *path, const struct forgotten *forgotten, size_t n, bool *held)
{
    const struct model *model;
    struct bytes bytes = {0};
    struct arena arena;
    struct why why;
    bool does = false;

    if (n == 0) {
        return false;
    }
    arena_open(&arena, ARENA_BYTES, ARENA_BYTES_MAX);
    if (mapping_open(path, &bytes, &why) == ERR_OK && model_file_open(bytes, &arena, &model, &why) == ERR_OK) {
        for (unsigned d = 0; d < MODEL_DOMAINS_; d++) {
            for (uint32_t s = 0; s < model_sequences_n(model, (enum model_domain)d); s++) {
                struct forgotten key = {.owner = model_sequence(model, (enum model_domain)d, s).owner};
                const struct forgotten *found = bsearch(&key, forgotten, n, sizeof(key), by_owner);

                does = does || found != NULL;
                if (found != NULL && held != NULL) {
                    held[found - forgotten] = true;
                }
            }
        }
    }
    if (bytes.p != NULL) {
        mapping_close(bytes);
    }
    arena_close(&arena);
    return does;
}

void model_files_tidy(const char *data_dir, struct tenant_id tenant, const char *in_use, const struct forgotten *forgotten,
                      size_t forgotten_n, bool *held)
{
    const struct model_file *files;
    struct arena arena;
    char path[PATH_BYTES];
    size_t n = 0, kept = 0;

    arena_open(&arena, ARENA_BYTES, 1 << 24);
    if (model_files_list(data_dir, tenant, &arena, &files, &n) != ERR_OK) {
        n = 0;
    }
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(path, sizeof(path), "%.1200s/models/%.64s", data_dir, files[i].hash);
        if (strcmp(files[i].hash, in_use) == 0) {
            kept++;
            (void)holds(path, forgotten, forgotten_n, held);
            continue;
        }
        /* P7: what is only kept to go back to is not worth what somebody wanted gone. */
        if (kept < MODEL_FILES_KEPT && (files[i].is_readable ? !holds(path, forgotten, forgotten_n, NULL) : forgotten_n == 0)) {
            kept++;
            continue;
        }
        if (unlink(path) == 0) {
            log_say(LOG_INFO, "cmd", "a model file that nobody uses was deleted", "hash=%.12s", files[i].hash);
        }
    }
    arena_close(&arena);
}

void model_files_tidy_all(const char *data_dir, struct storage *storage, struct loop *loop, struct tenant_id tenant,
                          const char *in_use)
{
    const struct forgotten *forgotten;
    struct arena arena;
    char hash[65];
    size_t n = 0;
    bool *held;

    (void)snprintf(hash, sizeof(hash), "%.64s", in_use);
    arena_open(&arena, ARENA_BYTES, 1 << 28);
    if (forgotten_read(storage, loop, tenant, &arena, &forgotten, &n) == ERR_OK &&
        (held = arena_array(&arena, n + 1, sizeof(*held))) != NULL) {
        model_files_tidy(data_dir, tenant, hash, forgotten, n, held);
        for (size_t i = 0; i < n; i++) {
            bool is_past = !held[i] && data_now_ms(NULL) - forgotten[i].at_ms > FORGOTTEN_KEPT_MS;

            if (is_past && forgotten_drop(storage, loop, tenant, forgotten[i].owner) != ERR_OK) {
                break;
            }
        }
    }
    arena_close(&arena);
}
