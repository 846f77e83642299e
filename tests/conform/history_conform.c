/* SPDX-License-Identifier: Apache-2.0 */
/* Random histories through storage with the real rules (P2): a link that is cut again leaves both sides as if it had
 * never been, whatever was folded when; the same events in any order give the same bytes; replay gives the same bytes. */
#include "base/hash.h"
#include "base/test.h"
#include "cmd/rules.h"
#include "consent/consent.h"
#include "event/event_code.h"
#include "os/loop.h"
#include "picture/fold.h"
#include "profile/declared.h"
#include "storage/storage.h"

#include <stdlib.h>

enum { EVENTS = 24, STATE_BYTES = 2 * PART_BYTES_MAX };

static const struct tenant_id tenant = {1};

struct world { /* one storage and what is asked of it */
    struct storage *storage;
    struct loop *loop;
    struct rng chance;
    int64_t now_ms;
    bool is_done;
    enum err err;
    struct storage_identity identity[2]; /* cookie, member */
    struct arena arena;
};

struct side { /* what is known of one customer, as bytes */
    uint8_t state[STATE_BYTES];
    size_t state_n;
    uint8_t declared[4096];
    size_t declared_n;
    size_t identifiers_n;
};

static int64_t world_now(void *ctx)
{
    return ((struct world *)ctx)->now_ms;
}

static uint64_t world_chance(void *ctx)
{
    return rng_next(&((struct world *)ctx)->chance);
}

static void wait_for(struct world *world)
{
    loop_run_until(world->loop, &world->is_done);
    world->is_done = false;
}

static void identified(void *ctx, enum err err, const struct storage_identity *identities, size_t n)
{
    struct world *world = ctx;

    CHECK_OK(err);
    CHECK_INT(n, 2);
    memcpy(world->identity, identities, sizeof(world->identity));
    world->is_done = true;
}

static void world_open(struct world *world)
{
    struct storage_options options = {
        .rules = rules_standard(), .now_ms = world_now, .now_ctx = world, .chance = world_chance, .chance_ctx = world};
    const struct storage_identifier identifiers[2] = {{IDENTIFIER_COOKIE, BYTES_LIT("c1")},
                                                      {IDENTIFIER_MEMBER, BYTES_LIT("M-1")}};

    *world = (struct world){.chance = {7}, .now_ms = 1000 * DAY_MS};
    CHECK_OK(loop_open(&world->loop));
    CHECK_OK(storage_open("memory:", &options, &world->storage, NULL));
    arena_open(&world->arena, 1 << 18, 1 << 26);
    storage_identify(world->storage, world->loop, tenant, identifiers, 2, true, BYTES_LIT("t"), identified, world);
    wait_for(world);
}

static void world_close(struct world *world)
{
    storage_close(world->storage);
    loop_close(world->loop);
    arena_close(&world->arena);
}

static void ingested(void *ctx, enum err err, const struct storage_ingested *results, size_t n)
{
    struct world *world = ctx;

    CHECK_OK(err);
    for (size_t i = 0; i < n; i++) {
        CHECK_OK(results[i].err);
    }
    world->is_done = true;
}

static void put_event(struct world *world, const struct event *event, struct part_id part)
{
    uint8_t room[8192];
    struct pack to = pack_into(room, sizeof(room));
    struct storage_event stored = {.tenant = tenant, .part = part, .day = event_day(event), .mid = event->mid};

    event_encode(event, &to);
    CHECK(!to.full);
    stored.body = pack_bytes(&to);
    storage_ingest(world->storage, world->loop, &stored, 1, ingested, world);
    wait_for(world);
}

static void folded(void *ctx, enum err err, uint64_t events_n)
{
    (void)events_n;
    CHECK_OK(err);
    ((struct world *)ctx)->is_done = true;
}

static void fold_all(struct world *world)
{
    storage_fold(world->storage, world->loop, 0, HASH_BUCKETS, true, folded, world);
    wait_for(world);
}

static void updated(void *ctx, enum err err, const struct storage_updated *now)
{
    (void)now;
    CHECK_OK(err);
    ((struct world *)ctx)->is_done = true;
}

