/* SPDX-License-Identifier: Apache-2.0 */
/* The stored state of a part, format byte 1 (base/pack.h), empty fields left out:
 *
 *     1 first_ms signed   2 last_ms signed   3 events_n
 *     4 baskets: { at_ms signed, mid u64, store u64, channel u8, retracted u8, lines varint,
 *                  { item u64, quantity signed, paid signed }* }*           newest first
 *     5 floor: at_ms signed, mid u64
 *     6 looks, 7 answers: { at_ms signed, mid u64, item u64, kind u8, channel u8 }*   newest first
 *     8 months: { month signed, purchases signed, lines signed, looks signed, paid signed }*   newest first
 *
 * Every list is kept in one order, (at_ms, mid) falling, so equal knowledge gives equal bytes. */
#include "profile/part.h"

#include <assert.h>

enum { FORMAT = 1 };

/* The golden ratio in 64 bits: keys of the lines of one event lie far apart, as message ids do. */
#define LINE_STEP UINT64_C(0x9e3779b97f4a7c15)

enum tag { TAG_FIRST = 1, TAG_LAST, TAG_EVENTS, TAG_BASKETS, TAG_FLOOR, TAG_LOOKS, TAG_ANSWERS, TAG_MONTHS };

/* ---- order ---- */

static int key_compare(int64_t a_ms, uint64_t a_mid, int64_t b_ms, uint64_t b_mid)
{
    if (a_ms != b_ms) {
        return a_ms < b_ms ? -1 : 1;
    }
    return (a_mid > b_mid) - (a_mid < b_mid);
}

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

/* ---- lists of looks: the newest n, by key ---- */

static size_t looks_merge(const struct part_look *a, size_t a_n, const struct part_look *b, size_t b_n, size_t most,
                          struct part_look *out)
{
    size_t n = 0, i = 0, j = 0;

    while (n < most && (i < a_n || j < b_n)) {
        int order = i == a_n   ? -1
                    : j == b_n ? 1
                               : key_compare(a[i].at_ms, a[i].mid, b[j].at_ms, b[j].mid);

        /* The same event told twice (a click in the call and in the tail) is one. */
        if (order == 0) {
            j++;
            continue;
        }
        out[n++] = order > 0 ? a[i++] : b[j++];
    }
    return n;
}

static void looks_join(struct part_look *into, size_t *into_n, const struct part_look *from, size_t from_n, size_t most)
{
    struct part_look merged[PART_LOOKS > PART_ANSWERS ? PART_LOOKS : PART_ANSWERS];
    size_t n;

    if (from_n == 0) {
        return;
    }
    n = looks_merge(into, *into_n, from, from_n, most, merged);
    memcpy(into, merged, n * sizeof(*merged));
    *into_n = n;
}

/* ---- baskets: the newest, by count and by sum of lines, above the floor ---- */

struct baskets { /* a list being built: lines are referred to where they lie */
    struct part_basket basket[PART_BASKETS];
    const struct part_line *lines[PART_BASKETS];
    size_t n, lines_n;
    bool is_closed; /* the bound was met: all that follows is dropped */
    int64_t floor_ms;
    uint64_t floor_mid;
};

static bool below_floor(const struct baskets *to, const struct part_basket *basket)
{
    return key_compare(basket->at_ms, basket->mid, to->floor_ms, to->floor_mid) <= 0 &&
           (to->floor_ms != 0 || to->floor_mid != 0);
}

/* Takes the next basket in falling order. The first that does not fit becomes the floor. */
static void baskets_take(struct baskets *to, const struct part_basket *basket, const struct part_line *lines)
{
    if (to->is_closed || below_floor(to, basket)) {
        return;
    }
    if (to->n == PART_BASKETS || to->lines_n + basket->lines_n > PART_LINES) {
        to->is_closed = true;
        to->floor_ms = basket->at_ms;
        to->floor_mid = basket->mid;
        return;
    }
    to->basket[to->n] = *basket;
    to->lines[to->n++] = lines;
    to->lines_n += basket->lines_n;
}

