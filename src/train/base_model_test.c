/* SPDX-License-Identifier: Apache-2.0 */
#include "train/base_model.h"

#include "base/hash.h"
#include "base/test.h"
#include "base/time.h"

#define NOW_MS (100 * DAY_MS)

static struct history history;

static void add(uint64_t customer, enum event_kind kind, const char *item)
{
    static uint64_t mids;
    struct bytes text = bytes_of(item);
    struct event_line line = {hash_item((struct tenant_id){1}, text), text, 1000, 100};
    struct event event = {.kind = kind, .at_ms = NOW_MS - DAY_MS, .lines = &line, .lines_n = 1};

    mids++;
    memcpy(&event.mid, &mids, sizeof(mids));
    history_add(&history, customer, &event);
}

static bool is_item_of(const struct base_model *base, const char *item)
{
    for (uint32_t i = 0; i < history.items.n; i++) {
        if (bytes_equal(history_name(&history.items, i), bytes_of(item))) {
            return base->dense[i] != MODEL_NONE;
        }
    }
    return false;
}

/* P7: what stands in an open page's looks alone is no item by one person's doing. */
TEST(base_model_knows_what_is_bought_or_met_by_enough_people)
{
    struct base_settings settings = {.customers_min = 5};
    struct base_model base;

    hash_start();
    history = (struct history){.tenant = {1}};
    for (uint64_t c = 1; c <= 5; c++) {
        add(c, EVENT_VIEW, "five");
    }
    for (uint64_t c = 1; c <= 4; c++) {
        add(c, EVENT_VIEW, "four");
    }
    for (int again = 0; again < 20; again++) {
        add(9, EVENT_VIEW, "made up");
    }
    add(9, EVENT_PURCHASE, "bought");
    history_sort(&history);
    base_model_train(&history, NOW_MS, &settings, &base);
    CHECK_INT(base.build.head.items_n, 2);
    CHECK(is_item_of(&base, "five") && is_item_of(&base, "bought"));
    CHECK(!is_item_of(&base, "four") && !is_item_of(&base, "made up"));
    base_model_close(&base);
    settings.customers_min = 1; /* protocols of evaluate */
    base_model_train(&history, NOW_MS, &settings, &base);
    CHECK_INT(base.build.head.items_n, 4);
    base_model_close(&base);
    history_close(&history);
}
