/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_demo.h"

#include "api/api_demo_inside.h"
#include "api/api_form.h"
#include "api/api_trace.h"
#include "base/hash.h"
#include "base/json_form.h"
#include "consent/consent.h"
#include "event/event_json.h"
#include "identity/identifier.h"
#include "ingest/ingest.h"
#include "picture/picture.h"
#include "profile/declared.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { LOAD_MS = 1000, FORM_FIELDS_MAX = 32 };

#define DEMO_SOURCE BYTES_LIT("demo-page")
#define NEWCOMER "cookie:newcomer-"

/* ---- open and close ---- */

enum err api_demo_open(struct api *api, struct api_tenant *tenant, const struct zone *zone)
{
    struct api_demo *demo = calloc(1, sizeof(*demo));

    if (!demo)
        return ERR_NOMEM;
    demo->tenant = tenant;
    demo->zone = *zone;
    pthread_mutex_init(&demo->lock, NULL);
    api->is_demo = true;
    atomic_store(&api->demo, demo);
    return ERR_OK;
}

void api_demo_close(struct api *api)
{
    struct api_demo *demo = api->demo;

    if (!demo)
        return;
    api->demo = NULL;
    survey_free(atomic_load(&demo->survey));
    free(demo->report);
    pthread_mutex_destroy(&demo->lock);
    free(demo);
}

void api_demo_household(struct api *api, char out_key[API_DEMO_KEY_BYTES])
{
    struct api_demo *demo = api->demo;
    const struct survey *survey = demo ? atomic_load(&demo->survey) : NULL;

    snprintf(out_key, API_DEMO_KEY_BYTES, "%s",
             survey && survey->choices_n > 0 ? survey->choices[0].key : "member:1");
}

bool api_demo_proof_put(struct api *api, struct bytes report)
{
    struct api_demo *demo = api->demo;
    struct page_proof proof;
    struct arena arena;
    char *copy = NULL;
    bool is;

    assert(demo);
    arena_open(&arena, DEMO_REPORT_BYTES, 16 * DEMO_REPORT_BYTES);
    is = report.n > 0 && report.n <= DEMO_REPORT_BYTES && api_demo_proof_read(report, &arena, &proof);
    arena_close(&arena);
    copy = is ? malloc(report.n) : NULL;
    if (!copy)
        return false;
    memcpy(copy, report.p, report.n);
    pthread_mutex_lock(&demo->lock);
    free(demo->report);
    demo->report = copy;
    demo->report_n = report.n;
    pthread_mutex_unlock(&demo->lock);
    return true;
}

void api_demo_proof_failed(struct api *api, const char *says)
{
    struct api_demo *demo = api->demo;

    assert(demo);
    pthread_mutex_lock(&demo->lock);
    snprintf(demo->failed, sizeof(demo->failed), "%s", says);
    pthread_mutex_unlock(&demo->lock);
}

/* ---- who may come in ---- */

/* A name that another site can point at 127.0.0.1 must not read the page (DNS rebinding). */
static bool is_loopback(struct bytes host)
{
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t n = strlen(names[i]);

        if (host.n >= n && memcmp(host.p, names[i], n) == 0 && (host.n == n || host.p[n] == ':'))
            return true;
    }
    return false;
}

/* False: answered. */
static bool may_enter(struct http_request *request)
{
    if (!api_of(request)->demo) {
        http_reply_problem(request, 404, NULL, "there is no page here; `falun demo` has one");
        return false;
    }
    if (!is_loopback(http_request_header(request, "host"))) {
        http_reply_problem(request, 403, "not_allowed",
                           "the demo answers on this machine only: open http://127.0.0.1");
        return false;
    }
    return true;
}

