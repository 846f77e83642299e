/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/storage_driver.h"

const struct storage_driver *storage_driver_of(const char *url, const char **out_rest)
{
    static const struct storage_driver *const drivers[] = {&storage_rocksdb, &storage_memory, &storage_fault};

    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        size_t n = strlen(drivers[i]->scheme);

        if (strncmp(url, drivers[i]->scheme, n) == 0 && url[n] == ':') {
            *out_rest = url + n + 1;
            return drivers[i];
        }
    }
    return NULL;
}
