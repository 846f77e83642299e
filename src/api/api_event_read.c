/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/events (S): what is stored of a customer's events, oldest first, in Segment's shape (product.md
 * 7.3). `customer` gives those of all linked identifiers, `user` those of one identifier's value, whatever
 * its kind. Replaced receipts, and what took them back, are not shown. */
#include "api/api_event.h"

#include "api/api.h"
#include "base/hash.h"
#include "base/json_form.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/money.h"
#include "consent/pass.h"
#include "event/event_code.h"
#include "event/event_segment.h"
#include "identity/identifier.h"
#include "profile/profile.h"

#include <stdlib.h>

enum { USERS_MAX = 16, READ_MAX = 100000, CURSOR_BYTES = 16 + 1 + 32 };

struct owner { /* of a part: what an event on it is called by */
    struct part_id part;
    struct bytes user_id, anonymous_id;
};

struct read_call { /* in the request's arena */
    struct http_request *request;
    struct api_caller caller;
    bool is_by_value;
    struct storage_identifier names[USERS_MAX];
    size_t names_n;
    struct part_id wanted[USERS_MAX]; /* by value: the parts of the identifiers that were found */
    size_t wanted_n;
    struct storage_key keys[USERS_MAX];
    size_t keys_n;
    struct owner *owners;
    struct part_id *parts;
    size_t parts_n;
    int64_t from_ms, to_ms;
    struct bytes name;
    struct bytes cursor;
    size_t limit;
};

struct found {
    struct event event;
    const struct owner *owner;
};

/* ---- writing ---- */

static int by_time(const void *a, const void *b)
{
    return event_compare(&((const struct found *)a)->event, &((const struct found *)b)->event);
}

static void write_line(struct json_write *w, const char *key, const struct event_line *line,
                       const char *currency)
{
    char text[MONEY_TEXT_BYTES];

    json_write_object(w, key);
    json_write_text(w, "product_id", line->item_text);
    json_write_fixed(w, "quantity", (double)line->quantity_milli / 1000.0,
                     line->quantity_milli % 1000 != 0 ? 3 : 0);
    if (line->paid_minor != 0) {
        (void)money_format(line->paid_minor, money_exponent(currency), text);
        json_write_word(w, "paid", text);
    }
    json_write_end(w);
}

/* The sender's own properties as they came, then ours where the sender's do not say it. */
static void write_properties(struct json_write *w, const struct read_call *call, const struct event *event)
{
    const char *currency = event->currency[0] != '\0' ? event->currency : call->caller.tenant->currency;
    bool has_lines = event->kind == EVENT_PURCHASE || event->kind == EVENT_RETURN || event->lines_n > 1;
    const struct json_node *own = NULL;
    const struct {
        const char *key;
        struct bytes value;
    } texts[] = {{"order_id", event->order},
                 {"query", event->query},
                 {"ticket", event->ticket},
                 {"store", event->store_text},
                 {"placement", event->placement}};

    if (event->properties.n > 0 && json_read(call->request->arena, event->properties, &own, NULL) != ERR_OK) {
        own = NULL;
    }
    json_write_object(w, "properties");
    for (const struct json_node *one = own == NULL ? NULL : own->first; one != NULL; one = one->next) {
        json_write_key(w, one->key);
        json_write_raw(w, NULL, one->raw);
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].value.n > 0 && json_get(own, texts[i].key) == NULL) {
            json_write_text(w, texts[i].key, texts[i].value);
        }
    }
    if (event->position > 0 && json_get(own, "position") == NULL) {
        json_write_int(w, "position", event->position);
    }
    if (has_lines && json_get(own, "products") == NULL) {
        if (json_get(own, "currency") == NULL) {
            json_write_word(w, "currency", currency);
        }
        json_write_array(w, "products");
        for (size_t i = 0; i < event->lines_n; i++) {
            write_line(w, NULL, &event->lines[i], currency);
        }
        json_write_end(w);
    } else if (!has_lines && event->lines_n == 1 && json_get(own, "product_id") == NULL) {
        json_write_text(w, "product_id", event->lines[0].item_text);
        json_write_fixed(w, "quantity", (double)event->lines[0].quantity_milli / 1000.0,
                         event->lines[0].quantity_milli % 1000 != 0 ? 3 : 0);
    }
    json_write_end(w);
}

static struct bytes name_of(const struct event *event)
{
    const char *name = event_segment_name(event->kind);

    if (event->kind == EVENT_X) {
        return event->kind_name;
    }
    return bytes_of(name != NULL ? name : event_kind_word(event->kind));
}