/* A form is this page's own: browsers say so in Sec-Fetch-Site or Origin, and another site cannot say it for them. */
static bool may_press(struct http_request *request)
{
    struct bytes site = http_request_header(request, "sec-fetch-site");
    struct bytes origin = http_request_header(request, "origin"), host = http_request_header(request, "host");
    bool is_same_site = site.p == NULL || bytes_equal(site, BYTES_LIT("same-origin"));
    bool is_same_origin =
        origin.p == NULL || (origin.n == host.n + 7 && bytes_starts(origin, BYTES_LIT("http://")) &&
                             memcmp(origin.p + 7, host.p, host.n) == 0);

    if (!may_enter(request))
        return false;
    if (!is_same_site || !is_same_origin || (site.p == NULL && origin.p == NULL)) {
        http_reply_problem(request, 403, "not_allowed", "this form is taken from the demo's own page only");
        return false;
    }
    return true;
}

static void reply_headers(struct http_request *request, const char *cache)
{
    http_reply_header(
        request, "Content-Security-Policy",
        BYTES_LIT("default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
                  "base-uri 'none'; frame-ancestors 'none'"));
    http_reply_header(request, "Referrer-Policy", BYTES_LIT("same-origin"));
    http_reply_header(request, "Cross-Origin-Opener-Policy", BYTES_LIT("same-origin"));
    http_reply_header(request, "Cross-Origin-Resource-Policy", BYTES_LIT("same-origin"));
    http_reply_header(request, "Permissions-Policy", BYTES_LIT("camera=(), geolocation=(), microphone=()"));
    http_reply_header(request, "Cache-Control", bytes_of(cache));
}

/* ---- a customer's key in links and forms ---- */

/* Households are members, newcomers cookies; nothing else comes from this page. */
static bool key_read(struct http_request *request, struct bytes key, struct event_identifier *out_identifier)
{
    struct event_identifier identifier;
    struct why why;

    if (key.n >= DEMO_KEY_BYTES || identifier_parse(key, &identifier, &why) != ERR_OK ||
        (identifier.kind != IDENTIFIER_MEMBER && identifier.kind != IDENTIFIER_COOKIE) ||
        identifier_normalise(&identifier, bytes_of(api_of(request)->demo->tenant->country), request->arena,
                             &why) != ERR_OK)
        return false;
    *out_identifier = identifier;
    return true;
}

static struct bytes newcomer_key(struct http_request *request)
{
    struct rng *chance = api_loop_of(request)->chance;

    return arena_format(request->arena, NEWCOMER "%016llx", (unsigned long long)rng_next(chance));
}

/* ---- the page ---- */

struct showing { /* request->state */
    struct demo_view view;
    struct storage_identifier identifier;
};

static void show(struct showing *showing)
{
    struct demo_view *view = &showing->view;
    struct http_request *request = view->request;
    struct api_loop *loop = api_loop_of(request);
    char *room = arena_take(request->arena, PAGE_BYTES_MAX);
    struct page page;
    struct html html;
    struct bytes body = {0};
    enum err err;

    publish_enter(loop->api->publish, loop->slot);
    view->world = (struct decide_world){api_view(view->demo->tenant), view->demo->tenant->catalog};
    err = room ? demo_fill(view, &page) : ERR_NOMEM;
    if (err == ERR_OK) {
        html_open(&html, room, PAGE_BYTES_MAX);
        page_write(&page, &html);
        body = html_bytes(&html);
    }
    publish_leave(loop->api->publish, loop->slot);
    if (err == ERR_OK && body.n == 0)
        err = ERR_TOOBIG;
    if (err != ERR_OK) {
        http_reply_err(request, err, NULL);
        return;
    }
    reply_headers(request, "no-store");
    http_reply_send(request, 200, "text/html; charset=utf-8", body);
}

static void show_nobody(struct showing *showing, enum decide_fallback fallback)
{
    struct demo_view *view = &showing->view;
    enum err err = picture_of_events(view->demo->tenant->id, NULL, 0, view->request->received_ms,
                                     view->request->arena, &view->picture);

    if (err != ERR_OK) {
        http_reply_err(view->request, err, NULL);
        return;
    }
    view->mode = DECIDE_ANONYMOUS;
    view->fallback = fallback;
    show(showing);
}

