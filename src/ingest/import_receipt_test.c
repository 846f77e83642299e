/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/import_receipt.h"

#include "base/hash.h"
#include "base/test.h"
#include "ingest/import_item.h"

#include <stdio.h>

enum { LOG_BYTES = 8192 };

static struct {
    char text[LOG_BYTES];
    size_t n;
} heard;

static void hear(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void hear(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    heard.n += (size_t)vsnprintf(heard.text + heard.n, LOG_BYTES - heard.n, format, args);
    va_end(args);
    CHECK(heard.n < LOG_BYTES);
}

static enum err on_receipt(void *ctx, const struct import_receipt *receipt, struct why *why)
{
    const struct event *event = receipt->event;
    char at[TIME_TEXT_BYTES];

    (void)ctx;
    (void)why;
    CHECK(event->is_receipt && event->kind == EVENT_PURCHASE && event->has_id && event->has_time);
    time_format(event->at_ms, at);
    hear("%.*s %s %.*s %.*s", (int)event->id.n, event->id.p, at, (int)event->store_text.n, event->store_text.p,
         event->identifiers_n > 0 ? (int)event->identifiers[0].value.n : 0,
         event->identifiers_n > 0 ? event->identifiers[0].value.p : "");
    for (size_t i = 0; i < event->lines_n; i++) {
        hear(" %.*s*%lld=%lld", (int)event->lines[i].item_text.n, event->lines[i].item_text.p,
             (long long)event->lines[i].quantity_milli, (long long)event->lines[i].paid_minor);
    }
    hear("; ");
    return ERR_OK;
}

static void on_rejected(void *ctx, const struct import_rejected *rejected)
{
    (void)ctx;
    hear("line %llu %s %s; ", (unsigned long long)rejected->line, rejected->why.field, rejected->why.code);
}

static const char map_text[] = "source = till\nid = receipt\nat = when\nat.format = %Y-%m-%d %H:%M\ntime_zone = X\nstore = shop\n"
                               "customer.member = who\nitem = sku\nquantity = n\npaid = price * n\ncurrency = NOK\n"
                               "keep = n != 0\nkeep = items.kind not in COUPON\n[items]\nfile = goods\nid = sku\n";
static const char goods[] = "sku,kind\ns1,FOOD\ns2,COUPON\n";
static const char header[] = "receipt,when,shop,who,sku,n,price\n";

static void run(const char *rows, int64_t shift_days, const struct zone *zone, struct rng *rng, struct import_counts *out_counts)
{
    struct import_receipt_options options = {
        .tenant = {1}, .zone = zone, .shift_days = shift_days, .receipt = on_receipt, .rejected = on_rejected};
    struct arena arena = {0};
    const struct import_map *map;
    struct import_receipts *receipts;
    struct why why = {0};
    char text[4096];
    size_t n = (size_t)snprintf(text, sizeof(text), "%s%s", header, rows);
    struct import_join *join;

    hash_start();
    heard.n = 0;
    arena_open(&arena, 8 << 20, 64 << 20);
    CHECK_OK(import_map_read(bytes_of(map_text), &arena, &map, &why));
    join = import_join_open(&arena, map, IMPORT_ITEMS);
    CHECK_OK(import_join_feed(join, bytes_of(goods), &why));
    CHECK_OK(import_join_end(join, &why));
    options.joins[IMPORT_ITEMS] = join;
    receipts = import_receipt_open(&arena, map, &options);
    CHECK(receipts != NULL);
    for (size_t at = 0; at < n;) {
        size_t step = rng != NULL ? 1 + rng_below(rng, 40) : n;

        step = step < n - at ? step : n - at;
        CHECK_OK(import_receipt_feed(receipts, (struct bytes){text + at, step}, &why));
        at += step;
    }
    CHECK_OK(import_receipt_end(receipts, &why));
    *out_counts = import_receipt_counts(receipts);
    arena_close(&arena);
}

static void check_hears(const char *rows, const char *wanted)
{
    struct import_counts counts;

    run(rows, 0, NULL, NULL, &counts);
    CHECK_TEXT(((struct bytes){heard.text, heard.n}), wanted);
}

TEST(import_receipt_groups_adjacent_lines)
{
    check_hears("r1,2026-01-02 10:00,A,m1,s1,2,1.50\nr1,2026-01-02 10:01,A,m1,s3,1,0.335\nr2,2026-01-02 11:00,,,s1,-1,2\n",
                "r1 2026-01-02T10:00:00.000Z A m1 s1*2000=300 s3*1000=34; r2 2026-01-02T11:00:00.000Z   s1*-1000=-200; ");
}

/* A filtered line is no line and no fault; one between two lines of a receipt does not part them. */
TEST(import_receipt_filters_leave_out)
{
    struct import_counts counts;

    check_hears("r1,2026-01-02 10:00,A,m1,s1,2,1\nr9,2026-01-02 10:00,A,m1,s2,1,1\nr8,2026-01-02 10:00,A,m1,s1,0,1\n"
                "r1,2026-01-02 10:00,A,m1,s1,1,1\n",
                "r1 2026-01-02T10:00:00.000Z A m1 s1*2000=200 s1*1000=100; ");
    run("r1,2026-01-02 10:00,A,m1,s1,2,1\nr1,2026-01-02 10:00,A,m1,s2,1,1\nr1,x\n", 0, NULL, NULL, &counts);
    CHECK_INT(counts.rows_n, 3);
    CHECK_INT(counts.kept_n, 1);
    CHECK_INT(counts.left_n, 1);
    CHECK_INT(counts.rejected_n, 1);
    CHECK_INT(counts.receipts_n, 1);
    CHECK_INT(counts.first_day, time_days(2026, 1, 2));
}

TEST(import_receipt_bad_rows_are_told_with_line_and_field)
{
    check_hears("r1,2026-01-02 10:00,A,m1,s1,two,1\nr1,yesterday,A,m1,s1,1,1\n,2026-01-02 10:00,A,m1,s1,1,1\n"
                "r1,2026-01-02 10:00,A,m1,,1,1\nr1,2026-01-02 10:00,A,m1,s1,1,1\nr1,2026-01-02 10:00,B,m1,s1,1,1\n"
                "r1,2026-01-02 10:00,A,m2,s1,1,1\nr1,2026-01-02 10:00,A,m1,s\xff,1,1\nr1,2026-01-02 10:00,A,m1,s1,3000000,1\n",
                "line 2 n not_a_number; line 3 when bad_time; line 4 receipt bad_id; line 5 sku bad_id; line 7 shop differs; "
                "line 8 customer differs; line 9 sku bad_id; line 10 n out_of_range; r1 2026-01-02T10:00:00.000Z A m1 s1*1000=100; ");
}

/* settled.md 5.6: what comes after others is no longer part of the receipt. */
TEST(import_receipt_a_later_fragment_is_rejected)
{
    check_hears("r1,2026-01-02 10:00,A,m1,s1,1,1\nr2,2026-01-02 10:00,A,m1,s1,1,1\nr1,2026-01-02 10:00,A,m1,s3,1,1\n"
                "r2,2026-01-02 10:00,A,m1,s3,1,1\n",
                "r1 2026-01-02T10:00:00.000Z A m1 s1*1000=100; line 4 receipt fragment; "
                "r2 2026-01-02T10:00:00.000Z A m1 s1*1000=100 s3*1000=100; ");
}

/* A day is added on the wall's calendar: ten in the morning stays ten when summer time begins between. */
TEST(import_receipt_shifts_by_local_days)
{
    static const int64_t change[] = {INT64_C(1774746000000)}, local[] = {INT64_C(1774746000000) + 7200000}; /* 2026-03-29 01:00 UTC */
    static const int32_t offset[] = {3600000, 7200000};
    struct zone oslo = {change, local, offset, 1};
    struct import_counts counts;

    run("r1,2026-03-28 10:00,A,m1,s1,1,1\n", 0, &oslo, NULL, &counts);
    CHECK_TEXT(((struct bytes){heard.text, 28}), "r1 2026-03-28T09:00:00.000Z ");
    run("r1,2026-03-28 10:00,A,m1,s1,1,1\n", 1, &oslo, NULL, &counts);
    CHECK_TEXT(((struct bytes){heard.text, 28}), "r1 2026-03-29T08:00:00.000Z ");
    CHECK_INT(counts.last_day, time_days(2026, 3, 28)); /* before the shift */
    run("r1,2026-03-29 02:30,A,m1,s1,1,1\n", 0, &oslo, NULL, &counts); /* does not exist: forward to 03:30 */
    CHECK_TEXT(((struct bytes){heard.text, 28}), "r1 2026-03-29T01:30:00.000Z ");
}

TEST(import_receipt_of_too_many_lines_is_left_out_whole)
{
    struct import_counts counts;
    struct arena arena = {0};
    char *text;
    size_t n;
    const struct import_map *map;
    struct import_receipts *receipts;
    struct import_receipt_options options = {.receipt = on_receipt, .rejected = on_rejected};

    arena_open(&arena, 8 << 20, 64 << 20);
    text = arena_take(&arena, 64 * 1100);
    CHECK_OK(import_map_read(bytes_of("source=t\nid=r\nat=w\nitem=i\n"), &arena, &map, NULL));
    receipts = import_receipt_open(&arena, map, &options);
    n = (size_t)snprintf(text, 64, "r,w,i\n");
    for (int i = 0; i < 1003; i++) {
        n += (size_t)snprintf(text + n, 64, "big,2026-01-02,s%d\n", i);
    }
    n += (size_t)snprintf(text + n, 64, "small,2026-01-02,s\n");
    heard.n = 0;
    CHECK_OK(import_receipt_feed(receipts, (struct bytes){text, n}, NULL));
    CHECK_OK(import_receipt_end(receipts, NULL));
    counts = import_receipt_counts(receipts);
    CHECK_TEXT(((struct bytes){heard.text, heard.n}), "line 2  too_many_lines; small 2026-01-02T00:00:00.000Z   s*1000=0; ");
    CHECK_INT(counts.rejected_n, 1003);
    CHECK_INT(counts.kept_n, 1);
    arena_close(&arena);
}

PROPERTY(import_receipt_any_cutting_gives_the_same_receipts)
{
    char rows[2000], whole[LOG_BYTES];
    size_t n = 0, whole_n;
    struct import_counts a, b;

    for (int i = 0; i < 20; i++) {
        n += (size_t)snprintf(rows + n, sizeof(rows) - n, "r%d,2026-01-02 10:00,%s,m%d,\"s%d\",%d,1%s", (int)rng_below(rng, 4),
                              rng_coin(rng) ? "A" : "B", (int)rng_below(rng, 2), (int)rng_below(rng, 4),
                              (int)rng_below(rng, 3), rng_coin(rng) ? "\n" : "\r\n");
    }
    run(rows, 0, NULL, NULL, &a);
    memcpy(whole, heard.text, heard.n);
    whole_n = heard.n;
    run(rows, 0, NULL, rng, &b);
    CHECK_INT(heard.n, whole_n);
    CHECK_SAME_BYTES(heard.text, whole, whole_n);
    CHECK_INT(a.kept_n + a.left_n + a.rejected_n, a.rows_n);
    CHECK_SAME_BYTES(&a, &b, sizeof(a));
}

/* ---- items ---- */

static enum err on_item(void *ctx, const struct item *item, uint64_t row, struct why *why)
{
    (void)ctx;
    (void)row;
    (void)why;
    hear("%.*s\n", (int)item->json.n, item->json.p);
    return ERR_OK;
}

static void check_items(const char *map_of_items, const char *file, const char *wanted)
{
    struct import_item_options options = {.tenant = {1}, .item = on_item, .rejected = on_rejected};
    struct arena arena = {0}, scratch = {0};
    const struct import_map *map;
    struct import_items *items;
    struct why why = {0};

    hash_start();
    heard.n = 0;
    arena_open(&arena, 8 << 20, 64 << 20);
    arena_open(&scratch, 1 << 20, 4 << 20);
    options.scratch = &scratch;
    if (import_map_read(bytes_of(map_of_items), &arena, &map, &why) != ERR_OK) {
        fail_msg("%s", why.says);
    }
    items = import_item_open(&arena, map, IMPORT_ITEMS, &options);
    CHECK_OK(import_item_feed(items, bytes_of(file), &why));
    CHECK_OK(import_item_end(items, &why));
    CHECK_TEXT(((struct bytes){heard.text, heard.n}), wanted);
    arena_close(&scratch);
    arena_close(&arena);
}

TEST(import_item_titles_are_readable)
{
    check_items("currency = NOK\n[items]\nid = id\ntitle = type | kind, size\ntitle.form = sentence\ncategory = kind\n"
                "category.form = sentence\nbrand = brand\nprice = price\n[words]\nFRZN = frozen\n",
                "id,type,kind,size,brand,price\n"
                "1,ICE - CRUSHED/CUBED,FRZN ICE,22 LB,National,19.9\n"
                "2,,FRZN ICE,,,\n3,,,,,\n1,AGAIN,,,,\n4,CAN CATFD  GOURMET (GR,CAT FOOD,3 OZ,,-1\n"
                "5,BREAD:ITALIAN,,,,\n",
                "{\"id\":\"1\",\"title\":\"Ice - crushed/cubed, 22 lb\",\"category\":[\"Frozen ice\"],\"brand\":\"National\","
                "\"price\":{\"amount\":\"19.90\",\"currency\":\"NOK\"}}\n"
                "{\"id\":\"2\",\"title\":\"Frozen ice\",\"category\":[\"Frozen ice\"]}\n"
                "{\"id\":\"3\",\"title\":\"Item 3\"}\n"
                "line 6 price bad_price; "
                "{\"id\":\"5\",\"title\":\"Bread: italian\"}\n");
}
