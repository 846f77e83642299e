/* SPDX-License-Identifier: Apache-2.0 */
/* Stored bodies of any bytes: decoding never hurts, and what decodes encodes to bytes that decode again. */
#include "event/event_code.h"

#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static uint8_t room[EVENT_BODY_BYTES_MAX * 4];
    struct arena arena;
    struct event event, again;

    hash_start();
    arena_open(&arena, 65536, 1 << 22);
    if (event_decode((struct bytes){(const char *)data, n}, (struct tenant_id){1}, &arena, &event) == ERR_OK) {
        struct pack to = pack_into(room, sizeof(room));

        event_encode(&event, &to);
        if (!to.full && event_decode(pack_bytes(&to), (struct tenant_id){1}, &arena, &again) != ERR_OK) {
            abort();
        }
    }
    arena_close(&arena);
    return 0;
}
