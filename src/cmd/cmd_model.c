/* SPDX-License-Identifier: Apache-2.0 */
/* falun model list | use HASH: which model files there are, and which one answers. Beside a running server through
 * DIR/socket, else on the data directory itself. */
#include "base/json_read.h"
#include "base/json_write.h"
#include "cmd/cmd.h"
#include "cmd/model_files.h"
#include "cmd/model_use.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ARENA_BYTES = 1 << 20, ARENA_BYTES_MAX = 1 << 26, HASH_LEAST = 6 };

static const char help[] =
    "falun model list [--data DIR] [--tenant NAME] [--json]\n"
    "falun model use HASH [--data DIR] [--tenant NAME]\n"
    "\n"
    "list says which model files there are, newest first: what each scored on the part it had not seen, to when it has learnt,\n"
    "and which one answers. use goes back to one of them, at once; the first digits of HASH are enough. Without a server the\n"
    "next start answers with it. The next training does not ask which one was chosen by hand: it publishes when it is no worse.\n";

struct asked {
    const char *data, *tenant;
    bool is_json;
};

static void print_one(const struct model_file *file, bool is_in_use)
{
    char made[TIME_TEXT_BYTES], trained[TIME_TEXT_BYTES];

    time_format(file->made_ms, made);
    time_format(file->trained_ms, trained);
    if (!file->is_readable) {
        printf("%s %.12s  made %.16s  cannot be used: %s\n", is_in_use ? "*" : " ", file->hash, made, file->why.says);
        return;
    }
    printf("%s %.12s  made %.16s  learnt to %.16s  %8.1f MB  ", is_in_use ? "*" : " ", file->hash, made, trained,
           (double)file->bytes / 1e6);
    if (isnan(file->quality)) {
        printf("quality not measured: too little was held back\n");
    } else {
        printf("%s %.4f\n", file->measure, file->quality);
    }
}

static void print_json(const struct model_file *files, size_t n, const char *in_use, struct arena *arena)
{
    struct json_write w;
    struct bytes text;

    json_write_open(&w, arena, 4096);
    json_write_object(&w, NULL);
    json_write_array(&w, "models");
    for (size_t i = 0; i < n; i++) {
        json_write_object(&w, NULL);
        json_write_word(&w, "hash", files[i].hash);
        json_write_bool(&w, "inUse", strcmp(files[i].hash, in_use) == 0);
        json_write_bool(&w, "usable", files[i].is_readable);
        json_write_time(&w, "made", files[i].made_ms);
        json_write_int(&w, "bytes", (int64_t)files[i].bytes);
        if (files[i].is_readable) {
            json_write_time(&w, "trainedTo", files[i].trained_ms);
        } else {
            json_write_word(&w, "why", files[i].why.says);
        }
        if (!isnan(files[i].quality)) {
            json_write_word(&w, "measure", files[i].measure);
            json_write_fixed(&w, "quality", files[i].quality, 4);
        }
        json_write_end(&w);
    }
    json_write_end(&w);
    json_write_end(&w);
    text = json_write_bytes(&w);
    printf("%.*s\n", (int)text.n, text.p);
}

static enum err list(const struct asked *asked, const struct model_use *use, struct arena *arena)
{
    const struct model_file *files;
    size_t n;
    bool is_there = false;
    enum err err = model_files_list(asked->data, use->tenant, arena, &files, &n);

    if (err != ERR_OK) {
        return err;
    }
    if (asked->is_json) {
        print_json(files, n, use->hash, arena);
        return ERR_OK;
    }
    for (size_t i = 0; i < n; i++) {
        print_one(&files[i], strcmp(files[i].hash, use->hash) == 0);
        is_there = is_there || strcmp(files[i].hash, use->hash) == 0;
    }
    if (n == 0) {
        printf("no model yet; `falun train` makes one\n");
    } else if (use->hash[0] == '\0') {
        printf("none of them answers; `falun model use HASH` chooses one\n");
    } else if (!is_there) {
        printf("the one that answers, %.12s, has no file any more; train again\n", use->hash);
    }
    return ERR_OK;
}

/* The one file whose name begins so. */
static enum err find(const struct asked *asked, const struct model_use *use, const char *prefix, struct arena *arena,
                     char out_hash[65], struct why *why)
{
    const struct model_file *files;
    const struct model_file *found = NULL;
    size_t n, prefix_n = strlen(prefix);
    enum err err = model_files_list(asked->data, use->tenant, arena, &files, &n);

    if (err != ERR_OK) {
        return err;
    }
    if (prefix_n < HASH_LEAST || prefix_n > 64 || strspn(prefix, "0123456789abcdef") != prefix_n) {
        return why_say(why, ERR_INVALID, "bad_hash", "HASH", "a model is named by the first %d to 64 of its hex digits", HASH_LEAST);
    }
    for (size_t i = 0; i < n; i++) {
        if (strncmp(files[i].hash, prefix, prefix_n) == 0) {
            if (found != NULL) {
                return why_say(why, ERR_INVALID, "ambiguous", "HASH", "several models begin with %s; give more digits", prefix);
            }
            found = &files[i];
        }
    }
    if (found == NULL) {
        return why_say(why, ERR_ABSENT, "unknown_model", "HASH", "this tenant has no model %s; `falun model list` shows all", prefix);
    }
    if (!found->is_readable) {
        *why = found->why;
        return ERR_UNSUPPORTED;
    }
    memcpy(out_hash, found->hash, 65);
    return ERR_OK;
}

int cmd_model(int argc, char **argv)
{
    static const struct option options[] = {{"data", required_argument, NULL, 'd'}, {"tenant", required_argument, NULL, 't'},
                                            {"json", no_argument, NULL, 'j'},       {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct asked asked = {"./falun-data", "default", false};
    struct model_use use = {0};
    struct arena arena;
    struct why why = {{0}};
    char hash[65];
    bool is_list, is_use;
    enum err err;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'd': asked.data = optarg; break;
        case 't': asked.tenant = optarg; break;
        case 'j': asked.is_json = true; break;
        case 'h': printf("%s", help); return 0;
        default: fprintf(stderr, "falun model: an option is not known; falun model --help shows all\n"); return 2;
        }
    }
    is_list = argc - optind == 1 && strcmp(argv[optind], "list") == 0;
    is_use = argc - optind == 2 && strcmp(argv[optind], "use") == 0;
    if (!is_list && !is_use) {
        fprintf(stderr, "%s", help);
        return 2;
    }
    arena_open(&arena, ARENA_BYTES, ARENA_BYTES_MAX);
    err = model_use_open(asked.data, asked.tenant, &arena, &use, &why);
    if (err == ERR_OK && is_list) {
        err = list(&asked, &use, &arena);
    } else if (err == ERR_OK) {
        err = find(&asked, &use, argv[optind + 1], &arena, hash, &why);
        err = err == ERR_OK ? model_use_put(&use, hash, &arena, &why) : err;
        if (err == ERR_OK) {
            printf("%.12s answers %s\n", hash, use.fetch != NULL ? "now" : "from the next start on");
        }
    }
    model_use_close(&use);
    arena_close(&arena);
    if (err != ERR_OK) {
        fprintf(stderr, "falun model: %s\n", why.says[0] != '\0' ? why.says : err_name(err));
        return 1;
    }
    return 0;
}