static void baskets_keep(struct part *part, const struct baskets *from)
{
    struct part_line lines[PART_LINES];
    size_t n = 0;

    for (size_t i = 0; i < from->n; i++) {
        part->baskets[i] = from->basket[i];
        part->baskets[i].lines_at = (uint32_t)n;
        memcpy(lines + n, from->lines[i], from->basket[i].lines_n * sizeof(*lines));
        n += from->basket[i].lines_n;
    }
    memcpy(part->lines, lines, n * sizeof(*lines));
    part->baskets_n = from->n;
    part->lines_n = n;
    part->floor_ms = from->floor_ms;
    part->floor_mid = from->floor_mid;
}

static void baskets_join(struct part *part, const struct part_basket *from, size_t from_n, const struct part_line *lines,
                         int64_t floor_ms, uint64_t floor_mid)
{
    struct baskets joined = {.floor_ms = part->floor_ms, .floor_mid = part->floor_mid};
    size_t i = 0, j = 0;

    if (from_n == 0 && floor_ms == 0 && floor_mid == 0) {
        return;
    }
    if (key_compare(floor_ms, floor_mid, joined.floor_ms, joined.floor_mid) > 0 ||
        (joined.floor_ms == 0 && joined.floor_mid == 0)) {
        joined.floor_ms = floor_ms;
        joined.floor_mid = floor_mid;
    }
    while (i < part->baskets_n || j < from_n) {
        int order = i == part->baskets_n ? -1
                    : j == from_n        ? 1
                                         : key_compare(part->baskets[i].at_ms, part->baskets[i].mid, from[j].at_ms,
                                                       from[j].mid);

        if (order == 0) {
            struct part_basket both = part->baskets[i];

            /* A purchase and its retraction, in either order of arrival: one entry, marked. */
            both.is_retracted = both.is_retracted || from[j].is_retracted;
            baskets_take(&joined, &both, part->lines + part->baskets[i].lines_at);
            i++;
            j++;
        } else if (order > 0) {
            baskets_take(&joined, &part->baskets[i], part->lines + part->baskets[i].lines_at);
            i++;
        } else {
            baskets_take(&joined, &from[j], lines + from[j].lines_at);
            j++;
        }
    }
    baskets_keep(part, &joined);
}

/* ---- months: the newest distinct ones, counts added ---- */

static void months_join(struct part *part, const struct part_month *from, size_t from_n)
{
    struct part_month joined[PART_MONTHS];
    size_t n = 0, i = 0, j = 0;

    while (n < PART_MONTHS && (i < part->months_n || j < from_n)) {
        if (j == from_n || (i < part->months_n && part->months[i].month > from[j].month)) {
            joined[n++] = part->months[i++];
        } else if (i == part->months_n || from[j].month > part->months[i].month) {
            joined[n++] = from[j++];
        } else {
            joined[n] = part->months[i++];
            joined[n].purchases += from[j].purchases;
            joined[n].lines += from[j].lines;
            joined[n].looks += from[j].looks;
            joined[n++].paid_minor += from[j++].paid_minor;
        }
    }
    memcpy(part->months, joined, n * sizeof(*joined));
    part->months_n = n;
}

static void span_join(struct part *part, int64_t first_ms, int64_t last_ms, int64_t events_n)
{
    if (events_n == 0) {
        return;
    }
    if (part->events_n == 0 || first_ms < part->first_ms) {
        part->first_ms = first_ms;
    }
    if (part->events_n == 0 || last_ms > part->last_ms) {
        part->last_ms = last_ms;
    }
    part->events_n += events_n;
}

/* ---- one event ---- */