static void write_event(struct json_write *w, const struct read_call *call, const struct found *found)
{
    const struct event *event = &found->event;

    json_write_object(w, NULL);
    json_write_text(w, "messageId", event->id);
    json_write_word(w, "type",
                    event->kind == EVENT_PAGE       ? "page"
                    : event->kind == EVENT_IDENTIFY ? "identify"
                                                    : "track");
    json_write_text(w, "event", name_of(event));
    json_write_word(w, "kind", event->kind == EVENT_X ? NULL : event_kind_word(event->kind));
    if (found->owner->user_id.n > 0) {
        json_write_text(w, "userId", found->owner->user_id);
    } else {
        json_write_null(w, "userId");
    }
    if (found->owner->anonymous_id.n > 0) {
        json_write_text(w, "anonymousId", found->owner->anonymous_id);
    } else {
        json_write_null(w, "anonymousId");
    }
    write_properties(w, call, event);
    json_write_object(w, "context");
    if (event->session.n > 0) {
        json_write_text(w, "sessionId", event->session);
    }
    json_write_end(w);
    json_write_time(w, "timestamp", event->at_ms);
    json_write_time(w, "originalTimestamp", event->declared_ms);
    json_write_time(w, "receivedAt", event->received_ms);
    json_write_text(w, "source", event->source);
    json_write_word(w, "channel", event->channel == CHANNEL_NONE ? NULL : event_channel_word(event->channel));
    json_write_array(w, "purposes");
    for (int purpose = 0; purpose < PURPOSES_; purpose++) {
        if ((event->purposes >> purpose & 1u) != 0) {
            json_write_word(w, NULL, event_purpose_word((enum purpose)purpose));
        }
    }
    json_write_end(w);
    json_write_end(w);
}

static void cursor_of(const struct event *event, char out_text[CURSOR_BYTES + 1])
{
    uint8_t at[8];

    put_be64(at, (uint64_t)event->at_ms ^ UINT64_C(1) << 63); /* so that text order is the order of time */
    hash_hex(at, sizeof(at), out_text);
    out_text[16] = '-';
    hash_hex(event->mid.b, sizeof(event->mid.b), out_text + 17);
}

static void write_page(struct read_call *call, struct found *found, size_t n, bool is_cut)
{
    struct json_write w;
    char cursor[CURSOR_BYTES + 1] = "";
    size_t first = 0, shown_n = 0;

    qsort(found, n, sizeof(*found), by_time);
    while (call->cursor.n > 0 && first < n) {
        cursor_of(&found[first].event, cursor);
        if (bytes_compare(bytes_of(cursor), call->cursor) > 0) {
            break;
        }
        first++;
    }
    json_write_open(&w, call->request->arena, 4096);
    json_write_object(&w, NULL);
    json_write_array(&w, "events");
    for (; first + shown_n < n && shown_n < call->limit; shown_n++) {
        write_event(&w, call, &found[first + shown_n]);
    }
    json_write_end(&w);
    if (first + shown_n < n) {
        cursor_of(&found[first + shown_n - 1].event, cursor);
        json_write_word(&w, "next", cursor);
    } else {
        json_write_null(&w, "next");
    }
    if (is_cut) {
        json_write_bool(&w, "incomplete", true);
    }
    json_write_end(&w);
    log_say(LOG_INFO, "api", "stored events were read with a secret key", "tenant=%s events=%zu request=%s",
            call->caller.tenant->name, shown_n, call->request->id);
    http_reply_json(call->request, 200, &w);
}

/* ---- reading ---- */

static const struct owner *owner_of(const struct read_call *call, struct part_id part)
{
    for (size_t i = 0; i < call->parts_n; i++) {
        if (call->owners[i].part.v == part.v) {
            return &call->owners[i];
        }
    }
    return NULL;
}

static bool is_wanted(const struct read_call *call, const struct event *event)
{
    bool is_named =
        call->name.n == 0 || bytes_equal(call->name, name_of(event)) ||
        (event->kind != EVENT_X && bytes_equal(call->name, bytes_of(event_kind_word(event->kind))));

    return is_named && event->at_ms >= call->from_ms && event->at_ms < call->to_ms;
}

static int by_mid(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct mid));
}

