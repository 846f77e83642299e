/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a customer, its consents, its links (product.md 7.5). Each read carries a pass: the
 * secret key's (staff, purpose `store`, told in the log without naming the customer) or the device's own. */
#include "api/api.h"
#include "api/api_trace.h"
#include "api/api_who.h"
#include "base/hash.h"
#include "base/json_form.h"
#include "base/json_write.h"
#include "base/log.h"
#include "consent/consent.h"
#include "identity/identifier.h"
#include "picture/picture.h"
#include "profile/declared.h"
#include "profile/profile.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BASKETS_SHOWN = 12, LOOKS_SHOWN = 24, REPEATS_SHOWN = 20 };

struct call { /* a call about one customer; request->state */
    struct http_request *request;
    struct api_caller caller;
    struct api_person person;
    struct storage_identity identity;
    struct storage_key key;
    struct consent_statement said[PURPOSES_];
    size_t said_n;
    bool withdraws_store;
    struct storage_identifier other; /* of a link */
    uint8_t strength;
    void (*found)(struct call *call); /* next, once the customer's key is known */
};

static struct call *call_new(struct http_request *request, void (*found)(struct call *call))
{
    struct call *call = arena_take(request->arena, sizeof(*call));

    if (call == NULL) {
        http_reply_err(request, ERR_NOMEM, NULL);
        return NULL;
    }
    call->request = request;
    call->found = found;
    return call;
}

static void unknown_customer(struct call *call)
{
    http_reply_problem(call->request, 404, "unknown_customer",
                       "nothing is known of this customer; it may have refused, been erased, or never been seen");
}

/* ---- finding ---- */

static void identified(void *ctx, enum err err, const struct storage_identity *identities, size_t n)
{
    struct call *call = ctx;

    if (err != ERR_OK) {
        http_reply_err(call->request, err, NULL);
        return;
    }
    assert(n == 1);
    call->identity = identities[0];
    call->key = (struct storage_key){call->caller.tenant->id, identities[0].customer};
    call->found(call);
}

/* Finds the customer of call->person, making it when `create` and it has an identifier. */
static void find(struct call *call, bool create)
{
    struct api_loop *loop = api_loop_of(call->request);
    struct storage_identifier *identifier;

    if (call->person.customer.v != 0) {
        call->key = (struct storage_key){call->caller.tenant->id, call->person.customer};
        call->identity.how = STORAGE_FOUND;
        call->identity.customer = call->person.customer;
        call->found(call);
        return;
    }
    identifier = arena_take(call->request->arena, sizeof(*identifier));
    if (identifier == NULL) {
        http_reply_err(call->request, ERR_NOMEM, NULL);
        return;
    }
    *identifier = (struct storage_identifier){call->person.identifiers[0].kind, call->person.identifiers[0].value};
    storage_identify(loop->api->storage, loop->loop, call->caller.tenant->id, identifier, 1, create, call->caller.source,
                     identified, call);
}

/* ---- GET /v1/customers/{c} ---- */

struct repeat {
    struct item_id item;
    uint32_t times;
    int64_t newest_ms;
};

static int by_item(const void *a, const void *b)
{
    const struct repeat *x = a, *y = b;

    return x->item.v != y->item.v ? (x->item.v < y->item.v ? -1 : 1) : (x->newest_ms < y->newest_ms) - (x->newest_ms > y->newest_ms);
}

static int by_times(const void *a, const void *b)
{
    const struct repeat *x = a, *y = b;

    if (x->times != y->times) {
        return x->times > y->times ? -1 : 1;
    }
    if (x->newest_ms != y->newest_ms) {
        return x->newest_ms > y->newest_ms ? -1 : 1;
    }
    return (x->item.v > y->item.v) - (x->item.v < y->item.v);
}

/* Gives the items bought in two baskets or more, most often first. */
static struct repeat *repeats_of(const struct part *life, struct arena *arena, size_t *out_n)
{
    struct repeat *all = arena_array(arena, life->lines_n + 1, sizeof(*all));
    size_t n = 0, kept = 0;

