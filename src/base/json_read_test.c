/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_read.h"

#include "base/json_split.h"
#include "base/json_write.h"
#include "base/test.h"

#include <stdio.h>

static struct arena arena;
static struct why why;
static const char *const keys[] = {"events", "batch", NULL};

static void reset(void)
{
    if (arena.first == NULL) {
        arena_open(&arena, 1 << 16, 512u << 20);
    }
    arena_reset(&arena);
    why = (struct why){0};
}

static const struct json_node *parsed(struct bytes text)
{
    const struct json_node *root = NULL;

    reset();
    CHECK_OK(json_read(&arena, text, &root, &why));
    return root;
}

static enum err refusal(struct bytes text)
{
    const struct json_node *root = NULL;
    enum err err;

    reset();
    err = json_read(&arena, text, &root, &why);
    CHECK(root == NULL);
    return err;
}

static struct json_batch batch_of(struct bytes text)
{
    struct json_batch batch = {0};

    reset();
    CHECK_OK(json_read_batch(&arena, text, keys, &batch, &why));
    return batch;
}

TEST(a_tree_by_hand)
{
    const struct json_node *root = parsed(
        BYTES_LIT(" {\"id\":\"a\\u0000b\", \"price\" : 349.50 ,\"list\":[1,-2,true,null,{\"x\":[]}]} "));
    const struct json_node *list = json_get(root, "list");
    char pointer[96];
    int64_t n = 9;

    CHECK_INT(root->children_n, 3);
    CHECK_INT(root->at, 1);
    CHECK_INT(json_get(root, "id")->text.n, 3);
    CHECK_SAME_BYTES(json_get(root, "id")->text.p, "a\0b", 3);
    CHECK_TEXT(json_get(root, "id")->raw, "\"a\\u0000b\"");
    CHECK_TEXT(json_get(root, "price")->text, "349.50");
    CHECK(!json_get(root, "price")->is_integer);
    CHECK_INT(json_get(root, "price")->at, 19);
    CHECK_TEXT(list->raw, "[1,-2,true,null,{\"x\":[]}]");
    CHECK(json_int(json_at(list, 1), -5, 5, &n));
    CHECK_INT(n, -2);
    CHECK(!json_int(json_at(list, 1), 0, 5, &n));
    CHECK(json_at(list, 2)->is_true);
    CHECK(json_is_null(json_at(list, 3)));
    CHECK(json_is_null(json_get(root, "absent")));
    CHECK(json_at(list, 5) == NULL);
    json_pointer(json_get(json_at(list, 4), "x"), pointer, sizeof(pointer));
    CHECK_TEXT(bytes_of(pointer), "/list/4/x");
    json_pointer_from(list, json_get(json_at(list, 4), "x"), pointer, sizeof(pointer));
    CHECK_TEXT(bytes_of(pointer), "/4/x");
    json_pointer(json_get(json_at(list, 4), "x"), pointer, 9);
    CHECK_TEXT(bytes_of(pointer), "/list/4");
}

TEST(quotes_and_backslashes_do_not_shift_extents)
{
    const struct json_node *root = parsed(BYTES_LIT("{\"a\\\\\":\"x\\\"]\\\\\",\"b/~\":\"}\"}"));

    CHECK_TEXT(root->first->key, "a\\");
    CHECK_TEXT(root->first->raw, "\"x\\\"]\\\\\"");
    CHECK_TEXT(root->first->next->raw, "\"}\"");
}

TEST(a_pointer_escapes_what_rfc_6901_says)
{
    const struct json_node *root = parsed(BYTES_LIT("{\"a/b~c\":1}"));
    char pointer[96];

    json_pointer(root->first, pointer, sizeof(pointer));
    CHECK_TEXT(bytes_of(pointer), "/a~1b~0c");
}

