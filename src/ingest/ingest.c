/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of an offer, each begun by the completion of the one before:
 *
 *     begin        check and normalise; look all identifiers up            -> looked_up
 *     looked_up    where a grant has ended, ask the statements             -> reread
 *     judge        consent decides per event; create what is new           -> created
 *     created      choose parts, encode, keep                              -> kept
 *     kept         verdicts; link the customers that one event names       -> linked, once a pair
 *     finish       call back
 *
 * An event's identifiers are known only while the offer runs; its body never holds them. */
#include "ingest/ingest.h"

#include "event/event_code.h"
#include "identity/identifier.h"

#include <assert.h>

enum { AHEAD_CLAMP_MS = 5 * MINUTE_MS, AHEAD_REFUSE_MS = DAY_MS, STRENGTH_STRONG = 2, STRENGTH_PROVED = 3 };

struct plan { /* what becomes of one event */
    size_t first, n;       /* its identifiers in offer.identifiers */
    bool is_kept;          /* under an identity */
    bool is_anonymous;
    size_t at;             /* in offer.kept, when is_kept or is_anonymous */
};

struct offer {
    struct storage *storage;
    struct loop *loop;
    const struct ingest_door *door;
    struct event *events;
    size_t n;
    struct ingest_verdict *verdicts;
    struct arena *arena;
    void (*done)(void *ctx, enum err err);
    void *ctx;
    struct plan *plans;
    struct storage_identifier *identifiers;
    struct storage_identity *identities;
    size_t identifiers_n;
    struct storage_identifier *wanted; /* those to create, with their places in identities */
    size_t *wanted_at;
    size_t wanted_n;
    struct storage_event *kept;
    size_t *kept_event; /* index into events */
    size_t kept_n;
    size_t link_event, link_at; /* the pair being linked: event, and which of its identifiers */
};

const char *ingest_outcome_word(enum ingest_outcome outcome)
{
    static const char *const words[] = {[INGEST_ACCEPTED] = "accepted",   [INGEST_DUPLICATE] = "duplicate",
                                        [INGEST_ANONYMOUS] = "anonymous", [INGEST_REFUSED] = "refused",
                                        [INGEST_QUARANTINED] = "quarantined", [INGEST_FAILED] = "failed"};

    assert(outcome >= INGEST_ACCEPTED && outcome <= INGEST_FAILED);
    return words[outcome];
}

/* ---- one event by itself ---- */

static bool is_sale(enum event_kind kind)
{
    return kind == EVENT_PURCHASE || kind == EVENT_RETURN;
}

static bool needs_item(enum event_kind kind)
{
    return is_sale(kind) || kind == EVENT_VIEW || kind == EVENT_ADD || kind == EVENT_REMOVE || kind == EVENT_WISH ||
           kind == EVENT_UNWISH;
}

enum err ingest_check(struct event *event, int64_t now_ms, struct why *why)
{
    if (event->kind == EVENT_NONE || event->kind >= EVENT_KINDS_ || event->kind == EVENT_RETRACT) {
        return why_say(why, ERR_INVALID, "unknown_kind", "/kind", "the kind is none we know; own kinds begin with x-");
    }
    if (event->id.n == 0 || event->id.n > EVENT_ID_BYTES_MAX) {
        return why_say(why, ERR_INVALID, "bad_id", "/id", "an id has 1 to %d bytes; leave it out to have one made",
                       EVENT_ID_BYTES_MAX);
    }
    if (event->lines_n > EVENT_LINES_MAX) {
        return why_say(why, ERR_INVALID, "too_many_lines", "/lines", "an event has at most %d lines; split the receipt",
                       EVENT_LINES_MAX);
    }
    if (needs_item(event->kind) && event->lines_n == 0) {
        return why_say(why, ERR_INVALID, "missing", "/item", "a %s is about an item; name it in `item`",
                       event_kind_word(event->kind));
    }
    if (event->at_ms > now_ms + AHEAD_REFUSE_MS) {
        return why_say(why, ERR_INVALID, "future_time", "/at", "the time is more than 24 h ahead; check the sender's clock");
    }
    /* A clock repaired by a nonsensical one may lie before all time: such a body would never be read again. */
    if (event->at_ms > now_ms + AHEAD_CLAMP_MS || event->at_ms < TIME_MIN_MS) {
        event->at_ms = now_ms;
    }
    /* The key's day may not lie where a later correction would hide it; the original stays in the body. */
    if (event->declared_ms > now_ms + AHEAD_REFUSE_MS || event->declared_ms < TIME_MIN_MS) {
        event->declared_ms = event->at_ms;
    }
    return ERR_OK;
}