    *out_n = 0;
    if (all == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < life->baskets_n; i++) {
        const struct part_basket *basket = &life->baskets[i];

        for (size_t j = 0; !basket->is_retracted && j < basket->lines_n; j++) {
            if (life->lines[basket->lines_at + j].quantity_milli > 0) {
                all[n++] = (struct repeat){life->lines[basket->lines_at + j].item, 1, basket->at_ms};
            }
        }
    }
    qsort(all, n, sizeof(*all), by_item);
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && all[kept - 1].item.v == all[i].item.v) {
            all[kept - 1].times++;
        } else {
            all[kept++] = all[i];
        }
    }
    n = kept;
    for (size_t i = kept = 0; i < n; i++) {
        if (all[i].times > 1) {
            all[kept++] = all[i];
        }
    }
    qsort(all, kept, sizeof(*all), by_times);
    *out_n = kept < REPEATS_SHOWN ? kept : REPEATS_SHOWN;
    return all;
}

static void write_item(struct json_write *w, const struct catalog *catalog, struct item_id id)
{
    const struct item *item = catalog_item(catalog, id);

    json_write_text(w, "item", item ? item->id_text : BYTES_LIT(""));
    if (item != NULL && item->title.n > 0) {
        json_write_text(w, "title", item->title);
    }
}

static void write_identifiers(struct json_write *w, const struct sealed_customer *customer, const struct pass *pass)
{
    json_write_array(w, "identifiers");
    for (size_t i = 0; i < customer->identifiers_n; i++) {
        const struct sealed_identifier *identifier = &customer->identifiers[i];
        static const char *const strengths[] = {"own", "weak", "strong", "proved"};

        json_write_object(w, NULL);
        json_write_word(w, "kind", event_identifier_word((enum identifier_kind)identifier->kind));
        json_write_text(w, "value", profile_text(pass, customer, identifier->text));
        json_write_text(w, "source", profile_text(pass, customer, identifier->source));
        json_write_time(w, "time", identifier->linked_ms);
        json_write_word(w, "strength", strengths[identifier->strength & 3]);
        json_write_end(w);
    }
    json_write_end(w);
}

static void write_consents(struct json_write *w, const struct sealed_customer *customer, struct arena *arena, int64_t now_ms)
{
    struct consent consent = {0};

    json_write_object(w, "consents");
    if (consent_read(customer->declared, arena, &consent) == ERR_OK) {
        for (int i = 0; i < PURPOSES_; i++) {
            const struct consent_statement *said = consent_deciding(&consent, (enum purpose)i, now_ms);

            json_write_object(w, event_purpose_word((enum purpose)i));
            json_write_word(w, "state", event_consent_word(said ? said->state : CONSENT_UNSAID));
            if (said != NULL) {
                json_write_time(w, "at", said->at_ms);
                if (said->until_ms != 0) {
                    json_write_time(w, "until", said->until_ms);
                }
                json_write_text(w, "textVersion", said->text_version);
                json_write_text(w, "source", said->source);
            }
            json_write_end(w);
        }
    }
    json_write_end(w);
}

static void write_life(struct json_write *w, const struct part *life, const struct catalog *catalog, const char *currency,
                       struct arena *arena)
{
    size_t repeats_n;
    const struct repeat *repeats = repeats_of(life, arena, &repeats_n);

