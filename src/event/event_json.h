/* SPDX-License-Identifier: Apache-2.0 */
/* event_json.h - one event as senders write it, to a struct event: the own short form (product.md 7.3) and
 * the Segment form with its e-commerce and GA4 names (wire.md 2). Below this door no JSON exists.
 *
 * Which form: a `type` of track, page, screen, identify, group or alias is Segment's (page: with an event,
 * messageId, userId, anonymousId or context beside it); all else is the own form. The own form refuses
 * fields it does not know, with the nearest name; the Segment form ignores them.
 *
 *     {"id":"e1","kind":"view","item":"sku-1","identifier":"cookie:c1"}
 *     {"type":"track","event":"Product Viewed","messageId":"m1","anonymousId":"a1",
 *      "properties":{"product_id":"sku-1"}}
 *
 * Times: at_ms is the sender's time, for Segment repaired by receivedAt - (sentAt - originalTimestamp);
 * declared_ms the time as written. Checks across fields are ingest_check's. Text is borrowed from the
 * tree. */
#pragma once

#include "base/json_form.h"
#include "base/rng.h"
#include "event/event.h"

enum { EVENT_PROPERTIES_BYTES_MAX = 16384 };

struct event_json_door { /* the same for all events of a request */
    struct tenant_id tenant;
    const char *currency; /* the tenant's: for amounts that name none */
    enum channel channel; /* where the event says nothing; may be CHANNEL_NONE */
    int64_t now_ms;       /* of receipt */
    int64_t sent_ms;      /* `sentAt` of the envelope; 0: not said */
    struct rng *rng;      /* makes ids for events that have none */
};

/* Errors: ERR_INVALID with why (the first fault; its field is a pointer inside the event), ERR_TOOBIG
 * (over 64 KiB), ERR_NOMEM. *out_event is filled only on ERR_OK; its mid is not set yet (event_finish). */
MUST_USE enum err event_json_read(const struct json_node *node, const struct event_json_door *door,
                                  struct arena *arena, struct event *out_event, struct why *why);

/* ---- what other calls share ---- */

struct event_json_who {                                         /* all zero: nobody named */
    struct event_identifier identifiers[EVENT_IDENTIFIERS_MAX]; /* in the order written */
    size_t n;
    struct bytes customer; /* "cus_...", checked by who uses it; empty: not said */
};

/* Reads `identifier` ("kind:value") and `customer` ({"id"} or {"ids":{kind: value}}) of object. */
void event_json_who(struct json_form *form, const struct json_node *object, struct arena *arena,
                    struct event_json_who *out_who);
/* Reads {"store":true,"mail":"refused"} of object's member key into a consent word; false when absent. */
bool event_json_consent(struct json_form *form, const struct json_node *object, const char *key,
                        uint16_t *out_word);
/* A number of pieces to 1/1000; false (and a fault) when it has more than 3 decimals or is beyond a
 * million. */
bool event_json_quantity(struct json_form *form, const struct json_node *object, const char *key,
                         int64_t *out_milli);
/* quantity times the price of one, rounded half away from zero; clamped to 64 bits. */
int64_t event_json_times(int64_t minor, int64_t quantity_milli);
/* Shortens the fault's pointer to what lies inside `node`. */
void event_json_inside(const struct json_node *node, struct why *why);
/* Makes an id: "made-" and 24 hex digits. */
struct bytes event_json_made_id(struct rng *rng, struct arena *arena);
