/* SPDX-License-Identifier: Apache-2.0 */
/* falun evaluate: how good the rows are, on recorded files (product.md 8, evaluation.md). It trains on what was before the
 * test part, choosing its settings there, and asks decide_run, the room that serves. */
#include "cmd/cmd.h"
#include "cmd/data.h"
#include "cmd/evaluate.h"
#include "train/train_note.h"
#include "cmd/evaluate_lifetime.h"
#include "os/file.h"
#include "train/cores.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char help[] =
    "falun evaluate --protocol next-item   --train FILE --test FILE [--online]\n"
    "falun evaluate --protocol last-out    --sequences FILE [--refit]\n"
    "falun evaluate --protocol held-out    --train FILE --test FILE\n"
    "falun evaluate --protocol next-basket --lines FILE --map FILE --test-from DATE --test-to DATE\n"
    "falun evaluate --protocol lifetime    ... : see --protocol lifetime --help\n"
    "\n"
    "How good the rows are: learns from the training part, chooses its settings there, and asks for every case of the\n"
    "test part as a server would. Files are .csv, .csv.gz or .csv.zst.\n"
    "  --train, --test FILE next-item: session_id, item_id and seq (1, 2, ...) or ts (seconds since 1970, UTC);\n"
    "                       held-out: user_id, item_id\n"
    "  --sequences FILE     user_id, seq, item_id: the last item is asked for, the one before it is known and not learnt\n"
    "  --online             asks again while every finished test session is learnt from, and shows the difference\n"
    "  --refit              learns the one before the last, too (published tables do not)\n"
    "  --lines FILE         till lines\n"
    "  --map FILE           how their columns are called; files it joins lie beside the lines\n"
    "  --test-from DATE     first day of the test part, in the map's time zone\n"
    "  --test-to DATE       first day after it\n"
    "  --against LIST       popular, segments or both, by comma (popular,segments)\n"
    "  --validate-from DATE settings are chosen from this day to --test-from (a calendar month)\n"
    "  --minutes N          time for choosing settings (3)\n"
    "  --customers-min N    pairs of items that fewer customers share are not learnt (5 for next-basket, else 1)\n"
    "  --model FILE         does not train but asks this one: of the same training part, or what it finds is worth nothing\n"
    "  --data DIR           also fills DIR with items, the receipts before the test part and the model, for `serve`\n"
    "                       (next-item: with items and the model)\n"
    "  --through URL        asks a server on such a directory too and compares its lists with our own: all of next-basket, 500\n"
    "                       of next-item; with --online all of them, while the server learns (--test-clock TIME)\n"
    "  --key KEY            its secret key (sk_...)\n"
    "  --threads N          for training (the machine's cores)\n"
    "Prints a table with 95 % intervals (1,000 resamples of sessions or customers); the last line is one JSON object.\n"
    "Exit codes: 0 done, 1 failed, 2 wrong use, 3 done and some rows could not be read.\n";

double evaluate_seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int wrong(const char *says)
{
    fprintf(stderr, "falun evaluate: %s; falun evaluate --help shows all options\n", says);
    return 2;
}

/* ---- options ---- */

enum { OPTION_TRAIN = 1000, OPTION_TEST, OPTION_SEQUENCES, OPTION_ONLINE, OPTION_REFIT, OPTION_CUSTOMERS,
       OPTION_MODEL };

static bool take_option(struct evaluate_asked *asked, int c)
{
    switch (c) {
    case 'p': asked->protocol = optarg; return true;
    case 'l': asked->lines = optarg; return true;
    case 'm': asked->map = optarg; return true;
    case 'f': asked->from = optarg; return true;
    case 't': asked->to = optarg; return true;
    case 'a': asked->against = optarg; return true;
    case 'd': asked->data = optarg; return true;
    case 'u': asked->through = optarg; return true;
    case 'k': asked->key = optarg; return true;
    case 'v': asked->validate = optarg; return true;
    case 'n': asked->minutes = strtod(optarg, NULL); return true;
    case 'j': asked->threads = (size_t)strtoul(optarg, NULL, 10); return true;
    case OPTION_TRAIN: asked->train = optarg; return true;
    case OPTION_TEST: asked->test = optarg; return true;
    case OPTION_SEQUENCES: asked->sequences = optarg; return true;
    case OPTION_ONLINE: asked->is_online = true; return true;
    case OPTION_MODEL: asked->model = optarg; return true;
    case OPTION_REFIT: asked->is_refit = true; return true;
    case OPTION_CUSTOMERS: asked->customers_min = (size_t)strtoul(optarg, NULL, 10); return true;
    default: return false;
    }
}

struct protocol {
    const char *name;
    enum err (*run)(const struct evaluate_asked *asked, struct arena *arena, uint64_t *out_rejected, struct why *why);
};

static const struct protocol protocols[] = {{"next-item", evaluate_next_item},
                                            {"last-out", evaluate_last_out},
                                            {"held-out", evaluate_held_out},
                                            {"next-basket", evaluate_next_basket}};

static const struct protocol *protocol_of(const struct evaluate_asked *asked)
{
    for (size_t p = 0; asked->protocol != NULL && p < sizeof(protocols) / sizeof(protocols[0]); p++) {
        if (strcmp(protocols[p].name, asked->protocol) == 0) {
            return &protocols[p];
        }
    }
    return NULL;
}