static void scanned(void *ctx, enum err err, const struct storage_scan_event *events, size_t n)
{
    struct read_call *call = ctx;
    struct arena *arena = call->request->arena;
    struct found *found = arena_array(arena, n + 1, sizeof(*found));
    struct mid *gone = arena_array(arena, n + 1, sizeof(*gone));
    size_t found_n = 0, gone_n = 0, kept_n = 0;

    for (size_t i = 0; err == ERR_OK && gone != NULL && i < n; i++) {
        struct found *one = &found[found_n];

        err = event_decode(events[i].body, call->caller.tenant->id, arena, &one->event);
        one->event.mid = events[i].mid;
        one->owner = owner_of(call, events[i].part);
        if (err == ERR_OK && one->event.kind == EVENT_RETRACT) {
            gone[gone_n++] = one->event.retracts;
        } else if (err == ERR_OK && one->owner != NULL && is_wanted(call, &one->event)) {
            found_n++;
        }
    }
    if (err == ERR_OK && arena_overflowed(arena)) {
        err = ERR_NOMEM;
    }
    if (err != ERR_OK) {
        http_reply_err(call->request, err, NULL);
        return;
    }
    qsort(gone, gone_n, sizeof(*gone), by_mid);
    for (size_t i = 0; i < found_n; i++) {
        if (gone_n == 0 || bsearch(&found[i].event.mid, gone, gone_n, sizeof(*gone), by_mid) == NULL) {
            found[kept_n++] = found[i];
        }
    }
    write_page(call, found, kept_n, n == READ_MAX);
}

/* ---- whose ---- */

static void take_customer(struct read_call *call, const struct sealed_customer *customer,
                          const struct pass *pass)
{
    for (size_t i = 0; i < customer->parts_n; i++) {
        struct owner *owner = &call->owners[call->parts_n];
        bool is_asked = !call->is_by_value;

        for (size_t j = 0; j < call->wanted_n; j++) {
            is_asked = is_asked || call->wanted[j].v == customer->parts[i].part.v;
        }
        if (!is_asked || owner_of(call, customer->parts[i].part) != NULL) {
            continue;
        }
        *owner = (struct owner){.part = customer->parts[i].part};
        for (size_t j = 0; j < customer->identifiers_n; j++) {
            const struct sealed_identifier *identifier = &customer->identifiers[j];

            if (identifier->part.v != owner->part.v) {
                continue;
            }
            if (identifier->kind == IDENTIFIER_ANONYMOUS_ID || identifier->kind == IDENTIFIER_COOKIE) {
                owner->anonymous_id =
                    arena_copy(call->request->arena, profile_text(pass, customer, identifier->text));
            } else if (identifier->kind == IDENTIFIER_USER_ID || identifier->kind == IDENTIFIER_MEMBER) {
                owner->user_id =
                    arena_copy(call->request->arena, profile_text(pass, customer, identifier->text));
            }
        }
        call->parts[call->parts_n++] = owner->part;
    }
}

static void nobody(struct read_call *call)
{
    http_reply_send(call->request, 200, "application/json", BYTES_LIT("{\"events\":[],\"next\":null}"));
}

static void loaded(void *ctx, enum err err, const struct sealed_customer *customers, size_t n)
{
    struct read_call *call = ctx;
    struct arena *arena = call->request->arena;
    size_t most = 0;

    for (size_t i = 0; err == ERR_OK && i < n; i++) {
        most += customers[i].parts_n;
    }
    call->owners = arena_array(arena, most + 1, sizeof(*call->owners));
    call->parts = arena_array(arena, most + 1, sizeof(*call->parts));
    if (err == ERR_OK && arena_overflowed(arena)) {
        err = ERR_NOMEM;
    }
    if (err != ERR_OK) {
        http_reply_err(call->request, err, NULL);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct pass_request ask = {
            .purpose = PURPOSE_STORE, .is_owner_or_staff = true, .now_ms = call->request->received_ms};
        struct pass_room room;
        const struct pass *pass =
            customers[i].customer.v == 0 ? NULL : pass_for(&customers[i], &ask, arena, &room);

        if (pass != NULL) {
            take_customer(call, &customers[i], pass);
        }
    }
    if (call->parts_n == 0) {
        nobody(call);
        return;
    }
    storage_scan_parts(api_of(call->request)->storage, call->request->loop, call->caller.tenant->id,
                       call->parts, call->parts_n, READ_MAX, scanned, call);
}

static void load(struct read_call *call)
{
    if (call->keys_n == 0) {
        nobody(call);
        return;
    }
    storage_load(api_of(call->request)->storage, call->request->loop, call->keys, call->keys_n, 0, loaded,
                 call);
}

static void identified(void *ctx, enum err err, const struct storage_identity *identities, size_t n)
{
    struct read_call *call = ctx;

    if (err != ERR_OK) {
        http_reply_err(call->request, err, NULL);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        bool is_new = identities[i].how == STORAGE_FOUND;

        if (identities[i].how == STORAGE_FOUND) {
            call->wanted[call->wanted_n++] = identities[i].part;
        }
        for (size_t j = 0; j < call->keys_n; j++) {
            is_new = is_new && call->keys[j].customer.v != identities[i].customer.v;
        }
        if (is_new) {
            call->keys[call->keys_n++] =
                (struct storage_key){call->caller.tenant->id, identities[i].customer};
        }
    }
    load(call);
}