static void show_loaded(void *ctx, enum err err, const struct sealed_customer *customers, size_t n)
{
    struct showing *showing = ctx;
    struct demo_view *view = &showing->view;
    struct pass_request ask = {
        .purpose = PURPOSE_PERSONALISE, .is_gated = true, .now_ms = view->request->received_ms};
    struct pass_room room;
    const struct pass *pass;

    if (err != ERR_OK || n != 1 || customers[0].customer.v == 0) {
        show_nobody(showing, err == ERR_OK ? FALLBACK_UNKNOWN_CUSTOMER : FALLBACK_LATE);
        return;
    }
    view->customer = &customers[0];
    if (pass_word(&customers[0], &ask, view->request->arena, &view->word) != ERR_OK)
        view->word = 0;
    pass = pass_for(&customers[0], &ask, view->request->arena, &room);
    if (!pass) {
        show_nobody(showing, FALLBACK_NO_CONSENT);
        return;
    }
    if (picture_open(pass, &customers[0], NULL, 0, view->request->received_ms, view->request->arena,
                     &view->picture) != ERR_OK) {
        show_nobody(showing, FALLBACK_LATE);
        return;
    }
    view->mode = DECIDE_PERSONAL;
    show(showing);
}

static void show_identified(void *ctx, enum err err, const struct storage_identity *identities, size_t n)
{
    struct showing *showing = ctx;
    struct demo_view *view = &showing->view;
    struct api_loop *loop = api_loop_of(view->request);
    struct storage_key key = {view->demo->tenant->id, {0}};

    if (err != ERR_OK || n != 1 || identities[0].how == STORAGE_UNKNOWN) {
        show_nobody(showing, err == ERR_OK ? FALLBACK_UNKNOWN_CUSTOMER : FALLBACK_LATE);
        return;
    }
    key.customer = identities[0].customer;
    storage_load(loop->api->storage, loop->loop, &key, 1, view->request->received_ms + LOAD_MS, show_loaded,
                 showing);
}

static void read_query(struct http_request *request, struct demo_view *view, bool *out_has_customer)
{
    size_t n;
    const struct http_field *fields = http_request_queries(request, &n);
    struct tenant_id tenant = view->demo->tenant->id;

    *out_has_customer = false;
    for (size_t i = 0; i < n; i++) {
        struct bytes value = fields[i].value;

        if (bytes_equal(fields[i].name, BYTES_LIT("customer"))) {
            view->key = value;
            *out_has_customer = true;
        } else if (bytes_equal(fields[i].name, BYTES_LIT("did"))) {
            view->did = value;
        } else if (bytes_equal(fields[i].name, BYTES_LIT("item")) && value.n <= EVENT_ID_BYTES_MAX) {
            view->did_item = hash_item(tenant, value);
        } else if (bytes_equal(fields[i].name, BYTES_LIT("was")) && view->was_n < PAGE_ROW &&
                   value.n <= EVENT_ID_BYTES_MAX) {
            view->was[view->was_n++] = hash_item(tenant, value);
        }
    }
}

static void page_get(struct http_request *request)
{
    struct showing *showing;
    struct demo_view *view;
    struct event_identifier identifier;
    struct api_loop *loop = api_loop_of(request);
    bool has_customer;

    if (!may_enter(request))
        return;
    showing = arena_take(request->arena, sizeof(*showing));
    if (!showing) {
        http_reply_err(request, ERR_NOMEM, NULL);
        return;
    }
    view = &showing->view;
    view->request = request;
    view->demo = loop->api->demo;
    view->survey = atomic_load(&view->demo->survey);
    read_query(request, view, &has_customer);
    if (!has_customer && view->survey && view->survey->choices_n > 0)
        view->key = bytes_of(view->survey->choices[0].key);
    if (view->key.n == 0 || !key_read(request, view->key, &identifier)) {
        view->key = newcomer_key(request);
        view->is_newcomer = true;
        show_nobody(showing, FALLBACK_UNKNOWN_CUSTOMER);
        return;
    }
    view->is_newcomer = identifier.kind == IDENTIFIER_COOKIE;
    showing->identifier = (struct storage_identifier){identifier.kind, identifier.value};
    storage_identify(loop->api->storage, loop->loop, view->demo->tenant->id, &showing->identifier, 1, false,
                     DEMO_SOURCE, show_identified, showing);
}

