/* SPDX-License-Identifier: Apache-2.0 */
/* falun match: which rows of a customer file are one person (train/match.h). It changes no file and no storage: links and
 * doubtful pairs go into files of their own, read by their owner only. Nothing of a row is printed. */
#include "base/json_write.h"
#include "cmd/cmd.h"
#include "cmd/match_file.h"
#include "os/file.h"
#include "train/history.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "falun match --records FILE --id COLUMN [--fields LIST] [--out FILE] [--doubtful FILE]\n"
    "\n"
    "Which rows of a customer file are one person? Learns from the file itself how much a same, a nearly same and another\n"
    "value say, links what is surely one person and hands over what is not. Nobody is linked for an address alone.\n"
    "  --records FILE     .csv, .csv.gz or .csv.zst with a line of column names\n"
    "  --id COLUMN        what a row is called in the files written\n"
    "  --fields LIST      what to compare: KIND=COLUMN by comma, or COLUMN alone, whose kind is guessed from its values.\n"
    "                     Kinds: name, surname, date (of birth), id (telephone, membership), text (gender, occupation),\n"
    "                     place, postcode, address. (all columns, guessed; a column called like a kind is of that kind)\n"
    "  --out FILE         a,b,probability,component of every link\n"
    "  --doubtful FILE    a,b,probability,reason for people to look at: doubtful (.9 to .999), household (only the address\n"
    "                     agrees, or it and the surname), guarded (a link whose groups disagree otherwise)\n"
    "  --component-most N rows one person may have (50)\n"
    "  --truth COLUMN     same value, same person: prints precision, recall and F1 of pairs\n"
    "  --truth-digits     of that column only the first number counts (rec-17-dup-2: 17)\n"
    "The last line is one JSON object. Exit codes: 0 done, 1 failed, 2 wrong use, 3 done and some rows could not be read.\n";

struct asked {
    struct match_asked file;
    const char *out, *doubtful;
    size_t component_most;
};

static int wrong(const char *says)
{
    fprintf(stderr, "falun match: %s; falun match --help shows all options\n", says);
    return 2;
}

/* Gives -1 to go on, else the exit code. */
static int read_options(int argc, char **argv, struct asked *asked)
{
    static const struct option options[] = {
        {"records", required_argument, NULL, 'r'},        {"id", required_argument, NULL, 'i'},
        {"fields", required_argument, NULL, 'f'},         {"out", required_argument, NULL, 'o'},
        {"doubtful", required_argument, NULL, 'd'},       {"truth", required_argument, NULL, 't'},
        {"component-most", required_argument, NULL, 'c'}, {"truth-digits", no_argument, NULL, 'g'},
        {"help", no_argument, NULL, 'h'},                 {NULL, 0, NULL, 0}};
    int c;

    *asked = (struct asked){.component_most = MATCH_COMPONENT_MOST};
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'r': asked->file.path = optarg; break;
        case 'i': asked->file.id = optarg; break;
        case 'f': asked->file.fields = optarg; break;
        case 'o': asked->out = optarg; break;
        case 'd': asked->doubtful = optarg; break;
        case 't': asked->file.truth = optarg; break;
        case 'g': asked->file.is_truth_digits = true; break;
        case 'c': asked->component_most = (size_t)strtoul(optarg, NULL, 10); break;
        case 'h': printf("%s", help); return 0;
        default: return wrong("an option is not known");
        }
    }
    if (asked->file.path == NULL || asked->file.id == NULL || optind < argc) {
        return wrong("--records and --id are needed, and nothing beside options");
    }
    if (asked->file.is_truth_digits && asked->file.truth == NULL) {
        return wrong("--truth-digits is about --truth, which is missing");
    }
    return asked->component_most >= 2 && asked->component_most <= 10000 ? -1 : wrong("--component-most is 2 to 10000");
}

/* ---- what is written ---- */

struct text {
    char *p;
    size_t n, room;
};

