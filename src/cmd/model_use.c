/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/model_use.h"

#include "base/json_read.h"
#include "cmd/import_store.h"
#include "storage/storage_wait.h"

#include <stdio.h>

enum { PATH_BYTES = 1400, ROWS = 100 };

enum err model_use_read(struct storage *storage, struct loop *loop, struct tenant_id tenant, struct arena *arena,
                        char out_hash[65])
{
    const struct storage_row *rows;
    size_t n = 0;
    enum err err = storage_wait_changes(storage, loop, tenant, STORAGE_MODEL, 0, ROWS, arena, &rows, &n);

    out_hash[0] = '\0';
    for (size_t i = 0; err == ERR_OK && i < n; i++) {
        if (bytes_equal(rows[i].id, BYTES_LIT("current")) && rows[i].row.n == 64) {
            memcpy(out_hash, rows[i].row.p, 64);
            out_hash[64] = '\0';
        }
    }
    return err;
}

static enum err call(struct fetch *fetch, const char *method, struct bytes body, struct arena *arena,
                     const struct json_node **out_root, struct why *why)
{
    struct bytes reply, detail = {0};
    int status = 0;
    enum err err = fetch_call(fetch, method, "/v1/models", body, arena, &status, &reply, why);

    if (err == ERR_OK && json_read(arena, reply, out_root, NULL) != ERR_OK) {
        err = why_say(why, ERR_IO, "bad_reply", "", "the server's answer is no JSON; is it the same program as this one?");
    }
    if (err == ERR_OK && status != 200) {
        (void)json_text(json_get(*out_root, "detail"), &detail);
        err = why_say(why, ERR_IO, "refused", "", "the server answered %d: %.*s", status, (int)(detail.n < 200 ? detail.n : 200),
                      detail.p);
    }
    return err;
}

static enum err open_server(const char *data_dir, const char *tenant, struct arena *arena, struct model_use *use,
                            struct why *why)
{
    char path[PATH_BYTES], header[256];
    const struct json_node *root;
    struct bytes hash;
    int64_t number = 0;
    enum err err;

    data_dir_join(data_dir, "socket", path, sizeof(path));
    err = fetch_open("http://falun", path, NULL, &use->fetch);
    (void)snprintf(header, sizeof(header), "Falun-Tenant: %.150s", tenant);
    err = err == ERR_OK ? fetch_header(use->fetch, header) : err;
    err = err == ERR_OK ? call(use->fetch, "GET", (struct bytes){0}, arena, &root, why) : err;
    if (err != ERR_OK) {
        return err;
    }
    if (!json_int(json_get(root, "tenant"), 1, INT32_MAX, &number)) {
        return why_say(why, ERR_IO, "bad_reply", "", "the server does not say its tenant; is it the same program as this one?");
    }
    use->tenant.v = (uint32_t)number;
    if (json_text(json_get(root, "hash"), &hash) && hash.n == 64) {
        memcpy(use->hash, hash.p, 64);
    }
    return ERR_OK;
}

enum err model_use_open(const char *data_dir, const char *tenant, struct arena *arena, struct model_use *out_use,
                        struct why *why)
{
    struct data_options options = {0};
    struct model_use use = {0};
    enum err err = data_open(data_dir, &options, &use.data, why);

    if (err == ERR_BUSY) {
        struct why busy = *why;

        err = open_server(data_dir, tenant, arena, &use, why);
        if (err != ERR_OK && why->says[0] == '\0') {
            *why = busy;
        }
    } else if (err == ERR_OK) {
        err = import_store_tenant(&use.data, tenant, &use.tenant, why);
        err = err == ERR_OK ? model_use_read(use.data.storage, use.data.loop, use.tenant, arena, use.hash) : err;
    }
    if (err != ERR_OK) {
        model_use_close(&use);
        return err;
    }
    *out_use = use;
    return ERR_OK;
}

enum err model_use_put(struct model_use *use, const char hash[65], struct arena *arena, struct why *why)
{
    struct storage_put put = {.id = BYTES_LIT("current"), .row = {hash, 64}};
    const struct json_node *root;
    uint64_t revision;

    if (use->fetch != NULL) {
        return call(use->fetch, "POST", arena_format(arena, "{\"hash\":\"%.64s\"}", hash), arena, &root, why);
    }
    return storage_wait_put(use->data.storage, use->data.loop, use->tenant, STORAGE_MODEL, &put, 1, &revision);
}

void model_use_close(struct model_use *use)
{
    data_close(&use->data);
    fetch_close(use->fetch);
    *use = (struct model_use){0};
}