static void grant(struct world *world, int which, enum purpose purpose, int64_t at_ms)
{
    struct consent_statement s = {.purpose = purpose, .state = CONSENT_GRANTED, .at_ms = at_ms, .received_ms = at_ms,
                                  .text_version = BYTES_LIT("1"), .source = BYTES_LIT("t")};
    uint8_t room[256];
    struct pack to = pack_into(room, sizeof(room));

    pack_u8(&to, DECLARED_CONSENTS);
    consent_change_encode(&s, 1, &to);
    storage_update(world->storage, world->loop, (struct storage_key){tenant, world->identity[which].customer}, UINT64_MAX,
                   pack_bytes(&to), NULL, updated, world);
    wait_for(world);
}

static void linked(void *ctx, enum err err, struct storage_key survivor)
{
    (void)survivor;
    CHECK_OK(err);
    ((struct world *)ctx)->is_done = true;
}

static void cut_done(void *ctx, enum err err, struct storage_key kept, struct storage_key cut)
{
    struct world *world = ctx;

    CHECK_OK(err);
    world->identity[0].customer = cut.customer;
    world->identity[1].customer = kept.customer;
    world->is_done = true;
}

static void link_both(struct world *world)
{
    storage_link(world->storage, world->loop, (struct storage_key){tenant, world->identity[0].customer},
                 (struct storage_key){tenant, world->identity[1].customer}, world->identity[0].part,
                 world->identity[1].part,
                 (struct storage_link_reason){.source = BYTES_LIT("t"), .at_ms = world->now_ms, .strength = 3}, linked,
                 world);
    wait_for(world);
}

static void cut_cookie(struct world *world)
{
    world->now_ms += SECOND_MS;
    storage_cut(world->storage, world->loop, tenant, world->identity[0].part, cut_done, world);
    wait_for(world);
}

struct reading {
    struct world *world;
    struct side *side;
};

/* Folds what a load gives, tails included, to one canonical state: what a decision would see. */
static void loaded(void *ctx, enum err err, const struct sealed_customer *customers, size_t n)
{
    struct reading *reading = ctx;
    static struct part life, one;
    struct pack to = pack_into(reading->side->state, STATE_BYTES);

    CHECK_OK(err);
    CHECK_INT(n, 1);
    life = (struct part){0};
    for (size_t i = 0; i < customers[0].parts_n; i++) {
        const struct sealed_part *part = &customers[0].parts[i];

        CHECK_OK(part_decode(part->state.hidden, &one));
        part_merge(&life, &one);
        for (size_t j = 0; j < part->tail_n; j++) {
            struct fold_event event = {part->tail[j].mid, part->tail[j].body.hidden};

            CHECK_OK(fold_bodies(tenant, &event, 1, &reading->world->arena, &life));
        }
    }
    part_encode(&life, &to);
    CHECK(!to.full);
    reading->side->state_n = to.n;
    reading->side->declared_n = customers[0].declared.hidden.n;
    CHECK(reading->side->declared_n <= sizeof(reading->side->declared));
    if (reading->side->declared_n > 0) {
        memcpy(reading->side->declared, customers[0].declared.hidden.p, reading->side->declared_n);
    }
    reading->side->identifiers_n = customers[0].identifiers_n;
    reading->world->is_done = true;
}

static void read_side(struct world *world, int which, struct side *side)
{
    struct reading reading = {world, side};
    struct storage_key key = {tenant, world->identity[which].customer};

    storage_load(world->storage, world->loop, &key, 1, 0, loaded, &reading);
    wait_for(world);
}

static void same_side(const struct side *a, const struct side *b)
{
    CHECK_INT(a->state_n, b->state_n);
    CHECK_SAME_BYTES(a->state, b->state, a->state_n);
    CHECK_INT(a->declared_n, b->declared_n);
    CHECK_SAME_BYTES(a->declared, b->declared, a->declared_n);
    CHECK_INT(a->identifiers_n, b->identifiers_n);
}

static struct event_line lines[EVENTS][3];

