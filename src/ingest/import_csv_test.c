/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/import_csv.h"

#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>

enum { LOG_BYTES = 1 << 16 };

struct heard { /* all that the reader said, as text: two runs are equal when their texts are */
    char text[LOG_BYTES];
    size_t n;
    size_t rows_n, rejected_n;
    char last_code[40];
    uint64_t last_line;
};

static void hear(struct heard *heard, struct bytes text)
{
    for (size_t i = 0; i < text.n && heard->n + 2 < LOG_BYTES; i++) {
        heard->text[heard->n++] = text.p[i];
    }
}

static void hear_fields(struct heard *heard, const struct bytes *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        hear(heard, fields[i]);
        hear(heard, BYTES_LIT("|"));
    }
}

struct reading {
    struct heard heard;
    size_t header_n;
};

static enum err on_header(void *ctx, const struct bytes *header, size_t n, struct why *why)
{
    struct reading *reading = ctx;

    (void)why;
    reading->header_n = n;
    hear(&reading->heard, BYTES_LIT("H:"));
    hear_fields(&reading->heard, header, n);
    return ERR_OK;
}

static enum err on_row(void *ctx, const struct import_row *row, struct why *why)
{
    struct reading *reading = ctx;
    char place[64];

    (void)why;
    snprintf(place, sizeof(place), "\n%llu@%llu:", (unsigned long long)row->row, (unsigned long long)row->line);
    hear(&reading->heard, bytes_of(place));
    hear_fields(&reading->heard, row->fields, reading->header_n);
    reading->heard.rows_n++;
    reading->heard.last_line = row->line;
    return ERR_OK;
}

static void on_rejected(void *ctx, const struct import_rejected *rejected)
{
    struct reading *reading = ctx;
    char place[128];

    snprintf(place, sizeof(place), "\n%llu@%llu!%s", (unsigned long long)rejected->row,
             (unsigned long long)rejected->line, rejected->why.code);
    hear(&reading->heard, bytes_of(place));
    reading->heard.rejected_n++;
    reading->heard.last_line = rejected->line;
    memcpy(reading->heard.last_code, rejected->why.code, sizeof(reading->heard.last_code));
}

/* Reads text in chunks of `step` bytes, or of random sizes when rng is given. */
static enum err read_all(struct bytes text, size_t step, struct rng *rng, struct reading *reading, struct why *why)
{
    struct import_csv_calls calls = {on_header, on_row, on_rejected, reading};
    struct arena arena = {0};
    struct import_csv *csv;
    enum err err = ERR_OK;

    *reading = (struct reading){0};
    arena_open(&arena, 4 << 20, 8 << 20);
    csv = import_csv_open(&arena, ',', &calls);
    CHECK(csv != NULL);
    while (text.n > 0 && err == ERR_OK) {
        size_t n = rng != NULL ? 1 + rng_below(rng, 12) : step;

        n = n < text.n ? n : text.n;
        err = import_csv_feed(csv, (struct bytes){text.p, n}, why);
        text = (struct bytes){text.p + n, text.n - n};
    }
    err = err == ERR_OK ? import_csv_end(csv, why) : err;
    arena_close(&arena);
    return err;
}

static struct reading one, other;

static void check_reads(const char *text, const char *wanted)
{
    for (size_t step = 1; step < 8; step++) {
        CHECK_OK(read_all(bytes_of(text), step, NULL, &one, NULL));
        CHECK_TEXT(((struct bytes){one.heard.text, one.heard.n}), wanted);
    }
    CHECK_OK(read_all(bytes_of(text), strlen(text) + 1, NULL, &one, NULL));
    CHECK_TEXT(((struct bytes){one.heard.text, one.heard.n}), wanted);
}

TEST(import_csv_by_hand)
{
    check_reads("a,b\n1,2\n", "H:a|b|\n1@2:1|2|");
    check_reads("a,b\r\n1,2\r\n3,4", "H:a|b|\n1@2:1|2|\n2@3:3|4|");
    check_reads("\xef\xbb\xbf" "a,b\n,\n", "H:a|b|\n1@2:||");
    check_reads("\xef\xbb" "a,b\n1,2\n", "H:\xef\xbb" "a|b|\n1@2:1|2|");
    check_reads("a,b\n\"x,\"\"y\"\"\",\"line\r\nbreak\"\n5,6\n", "H:a|b|\n1@2:x,\"y\"|line\r\nbreak|\n2@4:5|6|");
    check_reads("a,b\n\n\r\n1,2\n\n", "H:a|b|\n1@4:1|2|");
    check_reads("a\n\"\"\n", "H:a|\n1@2:|");
    check_reads("a,b\n5\" pipe,2\n", "H:a|b|\n1@2:5\" pipe|2|");
    check_reads("a,b\n1,\"2\"\r", "H:a|b|\n1@2:1|2|");
}