static void put(struct text *to, struct bytes what)
{
    if (to->n + what.n > to->room) {
        to->room = 2 * (to->n + what.n) + 4096;
        to->p = history_grow(to->p, to->room, 1);
    }
    if (what.n > 0) {
        memcpy(to->p + to->n, what.p, what.n);
        to->n += what.n;
    }
}

static void put_field(struct text *to, struct bytes field)
{
    bool is_quoted = false;

    for (size_t i = 0; i < field.n; i++) {
        is_quoted = is_quoted || field.p[i] == '"' || field.p[i] == ',' || field.p[i] == '\n' || field.p[i] == '\r';
    }
    if (!is_quoted) {
        put(to, field);
        return;
    }
    put(to, BYTES_LIT("\""));
    for (size_t i = 0; i < field.n; i++) {
        put(to, field.p[i] == '"' ? BYTES_LIT("\"\"") : (struct bytes){field.p + i, 1});
    }
    put(to, BYTES_LIT("\""));
}

static bool is_handed_over(const struct match_result *result, const struct match_pair *pair)
{
    return pair->verdict != MATCH_LINK && result->component[pair->a] != result->component[pair->b];
}

static enum err write_pairs(const char *path, bool is_links, const struct match_file *file, const struct match_result *result,
                            struct why *why)
{
    static const char *const reasons[] = {"link", "doubtful", "household", "guarded"};
    struct text to = {NULL, 0, 0};
    enum err err;

    put(&to, is_links ? BYTES_LIT("a,b,probability,component\n") : BYTES_LIT("a,b,probability,reason\n"));
    for (size_t i = 0; i < result->pairs_n; i++) {
        const struct match_pair *pair = &result->pairs[i];
        char number[32];

        if (is_links ? pair->verdict != MATCH_LINK : !is_handed_over(result, pair)) {
            continue;
        }
        put_field(&to, file->ids[pair->a]);
        put(&to, BYTES_LIT(","));
        put_field(&to, file->ids[pair->b]);
        snprintf(number, sizeof(number), ",%.6f,", match_probability((double)pair->weight));
        put(&to, bytes_of(number));
        put_field(&to, is_links ? file->ids[result->component[pair->a]] : bytes_of(reasons[pair->verdict]));
        put(&to, BYTES_LIT("\n"));
    }
    err = file_write(path, (struct bytes){to.p, to.n}, 0600, why);
    free(to.p);
    return err;
}

/* ---- what is said ---- */

struct found {
    size_t links_n, verdicts[4]; /* handed over, by verdict */
    struct match_score links, components;
};

static struct found count(const struct match_file *file, const struct match_result *result)
{
    struct found found = {0};

    for (size_t i = 0; i < result->pairs_n; i++) {
        const struct match_pair *pair = &result->pairs[i];

        found.links_n += pair->verdict == MATCH_LINK;
        found.verdicts[pair->verdict] += is_handed_over(result, pair);
    }
    if (file->truth != NULL) {
        found.links = match_score_links(file, result);
        found.components = match_score_components(file, result);
    }
    return found;
}

static void print_score(const char *what, const struct match_score *score)
{
    printf("%-16s precision %.4f, recall %.4f, F1 %.4f (%llu pairs, %llu right of %llu)\n", what, score->precision, score->recall,
           score->f1, (unsigned long long)score->found_n, (unsigned long long)score->right_n, (unsigned long long)score->true_n);
}

static void print(const struct match_file *file, const struct match_result *result, const struct found *found)
{
    printf("%-24s %-9s %23s %23s\n", "column", "kind", "m exact  near  other", "u exact  near  other");
    for (size_t f = 0; f < file->fields_n; f++) {
        const double *m = result->model.m[f], *u = result->model.u[f];

        printf("%-24.*s %-9s   %7.4f %7.4f %7.4f  %7.5f %7.5f %7.5f\n", (int)(file->names[f].n < 24 ? file->names[f].n : 24),
               file->names[f].p, likeness_word(file->kinds[f]), m[1], m[2], m[3], u[1], u[2], u[3]);
    }
    printf("%zu rows, %zu pairs looked at, %zu blocks too large to be looked at whole\n", file->rows_n, result->looked_n,
           result->blocks_cut_n);
    printf("%zu links, %zu persons of more than one row\n", found->links_n, result->components_n);
    printf("handed over: %zu doubtful, %zu household, %zu guarded\n", found->verdicts[MATCH_DOUBTFUL],
           found->verdicts[MATCH_PERSONLESS], found->verdicts[MATCH_GUARDED]);
    if (file->truth != NULL) {
        print_score("links", &found->links);
        print_score("after closure", &found->components);
    }
}

