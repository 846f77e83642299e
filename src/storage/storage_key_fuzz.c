/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of any bytes: what is read as a key is written to the same bytes, and lies inside its own prefix. */
#include "storage/storage_key.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes key = {(const char *)data, n};
    struct storage_key_room room, other;
    struct tenant_id tenant;
    struct part_id part;
    uint32_t day;
    struct mid mid;
    uint64_t c;

    if (storage_key_owner_parse(key, &tenant, &c)) {
        must(bytes_equal(storage_key_owner(&room, tenant, c), key));
    }
    if (storage_key_event_parse(key, &tenant, &part, &day, &mid)) {
        must(bytes_equal(storage_key_event(&room, tenant, part, day, &mid), key));
        must(bytes_starts(key, storage_key_owner(&room, tenant, part.v)));
    }
    if (n > 0 && n <= STORAGE_KEY_BYTES_MAX) {
        struct bytes after = storage_key_after(&other, key);

        must(after.n == 0 || bytes_compare(after, key) > 0);
        must(after.n == 0 || !bytes_starts(after, key));
    }
    return 0;
}
