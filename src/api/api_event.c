/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/events: one event, an array, {"events": [...]} or NDJSON, each with its own verdict, answered
 * after the fsync. GET /v1/events is in api_event_read.c. */
#include "api/api_event.h"

#include "api/api_intake.h"
#include "identity/identifier.h"

enum { EVENTS_MAX = 5000 };

struct post { /* one request on its way; in its arena */
    struct api_intake intake;
    size_t *ticketed; /* events with a ticket and somebody named */
    struct storage_identifier *names;
    size_t ticketed_n;
};

static void answer(void *ctx, enum err err)
{
    struct post *post = ctx;
    const struct api_intake *intake = &post->intake;

    if (err == ERR_OK) {
        api_intake_learn(intake->request, intake->caller.tenant, intake->events, intake->verdicts, intake->n);
    }
    api_intake_answer(&post->intake, err);
}

static void offer(struct post *post)
{
    struct api_intake *intake = &post->intake;
    struct http_request *request = intake->request;

    if (arena_overflowed(request->arena)) {
        http_reply_err(request, ERR_NOMEM, NULL);
        return;
    }
    ingest_offer(api_of(request)->storage, request->loop, &intake->door, intake->events, intake->n,
                 intake->verdicts, request->arena, answer, post);
}

/* ---- tickets: whose are the events that carry one? ---- */

static void tickets_known(void *ctx, enum err err, const struct storage_identity *identities, size_t n)
{
    struct post *post = ctx;

    for (size_t j = 0; j < post->ticketed_n; j++) {
        struct api_sender sender = {.identifier = {post->names[j].kind, post->names[j].value}};

        if (err == ERR_OK && j < n) {
            sender.customer = identities[j].customer;
            sender.part = identities[j].part;
        }
        api_intake_ticket(&post->intake, post->ticketed[j], &sender);
    }
    offer(post);
}

static void look_tickets_up(struct post *post)
{
    struct api_intake *intake = &post->intake;
    struct http_request *request = intake->request;
    struct arena *arena = request->arena;

    for (size_t i = 0; i < intake->n; i++) {
        const struct event *event = &intake->events[i];
        struct event_identifier who;
        struct why why;

        if (event->kind == EVENT_NONE || event->ticket.n == 0) {
            continue;
        }
        if (post->ticketed == NULL) {
            post->ticketed = arena_array(arena, intake->n, sizeof(*post->ticketed));
            post->names = arena_array(arena, intake->n, sizeof(*post->names));
        }
        who = event->identifiers_n > 0 ? event->identifiers[0] : (struct event_identifier){0};
        if (arena_overflowed(arena) || event->identifiers_n == 0 ||
            identifier_normalise(&who, intake->door.country, arena, &why) != ERR_OK ||
            (!intake->door.is_server && !identifier_is_device(who.kind))) {
            api_intake_ticket(intake, i, &(struct api_sender){0});
            continue;
        }
        post->ticketed[post->ticketed_n] = i;
        post->names[post->ticketed_n++] = (struct storage_identifier){who.kind, who.value};
    }
    if (post->ticketed_n == 0) {
        offer(post);
        return;
    }
    storage_identify(api_of(request)->storage, request->loop, intake->door.tenant, post->names,
                     post->ticketed_n, false, intake->door.source, tickets_known, post);
}

/* ---- the envelope ---- */

static bool read_envelope(struct http_request *request, const struct json_node *envelope, uint16_t *out_word,
                          int64_t *out_sent_ms)
{
    static const char *const known[] = {"events", "consent", "sentAt", "writeKey", NULL};
    struct json_form form = {0};

    if (envelope == NULL) {
        return true;
    }
    if (json_get(envelope, "batch") ==
        NULL) { /* that would be Segment's envelope: what others add to theirs is ignored */
        json_form_known(&form, envelope, known);
    }
    (void)event_json_consent(&form, envelope, "consent", out_word);
    (void)json_form_time(&form, envelope, "sentAt", JSON_MAY, out_sent_ms);
    if (form.faults_n > 0) {
        http_reply_faults(request, &form);
        return false;
    }
    return true;
}

/* 400 only when nothing could be made out of any element. */
static bool has_readable(const struct json_batch *batch)
{
    for (size_t i = 0; i < batch->elements_n; i++) {
        if (batch->elements[i].node != NULL) {
            return true;
        }
    }
    return batch->elements_n == 0 && batch->envelope != NULL;
}

static void post_events(struct http_request *request)
{
    static const char *const keys[] = {"events", "batch", NULL}, *const queries[] = {"writeKey", NULL};
    struct api_caller caller;
    struct json_batch batch;
    struct post *post;
    struct why why = {0};
    uint16_t word = 0;
    int64_t sent_ms = 0;
    enum err err;

    if (!api_caller_of(request, API_PUBLIC | API_SECRET, &caller) || !api_query_known(request, queries)) {
        return;
    }
    err = json_read_batch(request->arena, request->body, keys, &batch, &why);
    if (err == ERR_OK && !has_readable(&batch)) {
        err = why_say(&why, ERR_INVALID, "malformed_json", "",
                      batch.elements_n == 0 ? "There is no event in the body; send one."
                                            : "None of the events is JSON; %s",
                      batch.elements_n == 0 ? "" : batch.elements[0].why->says);
    }
    if (err != ERR_OK) {
        http_reply_err(request, err, &why);
        return;
    }
    if (batch.elements_n > EVENTS_MAX) {
        http_reply_problem(request, 413, "too_big",
                           "A call takes at most %d events; send the rest in another.", EVENTS_MAX);
        return;
    }
    if (!read_envelope(request, batch.envelope, &word, &sent_ms)) {
        return;
    }
    post = arena_take(request->arena, sizeof(*post));
    if (post == NULL) {
        http_reply_err(request, ERR_NOMEM, NULL);
        return;
    }
    if (!api_intake_open(&post->intake, request, &caller, word, batch.elements_n)) {
        return;
    }
    post->intake.json.sent_ms = sent_ms;
    for (size_t i = 0; i < batch.elements_n; i++) {
        api_intake_read(&post->intake, i, batch.elements[i].node, batch.elements[i].why);
    }
    look_tickets_up(post);
}

const struct http_route api_event_routes[] = {
    {HTTP_METHOD_POST, "/v1/events", post_events, HTTP_ROUTE_PLAIN, 0},
    {HTTP_METHOD_GET, "/v1/events", api_event_read, HTTP_ROUTE_NO_CORS, 0},
};
const size_t api_event_routes_n = sizeof(api_event_routes) / sizeof(api_event_routes[0]);
