/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of /v1/events and /v1/receipts of any bytes: what is read encodes, and decodes to the same. */
#include "event/event_json.h"

#include "base/hash.h"
#include "event/event_code.h"
#include "event/receipt_json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode(struct event *event, struct arena *arena)
{
    static uint8_t room[EVENT_BODY_BYTES_MAX * 4];
    struct pack to = pack_into(room, sizeof(room));
    struct event again;

    event_finish(event, (struct tenant_id){1});
    event_encode(event, &to);
    if (!to.full && (event_decode(pack_bytes(&to), (struct tenant_id){1}, arena, &again) != ERR_OK ||
                     again.kind != event->kind || again.lines_n != event->lines_n)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const keys[] = {"events", "batch", NULL};
    static struct arena arena;
    struct rng rng = {1};
    struct event_json_door door = {.tenant = {1}, .currency = "NOK", .now_ms = 1000, .rng = &rng};
    struct json_batch batch;
    struct why why = {0};

    if (arena.first == NULL) {
        hash_start();
        arena_open(&arena, 1 << 16, 64u << 20);
    }
    arena_reset(&arena);
    if (json_read_batch(&arena, (struct bytes){(const char *)data, size}, keys, &batch, &why) != ERR_OK) {
        return 0;
    }
    for (size_t i = 0; i < batch.elements_n; i++) {
        struct event event;
        struct receipt receipt;
        struct json_form form = {0};

        if (batch.elements[i].node == NULL) {
            continue;
        }
        if (event_json_read(batch.elements[i].node, &door, &arena, &event, &why) == ERR_OK) {
            encode(&event, &arena);
        }
        if (receipt_json_read(&form, batch.elements[i].node, &door, &arena, &receipt)) {
            encode(&receipt.event, &arena);
        }
    }
    return 0;
}
