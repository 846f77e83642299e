/* SPDX-License-Identifier: Apache-2.0 */
#include "event/event_json.h"

#include "base/hash.h"
#include "base/money.h"
#include "event/event_segment.h"

#include <stdio.h>

enum { TEXT_BYTES_MAX = 1024, TICKET_BYTES_MAX = 512, POSITION_MAX = 100000, QUANTITY_MAX = 1000000 };

/* ---- shared readers ---- */

void event_json_inside(const struct json_node *node, struct why *why)
{
    char prefix[sizeof(why->field)];
    size_t n;

    json_pointer(node, prefix, sizeof(prefix));
    n = strlen(prefix);
    if (strncmp(why->field, prefix, n) == 0) {
        memmove(why->field, why->field + n, strlen(why->field + n) + 1);
    }
}

struct bytes event_json_made_id(struct rng *rng, struct arena *arena)
{
    uint64_t a = rng_next(rng), b = rng_next(rng);

    return arena_format(arena, "made-%016llx%08llx", (unsigned long long)a, (unsigned long long)(b >> 32));
}

static void add_identifier(struct json_form *form, const struct json_node *object, const char *key,
                           struct event_identifier identifier, struct event_json_who *who)
{
    if (who->n == EVENT_IDENTIFIERS_MAX) {
        json_form_fault(form, object, key, "too_many_identifiers",
                        "An event names at most %d identifiers; send fewer.", EVENT_IDENTIFIERS_MAX);
        return;
    }
    who->identifiers[who->n++] = identifier;
}

static void read_short(struct json_form *form, const struct json_node *object, struct event_json_who *who)
{
    struct bytes text, kind;
    enum identifier_kind found;
    const char *colon;

    if (!json_form_text(form, object, "identifier", JSON_MAY, 1, EVENT_ID_BYTES_MAX + 64, &text)) {
        return;
    }
    colon = memchr(text.p, ':', text.n);
    kind = (struct bytes){text.p, colon == NULL ? 0 : (size_t)(colon - text.p)};
    if (colon == NULL || !event_identifier_of(kind, &found)) {
        json_form_fault(
            form, object, "identifier", "bad_identifier",
            "Write it as kind:value; kinds are cookie, app, member, email, emailHash, phone, phoneHash, "
            "cardToken, erp, userId, anonymousId and x-<name>.");
        return;
    }
    text.n -= kind.n + 1;
    text.p = colon + 1;
    if (found == IDENTIFIER_X) { /* the name stays in front of the value */
        text = (struct bytes){kind.p + 2, text.n + kind.n - 1};
    }
    add_identifier(form, object, "identifier", (struct event_identifier){found, text}, who);
}

/* "name:value"; by hand, since values may hold NUL, which the normaliser refuses later. */
static struct bytes join_named(struct arena *arena, struct bytes name, struct bytes value)
{
    char *joined = arena_take(arena, name.n + 1 + value.n);

    if (joined == NULL) {
        return (struct bytes){0};
    }
    memcpy(joined, name.p, name.n);
    joined[name.n] = ':';
    memcpy(joined + name.n + 1, value.p, value.n);
    return (struct bytes){joined, name.n + 1 + value.n};
}

static void read_ids(struct json_form *form, const struct json_node *ids, struct arena *arena,
                     struct event_json_who *who)
{
    for (const struct json_node *one = ids->first; one != NULL; one = one->next) {
        struct event_identifier identifier;

        if (!event_identifier_of(one->key, &identifier.kind)) {
            json_form_fault(form, one, NULL, "bad_identifier",
                            "There is no such kind of identifier; own kinds begin with x-.");
            continue;
        }
        if (!json_text(one, &identifier.value) || identifier.value.n == 0 ||
            identifier.value.n > EVENT_ID_BYTES_MAX) {
            json_form_fault(form, one, NULL, "bad_identifier", "An identifier is text of 1 to %d bytes.",
                            EVENT_ID_BYTES_MAX);
            continue;
        }
        if (identifier.kind == IDENTIFIER_X) {
            identifier.value =
                join_named(arena, (struct bytes){one->key.p + 2, one->key.n - 2}, identifier.value);
        }
        add_identifier(form, one, NULL, identifier, who);
    }
}

void event_json_who(struct json_form *form, const struct json_node *object, struct arena *arena,
                    struct event_json_who *out_who)
{
    static const char *const known[] = {"id", "ids", "proof", NULL};
    const struct json_node *customer, *ids;