/* Gives -1 when the options make sense together. */
static int check_options(const struct evaluate_asked *asked)
{
    const struct protocol *protocol = protocol_of(asked);

    if (protocol == NULL) {
        return wrong("--protocol must be next-item, last-out, held-out, next-basket or lifetime");
    }
    if (protocol->run == evaluate_next_basket &&
        (asked->lines == NULL || asked->map == NULL || asked->from == NULL || asked->to == NULL)) {
        return wrong("--lines, --map, --test-from and --test-to are needed");
    }
    if (protocol->run == evaluate_last_out && asked->sequences == NULL) {
        return wrong("--sequences is needed");
    }
    if ((protocol->run == evaluate_next_item || protocol->run == evaluate_held_out) &&
        (asked->train == NULL || asked->test == NULL)) {
        return wrong("--train and --test are needed");
    }
    if ((asked->through != NULL || asked->data != NULL) && protocol->run != evaluate_next_item &&
        protocol->run != evaluate_next_basket) {
        return wrong("--data and --through are for next-item and next-basket");
    }
    if (asked->through != NULL && asked->key == NULL) {
        return wrong("--through needs --key, a secret key of the server");
    }
    if (asked->threads == 0 || asked->threads > 64 || !(asked->minutes >= 0 && asked->minutes <= 1440)) {
        return wrong("--threads is 1 to 64, --minutes 0 to 1440");
    }
    return -1;
}

/* Gives -1 to go on, else the exit code. */
static int read_options(int argc, char **argv, struct evaluate_asked *asked)
{
    static const struct option options[] = {
        {"protocol", required_argument, NULL, 'p'}, {"lines", required_argument, NULL, 'l'},
        {"map", required_argument, NULL, 'm'},      {"test-from", required_argument, NULL, 'f'},
        {"test-to", required_argument, NULL, 't'},  {"against", required_argument, NULL, 'a'},
        {"minutes", required_argument, NULL, 'n'},  {"threads", required_argument, NULL, 'j'},
        {"validate-from", required_argument, NULL, 'v'}, {"data", required_argument, NULL, 'd'},
        {"through", required_argument, NULL, 'u'},  {"key", required_argument, NULL, 'k'},
        {"train", required_argument, NULL, OPTION_TRAIN}, {"test", required_argument, NULL, OPTION_TEST},
        {"sequences", required_argument, NULL, OPTION_SEQUENCES}, {"refit", no_argument, NULL, OPTION_REFIT},
        {"online", no_argument, NULL, OPTION_ONLINE},
        {"model", required_argument, NULL, OPTION_MODEL}, {"customers-min", required_argument, NULL, OPTION_CUSTOMERS},
        {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int c;

    *asked = (struct evaluate_asked){.against = "popular,segments", .minutes = 3, .threads = cores_n()};
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'h') {
            printf("%s", help);
            return 0;
        }
        if (!take_option(asked, c)) {
            return wrong("an option is not known");
        }
    }
    return check_options(asked);
}

/* ---- what the protocols share ---- */

enum err evaluate_train(const struct evaluate_asked *asked, const struct history *history, const struct train_span *span,
                        struct arena *arena, const struct model **out_model, struct bytes *out_file,
                        struct train_report *out_training, struct why *why)
{
    enum err err;

    if (asked->model != NULL) {
        *out_training = (struct train_report){.settings = train_settings_start(history, span, asked->threads)};
        err = file_whole(asked->model, SIZE_MAX / 4, arena, out_file, why);
        return err == ERR_OK ? model_file_open(*out_file, arena, out_model, why) : err;
    }
    err = train_choose(history, span, asked->threads, 60 * asked->minutes, evaluate_seconds_now, arena, out_file, out_training);

    if (err == ERR_ABSENT) {
        err = why_say(why, err, "nothing_before", asked->train != NULL ? "--train" : asked->lines != NULL ? "--test-from" : "--sequences",
                      "there is nothing to learn from before the test part; give more, or begin the test part later");
    }
    if (err == ERR_OK) {
        train_note_text(out_training, stdout);
        fflush(stdout);
        err = model_file_open(*out_file, arena, out_model, why);
    }
    return err;
}

enum err evaluate_read(const char *path, enum read_shape shape, struct read_sequences *out_read, uint64_t *rejected,
                       struct why *why)
{
    enum err err = read_sequences(path, shape, data_now_ms(NULL), out_read, why);

    if (err != ERR_OK) {
        return err;
    }
    *rejected += out_read->rejected_n;
    printf("%s: %llu rows, %zu %s", path, (unsigned long long)out_read->rows_n, out_read->groups_n,
           shape == READ_SESSIONS ? "sessions" : "customers");
    if (out_read->duplicates_n > 0) {
        printf(", %llu said twice and counted once", (unsigned long long)out_read->duplicates_n);
    }
    printf("\n");
    if (out_read->rejected_n > 0) {
        fprintf(stderr, "%s: %llu rows are left out; the first, line %llu, %s: %s\n", path,
                (unsigned long long)out_read->rejected_n, (unsigned long long)out_read->rejected_line,
                out_read->rejected.field, out_read->rejected.says);
    }
    fflush(stdout);
    return ERR_OK;
}

int cmd_evaluate(int argc, char **argv)
{
    struct evaluate_asked asked;
    struct arena arena;
    struct why why = {{0}};
    uint64_t rejected = 0;
    int code;
    enum err err;

    cores_choose();
    if (argc > 2 && strcmp(argv[1], "--protocol") == 0 && strcmp(argv[2], "lifetime") == 0) {
        return evaluate_lifetime(argc, argv);
    }
    code = read_options(argc, argv, &asked);
    if (code >= 0) {
        return code;
    }
    arena_open(&arena, 1 << 20, SIZE_MAX / 4);
    err = protocol_of(&asked)->run(&asked, &arena, &rejected, &why);
    arena_close(&arena);
    if (err != ERR_OK) {
        fprintf(stderr, "falun evaluate: %s\n", why.says[0] != '\0' ? why.says : err_name(err));
        return 1;
    }
    return rejected > 0 ? 3 : 0;
}
