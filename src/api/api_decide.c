/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/decide: events in, rows out, one round trip (product.md 7.2; house.md 10, life of a decision).
 *
 *     read       who, context, events, placements; all faults at once
 *     identified the first identifier that is known names the customer; others that differ are told
 *     loaded     one view of the customer; a pass, or the anonymous picture
 *     answer     decide_run between publish_enter and publish_leave; reply; the trace
 *     after      the call's events are offered to ingest; nobody waits for them (settled.md 2.4)
 *
 * Never an error page in a shop window: once the body is read, storage that fails or is late gives the
 * anonymous row with `fallback:"late"`. */
#include "api/api_call.h"
#include "api/api_intake.h"
#include "api/api_ticket.h"
#include "api/api_trace.h"
#include "api/decide_call.h"
#include "base/hash.h"
#include "base/json_write.h"
#include "base/metric.h"
#include "consent/consent.h"
#include "decide/decide.h"
#include "decide/explain.h"
#include "identity/identifier.h"
#include "ingest/ingest.h"
#include "model/model.h"
#include "picture/picture.h"

#include <assert.h>
#include <string.h>

/* ---- the answer ---- */

static const char *const mode_words[] = {[DECIDE_PERSONAL] = "personal",
                                         [DECIDE_SESSION] = "session",
                                         [DECIDE_ANONYMOUS] = "anonymous",
                                         [DECIDE_SYNTHETIC] = "synthetic"};

static struct bytes because_title(const struct api_tenant *tenant, struct item_id id)
{
    const struct item *item = id.v ? catalog_item(tenant->catalog, id) : NULL;

    return item ? item->title : (struct bytes){0};
}

static void write_addends(struct json_write *w, const struct decide_call *call, const struct decide_item *item)
{
    json_write_array(w, "addends");
    for (size_t i = 0; i < item->addends_n; i++) {
        const struct decide_part_score *addend = &item->addends[i];
        const struct item *because = addend->because.v ? catalog_item(call->caller.tenant->catalog, addend->because) : NULL;

        json_write_object(w, NULL);
        json_write_word(w, "code", explain_code(addend->reason));
        json_write_fixed(w, "score", (double)addend->score, 6);
        if (because != NULL) {
            json_write_text(w, "because", because->id_text);
        }
        json_write_end(w);
    }
    json_write_end(w);
}

static void write_stock(struct json_write *w, const struct decide_call *call, struct item_id item)
{
    int64_t milli;

    if (call->context.store.v == 0 || !catalog_stock(call->caller.tenant->catalog, call->context.store, item, &milli)) {
        return;
    }
    json_write_object(w, "stock");
    json_write_text(w, "store", call->store_text);
    json_write_fixed(w, "here", (double)milli / 1000.0, milli % 1000 ? 3 : 0);
    json_write_end(w);
}

static void write_item(struct json_write *w, struct decide_call *call, const struct decide_item *served, size_t position,
                       uint64_t model)
{
    const struct api_tenant *tenant = call->caller.tenant;
    const struct item *item = catalog_item(tenant->catalog, served->id);
    char text[TICKET_TEXT_BYTES + 1];
    struct ticket ticket = {.tenant = tenant->id,
                            .item = served->id,
                            .position = (uint8_t)(position + 1),
                            .propensity = 1,
                            .model = model,
                            .day = (uint16_t)time_day(call->now_ms),
                            .customer = call->ticketed};

    memcpy(ticket.decision, call->decision, sizeof(ticket.decision));
    ticket_write(api_of(call->request), &ticket, text);
    json_write_object(w, NULL);
    json_write_text(w, "id", served->id_text);
    json_write_fixed(w, "score", (double)served->score, 6);
    json_write_word(w, "ticket", text);
    if (call->explain != EXPLAIN_NONE) {
        json_write_array(w, "reasons");
        json_write_object(w, NULL);
        json_write_word(w, "code", explain_code(served->reason));
        json_write_text(w, "text",
                        explain_text(served->reason, call->language, because_title(tenant, served->because), call->request->arena));
        json_write_end(w);
        json_write_end(w);
    }
    if (call->explain == EXPLAIN_INNER) {
        json_write_bool(w, "personal", served->is_personal);
        write_addends(w, call, served);
    }
    if (item != NULL) {
        int64_t price_minor = catalog_price(item, call->now_ms);

        if (price_minor >= 0) {
            json_write_money(w, "price", price_minor, item->currency);
        }
        write_stock(w, call, served->id);
        json_write_text(w, "title", item->title);
        if (item->url.n > 0) {
            json_write_text(w, "url", item->url);
        }
        if (item->image.n > 0) {
            json_write_text(w, "image", item->image);
        }
    }
    json_write_end(w);
}

