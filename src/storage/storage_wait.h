/* SPDX-License-Identifier: Apache-2.0 */
/* storage_wait.h - the calls of storage.h, waited for: for commands and tests, never for a server's loop.
 *
 * Each runs `loop` until the call is done (so the loop must not be running) and gives the error. Results
 * are copied into `arena`, where there are any. */
#pragma once

#include "storage/storage.h"

MUST_USE enum err storage_wait_identify(struct storage *storage, struct loop *loop, struct tenant_id tenant,
                                        const struct storage_identifier *identifiers, size_t n, bool create,
                                        struct bytes source, struct storage_identity *out_identities);
/* results: n of them; filled also when an error is given. */
MUST_USE enum err storage_wait_ingest(struct storage *storage, struct loop *loop,
                                      const struct storage_event *events, size_t n,
                                      struct storage_ingested *out_results);
/* The copy lives in `arena` whole. */
MUST_USE enum err storage_wait_load(struct storage *storage, struct loop *loop, struct storage_key key,
                                    struct arena *arena, struct sealed_customer *out_customer);
MUST_USE enum err storage_wait_fold(struct storage *storage, struct loop *loop, uint64_t *out_events_n);
/* out_updated: filled also on ERR_CONFLICT. */
MUST_USE enum err storage_wait_update(struct storage *storage, struct loop *loop, struct storage_key key,
                                      uint64_t revision, struct bytes change,
                                      const struct storage_event *event, struct arena *arena,
                                      struct storage_updated *out_updated);
MUST_USE enum err storage_wait_link(struct storage *storage, struct loop *loop, struct storage_key a,
                                    struct storage_key b, struct part_id part_a, struct part_id part_b,
                                    struct storage_link_reason reason, struct storage_key *out_survivor);
MUST_USE enum err storage_wait_cut(struct storage *storage, struct loop *loop, struct tenant_id tenant,
                                   struct part_id part, struct storage_key *out_kept,
                                   struct storage_key *out_cut);
MUST_USE enum err storage_wait_erase(struct storage *storage, struct loop *loop, struct storage_key key,
                                     enum storage_erase_scope scope, struct storage_erased *out_erased);
MUST_USE enum err storage_wait_scan_parts(struct storage *storage, struct loop *loop, struct tenant_id tenant,
                                          const struct part_id *parts, size_t n, size_t most,
                                          struct arena *arena, const struct storage_scan_event **out_events,
                                          size_t *out_n);
MUST_USE enum err storage_wait_put(struct storage *storage, struct loop *loop, struct tenant_id tenant,
                                   enum storage_table table, const struct storage_put *puts, size_t n,
                                   uint64_t *out_revisions);
MUST_USE enum err storage_wait_changes(struct storage *storage, struct loop *loop, struct tenant_id tenant,
                                       enum storage_table table, uint64_t since, size_t most,
                                       struct arena *arena, const struct storage_row **out_rows,
                                       size_t *out_n);
MUST_USE enum err storage_wait_file_put(struct storage *storage, struct loop *loop, struct bytes data,
                                        uint8_t out_hash[32]);
MUST_USE enum err storage_wait_file_get(struct storage *storage, struct loop *loop, const uint8_t hash[32],
                                        struct arena *arena, struct bytes *out_data);
