/* SPDX-License-Identifier: Apache-2.0 */
/* history.h - all purchases and looks of one tenant in memory, by customer and time: what is learnt from.
 *
 * Filled by whoever reads (a CSV in `evaluate`, a checkpoint of storage in `train`), then sorted once. Customers are
 * numbered in the order of their keys, baskets and looks of one customer by (at_ms, mid). Memory: 12 B a line, 56 B a
 * basket, 40 B a look. */
#pragma once

#include "base/err.h"
#include "event/event.h"
#include "profile/part.h"
#include "train/content.h"

#include <stddef.h>

enum { HISTORY_FACTS_MAX = 8 };

struct history_line {
    uint32_t item; /* of history.items */
    int32_t quantity_milli, paid_minor;
};

struct history_basket {
    uint64_t customer; /* key until sorted, then the number */
    int64_t at_ms;
    struct mid mid;
    uint32_t store; /* of history.stores; UINT32_MAX: not said */
    uint32_t lines_n;
    size_t lines_at;
};

struct history_look { /* a view, click, add, cart or wish */
    uint64_t customer; /* key until sorted, then the number */
    int64_t at_ms;
    struct mid mid;
    uint32_t item; /* of history.items */
    uint8_t kind;  /* enum event_kind */
};

struct history_names { /* items or stores: ids and texts in order of arrival */
    uint64_t *id;
    size_t *text_at;
    char *text;
    size_t n, room, text_n, text_room;
    uint32_t *table; /* by id; UINT32_MAX: free */
    size_t table_n;
};

struct history_fact { /* one declared fact of all customers, for reports by group: "age", values as said */
    char name[32];
    struct history_names values;
    uint32_t *of; /* by customer number; UINT32_MAX: not said */
};

struct history { /* all zero: empty */
    struct tenant_id tenant;
    struct history_names items, stores;
    struct history_line *lines;
    size_t lines_n, lines_room;
    struct history_basket *baskets;
    size_t baskets_n, baskets_room;
    uint64_t *customers; /* keys, ascending; after history_sort */
    size_t customers_n;
    size_t *from; /* customers_n + 1: into baskets */
    struct history_look *looks;
    size_t looks_n, looks_room;
    size_t *look_from; /* customers_n + 1: into looks */
    struct history_fact facts[HISTORY_FACTS_MAX];
    size_t facts_n;
    struct content content; /* what the catalogue says of items (train/content.h) */
    struct mid *retracted; /* mids taken back */
    size_t retracted_n, retracted_room;
    uint8_t owner_key[32]; /* hash_owner_key of the data directory's secret; zeros: recorded files, evaluate */
    size_t unread_n; /* stored events whose body could not be read: left out */
};

void history_close(struct history *history);
/* Takes in a purchase (its lines of positive quantity), a look at items or a retraction; other kinds teach nothing here. customer: any
 * stable key. event->mid is set. A growth that fails ends the process: a trainer without memory has nothing else to do. */
void history_add(struct history *history, uint64_t customer, const struct event *event);
/* The number of an item, new when it has none yet. */
uint32_t history_item_put(struct history *history, struct item_id id, struct bytes text);
/* Sorts, numbers customers, takes out retracted baskets and mids met twice. Call once, after the last add. */
void history_sort(struct history *history);
/* Whose a sequence of customer number c is, for model files and for whoever asks one: hash_owner, never 0. Nobody is a neighbour of their
 * own, so a question names its owner (model_view.owner) in training and evaluation, too; keys of zeros stand in there. */
uint64_t history_owner(const struct history *history, size_t c);
/* The number of a customer's key, or SIZE_MAX. */
size_t history_customer(const struct history *history, uint64_t key);
/* Says a fact of a customer, after history_sort; unknown customers and empty values are passed by. */
void history_fact_put(struct history *history, const char *name, uint64_t customer, struct bytes value);
struct bytes history_name(const struct history_names *names, uint32_t i);
/* The first basket of customer c at or after at_ms: history->from[c] .. from[c + 1]. */
size_t history_basket_at(const struct history *history, size_t c, int64_t at_ms);
/* The first look of customer c at or after at_ms: history->look_from[c] .. look_from[c + 1]. */
size_t history_look_at(const struct history *history, size_t c, int64_t at_ms);
/* Newest time of all baskets and looks; 0 when there are none. */
int64_t history_newest_ms(const struct history *history);
/* Folds baskets [from, to) and looks [look_from, look_to) of one customer as the server would (profile/part.h). */
void history_fold(const struct history *history, size_t from, size_t to, size_t look_from, size_t look_to,
                  struct part *out_life);
/* realloc that ends the process instead of failing. */
void *history_grow(void *p, size_t n, size_t each);
/* The same, all zero. */
void *history_zero(size_t n, size_t each);
