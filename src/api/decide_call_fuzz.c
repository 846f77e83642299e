/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of POST /v1/decide of any bytes: reading never hurts, and a call without faults has a placement. */
#include "api/decide_call.h"
#include "base/hash.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct api api;
    static struct api_tenant tenant = {.id = {1}, .name = "default", .country = "NO", .currency = "NOK"};
    static struct api_loop loop = {.api = &api};
    struct rng chance = {1};
    struct arena arena;
    const struct json_node *root;
    struct json_form form = {0};
    struct http_request request = {.body = {(const char *)data, n}, .received_ms = 1790000000000, .user = &loop};
    struct decide_call *call;

    if (api.publish == NULL) {
        hash_start();
        api.publish = publish_open();
        loop.slot = publish_slot(api.publish);
        tenant.catalog = catalog_open(tenant.id, api.publish);
    }
    loop.chance = &chance;
    arena_open(&arena, 1 << 20, 64 << 20);
    request.arena = &arena;
    call = arena_take(&arena, sizeof(*call));
    call->request = &request;
    call->caller = (struct api_caller){&tenant, n % 2 ? API_SECRET : API_PUBLIC, BYTES_LIT("fuzz"), true, n % 3 == 0};
    call->now_ms = request.received_ms;
    if (json_read_strict(&arena, request.body, &root, NULL) == ERR_OK && root->type == JSON_OBJECT) {
        decide_call_read(call, root, &form);
        if (form.faults_n == 0 && call->placements_n == 0) {
            abort();
        }
    }
    arena_close(&arena);
    return 0;
}