    json_write_object(w, "seen");
    json_write_int(w, "events", life->events_n);
    if (life->events_n > 0) {
        json_write_time(w, "first", life->first_ms);
        json_write_time(w, "last", life->last_ms);
    }
    json_write_end(w);
    json_write_array(w, "repeats");
    for (size_t i = 0; i < repeats_n; i++) {
        json_write_object(w, NULL);
        write_item(w, catalog, repeats[i].item);
        json_write_int(w, "times", repeats[i].times);
        json_write_time(w, "last", repeats[i].newest_ms);
        json_write_end(w);
    }
    json_write_end(w);
    json_write_array(w, "baskets");
    for (size_t i = 0; i < life->baskets_n && i < BASKETS_SHOWN; i++) {
        const struct part_basket *basket = &life->baskets[i];
        const struct store *store = catalog_store(catalog, basket->store);

        if (basket->is_retracted) {
            continue;
        }
        json_write_object(w, NULL);
        json_write_time(w, "at", basket->at_ms);
        json_write_word(w, "channel", basket->channel ? event_channel_word((enum channel)basket->channel) : NULL);
        if (store != NULL) {
            json_write_text(w, "store", store->id_text);
        }
        json_write_array(w, "lines");
        for (size_t j = 0; j < basket->lines_n; j++) {
            const struct part_line *line = &life->lines[basket->lines_at + j];

            json_write_object(w, NULL);
            write_item(w, catalog, line->item);
            json_write_fixed(w, "quantity", line->quantity_milli / 1000.0, 3);
            json_write_money(w, "paid", line->paid_minor, currency);
            json_write_end(w);
        }
        json_write_end(w);
        json_write_end(w);
    }
    json_write_end(w);
    json_write_array(w, "looks");
    for (size_t i = 0; i < life->looks_n && i < LOOKS_SHOWN; i++) {
        json_write_object(w, NULL);
        json_write_time(w, "at", life->looks[i].at_ms);
        json_write_word(w, "kind", event_kind_word((enum event_kind)life->looks[i].kind));
        write_item(w, catalog, life->looks[i].item);
        json_write_end(w);
    }
    json_write_end(w);
    json_write_array(w, "months");
    for (size_t i = 0; i < life->months_n; i++) {
        int month = (life->months[i].month % 12 + 12) % 12;

        json_write_object(w, NULL);
        json_write_text(w, "month",
                        arena_format(arena, "%04d-%02d", 1970 + (life->months[i].month - month) / 12, month + 1));
        json_write_int(w, "purchases", life->months[i].purchases);
        json_write_int(w, "lines", life->months[i].lines);
        json_write_int(w, "looks", life->months[i].looks);
        json_write_money(w, "paid", life->months[i].paid_minor, currency);
        json_write_end(w);
    }
    json_write_end(w);
}

static void customer_loaded(void *ctx, enum err err, const struct sealed_customer *customers, size_t n)
{
    struct call *call = ctx;
    struct http_request *request = call->request;
    struct api_loop *loop = api_loop_of(request);
    struct pass_request ask = {.purpose = PURPOSE_STORE, .is_owner_or_staff = true, .now_ms = request->received_ms};
    struct pass_room room;
    const struct pass *pass;
    const struct picture *picture;
    struct json_write w;
    char id[API_CUSTOMER_BYTES + 1];

    if (err == ERR_OK && (n != 1 || customers[0].customer.v == 0)) {
        unknown_customer(call);
        return;
    }
    pass = err == ERR_OK ? pass_for(&customers[0], &ask, request->arena, &room) : NULL;
    err = err == ERR_OK ? picture_open(pass, &customers[0], NULL, 0, request->received_ms, request->arena, &picture) : err;
    if (err != ERR_OK) {
        http_reply_err(request, err, NULL);
        return;
    }
    log_say(LOG_INFO, "api", "a customer was read", "by=%.*s purpose=store", (int)call->caller.source.n,
            call->caller.source.p);
    json_write_open(&w, request->arena, 8192);
    json_write_object(&w, NULL);
    api_customer_text(loop->api, customers[0].tenant, customers[0].customer, id);
    json_write_word(&w, "id", id);
    json_write_text(&w, "picture", arena_format(request->arena, "%016llx", (unsigned long long)picture->hash));
    write_identifiers(&w, &customers[0], pass);
    write_consents(&w, &customers[0], request->arena, request->received_ms);
    publish_enter(loop->api->publish, loop->slot);
    write_life(&w, picture->life, call->caller.tenant->catalog, call->caller.tenant->currency, request->arena);
    publish_leave(loop->api->publish, loop->slot);
    json_write_end(&w);
    http_reply_json(request, 200, &w);
}

static void load_found(struct call *call)
{
    struct api_loop *loop = api_loop_of(call->request);

    if (call->identity.how == STORAGE_UNKNOWN) {
        unknown_customer(call);
        return;
    }
    storage_load(loop->api->storage, loop->loop, &call->key, 1, 0, customer_loaded, call);
}

