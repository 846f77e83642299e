/* SPDX-License-Identifier: Apache-2.0 */
#include "consent/consent.h"
#include "consent/pass.h"

#include "base/test.h"

static struct arena arena;
static const struct part_id web = {11}, till = {22};

static struct bytes change_of(enum purpose purpose, enum consent_state state, int64_t at_ms, int64_t until_ms)
{
    struct consent_statement s = {.purpose = purpose,
                                  .state = state,
                                  .at_ms = at_ms,
                                  .until_ms = until_ms,
                                  .text_version = BYTES_LIT("1"),
                                  .source = BYTES_LIT("shop"),
                                  .received_ms = at_ms};
    struct pack to = pack_into(arena_take(&arena, 256), 256);

    consent_change_encode(&s, 1, &to);
    return pack_bytes(&to);
}

static struct bytes patched(struct bytes field, struct bytes change, const struct part_id *parts, size_t n)
{
    struct bytes out;

    CHECK_OK(consent_field_patch(field, change, parts, n, &arena, &out));
    return out;
}

static struct sealed declared_of(struct bytes field)
{
    struct pack to = pack_into(arena_take(&arena, field.n + 32), field.n + 32);

    pack_u8(&to, 1);
    pack_field(&to, 1, field);
    return (struct sealed){pack_bytes(&to)};
}

static uint16_t word_of(struct bytes field, int64_t now_ms)
{
    struct consent consent;

    CHECK_OK(consent_read(declared_of(field), &arena, &consent));
    return consent_word(&consent, now_ms);
}

/* P7. An old cookie refused, the member granted: strictest counts until a statement on the customer. */
TEST(the_strictest_part_counts_until_the_customer_speaks_anew)
{
    const struct part_id both[2] = {web, till};
    struct bytes field = {0};

    arena_open(&arena, 65536, 1 << 20);
    field = patched(field, change_of(PURPOSE_STORE, CONSENT_REFUSED, 10, 0), &web, 1);
    field = patched(field, change_of(PURPOSE_STORE, CONSENT_GRANTED, 20, 0), &till, 1);
    CHECK_INT(consent_word_get(word_of(field, 30), PURPOSE_STORE), CONSENT_REFUSED);
    field = patched(field, change_of(PURPOSE_STORE, CONSENT_GRANTED, 30, 0), both, 2);
    CHECK_INT(consent_word_get(word_of(field, 30), PURPOSE_STORE), CONSENT_GRANTED);
    arena_close(&arena);
}

/* P7. Withdrawal never fails: not even with as many parts as there can be and what a cut left behind beside them. */
TEST(the_largest_customer_can_withdraw_all)
{
    struct part_id parts[65];
    struct bytes field = {0}, moved;

    arena_open(&arena, 65536, 64 << 20);
    for (size_t i = 0; i < 65; i++) {
        parts[i].v = i + 1;
    }
    for (int i = 0; i < PURPOSES_; i++) { /* the 65th leaves, and its refusals stay behind */
        field = patched(field, change_of((enum purpose)i, CONSENT_REFUSED, 10, 0), &parts[64], 1);
    }
    CHECK_OK(consent_field_cut(field, parts[64], &arena, &field, &moved));
    for (int i = 0; i < PURPOSES_; i++) {
        field = patched(field, change_of((enum purpose)i, CONSENT_WITHDRAWN, 20, 0), parts, 64);
    }
    for (int i = 0; i < PURPOSES_; i++) {
        CHECK_INT(consent_word_get(word_of(field, 30), (enum purpose)i), CONSENT_WITHDRAWN);
    }
    arena_close(&arena);
}

/* P6, P7. A grant ends to the millisecond; an ended grant is unsaid, not refused. */
TEST(a_grant_ends_when_it_said)
{
    struct bytes field;
    uint16_t word;
    int64_t until_ms;

    arena_open(&arena, 65536, 1 << 20);
    field = patched((struct bytes){0}, change_of(PURPOSE_MAIL, CONSENT_GRANTED, 10, 100), &web, 1);
    CHECK_INT(consent_word_get(word_of(field, 99), PURPOSE_MAIL), CONSENT_GRANTED);
    CHECK_INT(consent_word_get(word_of(field, 100), PURPOSE_MAIL), CONSENT_UNSAID);
    CHECK_OK(consent_field_word(field, &word, &until_ms));
    CHECK_INT(until_ms, 100);
    CHECK_INT(consent_word_get(word, PURPOSE_MAIL), CONSENT_GRANTED);
    /* What is granted later holds, whatever ended before. */
    field = patched(field, change_of(PURPOSE_STORE, CONSENT_GRANTED, 200, 0), &web, 1);
    CHECK_OK(consent_field_word(field, &word, &until_ms));
    CHECK_INT(until_ms, 0);
    CHECK_INT(consent_word_get(word, PURPOSE_STORE), CONSENT_GRANTED);
    CHECK_INT(consent_word_get(word, PURPOSE_MAIL), CONSENT_UNSAID);
    arena_close(&arena);
}

