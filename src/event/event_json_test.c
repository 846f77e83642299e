/* SPDX-License-Identifier: Apache-2.0 */
#include "event/event_json.h"

#include "base/hash.h"
#include "base/test.h"
#include "event/event_segment.h"
#include "event/receipt_json.h"

#include <stdio.h>
#include <stdlib.h>

static struct arena arena;
static struct rng chance = {7};
static const struct event_json_door door = {
    .tenant = {1}, .currency = "NOK", .now_ms = INT64_C(1000000000000), .rng = &chance};

static const struct json_node *tree(const char *text)
{
    const struct json_node *node = NULL;
    struct why why;

    if (arena.first == NULL) {
        hash_start();
        arena_open(&arena, 1 << 16, 16u << 20);
    }
    CHECK_OK(json_read(&arena, bytes_of(text), &node, &why));
    return node;
}

static struct event good(const char *text)
{
    struct event event = {0};
    struct why why = {0};
    enum err err = event_json_read(tree(text), &door, &arena, &event, &why);

    if (err != ERR_OK) {
        fprintf(stderr, "%s: %s %s\n", why.code, why.field, why.says);
    }
    CHECK_OK(err);
    return event;
}

static void bad(const char *text, const char *code, const char *field)
{
    struct event event = {.kind = EVENT_SHARE};
    struct why why = {0};

    CHECK_INT(event_json_read(tree(text), &door, &arena, &event, &why), ERR_INVALID);
    CHECK_TEXT(bytes_of(why.code), code);
    CHECK_TEXT(bytes_of(why.field), field);
    CHECK(strlen(why.says) > 10);
    CHECK_INT(event.kind, EVENT_SHARE); /* untouched */
}

TEST(event_json_own_form)
{
    struct event event = good(
        "{\"id\":\"e1\",\"kind\":\"add\",\"at\":\"2026-11-22T20:14:00+01:00\",\"identifier\":\"cookie:c1\","
        "\"item\":\"sku-1\",\"quantity\":2,\"price\":\"349.50\",\"channel\":\"web\",\"store\":\"TRD\","
        "\"properties\":{\"a\": [1]},\"consent\":{\"mail\":false,\"store\":\"granted\"}}");

    CHECK_INT(event.kind, EVENT_ADD);
    CHECK(event.has_id && event.has_time);
    CHECK_INT(event.at_ms, INT64_C(1795374840000));
    CHECK_INT(event.identifiers_n, 1);
    CHECK_INT(event.identifiers[0].kind, IDENTIFIER_COOKIE);
    CHECK_TEXT(event.identifiers[0].value, "c1");
    CHECK_INT(event.lines_n, 1);
    CHECK_INT(event.lines[0].quantity_milli, 2000);
    CHECK_INT(event.lines[0].paid_minor, 69900);
    CHECK_TEXT(event.lines[0].item_text, "sku-1");
    CHECK(event.lines[0].item.v == hash_item(door.tenant, BYTES_LIT("sku-1")).v);
    CHECK_TEXT(event.properties, "{\"a\": [1]}");
    CHECK_INT(consent_word_get(event.consent_said, PURPOSE_MAIL), CONSENT_REFUSED);
    CHECK_INT(consent_word_get(event.consent_said, PURPOSE_STORE), CONSENT_GRANTED);
}

TEST(event_json_without_id_and_time_gets_both)
{
    struct event one = good("{\"kind\":\"search\",\"query\":\"ski\"}"),
                 two = good("{\"type\":\"search\",\"query\":\"ski\"}");

    CHECK(!one.has_id && !one.has_time && one.id.n == 29 && !bytes_equal(one.id, two.id));
    CHECK_INT(one.at_ms, door.now_ms);
}

TEST(event_json_own_names_stay_in_front)
{
    struct event event = good("{\"kind\":\"x-fitting\",\"identifier\":\"x-locker:7:b\",\"customer\":{\"ids\":"
                              "{\"x-gate\":\"g\",\"app\":\"a1\"}}}");

    CHECK_INT(event.kind, EVENT_X);
    CHECK_TEXT(event.kind_name, "x-fitting");
    CHECK_INT(event.identifiers_n, 3);
    CHECK_TEXT(event.identifiers[0].value, "locker:7:b");
    CHECK_TEXT(event.identifiers[1].value, "gate:g");
    CHECK_INT(event.identifiers[2].kind, IDENTIFIER_APP);
}

