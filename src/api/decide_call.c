/* SPDX-License-Identifier: Apache-2.0 */
#include "api/decide_call.h"

#include "api/api_call.h"
#include "base/hash.h"
#include "event/event_json.h"

#include <string.h>

enum { EVENTS_MAX = 100, N_MAX = 100, N_DEFAULT = 4, EXCLUDE_MAX = 1000, CANDIDATES_MAX = 500 };
enum { PREVIEW_MS = 5 * MINUTE_MS, BUDGET_MS = 20 };

/* Placements that every shop has; any other name answers too and is told in `unknown` (settled.md 4.3). */
static const struct {
    const char *name;
    size_t n;
} built_in[] = {{"home-top", 4},   {"home-more", 12}, {"product-together", 4}, {"product-instead", 4},
                {"cart", 4},       {"category-top", 8}, {"search-empty", 8},   {"receipt", 4},
                {"mail-top", 6},   {"till", 3},       {"app-home", 8},         {"clerk", 6}};

/* ---- reading ---- */

static const char *const modes[] = {"personal", "session", "anonymous", "synthetic", NULL};

static void read_ids(struct decide_call *call, struct json_form *form, const struct json_node *object, const char *key,
                     size_t most, const struct item_id **out_ids, size_t *out_n)
{
    const struct json_node *array;
    struct item_id *ids;
    size_t n = 0;

    if (!json_form_array(form, object, key, JSON_MAY, 0, most, &array)) {
        return;
    }
    ids = arena_array(call->request->arena, array->children_n + 1u, sizeof(*ids));
    for (const struct json_node *node = array->first; ids != NULL && node != NULL; node = node->next) {
        struct bytes text;

        if (!json_text(node, &text) || text.n == 0 || text.n > EVENT_ID_BYTES_MAX) {
            json_form_fault(form, node, NULL, "wrong_type", "an item id is text of 1 to 256 bytes");
            continue;
        }
        ids[n++] = hash_item(call->caller.tenant->id, text);
        if (catalog_item(call->caller.tenant->catalog, ids[n - 1]) == NULL && call->unknown_items_n < DECIDE_CALL_UNKNOWN) {
            call->unknown_item[call->unknown_items_n++] = text;
        }
    }
    *out_ids = ids;
    *out_n = n;
}

static void read_placement(struct decide_call *call, struct json_form *form, const struct json_node *object,
                           const char *name_key)
{
    struct decide_placement *placement = &call->placements[call->placements_n];
    int64_t n = N_DEFAULT;

    if (!json_form_text(form, object, name_key, JSON_NEEDED, 1, 64, &placement->name)) {
        return;
    }
    for (size_t i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++) {
        if (bytes_equal(placement->name, bytes_of(built_in[i].name))) {
            n = (int64_t)built_in[i].n;
            call->is_known_placement[call->placements_n] = true;
        }
    }
    for (size_t i = 0; i < call->placements_n; i++) {
        if (bytes_equal(call->placements[i].name, placement->name)) {
            json_form_fault(form, object, name_key, "duplicate", "placement names are unique within a call");
        }
    }
    json_form_int(form, object, "n", JSON_MAY, 1, N_MAX, &n);
    placement->n = (size_t)n;
    read_ids(call, form, object, "exclude", EXCLUDE_MAX, &placement->exclude, &placement->exclude_n);
    read_ids(call, form, object, "candidates", CANDIDATES_MAX, &placement->candidates, &placement->candidates_n);
    api_unsupported(form, object, "filter");
    api_unsupported(form, object, "compare");
    call->placements_n++;
}

static void read_placements(struct decide_call *call, struct json_form *form, const struct json_node *root)
{
    static const char *const known[] = {"name", "n", "filter", "exclude", "candidates", "compare", NULL};
    const struct json_node *array;

    if (json_get(root, "placements") == NULL) {
        read_placement(call, form, root, "placement");
        return;
    }
    if (!json_form_array(form, root, "placements", JSON_NEEDED, 1, DECIDE_CALL_PLACEMENTS, &array)) {
        return;
    }
    for (const struct json_node *node = array->first; node != NULL; node = node->next) {
        json_form_known(form, node, known);
        read_placement(call, form, node, "name");
    }
}

