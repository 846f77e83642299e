/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/receipts (product.md 7.3): one or up to 500, identity (source, id) for good. A receipt's source
 * is the till's own, so the receipts of one call are offered source by source, one offer after another. */
#include "api/api_intake.h"
#include "event/receipt_json.h"

enum { RECEIPTS_MAX = 500, FAULTS_TOLD = JSON_FORM_FAULTS_MAX };

struct receipts {
    struct api_intake all; /* verdicts in the order of the call */
    struct bytes *sources; /* of each */
    bool *is_offered;
    struct why *faults; /* all faults of a receipt that was sent alone */
    size_t faults_n;
    struct event *events; /* of the offer under way */
    struct ingest_verdict *verdicts;
    size_t *at; /* their places in `all` */
    size_t n;
};

static void offer_next(struct receipts *call);

static void offered(void *ctx, enum err err)
{
    struct receipts *call = ctx;

    if (err != ERR_OK) {
        http_reply_err(call->all.request, err, NULL);
        return;
    }
    api_intake_learn(call->all.request, call->all.caller.tenant, call->events, call->verdicts, call->n);
    for (size_t i = 0; i < call->n; i++) {
        call->all.verdicts[call->at[i]] = call->verdicts[i];
    }
    offer_next(call);
}

/* Offers what is left of the first source that is left; answers when nothing is. */
static void offer_next(struct receipts *call)
{
    struct api_intake *intake = &call->all;
    struct http_request *request = intake->request;
    struct bytes source = {0};

    call->n = 0;
    for (size_t i = 0; i < intake->n; i++) {
        if (call->is_offered[i] || (call->n > 0 && !bytes_equal(source, call->sources[i]))) {
            continue;
        }
        source = call->sources[i];
        call->is_offered[i] = true;
        call->at[call->n] = i;
        call->events[call->n++] = intake->events[i];
    }
    if (call->n == 0) {
        api_intake_answer(&call->all, ERR_OK);
        return;
    }
    intake->door.source = source;
    ingest_offer(api_of(request)->storage, request->loop, &intake->door, call->events, call->n,
                 call->verdicts, request->arena, offered, call);
}

/* ---- reading ---- */

static void quarantine(struct receipts *call, size_t i, const struct why *why)
{
    call->all.events[i].kind = EVENT_NONE;
    call->all.verdicts[i].outcome = INGEST_QUARANTINED;
    call->all.verdicts[i].why = *why;
    call->is_offered[i] = true;
}

static void read_one(struct receipts *call, size_t i, const struct json_element *element)
{
    struct api_intake *intake = &call->all;
    const struct json_node *node = element->node;
    struct json_form form = {0};
    struct receipt receipt;
    struct why why = {0};

    if (node == NULL) {
        quarantine(call, i, element->why);
        return;
    }
    (void)json_text(json_get(node, "id"), &intake->events[i].id);
    if (node->has_duplicate_below) {
        (void)why_say(&why, ERR_INVALID, "malformed_json", "",
                      "An object names one field twice; send it once.");
        quarantine(call, i, &why);
        return;
    }
    if (!receipt_json_read(&form, node, &intake->json, intake->request->arena, &receipt)) {
        for (size_t j = 0; j < form.faults_n; j++) {
            event_json_inside(node, &form.faults[j]);
        }
        if (form.faults_n > 0) {
            quarantine(call, i, &form.faults[0]);
        }
        if (intake->n == 1 && call->faults != NULL) {
            memcpy(call->faults, form.faults, form.faults_n * sizeof(*call->faults));
            call->faults_n = form.faults_n;
        }
        return;
    }
    intake->events[i] = receipt.event;
    call->sources[i] = receipt.source.n > 0 ? receipt.source : intake->caller.source;
    if (receipt.event.kind == EVENT_CANCEL && receipt.event.identifiers_n == 0) {
        call->is_offered[i] = true;
        intake->verdicts[i].outcome = INGEST_REFUSED;
        (void)why_say(
            &intake->verdicts[i].why, ERR_NO_PASS, "not_counted", "",
            "A training or voided receipt counts nothing, and this one names nobody: nothing was kept.");
    }
}

static struct receipts *call_new(struct http_request *request, const struct api_caller *caller, size_t n)
{
    struct arena *arena = request->arena;
    struct receipts *call = arena_take(arena, sizeof(*call));

    if (call == NULL) {
        http_reply_err(request, ERR_NOMEM, NULL);
        return NULL;
    }
    call->sources = arena_array(arena, n + 1, sizeof(*call->sources));
    call->is_offered = arena_array(arena, n + 1, sizeof(*call->is_offered));
    call->faults = arena_array(arena, FAULTS_TOLD, sizeof(*call->faults));
    call->events = arena_array(arena, n + 1, sizeof(*call->events));
    call->verdicts = arena_array(arena, n + 1, sizeof(*call->verdicts));
    call->at = arena_array(arena, n + 1, sizeof(*call->at));
    return api_intake_open(&call->all, request, caller, 0, n) ? call : NULL;
}

static bool has_readable(const struct json_batch *batch)
{
    for (size_t i = 0; i < batch->elements_n; i++) {
        if (batch->elements[i].node != NULL) {
            return true;
        }
    }
    return false;
}

static void receipts_post(struct http_request *request)
{
    static const char *const keys[] = {"receipts", NULL}, *const no_query[] = {NULL};
    struct api_caller caller;
    struct json_batch batch;
    struct receipts *call;
    struct why why = {0};
    enum err err;

    if (!api_caller_of(request, API_SECRET, &caller) || !api_query_known(request, no_query)) {
        return;
    }
    err = json_read_batch(request->arena, request->body, keys, &batch, &why);
    if (err == ERR_OK && !has_readable(&batch)) {
        err = why_say(&why, ERR_INVALID, "malformed_json", "",
                      "There is no receipt in the body that is JSON; send one.");
    }
    if (err != ERR_OK) {
        http_reply_err(request, err, &why);
        return;
    }
    if (batch.elements_n > RECEIPTS_MAX) {
        http_reply_problem(request, 413, "too_big",
                           "A call takes at most %d receipts; send the rest in another.", RECEIPTS_MAX);
        return;
    }
    call = call_new(request, &caller, batch.elements_n);
    if (call == NULL) {
        return;
    }
    for (size_t i = 0; i < batch.elements_n; i++) {
        read_one(call, i, &batch.elements[i]);
    }
    if (arena_overflowed(request->arena)) {
        http_reply_err(request, ERR_NOMEM, NULL);
    } else if (call->faults_n > 0 && !batch.was_cut) { /* one receipt by itself: all its faults at once */
        http_reply_problems(request, 422, "invalid_field", call->faults[0].says, call->faults,
                            call->faults_n);
    } else {
        offer_next(call);
    }
}

static void customer_put(struct http_request *request)
{
    struct api_caller caller;

    if (api_caller_of(request, API_SECRET, &caller)) {
        http_reply_problem(request, 422, "unsupported",
                           "A receipt cannot be given a customer afterwards yet; send it again with its "
                           "customer, it replaces.");
    }
}

const struct http_route api_receipt_routes[] = {
    {HTTP_METHOD_POST, "/v1/receipts", receipts_post, HTTP_ROUTE_NO_CORS, 0},
    {HTTP_METHOD_PUT, "/v1/receipts/{source}/{id}/customer", customer_put, HTTP_ROUTE_NO_CORS, 0},
};
const size_t api_receipt_routes_n = sizeof(api_receipt_routes) / sizeof(api_receipt_routes[0]);