/* ---- begin ---- */

static void quarantine(struct offer *offer, size_t i, const struct why *why)
{
    offer->verdicts[i].outcome = INGEST_QUARANTINED;
    offer->verdicts[i].why = *why;
}

/* Takes the event's identifiers that may speak; false when one of them is malformed. */
static bool take_identifiers(struct offer *offer, size_t i)
{
    struct event *event = &offer->events[i];
    struct plan *plan = &offer->plans[i];

    plan->first = offer->identifiers_n;
    for (size_t j = 0; j < event->identifiers_n; j++) {
        struct event_identifier identifier = event->identifiers[j];
        struct why why = {0};

        if (identifier_normalise(&identifier, offer->door->country, offer->arena, &why) != ERR_OK) {
            memcpy(why.field, "/identifier", sizeof("/identifier"));
            quarantine(offer, i, &why);
            offer->identifiers_n = plan->first;
            plan->n = 0;
            return false;
        }
        /* P7: a claim from a public key without proof is as if it had not been made. */
        if (!offer->door->is_server && !identifier_is_device(identifier.kind)) {
            offer->verdicts[i].is_unproved = true;
            continue;
        }
        offer->identifiers[offer->identifiers_n++] = (struct storage_identifier){identifier.kind, identifier.value};
        plan->n++;
    }
    return true;
}

static void looked_up(void *ctx, enum err err, const struct storage_identity *identities, size_t n);

static bool take_memory(struct offer *offer)
{
    size_t most = 0;

    for (size_t i = 0; i < offer->n; i++) {
        most += offer->events[i].identifiers_n;
    }
    offer->plans = arena_array(offer->arena, offer->n + 1, sizeof(*offer->plans));
    offer->identifiers = arena_array(offer->arena, most + 1, sizeof(*offer->identifiers));
    offer->identities = arena_array(offer->arena, most + 1, sizeof(*offer->identities));
    offer->wanted = arena_array(offer->arena, most + 1, sizeof(*offer->wanted));
    offer->wanted_at = arena_array(offer->arena, most + 1, sizeof(*offer->wanted_at));
    offer->kept = arena_array(offer->arena, offer->n + 1, sizeof(*offer->kept));
    offer->kept_event = arena_array(offer->arena, offer->n + 1, sizeof(*offer->kept_event));
    return !arena_overflowed(offer->arena);
}

void ingest_offer(struct storage *storage, struct loop *loop, const struct ingest_door *door, struct event *events,
                  size_t n, struct ingest_verdict *verdicts, struct arena *arena, void (*done)(void *ctx, enum err err),
                  void *ctx)
{
    struct offer *offer = arena_take(arena, sizeof(*offer));

    if (offer == NULL) { /* nothing is left to remember the call by */
        done(ctx, ERR_NOMEM);
        return;
    }
    *offer = (struct offer){.storage = storage,
                            .loop = loop,
                            .door = door,
                            .events = events,
                            .n = n,
                            .verdicts = verdicts,
                            .arena = arena,
                            .done = done,
                            .ctx = ctx};
    if (!take_memory(offer)) {
        offer->n = 0; /* told once the look-up of nothing has come back: never from inside the call */
    }
    for (size_t i = 0; i < offer->n; i++) {
        struct why why = {0};

        if (events[i].kind == EVENT_NONE) {
            continue;
        }
        verdicts[i] = (struct ingest_verdict){0};
        if (ingest_check(&events[i], door->now_ms, &why) != ERR_OK) {
            quarantine(offer, i, &why);
            continue;
        }
        events[i].received_ms = door->now_ms;
        events[i].source = door->source;
        event_finish(&events[i], door->tenant);
        (void)take_identifiers(offer, i);
    }
    storage_identify(storage, loop, door->tenant, offer->identifiers, offer->identifiers_n, false, door->source, looked_up,
                     offer);
}

/* ---- consent ---- */

static uint16_t stricter(uint16_t a, uint16_t b)
{
    uint16_t word = 0;

    for (int i = 0; i < PURPOSES_; i++) {
        enum consent_state x = consent_word_get(a, (enum purpose)i), y = consent_word_get(b, (enum purpose)i);

        word = consent_word_set(word, (enum purpose)i, x > y ? x : y); /* unsaid < granted < refused < withdrawn */
    }
    return word;
}

static bool is_past(const struct storage_identity *identity, int64_t now_ms)
{
    return identity->consent_until_ms != 0 && now_ms >= identity->consent_until_ms;
}

/* What the record says of one identity now. After the earliest end of a grant the word no longer tells which grant has
 * ended; where the statements could not be asked (see `reread`), all its grants count as unsaid (P7: rather too little
 * than too much). */