static void customer_get(struct http_request *request)
{
    static const char *const known[] = {"view", NULL};
    struct api_caller caller;
    struct call *call;

    if (!api_caller_of(request, API_SECRET, &caller) || !api_query_known(request, known)) {
        return;
    }
    call = call_new(request, load_found);
    if (call == NULL) {
        return;
    }
    call->caller = caller;
    if (api_person_path(request, &caller, &call->person)) {
        find(call, false);
    }
}

/* ---- consents ---- */

static void consents_loaded(void *ctx, enum err err, const struct sealed_customer *customers, size_t n)
{
    struct call *call = ctx;
    struct json_write w;

    if (err != ERR_OK) {
        http_reply_err(call->request, err, NULL);
        return;
    }
    if (n != 1 || customers[0].customer.v == 0) {
        unknown_customer(call);
        return;
    }
    json_write_open(&w, call->request->arena, 1024);
    json_write_object(&w, NULL);
    write_consents(&w, &customers[0], call->request->arena, call->request->received_ms);
    json_write_end(&w);
    http_reply_json(call->request, 200, &w);
}

static void consents_found(struct call *call)
{
    struct api_loop *loop = api_loop_of(call->request);

    if (call->identity.how == STORAGE_UNKNOWN) {
        unknown_customer(call);
        return;
    }
    storage_load(loop->api->storage, loop->loop, &call->key, 1, 0, consents_loaded, call);
}

static void consents_get(struct http_request *request)
{
    static const char *const known[] = {NULL};
    struct api_caller caller;
    struct call *call;

    if (!api_caller_of(request, API_PUBLIC | API_SECRET, &caller) || !api_query_known(request, known)) {
        return;
    }
    call = call_new(request, consents_found);
    if (call == NULL) {
        return;
    }
    call->caller = caller;
    if (api_person_path(request, &caller, &call->person)) {
        find(call, false);
    }
}

static void consent_reply(struct call *call, bool is_kept)
{
    const struct consent_statement *said = &call->said[0];
    struct json_write w;

    json_write_open(&w, call->request->arena, 512);
    json_write_object(&w, NULL);
    json_write_text(&w, "receiptId", api_random_id(call->request, "rc_"));
    json_write_word(&w, "purpose", event_purpose_word(said->purpose));
    json_write_word(&w, "state", event_consent_word(said->state));
    json_write_time(&w, "from", said->at_ms);
    if (said->until_ms != 0) {
        json_write_time(&w, "until", said->until_ms);
    } else {
        json_write_null(&w, "until");
    }
    json_write_bool(&w, "kept", is_kept);
    json_write_end(&w);
    http_reply_json(call->request, 200, &w);
}

static void withdrawn_erased(void *ctx, enum err err, const struct storage_erased *erased)
{
    struct call *call = ctx;

    if (err != ERR_OK && err != ERR_ABSENT) {
        http_reply_err(call->request, err, NULL);
        return;
    }
    api_traces_forget(api_of(call->request)->traces, call->key.tenant, call->key.customer, erased);
    consent_reply(call, true);
}

static void forgotten(void *ctx, enum err err)
{
    struct call *call = ctx;
    struct api_loop *loop = api_loop_of(call->request);

    if (err != ERR_OK) {
        http_reply_err(call->request, err, NULL);
        return;
    }
    if (!call->withdraws_store) {
        consent_reply(call, true);
        return;
    }
    /* P7: withdrawal or refusal of `store` erases all but the keyed hash and the consent itself (settled.md 1.3). */
    storage_erase(loop->api->storage, loop->loop, call->key, STORAGE_ERASE_WITHDRAWN, withdrawn_erased, call);
}

/* P7: what models hold of them goes first, and is remembered as gone: whatever ends the process, nothing erased is then left in
 * a model. A customer was called like its first part. */
static void withdrawn_loaded(void *ctx, enum err err, const struct sealed_customer *customers, size_t n)
{
    struct call *call = ctx;
    struct api *api = api_of(call->request);
    size_t parts_n = err == ERR_OK && n == 1 ? customers[0].parts_n : 0;
    uint64_t who[API_FORGET_MAX] = {call->key.customer.v};

    if (err != ERR_OK) {
        http_reply_err(call->request, err, NULL);
        return;
    }
    if (api->port.forget == NULL) {
        forgotten(call, ERR_OK);
        return;
    }
    for (size_t i = 0; i < parts_n; i++) {
        who[i + 1] = customers[0].parts[i].part.v;
    }
    api->port.forget(api->port.learner, call->caller.tenant, who, parts_n + 1, call->request->loop, forgotten, call);
}

