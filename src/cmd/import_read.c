/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/import_read.h"

#include "os/file.h"
#include "os/zone_file.h"

#include <stdio.h>

#define CHUNK_BYTES ((size_t)4 << 20)
#define MOST_BYTES ((size_t)8 << 30) /* the sets of closed receipts: 250 million of them */

enum err import_read_map(const char *path, struct arena *arena, const struct import_map **out_map, struct why *why)
{
    struct bytes text;
    enum err err = file_whole(path, IMPORT_MAP_BYTES_MAX, arena, &text, why);

    return err == ERR_OK ? import_map_read(text, arena, out_map, why) : err;
}

enum err import_read_sibling(const struct import_map *map, enum import_section section, const char *lines_path,
                             struct arena *arena, const char **out_path, struct why *why)
{
    static const char *const endings[] = {".csv.zst", ".csv.gz", ".csv"};
    const char *slash = strrchr(lines_path, '/');
    int folder_n = slash != NULL ? (int)(slash - lines_path) + 1 : 0;
    struct bytes name = map->sheets[section].file;

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        struct bytes path = arena_format(arena, "%.*s%.*s%s", folder_n, lines_path, (int)name.n, name.p, endings[i]);

        if (path.p == NULL) {
            return ERR_NOMEM;
        }
        if (file_is_there(path.p)) {
            *out_path = path.p;
            return ERR_OK;
        }
    }
    return why_say(why, ERR_ABSENT, "no_sibling", "file",
                   "the map needs %.*s.csv, .csv.gz or .csv.zst beside %.100s; put it there, or take the section's filters out "
                   "of the map",
                   (int)(name.n < 80 ? name.n : 80), name.p, lines_path);
}

enum err import_read_date(const struct import_map *map, const char *date, int64_t *out_at_ms, int64_t *out_day,
                          struct why *why)
{
    struct arena arena = {0};
    struct civil civil;
    struct zone zone;
    enum err err;

    if (strlen(date) != 10 || time_parse_civil(bytes_of(date), &civil) != ERR_OK) {
        return why_say(why, ERR_INVALID, "bad_date", "", "a date is written like 2026-11-22");
    }
    arena_open(&arena, 65536, 4 << 20);
    err = zone_file_read(map->time_zone, &arena, &zone, why);
    if (err == ERR_OK) {
        *out_at_ms = zone_utc(&zone, time_of_civil(civil));
        *out_day = time_days(civil.year, civil.month, civil.day);
    }
    arena_close(&arena);
    return err;
}

/* ---- one file through one reader ---- */

struct feeding {
    enum err (*feed)(void *reader, struct bytes chunk, struct why *why);
    enum err (*end)(void *reader, struct why *why);
    uint64_t (*rows_n)(const void *reader);
    void *reader;
    import_read_tick tick;
    void *tick_ctx;
};

static enum err feed_file(const char *path, const struct feeding *feeding, struct why *why)
{
    struct file_reader *file;
    struct bytes chunk;
    enum err err = file_open(path, &file, why);

    if (err != ERR_OK) {
        return err;
    }
    do {
        err = file_read(file, &chunk, why);
        if (err == ERR_OK && chunk.n > 0) {
            err = feeding->feed(feeding->reader, chunk, why);
        }
        if (feeding->tick != NULL) {
            feeding->tick(feeding->tick_ctx, file_share(file), feeding->rows_n(feeding->reader));
        }
    } while (err == ERR_OK && chunk.n > 0);
    if (err == ERR_OK) {
        err = feeding->end(feeding->reader, why);
    }
    file_close(file);
    return err;
}

static enum err join_feed(void *reader, struct bytes chunk, struct why *why)
{
    return import_join_feed(reader, chunk, why);
}

static enum err join_end(void *reader, struct why *why)
{
    return import_join_end(reader, why);
}

static enum err receipts_feed(void *reader, struct bytes chunk, struct why *why)
{
    return import_receipt_feed(reader, chunk, why);
}

static enum err receipts_end(void *reader, struct why *why)
{
    return import_receipt_end(reader, why);
}