static void random_events(struct rng *rng, struct event *events, int *which)
{
    static const enum event_kind kinds[] = {EVENT_PURCHASE, EVENT_VIEW, EVENT_ADD, EVENT_SHOWN};

    for (int i = 0; i < EVENTS; i++) {
        events[i] = (struct event){.kind = kinds[rng_below(rng, 4)],
                                   .channel = CHANNEL_WEB,
                                   .has_id = true,
                                   .at_ms = (900 + (int64_t)rng_below(rng, 90)) * DAY_MS,
                                   .source = BYTES_LIT("t"),
                                   .lines = lines[i],
                                   .lines_n = 1 + rng_below(rng, 3)};
        events[i].declared_ms = events[i].received_ms = events[i].at_ms;
        put_be64(events[i].mid.b, rng_next(rng));
        for (size_t j = 0; j < events[i].lines_n; j++) {
            lines[i][j] = (struct event_line){{1 + rng_below(rng, 9)}, BYTES_LIT("sku"), 1000, (int64_t)rng_below(rng, 999)};
        }
        which[i] = rng_coin(rng);
    }
}

/* P2. Link, live on, cut: both sides byte for byte what they would have been. */
PROPERTY(link_then_cut_leaves_both_sides_as_if_never_linked)
{
    static struct side side[2], reference[2];
    static struct event events[EVENTS];
    struct world joined, apart;
    int which[EVENTS];
    int link_at = (int)rng_below(rng, EVENTS), cut_at = link_at + (int)rng_below(rng, (uint64_t)(EVENTS - link_at));

    random_events(rng, events, which);
    world_open(&joined);
    world_open(&apart);
    for (int i = 0; i < EVENTS; i++) {
        if (i < link_at && rng_below(rng, 4) == 0) {
            enum purpose purpose = (enum purpose)rng_below(rng, PURPOSES_);

            grant(&joined, which[i], purpose, events[i].at_ms);
            grant(&apart, which[i], purpose, events[i].at_ms);
        }
        if (i == link_at) {
            link_both(&joined);
        }
        put_event(&joined, &events[i], joined.identity[which[i]].part);
        put_event(&apart, &events[i], apart.identity[which[i]].part);
        if (rng_below(rng, 6) == 0) {
            fold_all(&joined);
        }
        if (i == cut_at) {
            cut_cookie(&joined);
        }
    }
    for (int i = 0; i < 2; i++) {
        read_side(&joined, i, &side[i]);
        read_side(&apart, i, &reference[i]);
        same_side(&side[i], &reference[i]);
    }
    world_close(&joined);
    world_close(&apart);
}

/* P2. The same events in another order, repeated, folded at other moments: the same bytes; and replay keeps them. */
PROPERTY(any_order_and_replay_give_the_same_bytes)
{
    static struct side first, second, replayed;
    static struct event events[EVENTS];
    struct world one, other;
    int which[EVENTS], order[EVENTS];
    uint64_t parts_n, differing_n;

    random_events(rng, events, which);
    world_open(&one);
    world_open(&other);
    for (int i = 0; i < EVENTS; i++) {
        int j = (int)rng_below(rng, (uint64_t)i + 1);

        order[i] = order[j];
        order[j] = i;
    }
    for (int i = 0; i < EVENTS; i++) {
        put_event(&one, &events[i], one.identity[1].part);
    }
    for (int i = 0; i < EVENTS; i++) {
        put_event(&other, &events[order[i]], other.identity[1].part);
        if (rng_below(rng, 3) == 0) {
            put_event(&other, &events[order[i]], other.identity[1].part);
        }
        if (rng_below(rng, 5) == 0) {
            fold_all(&other);
        }
    }
    read_side(&one, 1, &first);
    read_side(&other, 1, &second);
    same_side(&first, &second);
    fold_all(&other);
    CHECK_OK(storage_replay(other.storage, tenant, &parts_n, &differing_n));
    CHECK_INT(differing_n, 0);
    read_side(&other, 1, &replayed);
    same_side(&first, &replayed);
    world_close(&one);
    world_close(&other);
}