static void style_get(struct http_request *request)
{
    if (!may_enter(request))
        return;
    reply_headers(request, "no-cache");
    http_reply_send(request, 200, "text/css; charset=utf-8", page_style());
}

/* ---- forms ---- */

struct form { /* of this page */
    struct bytes customer, look, buy;
    struct bytes was[PAGE_ROW];
    size_t was_n;
};

static void form_take(struct form *form, struct bytes name, struct bytes value)
{
    if (bytes_equal(name, BYTES_LIT("customer")))
        form->customer = value;
    else if (bytes_equal(name, BYTES_LIT("look")))
        form->look = value;
    else if (bytes_equal(name, BYTES_LIT("buy")))
        form->buy = value;
    else if (bytes_equal(name, BYTES_LIT("was")) && form->was_n < PAGE_ROW && value.n <= EVENT_ID_BYTES_MAX)
        form->was[form->was_n++] = value;
}

static void form_read(struct http_request *request, struct form *out_form)
{
    struct api_form fields = {request->body};
    struct bytes name, value;

    *out_form = (struct form){0};
    for (size_t i = 0; i < FORM_FIELDS_MAX && api_form_next(&fields, request->arena, &name, &value); i++)
        form_take(out_form, name, value);
}

struct pressing { /* one press of a button; request->state */
    struct http_request *request;
    struct form form;
    struct event_identifier identifier;
    struct storage_identifier sought;
    struct storage_key key;
    struct ingest_door door;
    struct event event;
    struct event_line line;
    struct ingest_verdict verdict;
};

/* 303 back to the page, which says what became of it. */
static void back(struct pressing *pressing, const char *did)
{
    struct http_request *request = pressing->request;
    struct form *form = &pressing->form;
    size_t room = 1024 + 3 * (size_t)(DEMO_KEY_BYTES + (PAGE_ROW + 1) * (EVENT_ID_BYTES_MAX + 8));
    char *text = arena_take(request->arena, room);
    struct html html;

    if (!text) {
        http_reply_err(request, ERR_NOMEM, NULL);
        return;
    }
    html_open(&html, text, room);
    html_raw(&html, "/?customer=");
    html_query(&html, form->customer);
    html_rawf(&html, "&did=%s", did);
    if (form->look.n + form->buy.n > 0) {
        html_raw(&html, "&item=");
        html_query(&html, form->look.n > 0 ? form->look : form->buy);
    }
    for (size_t i = 0; i < form->was_n; i++) {
        html_raw(&html, "&was=");
        html_query(&html, form->was[i]);
    }
    html_raw(&html, "#row");
    reply_headers(request, "no-store");
    http_reply_header(request, "Location", html_bytes(&html));
    http_reply_send(request, 303, NULL, (struct bytes){0});
}

/* False: answered. */
static bool press_begin(struct http_request *request, struct pressing **out_pressing)
{
    struct pressing *pressing;

    if (!may_press(request))
        return false;
    pressing = arena_take(request->arena, sizeof(*pressing));
    if (!pressing) {
        http_reply_err(request, ERR_NOMEM, NULL);
        return false;
    }
    pressing->request = request;
    form_read(request, &pressing->form);
    if (!key_read(request, pressing->form.customer, &pressing->identifier)) {
        http_reply_problem(request, 422, "invalid_field",
                           "the form names no customer of this page; load it again");
        return false;
    }
    *out_pressing = pressing;
    return true;
}

