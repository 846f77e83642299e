/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/part.h"

#include "base/test.h"

#include <stdlib.h>

static struct event purchase(int64_t at_ms, uint64_t mid, const struct event_line *lines, size_t n)
{
    struct event event = {.kind = EVENT_PURCHASE, .at_ms = at_ms, .lines = lines, .lines_n = n};

    put_be64(event.mid.b, mid);
    return event;
}

/* P3. Two views and one basket: what was seen, newest first. */
TEST(part_by_hand)
{
    static struct part part;
    struct event_line milk = {.item = {7}, .quantity_milli = 2000, .paid_minor = 398};
    struct event bought = purchase(5000, 1, &milk, 1);
    struct event viewed = {.kind = EVENT_VIEW, .at_ms = 9000, .lines = &milk, .lines_n = 1, .mid = {{9}}};

    part_apply(&part, &viewed);
    part_apply(&part, &bought);
    CHECK_INT(part.events_n, 2);
    CHECK_INT(part.first_ms, 5000);
    CHECK_INT(part.last_ms, 9000);
    CHECK_INT(part.baskets_n, 1);
    CHECK_INT(part.lines[0].paid_minor, 398);
    CHECK_INT(part.looks_n, 1);
    CHECK_INT(part.looks[0].item.v, 7);
    CHECK_INT(part.months[0].purchases, 1);
    CHECK_INT(part.months[0].looks, 1);
}

/* A replaced receipt: its basket stays in place, marked, and the counts are as if it had never been. */
TEST(a_retraction_works_before_and_after_what_it_retracts)
{
    struct event_line milk = {.item = {7}, .quantity_milli = 1000, .paid_minor = 199};
    struct event bought = purchase(5000, 1, &milk, 1), back = bought;
    static struct part first, second;
    static uint8_t room[2][PART_BYTES_MAX];
    struct pack a = pack_into(room[0], sizeof(room[0])), b = pack_into(room[1], sizeof(room[1]));

    back.kind = EVENT_RETRACT;
    back.retracts = bought.mid;
    put_be64(back.mid.b, 2);
    part_apply(&first, &bought);
    part_apply(&first, &back);
    part_apply(&second, &back);
    part_apply(&second, &bought);
    part_encode(&first, &a);
    part_encode(&second, &b);
    CHECK_INT(a.n, b.n);
    CHECK_SAME_BYTES(room[0], room[1], a.n);
    CHECK(first.baskets[0].is_retracted);
    CHECK_INT(first.months[0].purchases, 0);
    CHECK_INT(first.months[0].paid_minor, 0);
}

/* A voided receipt counted nothing, so there is nothing to take back when it is replaced in its turn. */
TEST(taking_back_a_voided_receipt_changes_no_count)
{
    static struct part part;
    struct event voided = {.kind = EVENT_CANCEL, .at_ms = 5000}, back = {.kind = EVENT_RETRACT, .at_ms = 5000};
    struct event_line bar = {.item = {7}, .quantity_milli = -1000, .paid_minor = INT64_MIN};
    struct event returned = purchase(6000, 3, &bar, 1);

    put_be64(voided.mid.b, 1);
    back.retracts = voided.mid;
    put_be64(back.mid.b, 2);
    part_apply(&part, &voided);
    part_apply(&part, &back);
    CHECK_INT(part.baskets_n, 0);
    CHECK_INT(part.months_n, 0);
    part_apply(&part, &returned); /* a sum as large as may be is taken back whole */
    returned.kind = EVENT_RETRACT;
    returned.retracts = returned.mid;
    part_apply(&part, &returned);
    CHECK_INT(part.months[0].purchases, 0);
    CHECK_INT(part.months[0].paid_minor, 0);
}

/* The floor: a small old basket must not slip in below a big one that no longer fitted. */
TEST(nothing_comes_back_below_the_floor)
{
    static struct event_line lines[PART_LINES];
    static struct part whole, left, right;
    struct event newest = purchase(3000, 3, lines, 1000), middle = purchase(2000, 2, lines, 100),
                 oldest = purchase(1000, 1, lines, 1);

    part_apply(&whole, &oldest);
    part_apply(&whole, &middle);
    part_apply(&whole, &newest);
    part_apply(&left, &newest);
    part_apply(&left, &middle);
    part_apply(&right, &oldest);
    part_merge(&left, &right);
    CHECK_INT(whole.baskets_n, 1);
    CHECK_INT(left.baskets_n, 1);
    CHECK_INT(left.floor_ms, 2000);
    CHECK_INT(whole.floor_ms, 2000);
}