static uint64_t receipts_rows_n(const void *reader)
{
    return import_receipt_counts(reader).rows_n;
}

static enum err items_feed(void *reader, struct bytes chunk, struct why *why)
{
    return import_item_feed(reader, chunk, why);
}

static enum err items_end(void *reader, struct why *why)
{
    return import_item_end(reader, why);
}

static uint64_t items_rows_n(const void *reader)
{
    return import_item_counts(reader).rows_n;
}

static enum err read_joins(const struct import_map *map, const char *path, struct arena *arena,
                           const struct import_join *joins[IMPORT_SECTIONS], struct why *why)
{
    for (int i = 1; i < IMPORT_SECTIONS; i++) {
        struct feeding feeding = {.feed = join_feed, .end = join_end};
        const char *sibling;
        enum err err;

        if (!import_join_needed(map, (enum import_section)i)) {
            continue;
        }
        feeding.reader = import_join_open(arena, map, (enum import_section)i);
        if (feeding.reader == NULL) {
            return ERR_NOMEM;
        }
        err = import_read_sibling(map, (enum import_section)i, path, arena, &sibling, why);
        if (err == ERR_OK) {
            err = feed_file(sibling, &feeding, why);
        }
        if (err != ERR_OK) {
            return err;
        }
        joins[i] = feeding.reader;
    }
    return ERR_OK;
}

static enum err count_only(void *ctx, const struct import_receipt *receipt, struct why *why)
{
    (void)ctx;
    (void)receipt;
    (void)why;
    return ERR_OK;
}

enum err import_read_receipts(const struct import_map *map, const char *path, const struct import_receipt_options *options,
                              import_read_tick tick, void *tick_ctx, struct import_counts *out_counts, struct why *why)
{
    struct feeding feeding = {receipts_feed, receipts_end, receipts_rows_n, NULL, tick, tick_ctx};
    struct import_receipt_options filled = *options;
    struct arena arena = {0};
    struct zone zone;
    enum err err;

    *out_counts = (struct import_counts){0};
    if (!map->sheets[IMPORT_LINES].is_given) {
        return why_say(why, ERR_INVALID, "bad_map", "id", "the map does not say how receipts are read; add id, at and item");
    }
    arena_open(&arena, CHUNK_BYTES, MOST_BYTES);
    err = zone_file_read(map->time_zone, &arena, &zone, why);
    if (err == ERR_OK) {
        err = read_joins(map, path, &arena, filled.joins, why);
    }
    if (err == ERR_OK) {
        filled.zone = &zone;
        filled.receipt = options->receipt != NULL ? options->receipt : count_only;
        feeding.reader = import_receipt_open(&arena, map, &filled);
        err = feeding.reader != NULL ? feed_file(path, &feeding, why) : ERR_NOMEM;
    }
    if (feeding.reader != NULL) {
        *out_counts = import_receipt_counts(feeding.reader);
    }
    arena_close(&arena);
    return err;
}

enum err import_read_items(const struct import_map *map, enum import_section section, const char *path,
                           const struct import_item_options *options, import_read_tick tick, void *tick_ctx,
                           struct import_counts *out_counts, struct why *why)
{
    struct feeding feeding = {items_feed, items_end, items_rows_n, NULL, tick, tick_ctx};
    struct import_item_options filled = *options;
    struct arena arena = {0}, scratch = {0};
    enum err err = ERR_NOMEM;

    *out_counts = (struct import_counts){0};
    if (!map->sheets[section].is_given) {
        return why_say(why, ERR_INVALID, "bad_map", "", "the map has no section for this kind; add [items], [stores] or "
                       "[customers]");
    }
    arena_open(&arena, CHUNK_BYTES, MOST_BYTES);
    arena_open(&scratch, CHUNK_BYTES, 16 * CHUNK_BYTES);
    filled.scratch = &scratch;
    feeding.reader = import_item_open(&arena, map, section, &filled);
    if (feeding.reader != NULL) {
        err = feed_file(path, &feeding, why);
        *out_counts = import_item_counts(feeding.reader);
    }
    arena_close(&scratch);
    arena_close(&arena);
    return err;
}
