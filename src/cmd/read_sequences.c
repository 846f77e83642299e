/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/read_sequences.h"

#include "base/hash.h"
#include "base/time.h"
#include "ingest/import_csv.h"
#include "os/file.h"
#include "train/history.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ID_BYTES_MAX = 256, COLUMN_NONE = IMPORT_CSV_FIELDS_MAX };

struct row {
    uint64_t group; /* hash of its text */
    uint64_t number, first;
    int64_t at_ms, seq;
    uint64_t row;
    size_t item_at;
    uint32_t item_n;
    bool is_number;
};

struct reading {
    const char *path;
    enum read_shape shape;
    int64_t now_ms;
    size_t group, item, seq, ts; /* columns */
    struct row *rows;
    size_t rows_n, rows_room, text_n, text_room;
    struct read_sequences read;
};

/* ---- columns ---- */

static const char *group_word(enum read_shape shape)
{
    return shape == READ_SESSIONS ? "session_id" : "user_id";
}

static size_t column(const struct bytes *header, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes_equal(header[i], bytes_of(name))) {
            return i;
        }
    }
    return COLUMN_NONE;
}

static enum err missing(const struct reading *reading, const char *name, const struct bytes *header, size_t n,
                        struct why *why)
{
    char has[96] = "";
    size_t has_n = 0;

    for (size_t i = 0; i < n && has_n + 24 < sizeof(has); i++) {
        has_n += (size_t)snprintf(has + has_n, sizeof(has) - has_n, "%s%.*s", i > 0 ? ", " : "",
                                  (int)(header[i].n < 20 ? header[i].n : 20), header[i].p);
    }
    return why_say(why, ERR_INVALID, "missing_column", name, "%.60s has no column %s, only: %s; rename the column it is in",
                   reading->path, name, has);
}

static enum err take_header(void *ctx, const struct bytes *header, size_t n, struct why *why)
{
    struct reading *reading = ctx;

    reading->group = column(header, n, group_word(reading->shape));
    reading->item = column(header, n, "item_id");
    reading->seq = reading->shape == READ_SETS ? COLUMN_NONE : column(header, n, "seq");
    reading->ts = reading->shape == READ_SESSIONS ? column(header, n, "ts") : COLUMN_NONE;
    reading->read.has_times = reading->ts != COLUMN_NONE;
    if (reading->group == COLUMN_NONE) {
        return missing(reading, group_word(reading->shape), header, n, why);
    }
    if (reading->item == COLUMN_NONE) {
        return missing(reading, "item_id", header, n, why);
    }
    if (reading->shape != READ_SETS && reading->seq == COLUMN_NONE && reading->ts == COLUMN_NONE) {
        return missing(reading, reading->shape == READ_SESSIONS ? "seq or ts" : "seq", header, n, why);
    }
    return ERR_OK;
}

/* ---- rows ---- */

static bool number_of(struct bytes text, double *out_number)
{
    char copy[40], *end;

    if (text.n == 0 || text.n >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    *out_number = strtod(copy, &end);
    return end == copy + text.n && isfinite(*out_number);
}

static bool digits_of(struct bytes text, uint64_t *out_number)
{
    uint64_t v = 0;

    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') {
            return false;
        }
        v = v * 10 + (uint64_t)(text.p[i] - '0');
    }
    *out_number = v;
    return text.n > 0 && text.n <= 18;
}

static enum err read_seq(struct bytes text, int64_t *out_seq, struct why *why)
{
    double seq;

    if (!number_of(text, &seq) || fabs(seq) > 1e15) {
        return why_say(why, ERR_INVALID, "bad_seq", "seq", "seq is no number; write the place of the step, from 1");
    }
    *out_seq = (int64_t)seq;
    return ERR_OK;
}

static enum err read_time(const struct reading *reading, struct bytes text, int64_t *out_at_ms, struct why *why)
{
    double ts;

    if (!number_of(text, &ts) || ts < 0) {
        return why_say(why, ERR_INVALID, "bad_time", "ts", "ts is no time; write seconds since 1970, UTC");
    }
    if (ts * 1000 > (double)(reading->now_ms + DAY_MS)) {
        return why_say(why, ERR_INVALID, "future_time", "ts",
                       "ts is later than tomorrow; write seconds since 1970, not milliseconds, or mend the clock");
    }
    *out_at_ms = (int64_t)llround(ts * 1000);
    return ERR_OK;
}

