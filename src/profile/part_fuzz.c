/* SPDX-License-Identifier: Apache-2.0 */
/* A stored state of any bytes: decoding and merging never hurt, and what decodes has one encoding. */
#include "profile/part.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct part part, other;
    static uint8_t room[1 << 20];
    size_t half = n / 2;

    if (part_decode((struct bytes){(const char *)data, half}, &part) == ERR_OK) {
        struct pack to = pack_into(room, sizeof(room));

        part_encode(&part, &to);
        if (to.full || part_decode(pack_bytes(&to), &other) != ERR_OK) {
            abort();
        }
    }
    if (part_decode((struct bytes){(const char *)data + half, n - half}, &other) == ERR_OK) {
        part_merge(&part, &other);
    }
    return 0;
}
