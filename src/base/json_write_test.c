/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"

#include "base/json_read.h"
#include "base/test.h"

static struct arena arena;

static struct json_write *opened(void)
{
    static struct json_write w;

    if (arena.first == NULL) {
        arena_open(&arena, 1 << 16, 1 << 24);
    }
    arena_reset(&arena);
    json_write_open(&w, &arena, 64);
    return &w;
}

TEST(a_document_by_hand)
{
    struct json_write *w = opened();

    json_write_object(w, NULL);
    json_write_text(w, "id", BYTES_LIT("sku-7"));
    json_write_array(w, "list");
    json_write_int(w, NULL, INT64_MIN);
    json_write_double(w, NULL, 0.1);
    json_write_object(w, NULL);
    json_write_end(w);
    json_write_end(w);
    json_write_key(w, BYTES_LIT("k"));
    json_write_bool(w, NULL, true);
    json_write_fixed(w, "score", 0.914999, 3);
    json_write_fixed(w, "minus", -0.0001, 2);
    json_write_word(w, "none", NULL);
    json_write_money(w, "price", 34950, "NOK");
    json_write_time(w, "at", 0);
    json_write_raw(w, "raw", BYTES_LIT("[1]"));
    json_write_end(w);
    CHECK_TEXT(
        json_write_bytes(w),
        "{\"id\":\"sku-7\",\"list\":[-9223372036854775808,0.1,{}],\"k\":true,\"score\":0.915,\"minus\":0.00,"
        "\"none\":null,\"price\":{\"amount\":\"349.50\",\"currency\":\"NOK\"},"
        "\"at\":\"1970-01-01T00:00:00.000Z\",\"raw\":[1]}");
}

TEST(text_is_safe_inside_a_page_and_always_utf8)
{
    struct json_write *w = opened();

    json_write_text(
        w, NULL,
        (struct bytes){"</a>\x00\x1f\"\\\n\x7f\xe2\x80\xa8\xe2\x80\xa9\xc3\xb8\xff\xed\xa0\x80\xc3", 23});
    CHECK_TEXT(json_write_bytes(w), "\"\\u003c/a>\\u0000\\u001f\\\"\\\\\\n\\u007f\\u2028\\u2029\xc3\xb8"
                                    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST(what_is_no_number_is_null)
{
    struct json_write *w = opened();

    json_write_array(w, NULL);
    json_write_double(w, NULL, NAN);
    json_write_double(w, NULL, INFINITY);
    json_write_fixed(w, NULL, -INFINITY, 2);
    json_write_fixed(w, NULL, NAN, 2);
    json_write_end(w);
    CHECK_TEXT(json_write_bytes(w), "[null,null,null,null]");
}

TEST(a_full_arena_gives_no_document_rather_than_half_of_one)
{
    struct arena small;
    struct json_write w;

    arena_open(&small, 256, 256);
    json_write_open(&w, &small, 64);
    json_write_array(&w, NULL);
    for (int i = 0; i < 100; i++) {
        json_write_int(&w, NULL, i);
    }
    json_write_end(&w);
    CHECK(w.full);
    CHECK(json_write_bytes(&w).p == NULL);
    arena_close(&small);
}

PROPERTY(any_bytes_written_read_back_as_valid_json)
{
    struct json_write *w = opened();
    const struct json_node *root;
    char text[64];
    size_t n = rng_below(rng, sizeof(text));
    double number = (rng_unit(rng) - 0.5) * pow(10, (double)rng_below(rng, 600) - 300);

    for (size_t i = 0; i < n; i++) {
        text[i] = rng_coin(rng) ? (char)rng_next(rng) : "\xe2\x80\xa8\xed\xa0<\\\""[rng_below(rng, 8)];
    }
    json_write_object(w, NULL);
    json_write_text(w, "text", (struct bytes){text, n});
    json_write_double(w, "number", number);
    json_write_key(w, (struct bytes){text, n});
    json_write_null(w, NULL);
    json_write_end(w);
    CHECK_OK(json_read(&arena, json_write_bytes(w), &root, NULL));
    CHECK(json_get(root, "number")->number == number);
    CHECK_INT(root->children_n, 3);
}
