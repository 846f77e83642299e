/* SPDX-License-Identifier: Apache-2.0 */
/* Fitted on the purchases up to a day, judged on those after it. One purchase a day counts once, a week is 7 days.
 *
 * Two forecasts of a customer's purchases: the mean, which adds up to the total, and the median, which has the smallest
 * absolute error. Beside them: nobody comes back, and everybody goes on at the rate so far. */
#include "cmd/evaluate_lifetime.h"

#include "base/hash.h"
#include "base/json_write.h"
#include "ingest/import_csv.h"
#include "os/file.h"
#include "train/lifetime.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "falun evaluate --protocol lifetime --lines FILE [--fit-to DATE]\n"
    "\n"
    "Fits who still buys and how often (BG/NBD, Gamma-Gamma), and counts how well it says the days after.\n"
    "  --lines FILE     .csv, .csv.gz or .csv.zst with columns customer_id, date, value_usd\n"
    "  --fit-to DATE    last day to learn from (half way from the first day to the last)\n"
    "  --at R,ALPHA,A,B also prints the log-likelihood of these numbers\n"
    "The last line is one JSON object.\n";

struct asked {
    const char *lines, *fit_to, *at;
};

struct bought { /* one line */
    uint64_t customer;
    int32_t day;
    double value;
};

struct reading {
    size_t customer, date, value; /* columns; SIZE_MAX: not met */
    struct bought *bought;
    size_t n, room;
};

static enum err on_header(void *ctx, const struct bytes *header, size_t n, struct why *why)
{
    struct reading *reading = ctx;

    reading->customer = reading->date = reading->value = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        reading->customer = bytes_equal(header[i], BYTES_LIT("customer_id")) ? i : reading->customer;
        reading->date = bytes_equal(header[i], BYTES_LIT("date")) ? i : reading->date;
        reading->value = bytes_equal(header[i], BYTES_LIT("value_usd")) ? i : reading->value;
    }
    if (reading->customer == SIZE_MAX || reading->date == SIZE_MAX || reading->value == SIZE_MAX) {
        return why_say(why, ERR_INVALID, "no_column", "lines",
                       "the lines need the columns customer_id, date and value_usd; name them so in the first row");
    }
    return ERR_OK;
}

static enum err on_row(void *ctx, const struct import_row *row, struct why *why)
{
    struct reading *reading = ctx;
    struct civil date;
    char value[32];

    if (time_parse_civil(row->fields[reading->date], &date) != ERR_OK) {
        return why_say(why, ERR_INVALID, "bad_date", "date", "a date is not of the form 1997-09-30; mend that row");
    }
    if (reading->n == reading->room) {
        reading->room = reading->room > 0 ? 2 * reading->room : 4096;
        reading->bought = history_grow(reading->bought, reading->room, sizeof(*reading->bought));
    }
    (void)snprintf(value, sizeof(value), "%.*s", (int)row->fields[reading->value].n, row->fields[reading->value].p);
    reading->bought[reading->n++] = (struct bought){
        hash_fast(row->fields[reading->customer].p, row->fields[reading->customer].n, 0),
        (int32_t)time_days(date.year, date.month, date.day), strtod(value, NULL)};
    return ERR_OK;
}

static void on_rejected(void *ctx, const struct import_rejected *rejected)
{
    (void)ctx;
    fprintf(stderr, "falun evaluate: row %llu was left out: %s\n", (unsigned long long)rejected->row, rejected->why.says);
}

static enum err read_lines(const char *path, struct arena *arena, struct reading *reading, struct why *why)
{
    const struct import_csv_calls calls = {on_header, on_row, on_rejected, reading};
    struct import_csv *csv = import_csv_open(arena, ',', &calls);
    struct file_reader *file;
    struct bytes chunk = {NULL, 1};
    enum err err = csv == NULL ? ERR_NOMEM : file_open(path, &file, why);

    if (err != ERR_OK) {
        return err;
    }
    while (err == ERR_OK && chunk.n > 0) {
        err = file_read(file, &chunk, why);
        if (err == ERR_OK) {
            err = chunk.n > 0 ? import_csv_feed(csv, chunk, why) : import_csv_end(csv, why);
        }
    }
    file_close(file);
    return err;
}

static int bought_order(const void *a, const void *b)
{
    const struct bought *x = a, *y = b;

    return x->customer != y->customer ? (x->customer > y->customer) - (x->customer < y->customer)
                                      : (x->day > y->day) - (x->day < y->day);
}

struct sample {
    struct lifetime_life *lives;
    struct lifetime_spend *spends;
    double *came; /* purchase days after the fit */
    size_t n, spends_n;
    double repeats, came_sum, weeks;
};