    *out_who = (struct event_json_who){0};
    read_short(form, object, out_who);
    if (!json_form_object(form, object, "customer", JSON_MAY, &customer)) {
        return;
    }
    json_form_known(form, customer, known);
    (void)json_form_id(form, customer, "id", JSON_MAY, &out_who->customer);
    if (!json_is_null(json_get(customer, "proof"))) {
        json_form_fault(form, customer, "proof", "unsupported",
                        "A proof by token is not built yet; use a server key for proved identifiers.");
    }
    if (json_form_object(form, customer, "ids", JSON_MAY, &ids)) {
        read_ids(form, ids, arena, out_who);
    }
}

bool event_json_consent(struct json_form *form, const struct json_node *object, const char *key,
                        uint16_t *out_word)
{
    const struct json_node *said;
    uint16_t word = 0;

    if (!json_form_object(form, object, key, JSON_MAY, &said)) {
        return false;
    }
    for (const struct json_node *one = said->first; one != NULL; one = one->next) {
        enum purpose purpose;
        enum consent_state state = CONSENT_UNSAID;
        struct bytes text = {0};

        if (!event_purpose_of(one->key, &purpose)) {
            form->has_unknown = true;
            json_form_fault(form, one, NULL, "unknown_field",
                            "There is no such purpose; they are store, personalise, measure, mail, ads, "
                            "clerk and sensitive.");
            continue;
        }
        if (one->type == JSON_BOOL) {
            state = one->is_true ? CONSENT_GRANTED : CONSENT_REFUSED;
        } else if (json_text(one, &text)) {
            for (int i = CONSENT_GRANTED; i <= CONSENT_WITHDRAWN; i++) {
                state = bytes_equal(text, bytes_of(event_consent_word((enum consent_state)i)))
                            ? (enum consent_state)i
                            : state;
            }
        }
        if (state == CONSENT_UNSAID) {
            json_form_fault(form, one, NULL, "unknown_word",
                            "A consent is true, false, granted, refused or withdrawn.");
            continue;
        }
        word = consent_word_set(word, purpose, state);
    }
    *out_word = word;
    return true;
}

bool event_json_quantity(struct json_form *form, const struct json_node *object, const char *key,
                         int64_t *out_milli)
{
    const struct json_node *node = json_get(object, key);
    int64_t milli;

    if (json_is_null(node)) {
        return false;
    }
    if (node->type != JSON_NUMBER && node->type != JSON_TEXT) {
        json_form_fault(form, object, key, "wrong_type", "%s must be a number of pieces, such as 1 or 0.350.",
                        key);
        return false;
    }
    if (money_parse(node->text, 3, &milli) != ERR_OK || milli > INT64_C(1000) * QUANTITY_MAX ||
        milli < INT64_C(-1000) * QUANTITY_MAX) {
        json_form_fault(form, object, key, "out_of_range",
                        "%s must be a number up to %d with at most 3 decimals.", key, QUANTITY_MAX);
        return false;
    }
    *out_milli = milli;
    return true;
}

int64_t event_json_times(int64_t minor, int64_t quantity_milli)
{
    __extension__ typedef __int128 wide;
    wide product = (wide)minor * quantity_milli;

    product = (product + (product < 0 ? -500 : 500)) / 1000;
    return product > INT64_MAX ? INT64_MAX : product < INT64_MIN ? INT64_MIN : (int64_t)product;
}

/* ---- the own form ---- */

static const char *const own_fields[] = {
    "id",    "kind",  "type",       "at",       "identifier", "customer", "session",  "channel",
    "store", "item",  "lines",      "quantity", "price",      "currency", "position", "query",
    "order", "total", "properties", "ticket",   "placement",  "consent",  NULL,
};

static void read_kind(struct json_form *form, const struct json_node *node, struct event *event)
{
    const char *key =
        json_is_null(json_get(node, "kind")) && !json_is_null(json_get(node, "type")) ? "type" : "kind";
    const char *words[EVENT_KINDS_ + 1];
    const char *nearest;
    size_t n = 0;
    struct bytes word;

    if (!json_form_text(form, node, key, JSON_NEEDED, 1, EVENT_ID_BYTES_MAX, &word)) {
        return;
    }
    event->kind = event_kind_of(word);
    if (event->kind == EVENT_X) {
        (void)json_form_id(form, node, key, JSON_NEEDED, &event->kind_name);
    }
    if (event->kind != EVENT_NONE) {
        return;
    }
    for (int i = 1; i < EVENT_KINDS_; i++) {
        if (event_kind_word((enum event_kind)i) != NULL) {
            words[n++] = event_kind_word((enum event_kind)i);
        }
    }
    words[n] = NULL;
    nearest = json_form_nearest(word, words);
    if (nearest != NULL) {
        json_form_fault(form, node, key, "unknown_kind", "There is no such kind of event; did you mean %s?",
                        nearest);
    } else {
        json_form_fault(form, node, key, "unknown_kind",
                        "There is no such kind of event; own kinds begin with x-.");
    }
}