static void write_inner(struct json_write *w, const struct decide_call *call, const struct decide_row *row)
{
    json_write_object(w, "inner");
    json_write_int(w, "found", (int64_t)row->found_n);
    json_write_int(w, "kept", (int64_t)row->kept_n);
    json_write_int(w, "dropped", (int64_t)row->dropped_n);
    json_write_int(w, "events", call->picture->life->events_n);
    json_write_int(w, "callEvents", (int64_t)call->picture->call_events_n);
    json_write_object(w, "droppedBy");
    for (int i = 1; i < DROPS_; i++) {
        if (row->dropped_by[i] > 0) {
            json_write_int(w, explain_drop((enum decide_drop)i), (int64_t)row->dropped_by[i]);
        }
    }
    json_write_end(w);
    json_write_array(w, "droppedItems");
    for (size_t i = 0; i < row->dropped_listed_n; i++) {
        json_write_object(w, NULL);
        json_write_text(w, "id", row->dropped[i].id_text);
        json_write_word(w, "by", explain_drop(row->dropped[i].why));
        json_write_fixed(w, "score", (double)row->dropped[i].score, 6);
        json_write_end(w);
    }
    json_write_end(w);
    json_write_end(w);
}

static void write_rows(struct json_write *w, struct decide_call *call, const struct decide_result *result, uint64_t model)
{
    json_write_object(w, "placements");
    for (size_t i = 0; i < result->rows_n; i++) {
        const struct decide_row *row = &result->rows[i];

        json_write_key(w, row->name);
        json_write_object(w, NULL);
        json_write_bool(w, "personal", row->is_personal);
        json_write_word(w, "fallback", explain_fallback(row->fallback));
        json_write_null(w, "variant");
        json_write_array(w, "items");
        for (size_t j = 0; j < row->items_n; j++) {
            write_item(w, call, &row->items[j], j, model);
        }
        json_write_end(w);
        if (call->explain == EXPLAIN_INNER) {
            write_inner(w, call, row);
        }
        json_write_end(w);
    }
    json_write_end(w);
}

static void write_events(struct json_write *w, const struct decide_call *call)
{
    json_write_array(w, "events");
    for (size_t i = 0; i < call->events_n; i++) {
        const struct event *event = &call->events[i];
        bool is_bad = event->kind == EVENT_NONE;
        /* Of a customer named by cus_... no identifier is known to keep it under: sending it again would not help. */
        bool is_nobodys = !is_bad && call->person.customer.v != 0 && event->identifiers_n == 0;
        bool is_sale = event->kind == EVENT_PURCHASE || event->kind == EVENT_RETURN;

        json_write_object(w, NULL);
        json_write_int(w, "index", (int64_t)i);
        if (!is_bad) {
            json_write_text(w, "id", call->events[i].id);
        }
        json_write_word(w, "verdict", is_bad ? "quarantined" : !is_nobodys ? "pending" : is_sale ? "anonymous" : "refused");
        if (is_nobodys) {
            json_write_word(w, "code", "no_identifier");
            json_write_word(w, "detail", "counted in this answer only: an event is kept under an identifier; name one in customer.ids");
        }
        if (is_bad) {
            json_write_word(w, "code", call->verdicts[i].why.code);
            json_write_word(w, "detail", call->verdicts[i].why.says);
            json_write_word(w, "pointer", call->verdicts[i].why.field);
        } else if (call->is_ticket_ignored[i]) {
            json_write_word(w, "ticket", "ignored");
        }
        json_write_end(w);
    }
    json_write_end(w);
}