/* Lines of one customer, by day: [from, to). Whoever first came after the fit is not asked about. */
static void take_customer(const struct bought *from, const struct bought *to, int32_t fit_day, struct sample *sample)
{
    struct lifetime_life life = {0};
    int32_t first = from->day, last = first;
    double value = 0, came = 0;

    if (first > fit_day) {
        return;
    }
    for (const struct bought *b = from; b < to; b++) {
        bool is_new_day = b->day != last;

        last = b->day;
        if (b->day > fit_day) {
            came += is_new_day;
            continue;
        }
        life.repeats += is_new_day;
        life.last_weeks = (double)(b->day - first) / 7;
        value += b->day != first ? b->value : 0;
    }
    life.age_weeks = (double)(fit_day - first) / 7;
    sample->came[sample->n] = came;
    sample->lives[sample->n++] = life;
    sample->repeats += life.repeats;
    sample->came_sum += came;
    if (life.repeats > 0 && value > 0) {
        sample->spends[sample->spends_n++] = (struct lifetime_spend){life.repeats, value / life.repeats};
    }
}

struct misses {
    double sum, absolute, square;
};

static void miss(struct misses *misses, double said, double came)
{
    misses->sum += said;
    misses->absolute += fabs(said - came);
    misses->square += (said - came) * (said - came);
}

static void print_misses(const char *name, const struct misses *misses, size_t n)
{
    printf("%-28s %10.0f %8.3f %8.3f\n", name, misses->sum, misses->absolute / (double)n, sqrt(misses->square / (double)n));
}

enum { BY_MEAN, BY_MEDIAN, BY_RATE, BY_NOBODY, WAYS_ };

static void say(const struct sample *sample, const struct lifetime_rates *rates, struct misses ways[WAYS_])
{
    static const char *const names[WAYS_] = {"BG/NBD, mean", "BG/NBD, median", "the customer's rate so far", "nobody comes back"};

    for (size_t i = 0; i < sample->n; i++) {
        const struct lifetime_life *life = &sample->lives[i];
        double rate = life->age_weeks > 0 ? life->repeats / life->age_weeks : 0;

        miss(&ways[BY_MEAN], model_lifetime_expected(rates, life, sample->weeks), sample->came[i]);
        miss(&ways[BY_MEDIAN], model_lifetime_median(rates, life, sample->weeks), sample->came[i]);
        miss(&ways[BY_RATE], rate * sample->weeks, sample->came[i]);
        miss(&ways[BY_NOBODY], 0, sample->came[i]);
    }
    printf("\n%-28s %10s %8s %8s   (came: %.0f in %.1f weeks)\n", "forecast", "in all", "MAE", "RMSE", sample->came_sum,
           sample->weeks);
    for (size_t w = 0; w < WAYS_; w++) {
        print_misses(names[w], &ways[w], sample->n);
    }
}

static void print_json(const struct sample *sample, const struct lifetime_rates *rates, double likelihood, double at,
                       const struct misses *ways, struct arena *arena)
{
    struct json_write w;
    struct bytes text;

    json_write_open(&w, arena, 2048);
    json_write_object(&w, NULL);
    json_write_word(&w, "protocol", "lifetime");
    json_write_int(&w, "customers", (int64_t)sample->n);
    json_write_fixed(&w, "r", rates->r, 4);
    json_write_fixed(&w, "alpha", rates->alpha, 4);
    json_write_fixed(&w, "a", rates->a, 4);
    json_write_fixed(&w, "b", rates->b, 4);
    json_write_fixed(&w, "logLikelihood", likelihood, 4);
    if (at < 0) {
        json_write_fixed(&w, "logLikelihoodAt", at, 4);
    }
    json_write_fixed(&w, "maeMean", ways[BY_MEAN].absolute / (double)sample->n, 4);
    json_write_fixed(&w, "maeMedian", ways[BY_MEDIAN].absolute / (double)sample->n, 4);
    json_write_fixed(&w, "forecast", ways[BY_MEAN].sum, 1);
    json_write_fixed(&w, "came", sample->came_sum, 0);
    json_write_end(&w);
    text = json_write_bytes(&w);
    printf("%.*s\n", (int)text.n, text.p);
}

