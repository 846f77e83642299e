/* SPDX-License-Identifier: Apache-2.0 */
#include "picture/fold.h"

#include "event/event_code.h"

enum err fold_bodies(struct tenant_id tenant, const struct fold_event *events, size_t n, struct arena *scratch,
                     struct part *part)
{
    for (size_t i = 0; i < n; i++) {
        struct event event;
        enum err err = event_decode(events[i].body, tenant, scratch, &event);

        if (err != ERR_OK) {
            return err;
        }
        event.mid = events[i].mid;
        part_apply(part, &event);
    }
    return ERR_OK;
}

enum err fold_state(struct tenant_id tenant, struct bytes state, const struct fold_event *events, size_t n,
                    struct arena *arena, struct bytes *out_state)
{
    struct part *part = arena_take(arena, sizeof(*part));
    struct pack to = pack_into(arena_take(arena, PART_BYTES_MAX), PART_BYTES_MAX);
    enum err err;

    if (part == NULL || to.p == NULL) {
        return ERR_NOMEM;
    }
    err = part_decode(state, part);
    err = err == ERR_OK ? fold_bodies(tenant, events, n, arena, part) : err;
    if (err != ERR_OK) {
        return err;
    }
    part_encode(part, &to);
    if (to.full) {
        return ERR_TOOBIG;
    }
    *out_state = pack_bytes(&to);
    return ERR_OK;
}

enum err fold_retract(struct bytes body, struct mid of, struct arena *arena, struct bytes *out_body)
{
    struct event event;
    struct pack to;
    enum err err = event_decode(body, (struct tenant_id){0}, arena, &event);

    if (err != ERR_OK) {
        return err;
    }
    to = pack_into(arena_take(arena, body.n + 64), body.n + 64);
    if (to.p == NULL) {
        return ERR_NOMEM;
    }
    event.kind = EVENT_RETRACT;
    event.retracts = of;
    event_encode(&event, &to);
    if (to.full) {
        return ERR_TOOBIG;
    }
    *out_body = pack_bytes(&to);
    return ERR_OK;
}
