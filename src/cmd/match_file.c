/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/match_file.h"

#include "base/hash.h"
#include "ingest/import_csv.h"
#include "os/file.h"
#include "train/history.h"

#include <stdio.h>
#include <stdlib.h>

enum { NO_COLUMN = IMPORT_CSV_FIELDS_MAX, GUESS_ROWS = 1000, ID_BYTES_MAX = 256 };
#define VALUES_BYTES_MOST ((size_t)8 << 30)

struct reading {
    const struct match_asked *asked;
    struct match_file *file;
    size_t rows_room;
    bool is_guessing; /* values are texts as they stand in the file, until kinds are known */
};

/* ---- columns ---- */

static size_t column(const struct bytes *header, size_t n, struct bytes name)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes_equal(header[i], name)) {
            return i;
        }
    }
    return NO_COLUMN;
}

static enum err no_column(const struct reading *reading, const char *option, struct bytes name, struct why *why)
{
    return why_say(why, ERR_INVALID, "missing_column", option, "%.80s has no column %.*s; name one of its first line",
                   reading->asked->path, (int)(name.n < 60 ? name.n : 60), name.p);
}

static enum err add_field(struct reading *reading, enum likeness_kind kind, struct bytes name, size_t at, struct why *why)
{
    struct match_file *file = reading->file;

    if (file->fields_n == MATCH_FIELDS_MAX) {
        return why_say(why, ERR_INVALID, "too_many_fields", "--fields", "more than %d columns to compare; choose with --fields",
                       MATCH_FIELDS_MAX);
    }
    file->kinds[file->fields_n] = kind;
    file->names[file->fields_n] = arena_copy(&file->arena, name);
    file->columns[file->fields_n++] = at;
    reading->is_guessing = reading->is_guessing || kind == LIKENESS_KINDS_;
    return ERR_OK;
}

/* One of --fields: "kind=column", or "column" whose kind is guessed unless it is a kind's word. */
static enum err take_field(struct reading *reading, struct bytes said, const struct bytes *header, size_t n, struct why *why)
{
    const char *equals = said.n > 0 ? memchr(said.p, '=', said.n) : NULL;
    struct bytes word = {said.p, equals != NULL ? (size_t)(equals - said.p) : said.n};
    struct bytes name = equals != NULL ? (struct bytes){equals + 1, said.n - word.n - 1} : said;
    enum likeness_kind kind = likeness_kind_of(word);
    size_t at = column(header, n, name);

    if (equals != NULL && kind == LIKENESS_KINDS_) {
        return why_say(why, ERR_INVALID, "bad_kind", "--fields",
                       "%.*s is no kind; kinds are name, surname, date, id, text, place, postcode, address",
                       (int)(word.n < 60 ? word.n : 60), word.p);
    }
    if (at == NO_COLUMN) {
        return no_column(reading, "--fields", name, why);
    }
    return add_field(reading, kind, name, at, why);
}

static enum err take_header(void *ctx, const struct bytes *header, size_t n, struct why *why)
{
    struct reading *reading = ctx;
    struct match_file *file = reading->file;
    const char *at = reading->asked->fields;
    enum err err = ERR_OK;

    file->id_column = column(header, n, bytes_of(reading->asked->id));
    file->truth_column = reading->asked->truth != NULL ? column(header, n, bytes_of(reading->asked->truth)) : NO_COLUMN;
    if (file->id_column == NO_COLUMN) {
        return no_column(reading, "--id", bytes_of(reading->asked->id), why);
    }
    if (reading->asked->truth != NULL && file->truth_column == NO_COLUMN) {
        return no_column(reading, "--truth", bytes_of(reading->asked->truth), why);
    }
    while (at != NULL && err == ERR_OK) {
        const char *comma = strchr(at, ',');

        err = take_field(reading, (struct bytes){at, comma != NULL ? (size_t)(comma - at) : strlen(at)}, header, n, why);
        at = comma != NULL ? comma + 1 : NULL;
    }
    for (size_t i = 0; i < n && reading->asked->fields == NULL && err == ERR_OK; i++) {
        if (i != file->id_column && i != file->truth_column) {
            err = add_field(reading, likeness_kind_of(header[i]), header[i], i, why);
        }
    }
    if (err == ERR_OK && file->fields_n == 0) {
        err = why_say(why, ERR_INVALID, "no_field", "--fields", "there is no column to compare beside the id");
    }
    return err;
}