static void apply_basket(struct part *part, const struct event *event, bool is_retracted)
{
    struct part_line lines[PART_LINES];
    struct part_month month = {.month = time_month(event->at_ms)};
    struct part_basket basket = {.at_ms = event->at_ms,
                                 .mid = get_be64(is_retracted ? event->retracts.b : event->mid.b),
                                 .store = event->store,
                                 .channel = (uint8_t)event->channel,
                                 .is_retracted = is_retracted};
    int sign = is_retracted ? -1 : 1;

    for (size_t i = 0; i < event->lines_n && i < PART_LINES; i++) {
        const struct event_line *line = &event->lines[i];

        lines[i] = (struct part_line){line->item, (int32_t)clamp(line->quantity_milli, INT32_MIN, INT32_MAX),
                                      (int32_t)clamp(line->paid_minor, INT32_MIN, INT32_MAX)};
        month.paid_minor += (int64_t)sign * lines[i].paid_minor;
        basket.lines_n++;
    }
    month.lines = sign * basket.lines_n;
    month.purchases = sign;
    baskets_join(part, &basket, 1, lines, 0, 0);
    months_join(part, &month, 1);
}

static bool is_look(enum event_kind kind)
{
    return kind == EVENT_VIEW || kind == EVENT_CLICK || kind == EVENT_ADD || kind == EVENT_REMOVE || kind == EVENT_WISH ||
           kind == EVENT_UNWISH;
}

static void apply_look(struct part *part, const struct event *event)
{
    struct part_month month = {.month = time_month(event->at_ms), .looks = 1};
    bool is_answer = event->kind == EVENT_SHOWN || event->kind == EVENT_CLICKED;

    /* An event about several items is a look at each; the key tells them apart by line. */
    for (size_t i = 0; i < event->lines_n && i < PART_LOOKS; i++) {
        struct part_look look = {.at_ms = event->at_ms,
                                 .mid = get_be64(event->mid.b) + i * LINE_STEP,
                                 .item = event->lines[i].item,
                                 .kind = (uint8_t)event->kind,
                                 .channel = (uint8_t)event->channel};

        if (is_answer) {
            looks_join(part->answers, &part->answers_n, &look, 1, PART_ANSWERS);
        } else {
            looks_join(part->looks, &part->looks_n, &look, 1, PART_LOOKS);
        }
    }
    if (!is_answer) {
        months_join(part, &month, 1);
    }
}

void part_apply(struct part *part, const struct event *event)
{
    span_join(part, event->at_ms, event->at_ms, 1);
    if (event->kind == EVENT_PURCHASE || event->kind == EVENT_RETURN) {
        apply_basket(part, event, false);
    } else if (event->kind == EVENT_RETRACT && event->lines_n > 0) { /* without lines: of a voided receipt, no basket */
        apply_basket(part, event, true);
    } else if (is_look(event->kind) || event->kind == EVENT_SHOWN || event->kind == EVENT_CLICKED) {
        apply_look(part, event);
    }
}

void part_merge(struct part *part, const struct part *from)
{
    span_join(part, from->first_ms, from->last_ms, from->events_n);
    baskets_join(part, from->baskets, from->baskets_n, from->lines, from->floor_ms, from->floor_mid);
    looks_join(part->looks, &part->looks_n, from->looks, from->looks_n, PART_LOOKS);
    looks_join(part->answers, &part->answers_n, from->answers, from->answers_n, PART_ANSWERS);
    months_join(part, from->months, from->months_n);
}

/* ---- bytes ---- */

static void encode_baskets(const struct part *part, struct pack *to)
{
    size_t opened;

    if (part->baskets_n == 0) {
        return;
    }
    opened = pack_open(to, TAG_BASKETS);
    for (size_t i = 0; i < part->baskets_n; i++) {
        const struct part_basket *basket = &part->baskets[i];

        pack_signed(to, basket->at_ms);
        pack_u64(to, basket->mid);
        pack_u64(to, basket->store.v);
        pack_u8(to, basket->channel);
        pack_u8(to, basket->is_retracted);
        pack_varint(to, basket->lines_n);
        for (size_t j = 0; j < basket->lines_n; j++) {
            const struct part_line *line = &part->lines[basket->lines_at + j];

            pack_u64(to, line->item.v);
            pack_signed(to, line->quantity_milli);
            pack_signed(to, line->paid_minor);
        }
    }
    pack_close(to, opened);
}

