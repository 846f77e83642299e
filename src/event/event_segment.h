/* SPDX-License-Identifier: Apache-2.0 */
/* event_segment.h - events as Segment's and RudderStack's libraries send them (wire.md 2.1, 2.2, 2.5).
 * The vocabulary is a constant table. Fields that are not known are ignored. */
#pragma once

#include "event/event_json.h"

/* Is this object in Segment's form? */
bool event_segment_is(const struct json_node *node);
void event_segment_read(struct json_form *form, const struct json_node *node,
                        const struct event_json_door *door, struct arena *arena, struct event *event);
/* The kind that a track event's name means, without regard to case; EVENT_X when it is not listed. */
enum event_kind event_segment_kind(struct bytes name);
/* The canonical name of a kind ("Product Viewed"), NULL where Segment has none. */
const char *event_segment_name(enum event_kind kind);