/* ---- rows ---- */

static void rejected(void *ctx, const struct import_rejected *row)
{
    struct match_file *file = ((struct reading *)ctx)->file;

    if (file->rejected_n++ == 0) {
        file->rejected = row->why;
        file->rejected_line = row->line;
    }
}

static uint64_t truth_of(const struct reading *reading, struct bytes text, size_t row)
{
    size_t from = 0, to;

    if (reading->asked->is_truth_digits) {
        while (from < text.n && (text.p[from] < '0' || text.p[from] > '9')) {
            from++;
        }
        for (to = from; to < text.n && text.p[to] >= '0' && text.p[to] <= '9'; to++) {
        }
        text = (struct bytes){text.p + from, to - from};
    }
    return text.n > 0 ? hash_fast(text.p, text.n, 1) : hash_fast(&row, sizeof(row), 2);
}

/* The kinds that were not said, from the rows so far; those rows get their compared forms. */
static void settle(struct reading *reading)
{
    struct match_file *file = reading->file;
    struct bytes sample[GUESS_ROWS];

    for (size_t f = 0; f < file->fields_n; f++) {
        for (size_t i = 0; i < file->rows_n; i++) {
            sample[i] = file->values[i * file->fields_n + f];
        }
        file->kinds[f] = file->kinds[f] == LIKENESS_KINDS_ ? likeness_guess(sample, file->rows_n) : file->kinds[f];
        for (size_t i = 0; i < file->rows_n; i++) {
            file->values[i * file->fields_n + f] = likeness_form(file->kinds[f], sample[i], &file->arena);
        }
    }
    reading->is_guessing = false;
}

static enum err take_row(void *ctx, const struct import_row *from, struct why *why)
{
    struct reading *reading = ctx;
    struct match_file *file = reading->file;
    struct bytes id = from->fields[file->id_column];
    struct import_rejected bad = {.row = from->row, .line = from->line};

    if (id.n == 0 || id.n > ID_BYTES_MAX || file->rows_n >= UINT32_MAX - 1) {
        (void)why_say(&bad.why, ERR_INVALID, "bad_id", "--id", "the id has %zu bytes; give every row one of 1 to %d", id.n, ID_BYTES_MAX);
        rejected(reading, &bad);
        return ERR_OK;
    }
    if (file->rows_n == reading->rows_room) {
        reading->rows_room = reading->rows_room > 0 ? 2 * reading->rows_room : 4096;
        file->values = history_grow(file->values, reading->rows_room * file->fields_n, sizeof(*file->values));
        file->ids = history_grow(file->ids, reading->rows_room, sizeof(*file->ids));
        if (file->truth_column != NO_COLUMN) {
            file->truth = history_grow(file->truth, reading->rows_room, sizeof(*file->truth));
        }
    }
    file->ids[file->rows_n] = arena_copy(&file->arena, id);
    if (file->truth_column != NO_COLUMN) {
        file->truth[file->rows_n] = truth_of(reading, from->fields[file->truth_column], file->rows_n);
    }
    for (size_t f = 0; f < file->fields_n; f++) {
        struct bytes text = from->fields[file->columns[f]];

        file->values[file->rows_n * file->fields_n + f] = reading->is_guessing ? arena_copy(&file->arena, text)
                                                          : likeness_form(file->kinds[f], text, &file->arena);
    }
    file->rows_n++;
    if (reading->is_guessing && file->rows_n == GUESS_ROWS) {
        settle(reading);
    }
    return !arena_overflowed(&file->arena)
               ? ERR_OK
               : why_say(why, ERR_TOOBIG, "too_many_rows", "--records", "the columns compared take more than 8 GiB; choose fewer "
                         "with --fields, or split the file");
}

