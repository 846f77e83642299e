/* SPDX-License-Identifier: Apache-2.0 */
#include "picture/picture.h"

#include "base/test.h"
#include "consent/consent.h"
#include "event/event_code.h"
#include "picture/fold.h"
#include "profile/declared.h"

static struct arena arena;
static const struct tenant_id tenant = {1};

static struct sealed granted_declared(void)
{
    struct consent_statement s[2] = {{.purpose = PURPOSE_STORE, .state = CONSENT_GRANTED, .at_ms = 1},
                                     {.purpose = PURPOSE_PERSONALISE, .state = CONSENT_GRANTED, .at_ms = 1}};
    struct pack change = pack_into(arena_take(&arena, 256), 256);
    struct part_id part = {5};
    struct bytes declared;

    pack_u8(&change, DECLARED_CONSENTS);
    consent_change_encode(s, 2, &change);
    CHECK_OK(declared_patch((struct bytes){0}, pack_bytes(&change), &part, 1, &arena, &declared));
    return (struct sealed){declared};
}

static struct event view_of(uint64_t item, int64_t at_ms, uint64_t mid)
{
    struct event_line *line = arena_take(&arena, sizeof(*line));
    struct event event = {.kind = EVENT_VIEW, .at_ms = at_ms, .declared_ms = at_ms, .lines = line, .lines_n = 1};

    *line = (struct event_line){.item = {item}, .item_text = BYTES_LIT("sku"), .quantity_milli = 1000};
    put_be64(event.mid.b, mid);
    return event;
}

static struct sealed_event sealed_of(const struct event *event)
{
    struct pack to = pack_into(arena_take(&arena, 1024), 1024);

    event_encode(event, &to);
    return (struct sealed_event){event->mid, {pack_bytes(&to)}};
}

/* P1, P2. State, tail and the call's own events are one life; the same click told twice is one click. */
TEST(a_click_on_two_ways_counts_once)
{
    struct event told, fresh;
    const struct event *call[2] = {&told, &fresh};
    struct sealed_event tail;
    struct sealed_part part = {.part = {5}, .tail = &tail, .tail_n = 1};
    struct sealed_customer customer = {.tenant = {1}, .customer = {5}, .parts = &part, .parts_n = 1};
    struct pass_request request = {.purpose = PURPOSE_PERSONALISE, .now_ms = 300};
    struct pass_room room;
    const struct picture *picture;
    const struct pass *pass;

    arena_open(&arena, 1 << 20, 1 << 22);
    told = view_of(7, 100, 1);
    fresh = view_of(8, 200, 2);
    tail = sealed_of(&told);
    customer.declared = granted_declared();
    pass = pass_for(&customer, &request, &arena, &room);
    CHECK(pass != NULL);
    CHECK_OK(picture_open(pass, &customer, call, 2, 300, &arena, &picture));
    CHECK_INT(picture->life->looks_n, 2);
    CHECK_INT(picture->life->events_n, 2);
    CHECK_INT(picture->life->looks[0].item.v, 8);
    CHECK_INT(picture->call_events_n, 1);
    CHECK(consent_may(picture->consent_word, PURPOSE_PERSONALISE));
    arena_close(&arena);
}

/* P7. The pass names the customer: another's opens nothing, and none opens nothing. */
TEST(a_pass_of_another_opens_nothing)
{
    struct sealed_customer kari, ola;
    struct pass_request request = {.purpose = PURPOSE_PERSONALISE, .now_ms = 300};
    struct pass_room room;
    const struct picture *picture = NULL;

    arena_open(&arena, 1 << 20, 1 << 22);
    kari = (struct sealed_customer){.tenant = {1}, .customer = {5}, .declared = granted_declared()};
    ola = kari;
    ola.customer.v = 6;
    CHECK_INT(picture_open(pass_for(&kari, &request, &arena, &room), &ola, NULL, 0, 300, &arena, &picture), ERR_NO_PASS);
    CHECK_INT(picture_open(NULL, &ola, NULL, 0, 300, &arena, &picture), ERR_NO_PASS);
    request.purpose = PURPOSE_MAIL;
    CHECK_INT(picture_open(pass_for(&kari, &request, &arena, &room), &kari, NULL, 0, 300, &arena, &picture), ERR_NO_PASS);
    CHECK(picture == NULL);
    arena_close(&arena);
}

/* P2. Folding half and half, or all at once, or keeping a tail: the same life. */
PROPERTY(folding_at_any_point_gives_the_same_state)
{
    struct fold_event events[20];
    struct bytes half, whole, twice;
    size_t cut = rng_below(rng, 21);

    arena_open(&arena, 1 << 20, 1 << 24);
    for (size_t i = 0; i < 20; i++) {
        struct event event = view_of(1 + rng_below(rng, 5), (int64_t)rng_below(rng, 50), i + 1);
        struct sealed_event sealed;

        event.kind = rng_coin(rng) ? EVENT_PURCHASE : EVENT_VIEW;
        sealed = sealed_of(&event);
        events[i] = (struct fold_event){sealed.mid, sealed.body.hidden};
    }
    CHECK_OK(fold_state(tenant, (struct bytes){0}, events, 20, &arena, &whole));
    CHECK_OK(fold_state(tenant, (struct bytes){0}, events + cut, 20 - cut, &arena, &half));
    CHECK_OK(fold_state(tenant, half, events, cut, &arena, &twice));
    CHECK_INT(whole.n, twice.n);
    CHECK_SAME_BYTES(whole.p, twice.p, whole.n);
    arena_close(&arena);
}
