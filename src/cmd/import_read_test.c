/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/import_read.h"

#include "base/hash.h"
#include "base/test.h"
#include "os/file.h"

#include <stdio.h>
#include <stdlib.h>

/* Tests run from the build directory or the top; FALUN_TOP names the top for other places. */
static const char *top(void)
{
    static const char *const places[] = {".", "..", "../.."};
    const char *said = getenv("FALUN_TOP");

    if (said != NULL) {
        return said;
    }
    for (size_t i = 0; i < 3; i++) {
        char path[64];

        snprintf(path, sizeof(path), "%s/demo/recorded/LICENSE", places[i]);
        if (file_is_there(path)) {
            return places[i];
        }
    }
    return ".";
}

struct census { /* distinct things, and lines counted again by the receipts themselves */
    struct arena arena;
    uint64_t *items, *customers;
    size_t items_n, customers_n;
    uint64_t lines_n;
    int64_t last_ms;
    bool is_ascending;
};

enum { CENSUS_ROOM = 1 << 20 };

static void note(uint64_t *slots, size_t *n, uint64_t hash)
{
    size_t at = hash & (CENSUS_ROOM - 1);

    while (slots[at] != 0 && slots[at] != hash) {
        at = (at + 1) & (CENSUS_ROOM - 1);
    }
    *n += slots[at] == 0;
    slots[at] = hash;
}

static enum err on_receipt(void *ctx, const struct import_receipt *receipt, struct why *why)
{
    struct census *census = ctx;
    static const struct mid nothing = {{0}};
    struct bytes who = receipt->event->identifiers[0].value;

    (void)why;
    CHECK(receipt->event->identifiers_n == 1);
    CHECK(memcmp(&receipt->event->mid, &nothing, sizeof(nothing)) != 0);
    note(census->customers, &census->customers_n, hash_fast(who.p, who.n, 1));
    for (size_t i = 0; i < receipt->event->lines_n; i++) {
        note(census->items, &census->items_n, receipt->event->lines[i].item.v);
    }
    census->lines_n += receipt->event->lines_n;
    return ERR_OK;
}

static void count(const char *map_path, const char *lines_path, struct import_counts *out_counts, struct census *census)
{
    struct import_receipt_options options = {.tenant = {1}, .receipt = on_receipt, .ctx = census};
    const struct import_map *map;
    struct why why = {0};

    hash_start();
    arena_open(&census->arena, 1 << 20, 64 << 20);
    census->items = arena_array(&census->arena, CENSUS_ROOM, 8);
    census->customers = arena_array(&census->arena, CENSUS_ROOM, 8);
    if (import_read_map(map_path, &census->arena, &map, &why) != ERR_OK ||
        import_read_receipts(map, lines_path, &options, NULL, NULL, out_counts, &why) != ERR_OK) {
        fail_msg("%s", why.says);
    }
    arena_close(&census->arena);
}

/* evaluation.md 4.2: the filters of the demo's map leave exactly the lines that all published figures are of. */
TEST(import_read_of_the_recorded_lines_keeps_the_published_counts)
{
    struct census census = {0};
    struct import_counts counts;
    char map[256], lines[256];

    snprintf(map, sizeof(map), "%s/demo/recorded/complete_journey.map", top());
    snprintf(lines, sizeof(lines), "%s/demo/recorded/transactions.csv.zst", top());
    count(map, lines, &counts, &census);
    CHECK_INT(counts.rows_n, 1469307);
    CHECK_INT(counts.rejected_n, 0);
    CHECK_INT(counts.kept_n, 1439277);
    CHECK_INT(census.lines_n, 1439277);
    CHECK_INT(counts.receipts_n, 140884);
    CHECK_INT(census.customers_n, 2467);
    CHECK_INT(census.items_n, 67773);
    CHECK_INT(counts.first_day, time_days(2017, 1, 1));
    CHECK_INT(counts.last_day, time_days(2017, 12, 31));
}

/* evaluation.md 4.1 */
TEST(import_read_of_online_retail_keeps_the_published_counts)
{
    const char *data = getenv("FALUN_DATA");
    struct census census = {0};
    struct import_counts counts;
    char map[256], lines[512];

    snprintf(map, sizeof(map), "%s/demo/online_retail.map", top());
    snprintf(lines, sizeof(lines), "%s/online_retail/lines.csv.gz", data != NULL ? data : "../shared/data");
    if (!file_is_there(lines) && data == NULL) {
        snprintf(lines, sizeof(lines), "%s/../shared/data/online_retail/lines.csv.gz", top());
    }
    if (!file_is_there(lines)) {
        SKIP("the set online_retail is in neither $FALUN_DATA nor ../shared/data");
    }
    count(map, lines, &counts, &census);
    CHECK_INT(counts.rejected_n, 0);
    CHECK_INT(counts.kept_n, 396337);
    CHECK_INT(counts.receipts_n, 18402);
    CHECK_INT(census.customers_n, 4334);
    CHECK_INT(census.items_n, 3659);
}