static enum err check_id(struct bytes id, const char *field, struct why *why)
{
    return id.n > 0 && id.n <= ID_BYTES_MAX
               ? ERR_OK
               : why_say(why, ERR_INVALID, "bad_id", field, "%s has %zu bytes; an id has 1 to %d", field, id.n, ID_BYTES_MAX);
}

static void rejected(void *ctx, const struct import_rejected *row)
{
    struct read_sequences *read = &((struct reading *)ctx)->read;

    if (read->rejected_n++ == 0) {
        read->rejected = row->why;
        read->rejected_line = row->line;
    }
}

static void keep(struct reading *reading, struct row row, struct bytes item)
{
    if (reading->rows_n == reading->rows_room) {
        reading->rows_room = reading->rows_room > 0 ? 2 * reading->rows_room : 4096;
        reading->rows = history_grow(reading->rows, reading->rows_room, sizeof(*reading->rows));
    }
    if (reading->text_n + item.n > reading->text_room) {
        reading->text_room = 2 * (reading->text_n + item.n) + 4096;
        reading->read.text = history_grow(reading->read.text, reading->text_room, 1);
    }
    row.item_at = reading->text_n;
    row.item_n = (uint32_t)item.n;
    memcpy(reading->read.text + reading->text_n, item.p, item.n);
    reading->text_n += item.n;
    reading->rows[reading->rows_n++] = row;
}

static enum err take_row(void *ctx, const struct import_row *from, struct why *why)
{
    struct reading *reading = ctx;
    struct bytes group = from->fields[reading->group], item = from->fields[reading->item];
    struct row row = {.row = from->row};
    struct import_rejected bad = {.row = from->row, .line = from->line};
    enum err err = check_id(group, group_word(reading->shape), &bad.why);

    (void)why;
    err = err == ERR_OK ? check_id(item, "item_id", &bad.why) : err;
    if (err == ERR_OK && reading->seq != COLUMN_NONE) {
        err = read_seq(from->fields[reading->seq], &row.seq, &bad.why);
    }
    if (err == ERR_OK && reading->ts != COLUMN_NONE) {
        err = read_time(reading, from->fields[reading->ts], &row.at_ms, &bad.why);
    }
    if (err != ERR_OK) {
        rejected(reading, &bad);
        return ERR_OK;
    }
    row.group = hash_item((struct tenant_id){0}, group).v;
    row.is_number = digits_of(group, &row.number);
    keep(reading, row, item);
    return ERR_OK;
}

static enum err read_file(struct reading *reading, struct why *why)
{
    struct import_csv_calls calls = {take_header, take_row, rejected, reading};
    struct file_reader *file;
    struct import_csv *csv;
    struct arena arena;
    struct bytes chunk;
    enum err err = file_open(reading->path, &file, why);

    if (err != ERR_OK) {
        return err;
    }
    arena_open(&arena, 1 << 16, 8 << 20);
    csv = import_csv_open(&arena, ',', &calls);
    err = csv == NULL ? ERR_NOMEM : ERR_OK;
    do {
        err = err == ERR_OK ? file_read(file, &chunk, why) : err;
        err = err == ERR_OK && chunk.n > 0 ? import_csv_feed(csv, chunk, why) : err;
    } while (err == ERR_OK && chunk.n > 0);
    err = err == ERR_OK ? import_csv_end(csv, why) : err;
    reading->read.rows_n = csv != NULL ? import_csv_rows_n(csv) : 0;
    arena_close(&arena);
    file_close(file);
    return err;
}

/* ---- order ---- */

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int group_order(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int order = compare(x->group, y->group);

    return order != 0 ? order : compare(x->row, y->row);
}

