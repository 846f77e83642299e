/* SPDX-License-Identifier: Apache-2.0 */
#include "os/zone_file.h"

#include "os/file.h"

#include <stdio.h>
#include <stdlib.h>

enum { ZONE_NAME_BYTES_MAX = 64 };

enum err zone_file_read(struct bytes name, struct arena *arena, struct zone *out_zone, struct why *why)
{
    const char *folder = getenv("TZDIR");
    char path[512];
    struct bytes file;
    enum err err;

    if (name.n == 0) {
        *out_zone = (struct zone){0};
        return ERR_OK;
    }
    /* A name from a map or a store may not leave the folder. */
    if (name.n > ZONE_NAME_BYTES_MAX || name.p[0] == '/' || memchr(name.p, '.', name.n) != NULL ||
        memchr(name.p, '\0', name.n) != NULL) {
        return why_say(why, ERR_INVALID, "bad_time_zone", "time_zone", "a time zone has a name such as Europe/Oslo");
    }
    snprintf(path, sizeof(path), "%.300s/%.*s", folder != NULL ? folder : "/usr/share/zoneinfo", (int)name.n, name.p);
    err = file_map(path, &file, why);
    if (err == ERR_ABSENT || err == ERR_IO) {
        return why_say(why, err, "bad_time_zone", "time_zone",
                       "there is no time zone `%.*s` on this machine; mend the name, or install the package tzdata",
                       (int)name.n, name.p);
    }
    if (err != ERR_OK) {
        return err;
    }
    err = zone_read(file, arena, out_zone);
    file_unmap(file);
    if (err == ERR_INVALID) {
        return why_say(why, err, "bad_time_zone", "time_zone", "the file of time zone `%.*s` is not understood; install the "
                       "package tzdata again", (int)name.n, name.p);
    }
    return err;
}