enum err match_file_open(const struct match_asked *asked, struct match_file *out_file, struct why *why)
{
    struct reading reading = {asked, out_file, 0, false};
    struct import_csv_calls calls = {take_header, take_row, rejected, &reading};
    struct file_reader *reader = NULL;
    struct import_csv *csv;
    struct arena arena;
    struct bytes chunk;
    enum err err;

    *out_file = (struct match_file){.truth_column = NO_COLUMN};
    err = file_open(asked->path, &reader, why);
    if (err != ERR_OK) {
        return err;
    }
    arena_open(&out_file->arena, 1 << 20, VALUES_BYTES_MOST);
    arena_open(&arena, 1 << 16, 8 << 20);
    csv = import_csv_open(&arena, ',', &calls);
    err = csv == NULL ? ERR_NOMEM : ERR_OK;
    do {
        err = err == ERR_OK ? file_read(reader, &chunk, why) : err;
        err = err == ERR_OK && chunk.n > 0 ? import_csv_feed(csv, chunk, why) : err;
    } while (err == ERR_OK && chunk.n > 0);
    err = err == ERR_OK ? import_csv_end(csv, why) : err;
    if (err == ERR_OK && reading.is_guessing) {
        settle(&reading);
    }
    arena_close(&arena);
    file_close(reader);
    return err;
}

void match_file_close(struct match_file *file)
{
    free(file->values);
    free(file->ids);
    free(file->truth);
    arena_close(&file->arena);
    *file = (struct match_file){.truth_column = NO_COLUMN};
}

/* ---- truth ---- */

static int by_pair(const void *a, const void *b)
{
    return memcmp(a, b, 2 * sizeof(uint64_t));
}

/* Pairs of rows that are equal in (first, second). */
static uint64_t count_pairs(uint64_t (*keys)[2], size_t n)
{
    uint64_t pairs = 0, run = 0;

    qsort(keys, n, sizeof(*keys), by_pair);
    for (size_t i = 0; i < n; i++) {
        run = i > 0 && by_pair(keys[i], keys[i - 1]) == 0 ? run + 1 : 0;
        pairs += run;
    }
    return pairs;
}

/* use: 1 the component, 2 the truth, 3 both. */
static uint64_t pairs_by(const struct match_file *file, const struct match_result *result, int use)
{
    uint64_t(*keys)[2] = history_grow(NULL, file->rows_n + 1, sizeof(*keys)), pairs;

    for (size_t i = 0; i < file->rows_n; i++) {
        keys[i][0] = (use & 1) != 0 ? result->component[i] : 0;
        keys[i][1] = (use & 2) != 0 ? file->truth[i] : 0;
    }
    pairs = count_pairs(keys, file->rows_n);
    free(keys);
    return pairs;
}

static struct match_score score(uint64_t found, uint64_t right, uint64_t are_true)
{
    struct match_score s = {.found_n = found, .right_n = right, .true_n = are_true};

    s.precision = found > 0 ? (double)right / (double)found : 0;
    s.recall = are_true > 0 ? (double)right / (double)are_true : 0;
    s.f1 = right > 0 ? 2 * s.precision * s.recall / (s.precision + s.recall) : 0;
    return s;
}

struct match_score match_score_links(const struct match_file *file, const struct match_result *result)
{
    uint64_t found = 0, right = 0;

    for (size_t i = 0; i < result->pairs_n; i++) {
        const struct match_pair *pair = &result->pairs[i];

        if (pair->verdict == MATCH_LINK || pair->verdict == MATCH_GUARDED) {
            found++;
            right += file->truth[pair->a] == file->truth[pair->b];
        }
    }
    return score(found, right, pairs_by(file, result, 2));
}

struct match_score match_score_components(const struct match_file *file, const struct match_result *result)
{
    return score(pairs_by(file, result, 1), pairs_by(file, result, 3), pairs_by(file, result, 2));
}
