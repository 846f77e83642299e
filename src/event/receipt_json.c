/* SPDX-License-Identifier: Apache-2.0 */
#include "event/receipt_json.h"

#include "base/hash.h"
#include "base/money.h"

static const char *const receipt_fields[] = {
    "id",    "source", "at",       "store",  "register", "currency", "customer", "identifier", "total",
    "lines", "order",  "payments", "seller", "training", "voided",   "consent",  "channel",  NULL};
static const char *const line_fields[] = {"item",   "gtin",     "quantity", "paid",     "vat",
                                          "margin", "discount", "returnOf", "currency", NULL};

static bool read_line(struct json_form *form, const struct json_node *node,
                      const struct event_json_door *door, const char *currency, struct event_line *out_line)
{
    struct event_line line = {0};
    struct bytes text;
    char named[4];
    size_t faults_seen = form->faults_seen;

    json_form_known(form, node, line_fields);
    if (node->type != JSON_OBJECT) {
        return false;
    }
    (void)json_form_id(form, node, "item", JSON_NEEDED, &line.item_text);
    if (json_is_null(json_get(node, "quantity"))) {
        json_form_fault(form, node, "quantity", "required",
                        "quantity is missing; send it, negative for a return.");
    }
    (void)event_json_quantity(form, node, "quantity", &line.quantity_milli);
    if (json_form_money(form, node, "paid", JSON_NEEDED, currency, &line.paid_minor, named) &&
        strcmp(named, currency) != 0) {
        json_form_fault(form, node, "paid", "bad_currency",
                        "A receipt has one currency; send another receipt for another.");
    }
    (void)json_form_money(form, node, "vat", JSON_MAY, currency, &(int64_t){0}, named);
    (void)json_form_money(form, node, "margin", JSON_MAY, currency, &(int64_t){0}, named);
    (void)json_form_money(form, node, "discount", JSON_MAY, currency, &(int64_t){0}, named);
    (void)json_form_text(form, node, "gtin", JSON_MAY, 1, 32, &text);
    (void)json_form_id(form, node, "returnOf", JSON_MAY, &text);
    if (form->faults_seen != faults_seen) {
        return false;
    }
    line.item = hash_item(door->tenant, line.item_text);
    *out_line = line;
    return true;
}

static void read_lines(struct json_form *form, const struct json_node *node,
                       const struct event_json_door *door, struct arena *arena, struct event *event)
{
    const struct json_node *array;
    struct event_line *lines;
    bool is_return = true;

    if (!json_form_array(form, node, "lines", JSON_NEEDED, 1, EVENT_LINES_MAX, &array)) {
        return;
    }
    lines = arena_array(arena, array->children_n, sizeof(*lines));
    if (lines == NULL) {
        return;
    }
    for (const struct json_node *one = array->first; one != NULL; one = one->next) {
        if (read_line(form, one, door, event->currency, &lines[event->lines_n])) {
            is_return = is_return && lines[event->lines_n].quantity_milli < 0;
            event->lines_n++;
        }
    }
    event->lines = lines;
    event->kind = is_return && event->lines_n > 0 ? EVENT_RETURN : EVENT_PURCHASE;
}

static void read_payments(struct json_form *form, const struct json_node *node, const char *currency)
{
    static const char *const known[] = {"kind", "amount", "currency", NULL};
    const struct json_node *array;
    struct bytes kind;
    int64_t minor;
    char named[4];

    if (!json_form_array(form, node, "payments", JSON_MAY, 0, 100, &array)) {
        return;
    }
    for (const struct json_node *one = array->first; one != NULL; one = one->next) {
        json_form_known(form, one, known);
        if (one->type == JSON_OBJECT) {
            (void)json_form_text(form, one, "kind", JSON_NEEDED, 1, 64, &kind);
            (void)json_form_money(form, one, "amount", JSON_NEEDED, currency, &minor, named);
        }
    }
}

bool receipt_json_read(struct json_form *form, const struct json_node *node,
                       const struct event_json_door *door, struct arena *arena, struct receipt *out_receipt)
{
    struct receipt receipt = {.event = {.kind = EVENT_PURCHASE,
                                        .channel = CHANNEL_TILL,
                                        .has_id = true,
                                        .has_time = true,
                                        .is_receipt = true,
                                        .received_ms = door->now_ms}};
    struct event *event = &receipt.event;
    struct event_json_who who = {0};
    bool is_training = false, is_voided = false;
    struct bytes text = bytes_of(door->currency);
    size_t faults_seen = form->faults_seen;
    char named[4];

    json_form_known(form, node, receipt_fields);
    if (node->type != JSON_OBJECT) {
        return false;
    }
    (void)json_form_id(form, node, "id", JSON_NEEDED, &event->id);
    (void)json_form_id(form, node, "source", JSON_MAY, &receipt.source);
    (void)json_form_time(form, node, "at", JSON_NEEDED, &event->at_ms);
    event->declared_ms = event->at_ms;
    (void)json_form_id(form, node, "store", JSON_MAY, &event->store_text);
    (void)json_form_id(form, node, "order", JSON_MAY, &event->order);
    (void)json_form_text(form, node, "currency", JSON_MAY, 3, 3, &text);
    if (!money_is_currency(text)) {
        json_form_fault(form, node, "currency", "bad_currency",
                        "currency must be three capital letters, such as NOK.");
        return false;
    }
    memcpy(event->currency, text.p, 3);
    if (json_form_text(form, node, "channel", JSON_MAY, 1, 32, &text) && !event_channel_of(text, &event->channel)) {
        json_form_fault(form, node, "channel", "unknown_word", "channel must be one of: web, app, till, mail, ads, service.");
    }
    (void)json_form_id(form, node, "register", JSON_MAY, &text);
    (void)json_form_id(form, node, "seller", JSON_MAY, &text);
    (void)json_form_money(form, node, "total", JSON_MAY, event->currency, &event->total_minor, named);
    (void)json_form_bool(form, node, "training", JSON_MAY, &is_training);
    (void)json_form_bool(form, node, "voided", JSON_MAY, &is_voided);
    (void)event_json_consent(form, node, "consent", &event->consent_said);
    event_json_who(form, node, arena, &who);
    if (who.customer.n > 0) {
        json_form_fault(form, json_get(node, "customer"), "id", "unsupported",
                        "A receipt is kept under an identifier; name it in customer.ids.");
    }
    memcpy(event->identifiers, who.identifiers, sizeof(event->identifiers));
    event->identifiers_n = who.n;
    read_lines(form, node, door, arena, event);
    read_payments(form, node, event->currency);
    if (form->faults_seen != faults_seen || arena_overflowed(arena)) {
        return false;
    }
    if (is_training || is_voided) {
        event->kind = EVENT_CANCEL;
        event->lines = NULL;
        event->lines_n = 0;
        event->total_minor = 0;
    }
    *out_receipt = receipt;
    return true;
}
