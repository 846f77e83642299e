/* SPDX-License-Identifier: Apache-2.0 */
#include "event/event_code.h"

#include "base/test.h"

TEST(words_and_numbers_of_kinds_agree)
{
    for (int kind = 1; kind < EVENT_X; kind++) {
        CHECK(event_kind_word((enum event_kind)kind) != NULL);
        CHECK_INT(event_kind_of(bytes_of(event_kind_word((enum event_kind)kind))), kind);
    }
    CHECK_INT(event_kind_of(BYTES_LIT("x-tasted")), EVENT_X);
    CHECK_INT(event_kind_of(BYTES_LIT("x-")), EVENT_NONE);
    CHECK_INT(event_kind_of(BYTES_LIT("retract")), EVENT_NONE);
}

TEST(stored_numbers_never_change)
{
    CHECK_INT(EVENT_VIEW, 7);
    CHECK_INT(EVENT_PURCHASE, 12);
    CHECK_INT(EVENT_CLICKED, 22);
    CHECK_INT(EVENT_RETRACT, 33);
    CHECK_INT(IDENTIFIER_MEMBER, 1);
    CHECK_INT(IDENTIFIER_COOKIE, 8);
    CHECK_INT(PURPOSE_SENSITIVE, 6);
}

static void random_event(struct rng *rng, struct event *event, struct event_line *lines)
{
    static const char *const words[] = {"", "a", "sku-1", "TRD", "long text with æøå and more"};

    *event = (struct event){.kind = (enum event_kind)(1 + rng_below(rng, EVENT_KINDS_ - 1)),
                            .channel = (enum channel)rng_below(rng, CHANNELS_),
                            .has_id = rng_coin(rng),
                            .is_receipt = rng_coin(rng),
                            .at_ms = (int64_t)rng_below(rng, (uint64_t)TIME_MAX_MS),
                            .total_minor = (int64_t)rng_below(rng, 1000000) - 500000,
                            .position = (uint32_t)rng_below(rng, 3),
                            .purposes = (uint16_t)rng_below(rng, 128)};
    event->declared_ms = event->at_ms - (int64_t)rng_below(rng, 100000);
    event->received_ms = event->at_ms + (int64_t)rng_below(rng, 100000);
    event->id = bytes_of(words[rng_below(rng, 5)]);
    event->source = bytes_of(words[rng_below(rng, 5)]);
    event->session = bytes_of(words[rng_below(rng, 5)]);
    event->placement = bytes_of(words[rng_below(rng, 5)]);
    event->properties = bytes_of(words[rng_below(rng, 5)]);
    if (rng_coin(rng)) {
        memcpy(event->currency, "NOK", 4);
        event->retracts.b[3] = 7;
    }
    event->lines_n = rng_below(rng, 6);
    event->lines = lines;
    for (size_t i = 0; i < event->lines_n; i++) {
        lines[i] = (struct event_line){.item = {rng_next(rng)},
                                       .item_text = bytes_of(words[rng_below(rng, 5)]),
                                       .quantity_milli = (int64_t)rng_below(rng, 5000) - 1000,
                                       .paid_minor = (int64_t)rng_below(rng, 5000) - 1000};
    }
}

PROPERTY(an_event_comes_back_from_its_body_byte_for_byte)
{
    static struct arena arena;
    struct event_line lines[6];
    struct event event, back;
    uint8_t room[2][4096];
    struct pack first = pack_into(room[0], sizeof(room[0])), second = pack_into(room[1], sizeof(room[1]));

    arena_open(&arena, 65536, 65536);
    random_event(rng, &event, lines);
    event_encode(&event, &first);
    CHECK(!first.full);
    CHECK_OK(event_decode(pack_bytes(&first), (struct tenant_id){1}, &arena, &back));
    event_encode(&back, &second);
    CHECK_INT(first.n, second.n);
    CHECK_SAME_BYTES(room[0], room[1], first.n);
    CHECK(back.at_ms == event.at_ms && back.declared_ms == event.declared_ms);
    CHECK_INT(back.lines_n, event.lines_n);
    arena_close(&arena);
}

PROPERTY(no_broken_body_hurts)
{
    struct arena arena;
    struct event_line lines[6];
    struct event event, back;
    uint8_t room[4096];
    struct pack to = pack_into(room, sizeof(room));

    arena_open(&arena, 65536, 65536);
    random_event(rng, &event, lines);
    event_encode(&event, &to);
    for (int i = 0; i < 4; i++) {
        room[rng_below(rng, to.n)] = (uint8_t)rng_next(rng);
    }
    (void)!event_decode((struct bytes){(const char *)room, rng_below(rng, to.n + 1)}, (struct tenant_id){1}, &arena, &back);
    arena_close(&arena);
}
