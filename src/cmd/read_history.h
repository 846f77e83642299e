/* SPDX-License-Identifier: Apache-2.0 */
/* read_history.h - a history out of recorded lines: the reader of `import`, without storage. */
#pragma once

#include "cmd/import_read.h"
#include "train/history.h"

struct read_name { /* how a customer is called to a server */
    uint64_t key;
    enum identifier_kind kind;
    char value[64]; /* longer ones are cut: such customers are then unknown there */
};

struct read_names { /* all zero: none; ascending by key, each once */
    struct read_name *at;
    size_t n, room;
};

void read_names_close(struct read_names *names);
const struct read_name *read_name_of(const struct read_names *names, uint64_t key); /* the key was read: never NULL */

/* The key under which a customer's receipts and facts meet: of the first identifier, kind and value; 0: none. */
uint64_t read_history_key(const struct event_identifier *identifiers, size_t n);
/* Reads receipts of customers (receipts of nobody teach no repeat and are left out) and what [customers] and [items]
 * say, where the map names them. Sorted. out_names: may be NULL. Errors: those of import_read.h. */
MUST_USE enum err read_history(const struct import_map *map, const char *lines_path, struct tenant_id tenant,
                               struct history *out_history, struct read_names *out_names,
                               struct import_counts *out_counts, struct why *why);