/* Every kind that the value could be. */
static void take_any_kind(struct read_call *call, struct bytes value)
{
    static const enum identifier_kind kinds[] = {
        IDENTIFIER_MEMBER,       IDENTIFIER_USER_ID,    IDENTIFIER_ERP,  IDENTIFIER_EMAIL_HASH,
        IDENTIFIER_PHONE_HASH,   IDENTIFIER_CARD_TOKEN, IDENTIFIER_APP,  IDENTIFIER_COOKIE,
        IDENTIFIER_ANONYMOUS_ID, IDENTIFIER_EMAIL,      IDENTIFIER_PHONE};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct event_identifier identifier = {kinds[i], value};

        if (identifier_normalise(&identifier, bytes_of(call->caller.tenant->country), call->request->arena,
                                 NULL) == ERR_OK) {
            call->names[call->names_n++] = (struct storage_identifier){identifier.kind, identifier.value};
        }
    }
    call->is_by_value = true;
}

static bool take_customer_text(struct read_call *call, struct bytes text)
{
    struct api *api = api_of(call->request);
    struct event_identifier identifier;
    struct customer_id customer;
    struct why why = {0};

    if (bytes_starts(text, BYTES_LIT("cus_"))) {
        if (api_customer_read(api, call->caller.tenant->id, text, &customer)) {
            call->keys[call->keys_n++] = (struct storage_key){call->caller.tenant->id, customer};
        }
        return true;
    }
    if (identifier_parse(text, &identifier, &why) != ERR_OK ||
        identifier_normalise(&identifier, bytes_of(call->caller.tenant->country), call->request->arena,
                             &why) != ERR_OK) {
        http_reply_problem(call->request, 422, why.code, "%s", why.says);
        return false;
    }
    call->names[call->names_n++] = (struct storage_identifier){identifier.kind, identifier.value};
    return true;
}

static bool read_time(struct read_call *call, const char *name, int64_t *out_ms)
{
    struct bytes text;

    if (http_request_query(call->request, name, &text) && time_parse(text, out_ms) != ERR_OK) {
        http_reply_problem(call->request, 422, "invalid_field",
                           "%s must be a time with offset, such as 2026-11-22T20:14:00Z.", name);
        return false;
    }
    return true;
}

static bool read_limit(struct read_call *call)
{
    struct bytes text;
    size_t limit = 0;

    if (!http_request_query(call->request, "limit", &text)) {
        return true;
    }
    for (size_t i = 0; i < text.n && limit <= 1000; i++) {
        limit = text.p[i] >= '0' && text.p[i] <= '9' ? limit * 10 + (size_t)(text.p[i] - '0') : 1001;
    }
    if (limit < 1 || limit > 1000) {
        http_reply_problem(call->request, 422, "invalid_field",
                           "limit must be a whole number from 1 to 1000.");
        return false;
    }
    call->limit = limit;
    return true;
}

void api_event_read(struct http_request *request)
{
    static const char *const known[] = {"customer", "user", "from", "to", "name", "limit", "cursor", NULL};
    struct read_call *call = arena_take(request->arena, sizeof(*call));
    struct bytes text, other;

    if (call == NULL) {
        http_reply_err(request, ERR_NOMEM, NULL);
        return;
    }
    *call = (struct read_call){.request = request, .from_ms = INT64_MIN, .to_ms = INT64_MAX, .limit = 100};
    if (!api_caller_of(request, API_SECRET, &call->caller) || !api_query_known(request, known) ||
        !read_time(call, "from", &call->from_ms) || !read_time(call, "to", &call->to_ms) ||
        !read_limit(call)) {
        return;
    }
    (void)http_request_query(request, "name", &call->name);
    (void)http_request_query(request, "cursor", &call->cursor);
    if (http_request_query(request, "customer", &text) == http_request_query(request, "user", &other)) {
        http_reply_problem(request, 422, "invalid_field",
                           "Name a customer=kind:value (or cus_...), or a user=value, not both.");
        return;
    }
    if (http_request_query(request, "user", &other)) {
        take_any_kind(call, other);
    } else if (!take_customer_text(call, text)) {
        return;
    }
    if (call->names_n == 0) {
        load(call);
        return;
    }
    storage_identify(api_of(request)->storage, request->loop, call->caller.tenant->id, call->names,
                     call->names_n, false, call->caller.source, identified, call);
}