static void encode_looks(struct pack *to, enum tag tag, const struct part_look *looks, size_t n)
{
    size_t opened;

    if (n == 0) {
        return;
    }
    opened = pack_open(to, tag);
    for (size_t i = 0; i < n; i++) {
        pack_signed(to, looks[i].at_ms);
        pack_u64(to, looks[i].mid);
        pack_u64(to, looks[i].item.v);
        pack_u8(to, looks[i].kind);
        pack_u8(to, looks[i].channel);
    }
    pack_close(to, opened);
}

void part_encode(const struct part *part, struct pack *to)
{
    size_t opened;

    pack_u8(to, FORMAT);
    pack_field_signed(to, TAG_FIRST, part->first_ms);
    pack_field_signed(to, TAG_LAST, part->last_ms);
    pack_field_signed(to, TAG_EVENTS, part->events_n);
    encode_baskets(part, to);
    if (part->floor_ms != 0 || part->floor_mid != 0) {
        opened = pack_open(to, TAG_FLOOR);
        pack_signed(to, part->floor_ms);
        pack_u64(to, part->floor_mid);
        pack_close(to, opened);
    }
    encode_looks(to, TAG_LOOKS, part->looks, part->looks_n);
    encode_looks(to, TAG_ANSWERS, part->answers, part->answers_n);
    if (part->months_n > 0) {
        opened = pack_open(to, TAG_MONTHS);
        for (size_t i = 0; i < part->months_n; i++) {
            pack_signed(to, part->months[i].month);
            pack_signed(to, part->months[i].purchases);
            pack_signed(to, part->months[i].lines);
            pack_signed(to, part->months[i].looks);
            pack_signed(to, part->months[i].paid_minor);
        }
        pack_close(to, opened);
    }
}

static bool decode_baskets(struct bytes field, struct part *part)
{
    struct unpack from = unpack_from(field);

    while (!unpack_done(&from)) {
        struct part_basket *basket = &part->baskets[part->baskets_n];
        uint64_t lines_n;

        if (part->baskets_n == PART_BASKETS) {
            return false;
        }
        basket->at_ms = unpack_signed(&from);
        basket->mid = unpack_u64(&from);
        basket->store.v = unpack_u64(&from);
        basket->channel = unpack_u8(&from);
        basket->is_retracted = unpack_u8(&from) != 0;
        lines_n = unpack_varint(&from);
        if (from.bad || lines_n > PART_LINES - part->lines_n || basket->channel >= CHANNELS_ ||
            (part->baskets_n > 0 && key_compare(basket[-1].at_ms, basket[-1].mid, basket->at_ms, basket->mid) <= 0)) {
            return false;
        }
        basket->lines_n = (uint16_t)lines_n;
        basket->lines_at = (uint32_t)part->lines_n;
        for (uint64_t i = 0; i < lines_n; i++) {
            struct part_line *line = &part->lines[part->lines_n++];

            line->item.v = unpack_u64(&from);
            line->quantity_milli = (int32_t)clamp(unpack_signed(&from), INT32_MIN, INT32_MAX);
            line->paid_minor = (int32_t)clamp(unpack_signed(&from), INT32_MIN, INT32_MAX);
        }
        part->baskets_n++;
    }
    return !from.bad;
}

