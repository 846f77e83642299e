/* SPDX-License-Identifier: Apache-2.0 */
/* The front door over the memory driver: who is kept, who is not, what is joined (P2, P7). */
#include "base/hash.h"
#include "base/test.h"
#include "cmd/rules.h"
#include "consent/pass.h"
#include "event/event_code.h"
#include "ingest/ingest.h"
#include "os/loop.h"
#include "picture/picture.h"
#include "profile/declared.h"

static struct storage *storage;
static struct loop *loop;
static struct arena arena;
static int64_t now_ms;
static struct rng chance;
static const struct tenant_id tenant = {1};

static int64_t clock_now(void *ctx)
{
    (void)ctx;
    return now_ms;
}

static uint64_t chance_next(void *ctx)
{
    (void)ctx;
    return rng_next(&chance);
}

static void open_all(void)
{
    struct storage_options options = {.rules = rules_standard(), .now_ms = clock_now, .chance = chance_next};
    struct why why;

    now_ms = 1000 * DAY_MS;
    chance.state = 42;
    CHECK_OK(loop_open(&loop));
    CHECK_OK(storage_open("memory:", &options, &storage, &why));
    arena_open(&arena, 1 << 20, 1 << 26);
}

static void close_all(void)
{
    storage_close(storage);
    loop_close(loop);
    arena_close(&arena);
}

struct wait {
    bool is_done;
    enum err err;
};

static void offer_done(void *ctx, enum err err)
{
    struct wait *wait = ctx;

    wait->err = err;
    wait->is_done = true;
}

static struct event *event_of(enum event_kind kind, const char *id, const char *item)
{
    struct event *event = arena_take(&arena, sizeof(*event));
    struct event_line *line = arena_take(&arena, sizeof(*line));

    *line = (struct event_line){hash_item(tenant, bytes_of(item)), bytes_of(item), 1000, 19900};
    *event = (struct event){.kind = kind,
                            .has_id = true,
                            .has_time = true,
                            .id = bytes_of(id),
                            .at_ms = now_ms,
                            .declared_ms = now_ms,
                            .lines = line,
                            .lines_n = 1};
    return event;
}

static void name(struct event *event, enum identifier_kind kind, const char *value)
{
    event->identifiers[event->identifiers_n++] = (struct event_identifier){kind, bytes_of(value)};
}

/* A sender's clock that is centuries off: what it sends can be read again. */
TEST(a_time_before_all_time_becomes_now)
{
    struct event event = {.kind = EVENT_SEARCH, .id = BYTES_LIT("e"), .at_ms = TIME_MIN_MS - 1, .declared_ms = TIME_MIN_MS};
    struct event read;
    uint8_t room[256];
    struct pack to = pack_into(room, sizeof(room));

    CHECK_OK(ingest_check(&event, now_ms, NULL));
    CHECK_INT(event.at_ms, now_ms);
    event_encode(&event, &to);
    CHECK_OK(event_decode(pack_bytes(&to), tenant, &arena, &read));
}

/* Who sends just so much that the arena is full to the byte gets an error; the server stays. */
TEST(a_full_arena_is_an_error)
{
    struct ingest_door door = {.tenant = tenant, .source = BYTES_LIT("shop"), .now_ms = now_ms};
    struct event event = {.kind = EVENT_VIEW};
    struct ingest_verdict verdict;
    struct arena full;
    struct wait wait = {0};

    arena_open(&full, 64, 64);
    ingest_offer(storage, loop, &door, &event, 1, &verdict, &full, offer_done, &wait);
    CHECK(wait.is_done);
    CHECK_INT(wait.err, ERR_NOMEM);
    arena_close(&full);
}

static struct ingest_verdict offer(struct event *event, bool is_gated, bool is_server)
{
    struct ingest_door door = {.tenant = tenant,
                               .source = BYTES_LIT("shop"),
                               .country = BYTES_LIT("NO"),
                               .is_gated = is_gated,
                               .is_server = is_server,
                               .now_ms = now_ms};
    struct ingest_verdict verdict;
    struct wait wait = {0};

    ingest_offer(storage, loop, &door, event, 1, &verdict, &arena, offer_done, &wait);
    CHECK(!wait.is_done);
    loop_run_until(loop, &wait.is_done);
    CHECK_OK(wait.err);
    return verdict;
}

struct found {
    struct wait wait;
    struct storage_identity identity;
    int64_t events_n;
    size_t looks_n, baskets_n, identifiers_n;
    uint16_t word;
};

static void found_identity(void *ctx, enum err err, const struct storage_identity *identities, size_t n)
{
    struct found *found = ctx;

    CHECK_OK(err);
    CHECK_INT(n, 1);
    found->identity = identities[0];
    found->wait.is_done = true;
}

static void found_customer(void *ctx, enum err err, const struct sealed_customer *customers, size_t n)
{
    struct found *found = ctx;
    struct pass_request request = {.purpose = PURPOSE_STORE, .is_owner_or_staff = true, .now_ms = now_ms};
    struct pass_room room;
    const struct picture *picture;

    CHECK_OK(err);
    CHECK_INT(n, 1);
    CHECK_OK(picture_open(pass_for(&customers[0], &request, &arena, &room), &customers[0], NULL, 0, now_ms, &arena,
                          &picture));
    found->events_n = picture->life->events_n;
    found->looks_n = picture->life->looks_n;
    found->baskets_n = picture->life->baskets_n;
    found->identifiers_n = customers[0].identifiers_n;
    found->wait.is_done = true;
}

