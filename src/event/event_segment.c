/* SPDX-License-Identifier: Apache-2.0 */
/* Names: Segment e-commerce v2, its v1 word order, GA4 (wire.md 2.5). Money that a page computed in
 * doubles (0.30000000000000004) is rounded; amounts of senders that cannot be read leave the line without
 * a price, for the event tells more than its price. */
#include "event/event_segment.h"

#include "base/hash.h"
#include "base/money.h"

struct name {
    const char *name; /* of a kind's names the first is the canonical one */
    enum event_kind kind;
};

static const struct name names[] = {
    {"Products Searched", EVENT_SEARCH},
    {"Searched Products", EVENT_SEARCH},
    {"search", EVENT_SEARCH},
    {"Product List Viewed", EVENT_LIST},
    {"Viewed Product List", EVENT_LIST},
    {"Viewed Product Category", EVENT_LIST},
    {"view_item_list", EVENT_LIST},
    {"Product List Filtered", EVENT_FILTER},
    {"Filtered Product List", EVENT_FILTER},
    {"Promotion Viewed", EVENT_PROMOTION_SHOWN},
    {"Viewed Promotion", EVENT_PROMOTION_SHOWN},
    {"view_promotion", EVENT_PROMOTION_SHOWN},
    {"Promotion Clicked", EVENT_PROMOTION_CLICKED},
    {"Clicked Promotion", EVENT_PROMOTION_CLICKED},
    {"select_promotion", EVENT_PROMOTION_CLICKED},
    {"Product Clicked", EVENT_CLICK},
    {"Clicked Product", EVENT_CLICK},
    {"select_item", EVENT_CLICK},
    {"Product Viewed", EVENT_VIEW},
    {"Viewed Product", EVENT_VIEW},
    {"view_item", EVENT_VIEW},
    {"Product Added", EVENT_ADD},
    {"Added Product", EVENT_ADD},
    {"add_to_cart", EVENT_ADD},
    {"Wishlist Product Added to Cart", EVENT_ADD},
    {"Product Removed", EVENT_REMOVE},
    {"Removed Product", EVENT_REMOVE},
    {"remove_from_cart", EVENT_REMOVE},
    {"Cart Viewed", EVENT_CART},
    {"Viewed Cart", EVENT_CART},
    {"view_cart", EVENT_CART},
    {"Checkout Started", EVENT_CHECKOUT},
    {"Started Checkout", EVENT_CHECKOUT},
    {"begin_checkout", EVENT_CHECKOUT},
    {"Checkout Step Viewed", EVENT_CHECKOUT},
    {"Viewed Checkout Step", EVENT_CHECKOUT},
    {"Checkout Step Completed", EVENT_CHECKOUT},
    {"Completed Checkout Step", EVENT_CHECKOUT},
    {"Payment Info Entered", EVENT_CHECKOUT},
    {"add_shipping_info", EVENT_CHECKOUT},
    {"add_payment_info", EVENT_CHECKOUT},
    {"Order Completed", EVENT_PURCHASE},
    {"Completed Order", EVENT_PURCHASE},
    {"purchase", EVENT_PURCHASE},
    {"Order Updated", EVENT_ORDER_UPDATE},
    {"Updated Order", EVENT_ORDER_UPDATE},
    {"Order Refunded", EVENT_RETURN},
    {"Refunded Order", EVENT_RETURN},
    {"refund", EVENT_RETURN},
    {"Order Cancelled", EVENT_CANCEL},
    {"Cancelled Order", EVENT_CANCEL},
    {"Product Added to Wishlist", EVENT_WISH},
    {"add_to_wishlist", EVENT_WISH},
    {"Product Removed from Wishlist", EVENT_UNWISH},
    {"Product Reviewed", EVENT_REVIEW},
    {"Reviewed Product", EVENT_REVIEW},
    {"Product Shared", EVENT_SHARE},
    {"Shared Product", EVENT_SHARE},
    {"Cart Shared", EVENT_SHARE},
    {"share", EVENT_SHARE},
    {"Coupon Entered", EVENT_COUPON},
    {"Coupon Applied", EVENT_COUPON},
    {"Coupon Denied", EVENT_COUPON},
    {"Coupon Removed", EVENT_COUPON},
    {"Experiment Viewed", EVENT_EXPOSURE},
    {"Email Delivered", EVENT_MAIL_DELIVERED},
    {"Email Opened", EVENT_MAIL_OPENED},
    {"Email Link Clicked", EVENT_MAIL_CLICKED},
    {"Email Bounced", EVENT_MAIL_BOUNCED},
    {"Email Marked as Spam", EVENT_MAIL_SPAM},
    {"Unsubscribed", EVENT_UNSUBSCRIBE},
    {"Recommendation Shown", EVENT_SHOWN},
    {"Recommendation Clicked", EVENT_CLICKED},
    {"page_view", EVENT_PAGE},
};

