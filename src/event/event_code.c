/* SPDX-License-Identifier: Apache-2.0 */
#include "event/event_code.h"

#include "base/hash.h"

#include <assert.h>

enum { FORMAT = 1 };

enum tag {
    TAG_KIND = 1,
    TAG_CHANNEL,
    TAG_AT,
    TAG_DECLARED,
    TAG_RECEIVED,
    TAG_ID,
    TAG_SOURCE,
    TAG_STORE,
    TAG_SESSION,
    TAG_ORDER,
    TAG_QUERY,
    TAG_TICKET,
    TAG_CURRENCY,
    TAG_TOTAL,
    TAG_POSITION,
    TAG_LINES,
    TAG_PURPOSES,
    TAG_PROPERTIES,
    TAG_KIND_NAME,
    TAG_FLAGS,
    TAG_RETRACTS,
    TAG_PLACEMENT,
};

enum flag { FLAG_HAS_ID = 1, FLAG_HAS_TIME = 2, FLAG_IS_RECEIPT = 4 };

static void put_text(struct pack *to, enum tag tag, struct bytes text)
{
    if (text.n > 0) {
        pack_field(to, tag, text);
    }
}

static void put_lines(struct pack *to, const struct event *event)
{
    size_t opened;

    if (event->lines_n == 0) {
        return;
    }
    opened = pack_open(to, TAG_LINES);
    pack_varint(to, event->lines_n);
    for (size_t i = 0; i < event->lines_n; i++) {
        const struct event_line *line = &event->lines[i];

        pack_u64(to, line->item.v);
        pack_text(to, line->item_text);
        pack_signed(to, line->quantity_milli);
        pack_signed(to, line->paid_minor);
    }
    pack_close(to, opened);
}

void event_encode(const struct event *event, struct pack *to)
{
    static const struct mid nothing = {{0}};
    unsigned flags = (event->has_id ? FLAG_HAS_ID : 0u) | (event->has_time ? FLAG_HAS_TIME : 0u) |
                     (event->is_receipt ? FLAG_IS_RECEIPT : 0u);

    pack_u8(to, FORMAT);
    pack_field_varint(to, TAG_KIND, event->kind);
    pack_field_varint(to, TAG_CHANNEL, event->channel);
    pack_field_signed(to, TAG_AT, event->at_ms);
    pack_field_signed(to, TAG_DECLARED, event->declared_ms - event->at_ms);
    pack_field_signed(to, TAG_RECEIVED, event->received_ms - event->at_ms);
    put_text(to, TAG_ID, event->id);
    put_text(to, TAG_SOURCE, event->source);
    put_text(to, TAG_STORE, event->store_text);
    put_text(to, TAG_SESSION, event->session);
    put_text(to, TAG_ORDER, event->order);
    put_text(to, TAG_QUERY, event->query);
    put_text(to, TAG_TICKET, event->ticket);
    put_text(to, TAG_CURRENCY, bytes_of(event->currency));
    pack_field_signed(to, TAG_TOTAL, event->total_minor);
    pack_field_varint(to, TAG_POSITION, event->position);
    put_lines(to, event);
    pack_field_varint(to, TAG_PURPOSES, event->purposes);
    put_text(to, TAG_PROPERTIES, event->properties);
    put_text(to, TAG_KIND_NAME, event->kind_name);
    pack_field_varint(to, TAG_FLAGS, flags);
    if (mid_compare(&event->retracts, &nothing) != 0) {
        pack_field(to, TAG_RETRACTS, (struct bytes){(const char *)event->retracts.b, sizeof(event->retracts.b)});
    }
    put_text(to, TAG_PLACEMENT, event->placement);
}

static enum err read_lines(struct bytes field, struct arena *arena, struct event *event)
{
    struct unpack from = unpack_from(field);
    uint64_t n = unpack_varint(&from);
    struct event_line *lines;

    if (from.bad || n > EVENT_LINES_MAX) {
        return ERR_CORRUPT;
    }
    lines = arena_array(arena, (size_t)n, sizeof(*lines));
    if (lines == NULL) {
        return ERR_NOMEM;
    }
    for (uint64_t i = 0; i < n; i++) {
        lines[i].item.v = unpack_u64(&from);
        lines[i].item_text = unpack_text(&from);
        lines[i].quantity_milli = unpack_signed(&from);
        lines[i].paid_minor = unpack_signed(&from);
    }
    if (from.bad || from.at != from.n) {
        return ERR_CORRUPT;
    }
    event->lines = lines;
    event->lines_n = (size_t)n;
    return ERR_OK;
}