/* One item of an own event: `item`, `quantity`, `price` (of one) or `paid` (of the line). */
static bool read_line(struct json_form *form, const struct json_node *node,
                      const struct event_json_door *door, struct event *event, struct event_line *out_line)
{
    const char *currency = event->currency[0] != 0 ? event->currency : door->currency;
    struct event_line line = {.quantity_milli = 1000};
    int64_t price = 0;
    char named[4];

    if (!json_form_id(form, node, "item", JSON_NEEDED, &line.item_text)) {
        return false;
    }
    line.item = hash_item(door->tenant, line.item_text);
    (void)event_json_quantity(form, node, "quantity", &line.quantity_milli);
    if (json_form_money(form, node, "price", JSON_MAY, currency, &price, named)) {
        memcpy(event->currency, named, sizeof(named));
        line.paid_minor = event_json_times(price, line.quantity_milli);
    }
    if (json_get(node, "paid") != NULL &&
        json_form_money(form, node, "paid", JSON_MAY, currency, &line.paid_minor, named)) {
        memcpy(event->currency, named, sizeof(named));
    }
    *out_line = line;
    return true;
}

static void read_lines(struct json_form *form, const struct json_node *node,
                       const struct event_json_door *door, struct arena *arena, struct event *event)
{
    static const char *const known[] = {"item", "quantity", "price", "paid", "currency", NULL};
    const struct json_node *array = NULL;
    struct event_line *lines;
    size_t n = 0;

    (void)json_form_array(form, node, "lines", JSON_MAY, 1, EVENT_LINES_MAX, &array);
    if (array != NULL && !json_is_null(json_get(node, "item"))) {
        json_form_fault(form, node, "lines", "invalid_field", "Send item or lines, not both.");
        return;
    }
    if (array == NULL && json_is_null(json_get(node, "item"))) {
        return;
    }
    lines = arena_array(arena, array == NULL ? 1 : array->children_n, sizeof(*lines));
    if (lines == NULL) {
        return;
    }
    if (array == NULL) {
        n = read_line(form, node, door, event, &lines[0]) ? 1 : 0;
    }
    for (const struct json_node *one = array == NULL ? NULL : array->first; one != NULL; one = one->next) {
        json_form_known(form, one, known);
        n += one->type == JSON_OBJECT && read_line(form, one, door, event, &lines[n]) ? 1 : 0;
    }
    event->lines = lines;
    event->lines_n = n;
}

static void read_properties(struct json_form *form, const struct json_node *node, struct event *event)
{
    const struct json_node *properties;

    if (!json_form_object(form, node, "properties", JSON_MAY, &properties)) {
        return;
    }
    if (properties->raw.n > EVENT_PROPERTIES_BYTES_MAX) {
        json_form_fault(form, node, "properties", "properties_too_big",
                        "properties may have %d bytes, had %zu; send less.", EVENT_PROPERTIES_BYTES_MAX,
                        properties->raw.n);
        return;
    }
    event->properties = properties->raw;
}

/* Moves the identifiers over; a customer's own number is for decisions and reads. */
static void take_who(struct json_form *form, const struct json_node *node, const struct event_json_who *who,
                     struct event *event)
{
    if (who->customer.n > 0) {
        json_form_fault(form, json_get(node, "customer"), "id", "unsupported",
                        "An event is kept under the identifier it happened on; name it in customer.ids.");
    }
    memcpy(event->identifiers, who->identifiers, sizeof(event->identifiers));
    event->identifiers_n = who->n;
}

/* A time after the years that a clock can mean is the future, not nonsense. */
static void read_at(struct json_form *form, const struct json_node *node, struct event *event)
{
    struct bytes text = {0};
    bool is_year = json_text(json_get(node, "at"), &text) && text.n >= 20 && text.p[4] == '-';

    for (size_t i = 0; is_year && i < 4; i++) {
        is_year = text.p[i] >= '0' && text.p[i] <= '9';
    }
    if (is_year && memcmp(text.p, "2200", 4) >= 0) {
        json_form_fault(form, node, "at", "future_time",
                        "The time is more than 24 h ahead; check the sender's clock.");
        return;
    }
    event->has_time = json_form_time(form, node, "at", JSON_MAY, &event->at_ms);
    event->declared_ms = event->at_ms;
}