static void judge(const struct asked *asked, const struct sample *sample, struct arena *arena)
{
    struct misses ways[WAYS_] = {{0}};
    struct lifetime_rates rates, at;
    struct lifetime_gamma gamma;
    double likelihood, at_likelihood = 0;

    printf("%zu customers, %.0f repeat days in the fit\n", sample->n, sample->repeats);
    if (asked->at != NULL && sscanf(asked->at, "%lf,%lf,%lf,%lf", &at.r, &at.alpha, &at.a, &at.b) == 4) {
        at_likelihood = lifetime_likelihood(&at, sample->lives, sample->n);
        printf("log-likelihood %.4f at r %g alpha %g a %g b %g\n", at_likelihood, at.r, at.alpha, at.a, at.b);
    }
    likelihood = lifetime_fit(sample->lives, sample->n, &rates);
    printf("log-likelihood %.4f fitted: r %.4f alpha %.4f a %.4f b %.4f\n", likelihood, rates.r, rates.alpha, rates.a, rates.b);
    if (sample->spends_n > 0) {
        (void)lifetime_spend_fit(sample->spends, sample->spends_n, &gamma);
        printf("spend of %zu repeaters: p %.3f q %.3f v %.3f\n", sample->spends_n, gamma.p, gamma.q, gamma.v);
    }
    say(sample, &rates, ways);
    print_json(sample, &rates, likelihood, at_likelihood, ways, arena);
}

static enum err fit_day_of(const struct asked *asked, const struct reading *reading, int32_t *out_fit, int32_t *out_last,
                           struct why *why)
{
    int32_t first = INT32_MAX, last = INT32_MIN;
    struct civil date;

    for (size_t i = 0; i < reading->n; i++) {
        first = reading->bought[i].day < first ? reading->bought[i].day : first;
        last = reading->bought[i].day > last ? reading->bought[i].day : last;
    }
    *out_fit = first + (last - first) / 2;
    *out_last = last;
    if (asked->fit_to != NULL) {
        if (time_parse_civil((struct bytes){asked->fit_to, strlen(asked->fit_to)}, &date) != ERR_OK) {
            return why_say(why, ERR_INVALID, "bad_date", "--fit-to", "--fit-to is no date; write it as 1997-09-30");
        }
        *out_fit = (int32_t)time_days(date.year, date.month, date.day);
    }
    if (*out_fit < first || *out_fit >= last) {
        return why_say(why, ERR_INVALID, "bad_dates", "--fit-to",
                       "nothing is left to learn from or to judge by; choose a day between the first and the last");
    }
    return ERR_OK;
}

static enum err run(const struct asked *asked, struct arena *arena, struct why *why)
{
    struct reading reading = {0};
    struct sample sample = {0};
    int32_t fit_day = 0, last_day = 0;
    enum err err = read_lines(asked->lines, arena, &reading, why);

    if (err == ERR_OK && reading.n == 0) {
        err = why_say(why, ERR_ABSENT, "no_lines", "--lines", "there is no line in the file; give one with purchases");
    }
    err = err == ERR_OK ? fit_day_of(asked, &reading, &fit_day, &last_day, why) : err;
    if (err == ERR_OK) {
        qsort(reading.bought, reading.n, sizeof(*reading.bought), bought_order);
        sample.lives = history_grow(NULL, reading.n, sizeof(*sample.lives));
        sample.spends = history_grow(NULL, reading.n, sizeof(*sample.spends));
        sample.came = history_grow(NULL, reading.n, sizeof(*sample.came));
        sample.weeks = (double)(last_day - fit_day) / 7;
        for (size_t from = 0, to; from < reading.n; from = to) {
            for (to = from + 1; to < reading.n && reading.bought[to].customer == reading.bought[from].customer;) {
                to++;
            }
            take_customer(&reading.bought[from], &reading.bought[to], fit_day, &sample);
        }
        judge(asked, &sample, arena);
    }
    free(sample.lives);
    free(sample.spends);
    free(sample.came);
    free(reading.bought);
    return err;
}

int evaluate_lifetime(int argc, char **argv)
{
    static const struct option options[] = {
        {"protocol", required_argument, NULL, 'p'}, {"lines", required_argument, NULL, 'l'},
        {"fit-to", required_argument, NULL, 'f'},   {"at", required_argument, NULL, 'a'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0}};
    struct asked asked = {0};
    struct arena arena;
    struct why why = {{0}};
    enum err err;
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'p': break;
        case 'l': asked.lines = optarg; break;
        case 'f': asked.fit_to = optarg; break;
        case 'a': asked.at = optarg; break;
        case 'h': printf("%s", help); return 0;
        default: return 2;
        }
    }
    if (asked.lines == NULL) {
        fprintf(stderr, "falun evaluate: --lines is needed; falun evaluate --protocol lifetime --help shows all options\n");
        return 2;
    }
    arena_open(&arena, 1 << 20, SIZE_MAX / 4);
    err = run(&asked, &arena, &why);
    arena_close(&arena);
    if (err != ERR_OK) {
        fprintf(stderr, "falun evaluate: %s\n", why.says[0] != '\0' ? why.says : err_name(err));
    }
    return err == ERR_OK ? 0 : 1;
}