TEST(import_csv_bad_rows_are_told_and_reading_goes_on)
{
    check_reads("a,b\n1\n1,2,3\n1,2\n", "H:a|b|\n1@2!wrong_columns\n2@3!wrong_columns\n3@4:1|2|");
    check_reads("a,b\n\"1\"x,2\n3,4\n", "H:a|b|\n1@2!bad_quote\n2@3:3|4|");
    check_reads("a,b\n\"1\"\rx,2\n3,4\n", "H:a|b|\n1@2!bad_quote\n2@3:3|4|");
    check_reads("a,b\n3,4\n\"1,2\n", "H:a|b|\n1@2:3|4|\n2@3!open_quote");
}

TEST(import_csv_nothing_at_all_is_no_header)
{
    struct why why = {0};

    CHECK_INT(read_all(bytes_of(""), 1, NULL, &one, &why), ERR_INVALID);
    CHECK_TEXT(bytes_of(why.code), "no_header");
    CHECK_INT(read_all(bytes_of("\n\n"), 1, NULL, &one, &why), ERR_INVALID);
}

static struct bytes repeated(char *room, const char *before, char c, size_t n, const char *after)
{
    size_t at = strlen(before);

    memcpy(room, before, at);
    memset(room + at, c, n);
    memcpy(room + at + n, after, strlen(after));
    return (struct bytes){room, at + n + strlen(after)};
}

TEST(import_csv_too_long_is_told_and_bounded)
{
    char *room = malloc((3 << 20) + 100);
    struct why why = {0};

    CHECK(room != NULL);
    /* A field over 64 KiB: that row only. */
    CHECK_OK(read_all(repeated(room, "a,b\n", 'x', IMPORT_CSV_FIELD_BYTES_MAX + 1, ",2\n3,4\n"), 100000, NULL, &one, &why));
    CHECK_INT(one.heard.rejected_n, 1);
    CHECK_INT(one.heard.rows_n, 1);
    CHECK_TEXT(bytes_of(one.heard.last_code), "field_too_long");
    /* A row over 1 MiB, no quotes: that row only, in one chunk as in many. */
    for (size_t step = 1000; step < (8 << 20); step *= 16) {
        CHECK_OK(read_all(repeated(room, "a,b\n", ',', IMPORT_CSV_ROW_BYTES_MAX + 5, "\n3,4\n"), step, NULL, &one, &why));
        CHECK_INT(one.heard.rejected_n, 1);
        CHECK_INT(one.heard.rows_n, 1);
        CHECK_INT(one.heard.last_line, 3);
        CHECK_TEXT(bytes_of(one.heard.last_code), "row_too_long");
    }
    /* A quote that never closes: the end, with its line. */
    for (size_t step = 1000; step < (8 << 20); step *= 16) {
        CHECK_INT(read_all(repeated(room, "a,b\n3,4\n\"", 'x', 2 << 20, "\n5,6\n"), step, NULL, &one, &why), ERR_INVALID);
        CHECK_TEXT(bytes_of(why.code), "endless_row");
        CHECK_TEXT(bytes_of(why.field), "line 3");
        CHECK_INT(one.heard.rows_n, 1);
    }
    free(room);
}

/* Any bytes, cut anywhere, are the same rows, faults and line numbers. */
PROPERTY(import_csv_any_cutting_gives_the_same_rows)
{
    static const char letters[] = "ab\"\"\",,\n\n\r1 ";
    char text[400];
    size_t n = 4 + rng_below(rng, sizeof(text) - 4);
    struct why why = {0};
    enum err err;

    memcpy(text, "a,b\n", 4);
    for (size_t i = rng_coin(rng) ? 4 : 0; i < n; i++) {
        text[i] = letters[rng_below(rng, sizeof(letters) - 1)];
    }
    err = read_all((struct bytes){text, n}, n, NULL, &one, &why);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(read_all((struct bytes){text, n}, 0, rng, &other, &why), err);
        CHECK_INT(other.heard.n, one.heard.n);
        CHECK_SAME_BYTES(other.heard.text, one.heard.text, one.heard.n);
    }
}

/* What a careful writer wrote comes back: every field of any bytes but NUL, quoted when it must be. */
PROPERTY(import_csv_reads_back_what_was_written)
{
    static const char letters[] = "a\",\n\r";
    char text[2000] = "a,b\n", wanted[2000] = "H:a|b|";
    size_t n = 4, at = 6;
    unsigned long long line = 2;

    for (int row = 1; row <= 10; row++) {
        unsigned long long breaks = 0;

        at += (size_t)snprintf(wanted + at, sizeof(wanted) - at, "\n%d@%llu:", row, line);
        for (int column = 0; column < 2; column++) {
            size_t field_n = rng_below(rng, 8);

            text[n++] = '"';
            for (size_t i = 0; i < field_n; i++) {
                char c = letters[rng_below(rng, sizeof(letters) - 1)];

                text[n++] = c;
                if (c == '"') {
                    text[n++] = '"';
                }
                wanted[at++] = c;
                breaks += c == '\n';
            }
            text[n++] = '"';
            text[n++] = column == 0 ? ',' : '\n';
            wanted[at++] = '|';
        }
        line += 1 + breaks;
    }
    CHECK_OK(read_all((struct bytes){text, n}, 0, rng, &one, NULL));
    CHECK_INT(one.heard.n, at);
    CHECK_SAME_BYTES(one.heard.text, wanted, at);
}