enum { LIFE = 160 };

static void random_life(struct rng *rng, struct event *events, struct event_line *lines)
{
    static const enum event_kind kinds[] = {EVENT_PURCHASE, EVENT_PURCHASE, EVENT_VIEW,    EVENT_ADD,
                                            EVENT_SHOWN,    EVENT_CLICKED,  EVENT_SEARCH, EVENT_RETRACT};
    uint64_t big = rng_below(rng, 40);

    for (int i = 0; i < LIFE; i++) {
        struct event event = {.kind = kinds[rng_below(rng, 8)],
                              .at_ms = (int64_t)rng_below(rng, 1000) * (int64_t)rng_below(rng, 5) * DAY_MS,
                              .channel = (enum channel)rng_below(rng, CHANNELS_),
                              .store = {rng_below(rng, 3)},
                              .lines = lines + 40 * i,
                              .lines_n = 1 + rng_below(rng, big + 1)};

        put_be64(event.mid.b, (uint64_t)i + 1);
        for (size_t j = 0; j < event.lines_n; j++) {
            lines[40 * i + (int)j] = (struct event_line){.item = {1 + rng_below(rng, 50)},
                                                         .quantity_milli = 1000,
                                                         .paid_minor = (int64_t)rng_below(rng, 9999)};
        }
        if (event.kind == EVENT_RETRACT && i > 0) {
            struct event *of = &events[rng_below(rng, (uint64_t)i)];

            if (of->kind == EVENT_PURCHASE) {
                event.retracts = of->mid;
                event.at_ms = of->at_ms;
                event.lines = of->lines;
                event.lines_n = of->lines_n;
                event.store = of->store;
                event.channel = of->channel;
            } else {
                event.kind = EVENT_PURCHASE;
            }
        }
        events[i] = event;
    }
}

static size_t bytes_of_part(const struct part *part, uint8_t room[PART_BYTES_MAX])
{
    struct pack to = pack_into(room, PART_BYTES_MAX);

    part_encode(part, &to);
    CHECK(!to.full);
    return to.n;
}

/* P2. One life, told in any order, split over web and till, stored and read in between: the same bytes. */
PROPERTY(any_order_and_any_grouping_give_the_same_bytes)
{
    static struct event events[LIFE];
    static struct event_line lines[LIFE * 40];
    static struct part life, web, till;
    static uint8_t room[2][PART_BYTES_MAX];
    size_t n;

    random_life(rng, events, lines);
    life = web = till = (struct part){0};
    for (int i = 0; i < LIFE; i++) {
        part_apply(&life, &events[i]);
    }
    for (int i = LIFE - 1; i > 0; i--) {
        size_t j = rng_below(rng, (uint64_t)i + 1);
        struct event swap = events[i];

        events[i] = events[j];
        events[j] = swap;
    }
    for (int i = 0; i < LIFE; i++) {
        struct part *to = rng_coin(rng) ? &web : &till;

        part_apply(to, &events[i]);
        if (rng_below(rng, 20) == 0) {
            n = bytes_of_part(to, room[0]);
            CHECK_OK(part_decode((struct bytes){(const char *)room[0], n}, to));
        }
    }
    part_merge(&till, &web);
    n = bytes_of_part(&life, room[0]);
    CHECK_INT(bytes_of_part(&till, room[1]), n);
    CHECK_SAME_BYTES(room[0], room[1], n);
}

PROPERTY(no_broken_state_hurts)
{
    static struct event events[LIFE];
    static struct event_line lines[LIFE * 40];
    static struct part life, back;
    static uint8_t room[PART_BYTES_MAX];
    size_t n;

    if (rng_below(rng, 8) != 0) {
        return;
    }
    random_life(rng, events, lines);
    life = (struct part){0};
    for (int i = 0; i < LIFE; i++) {
        part_apply(&life, &events[i]);
    }
    n = bytes_of_part(&life, room);
    for (int i = 0; i < 3; i++) {
        room[rng_below(rng, n)] = (uint8_t)rng_next(rng);
    }
    if (part_decode((struct bytes){(const char *)room, rng_below(rng, n + 1)}, &back) == ERR_OK) {
        part_merge(&back, &life);
        CHECK(back.lines_n <= PART_LINES && back.baskets_n <= PART_BASKETS);
    }
}
