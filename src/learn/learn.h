/* SPDX-License-Identifier: Apache-2.0 */
/* learn.h - one tenant's learning while it serves (models.md 18.1 to 18.4, 18.7): lessons in, the live side of its model grows.
 *
 *     look        a visit of its part; told to the live side as a sequence (visits.h)
 *     purchase    a step more in what its part bought, after what the file knows of it
 *     both        counts of pairs (covisits.h), items nobody knew (newcomers.h), drift by category (drift.h)
 * It follows the events behind ingest and never speaks back into decide but through the live side, which decisions read. One
 * thread at a time. Lessons of one event come one after another; time goes forward but for late ones. What it has learnt
 * depends on the lessons, their order and the times given, on nothing else: the log gives the same again.
 *
 * The live side may be renewed in between (model_live_renew): learn_shift then says how numbers moved. */
#pragma once

#include "base/err.h"
#include "learn/covisits.h"
#include "learn/lesson.h"
#include "model/model_live.h"

struct learn_room {
    uint32_t visits;    /* under way at once */
    uint32_t newcomers; /* items the model does not know, being counted */
    uint32_t buyers;    /* parts whose purchases are followed, those of the file too */
    uint32_t forgotten; /* erased owners */
    uint32_t pairs;     /* items with counts of pairs: those of the file and the live side's */
    uint32_t categories;
};

struct learn_world { /* asked and told; on the caller's thread, from inside the call */
    void *ctx;
    /* The sender's id of an item that is sold, a loan; empty: nobody knows it, so nothing can be shown of it. */
    struct bytes (*text)(void *ctx, struct item_id item);
    /* A hash of the item's category; 0: none. */
    uint64_t (*category)(void *ctx, struct item_id item);
    /* The item's category has drifted. */
    void (*alarm)(void *ctx, struct item_id item);
};

struct learn_counts { /* since it was opened */
    uint64_t lessons_n, sequences_n, newcomers_n, baskets_n, refused_n /* no room in the live side */, rows_n;
    uint32_t alarms_n; /* standing now */
};

struct learn;

size_t learn_bytes(const struct learn_room *room);
/* p: learn_bytes, 64-aligned, zero; base is borrowed, world and owner_key (hash_owner_key) are copied. from_ms: about now.
 * Cost: the file's sequences once. */
struct learn *learn_open(const struct model *base, const struct learn_room *room, const struct learn_world *world,
                         struct tenant_id tenant, const uint8_t owner_key[32], int64_t from_ms, void *p);
/* Takes one lesson in. Those the base has seen (not newer than its trained_ms) and those of the forgotten teach nothing.
 * Cost: 5 to 20 us. */
void learn_lesson(struct learn *learn, struct model_live *live, const struct lesson *lesson, int64_t now_ms);
/* The end of a batch: the last basket is whole, and what has been idle ends. */
void learn_tick(struct learn *learn, struct model_live *live, int64_t now_ms);
/* Empties what an owner (hash_owner of a part or customer) taught, in the base's sequences as well, and takes no lesson of
 * it that is older than at_ms: again and again, the newest moment counts. Gives how many sequences. */
size_t learn_forget(struct learn *learn, struct model_live *live, uint64_t owner, int64_t at_ms);
/* The latter alone, for owners whose sequences are empty already: before the first lesson. */
void learn_refuse(struct learn *learn, uint64_t owner, int64_t at_ms);
/* Drops the part's visit under way untold: with learn_forget of its owner. */
void learn_drop(struct learn *learn, uint64_t part);
/* Renews the rows of at most k items, the most out of date first: live items get a first row of shrunk count ratios, the
 * base's rows gain the live items that stand beside them (no pair below MODEL_CUSTOMERS_MIN). Gives how many changed. */
size_t learn_rows(struct learn *learn, struct model_live *live, size_t k, int64_t now_ms);
/* After model_live_renew into `live`. */
void learn_shift(struct learn *learn, const struct model_live *live, const uint32_t shift[MODEL_DOMAINS_]);
/* Has the live side room for another `lessons` lessons? Else renew it first. */
bool learn_has_room(const struct learn *learn, const struct model_live *live, const struct model_live_room *room, size_t lessons);
struct learn_counts learn_counts(const struct learn *learn, int64_t now_ms);