TEST(malformed_json_names_the_byte)
{
    static const struct {
        const char *text;
        const char *at;
    } bad[] = {
        {"", "at byte 0:"},
        {"{", "at byte 1:"},
        {"{\"a\":1,}", "at byte 7:"},
        {"[1,2", "at byte 4:"},
        {"[1 2]", "at byte 3:"},
        {"{\"a\" 1}", "at byte 5:"},
        {"[\"\t\"]", "at byte 2:"},
        {"[\"\xff\"]", "at byte 2:"},
        {"[01]", "at byte 1:"},
        {"[1.]", "at byte 3:"},
        {"nul", "at byte 0:"},
        {"[\"\\ud800\"]", "at byte 2:"},
        {"[1e999]", "at byte 1:"},
        {"{}x", "at byte 2:"},
        {"[18446744073709551616]", "at byte 1:"},
        {"[\"\\udc00\"]", "at byte 2:"},
        {"\xef\xbb\xbf{}", "at byte 0:"},
        {"[\"\\x\"]", "at byte 2:"},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_INT(refusal(bytes_of(bad[i].text)), ERR_INVALID);
        CHECK_TEXT(bytes_of(why.code), "malformed_json");
        if (strstr(why.says, bad[i].at) == NULL) {
            print_error("%s: %s\n", bad[i].text, why.says);
            CHECK(false);
        }
    }
}

TEST(nesting_is_32_and_a_depth_bomb_ends_without_a_deep_stack)
{
    static char text[40000];

    memset(text, '[', 20000);
    memset(text + 20000, ']', 20000);
    CHECK_INT(parsed((struct bytes){text + 20000 - 32, 64})->children_n, 1);
    CHECK_INT(refusal((struct bytes){text + 20000 - 33, 66}), ERR_INVALID);
    CHECK(strstr(why.says, "at byte 32: it is nested more than 32 deep") != NULL);
    CHECK_INT(refusal((struct bytes){text, 40000}), ERR_INVALID);
    memset(text + 33, '1', 1);
    CHECK_INT(refusal((struct bytes){text, 40000}), ERR_INVALID);
}

TEST(duplicates_are_flagged_and_refused_on_own_calls)
{
    const struct json_node *root =
        parsed(BYTES_LIT("{\"a\":[{\"x\":1,\"y\":2},{\"x\":1,\"y\":2,\"\\u0078\":3}],\"b\":{\"x\":1}}"));
    const struct json_node *strict = NULL;

    CHECK(!root->has_duplicate);
    CHECK(root->has_duplicate_below);
    CHECK(!json_get(root, "b")->has_duplicate_below);
    CHECK(json_find_duplicate(root) == json_at(json_get(root, "a"), 1));
    CHECK(json_find_duplicate(json_get(root, "b")) == NULL);
    CHECK_INT(json_get(json_at(json_get(root, "a"), 1), "x")->integer, 1);
    CHECK_INT(json_read_strict(&arena, BYTES_LIT("{\"a\":{\"x\":1,\"x\":2}}"), &strict, &why), ERR_INVALID);
    CHECK(strstr(why.says, "at byte 12: a name stands twice") != NULL);
}

TEST(a_duplicate_among_many_members_is_found)
{
    static char text[1 << 16];
    size_t n = 1;

    text[0] = '{';
    for (int i = 0; i < 3000; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "\"k%d\":%d,", i == 2999 ? 7 : i, i);
    }
    text[n - 1] = '}';
    CHECK(parsed((struct bytes){text, n})->has_duplicate);
    CHECK_INT(json_read_strict(&arena, (struct bytes){text, n}, &(const struct json_node *){NULL}, &why),
              ERR_INVALID);
}

TEST(more_than_4_mib_and_more_than_the_arena_holds_are_too_big)
{
    static char text[JSON_BYTES_MAX + 1];
    struct arena small;
    const struct json_node *root;

    memset(text, ' ', sizeof(text));
    text[sizeof(text) - 2] = '1';
    CHECK_INT(refusal((struct bytes){text, sizeof(text)}), ERR_TOOBIG);
    CHECK_INT(parsed((struct bytes){text, sizeof(text) - 1})->integer, 1);
    arena_open(&small, 1024, 1024);
    CHECK_INT(json_read(&small, BYTES_LIT("[1,2,3,4,5,6,7,8,9,10,11,12]"), &root, &why), ERR_TOOBIG);
    arena_close(&small);
}

TEST(a_batch_in_each_of_its_forms)
{
    struct json_batch batch = batch_of(BYTES_LIT("{\"batch\":[{\"a\":1},{\"a\":2}],\"sentAt\":\"x\"}"));

    CHECK_INT(batch.elements_n, 2);
    CHECK(json_get(batch.envelope, "sentAt") != NULL);
    CHECK_TEXT(batch.elements[1].raw, "{\"a\":2}");
    batch = batch_of(BYTES_LIT("[{\"a\":1}]"));
    CHECK(batch.envelope == NULL && batch.elements_n == 1 && !batch.was_cut);
    batch = batch_of(BYTES_LIT("{\"a\":1}"));
    CHECK(batch.envelope == NULL && batch.elements_n == 1);
    batch = batch_of(BYTES_LIT("{\"a\":1}\r\n\n{\"a\":2}\n"));
    CHECK_INT(batch.elements_n, 2);
    CHECK_INT(json_get(batch.elements[1].node, "a")->integer, 2);
    batch = batch_of(BYTES_LIT("[]"));
    CHECK_INT(batch.elements_n, 0);
}