static uint16_t record_word(const struct storage_identity *identity, int64_t now_ms)
{
    uint16_t word = identity->consent_word;

    if (!is_past(identity, now_ms)) {
        return word;
    }
    for (int i = 0; i < PURPOSES_; i++) {
        if (consent_word_get(word, (enum purpose)i) == CONSENT_GRANTED) {
            word = consent_word_set(word, (enum purpose)i, CONSENT_UNSAID);
        }
    }
    return word;
}

static uint16_t word_in_force(const struct offer *offer, size_t i)
{
    const struct plan *plan = &offer->plans[i];
    const struct ingest_door *door = offer->door;
    uint16_t record = 0;

    for (size_t j = 0; j < plan->n; j++) {
        record = stricter(record, record_word(&offer->identities[plan->first + j], door->now_ms));
    }
    return consent_in_force(record, stricter(door->call_word, offer->events[i].consent_said), door->has_gpc, door->is_gated);
}

static void decide_event(struct offer *offer, size_t i)
{
    struct event *event = &offer->events[i];
    struct plan *plan = &offer->plans[i];
    struct ingest_verdict *verdict = &offer->verdicts[i];
    uint16_t word = word_in_force(offer, i);

    for (int purpose = 0; purpose < PURPOSES_; purpose++) {
        if (consent_may(word, (enum purpose)purpose)) {
            event->purposes = (uint16_t)(event->purposes | 1u << purpose);
        }
    }
    if (plan->n > 0 && consent_may(word, PURPOSE_STORE)) {
        plan->is_kept = true;
        return;
    }
    if (is_sale(event->kind)) {
        plan->is_anonymous = true;
        event->purposes = 0;
        return;
    }
    verdict->outcome = INGEST_REFUSED;
    if (plan->n > 0) {
        (void)why_say(&verdict->why, ERR_NO_PASS, "no_consent", "/identifier",
                      "consent `store` is %s: nothing was kept; record a grant through PUT .../consents/store first",
                      event_consent_word(consent_word_get(word, PURPOSE_STORE)));
    } else {
        (void)why_say(&verdict->why, ERR_NO_PASS, "no_identifier", "/identifier",
                      "no identifier that this key may claim: nothing was kept; send cookie, app or anonymousId, or a server key");
    }
}

static bool is_wanted(const struct offer *offer, const struct storage_identifier *identifier)
{
    for (size_t i = 0; i < offer->wanted_n; i++) {
        if (offer->wanted[i].kind == identifier->kind && bytes_equal(offer->wanted[i].value, identifier->value)) {
            return true;
        }
    }
    return false;
}

static void created(void *ctx, enum err err, const struct storage_identity *identities, size_t n);

/* Decides what becomes of each event, and creates what is new. */
static void judge(struct offer *offer)
{
    for (size_t i = 0; i < offer->n; i++) {
        if (offer->events[i].kind != EVENT_NONE && offer->verdicts[i].outcome == 0) {
            decide_event(offer, i);
        }
    }
    for (size_t i = 0; i < offer->n; i++) {
        const struct plan *plan = &offer->plans[i];

        for (size_t j = plan->first; plan->is_kept && j < plan->first + plan->n; j++) {
            if ((offer->identities[j].how == STORAGE_UNKNOWN || offer->identities[j].is_bare) && !is_wanted(offer, &offer->identifiers[j])) {
                offer->wanted[offer->wanted_n++] = offer->identifiers[j];
            }
        }
    }
    if (offer->wanted_n == 0) {
        created(offer, ERR_OK, NULL, 0);
        return;
    }
    storage_identify(offer->storage, offer->loop, offer->door->tenant, offer->wanted, offer->wanted_n, true,
                     offer->door->source, created, offer);
}

static void reread(void *ctx, enum err err, const struct sealed_customer *customers, size_t n)
{
    struct offer *offer = ctx;

    if (err != ERR_OK) {
        offer->done(offer->ctx, err);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct consent consent;
        uint16_t word;

        if (customers[i].customer.v == 0 || consent_read(customers[i].declared, offer->arena, &consent) != ERR_OK) {
            continue;
        }
        word = consent_word(&consent, offer->door->now_ms);
        for (size_t j = 0; j < offer->identifiers_n; j++) {
            if (offer->identities[j].customer.v == customers[i].customer.v) {
                offer->identities[j].consent_word = word;
                offer->identities[j].consent_until_ms = 0;
            }
        }
    }
    judge(offer);
}

