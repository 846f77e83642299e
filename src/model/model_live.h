/* SPDX-License-Identifier: Apache-2.0 */
/* model_live.h - what was learnt since the file was made: sequences, items, counts of items, solved rows.
 *
 * One writer, any number of readers, no locks: arrays only grow and are published by their length (release, acquire). A request
 * pins the lengths in its model_view and sees nothing newer. Postings are a chain by item, newest first: two words a step. What
 * was lent stays readable as long as the live side does. Erasing a sequence empties it for all readers at once.
 *
 * Bounded: a full room takes no more. The writer then renews: a new room of the same base gets the newest sequences
 * (model_live_renew) and is published in place of the old one, which goes when no reader sees it (base/publish.h).
 *
 * A live side belongs to one opened base; when another base is published, a new live side is made from the events that
 * are newer than what that base learnt. Memory is the caller's, given once. */
#pragma once

#include "model/model_domain.h"
#include "model/model_session.h"

struct model_live_room { /* what it may hold */
    uint32_t sequences;  /* per domain */
    uint32_t steps;      /* over all sequences of a domain */
    uint32_t items;      /* that the base does not know */
    uint32_t texts;      /* bytes of their ids */
    uint32_t rows;       /* solved anew; 0: none */
    uint32_t weights;    /* in those rows */
};

size_t model_live_bytes(const struct model *base, const struct model_live_room *room);
/* p: model_live_bytes, 64-aligned, zero. base is borrowed. */
struct model_live *model_live_open(const struct model *base, const struct model_live_room *room, void *p);

/* ---- the writer ---- */

/* Appends a sequence (oldest step first; of more than MODEL_SEQUENCE_MAX the newest) that ended at end_ms. replaces: number of
 * an open one it grew out of, UINT32_MAX: none; the old one is emptied, and only steps beyond its length count as seen.
 * Gives its number; UINT32_MAX: no room, nothing was changed. Items: of the newest view, live ones included. Room is not
 * given back by replacing: replace an open visit when it has grown by half, not at each event. Cost: 2 to 4 us. */
uint32_t model_live_append(struct model_live *live, enum model_domain domain, const struct model_step *steps, size_t n,
                           int64_t end_ms, uint64_t owner, uint32_t replaces);
/* Empties all sequences of `owner`, of the base file too; gives how many. Cost: a scan of the owners. The emptied bytes go
 * with the room, at the next renewal. */
size_t model_live_erase(struct model_live *live, uint64_t owner);
/* The same for n owners, ascending, in one scan. */
size_t model_live_erase_all(struct model_live *live, const uint64_t *owners, size_t n);
/* Empties a sequence of the base: it goes on in the live side, longer. */
void model_live_empty_base(struct model_live *live, enum model_domain domain, uint32_t sequence);
/* Number of an item, made if the base does not know it; MODEL_NONE: no room. text is copied. */
uint32_t model_live_item(struct model_live *live, struct item_id id, struct bytes text);
/* Puts a row in place of the base's (or of nothing): at most MODEL_W_ROW_MAX, largest |weight| first. false: no room. */
bool model_live_row(struct model_live *live, enum model_w kind, uint32_t item, const struct model_weight *row, size_t n);
/* Is the room for rows nearly full, and worth a renewal: a quarter of what fills it was put in the place of later? */
bool model_live_rows_are_stale(const struct model_live *live);
/* Fills an empty `to` of the same base with all items (numbers stay), rows and erasures and the newest `keep` sequences of each
 * domain. Sequence s of `from` is s - out_shift[domain] in `to`. false: `to` has too little room; throw it away. */
bool model_live_renew(const struct model_live *from, uint32_t keep, struct model_live *to,
                      uint32_t out_shift[MODEL_DOMAINS_]);

/* ---- readers ---- */

/* A view of the base and all that the live side holds now. live: NULL, or of another base: the base alone. */
struct model_view model_view_of(const struct model *base, const struct model_live *live);
uint32_t model_live_items_n(const struct model_live *live);
uint32_t model_live_sequences_n(const struct model_live *live, enum model_domain domain); /* emptied ones included */
struct model_sequence_view model_live_sequence(const struct model_live *live, enum model_domain domain, uint32_t sequence);
/* Copies up to `most` postings of an item, newest first, that the view sees; emptied ones are left out. */
size_t model_live_postings(const struct model_view *view, enum model_domain domain, uint32_t item, size_t most,
                           uint32_t *out);
bool model_live_is_erased(const struct model_live *live, enum model_domain domain, uint32_t base_sequence);
/* Sequences that hold an item (MODEL_NONE: all sequences), base, live and erasures taken together. */
uint32_t model_view_holders(const struct model_view *view, enum model_domain domain, uint32_t item);

/* For all users of a view: number, id, text and popularity of base and live items alike. */
uint32_t model_view_find(const struct model_view *view, struct item_id id);
struct item_id model_view_id(const struct model_view *view, uint32_t item);
struct bytes model_view_text(const struct model_view *view, uint32_t item);
uint32_t model_view_items_n(const struct model_view *view);
/* The base's row; for what the live side solved anew, that row (solved again since the view was pinned: the base's). n 0
 * for items without one. */
const struct model_weight *model_view_row(const struct model_view *view, enum model_w kind, uint32_t item, size_t *out_n);
/* Of a live item: counts since it came, and the shop's means of what takes time to know. */
struct model_item model_view_item(const struct model_view *view, uint32_t item);
struct model_seen model_view_seen(const struct model_view *view, uint32_t item);
