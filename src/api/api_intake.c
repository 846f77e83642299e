/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_intake.h"

#include "api/api_ticket.h"
#include "base/hash.h"
#include "model/model.h"

bool api_intake_open(struct api_intake *intake, struct http_request *request, const struct api_caller *caller,
                     uint16_t call_word, size_t n)
{
    const struct api_tenant *tenant = caller->tenant;

    *intake = (struct api_intake){.request = request, .caller = *caller, .n = n};
    intake->events = arena_array(request->arena, n + 1, sizeof(*intake->events));
    intake->verdicts = arena_array(request->arena, n + 1, sizeof(*intake->verdicts));
    intake->is_ticket_ignored = arena_array(request->arena, n + 1, sizeof(*intake->is_ticket_ignored));
    intake->door = (struct ingest_door){.tenant = tenant->id,
                                        .source = caller->source,
                                        .country = bytes_of(tenant->country),
                                        .is_gated = caller->is_gated,
                                        .is_server = caller->is_server,
                                        .has_gpc = api_has_gpc(request),
                                        .call_word = call_word,
                                        .now_ms = request->received_ms};
    intake->json = (struct event_json_door){.tenant = tenant->id,
                                            .currency = tenant->currency,
                                            .now_ms = request->received_ms,
                                            .rng = api_loop_of(request)->chance};
    if (arena_overflowed(request->arena)) {
        http_reply_err(request, ERR_NOMEM, NULL);
        return false;
    }
    return true;
}

void api_intake_read(struct api_intake *intake, size_t i, const struct json_node *node,
                     const struct why *element_why)
{
    struct ingest_verdict *verdict = &intake->verdicts[i];
    struct why why = {0};
    enum err err = ERR_INVALID;

    if (node == NULL) {
        why = *element_why;
    } else {
        err = event_json_read(node, &intake->json, intake->request->arena, &intake->events[i], &why);
    }
    if (err == ERR_OK) {
        return;
    }
    if (node != NULL) { /* its id, where there is one, helps the sender to find it again */
        struct bytes id;

        if ((json_text(json_get(node, "id"), &id) || json_text(json_get(node, "messageId"), &id)) &&
            id.n <= EVENT_ID_BYTES_MAX) {
            intake->events[i].id = id;
            intake->events[i].has_id = true;
        }
    }
    intake->events[i].kind = EVENT_NONE;
    verdict->outcome = INGEST_QUARANTINED;
    verdict->why = why;
}

/* The item of a ticket by the name others know it by; false when neither catalogue nor model knows it. */
static bool item_text(struct http_request *request, struct api_tenant *tenant, struct item_id id,
                      struct bytes *out_text)
{
    struct api_loop *loop = api_loop_of(request);
    const struct model *model;
    const struct item *item;

    publish_enter(loop->api->publish, loop->slot);
    item = catalog_item(tenant->catalog, id);
    model = api_view(tenant).base;
    *out_text = (struct bytes){0};
    if (item != NULL) {
        *out_text = arena_copy(request->arena, item->id_text);
    } else if (model != NULL && model_item_find(model, id) != MODEL_NONE) {
        *out_text = arena_copy(request->arena, model_item_text(model, model_item_find(model, id)));
    }
    publish_leave(loop->api->publish, loop->slot);
    return out_text->n > 0;
}

/* A ticket is good for the customer it was given to; for what that customer was called on this part before
 * it was linked (a first part and its customer share a number) or before it was known; and, given to
 * nobody, for anybody. */
static bool is_own(const struct http_request *request, struct tenant_id tenant, struct bytes text,
                   const struct api_sender *sender, struct ticket *out_ticket)
{
    const struct api *api = api_of(request);
    const struct customer_id may_be[] = {sender->customer,
                                         {sender->part.v},
                                         sender->identifier.value.n > 0
                                             ? ticket_stranger(api, tenant, sender->identifier)
                                             : (struct customer_id){0},
                                         {0}};

    for (size_t i = 0; i < sizeof(may_be) / sizeof(may_be[0]); i++) {
        if (ticket_read(api, text, tenant, may_be[i], request->received_ms, out_ticket) == ERR_OK) {
            return true;
        }
    }
    return false;
}

bool api_ticket_open(struct http_request *request, struct api_tenant *tenant, const struct api_sender *sender,
                     struct event *event)
{
    struct ticket ticket;
    struct event_line *line;

