/* SPDX-License-Identifier: Apache-2.0 */
/* lesson.h - what a running server learns from: one item of one durable event, as it travels from the door to the learner.
 *
 * 48 bytes, no text, no identifier: a part's number and a message's hash, which leave the process nowhere. An event of
 * several items is several lessons of one mid, one after another. */
#pragma once

#include "event/event.h"

struct lesson {
    uint64_t part; /* under whom it is kept; of an anonymous receipt the number made of its mid */
    int64_t at_ms;
    struct item_id item;
    uint64_t mid; /* its first 8 bytes: enough to meet an event once */
    uint32_t tenant;
    uint8_t kind; /* enum event_kind */
    bool is_anonymous;
};

/* How many lessons an event teaches: looks (view, click, add, cart, wish) and lines bought; other kinds none. An event kept
 * under an identity teaches only when consent `personalise` stood at the door. */
size_t lesson_n(const struct event *event, bool is_anonymous);
/* Writes them to `out`, room for lesson_n. event->mid, items and purposes are set, as ingest leaves them. */
void lesson_of(const struct event *event, struct tenant_id tenant, struct part_id part, bool is_anonymous, struct lesson *out);
bool lesson_is_look(enum event_kind kind);