static void consent_updated(void *ctx, enum err err, const struct storage_updated *updated)
{
    struct call *call = ctx;
    struct api_loop *loop = api_loop_of(call->request);

    if (err != ERR_OK) {
        if (err == ERR_ABSENT) {
            unknown_customer(call);
            return;
        }
        http_reply_err(call->request, err, NULL);
        return;
    }
    call->key = updated->key;
    if (call->withdraws_store || (call->said[0].purpose == PURPOSE_PERSONALISE && call->said[0].state != CONSENT_GRANTED)) {
        storage_load(loop->api->storage, loop->loop, &call->key, 1, 0, withdrawn_loaded, call);
        return;
    }
    consent_reply(call, true);
}

static void consent_found(struct call *call)
{
    struct api_loop *loop = api_loop_of(call->request);
    struct pack change = pack_into(arena_take(call->request->arena, 512), 512);

    if (call->identity.how == STORAGE_UNKNOWN) {
        /* P7: the refusal of somebody unknown keeps nothing: remembering it would need an identifier. */
        consent_reply(call, false);
        return;
    }
    if (change.p == NULL) {
        http_reply_err(call->request, ERR_NOMEM, NULL);
        return;
    }
    pack_u8(&change, DECLARED_CONSENTS);
    consent_change_encode(call->said, call->said_n, &change);
    assert(!change.full);
    storage_update(loop->api->storage, loop->loop, call->key, UINT64_MAX, pack_bytes(&change), NULL, consent_updated, call);
}

static bool consent_form(struct http_request *request, const struct api_caller *caller, struct call *call)
{
    static const char *const known[] = {"state", "at", "until", "textVersion", "source", "proof", NULL};
    static const char *const states[] = {"granted", "refused", "withdrawn", NULL};
    const struct json_node *root;
    struct json_form form = {0};
    struct consent_statement *said = &call->said[0];
    struct bytes unused;
    size_t state = 0;

    if (!event_purpose_of(request->params[1], &said->purpose)) {
        http_reply_problem(request, 422, "invalid_field", "purposes are store personalise measure mail ads clerk sensitive");
        return false;
    }
    if (!api_body(request, &root)) {
        return false;
    }
    said->at_ms = request->received_ms;
    said->received_ms = request->received_ms;
    said->source = caller->source;
    json_form_known(&form, root, known);
    json_form_word(&form, root, "state", JSON_NEEDED, states, &state);
    said->state = (enum consent_state)(CONSENT_GRANTED + state);
    /* A withdrawal never fails for a missing field; a grant names the text that was agreed to. */
    json_form_text(&form, root, "textVersion", said->state == CONSENT_GRANTED ? JSON_NEEDED : JSON_MAY, 1,
                   CONSENT_TEXT_BYTES_MAX, &said->text_version);
    json_form_time(&form, root, "at", JSON_MAY, &said->at_ms);
    json_form_time(&form, root, "until", JSON_MAY, &said->until_ms);
    json_form_text(&form, root, "source", JSON_MAY, 1, CONSENT_TEXT_BYTES_MAX, &said->source);
    json_form_text(&form, root, "proof", JSON_MAY, 1, 256, &unused);
    if (said->at_ms > request->received_ms + 5 * MINUTE_MS) {
        json_form_fault(&form, root, "at", "out_of_range", "a consent cannot be given in the future; check the sender's clock");
    }
    if (form.faults_n > 0) {
        http_reply_faults(request, &form);
        return false;
    }
    call->said_n = 1;
    /* P7: whoever refuses storing after the fact is stored no longer either, word for word as if withdrawn. */
    call->withdraws_store = said->state != CONSENT_GRANTED && said->purpose == PURPOSE_STORE;
    return true;
}