    if (event->kind == EVENT_NONE || event->ticket.n == 0) {
        return true;
    }
    if (!is_own(request, tenant->id, event->ticket, sender, &ticket)) {
        event->ticket = (struct bytes){0};
        return false;
    }
    if (event->position == 0) {
        event->position = ticket.position;
    }
    line = event->lines_n == 0 ? arena_take(request->arena, sizeof(*line)) : NULL;
    if (line != NULL && item_text(request, tenant, ticket.item, &line->item_text)) {
        line->item = ticket.item;
        line->quantity_milli = 1000;
        event->lines = line;
        event->lines_n = 1;
    }
    return true;
}

void api_intake_ticket(struct api_intake *intake, size_t i, const struct api_sender *sender)
{
    intake->is_ticket_ignored[i] =
        !api_ticket_open(intake->request, intake->caller.tenant, sender, &intake->events[i]);
}

void api_intake_verdict(struct json_write *w, const struct api_intake *intake, size_t i, const char *word)
{
    const struct ingest_verdict *verdict = &intake->verdicts[i];
    const struct event *event = &intake->events[i];

    json_write_object(w, NULL);
    json_write_int(w, "index", (int64_t)i);
    if (event->id.n > 0) {
        json_write_text(w, "id", event->id);
    }
    json_write_word(w, "verdict", word != NULL ? word : ingest_outcome_word(verdict->outcome));
    if (verdict->why.code[0] != '\0') {
        json_write_word(w, "code", verdict->why.code);
        json_write_word(w, "detail", verdict->why.says);
        json_write_word(w, "pointer", verdict->why.field);
    }
    if (verdict->is_unproved) {
        json_write_word(w, "identity", "unproved");
    } else if (verdict->is_shared_device) {
        json_write_word(w, "identity", "notLinked");
    }
    if (intake->is_ticket_ignored[i]) {
        json_write_word(w, "ticket", "ignored");
    }
    json_write_end(w);
}

size_t api_intake_taken(const struct api_intake *intake)
{
    size_t n = 0;

    for (size_t i = 0; i < intake->n; i++) {
        enum ingest_outcome outcome = intake->verdicts[i].outcome;

        n += outcome == INGEST_ACCEPTED || outcome == INGEST_DUPLICATE || outcome == INGEST_ANONYMOUS;
    }
    return n;
}

void api_intake_learn(struct http_request *request, const struct api_tenant *tenant, const struct event *events,
                      const struct ingest_verdict *verdicts, size_t n)
{
    const struct api_port *port = &api_of(request)->port;

    for (size_t i = 0; port->learn != NULL && i < n; i++) {
        bool is_anonymous = verdicts[i].outcome == INGEST_ANONYMOUS;
        struct lesson few[8], *lessons = few;
        size_t lessons_n;

        if (events[i].kind == EVENT_NONE || (verdicts[i].outcome != INGEST_ACCEPTED && !is_anonymous)) {
            continue;
        }
        lessons_n = lesson_n(&events[i], is_anonymous);
        if (lessons_n > sizeof(few) / sizeof(few[0])) {
            lessons = arena_array(request->arena, lessons_n, sizeof(*lessons));
        }
        if (lessons_n == 0 || lessons == NULL) {
            continue; /* a request's memory is used up: the log has it for the next training */
        }
        lesson_of(&events[i], tenant->id, verdicts[i].part, is_anonymous, lessons);
        port->learn(port->learner, tenant, lessons, lessons_n);
    }
}

void api_intake_answer(const struct api_intake *intake, enum err err)
{
    struct http_request *request = intake->request;
    struct json_write w;

    for (size_t i = 0; err == ERR_OK && i < intake->n; i++) {
        if (intake->verdicts[i].outcome == INGEST_FAILED) {
            err = intake->verdicts[i].err;
        }
    }
    if (err != ERR_OK) {
        http_reply_err(request, err, NULL);
        return;
    }
    json_write_open(&w, request->arena, 128 + intake->n * 64);
    json_write_object(&w, NULL);
    json_write_int(&w, "accepted", (int64_t)api_intake_taken(intake));
    json_write_array(&w, "results");
    for (size_t i = 0; i < intake->n; i++) {
        api_intake_verdict(&w, intake, i, NULL);
    }
    json_write_end(&w);
    json_write_end(&w);
    http_reply_json(request, 200, &w);
}