static void write_tail(struct json_write *w, const struct decide_call *call)
{
    json_write_word(w, "action", "offer");
    json_write_null(w, "question");
    json_write_object(w, "consents");
    for (int i = 0; i <= PURPOSE_MAIL; i++) {
        enum consent_state state = consent_word_get(call->word, (enum purpose)i);

        json_write_word(w, event_purpose_word((enum purpose)i), event_consent_word(state == CONSENT_UNSAID ? CONSENT_REFUSED : state));
    }
    json_write_end(w);
    if (call->person.is_unproved) {
        json_write_word(w, "identity", "unproved");
    } else if (call->is_not_linked) {
        json_write_word(w, "identity", "notLinked");
    }
    write_events(w, call);
    json_write_object(w, "unknown");
    json_write_array(w, "items");
    for (size_t i = 0; i < call->unknown_items_n; i++) {
        json_write_text(w, NULL, call->unknown_item[i]);
    }
    json_write_end(w);
    json_write_array(w, "placements");
    for (size_t i = 0; i < call->placements_n; i++) {
        if (!call->is_known_placement[i]) {
            json_write_text(w, NULL, call->placements[i].name);
        }
    }
    json_write_end(w);
    json_write_end(w);
}

static void keep_trace(const struct decide_call *call, const struct decide_result *result, struct bytes model_hash,
                       uint64_t learned)
{
    struct api_trace trace = {.tenant = call->caller.tenant->id,
                              .customer = call->customer,
                              .at_ms = call->now_ms,
                              .picture = call->picture->hash,
                              .learned = learned,
                              .mode = (uint8_t)call->mode,
                              .rows_n = (uint8_t)result->rows_n};

    memcpy(trace.id, call->decision, sizeof(trace.id));
    memcpy(trace.model, model_hash.p ? model_hash.p : "", model_hash.n < sizeof(trace.model) ? model_hash.n : 0);
    for (size_t i = 0; i < result->rows_n; i++) {
        const struct decide_row *row = &result->rows[i];

        trace.found_n += (uint32_t)row->found_n;
        trace.dropped_n += (uint32_t)row->dropped_n;
        for (size_t j = 0; j < row->items_n && trace.items_n < API_TRACE_ITEMS; j++) {
            trace.items[trace.items_n++] = (struct api_trace_item){.id = row->items[j].id,
                                                                   .because = row->items[j].because,
                                                                   .score = row->items[j].score,
                                                                   .reason = (uint8_t)row->items[j].reason,
                                                                   .position = (uint8_t)(j + 1),
                                                                   .row = (uint8_t)i,
                                                                   .is_personal = row->items[j].is_personal};
        }
    }
    api_traces_add(api_of(call->request)->traces, &trace);
}