static struct found find(enum identifier_kind kind, const char *value)
{
    struct found found = {0};
    struct storage_identifier identifier = {kind, bytes_of(value)};
    struct storage_key key;

    storage_identify(storage, loop, tenant, &identifier, 1, false, BYTES_LIT("t"), found_identity, &found);
    loop_run_until(loop, &found.wait.is_done);
    if (found.identity.how == STORAGE_UNKNOWN) {
        return found;
    }
    found.wait.is_done = false;
    key = (struct storage_key){tenant, found.identity.customer};
    storage_load(storage, loop, &key, 1, 0, found_customer, &found);
    loop_run_until(loop, &found.wait.is_done);
    return found;
}

/* P7. Absent consent: a look is refused and nothing of the visitor comes into being; a sale counts without a name. */
TEST(absent_consent_keeps_nothing_of_the_visitor)
{
    struct event *look, *sale;
    struct ingest_verdict verdict;

    open_all();
    look = event_of(EVENT_VIEW, "e1", "sku-1");
    name(look, IDENTIFIER_COOKIE, "c1");
    verdict = offer(look, false, true);
    CHECK_INT(verdict.outcome, INGEST_REFUSED);
    CHECK_TEXT(bytes_of(verdict.why.code), "no_consent");
    sale = event_of(EVENT_PURCHASE, "e2", "sku-1");
    name(sale, IDENTIFIER_COOKIE, "c1");
    CHECK_INT(offer(sale, false, true).outcome, INGEST_ANONYMOUS);
    CHECK_INT(find(IDENTIFIER_COOKIE, "c1").identity.how, STORAGE_UNKNOWN);
    close_all();
}

/* P1, P2. Kept under a gate; the same id again is a duplicate and counts once. */
TEST(the_same_event_twice_counts_once)
{
    struct event *look;

    open_all();
    look = event_of(EVENT_VIEW, "e1", "sku-1");
    name(look, IDENTIFIER_COOKIE, "c1");
    CHECK_INT(offer(look, true, true).outcome, INGEST_ACCEPTED);
    CHECK_INT(offer(look, true, true).outcome, INGEST_DUPLICATE);
    CHECK_INT(find(IDENTIFIER_COOKIE, "c1").events_n, 1);
    close_all();
}

/* P2. A log-in names cookie and member: from then on they are one customer, seen from either side. */
TEST(one_event_that_names_two_joins_them)
{
    struct event *look, *buy, *log_in;
    struct found from_cookie, from_member;

    open_all();
    look = event_of(EVENT_VIEW, "e1", "sku-1");
    name(look, IDENTIFIER_COOKIE, "c1");
    buy = event_of(EVENT_PURCHASE, "e2", "sku-2");
    name(buy, IDENTIFIER_MEMBER, "M-1");
    log_in = event_of(EVENT_IDENTIFY, "e3", "sku-1");
    log_in->lines_n = 0;
    name(log_in, IDENTIFIER_COOKIE, "c1");
    name(log_in, IDENTIFIER_MEMBER, "M-1");
    CHECK_INT(offer(look, true, true).outcome, INGEST_ACCEPTED);
    CHECK_INT(offer(buy, true, true).outcome, INGEST_ACCEPTED);
    CHECK(offer(log_in, true, true).has_linked);
    from_cookie = find(IDENTIFIER_COOKIE, "c1");
    from_member = find(IDENTIFIER_MEMBER, "M-1");
    CHECK(from_cookie.identity.customer.v == from_member.identity.customer.v);
    CHECK_INT(from_cookie.events_n, 3);
    CHECK_INT(from_cookie.looks_n, 1);
    CHECK_INT(from_cookie.baskets_n, 1);
    CHECK_INT(from_cookie.identifiers_n, 2);
    close_all();
}

/* P7. A public key may name a cookie; a member number from it is a claim without proof and joins nothing. */
TEST(an_unproved_claim_is_as_if_not_made)
{
    struct event *look;
    struct ingest_verdict verdict;

    open_all();
    look = event_of(EVENT_VIEW, "e1", "sku-1");
    name(look, IDENTIFIER_COOKIE, "c1");
    name(look, IDENTIFIER_MEMBER, "M-1");
    verdict = offer(look, true, false);
    CHECK_INT(verdict.outcome, INGEST_ACCEPTED);
    CHECK(verdict.is_unproved);
    CHECK_INT(find(IDENTIFIER_MEMBER, "M-1").identity.how, STORAGE_UNKNOWN);
    CHECK_INT(find(IDENTIFIER_COOKIE, "c1").events_n, 1);
    close_all();
}

/* A time ahead is mended within a day and refused beyond it. */
TEST(a_clock_ahead_is_mended_or_refused)
{
    struct event *near, *far;

    open_all();
    near = event_of(EVENT_VIEW, "e1", "sku-1");
    near->at_ms = now_ms + HOUR_MS;
    name(near, IDENTIFIER_COOKIE, "c1");
    CHECK_INT(offer(near, true, true).outcome, INGEST_ACCEPTED);
    CHECK_INT(near->at_ms, now_ms);
    far = event_of(EVENT_VIEW, "e2", "sku-1");
    far->at_ms = now_ms + 25 * HOUR_MS;
    name(far, IDENTIFIER_COOKIE, "c1");
    CHECK_TEXT(bytes_of(offer(far, true, true).why.code), "future_time");
    close_all();
}