TEST(event_json_faults_name_field_and_remedy)
{
    bad("{\"item\":\"a\"}", "required", "/kind");
    bad("{\"kind\":\"veiw\"}", "unknown_kind", "/kind");
    bad("{\"kind\":\"view\",\"itm\":\"a\"}", "unknown_field", "/itm");
    bad("{\"kind\":\"view\",\"item\":7}", "wrong_type", "/item");
    bad("{\"kind\":\"view\",\"item\":\"\"}", "out_of_range", "/item");
    bad("{\"kind\":\"view\",\"item\":\"a\\u0000b\"}", "bad_id", "/item");
    bad("{\"kind\":\"view\",\"item\":\"a\",\"quantity\":\"many\"}", "out_of_range", "/quantity");
    bad("{\"kind\":\"view\",\"at\":\"yesterday\"}", "bad_time", "/at");
    bad("{\"kind\":\"view\",\"identifier\":\"c1\"}", "bad_identifier", "/identifier");
    bad("{\"kind\":\"view\",\"customer\":{\"ids\":{\"cokie\":\"c\"}}}", "bad_identifier",
        "/customer/ids/cokie");
    bad("{\"kind\":\"view\",\"consent\":{\"mial\":true}}", "unknown_field", "/consent/mial");
    bad("{\"kind\":\"view\",\"channel\":\"tv\"}", "unknown_word", "/channel");
    bad("{\"kind\":\"view\",\"kind\":\"add\"}", "malformed_json", "");
    bad("[]", "wrong_type", "");
}

/* Inside a batch the pointer is the event's own. */
TEST(event_json_pointer_is_inside_the_event)
{
    const struct json_node *batch = tree("{\"events\":[{\"kind\":\"view\",\"item\":9}]}");
    struct event event;
    struct why why = {0};

    CHECK_INT(event_json_read(json_at(json_get(batch, "events"), 0), &door, &arena, &event, &why),
              ERR_INVALID);
    CHECK_TEXT(bytes_of(why.field), "/item");
}

TEST(event_json_too_big_is_told)
{
    char *text = malloc(70000);
    struct event event;
    struct why why = {0};

    memset(text, 'x', 70000);
    memcpy(text, "{\"kind\":\"page\",\"query\":\"", 24);
    memcpy(text + 69900, "\"}", 3);
    CHECK_INT(event_json_read(tree(text), &door, &arena, &event, &why), ERR_TOOBIG);
    CHECK_TEXT(bytes_of(why.code), "event_too_big");
    free(text);
}

/* Found by the fuzzer: two clocks 80 years apart put the event before 1900, and its body did not decode again. */
TEST(event_json_a_repair_out_of_all_time_is_now)
{
    struct event event = good("{\"type\":\"track\",\"event\":\"Product Viewed\",\"messageId\":\"m\",\"anonymousId\":\"a\","
                                 "\"timestamp\":\"1971-01-01T00:00:00Z\",\"sentAt\":\"2199-01-01T00:00:00Z\","
                                 "\"properties\":{\"product_id\":\"p1\"}}");

    CHECK_INT(event.at_ms, door.now_ms);
}

TEST(event_json_segment_form)
{
    struct event event = good(
        "{\"type\":\"track\",\"event\":\"Order "
        "Completed\",\"messageId\":\"m1\",\"anonymousId\":\"a1\",\"userId\":null,"
        "\"timestamp\":\"2001-09-09T01:46:30Z\",\"sentAt\":\"2001-09-09T01:46:35Z\",\"writeKey\":\"k\","
        "\"integrations\":{},"
        "\"context\":{\"library\":{\"name\":\"analytics.js\"},\"sessionId\":1768,"
        "\"consent\":{\"categoryPreferences\":{\"advertising\":false,\"analytics\":true}}},"
        "\"properties\":{\"order_id\":\"o1\",\"total\":100.30000000000001,\"currency\":\"SEK\",\"products\":["
        "{\"product_id\":\"p1\",\"price\":0.30000000000000004,\"quantity\":3},{\"sku\":\"s2\",\"price\":\"99."
        "40\"},{\"name\":\"?\"}]}}");

    CHECK_INT(event.kind, EVENT_PURCHASE);
    CHECK_INT(event.channel, CHANNEL_WEB);
    CHECK_INT(event.at_ms, door.now_ms - 5000); /* it waited 5 s to be sent, whatever that clock says */
    CHECK_INT(event.declared_ms, INT64_C(999999990000));
    CHECK_INT(event.identifiers_n, 1);
    CHECK_INT(event.lines_n, 2);
    CHECK_INT(event.lines[0].paid_minor, 90);
    CHECK_TEXT(event.lines[1].item_text, "s2");
    CHECK_INT(event.lines[1].paid_minor, 9940);
    CHECK_TEXT(event.order, "o1");
    CHECK_TEXT(event.session, "1768");
    CHECK_TEXT(bytes_of(event.currency), "SEK");
    CHECK_INT(event.total_minor, 10030);
    CHECK_INT(consent_word_get(event.consent_said, PURPOSE_ADS), CONSENT_REFUSED);
    CHECK_INT(consent_word_get(event.consent_said, PURPOSE_STORE), CONSENT_UNSAID);
}