static void json_score(struct json_write *w, const char *key, const struct match_score *score)
{
    json_write_object(w, key);
    json_write_fixed(w, "precision", score->precision, 6);
    json_write_fixed(w, "recall", score->recall, 6);
    json_write_fixed(w, "f1", score->f1, 6);
    json_write_int(w, "found", (int64_t)score->found_n);
    json_write_int(w, "right", (int64_t)score->right_n);
    json_write_int(w, "true", (int64_t)score->true_n);
    json_write_end(w);
}

static void print_json(const struct match_file *file, const struct match_result *result, const struct found *found)
{
    struct json_write w;
    struct arena arena;
    struct bytes body;

    arena_open(&arena, 1 << 14, 1 << 20);
    json_write_open(&w, &arena, 1024);
    json_write_object(&w, NULL);
    json_write_int(&w, "rows", (int64_t)file->rows_n);
    json_write_int(&w, "rejected", (int64_t)file->rejected_n);
    json_write_int(&w, "pairs", (int64_t)result->looked_n);
    json_write_int(&w, "links", (int64_t)found->links_n);
    json_write_int(&w, "persons", (int64_t)result->components_n);
    json_write_int(&w, "doubtful", (int64_t)found->verdicts[MATCH_DOUBTFUL]);
    json_write_int(&w, "household", (int64_t)found->verdicts[MATCH_PERSONLESS]);
    json_write_int(&w, "guarded", (int64_t)found->verdicts[MATCH_GUARDED]);
    json_write_double(&w, "lambda", result->model.lam);
    if (file->truth != NULL) {
        json_score(&w, "beforeClosure", &found->links);
        json_score(&w, "afterClosure", &found->components);
    }
    json_write_end(&w);
    body = json_write_bytes(&w);
    printf("%.*s\n", (int)body.n, body.p);
    arena_close(&arena);
}

int cmd_match(int argc, char **argv)
{
    struct match_options options = MATCH_OPTIONS;
    struct match_file file = {0};
    struct match_result result = {0};
    struct why why = {{0}};
    struct asked asked;
    int code = read_options(argc, argv, &asked);
    enum err err;

    if (code >= 0) {
        return code;
    }
    options.component_most = asked.component_most;
    err = match_file_open(&asked.file, &file, &why);
    if (err == ERR_OK) {
        struct match_table table = {file.rows_n, file.fields_n, file.kinds, file.values};
        struct found found;

        match_run(&table, &options, &result);
        found = count(&file, &result);
        err = asked.out != NULL ? write_pairs(asked.out, true, &file, &result, &why) : ERR_OK;
        err = err == ERR_OK && asked.doubtful != NULL ? write_pairs(asked.doubtful, false, &file, &result, &why) : err;
        print(&file, &result, &found);
        if (file.rejected_n > 0) {
            fprintf(stderr, "%s: %llu rows are left out; the first, line %llu: %s\n", asked.file.path,
                    (unsigned long long)file.rejected_n, (unsigned long long)file.rejected_line, file.rejected.says);
        }
        print_json(&file, &result, &found);
    }
    if (err != ERR_OK) {
        fprintf(stderr, "falun match: %s%s%s\n", why.field, why.field[0] != '\0' ? ": " : "",
                why.says[0] != '\0' ? why.says : err_name(err));
    }
    code = err != ERR_OK ? 1 : file.rejected_n > 0 ? 3 : 0;
    match_free(&result);
    match_file_close(&file);
    return code;
}