static void consent_put(struct http_request *request)
{
    static const char *const known[] = {NULL};
    struct api_caller caller;
    struct call *call;

    if (!api_caller_of(request, API_PUBLIC | API_SECRET, &caller) || !api_query_known(request, known)) {
        return;
    }
    call = call_new(request, consent_found);
    if (call == NULL) {
        return;
    }
    call->caller = caller;
    if (api_person_path(request, &caller, &call->person) && consent_form(request, &caller, call)) {
        /* Only a grant may make a customer: a refusal of nobody known leaves nothing behind. */
        find(call, call->said[0].state == CONSENT_GRANTED);
    }
}

/* ---- links ---- */

static void link_reply(void *ctx, enum err err, struct storage_key survivor)
{
    struct call *call = ctx;
    struct json_write w;
    char id[API_CUSTOMER_BYTES + 1];

    if (err == ERR_CONFLICT) {
        http_reply_problem(call->request, 409, "shared_device",
                           "these two are kept apart: two members met on one device, or the link was cut; see the customers' pages");
        return;
    }
    if (err != ERR_OK) {
        http_reply_err(call->request, err, NULL);
        return;
    }
    api_customer_text(api_of(call->request), survivor.tenant, survivor.customer, id);
    json_write_open(&w, call->request->arena, 256);
    json_write_object(&w, NULL);
    json_write_text(&w, "linkId", api_random_id(call->request, "ln_"));
    json_write_word(&w, "customer", id);
    json_write_end(&w);
    http_reply_json(call->request, 200, &w);
}

static void other_identified(void *ctx, enum err err, const struct storage_identity *identities, size_t n)
{
    struct call *call = ctx;
    struct api_loop *loop = api_loop_of(call->request);

    if (err != ERR_OK) {
        http_reply_err(call->request, err, NULL);
        return;
    }
    assert(n == 1);
    storage_link(loop->api->storage, loop->loop, call->key, (struct storage_key){call->key.tenant, identities[0].customer},
                 call->identity.part, identities[0].part,
                 (struct storage_link_reason){call->caller.source, call->request->received_ms, call->strength}, link_reply,
                 call);
}

static void link_found(struct call *call)
{
    struct api_loop *loop = api_loop_of(call->request);

    if (call->identity.how == STORAGE_UNKNOWN) {
        unknown_customer(call);
        return;
    }
    storage_identify(loop->api->storage, loop->loop, call->key.tenant, &call->other, 1, true, call->caller.source,
                     other_identified, call);
}

static void identifier_post(struct http_request *request)
{
    static const char *const known[] = {"kind", "value", "strength", NULL};
    static const char *const strengths[] = {"weak", "strong", "proved", NULL};
    static const char *const no_query[] = {NULL};
    struct api_caller caller;
    struct call *call;
    const struct json_node *root;
    struct json_form form = {0};
    struct event_identifier identifier = {0};
    struct bytes kind = {0};
    struct why why = {0};
    size_t strength = 1;

    if (!api_caller_of(request, API_SECRET, &caller) || !api_query_known(request, no_query)) {
        return;
    }
    call = call_new(request, link_found);
    if (call == NULL) {
        return;
    }
    call->caller = caller;
    if (!api_person_path(request, &caller, &call->person) || !api_body(request, &root)) {
        return;
    }
    if (call->person.identifiers_n == 0) {
        http_reply_problem(request, 422, "unsupported", "name the customer by one of its identifiers (kind:value) to link another");
        return;
    }
    json_form_known(&form, root, known);
    if (json_form_text(&form, root, "kind", JSON_NEEDED, 1, 64, &kind) && !event_identifier_of(kind, &identifier.kind)) {
        json_form_fault(&form, root, "kind", "unknown_identifier_kind",
                        "kinds are member userId erp email emailHash phone phoneHash cardToken app cookie anonymousId x-<name>");
    }
    json_form_text(&form, root, "value", JSON_NEEDED, 1, EVENT_ID_BYTES_MAX, &identifier.value);
    json_form_word(&form, root, "strength", JSON_MAY, strengths, &strength);
    if (form.faults_n == 0 &&
        identifier_normalise(&identifier, bytes_of(caller.tenant->country), request->arena, &why) != ERR_OK) {
        json_form_fault(&form, root, "value", why.code, "%s", why.says);
    }
    if (form.faults_n > 0) {
        http_reply_faults(request, &form);
        return;
    }
    call->other = (struct storage_identifier){identifier.kind, identifier.value};
    call->strength = (uint8_t)(strength + 1);
    find(call, false);
}