/* stack.md 3.6: what JSON.stringify writes. */
TEST(half_characters_and_huge_integers_are_mended_without_cutting)
{
    struct json_batch batch = batch_of(BYTES_LIT("{\"batch\":[{\"a\":\"\\ud800\",\"b\":100000000000000000000}"
                                                 ",{\"c\":1234567890123456789,\"d\":\"\\ud83d\\ude00\"}]}"));

    CHECK(!batch.was_cut);
    CHECK_INT(batch.elements_n, 2);
    CHECK_TEXT(json_get(batch.elements[0].node, "a")->text, "\xef\xbf\xbd");
    CHECK_NEAR(json_get(batch.elements[0].node, "b")->number, 1e20);
    CHECK_INT(json_get(batch.elements[1].node, "c")->integer, 1234567890123456789);
    CHECK_TEXT(json_get(batch.elements[1].node, "d")->text, "\xf0\x9f\x98\x80");
}

TEST(one_bad_event_does_not_sink_its_batch)
{
    struct json_batch batch =
        batch_of(BYTES_LIT(" { \"sentAt\" : \"],\\\"[\" , \"batch\" : [ {\"a\":1} , {\"a\":nope}, "
                           "{\"a\":\"\xff\"} ,{\"a\":\"],\"}] , \"w\":1}"));

    CHECK(batch.was_cut);
    CHECK_INT(batch.elements_n, 4);
    CHECK_INT(json_get(batch.elements[0].node, "a")->integer, 1);
    CHECK(batch.elements[1].node == NULL && strcmp(batch.elements[1].why->code, "malformed_json") == 0);
    CHECK_TEXT(batch.elements[1].raw, "{\"a\":nope}");
    CHECK(batch.elements[2].node == NULL);
    CHECK_TEXT(json_get(batch.elements[3].node, "a")->text, "],");
    CHECK_INT(json_get(batch.envelope, "w")->integer, 1);
    CHECK_INT(json_get(batch.envelope, "batch")->children_n, 0);
    batch = batch_of(BYTES_LIT("[{\"a\":1},{\"a\":1e999},{\"a\":3}]"));
    CHECK_INT(batch.elements_n, 3);
    CHECK(batch.elements[1].node == NULL);
    batch = batch_of(BYTES_LIT("{\"a\":1}\noops\n{\"a\":3}"));
    CHECK_INT(batch.elements_n, 3);
    CHECK(batch.elements[1].node == NULL && batch.elements[2].node != NULL);
}

TEST(what_cannot_be_read_at_all_is_refused_with_its_byte)
{
    static const char *const bad[] = {
        "{\"batch\":[{\"a\":1}",
        "{\"batch\":[{\"a\":1},{]",
        "[nope]",
        "oops",
        "{\"batch\":[{\"a\":1},x],\"s\":\"\xff\"}",
        "{\"batch\":[{\"a\":1}],\"w\":}",
        "[{\"a\":1},x] trailing",
        "{\"batch\":[{\"a\":1},x],\"batch\":2}",
    };
    struct json_batch batch = {0};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        reset();
        if (json_read_batch(&arena, bytes_of(bad[i]), keys, &batch, &why) != ERR_INVALID) {
            print_error("%s\n", bad[i]);
            CHECK(false);
        }
        CHECK_TEXT(bytes_of(why.code), "malformed_json");
    }
    reset();
    CHECK_INT(json_read_batch(&arena, BYTES_LIT("{\"events\":[{}],\"events\":[]}"), keys, &batch, &why),
              ERR_INVALID);
}

