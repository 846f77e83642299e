/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_form.h"

#include "base/test.h"

static struct arena arena;

static const struct json_node *parsed(const char *text)
{
    const struct json_node *root = NULL;

    if (arena.first == NULL) {
        arena_open(&arena, 1 << 16, 1 << 24);
    }
    arena_reset(&arena);
    CHECK_OK(json_read(&arena, bytes_of(text), &root, NULL));
    return root;
}

static const char *const known[] = {"id", "exclude", "n", "price", "currency", "mode", NULL};

TEST(fields_by_hand)
{
    const struct json_node *root =
        parsed("{\"id\":\"a\",\"n\":4,\"price\":{\"amount\":\"349.50\",\"currency\":\"NOK\"},"
               "\"at\":\"1970-01-01T01:00:00+01:00\",\"none\":null,\"yes\":true,\"x\":0.5,"
               "\"mode\":\"b\",\"list\":[1],\"object\":{}}");
    static const char *const words[] = {"a", "b", NULL};
    struct json_form form = {0};
    struct bytes id = {0};
    const struct json_node *node;
    int64_t n = 0, minor = 0, at = 9;
    char currency[4];
    bool yes = false;
    double x = 0;
    size_t word = 9;

    CHECK(json_form_id(&form, root, "id", JSON_NEEDED, &id));
    CHECK(json_form_int(&form, root, "n", JSON_NEEDED, 1, 100, &n));
    CHECK(json_form_money(&form, root, "price", JSON_NEEDED, "", &minor, currency));
    CHECK(json_form_time(&form, root, "at", JSON_NEEDED, &at));
    CHECK(json_form_bool(&form, root, "yes", JSON_NEEDED, &yes));
    CHECK(json_form_double(&form, root, "x", JSON_NEEDED, 0, 1, &x));
    CHECK(json_form_word(&form, root, "mode", JSON_NEEDED, words, &word));
    CHECK(json_form_array(&form, root, "list", JSON_NEEDED, 0, 1, &node));
    CHECK(json_form_object(&form, root, "object", JSON_NEEDED, &node));
    CHECK(!json_form_text(&form, root, "none", JSON_MAY, 0, 9, &id));
    CHECK(!json_form_text(&form, NULL, "none", JSON_MAY, 0, 9, &id));
    CHECK_INT(form.faults_n, 0);
    CHECK_TEXT(id, "a");
    CHECK_INT(n, 4);
    CHECK_INT(minor, 34950);
    CHECK_TEXT(bytes_of(currency), "NOK");
    CHECK_INT(at, 0);
    CHECK_INT(word, 1);
    CHECK(yes);
}

TEST(all_faults_are_told_at_once_with_pointers_and_no_values)
{
    const struct json_node *root =
        parsed("{\"id\":\"secret\\u0000\",\"excude\":[],\"n\":400,\"price\":1.234,\"mode\":\"z\"}");
    static const char *const words[] = {"a", "b", NULL};
    struct json_form form = {0};
    struct bytes id = {0};
    int64_t n = 7, minor = 7;
    char currency[4];
    size_t word;

    json_form_known(&form, root, known);
    (void)json_form_id(&form, root, "id", JSON_NEEDED, &id);
    (void)json_form_int(&form, root, "n", JSON_NEEDED, 1, 100, &n);
    (void)json_form_money(&form, root, "price", JSON_NEEDED, "NOK", &minor, currency);
    (void)json_form_word(&form, root, "mode", JSON_MAY, words, &word);
    (void)json_form_text(&form, root, "title", JSON_NEEDED, 1, 2, &id);
    CHECK_INT(form.faults_n, 6);
    CHECK(form.has_unknown);
    CHECK_TEXT(bytes_of(form.faults[0].field), "/excude");
    CHECK_TEXT(bytes_of(form.faults[0].says), "There is no such field; did you mean exclude?");
    CHECK_TEXT(bytes_of(form.faults[1].code), "bad_id");
    CHECK_TEXT(bytes_of(form.faults[2].says), "n must be 1 to 100, was 400.");
    CHECK_TEXT(bytes_of(form.faults[3].code), "bad_price");
    CHECK_TEXT(bytes_of(form.faults[4].says), "mode must be one of: a, b.");
    CHECK_TEXT(bytes_of(form.faults[5].field), "/title");
    CHECK_INT(n, 7);
    CHECK_INT(minor, 7);
    for (size_t i = 0; i < form.faults_n; i++) {
        CHECK(strstr(form.faults[i].says, "secret") == NULL);
    }
}

TEST(at_most_twenty_faults_are_kept)
{
    struct json_form form = {0};
    const struct json_node *root = parsed("{}");

    for (int i = 0; i < 30; i++) {
        json_form_fault(&form, root, "x", "required", "x is missing.");
    }
    CHECK_INT(form.faults_n, JSON_FORM_FAULTS_MAX);
    CHECK_INT(form.faults_seen, 30);
}

TEST(the_nearest_name_is_near)
{
    CHECK_TEXT(bytes_of(json_form_nearest(BYTES_LIT("exlude"), known)), "exclude");
    CHECK_TEXT(bytes_of(json_form_nearest(BYTES_LIT("curency"), known)), "currency");
    CHECK(json_form_nearest(BYTES_LIT("wholly"), known) == NULL);
    CHECK(json_form_nearest(BYTES_LIT("q"), known) == NULL);
}
