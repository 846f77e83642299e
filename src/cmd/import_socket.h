/* SPDX-License-Identifier: Apache-2.0 */
/* import_socket.h - imported things to the server that has the data directory, through DIR/socket: batches of at most
 * 500 receipts (POST /v1/receipts), 1,000 items (POST /v1/items), stores one by one.
 *
 * The server may be the newer program, so nothing but the API is spoken. There is no mark: a repeated import sends all
 * again and the server answers `duplicate`. Consent: the socket is a gated source, so what a map's `consent` grants
 * is granted by each receipt's own arrival; a map that does not grant `store` sends no customers. */
#pragma once

#include "cmd/import_store.h"

struct import_socket;

/* Errors: ERR_IO, nobody answers there, why says which process has the directory and what to do. */
MUST_USE enum err import_socket_open(const char *data_dir, const char *tenant, struct import_socket **out_socket,
                                     struct why *why);
void import_socket_close(struct import_socket *socket); /* NULL is allowed */
/* A new file; the tally starts at 0. */
MUST_USE enum err import_socket_begin(struct import_socket *socket, const struct import_map *map, enum import_kind kind,
                                      void (*rejected)(void *ctx, const struct import_rejected *rejected), void *ctx);
MUST_USE enum err import_socket_receipt(struct import_socket *socket, const struct import_receipt *receipt, struct why *why);
MUST_USE enum err import_socket_row(struct import_socket *socket, struct bytes id, struct bytes json, uint64_t row,
                                    struct why *why);
MUST_USE enum err import_socket_flush(struct import_socket *socket, struct why *why);
struct import_tally import_socket_tally(const struct import_socket *socket);