static void offered(void *ctx, enum err err)
{
    struct pressing *pressing = ctx;
    const char *did = pressing->form.look.n > 0 ? "look" : "buy";

    if (err != ERR_OK || pressing->verdict.outcome == INGEST_FAILED ||
        pressing->verdict.outcome == INGEST_QUARANTINED)
        did = "failed";
    else if (pressing->verdict.outcome == INGEST_REFUSED)
        did = "refused";
    else if (pressing->verdict.outcome == INGEST_ANONYMOUS)
        did = "anonymous";
    back(pressing, did);
}

/* What the catalogue, else the tills, say it costs. */
static int64_t price_of(struct pressing *pressing, struct item_id id)
{
    struct api_loop *loop = api_loop_of(pressing->request);
    struct api_demo *demo = loop->api->demo;
    const struct item *item;
    int64_t price_minor = -1;

    publish_enter(loop->api->publish, loop->slot);
    item = catalog_item(demo->tenant->catalog, id);
    if (item)
        price_minor = catalog_price(item, pressing->request->received_ms);
    publish_leave(loop->api->publish, loop->slot);
    if (price_minor < 0)
        price_minor = survey_price(atomic_load(&demo->survey), id);
    return price_minor > 0 ? price_minor : 0;
}

static void event_post(struct http_request *request)
{
    struct api_loop *loop = api_loop_of(request);
    struct pressing *pressing;
    struct event *event;
    struct bytes item;

    if (!press_begin(request, &pressing))
        return;
    item = pressing->form.look.n > 0 ? pressing->form.look : pressing->form.buy;
    if (item.n == 0 || item.n > EVENT_ID_BYTES_MAX) {
        http_reply_problem(request, 422, "invalid_field",
                           "the form names no item; press Look or Buy on the page");
        return;
    }
    event = &pressing->event;
    pressing->line = (struct event_line){.item_text = item, .quantity_milli = 1000};
    pressing->line.item = hash_item(loop->api->demo->tenant->id, item);
    if (pressing->form.look.n == 0)
        pressing->line.paid_minor = price_of(pressing, pressing->line.item);
    event->kind = pressing->form.look.n > 0 ? EVENT_VIEW : EVENT_PURCHASE;
    event->channel = CHANNEL_WEB;
    event->id = event_json_made_id(loop->chance, request->arena);
    event->source = DEMO_SOURCE;
    event->at_ms = event->declared_ms = event->received_ms = request->received_ms;
    event->identifiers[0] = pressing->identifier;
    event->identifiers_n = 1;
    memcpy(event->currency, loop->api->demo->tenant->currency, sizeof(event->currency));
    event->total_minor = pressing->line.paid_minor;
    event->lines = &pressing->line;
    event->lines_n = 1;
    event_finish(event, loop->api->demo->tenant->id);
    pressing->door = (struct ingest_door){.tenant = loop->api->demo->tenant->id,
                                          .source = DEMO_SOURCE,
                                          .country = bytes_of(loop->api->demo->tenant->country),
                                          .is_gated = true,
                                          .is_server = true,
                                          .now_ms = request->received_ms};
    ingest_offer(loop->api->storage, loop->loop, &pressing->door, event, 1, &pressing->verdict,
                 request->arena, offered, pressing);
}

/* ---- withdrawing ---- */

/* What the survey says of a household is about it too: the page says it no more. */
static void forget_choice(struct api_demo *demo, struct bytes key)
{
    const struct survey *survey = atomic_load(&demo->survey);

    for (size_t i = 0; survey && i < survey->choices_n; i++)
        if (bytes_equal(key, bytes_of(survey->choices[i].key)))
            atomic_fetch_or(&demo->withdrawn, 1u << i);
}

static void forgotten(void *ctx, enum err err)
{
    back(ctx, err == ERR_OK ? "withdrawn" : "failed");
}

