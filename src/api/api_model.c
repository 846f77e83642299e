/* SPDX-License-Identifier: Apache-2.0 */
/* Which model a tenant answers with. The trainer writes models/HASH and then says so here, over DIR/socket or with
 * a secret key; the server looks at the file itself before it uses it. */
#include "api/api.h"
#include "base/json_form.h"
#include "base/json_write.h"
#include "base/log.h"
#include "model/model.h"

#include <string.h>

struct model_call { /* request->state */
    struct http_request *request;
    struct api_tenant *tenant;
    char hash[65];
};

static void write_current(struct http_request *request, struct api_tenant *tenant)
{
    struct api_loop *loop = api_loop_of(request);
    struct model_view view;
    struct json_write w;

    json_write_open(&w, request->arena, 256);
    json_write_object(&w, NULL);
    json_write_int(&w, "tenant", tenant->id.v);
    publish_enter(loop->api->publish, loop->slot);
    view = api_view(tenant);
    if (view.base != NULL) {
        json_write_text(&w, "hash", model_hash(view.base));
        json_write_int(&w, "items", model_items_n(view.base));
        json_write_time(&w, "trainedTo", model_trained_ms(view.base));
        json_write_int(&w, "learned", (int64_t)api_learned(&view));
    } else {
        json_write_null(&w, "hash");
    }
    publish_leave(loop->api->publish, loop->slot);
    json_write_end(&w);
    http_reply_json(request, 200, &w);
}

static void published(void *ctx, enum err err, const struct why *why)
{
    struct model_call *call = ctx;

    if (err != ERR_OK) {
        http_reply_err(call->request, err, why);
        return;
    }
    write_current(call->request, call->tenant);
}

static bool is_hash(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (!((text.p[i] >= '0' && text.p[i] <= '9') || (text.p[i] >= 'a' && text.p[i] <= 'f'))) {
            return false;
        }
    }
    return text.n == 64;
}

static void model_post(struct http_request *request)
{
    static const char *const known[] = {"hash", NULL};
    static const char *const no_query[] = {NULL};
    struct api *api = api_of(request);
    struct api_caller caller;
    const struct json_node *root;
    struct json_form form = {0};
    struct bytes hash = {0};
    struct model_call *call;

    if (!api_caller_of(request, API_SECRET, &caller) || !api_query_known(request, no_query) || !api_body(request, &root)) {
        return;
    }
    json_form_known(&form, root, known);
    if (json_form_text(&form, root, "hash", JSON_NEEDED, 64, 64, &hash) && !is_hash(hash)) {
        json_form_fault(&form, root, "hash", "wrong_type", "a model is named by 64 lower-case hex digits");
    }
    if (form.faults_n > 0) {
        http_reply_faults(request, &form);
        return;
    }
    call = arena_take(request->arena, sizeof(*call));
    if (call == NULL || api->port.publish_model == NULL) {
        http_reply_err(request, call ? ERR_UNSUPPORTED : ERR_NOMEM, NULL);
        return;
    }
    *call = (struct model_call){.request = request, .tenant = caller.tenant};
    memcpy(call->hash, hash.p, 64);
    api->port.publish_model(api->port.ctx, caller.tenant, call->hash, request->loop, published, call);
}

static void model_get(struct http_request *request)
{
    static const char *const no_query[] = {NULL};
    struct api_caller caller;

    if (api_caller_of(request, API_SECRET, &caller) && api_query_known(request, no_query)) {
        write_current(request, caller.tenant);
    }
}

/* ---- POST /v1/checkpoints: the trainer's view of a running server, over DIR/socket only ---- */

static void checkpointed(void *ctx, enum err err, const char *path)
{
    struct http_request *request = ctx;
    struct json_write w;

    if (err != ERR_OK) {
        http_reply_err(request, err, NULL);
        return;
    }
    json_write_open(&w, request->arena, 512);
    json_write_object(&w, NULL);
    json_write_word(&w, "path", path);
    json_write_end(&w);
    http_reply_json(request, 200, &w);
}

static void checkpoint_post(struct http_request *request)
{
    struct api *api = api_of(request);

    if (!request->is_by_file) {
        http_reply_problem(request, 403, "not_allowed", "a checkpoint is made for commands on this machine, over DIR/socket only");
        return;
    }
    if (api->port.checkpoint == NULL) {
        http_reply_err(request, ERR_UNSUPPORTED, NULL);
        return;
    }
    api->port.checkpoint(api->port.ctx, request->loop, checkpointed, request);
}

const struct http_route api_model_routes[] = {
    {HTTP_METHOD_POST, "/v1/checkpoints", checkpoint_post, HTTP_ROUTE_NO_CORS, 0},
    {HTTP_METHOD_POST, "/v1/models", model_post, HTTP_ROUTE_NO_CORS, 0},
    {HTTP_METHOD_GET, "/v1/models", model_get, HTTP_ROUTE_NO_CORS, 0},
};
const size_t api_model_routes_n = sizeof(api_model_routes) / sizeof(api_model_routes[0]);