static void read_own(struct json_form *form, const struct json_node *node, const struct event_json_door *door,
                     struct arena *arena, struct event *event)
{
    struct event_json_who who;
    struct bytes text;
    int64_t position;

    json_form_known(form, node, own_fields);
    if (node->type != JSON_OBJECT) {
        return;
    }
    read_kind(form, node, event);
    event->has_id = json_form_id(form, node, "id", JSON_MAY, &event->id);
    read_at(form, node, event);
    event_json_who(form, node, arena, &who);
    take_who(form, node, &who, event);
    if (json_form_text(form, node, "currency", JSON_MAY, 3, 3, &text)) {
        if (money_is_currency(text)) {
            memcpy(event->currency, text.p, 3);
        } else {
            json_form_fault(form, node, "currency", "bad_currency",
                            "currency must be three capital letters, such as NOK.");
        }
    }
    if (json_form_text(form, node, "channel", JSON_MAY, 1, 32, &text) &&
        !event_channel_of(text, &event->channel)) {
        json_form_fault(form, node, "channel", "unknown_word",
                        "channel must be one of: web, app, till, mail, ads, service.");
    }
    (void)json_form_id(form, node, "session", JSON_MAY, &event->session);
    (void)json_form_id(form, node, "store", JSON_MAY, &event->store_text);
    (void)json_form_id(form, node, "order", JSON_MAY, &event->order);
    (void)json_form_id(form, node, "placement", JSON_MAY, &event->placement);
    (void)json_form_text(form, node, "query", JSON_MAY, 0, TEXT_BYTES_MAX, &event->query);
    (void)json_form_text(form, node, "ticket", JSON_MAY, 1, TICKET_BYTES_MAX, &event->ticket);
    if (json_form_int(form, node, "position", JSON_MAY, 1, POSITION_MAX, &position)) {
        event->position = (uint32_t)position;
    }
    (void)json_form_money(form, node, "total", JSON_MAY,
                          event->currency[0] != 0 ? event->currency : door->currency, &event->total_minor,
                          (char[4]){0});
    read_lines(form, node, door, arena, event);
    read_properties(form, node, event);
    (void)event_json_consent(form, node, "consent", &event->consent_said);
}

/* ---- the door ---- */

/* A return's lines are negative however the sender counts (event.h). */
static void turn_returns(struct event *event, struct arena *arena)
{
    struct event_line *turned;

    if (event->kind != EVENT_RETURN || event->lines_n == 0) {
        return;
    }
    turned = arena_array(arena, event->lines_n, sizeof(*turned));
    if (turned == NULL) {
        return;
    }
    for (size_t i = 0; i < event->lines_n; i++) {
        turned[i] = event->lines[i];
        if (turned[i].quantity_milli > 0) {
            turned[i].quantity_milli = -turned[i].quantity_milli;
        }
        if (turned[i].paid_minor > 0) {
            turned[i].paid_minor = -turned[i].paid_minor;
        }
    }
    event->lines = turned;
}

enum err event_json_read(const struct json_node *node, const struct event_json_door *door,
                         struct arena *arena, struct event *out_event, struct why *why)
{
    struct event event = {.channel = door->channel, .received_ms = door->now_ms};
    struct json_form form = {0};

    if (node->raw.n > EVENT_BODY_BYTES_MAX) {
        return why_say(why, ERR_TOOBIG, "event_too_big", "",
                       "An event may have %d bytes, had %zu; send less in properties.", EVENT_BODY_BYTES_MAX,
                       node->raw.n);
    }
    if (node->has_duplicate_below) {
        (void)json_why(why, ERR_INVALID, "malformed_json", json_find_duplicate(node),
                       "An object names one field twice; send it once.");
        event_json_inside(node, why);
        return ERR_INVALID;
    }
    if (event_segment_is(node)) {
        event_segment_read(&form, node, door, arena, &event);
    } else {
        read_own(&form, node, door, arena, &event);
    }
    if (form.faults_n > 0) {
        if (why != NULL) {
            *why = form.faults[0];
            event_json_inside(node, why);
        }
        return ERR_INVALID;
    }
    if (!event.has_time) {
        event.at_ms = event.declared_ms = door->now_ms;
    }
    if (!event.has_id) {
        event.id = event_json_made_id(door->rng, arena);
    }
    turn_returns(&event, arena);
    if (arena_overflowed(arena)) {
        return ERR_NOMEM;
    }
    *out_event = event;
    return ERR_OK;
}