/* P7. Absent is refusal; a gate speaks where the record is silent and nowhere else; GPC always wins. */
TEST(absent_is_refusal_unless_gated)
{
    uint16_t refused = consent_word_set(0, PURPOSE_STORE, CONSENT_REFUSED);
    uint16_t granted = consent_word_set(0, PURPOSE_STORE, CONSENT_GRANTED);

    CHECK(!consent_may(consent_in_force(0, 0, false, false), PURPOSE_STORE));
    CHECK(consent_may(consent_in_force(0, 0, false, true), PURPOSE_STORE));
    CHECK(!consent_may(consent_in_force(0, 0, false, true), PURPOSE_MAIL));
    CHECK(!consent_may(consent_in_force(refused, 0, false, true), PURPOSE_STORE));
    CHECK(!consent_may(consent_in_force(granted, 0, true, true), PURPOSE_STORE));
    CHECK(!consent_may(consent_in_force(granted, refused, false, true), PURPOSE_STORE));
    CHECK(consent_may(consent_in_force(granted, granted, false, false), PURPOSE_STORE));
    /* What may not be kept may not be used: `store` refused takes the gate's other grants with it. */
    CHECK(!consent_may(consent_in_force(refused, 0, false, true), PURPOSE_PERSONALISE));
    /* A call can only narrow: its grant is no grant of the record. */
    CHECK(!consent_may(consent_in_force(0, granted, false, false), PURPOSE_STORE));
}

TEST(no_grant_no_pass)
{
    struct pass_room room;
    struct sealed_customer customer = {.tenant = {1}, .customer = {5}, .revision = 1};
    struct pass_request request = {.purpose = PURPOSE_PERSONALISE, .now_ms = 50};

    arena_open(&arena, 65536, 1 << 20);
    CHECK(pass_for(&customer, &request, &arena, &room) == NULL);
    customer.declared =
        declared_of(patched((struct bytes){0}, change_of(PURPOSE_PERSONALISE, CONSENT_GRANTED, 10, 0), &web, 1));
    CHECK(pass_for(&customer, &request, &arena, &room) != NULL);
    CHECK_INT(pass_customer(pass_for(&customer, &request, &arena, &room)).v, 5);
    request.has_gpc = true;
    CHECK(pass_for(&customer, &request, &arena, &room) == NULL);
    request.has_gpc = false;
    customer.declared.hidden.n--; /* torn bytes are no permission */
    CHECK(pass_for(&customer, &request, &arena, &room) == NULL);
    arena_close(&arena);
}

/* P7. Whatever was said where, in any order: cutting widens neither side, order does not matter. */
PROPERTY(a_cut_never_widens_and_order_does_not_matter)
{
    struct bytes changes[12], one = {0}, other = {0}, kept, moved;
    struct part_id on[12];
    uint16_t whole;

    arena_open(&arena, 65536, 1 << 22);
    for (int i = 0; i < 12; i++) {
        changes[i] = change_of((enum purpose)rng_below(rng, 2), (enum consent_state)(1 + rng_below(rng, 3)),
                               (int64_t)rng_below(rng, 6), 0);
        on[i] = rng_coin(rng) ? web : till;
        one = patched(one, changes[i], &on[i], 1);
    }
    for (int i = 11; i >= 0; i--) {
        other = patched(other, changes[i], &on[i], 1);
    }
    CHECK_INT(one.n, other.n);
    CHECK_SAME_BYTES(one.p, other.p, one.n);
    whole = word_of(one, 100);
    CHECK_OK(consent_field_cut(one, web, &arena, &kept, &moved));
    for (int p = 0; p < 2; p++) {
        if (consent_word_get(whole, (enum purpose)p) > CONSENT_GRANTED) {
            CHECK(!consent_may(word_of(kept, 100), (enum purpose)p));
            CHECK(!consent_may(word_of(moved, 100), (enum purpose)p));
        }
    }
    arena_close(&arena);
}