static void read_context(struct decide_call *call, struct json_form *form, const struct json_node *root)
{
    static const char *const known[] = {"channel", "page", "store", "place", "at", "device", "campaign", "weather", NULL};
    static const char *const page_known[] = {"type", "item", "category", "query", "locale", NULL};
    const struct json_node *context, *page;
    struct bytes text;

    if (!json_form_object(form, root, "context", JSON_MAY, &context)) {
        return;
    }
    json_form_known(form, context, known);
    if (json_form_text(form, context, "channel", JSON_MAY, 1, 16, &text) &&
        !event_channel_of(text, &call->context.channel)) {
        json_form_fault(form, context, "channel", "out_of_range", "channels are web app till mail ads service");
    }
    if (json_form_id(form, context, "store", JSON_MAY, &call->store_text)) {
        call->context.store = hash_store(call->caller.tenant->id, call->store_text);
    }
    if (json_form_object(form, context, "page", JSON_MAY, &page)) {
        json_form_known(form, page, page_known);
        if (json_form_id(form, page, "item", JSON_MAY, &text)) {
            call->context.page_item = hash_item(call->caller.tenant->id, text);
        }
        if (json_form_text(form, page, "locale", JSON_MAY, 2, 35, &text)) {
            call->language = explain_language_of(text);
        }
    }
    if (json_form_time(form, context, "at", JSON_MAY, &call->now_ms) &&
        (call->now_ms > call->request->received_ms + PREVIEW_MS || call->now_ms < call->request->received_ms - PREVIEW_MS) &&
        call->caller.who != API_SECRET) {
        json_form_fault(form, context, "at", "not_allowed", "a time more than 5 minutes away is a preview: use a secret key");
    }
}

/* One event of the call: a bad one gets its verdict and never stops the decision. */
static void read_event(struct decide_call *call, const struct json_node *node, size_t i)
{
    struct event_json_door door = {.tenant = call->caller.tenant->id,
                                   .currency = call->caller.tenant->currency,
                                   .channel = call->context.channel,
                                   .now_ms = call->request->received_ms,
                                   .rng = api_loop_of(call->request)->chance};
    struct event *event = &call->events[i];
    struct ingest_verdict *verdict = &call->verdicts[i];

    if (event_json_read(node, &door, call->request->arena, event, &verdict->why) != ERR_OK ||
        ingest_check(event, call->request->received_ms, &verdict->why) != ERR_OK) {
        event->kind = EVENT_NONE;
        verdict->outcome = INGEST_QUARANTINED;
        return;
    }
    event->source = call->caller.source;
    event->received_ms = call->request->received_ms;
    event_finish(event, call->caller.tenant->id);
    /* An event that names nobody is the caller's customer's. */
    call->is_named[call->counted_n] = event->identifiers_n > 0;
    if (event->identifiers_n == 0) {
        memcpy(event->identifiers, call->person.identifiers, sizeof(event->identifiers));
        event->identifiers_n = call->person.identifiers_n;
    }
    call->counted[call->counted_n++] = event;
    call->readable_n++;
}

static void read_events(struct decide_call *call, struct json_form *form, const struct json_node *root)
{
    const struct json_node *array;
    size_t i = 0;

    if (!json_form_array(form, root, "events", JSON_MAY, 0, EVENTS_MAX, &array)) {
        return;
    }
    call->events = arena_array(call->request->arena, array->children_n + 1u, sizeof(*call->events));
    call->is_ticket_ignored = arena_array(call->request->arena, array->children_n + 1u, sizeof(*call->is_ticket_ignored));
    call->is_named = arena_array(call->request->arena, array->children_n + 1u, sizeof(*call->is_named));
    call->verdicts = arena_array(call->request->arena, array->children_n + 1u, sizeof(*call->verdicts));
    call->counted = arena_array(call->request->arena, array->children_n + 1u, sizeof(struct event *));
    if (arena_overflowed(call->request->arena)) {
        return;
    }
    call->events_n = array->children_n;
    for (const struct json_node *node = array->first; node != NULL; node = node->next) {
        read_event(call, node, i++);
    }
}

void decide_call_read(struct decide_call *call, const struct json_node *root, struct json_form *form)
{
    static const char *const known[] = {"customer", "identifier", "session", "mode",   "consent",   "context",  "events",
                                        "placements", "placement", "n",      "exclude", "candidates", "filter", "compare",
                                        "explain",  "budgetMs",  NULL};
    static const char *const explains[] = {"none", "outer", "inner", NULL};
    size_t word = 0;
    int64_t budget_ms = BUDGET_MS;
    struct bytes session;

    json_form_known(form, root, known);
    api_person_form(call->request, &call->caller, form, root, &call->person);
    if (json_form_word(form, root, "mode", JSON_MAY, modes, &word)) {
        call->asked = (enum decide_mode)(DECIDE_PERSONAL + word);
    }
    call->explain = EXPLAIN_OUTER;
    if (json_form_word(form, root, "explain", JSON_MAY, explains, &word)) {
        call->explain = (enum decide_explain)word;
    }
    if (call->explain == EXPLAIN_INNER && call->caller.who != API_SECRET) {
        json_form_fault(form, root, "explain", "not_allowed", "the inner why needs a secret key; a page may ask for `outer`");
    }
    json_form_id(form, root, "session", JSON_MAY, &session);
    json_form_int(form, root, "budgetMs", JSON_MAY, 1, 10000, &budget_ms);
    /* Deadlines are of the real clock; under a test clock there is none (settled.md 4.7). */
    call->deadline_ms = api_of(call->request)->has_test_clock ? 0 : call->request->received_ms + budget_ms;
    (void)event_json_consent(form, root, "consent", &call->call_word);
    read_context(call, form, root);
    read_events(call, form, root);
    read_placements(call, form, root);
}
