/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/lesson.h"

bool lesson_is_look(enum event_kind kind)
{
    return kind == EVENT_VIEW || kind == EVENT_CLICK || kind == EVENT_ADD || kind == EVENT_CART || kind == EVENT_WISH;
}

static bool teaches(const struct event *event, bool is_anonymous)
{
    if (!is_anonymous && !(event->purposes >> PURPOSE_PERSONALISE & 1)) {
        return false;
    }
    return event->kind == EVENT_PURCHASE || (!is_anonymous && lesson_is_look(event->kind));
}

static bool is_taught(const struct event *event, size_t line)
{
    return event->kind != EVENT_PURCHASE || event->lines[line].quantity_milli > 0;
}

size_t lesson_n(const struct event *event, bool is_anonymous)
{
    size_t n = 0;

    for (size_t i = 0; teaches(event, is_anonymous) && i < event->lines_n; i++) {
        n += is_taught(event, i);
    }
    return n;
}

void lesson_of(const struct event *event, struct tenant_id tenant, struct part_id part, bool is_anonymous, struct lesson *out)
{
    size_t n = 0;

    for (size_t i = 0; teaches(event, is_anonymous) && i < event->lines_n; i++) {
        if (is_taught(event, i)) {
            out[n++] = (struct lesson){.part = part.v,
                                       .at_ms = event->at_ms,
                                       .item = event->lines[i].item,
                                       .mid = get_be64(event->mid.b),
                                       .tenant = tenant.v,
                                       .kind = (uint8_t)event->kind,
                                       .is_anonymous = is_anonymous};
        }
    }
}