static void erased(void *ctx, enum err err, const struct storage_erased *counts)
{
    struct pressing *pressing = ctx;
    struct api *api = api_of(pressing->request);
    uint64_t who[API_FORGET_MAX] = {pressing->key.customer.v};
    size_t n = 1;

    if (err != ERR_OK && err != ERR_ABSENT) {
        back(pressing, "failed");
        return;
    }
    api_traces_forget(api_of(pressing->request)->traces, pressing->key.tenant, pressing->key.customer, counts);
    forget_choice(api->demo, pressing->form.customer);
    if (api->port.forget == NULL) {
        back(pressing, "withdrawn");
        return;
    }
    for (size_t i = 0; counts != NULL && i < counts->parts_n; i++) {
        who[n++] = counts->parts[i].v;
    }
    api->port.forget(api->port.learner, api->demo->tenant, who, n, pressing->request->loop, forgotten, pressing);
}

static void withdrawn(void *ctx, enum err err, const struct storage_updated *updated)
{
    struct pressing *pressing = ctx;
    struct api_loop *loop = api_loop_of(pressing->request);

    if (err != ERR_OK) {
        back(pressing, err == ERR_ABSENT ? "withdrawn" : "failed");
        return;
    }
    pressing->key = updated->key;
    storage_erase(loop->api->storage, loop->loop, pressing->key, STORAGE_ERASE_WITHDRAWN, erased, pressing);
}

static void withdraw_identified(void *ctx, enum err err, const struct storage_identity *identities, size_t n)
{
    static const enum purpose taken_back[] = {PURPOSE_STORE, PURPOSE_PERSONALISE, PURPOSE_MEASURE};
    enum { TAKEN_BACK = sizeof(taken_back) / sizeof(taken_back[0]) };
    struct pressing *pressing = ctx;
    struct http_request *request = pressing->request;
    struct api_loop *loop = api_loop_of(request);
    struct consent_statement said[TAKEN_BACK];
    struct pack change = pack_into(arena_take(request->arena, 1024), 1024);

    if (err != ERR_OK || n != 1 || !change.p) {
        back(pressing, "failed");
        return;
    }
    if (identities[0].how == STORAGE_UNKNOWN) {
        /* P7: nobody known has nothing to erase, and remembering the refusal would need an identifier. */
        back(pressing, "withdrawn");
        return;
    }
    for (size_t i = 0; i < TAKEN_BACK; i++)
        said[i] = (struct consent_statement){.purpose = taken_back[i],
                                             .state = CONSENT_WITHDRAWN,
                                             .at_ms = request->received_ms,
                                             .source = DEMO_SOURCE,
                                             .received_ms = request->received_ms};
    pack_u8(&change, DECLARED_CONSENTS);
    consent_change_encode(said, TAKEN_BACK, &change);
    assert(!change.full);
    pressing->key = (struct storage_key){loop->api->demo->tenant->id, identities[0].customer};
    storage_update(loop->api->storage, loop->loop, pressing->key, UINT64_MAX, pack_bytes(&change), NULL,
                   withdrawn, pressing);
}

static void withdraw_post(struct http_request *request)
{
    struct api_loop *loop = api_loop_of(request);
    struct pressing *pressing;

    if (!press_begin(request, &pressing))
        return;
    pressing->sought = (struct storage_identifier){pressing->identifier.kind, pressing->identifier.value};
    storage_identify(loop->api->storage, loop->loop, loop->api->demo->tenant->id, &pressing->sought, 1, false,
                     DEMO_SOURCE, withdraw_identified, pressing);
}

const struct http_route api_demo_routes[] = {
    {HTTP_METHOD_GET, "/", page_get, HTTP_ROUTE_NO_CORS, 0},
    {HTTP_METHOD_GET, "/demo.css", style_get, HTTP_ROUTE_NO_CORS, 0},
    {HTTP_METHOD_POST, "/demo/event", event_post, HTTP_ROUTE_NO_CORS, 0},
    {HTTP_METHOD_POST, "/demo/withdraw", withdraw_post, HTTP_ROUTE_NO_CORS, 0},
};
const size_t api_demo_routes_n = sizeof(api_demo_routes) / sizeof(api_demo_routes[0]);
