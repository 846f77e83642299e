/* SPDX-License-Identifier: Apache-2.0 */
/* model_live.h - what was learnt since the file was made: sequences, counts of pairs, items, solved rows.
 *
 * One writer, any number of readers, no locks: arrays only grow and are published by their length (release, acquire); a
 * posting is one 32-bit word of a ring. A request pins the lengths in its model_view and sees nothing newer. Bounded: the
 * oldest sequences go when the room is full. Erasing a sequence empties it for all readers at once.
 *
 * A live side belongs to one base file, named by its hash; when another base is published, a new live side is
 * made from the events that are newer than what that base learnt. Memory is the caller's, given once. */
#pragma once

#include "model/model_domain.h"
#include "model/model_session.h"

struct model_live_room { /* what it may hold */
    uint32_t sequences;  /* per domain */
    uint32_t steps;      /* over all sequences of a domain */
    uint32_t items;      /* that the base does not know */
    uint32_t postings;   /* newest sequences kept per item: the settings' M at most */
};

size_t model_live_bytes(const struct model *base, const struct model_live_room *room);
/* p: model_live_bytes, 64-aligned, zero. base is borrowed. */
struct model_live *model_live_open(const struct model *base, const struct model_live_room *room, void *p);

/* ---- the writer ---- */

/* Appends a sequence (oldest step first, at most MODEL_SEQUENCE_MAX, its newest) that ended at end_ms. replaces: number of an open one it
 * grew out of, UINT32_MAX: none; the old one is emptied. Gives its number. Items: of the view, live ones included.
 * Cost: 2 to 4 us. */
uint32_t model_live_append(struct model_live *live, enum model_domain domain, const struct model_step *steps, size_t n,
                           int64_t end_ms, uint64_t owner, uint32_t replaces);
/* Empties all sequences of `owner`, of the base file too; gives how many. Cost: a scan of the owners. */
size_t model_live_erase(struct model_live *live, uint64_t owner);
/* Number of an item the base does not know, made if need be; MODEL_NONE: no room. text is copied. */
uint32_t model_live_item(struct model_live *live, struct item_id id, struct bytes text);

/* ---- readers ---- */

/* A view of the base and all that the live side holds now. live may be NULL. */
struct model_view model_view_of(const struct model *base, const struct model_live *live);
uint32_t model_live_items_n(const struct model_live *live); /* first number: model_items_n(base) */
/* Sequences from `first` (older ones went) to the view's end; the first live number of a domain is 0. */
uint32_t model_live_first(const struct model_live *live, enum model_domain domain);
struct model_sequence_view model_live_sequence(const struct model_live *live, enum model_domain domain, uint32_t sequence);
/* Copies up to `most` postings of an item, newest first, that the view sees. */
size_t model_live_postings(const struct model_view *view, enum model_domain domain, uint32_t item, size_t most,
                           uint32_t *out);
bool model_live_is_erased(const struct model_live *live, enum model_domain domain, uint32_t base_sequence);
/* For all users of a view: number, id, text and popularity of base and live items alike. */
uint32_t model_view_find(const struct model_view *view, struct item_id id);
struct item_id model_view_id(const struct model_view *view, uint32_t item);
struct bytes model_view_text(const struct model_view *view, uint32_t item);
uint32_t model_view_items_n(const struct model_view *view);
/* The base's row; for what the live side solved anew, that row. n 0 for items without one. */
const struct model_weight *model_view_row(const struct model_view *view, enum model_w kind, uint32_t item, size_t *out_n);
/* Of a live item: counts since it came. Never NULL. */
const struct model_item *model_view_item(const struct model_view *view, uint32_t item);
const struct model_seen *model_view_seen(const struct model_view *view, uint32_t item);
