/* SPDX-License-Identifier: Apache-2.0 */
/* part.h - the observed side: what the events seen under one identifier fold to.
 *
 * Bounded lists keep the newest by (at_ms, mid); counts are integers; nothing fades in storage. So any
 * order and any grouping of the same events give the same bytes, and
 *     merge(fold(A), fold(B)) = fold(A and B together).                                            (P2)
 * A bound on a sum (lines) is not by itself mergeable: a small basket could slip in below a big one that
 * was dropped. Therefore the list keeps a floor, the newest key ever dropped: nothing at or below it
 * comes back.
 *
 * A retraction (a replaced receipt) keeps the basket's place, marked; counts are subtracted. It may
 * arrive before what it retracts. Sizes: 64 baskets lose nothing on recorded data (settled.md 2.6). */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/pack.h"
#include "event/event.h"

enum {
    PART_VERSION = 1,
    PART_BASKETS = 64,
    PART_LINES = 1024,
    PART_LOOKS = 64,
    PART_ANSWERS = 64,
    PART_MONTHS = 36,
    PART_STORES = 16,
    PART_BYTES_MAX = 32768
};

struct part_line {
    struct item_id item;
    int32_t quantity_milli; /* 1/1000 pieces; negative: returned */
    int32_t paid_minor;     /* of the whole line */
};

struct part_basket {
    int64_t at_ms;
    uint64_t mid; /* first 8 bytes of the event's mid: with at_ms the order */
    struct store_id store;
    uint8_t channel;
    bool is_retracted;
    uint16_t lines_n;
    uint32_t lines_at; /* into part.lines */
};

struct part_look { /* view, click, add, remove, wish, unwish: interest short of buying; shown, clicked */
    int64_t at_ms;
    uint64_t mid;
    struct item_id item;
    uint8_t kind; /* enum event_kind */
    uint8_t channel;
};

struct part_month {
    int32_t month; /* since 1970-01 */
    int32_t purchases, lines, looks;
    int64_t paid_minor;
};

struct part { /* all zero: nothing seen */
    int64_t first_ms, last_ms; /* of all events; 0, 0 while events_n is 0 */
    int64_t events_n;
    struct part_basket baskets[PART_BASKETS]; /* newest first */
    size_t baskets_n;
    struct part_line lines[PART_LINES];
    size_t lines_n;
    int64_t floor_ms; /* newest dropped basket: (floor_ms, floor_mid); INT64_MIN never occurs: 0, 0 is none */
    uint64_t floor_mid;
    struct part_look looks[PART_LOOKS]; /* newest first */
    size_t looks_n;
    struct part_look answers[PART_ANSWERS]; /* shown and clicked, newest first */
    size_t answers_n;
    struct part_month months[PART_MONTHS]; /* newest first, distinct */
    size_t months_n;
};

/* Adds one event, however late the news of it. Kinds that teach nothing about items count as seen. */
void part_apply(struct part *part, const struct event *event);
/* Adds all that `from` saw, as if `part` had seen it. */
void part_merge(struct part *part, const struct part *from);
/* Canonical: equal parts give equal bytes. Layout in part.c. */
void part_encode(const struct part *part, struct pack *to);
/* Empty bytes give the empty part. Errors: ERR_CORRUPT; ERR_UNSUPPORTED, a newer format; *out_part is
 * the empty part then (it is 30 KiB: no second copy is made to leave it untouched). Only what the counts
 * span is written: entries beyond them keep what was there. */
MUST_USE enum err part_decode(struct bytes from, struct part *out_part);