struct type {
    const char *type;
    enum event_kind kind; /* EVENT_NONE: by the name */
};

static const struct type types[] = {
    {"track", EVENT_NONE},        {"page", EVENT_PAGE},      {"screen", EVENT_PAGE},
    {"identify", EVENT_IDENTIFY}, {"alias", EVENT_IDENTIFY}, {"group", EVENT_X},
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool is_same(struct bytes text, const char *word)
{
    size_t n = strlen(word);

    if (text.n != n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (lower(text.p[i]) != lower(word[i])) {
            return false;
        }
    }
    return true;
}

const char *event_segment_name(enum event_kind kind)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].kind == kind && strchr(names[i].name, '_') == NULL) { /* not GA4's */
            return names[i].name;
        }
    }
    return NULL;
}

enum event_kind event_segment_kind(struct bytes name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (is_same(name, names[i].name)) {
            return names[i].kind;
        }
    }
    return EVENT_X;
}

static const struct type *type_of(const struct json_node *node)
{
    struct bytes word;

    if (!json_text(json_get(node, "type"), &word)) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (bytes_equal(word, bytes_of(types[i].type))) {
            return &types[i];
        }
    }
    return NULL;
}

bool event_segment_is(const struct json_node *node)
{
    static const char *const marks[] = {"messageId",         "userId", "anonymousId", "event", "context",
                                        "originalTimestamp", "traits", NULL};
    const struct type *type = type_of(node);

    if (type == NULL || json_get(node, "kind") != NULL) {
        return false;
    }
    /* `page` and `identify` are also words of the own form. */
    if (type->kind != EVENT_PAGE && type->kind != EVENT_IDENTIFY) {
        return true;
    }
    for (size_t i = 0; marks[i] != NULL; i++) {
        if (json_get(node, marks[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* ---- who and when ---- */

static void add_who(struct json_form *form, const struct json_node *node, const char *key,
                    enum identifier_kind kind, struct event *event)
{
    struct bytes value;

    if (json_form_text(form, node, key, JSON_MAY, 0, EVENT_ID_BYTES_MAX, &value) && value.n > 0) {
        event->identifiers[event->identifiers_n++] = (struct event_identifier){kind, value};
    }
}

static void read_times(struct json_form *form, const struct json_node *node,
                       const struct event_json_door *door, struct event *event)
{
    int64_t sent_ms = door->sent_ms;
    const char *key = json_is_null(json_get(node, "timestamp")) ? "originalTimestamp" : "timestamp";

    event->has_time = json_form_time(form, node, key, JSON_MAY, &event->declared_ms);
    if (!event->has_time) {
        return;
    }
    (void)json_form_time(form, node, "sentAt", JSON_MAY, &sent_ms);
    event->at_ms = event->declared_ms;
    if (sent_ms != 0) { /* the sender's clock is repaired by what it read when it sent */
        event->at_ms = door->now_ms - (sent_ms - event->declared_ms);
        if (event->at_ms < TIME_MIN_MS || event->at_ms > TIME_MAX_MS) {
            event->at_ms = door->now_ms; /* two clocks decades apart say nothing of when it was */
        }
    }
}

static void read_channel(const struct json_node *node, struct event *event)
{
    const struct json_node *context = json_get(node, "context");
    struct bytes word = {0};

    (void)json_text(json_get(json_get(context, "library"), "name"), &word);
    if (bytes_starts(word, BYTES_LIT("analytics.js")) ||
        bytes_starts(word, BYTES_LIT("RudderLabs JavaScript"))) {
        event->channel = CHANNEL_WEB;
    } else if (bytes_starts(word, BYTES_LIT("analytics-ios")) ||
               bytes_starts(word, BYTES_LIT("analytics-android"))) {
        event->channel = CHANNEL_APP;
    }
    if (json_text(json_get(node, "channel"), &word)) {
        event->channel = is_same(word, "mobile") ? CHANNEL_APP : event->channel;
        (void)event_channel_of(word, &event->channel);
    }
}

/* Consent tools' categories (wire.md 2.3): what is switched off narrows; what is on adds nothing. */
static void read_consent(const struct json_node *node, struct event *event)
{
    static const struct {
        const char *category;
        unsigned purposes;
    } categories[] = {
        {"analytics", 1u << PURPOSE_STORE | 1u << PURPOSE_MEASURE},
        {"statistics", 1u << PURPOSE_STORE | 1u << PURPOSE_MEASURE},
        {"marketing", 1u << PURPOSE_PERSONALISE | 1u << PURPOSE_ADS | 1u << PURPOSE_MAIL},
        {"advertising", 1u << PURPOSE_ADS},
        {"personalization", 1u << PURPOSE_PERSONALISE},
        {"personalisation", 1u << PURPOSE_PERSONALISE},
        {"preferences", 1u << PURPOSE_PERSONALISE},
        {"functional", 1u << PURPOSE_PERSONALISE},
    };
    const struct json_node *said =
        json_get(json_get(json_get(node, "context"), "consent"), "categoryPreferences");

    for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++) {
        bool is_granted;

        if (!json_bool(json_get(said, categories[i].category), &is_granted) || is_granted) {
            continue;
        }
        for (int purpose = 0; purpose < PURPOSES_; purpose++) {
            if ((categories[i].purposes >> purpose & 1u) != 0) {
                event->consent_said =
                    consent_word_set(event->consent_said, (enum purpose)purpose, CONSENT_REFUSED);
            }
        }
    }
}

/* ---- what ---- */

static void read_currency(const struct json_node *properties, struct event *event)
{
    struct bytes text;

    if (json_text(json_get(properties, "currency"), &text) && money_is_currency(text)) {
        memcpy(event->currency, text.p, 3);
    }
}

static bool read_amount(const struct json_node *node, int exponent, int64_t *out_minor)
{
    if (json_is_null(node) || (node->type != JSON_NUMBER && node->type != JSON_TEXT)) {
        return false;
    }
    return money_round(node->text, exponent, out_minor) == ERR_OK;
}

static bool read_product(const struct json_node *product, const struct event_json_door *door, int exponent,
                         struct event_line *out_line)
{
    static const char *const ids[] = {"product_id", "sku", "item_id", "id", NULL};
    struct event_line line = {.quantity_milli = 1000};
    int64_t price;

    for (size_t i = 0; ids[i] != NULL && line.item_text.n == 0; i++) {
        const struct json_node *id = json_get(product, ids[i]);

        if (id != NULL && (id->type == JSON_TEXT || (id->type == JSON_NUMBER && id->is_integer)) &&
            id->text.n > 0 && id->text.n <= EVENT_ID_BYTES_MAX) {
            line.item_text = id->text;
        }
    }
    if (line.item_text.n == 0) {
        return false;
    }
    line.item = hash_item(door->tenant, line.item_text);
    if (!read_amount(json_get(product, "quantity"), 3, &line.quantity_milli) ||
        line.quantity_milli > INT32_MAX || line.quantity_milli < -INT32_MAX) {
        line.quantity_milli = 1000;
    }
    if (read_amount(json_get(product, "price"), exponent, &price)) {
        line.paid_minor = event_json_times(price, line.quantity_milli);
    }
    *out_line = line;
    return true;
}

static void read_products(const struct json_node *properties, const struct event_json_door *door,
                          struct arena *arena, struct event *event)
{
    const char *currency = event->currency[0] != 0 ? event->currency : door->currency;
    int exponent = money_exponent(currency);
    const struct json_node *array = json_get(properties, "products");
    struct event_line *lines;
    size_t most, n = 0;

    if (array == NULL) {
        array = json_get(properties, "items");
    }
    if (array == NULL || array->type != JSON_ARRAY) {
        array = NULL;
    }
    most = array == NULL ? 1 : array->children_n;
    most = most < EVENT_LINES_MAX ? most : EVENT_LINES_MAX;
    lines = arena_array(arena, most + 1, sizeof(*lines));
    if (lines == NULL) {
        return;
    }
    for (const struct json_node *one = array == NULL ? NULL : array->first; one != NULL && n < most;
         one = one->next) {
        n += read_product(one, door, exponent, &lines[n]) ? 1 : 0;
    }
    if (n == 0) {
        n = read_product(properties, door, exponent, &lines[0]) ? 1 : 0;
    }
    event->lines = lines;
    event->lines_n = n;
}

static void read_text(const struct json_node *node, const char *key, size_t most, struct bytes *out_text)
{
    struct bytes text;

    if (json_text(json_get(node, key), &text) && text.n > 0 && text.n <= most) {
        *out_text = text;
    }
}

static void read_track(struct json_form *form, const struct json_node *node, struct arena *arena,
                       struct event *event)
{
    struct bytes name;

    if (!json_form_id(form, node, "event", JSON_NEEDED, &name)) {
        return;
    }
    event->kind = event_segment_kind(name);
    if (event->kind == EVENT_X) { /* kept under its name, and so reported */
        event->kind_name = bytes_starts(name, BYTES_LIT("x-"))
                               ? name
                               : arena_format(arena, "x-%.*s", (int)(name.n < 250 ? name.n : 250), name.p);
    }
}

static void read_details(const struct json_node *node, const struct event_json_door *door,
                         struct arena *arena, struct event *event)
{
    const struct json_node *properties = json_get(node, "properties"), *session, *position;
    const char *currency;
    int64_t at;

    session = json_get(json_get(node, "context"), "sessionId");
    if (session != NULL && (session->type == JSON_TEXT || session->type == JSON_NUMBER) &&
        session->text.n <= EVENT_ID_BYTES_MAX) {
        event->session = session->text;
    }
    if (properties == NULL || properties->type != JSON_OBJECT) {
        return;
    }
    read_currency(properties, event);
    currency = event->currency[0] != 0 ? event->currency : door->currency;
    read_products(properties, door, arena, event);
    read_text(properties, "order_id", EVENT_ID_BYTES_MAX, &event->order);
    read_text(properties, "transaction_id", EVENT_ID_BYTES_MAX, &event->order);
    read_text(properties, "query", 1024, &event->query);
    read_text(properties, "search_term", 1024, &event->query);
    read_text(properties, "ticket", 512, &event->ticket);
    read_text(properties, "placement", EVENT_ID_BYTES_MAX, &event->placement);
    read_text(properties, "store", EVENT_ID_BYTES_MAX, &event->store_text);
    position = json_get(properties, "position");
    if (json_int(position != NULL ? position : json_get(properties, "index"), 1, 100000, &at)) {
        event->position = (uint32_t)at;
    }
    (void)(read_amount(json_get(properties, "total"), money_exponent(currency), &event->total_minor) ||
           read_amount(json_get(properties, "revenue"), money_exponent(currency), &event->total_minor) ||
           read_amount(json_get(properties, "value"), money_exponent(currency), &event->total_minor));
    if (properties->raw.n <= EVENT_PROPERTIES_BYTES_MAX) {
        event->properties = properties->raw;
    }
}

void event_segment_read(struct json_form *form, const struct json_node *node,
                        const struct event_json_door *door, struct arena *arena, struct event *event)
{
    const struct type *type = type_of(node);

    event->kind = type->kind;
    if (type->kind == EVENT_NONE) {
        read_track(form, node, arena, event);
    } else if (type->kind == EVENT_X) {
        event->kind_name = BYTES_LIT("x-group");
    }
    event->has_id = json_form_id(form, node, "messageId", JSON_MAY, &event->id);
    read_times(form, node, door, event);
    add_who(form, node, "userId", IDENTIFIER_USER_ID, event);
    add_who(form, node, "anonymousId", IDENTIFIER_ANONYMOUS_ID, event);
    if (bytes_equal(bytes_of(type->type), BYTES_LIT("alias"))) {
        add_who(form, node, "previousId", IDENTIFIER_ANONYMOUS_ID, event);
    }
    read_channel(node, event);
    read_consent(node, event);
    read_details(node, door, arena, event);
}