/* Writes one random value; documents are valid by construction. */
static void write_random(struct json_write *w, struct rng *rng, int depth)
{
    char text[12];
    size_t n = rng_below(rng, sizeof(text));

    for (size_t i = 0; i < n; i++) {
        text[i] = "ab\"\\],}{[:\n\xc3"[rng_below(rng, 12)];
    }
    switch (depth > 4 ? rng_below(rng, 4) : rng_below(rng, 6)) {
    case 0:
        json_write_text(w, NULL, (struct bytes){text, n});
        break;
    case 1:
        json_write_int(w, NULL, (int64_t)(rng_next(rng) >> rng_below(rng, 64)));
        break;
    case 2:
        json_write_double(w, NULL, rng_unit(rng));
        break;
    case 3:
        json_write_bool(w, NULL, rng_coin(rng));
        break;
    case 4:
        json_write_array(w, NULL);
        for (size_t i = rng_below(rng, 5); i > 0; i--) {
            write_random(w, rng, depth + 1);
        }
        json_write_end(w);
        break;
    default:
        json_write_object(w, NULL);
        for (size_t i = rng_below(rng, 5); i > 0; i--) {
            json_write_key(w, (struct bytes){text, n});
            write_random(w, rng, depth + 1);
        }
        json_write_end(w);
        break;
    }
}

static void check_extents(const struct json_node *node)
{
    const struct json_node *alone;

    CHECK_OK(json_read(&arena, node->raw, &alone, &why));
    CHECK_INT(alone->type, node->type);
    CHECK_INT(alone->raw.n, node->raw.n);
    CHECK(bytes_equal(alone->text, node->text));
    for (const struct json_node *child = node->first; child != NULL; child = child->next) {
        CHECK(child->raw.p > node->raw.p && child->raw.p + child->raw.n < node->raw.p + node->raw.n);
        check_extents(child);
    }
}

PROPERTY(each_value_read_alone_from_its_extent_is_the_same_value)
{
    struct json_write w;
    const struct json_node *root;

    reset();
    json_write_open(&w, &arena, 64);
    write_random(&w, rng, 0);
    CHECK_OK(json_read(&arena, json_write_bytes(&w), &root, &why));
    check_extents(root);
}

/* Two roads to one answer: the locator is a parser of its own. */
PROPERTY(simdjson_and_the_locator_agree_on_damaged_documents)
{
    struct json_write w;
    struct bytes text;
    char *bytes;
    const struct json_node *root;
    const char *what;

    reset();
    json_write_open(&w, &arena, 64);
    write_random(&w, rng, 0);
    text = json_write_bytes(&w);
    bytes = arena_take(&arena, text.n);
    memcpy(bytes, text.p, text.n);
    for (size_t i = rng_below(rng, 3); i > 0; i--) {
        bytes[rng_below(rng, text.n)] = "ab\"\\],}{[:\n\xc3 019.eE-+u\xed\xa0\xf4"[rng_below(rng, 25)];
    }
    text = (struct bytes){bytes, text.n - rng_below(rng, 2) * rng_below(rng, text.n)};
    CHECK_INT(json_read(&arena, text, &root, NULL) == ERR_OK, json_split_locate(text, &what) == SIZE_MAX);
}

PROPERTY(a_batch_with_bad_elements_keeps_all_good_ones)
{
    static const char *const bad[] = {"{\"a\":nope}", "{\"a\":\"\xff\"}", "{\"a\":01}", "{\"a\" 1}",
                                      "1e999",        "{\"a\":[1,]}"};
    struct bytes good[8];
    size_t good_n = rng_below(rng, 8) + 1, bad_n = 0;
    struct bytes text = BYTES_LIT("[");
    struct json_batch batch = {0};

    reset();
    for (size_t i = 0; i < good_n; i++) {
        struct json_write w;

        if (rng_coin(rng)) {
            text = arena_format(&arena, "%.*s%s%s,", (int)text.n, text.p, rng_coin(rng) ? " " : "",
                                bad[rng_below(rng, 6)]);
            bad_n++;
        }
        json_write_open(&w, &arena, 64);
        write_random(&w, rng, 1);
        good[i] = json_write_bytes(&w);
        text = arena_format(&arena, "%.*s%.*s%s", (int)text.n, text.p, (int)good[i].n, good[i].p,
                            i + 1 < good_n ? "," : "]");
    }
    CHECK_OK(json_read_batch(&arena, text, keys, &batch, &why));
    CHECK_INT(batch.elements_n, good_n + bad_n);
    CHECK_INT(batch.was_cut, bad_n > 0);
    for (size_t i = 0, j = 0; i < batch.elements_n; i++) {
        if (batch.elements[i].node != NULL) {
            CHECK(bytes_equal(batch.elements[i].raw, good[j++]));
        }
        CHECK((batch.elements[i].node == NULL) == (batch.elements[i].why != NULL));
    }
}