/* A customer one of whose grants has ended: the statements themselves say which. */
static void ask_statements(struct offer *offer)
{
    struct storage_key *keys = arena_array(offer->arena, offer->identifiers_n + 1, sizeof(*keys));
    size_t n = 0;

    for (size_t i = 0; keys != NULL && i < offer->identifiers_n; i++) {
        const struct storage_identity *identity = &offer->identities[i];
        bool is_new = identity->how != STORAGE_UNKNOWN && is_past(identity, offer->door->now_ms);

        for (size_t j = 0; is_new && j < n; j++) {
            is_new = keys[j].customer.v != identity->customer.v;
        }
        if (is_new) {
            keys[n++] = (struct storage_key){offer->door->tenant, identity->customer};
        }
    }
    if (n == 0) {
        judge(offer);
        return;
    }
    storage_load(offer->storage, offer->loop, keys, n, 0, reread, offer);
}

static void looked_up(void *ctx, enum err err, const struct storage_identity *identities, size_t n)
{
    struct offer *offer = ctx;

    if (err == ERR_OK && arena_overflowed(offer->arena)) {
        err = ERR_NOMEM;
    }
    if (err != ERR_OK) {
        offer->done(offer->ctx, err);
        return;
    }
    assert(n == offer->identifiers_n);
    if (n > 0) {
        memcpy(offer->identities, identities, n * sizeof(*identities));
    }
    ask_statements(offer);
}

/* ---- keep ---- */

static void take_created(struct offer *offer, const struct storage_identity *identities)
{
    for (size_t i = 0; i < offer->identifiers_n; i++) {
        bool was_wanted = offer->identities[i].how == STORAGE_UNKNOWN || offer->identities[i].is_bare;

        for (size_t j = 0; was_wanted && j < offer->wanted_n; j++) {
            if (offer->wanted[j].kind == offer->identifiers[i].kind &&
                bytes_equal(offer->wanted[j].value, offer->identifiers[i].value)) {
                offer->identities[i] = identities[j];
            }
        }
    }
}

/* P7: what counts without consent carries nothing that could name or join: no id, session, order, free properties. */
static struct event nameless(const struct event *event)
{
    struct event bare = *event;

    bare.id = bare.session = bare.query = bare.order = bare.ticket = bare.properties = (struct bytes){0};
    bare.identifiers_n = 0;
    return bare;
}

/* The identifier that gives an event its part: the first kind present in the order of storage.md 3. */
static size_t part_of(const struct offer *offer, const struct plan *plan)
{
    size_t best = plan->first;

    for (size_t j = plan->first + 1; j < plan->first + plan->n; j++) {
        if (offer->identifiers[j].kind < offer->identifiers[best].kind) {
            best = j;
        }
    }
    return best;
}

static void encode_event(struct offer *offer, size_t i)
{
    struct plan *plan = &offer->plans[i];
    const struct event *event = &offer->events[i];
    struct event bare = plan->is_anonymous ? nameless(event) : *event;
    size_t room = 512 + event->id.n + event->properties.n + event->session.n + event->query.n + event->order.n +
                  event->ticket.n + event->source.n + event->store_text.n + event->placement.n + event->kind_name.n;
    struct storage_event *kept = &offer->kept[offer->kept_n];
    struct pack to;

    for (size_t j = 0; j < event->lines_n; j++) {
        room += 32 + event->lines[j].item_text.n;
    }
    room = room < EVENT_BODY_BYTES_MAX ? room : EVENT_BODY_BYTES_MAX;
    to = pack_into(arena_take(offer->arena, room), room);
    if (to.p == NULL) {
        return;
    }
    event_encode(&bare, &to);
    if (to.full) {
        struct why why = {0};

        (void)why_say(&why, ERR_TOOBIG, "event_too_big", "", "an event is at most 64 KiB; send less in `properties`");
        quarantine(offer, i, &why);
        plan->is_kept = plan->is_anonymous = false;
        return;
    }
    *kept = (struct storage_event){.tenant = offer->door->tenant,
                                   .day = event_day(event),
                                   .mid = event->mid,
                                   .body = pack_bytes(&to),
                                   .is_receipt = event->is_receipt && plan->is_kept,
                                   .is_anonymous = plan->is_anonymous};
    if (plan->is_kept) {
        kept->part = offer->identities[part_of(offer, plan)].part;
    } else {
        kept->part.v = get_be64(event->mid.b) >> 1;
    }
    offer->kept_event[offer->kept_n] = i;
    plan->at = offer->kept_n++;
}

static void kept(void *ctx, enum err err, const struct storage_ingested *results, size_t n);