static void read_flags(uint64_t flags, struct event *event)
{
    event->has_id = (flags & FLAG_HAS_ID) != 0;
    event->has_time = (flags & FLAG_HAS_TIME) != 0;
    event->is_receipt = (flags & FLAG_IS_RECEIPT) != 0;
}

/* Reads a field that is a number; gives false for the tags that are not. */
static bool read_number(uint32_t tag, struct bytes field, struct event *event, bool *bad)
{
    switch (tag) {
    case TAG_KIND:
        event->kind = (enum event_kind)unpack_whole_varint(field, bad);
        *bad = *bad || event->kind >= EVENT_KINDS_;
        return true;
    case TAG_CHANNEL:
        event->channel = (enum channel)unpack_whole_varint(field, bad);
        *bad = *bad || event->channel >= CHANNELS_;
        return true;
    case TAG_AT:
        event->at_ms = unpack_whole_signed(field, bad);
        *bad = *bad || event->at_ms < TIME_MIN_MS || event->at_ms > TIME_MAX_MS;
        return true;
    case TAG_DECLARED:
        event->declared_ms = unpack_whole_signed(field, bad);
        *bad = *bad || event->declared_ms < 2 * TIME_MIN_MS - TIME_MAX_MS || event->declared_ms > 2 * TIME_MAX_MS;
        return true;
    case TAG_RECEIVED:
        event->received_ms = unpack_whole_signed(field, bad);
        *bad = *bad || event->received_ms < 2 * TIME_MIN_MS - TIME_MAX_MS || event->received_ms > 2 * TIME_MAX_MS;
        return true;
    case TAG_TOTAL:
        event->total_minor = unpack_whole_signed(field, bad);
        return true;
    case TAG_POSITION:
        event->position = (uint32_t)unpack_whole_varint(field, bad);
        return true;
    case TAG_PURPOSES:
        event->purposes = (uint16_t)unpack_whole_varint(field, bad);
        return true;
    case TAG_FLAGS:
        read_flags(unpack_whole_varint(field, bad), event);
        return true;
    default:
        return false;
    }
}

static struct bytes *text_of(uint32_t tag, struct event *event)
{
    switch (tag) {
    case TAG_ID:
        return &event->id;
    case TAG_SOURCE:
        return &event->source;
    case TAG_STORE:
        return &event->store_text;
    case TAG_SESSION:
        return &event->session;
    case TAG_ORDER:
        return &event->order;
    case TAG_QUERY:
        return &event->query;
    case TAG_TICKET:
        return &event->ticket;
    case TAG_PROPERTIES:
        return &event->properties;
    case TAG_KIND_NAME:
        return &event->kind_name;
    case TAG_PLACEMENT:
        return &event->placement;
    default:
        return NULL;
    }
}

static enum err read_field(uint32_t tag, struct bytes field, struct arena *arena, struct event *event)
{
    struct bytes *text = text_of(tag, event);
    bool bad = false;

    if (text != NULL) {
        *text = field;
        return ERR_OK;
    }
    if (read_number(tag, field, event, &bad)) {
        return bad ? ERR_CORRUPT : ERR_OK;
    }
    if (tag == TAG_LINES) {
        return read_lines(field, arena, event);
    }
    if (tag == TAG_CURRENCY) {
        for (size_t i = 0; i < 3; i++) {
            if (field.n != 3 || field.p[i] < 'A' || field.p[i] > 'Z') {
                return ERR_CORRUPT;
            }
        }
        memcpy(event->currency, field.p, 3);
    }
    if (tag == TAG_RETRACTS) {
        if (field.n != sizeof(event->retracts.b)) {
            return ERR_CORRUPT;
        }
        memcpy(event->retracts.b, field.p, field.n);
    }
    return ERR_OK; /* an unknown tag is a newer field: skipped */
}

enum err event_decode(struct bytes body, struct tenant_id tenant, struct arena *arena, struct event *out_event)
{
    struct unpack from = unpack_from(body);
    struct event event = {0};
    struct bytes field;
    uint32_t tag = 0;
    uint8_t format = unpack_u8(&from);

    if (from.bad) {
        return ERR_CORRUPT;
    }
    if (format != FORMAT) {
        return ERR_UNSUPPORTED;
    }
    while (unpack_field(&from, &tag, &field)) {
        enum err err = read_field(tag, field, arena, &event);

        if (err != ERR_OK) {
            return err;
        }
    }
    if (from.bad || event.kind == EVENT_NONE) {
        return ERR_CORRUPT;
    }
    event.declared_ms += event.at_ms;
    event.received_ms += event.at_ms;
    if (event.store_text.n > 0) {
        event.store = hash_store(tenant, event.store_text);
    }
    *out_event = event;
    return ERR_OK;
}
