/* SPDX-License-Identifier: Apache-2.0 */
#include "picture/picture.h"

#include "base/hash.h"
#include "event/event_code.h"

#include <assert.h>

/* True when the call's event already lies in a tail: the tag sends its last clicks along until they are
 * acknowledged, so the same one may arrive on both ways. Tails are short and calls carry few events. */
static bool in_a_tail(const struct sealed_customer *customer, const struct event *event)
{
    for (size_t i = 0; i < customer->parts_n; i++) {
        for (size_t j = 0; j < customer->parts[i].tail_n; j++) {
            if (mid_compare(&customer->parts[i].tail[j].mid, &event->mid) == 0) {
                return true;
            }
        }
    }
    return false;
}

static enum err add_tail(const struct sealed_customer *customer, const struct sealed_part *sealed, struct arena *arena,
                         struct part *life)
{
    for (size_t i = 0; i < sealed->tail_n; i++) {
        struct event event;
        enum err err = event_decode(sealed->tail[i].body.hidden, customer->tenant, arena, &event);

        if (err != ERR_OK) {
            return err;
        }
        event.mid = sealed->tail[i].mid;
        part_apply(life, &event);
    }
    return ERR_OK;
}

static enum err add_parts(const struct sealed_customer *customer, struct arena *arena, struct part *life)
{
    struct part *one = customer->parts_n > 1 ? arena_take(arena, sizeof(*one)) : NULL;

    if (customer->parts_n > 1 && one == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < customer->parts_n; i++) {
        enum err err = part_decode(customer->parts[i].state.hidden, i == 0 ? life : one);

        if (err != ERR_OK) {
            return err;
        }
        if (i > 0) {
            part_merge(life, one);
        }
    }
    for (size_t i = 0; i < customer->parts_n; i++) {
        enum err err = add_tail(customer, &customer->parts[i], arena, life);

        if (err != ERR_OK) {
            return err;
        }
    }
    return ERR_OK;
}

static bool is_among(const struct part_look *looks, size_t n, uint64_t mid)
{
    for (size_t i = 0; i < n; i++) {
        if (looks[i].mid == mid) {
            return true;
        }
    }
    return false;
}

/* Has this event been folded already? Its tail row is gone then, but what it did stands in the lists by its mid. */
static bool in_the_life(const struct part *life, const struct event *event)
{
    uint64_t mid = get_be64(event->mid.b);

    for (size_t i = 0; i < life->baskets_n; i++) {
        if (life->baskets[i].mid == mid) {
            return true;
        }
    }
    return is_among(life->looks, life->looks_n, mid) || is_among(life->answers, life->answers_n, mid);
}

/* Equal on all channels: of the declared revision, and of each part its revision and the mids of its tail. The order
 * of parts and tails is storage's, so sums are taken. */
static uint64_t hash_of(const struct sealed_customer *customer)
{
    uint64_t sum = hash_fast(&customer->revision, sizeof(customer->revision), customer->customer.v);

    for (size_t i = 0; i < customer->parts_n; i++) {
        const struct sealed_part *part = &customer->parts[i];

        sum += hash_fast(&part->revision, sizeof(part->revision), part->part.v);
        for (size_t j = 0; j < part->tail_n; j++) {
            sum += hash_fast(part->tail[j].mid.b, sizeof(part->tail[j].mid.b), part->part.v);
        }
    }
    return sum;
}

enum err picture_open(const struct pass *pass, const struct sealed_customer *customer,
                      const struct event *const *call_events, size_t call_events_n, int64_t now_ms, struct arena *arena,
                      const struct picture **out_picture)
{
    struct picture *picture;
    struct part *life;
    enum err err;

    /* P7: a pass of another customer, or for another purpose, opens nothing. */
    if (pass == NULL || pass_customer(pass).v != customer->customer.v ||
        (pass_purpose(pass) != PURPOSE_PERSONALISE && pass_purpose(pass) != PURPOSE_STORE)) {
        return ERR_NO_PASS;
    }
    picture = arena_take(arena, sizeof(*picture));
    life = arena_take(arena, sizeof(*life));
    if (picture == NULL || life == NULL) {
        return ERR_NOMEM;
    }
    err = add_parts(customer, arena, life);
    if (err != ERR_OK) {
        return err;
    }
    for (size_t i = 0; i < call_events_n; i++) {
        if (!in_a_tail(customer, call_events[i]) && !in_the_life(life, call_events[i])) {
            part_apply(life, call_events[i]);
            picture->call_events_n++;
        }
    }
    picture->tenant = customer->tenant;
    picture->customer = customer->customer;
    picture->now_ms = now_ms;
    picture->consent_word = pass_consent_word(pass);
    picture->life = life;
    picture->hash = hash_of(customer);
    *out_picture = picture;
    return ERR_OK;
}

enum err picture_of_events(struct tenant_id tenant, const struct event *const *call_events, size_t call_events_n,
                           int64_t now_ms, struct arena *arena, const struct picture **out_picture)
{
    struct picture *picture = arena_take(arena, sizeof(*picture));
    struct part *life = arena_take(arena, sizeof(*life));

    if (picture == NULL || life == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < call_events_n; i++) {
        part_apply(life, call_events[i]);
    }
    picture->tenant = tenant;
    picture->now_ms = now_ms;
    picture->life = life;
    picture->call_events_n = call_events_n;
    *out_picture = picture;
    return ERR_OK;
}

struct picture picture_of_part(struct tenant_id tenant, struct customer_id customer, const struct part *life, int64_t now_ms)
{
    assert(life != NULL);
    return (struct picture){.tenant = tenant, .customer = customer, .now_ms = now_ms, .life = life};
}