TEST(event_json_segment_names)
{
    CHECK_INT(event_segment_kind(BYTES_LIT("PRODUCT viewed")), EVENT_VIEW);
    CHECK_INT(event_segment_kind(BYTES_LIT("Completed Order")), EVENT_PURCHASE);
    CHECK_INT(event_segment_kind(BYTES_LIT("add_to_cart")), EVENT_ADD);
    CHECK_INT(event_segment_kind(BYTES_LIT("Recommendation Clicked")), EVENT_CLICKED);
    CHECK_INT(event_segment_kind(BYTES_LIT("Disco")), EVENT_X);
    CHECK_TEXT(good("{\"type\":\"track\",\"event\":\"Disco\",\"userId\":\"u\"}").kind_name, "x-Disco");
    CHECK_INT(good("{\"type\":\"identify\",\"userId\":\"u\",\"anonymousId\":\"a\"}").identifiers_n, 2);
    CHECK_INT(good("{\"type\":\"page\",\"anonymousId\":\"a\",\"whatever\":1}").kind, EVENT_PAGE);
    bad("{\"type\":\"page\",\"whatever\":1}", "unknown_field", "/whatever"); /* the own form's page */
}

TEST(event_json_returns_are_negative)
{
    struct event event = good("{\"kind\":\"return\",\"item\":\"a\",\"quantity\":2,\"price\":10}");

    CHECK_INT(event.lines[0].quantity_milli, -2000);
    CHECK_INT(event.lines[0].paid_minor, -2000);
}

TEST(event_json_times_rounds_half_away)
{
    CHECK_INT(event_json_times(100, 1500), 150);
    CHECK_INT(event_json_times(1, 500), 1);
    CHECK_INT(event_json_times(-1, 500), -1);
    CHECK(event_json_times(INT64_MAX, 1000000000) == INT64_MAX);
}

#define RECEIPT(rest)                                                                                        \
    "{\"id\":\"r1\",\"source\":\"till\",\"at\":\"2026-11-22T20:14:00+01:00\",\"store\":\"TRD\","             \
    "\"register\":\"2\","                                                                                    \
    "\"currency\":\"NOK\",\"customer\":{\"ids\":{\"member\":\"M-1\"}},\"total\":\"10.00\"," rest "}"

static struct receipt receipt_of(const char *text)
{
    struct receipt receipt = {0};
    struct json_form form = {0};

    CHECK(receipt_json_read(&form, tree(text), &door, &arena, &receipt));
    return receipt;
}

TEST(receipt_json_reads_lines)
{
    struct receipt receipt =
        receipt_of(RECEIPT("\"lines\":[{\"item\":\"a\",\"quantity\":0.350,\"paid\":\"20.00\"},"
                           "{\"item\":\"b\",\"quantity\":-1,\"paid\":\"-10.00\",\"returnOf\":\"r0\"}],"
                           "\"payments\":[{\"kind\":\"card\",\"amount\":10}]"));

    CHECK(receipt.event.is_receipt && receipt.event.kind == EVENT_PURCHASE);
    CHECK_TEXT(receipt.source, "till");
    CHECK_INT(receipt.event.lines_n, 2);
    CHECK_INT(receipt.event.lines[0].quantity_milli, 350);
    CHECK_INT(receipt.event.lines[1].paid_minor, -1000);
    CHECK_INT(
        receipt_of(RECEIPT("\"lines\":[{\"item\":\"b\",\"quantity\":-1,\"paid\":\"-10.00\"}]")).event.kind,
        EVENT_RETURN);
}

TEST(receipt_json_training_counts_nothing)
{
    struct receipt receipt =
        receipt_of(RECEIPT("\"training\":true,\"lines\":[{\"item\":\"a\",\"quantity\":1,\"paid\":1}]"));

    CHECK_INT(receipt.event.kind, EVENT_CANCEL);
    CHECK_INT(receipt.event.lines_n, 0);
}

TEST(receipt_json_gathers_all_faults)
{
    struct json_form form = {0};
    struct receipt receipt;

    CHECK(!receipt_json_read(
        &form, tree("{\"id\":\"\",\"at\":\"now\",\"lines\":[{\"item\":\"a\",\"paid\":\"x\"}],\"voidd\":1}"),
        &door, &arena, &receipt));
    CHECK_INT(form.faults_n, 5);
    CHECK(form.has_unknown);
}
