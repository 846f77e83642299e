/* SPDX-License-Identifier: Apache-2.0 */
/* decide.h - one answer: from a picture, a model and a catalogue to rows with reasons. It only reads (P1).
 *
 * decide_run walks a constant plan: retrievers find candidates, filters drop them with a reason each,
 * scores add up, arrange orders, admit has the last word (house.md 4.7, 4.8). Pure: no clock, no
 * chance but the seed, no memory but the arena. The same inputs give the same bytes. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "catalog/catalog.h"
#include "event/event.h"
#include "model/model_view.h"
#include "picture/picture.h"

enum decide_mode { DECIDE_PERSONAL = 1, DECIDE_SESSION = 2, DECIDE_ANONYMOUS = 3, DECIDE_SYNTHETIC = 4 };

enum decide_fallback {
    FALLBACK_NONE = 0,
    FALLBACK_UNKNOWN_CUSTOMER,
    FALLBACK_NO_CONSENT,
    FALLBACK_MODEL_NOT_READY,
    FALLBACK_TOO_FEW,
    FALLBACK_EMPTY_CATALOGUE,
    FALLBACK_UNKNOWN_PLACEMENT,
    FALLBACK_LATE,
    FALLBACK_HOLDOUT,
    FALLBACK_OVERLOAD,
    FALLBACKS_
};

enum decide_variant { VARIANT_ONE_TO_ONE = 0, VARIANT_SEGMENT = 1, VARIANT_POPULAR = 2 };

enum decide_reason { /* what carried an item's score most; words for the API and texts: decide/explain.h */
    REASON_NONE = 0,
    REASON_REPEAT,      /* bought again and again by this customer */
    REASON_TOGETHER,    /* goes with what was bought or put in the basket */
    REASON_LOOKED,      /* like what was just looked at */
    REASON_STORE,       /* popular in the customer's store */
    REASON_SEGMENT,     /* popular among customers alike */
    REASON_POPULAR,     /* popular with everybody */
    REASON_NEW,         /* newest in the catalogue */
    REASONS_
};

enum decide_drop { /* why a found candidate was not shown */
    DROP_NONE = 0,
    DROP_EXCLUDED,     /* the call said so */
    DROP_NOT_CANDIDATE,/* the call gave candidates and it is none of them */
    DROP_ON_PAGE,      /* in another placement of the same call, or the page's own item */
    DROP_UNKNOWN_ITEM, /* the catalogue does not name it */
    DROP_HIDDEN,
    DROP_UNAVAILABLE,
    DROP_BELOW,        /* good, but not among the n best */
    DROPS_
};

struct decide_context { /* all zero: nothing known */
    enum channel channel;
    struct store_id store;
    struct item_id page_item;
};

struct decide_placement {
    struct bytes name;
    size_t n;
    const struct item_id *exclude;
    size_t exclude_n;
    const struct item_id *candidates; /* NULL: all; else only these, re-ranked */
    size_t candidates_n;
};

struct decide_world { /* what is published, pinned for this request */
    struct model_view view;        /* base NULL: not ready */
    const struct catalog *catalog; /* NULL: evaluation; every item of the model may be shown */
};

struct decide_request {
    const struct picture *picture; /* never NULL: picture_of_events for the unknown */
    enum decide_mode mode;
    enum decide_variant variant;
    enum decide_fallback fallback; /* what the door already knows: NO_CONSENT, UNKNOWN_CUSTOMER */
    struct decide_context context;
    const struct decide_placement *placements;
    size_t placements_n;
    int64_t now_ms;
    bool keep_drops; /* explain inner: list dropped candidates, name the source of every addend */
};

struct decide_part_score { /* one addend of the visible sum */
    enum decide_reason reason;
    float score;
    struct item_id because; /* the own item that contributed most; 0: none, or not asked for (keep_drops) */
};

enum { DECIDE_ADDENDS = 6 };

struct decide_item {
    struct item_id id;
    struct bytes id_text; /* from the catalogue, else from the model */
    float score;          /* the sum */
    enum decide_reason reason;
    struct item_id because;
    struct decide_part_score addends[DECIDE_ADDENDS];
    size_t addends_n;
    bool is_personal; /* scored from the customer's own events */
};

struct decide_dropped {
    struct item_id id;
    struct bytes id_text;
    enum decide_drop why;
    float score;
};

struct decide_row {
    struct bytes name;
    bool is_personal; /* at least one item is (settled.md 4.4) */
    enum decide_fallback fallback;
    const struct decide_item *items;
    size_t items_n;
    size_t found_n, kept_n, dropped_n; /* found = kept + dropped, asserted */
    size_t dropped_by[DROPS_];
    const struct decide_dropped *dropped; /* when keep_drops, at most 500, best first */
    size_t dropped_listed_n;
};

struct decide_result {
    const struct decide_row *rows; /* one a placement, in order */
    size_t rows_n;
};

/* Errors: ERR_NOMEM, the arena's limit. Never short while items pass the filters. Cost on recorded data:
 * see bench/. */
MUST_USE enum err decide_run(const struct decide_world *world, const struct decide_request *request,
                             struct arena *arena, struct decide_result *out_result);