static bool decode_looks(struct bytes field, struct part_look *looks, size_t most, size_t *out_n)
{
    struct unpack from = unpack_from(field);
    size_t n = 0;

    while (!unpack_done(&from)) {
        if (n == most) {
            return false;
        }
        looks[n].at_ms = unpack_signed(&from);
        looks[n].mid = unpack_u64(&from);
        looks[n].item.v = unpack_u64(&from);
        looks[n].kind = unpack_u8(&from);
        looks[n].channel = unpack_u8(&from);
        if (looks[n].kind >= EVENT_KINDS_ || looks[n].channel >= CHANNELS_ ||
            (n > 0 && key_compare(looks[n - 1].at_ms, looks[n - 1].mid, looks[n].at_ms, looks[n].mid) <= 0)) {
            return false;
        }
        n++;
    }
    *out_n = n;
    return !from.bad;
}

static bool decode_months(struct bytes field, struct part *part)
{
    struct unpack from = unpack_from(field);

    while (!unpack_done(&from)) {
        struct part_month *month = &part->months[part->months_n];

        if (part->months_n == PART_MONTHS) {
            return false;
        }
        month->month = (int32_t)clamp(unpack_signed(&from), INT32_MIN, INT32_MAX);
        month->purchases = (int32_t)clamp(unpack_signed(&from), INT32_MIN / 2, INT32_MAX / 2);
        month->lines = (int32_t)clamp(unpack_signed(&from), INT32_MIN / 2, INT32_MAX / 2);
        month->looks = (int32_t)clamp(unpack_signed(&from), INT32_MIN / 2, INT32_MAX / 2);
        month->paid_minor = clamp(unpack_signed(&from), INT64_MIN / 4, INT64_MAX / 4);
        if (part->months_n > 0 && month[-1].month <= month->month) {
            return false;
        }
        part->months_n++;
    }
    return !from.bad;
}

static bool decode_field(uint32_t tag, struct bytes field, struct part *part)
{
    struct unpack from = unpack_from(field);
    bool bad = false;

    switch (tag) {
    case TAG_FIRST:
        part->first_ms = unpack_whole_signed(field, &bad);
        return !bad;
    case TAG_LAST:
        part->last_ms = unpack_whole_signed(field, &bad);
        return !bad;
    case TAG_EVENTS:
        part->events_n = clamp(unpack_whole_signed(field, &bad), INT64_MIN / 4, INT64_MAX / 4);
        return !bad;
    case TAG_BASKETS:
        return decode_baskets(field, part);
    case TAG_FLOOR:
        part->floor_ms = unpack_signed(&from);
        part->floor_mid = unpack_u64(&from);
        return !from.bad && from.at == from.n;
    case TAG_LOOKS:
        return decode_looks(field, part->looks, PART_LOOKS, &part->looks_n);
    case TAG_ANSWERS:
        return decode_looks(field, part->answers, PART_ANSWERS, &part->answers_n);
    case TAG_MONTHS:
        return decode_months(field, part);
    default:
        return true; /* a newer field; dropped at the next fold by this version, and folded anew by the newer */
    }
}

static void part_clear(struct part *part)
{
    part->first_ms = part->last_ms = part->events_n = part->floor_ms = 0;
    part->floor_mid = 0;
    part->baskets_n = part->lines_n = part->looks_n = part->answers_n = part->months_n = 0;
}

enum err part_decode(struct bytes bytes, struct part *out_part)
{
    struct unpack from = unpack_from(bytes);
    struct bytes field;
    uint32_t tag = 0;
    uint8_t format;

    part_clear(out_part);
    if (bytes.n == 0) {
        return ERR_OK;
    }
    format = unpack_u8(&from);
    if (format != FORMAT) {
        return ERR_UNSUPPORTED;
    }
    while (unpack_field(&from, &tag, &field)) {
        if (!decode_field(tag, field, out_part)) {
            part_clear(out_part);
            return ERR_CORRUPT;
        }
    }
    if (from.bad) {
        part_clear(out_part);
        return ERR_CORRUPT;
    }
    return ERR_OK;
}