static void cut_reply(void *ctx, enum err err, struct storage_key kept, struct storage_key cut)
{
    struct call *call = ctx;
    struct json_write w;
    char id[API_CUSTOMER_BYTES + 1];

    if (err == ERR_CONFLICT) {
        http_reply_problem(call->request, 409, "only_identifier", "this is the customer's only identifier: there is nothing to cut");
        return;
    }
    if (err != ERR_OK) {
        http_reply_err(call->request, err, NULL);
        return;
    }
    json_write_open(&w, call->request->arena, 256);
    json_write_object(&w, NULL);
    api_customer_text(api_of(call->request), kept.tenant, kept.customer, id);
    json_write_word(&w, "kept", id);
    api_customer_text(api_of(call->request), cut.tenant, cut.customer, id);
    json_write_word(&w, "cut", id);
    json_write_end(&w);
    http_reply_json(call->request, 200, &w);
}

/* identities[0]: the customer in the path, when it was named by an identifier; the last: the part to cut. */
static void cut_identified(void *ctx, enum err err, const struct storage_identity *identities, size_t n)
{
    struct call *call = ctx;
    struct api_loop *loop = api_loop_of(call->request);
    const struct storage_identity *part = n > 0 ? &identities[n - 1] : NULL;
    uint64_t customer = call->person.customer.v;

    if (err != ERR_OK) {
        http_reply_err(call->request, err, NULL);
        return;
    }
    customer = customer != 0 ? customer : identities[0].customer.v;
    if (part->how == STORAGE_UNKNOWN || customer != part->customer.v) {
        unknown_customer(call);
        return;
    }
    storage_cut(loop->api->storage, loop->loop, call->caller.tenant->id, part->part, cut_reply, call);
}

static void identifier_delete(struct http_request *request)
{
    static const char *const no_query[] = {NULL};
    struct api_loop *loop = api_loop_of(request);
    struct api_caller caller;
    struct event_identifier cut;
    struct call *call;
    struct storage_identifier *identifiers;
    size_t n = 0;

    if (!api_caller_of(request, API_SECRET, &caller) || !api_query_known(request, no_query)) {
        return;
    }
    call = call_new(request, NULL);
    if (call == NULL) {
        return;
    }
    call->caller = caller;
    if (!api_person_path(request, &caller, &call->person) || !api_identifier_path(request, &caller, 1, &cut)) {
        return;
    }
    identifiers = arena_array(request->arena, 2, sizeof(*identifiers));
    if (identifiers == NULL) {
        http_reply_err(request, ERR_NOMEM, NULL);
        return;
    }
    if (call->person.identifiers_n > 0) {
        identifiers[n++] = (struct storage_identifier){call->person.identifiers[0].kind, call->person.identifiers[0].value};
    }
    identifiers[n++] = (struct storage_identifier){cut.kind, cut.value};
    storage_identify(loop->api->storage, loop->loop, caller.tenant->id, identifiers, n, false, caller.source, cut_identified, call);
}

const struct http_route api_customer_routes[] = {
    {HTTP_METHOD_GET, "/v1/customers/{c}", customer_get, HTTP_ROUTE_NO_CORS, 0},
    {HTTP_METHOD_GET, "/v1/customers/{c}/consents", consents_get, HTTP_ROUTE_PLAIN, 0},
    {HTTP_METHOD_PUT, "/v1/customers/{c}/consents/{purpose}", consent_put, HTTP_ROUTE_PLAIN, 0},
    {HTTP_METHOD_POST, "/v1/customers/{c}/identifiers", identifier_post, HTTP_ROUTE_NO_CORS, 0},
    {HTTP_METHOD_DELETE, "/v1/customers/{c}/identifiers/{identifier}", identifier_delete, HTTP_ROUTE_NO_CORS, 0},
};
const size_t api_customer_routes_n = sizeof(api_customer_routes) / sizeof(api_customer_routes[0]);