static uint64_t first_bytes_of(struct bytes hex)
{
    uint64_t v = 0;

    for (size_t i = 0; i < 16 && i < hex.n; i++) {
        char c = hex.p[i];

        v = v << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return v;
}

static void offered(void *ctx, enum err err)
{
    struct decide_call *call = ctx;

    /* Best effort: the sender repeats what is `pending` through /v1/events, and ids make that harmless. */
    if (err == ERR_OK) {
        api_intake_learn(call->request, call->caller.tenant, call->events, call->verdicts, call->events_n);
    }
    http_request_release(call->request);
}

static void after_reply(struct http_request *request, void *ctx)
{
    struct decide_call *call = ctx;
    struct api_loop *loop = api_loop_of(request);

    http_request_hold(request);
    ingest_offer(loop->api->storage, loop->loop, &call->door, call->events, call->events_n, call->verdicts, request->arena,
                 offered, call);
}

static void answer(struct decide_call *call)
{
    static struct metric took = {
        .kind = METRIC_HISTOGRAM, .name = "falun_decide_seconds", .help = "From the body read to the row written."};
    struct http_request *request = call->request;
    struct api_loop *loop = api_loop_of(request);
    struct model_view view;
    struct decide_world world;
    struct decide_request ask = {.picture = call->picture,
                                 .mode = call->mode,
                                 .variant = VARIANT_ONE_TO_ONE,
                                 .fallback = call->fallback,
                                 .context = call->context,
                                 .placements = call->placements,
                                 .placements_n = call->placements_n,
                                 .now_ms = call->now_ms,
                                 .keep_drops = call->explain == EXPLAIN_INNER};
    struct decide_result result;
    struct json_write w;
    struct bytes hash = {0};
    enum err err;
    char text[40];

    put_be64(call->decision, rng_next(loop->chance));
    put_be64(call->decision + 8, rng_next(loop->chance));
    publish_enter(loop->api->publish, loop->slot);
    view = api_view(call->caller.tenant);
    if (call->customer.v != 0) { /* nobody is the neighbour of their own visit */
        view.owner = hash_owner(loop->api->owner_key, call->caller.tenant->id, call->customer.v);
        view.also = call->owners;
        view.also_n = call->owners_n;
    }
    world = (struct decide_world){view, call->caller.tenant->catalog};
    err = decide_run(&world, &ask, request->arena, &result);
    if (err != ERR_OK) {
        publish_leave(loop->api->publish, loop->slot);
        http_reply_err(request, err, NULL);
        return;
    }
    hash = world.view.base ? arena_copy(request->arena, model_hash(world.view.base)) : hash;
    json_write_open(&w, request->arena, 4096);
    json_write_object(&w, NULL);
    hash_hex(call->decision, sizeof(call->decision), text);
    json_write_text(&w, "decisionId", arena_format(request->arena, "dec_%s", text));
    json_write_text(&w, "picture", arena_format(request->arena, "%016llx", (unsigned long long)call->picture->hash));
    json_write_word(&w, "mode", mode_words[call->mode]);
    json_write_text(&w, "model", hash);
    json_write_int(&w, "learned", (int64_t)api_learned(&view));
    json_write_fixed(&w, "took", (double)api_took_us(request) / 1000.0, 3);
    write_rows(&w, call, &result, first_bytes_of(hash));
    publish_leave(loop->api->publish, loop->slot);
    write_tail(&w, call);
    json_write_end(&w);
    if (call->mode != DECIDE_SYNTHETIC) {
        keep_trace(call, &result, hash, api_learned(&view));
    }
    if (call->readable_n > 0 && call->mode == DECIDE_PERSONAL) {
        http_request_after(request, after_reply, call);
    }
    metric_observe_us(&took, api_took_us(request));
    http_reply_json(request, 200, &w);
}

/* ---- the picture ---- */

/* Impressions and clicks of the call become events of their items before they are counted. */
static void open_tickets(struct decide_call *call, struct customer_id customer)
{
    struct api_sender sender = {.customer = customer, .part = call->identity.part};

    if (call->person.identifiers_n > 0) {
        sender.identifier = call->person.identifiers[0];
    }
    for (size_t i = 0; i < call->events_n; i++) {
        call->is_ticket_ignored[i] = !api_ticket_open(call->request, call->caller.tenant, &sender, &call->events[i]);
    }
}

/* The row of somebody we may not know, or do not: of the call's own events where the visit may speak, else of nothing. */
static void answer_nameless(struct decide_call *call, enum decide_fallback fallback)
{
    bool may_session = call->mode != DECIDE_ANONYMOUS;
    enum err err;

    open_tickets(call, (struct customer_id){0});
    err = picture_of_events(call->caller.tenant->id, may_session ? call->counted : NULL, may_session ? call->counted_n : 0,
                            call->now_ms, call->request->arena, &call->picture);

    if (err != ERR_OK) {
        http_reply_err(call->request, err, NULL);
        return;
    }
    call->customer.v = 0;
    if (may_session && call->person.identifiers_n > 0) {
        call->ticketed = ticket_stranger(api_of(call->request), call->caller.tenant->id, call->person.identifiers[0]);
    }
    call->fallback = fallback;
    answer(call);
}

/* Consent always narrows the mode; what was asked narrows it further (product.md 7.2). */
static enum decide_mode mode_of(const struct decide_call *call)
{
    enum consent_state said = consent_word_get(call->word, PURPOSE_PERSONALISE);

    if (call->asked == DECIDE_ANONYMOUS) {
        return DECIDE_ANONYMOUS;
    }
    /* P7: who withdrew `store` has no profile to be used, whatever was said of personalising. */
    if (said == CONSENT_GRANTED && (consent_may(call->word, PURPOSE_STORE) || call->asked == DECIDE_SESSION)) {
        return call->asked != 0 ? call->asked : DECIDE_PERSONAL;
    }
    /* The visit's own events, asked for by word, are used and forgotten; not after a refusal. */
    return said == CONSENT_UNSAID && call->asked == DECIDE_SESSION ? DECIDE_SESSION : DECIDE_ANONYMOUS;
}

/* Best effort: without them the customer's own visit may count among those alike. */
static void name_owners(struct decide_call *call, const struct sealed_customer *customer)
{
    uint64_t *owners = arena_array(call->request->arena, customer->parts_n + 1, sizeof(*owners));

    for (size_t i = 0; owners != NULL && i < customer->parts_n; i++) {
        if (customer->parts[i].part.v != customer->customer.v) {
            owners[call->owners_n++] = hash_owner(api_of(call->request)->owner_key, call->caller.tenant->id,
                                                  customer->parts[i].part.v);
        }
    }
    call->owners = owners;
}

static void loaded(void *ctx, enum err err, const struct sealed_customer *customers, size_t n)
{
    struct decide_call *call = ctx;
    struct pass_request ask = {.purpose = PURPOSE_PERSONALISE,
                               .call_word = call->call_word,
                               .has_gpc = call->has_gpc,
                               .is_gated = call->caller.is_gated,
                               .now_ms = call->now_ms};
    struct pass_room room;
    const struct pass *pass;

    if (err != ERR_OK) {
        call->mode = DECIDE_ANONYMOUS;
        answer_nameless(call, FALLBACK_LATE);
        return;
    }
    if (n != 1 || customers[0].customer.v == 0 ||
        pass_word(&customers[0], &ask, call->request->arena, &call->word) != ERR_OK) {
        call->mode = mode_of(call);
        answer_nameless(call, FALLBACK_UNKNOWN_CUSTOMER);
        return;
    }
    call->mode = mode_of(call);
    pass = pass_for(&customers[0], &ask, call->request->arena, &room);
    if (pass == NULL || (call->mode != DECIDE_PERSONAL && call->mode != DECIDE_SYNTHETIC)) {
        answer_nameless(call, pass == NULL || call->mode != call->asked ? FALLBACK_NO_CONSENT : FALLBACK_NONE);
        return;
    }
    open_tickets(call, customers[0].customer);
    err = picture_open(pass, &customers[0], call->counted, call->counted_n, call->now_ms, call->request->arena, &call->picture);
    if (err != ERR_OK) {
        call->mode = DECIDE_ANONYMOUS;
        answer_nameless(call, FALLBACK_LATE);
        return;
    }
    call->customer = call->ticketed = customers[0].customer;
    name_owners(call, &customers[0]);
    answer(call);
}

static void load(struct decide_call *call, struct customer_id customer)
{
    struct api_loop *loop = api_loop_of(call->request);
    struct storage_key key = {call->caller.tenant->id, customer};

    storage_load(loop->api->storage, loop->loop, &key, 1, call->deadline_ms, loaded, call);
}

/* ---- whose events: an event of the call that names somebody else is offered to ingest and not counted here ---- */

static bool is_of_person(const struct decide_call *call, const struct storage_identifier *identifier)
{
    for (size_t i = 0; i < call->person.identifiers_n; i++) {
        if (call->person.identifiers[i].kind == identifier->kind &&
            bytes_equal(call->person.identifiers[i].value, identifier->value)) {
            return true;
        }
    }
    return false;
}

/* identities, n: of call->named, in the order of the events that name somebody. */
static void keep_own(struct decide_call *call, const struct storage_identity *identities, struct customer_id customer)
{
    size_t kept = 0, at = 0;

    for (size_t i = 0; i < call->counted_n; i++) {
        bool is_own = !call->is_named[i];
        size_t n = is_own ? 0 : call->named_n[i];

        for (size_t j = 0; j < n; j++, at++) {
            is_own = is_own || is_of_person(call, &call->named[at]) ||
                     (identities[at].how != STORAGE_UNKNOWN && customer.v != 0 && identities[at].customer.v == customer.v);
        }
        if (is_own) {
            call->counted[kept++] = call->counted[i];
        }
    }
    call->counted_n = kept;
}

static void identified(void *ctx, enum err err, const struct storage_identity *identities, size_t n)
{
    struct decide_call *call = ctx;
    size_t own_n = call->person.customer.v != 0 ? 0 : call->person.identifiers_n;
    const struct storage_identity *chosen = NULL;

    assert(err != ERR_OK || n >= own_n);
    for (size_t i = 0; err == ERR_OK && i < own_n; i++) {
        if (identities[i].how == STORAGE_UNKNOWN) {
            continue;
        }
        if (chosen == NULL) {
            chosen = &identities[i];
        } else if (chosen->customer.v != identities[i].customer.v) {
            call->is_not_linked = true;
        }
    }
    if (err != ERR_OK) {
        call->counted_n = 0;
    } else if (n > own_n) {
        keep_own(call, identities + own_n, chosen ? chosen->customer : call->person.customer);
    }
    if (call->person.customer.v != 0) {
        load(call, call->person.customer);
        return;
    }
    if (chosen != NULL) {
        call->identity = *chosen;
        load(call, chosen->customer);
        return;
    }
    call->word = consent_in_force(0, call->call_word, call->has_gpc, call->caller.is_gated);
    call->mode = err == ERR_OK ? mode_of(call) : DECIDE_ANONYMOUS;
    if (err != ERR_OK) {
        answer_nameless(call, FALLBACK_LATE);
    } else {
        answer_nameless(call, call->mode != DECIDE_ANONYMOUS || call->asked == DECIDE_ANONYMOUS
                                  ? FALLBACK_UNKNOWN_CUSTOMER
                                  : FALLBACK_NO_CONSENT);
    }
}

/* Puts the identifiers that events name into `to`, normalised; one that is none, or is claimed without proof, is looked up
 * as nobody. Gives how many. */
static size_t named_identifiers(struct decide_call *call, struct storage_identifier *to)
{
    size_t n = 0;

    for (size_t i = 0; i < call->counted_n; i++) {
        for (size_t j = 0; call->is_named[i] && j < call->counted[i]->identifiers_n; j++) {
            struct event_identifier identifier = call->counted[i]->identifiers[j];

            if (identifier_normalise(&identifier, bytes_of(call->caller.tenant->country), call->request->arena, NULL) != ERR_OK ||
                (!call->door.is_server && !identifier_is_device(identifier.kind))) {
                continue;
            }
            to[n++] = (struct storage_identifier){identifier.kind, identifier.value};
            call->named_n[i]++;
        }
    }
    return n;
}

static void identify(struct decide_call *call)
{
    struct api_loop *loop = api_loop_of(call->request);
    size_t n = call->person.customer.v != 0 ? 0 : call->person.identifiers_n;
    size_t most = n + call->counted_n * EVENT_IDENTIFIERS_MAX;
    struct storage_identifier *identifiers = arena_array(call->request->arena, most + 1, sizeof(*identifiers));

    call->named_n = arena_array(call->request->arena, call->counted_n + 1, sizeof(*call->named_n));
    if (identifiers == NULL || call->named_n == NULL) {
        http_reply_err(call->request, ERR_NOMEM, NULL);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        identifiers[i] = (struct storage_identifier){call->person.identifiers[i].kind, call->person.identifiers[i].value};
    }
    call->named = identifiers + n;
    n += named_identifiers(call, identifiers + n);
    storage_identify(loop->api->storage, loop->loop, call->caller.tenant->id, identifiers, n, false, call->caller.source,
                     identified, call);
}

static void decide_post(struct http_request *request)
{
    static const char *const no_query[] = {"writeKey", NULL};
    struct api_caller caller;
    struct decide_call *call;
    const struct json_node *root;
    struct json_form form = {0};

    if (!api_caller_of(request, API_PUBLIC | API_SECRET, &caller) || !api_query_known(request, no_query) ||
        !api_body(request, &root)) {
        return;
    }
    call = arena_take(request->arena, sizeof(*call));
    if (call == NULL) {
        http_reply_err(request, ERR_NOMEM, NULL);
        return;
    }
    call->request = request;
    call->caller = caller;
    call->now_ms = request->received_ms;
    call->has_gpc = api_has_gpc(request);
    publish_enter(api_of(request)->publish, api_loop_of(request)->slot);
    decide_call_read(call, root, &form);
    publish_leave(api_of(request)->publish, api_loop_of(request)->slot);
    if (form.faults_n > 0) {
        http_reply_faults(request, &form);
        return;
    }
    call->door = (struct ingest_door){.tenant = caller.tenant->id,
                                      .source = caller.source,
                                      .country = bytes_of(caller.tenant->country),
                                      .is_gated = caller.is_gated,
                                      .is_server = caller.is_server || caller.who == API_SECRET,
                                      .has_gpc = call->has_gpc,
                                      .call_word = call->call_word,
                                      .now_ms = request->received_ms};
    identify(call);
}

/* ---- GET /v1/decisions/{id} ---- */

static bool decision_id(struct bytes text, uint8_t out_id[16])
{
    if (text.n != 36 || !bytes_starts(text, BYTES_LIT("dec_"))) {
        return false;
    }
    for (size_t i = 0; i < 32; i++) {
        char c = text.p[4 + i];
        int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

        if (v < 0) {
            return false;
        }
        out_id[i / 2] = (uint8_t)(i % 2 ? out_id[i / 2] | v : v << 4);
    }
    return true;
}

static void write_trace(struct http_request *request, const struct api_tenant *tenant, const struct api_trace *trace)
{
    struct api_loop *loop = api_loop_of(request);
    struct json_write w;

    json_write_open(&w, request->arena, 4096);
    json_write_object(&w, NULL);
    json_write_text(&w, "decisionId", request->params[0]);
    json_write_time(&w, "at", trace->at_ms);
    json_write_text(&w, "picture", arena_format(request->arena, "%016llx", (unsigned long long)trace->picture));
    json_write_word(&w, "model", trace->model);
    json_write_int(&w, "learned", (int64_t)trace->learned);
    json_write_word(&w, "mode", mode_words[trace->mode]);
    json_write_word(&w, "trace", "kept");
    json_write_int(&w, "found", trace->found_n);
    json_write_int(&w, "dropped", trace->dropped_n);
    json_write_array(&w, "items");
    publish_enter(loop->api->publish, loop->slot);
    for (size_t i = 0; i < trace->items_n; i++) {
        const struct item *item = catalog_item(tenant->catalog, trace->items[i].id);
        const struct item *because = catalog_item(tenant->catalog, trace->items[i].because);

        json_write_object(&w, NULL);
        json_write_text(&w, "id", item ? item->id_text : BYTES_LIT(""));
        json_write_int(&w, "placement", trace->items[i].row);
        json_write_int(&w, "position", trace->items[i].position);
        json_write_fixed(&w, "score", (double)trace->items[i].score, 6);
        json_write_word(&w, "code", explain_code((enum decide_reason)trace->items[i].reason));
        json_write_bool(&w, "personal", trace->items[i].is_personal);
        if (because != NULL) {
            json_write_text(&w, "because", because->id_text);
        }
        json_write_end(&w);
    }
    publish_leave(loop->api->publish, loop->slot);
    json_write_end(&w);
    json_write_end(&w);
    http_reply_json(request, 200, &w);
}

static void decision_get(struct http_request *request)
{
    static const char *const no_query[] = {NULL};
    struct api_caller caller;
    struct api_trace trace;
    uint8_t id[16];

    if (!api_caller_of(request, API_SECRET, &caller) || !api_query_known(request, no_query)) {
        return;
    }
    if (!decision_id(request->params[0], id) || !api_traces_get(api_of(request)->traces, id, caller.tenant->id, &trace)) {
        http_reply_problem(request, 404, "unknown_decision", "no such decision is among the last %d; ask again with explain inner",
                           API_TRACES);
        return;
    }
    write_trace(request, caller.tenant, &trace);
}

const struct http_route api_decide_routes[] = {
    {HTTP_METHOD_POST, "/v1/decide", decide_post, HTTP_ROUTE_PLAIN, 0},
    {HTTP_METHOD_GET, "/v1/decisions/{id}", decision_get, HTTP_ROUTE_NO_CORS, 0},
};
const size_t api_decide_routes_n = sizeof(api_decide_routes) / sizeof(api_decide_routes[0]);