static int step_order(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int order = compare(x->number, y->number);

    order = order != 0 ? order : compare(x->first, y->first);
    order = order != 0 ? order : (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
    order = order != 0 ? order : (x->seq > y->seq) - (x->seq < y->seq);
    return order != 0 ? order : compare(x->row, y->row);
}

/* Every row learns the first row of its group, and the number that places the group. */
static void place_groups(struct reading *reading)
{
    bool are_numbers = true;

    for (size_t i = 0; i < reading->rows_n; i++) {
        are_numbers = are_numbers && reading->rows[i].is_number;
    }
    qsort(reading->rows, reading->rows_n, sizeof(*reading->rows), group_order);
    for (size_t i = 0; i < reading->rows_n; i++) {
        struct row *row = &reading->rows[i];

        row->first = i > 0 && row[-1].group == row->group ? row[-1].first : row->row;
        row->number = are_numbers ? row->number : 0;
    }
    qsort(reading->rows, reading->rows_n, sizeof(*reading->rows), step_order);
}

static bool is_same_item(const struct reading *reading, const struct row *a, const struct row *b)
{
    return a->item_n == b->item_n &&
           memcmp(reading->read.text + a->item_at, reading->read.text + b->item_at, a->item_n) == 0;
}

/* Of steps: the row before it is the same step again. Of sets: any row before it in the group holds the item, which
 * `seen` (hash -> the group it was last met in) tells. Clicks of one second are clicks. */
static bool is_again(const struct reading *reading, size_t i, uint64_t *seen, size_t seen_n)
{
    const struct row *row = &reading->rows[i];
    uint64_t key;
    size_t at;

    if (reading->shape != READ_SETS) {
        return i > 0 && row[-1].group == row->group && reading->seq != COLUMN_NONE && row[-1].seq == row->seq &&
               row[-1].at_ms == row->at_ms && is_same_item(reading, &row[-1], row);
    }
    key = hash_fast(reading->read.text + row->item_at, row->item_n, row->group) | 1;
    for (at = (size_t)key & (seen_n - 1); seen[at] != 0; at = (at + 1) & (seen_n - 1)) {
        if (seen[at] == key) {
            return true;
        }
    }
    seen[at] = key;
    return false;
}

static void put_steps(struct reading *reading)
{
    struct read_sequences *read = &reading->read;
    size_t n = 0, seen_n = 64;
    uint64_t *seen;

    while (reading->shape == READ_SETS && seen_n < 2 * reading->rows_n) {
        seen_n *= 2;
    }
    seen = history_zero(seen_n, sizeof(*seen));
    read->steps = history_grow(NULL, reading->rows_n, sizeof(*read->steps));
    read->at = history_grow(NULL, reading->rows_n + 1, sizeof(*read->at));
    read->group = history_grow(NULL, reading->rows_n, sizeof(*read->group));
    for (size_t i = 0; i < reading->rows_n; i++) {
        const struct row *row = &reading->rows[i];

        if (i == 0 || row[-1].group != row->group) {
            read->group[read->groups_n] = row->group;
            read->at[read->groups_n++] = n;
        }
        if (is_again(reading, i, seen, seen_n)) {
            read->duplicates_n++;
        } else {
            read->steps[n++] = (struct read_step){row->at_ms, row->item_at, row->item_n};
        }
    }
    read->at[read->groups_n] = n;
    free(seen);
}

enum err read_sequences(const char *path, enum read_shape shape, int64_t now_ms, struct read_sequences *out_read,
                        struct why *why)
{
    struct reading reading = {.path = path, .shape = shape, .now_ms = now_ms};
    enum err err = read_file(&reading, why);

    if (err == ERR_OK && reading.rows_n == 0) {
        err = reading.read.rejected_n > 0
                  ? why_say(why, ERR_INVALID, "no_good_row", reading.read.rejected.field,
                            "no row of %.60s can be read; line %llu: %.120s", path,
                            (unsigned long long)reading.read.rejected_line, reading.read.rejected.says)
                  : why_say(why, ERR_INVALID, "no_row", "", "%.100s holds a header and no row; choose a file with rows", path);
    }
    if (err == ERR_OK) {
        place_groups(&reading);
        put_steps(&reading);
        *out_read = reading.read;
    } else {
        free(reading.read.text);
    }
    free(reading.rows);
    return err;
}

void read_sequences_close(struct read_sequences *read)
{
    free(read->steps);
    free(read->at);
    free(read->group);
    free(read->text);
    *read = (struct read_sequences){0};
}