static void created(void *ctx, enum err err, const struct storage_identity *identities, size_t n)
{
    struct offer *offer = ctx;

    if (err != ERR_OK) {
        offer->done(offer->ctx, err);
        return;
    }
    assert(n == offer->wanted_n);
    take_created(offer, identities);
    for (size_t i = 0; i < offer->n; i++) {
        if (offer->plans[i].is_kept || offer->plans[i].is_anonymous) {
            encode_event(offer, i);
        }
    }
    if (arena_overflowed(offer->arena)) {
        offer->done(offer->ctx, ERR_NOMEM);
        return;
    }
    if (offer->kept_n == 0) {
        kept(offer, ERR_OK, NULL, 0);
        return;
    }
    storage_ingest(offer->storage, offer->loop, offer->kept, offer->kept_n, kept, offer);
}

/* ---- link ---- */

static void link_next(struct offer *offer);

static void linked(void *ctx, enum err err, struct storage_key survivor)
{
    struct offer *offer = ctx;
    struct ingest_verdict *verdict = &offer->verdicts[offer->link_event];

    (void)survivor;
    if (err == ERR_OK) {
        verdict->has_linked = true;
    } else if (err == ERR_CONFLICT) {
        verdict->is_shared_device = true; /* or cut apart since: either way the two stay two */
    } else if (err != ERR_TOOBIG) {
        /* The event is durable and the link is not: only sending it again completes it (settled.md 1.5). */
        verdict->outcome = INGEST_FAILED;
        verdict->err = err;
    }
    link_next(offer);
}

/* Finds the next pair of different customers that one kept event names. */
static bool find_pair(struct offer *offer, size_t *out_first)
{
    for (; offer->link_event < offer->n; offer->link_event++, offer->link_at = 0) {
        const struct plan *plan = &offer->plans[offer->link_event];
        enum ingest_outcome outcome = offer->verdicts[offer->link_event].outcome;

        if (!plan->is_kept || (outcome != INGEST_ACCEPTED && outcome != INGEST_DUPLICATE)) {
            continue;
        }
        while (++offer->link_at < plan->n) {
            if (offer->identities[plan->first].customer.v !=
                offer->identities[plan->first + offer->link_at].customer.v) {
                *out_first = plan->first;
                return true;
            }
        }
    }
    return false;
}

static void link_next(struct offer *offer)
{
    const struct ingest_door *door = offer->door;
    size_t first;
    const struct storage_identity *a, *b;
    const struct ingest_verdict *verdict;
    const struct event *event;

    if (!find_pair(offer, &first)) {
        offer->done(offer->ctx, ERR_OK);
        return;
    }
    a = &offer->identities[first];
    b = &offer->identities[first + offer->link_at];
    verdict = &offer->verdicts[offer->link_event];
    event = &offer->events[offer->link_event];
    /* A repeat of an event from before a cut must not undo the cut: its own time speaks, not that of the repeat. One
     * that carries no time may be older than any cut. */
    storage_link(offer->storage, offer->loop, (struct storage_key){door->tenant, a->customer},
                 (struct storage_key){door->tenant, b->customer}, a->part, b->part,
                 (struct storage_link_reason){
                     .source = door->source,
                     .at_ms = verdict->outcome != INGEST_DUPLICATE ? door->now_ms
                              : event->has_time                     ? event->at_ms
                                                                    : 0,
                     .strength = door->is_server ? STRENGTH_PROVED : STRENGTH_STRONG},
                 linked, offer);
}

static void kept(void *ctx, enum err err, const struct storage_ingested *results, size_t n)
{
    struct offer *offer = ctx;

    if (err != ERR_OK) {
        offer->done(offer->ctx, err);
        return;
    }
    assert(n == offer->kept_n);
    for (size_t i = 0; i < n; i++) {
        size_t e = offer->kept_event[i];
        struct ingest_verdict *verdict = &offer->verdicts[e];

        verdict->part = results[i].part;
        verdict->err = results[i].err;
        if (results[i].err == ERR_NO_PASS) {
            /* P7: withdrawn or erased between the look-up and the write: storage has the last word. */
            verdict->outcome = INGEST_REFUSED;
            (void)why_say(&verdict->why, ERR_NO_PASS, "no_consent", "/identifier",
                          "consent `store` was withdrawn meanwhile: nothing was kept");
        } else if (results[i].err != ERR_OK) {
            verdict->outcome = INGEST_FAILED;
        } else if (results[i].stored == STORAGE_DUPLICATE) {
            verdict->outcome = INGEST_DUPLICATE;
        } else {
            verdict->outcome = offer->plans[e].is_anonymous ? INGEST_ANONYMOUS : INGEST_ACCEPTED;
        }
    }
    link_next(offer);
}
