/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/lesson.h"

#include "base/test.h"

static const struct event_line lines[] = {{.item = {7}, .quantity_milli = 1000},
                                          {.item = {8}, .quantity_milli = -1000},
                                          {.item = {9}, .quantity_milli = 500}};
static const struct tenant_id tenant = {3};

static struct event event_of(enum event_kind kind, bool may)
{
    return (struct event){.kind = kind,
                          .at_ms = 1000,
                          .mid = {{1, 2, 3, 4, 5, 6, 7, 8, 9}},
                          .lines = lines,
                          .lines_n = 3,
                          .purposes = (uint16_t)(may ? 1u << PURPOSE_PERSONALISE : 1u << PURPOSE_STORE)};
}

TEST(lesson_of_a_purchase_is_what_was_bought)
{
    struct event event = event_of(EVENT_PURCHASE, true);
    struct lesson lesson[3];

    CHECK_INT(lesson_n(&event, false), 2);
    lesson_of(&event, tenant, (struct part_id){42}, false, lesson);
    CHECK_INT(lesson[0].item.v, 7);
    CHECK_INT(lesson[1].item.v, 9);
    CHECK_INT(lesson[1].part, 42);
    CHECK_INT(lesson[1].tenant, 3);
    CHECK_INT(lesson[1].at_ms, 1000);
    CHECK(lesson[1].mid == UINT64_C(0x0102030405060708));
    CHECK_INT(lesson[1].kind, EVENT_PURCHASE);
    CHECK(!lesson[1].is_anonymous);
}

/* P7: what may not personalise teaches nothing; of those who are nobody only the receipt counts. */
TEST(lesson_needs_consent_or_a_receipt_of_nobody)
{
    static const enum event_kind looks[] = {EVENT_VIEW, EVENT_CLICK, EVENT_ADD, EVENT_CART, EVENT_WISH};

    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
        struct event may = event_of(looks[i], true), may_not = event_of(looks[i], false);

        CHECK_INT(lesson_n(&may, false), 3);
        CHECK_INT(lesson_n(&may_not, false), 0);
        CHECK_INT(lesson_n(&may, true), 0);
    }
    {
        struct event bought = event_of(EVENT_PURCHASE, false);

        CHECK_INT(lesson_n(&bought, false), 0);
        CHECK_INT(lesson_n(&bought, true), 2);
    }
    for (unsigned kind = 0; kind < EVENT_KINDS_; kind++) {
        struct event other = event_of((enum event_kind)kind, true);
        bool is_taught = kind == EVENT_PURCHASE || lesson_is_look((enum event_kind)kind);

        CHECK((lesson_n(&other, false) > 0) == is_taught);
    }
}
