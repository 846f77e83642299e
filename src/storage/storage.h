/* SPDX-License-Identifier: Apache-2.0 */
/* storage.h - how Falun keeps data: one interface over several drivers.
 *
 * It speaks of customers and events, not of keys and values (a key-value interface would cost a
 * round trip a get on a network engine). Each call is one round trip there, takes a batch, never
 * blocks a loop; the result comes exactly once through `done`, on the loop given, never from inside
 * the call. Inputs belong to the caller but stay valid until `done`. What `done` is given is a loan
 * that ends when it returns.
 *
 * Drivers by URL scheme: `rocksdb:DIR` (default), `memory:`, `fault:` (memory with planted failures,
 * for tests). Drivers move bytes; folding, patching, cutting and consent words are the pure functions
 * of `struct storage_rules`, handed in at open: storage knows neither consent nor profile.
 *
 * Keys and families: docs/formats/storage.md; storage.md 3 and 13 of the design. Version 1: 1,024
 * buckets, tenant in every key, tail / fold / log, exact deduplication for all time through `seen`. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "event/event.h"
#include "event/sealed.h"
#include "os/loop.h"

struct storage;

enum {
    STORAGE_SCHEMA = 1,
    STORAGE_PARTS_MAX = 64,       /* parts a customer: storage.md 7 */
    STORAGE_TAIL_MAX = 256,       /* events of a tail that a load returns */
    STORAGE_FOLD_AT = 64,         /* the writer folds a part at once above this */
    STORAGE_FOLD_EVENTS = 32,     /* a part is due with so many events in its tail, */
    STORAGE_FOLD_QUIET_MS = 60000 /* or after so long without a new one */
};

/* ---- rules: pure functions, no clock, no I/O; any thread, several at once ---- */

struct storage_fold_event { /* in (at_ms, mid) order is NOT promised: folding commutes */
    struct mid mid;
    struct bytes body;
};

struct storage_rules {
    /* Folds events into a part's state. state: empty at first. Result lives in `arena`. Must be
     * order-independent and mergeable to the byte. Errors: ERR_CORRUPT, ERR_UNSUPPORTED, ERR_NOMEM. */
    enum err (*fold)(struct tenant_id tenant, struct bytes state, const struct storage_fold_event *events,
                     size_t events_n, struct arena *arena, struct bytes *out_state);
    /* Version of the fold, kept with each part: an older state is folded anew from the log. */
    uint16_t fold_version;
    /* Applies one change to the declared side. on: the part it is said on, or {0} for all present
     * `parts`. */
    enum err (*patch)(struct bytes declared, struct bytes change, const struct part_id *parts, size_t parts_n,
                      struct arena *arena, struct bytes *out_declared);
    /* Joins the declared sides of two customers that were linked. */
    enum err (*join)(struct bytes into, struct bytes from, struct arena *arena, struct bytes *out_declared);
    /* Splits the declared side when `part` is cut away: what was said on the part goes with it; each
     * side keeps the stricter consent of the two (cutting never widens one). */
    enum err (*cut)(struct bytes declared, struct part_id part, struct arena *arena, struct bytes *out_kept,
                    struct bytes *out_moved);
    /* Gives the consent word (2 bits a purpose) that `ident` carries, and its earliest end (0: none):
     * strictest over parts. */
    enum err (*word)(struct bytes declared, uint16_t *out_word, int64_t *out_until_ms);
    /* Makes the body of the event that takes back `body` (a replaced receipt's purchase). */
    enum err (*retract)(struct bytes body, struct mid of, struct arena *arena, struct bytes *out_body);
};

/* ---- 1. open and close ---- */

struct storage_options {
    struct storage_rules rules;
    uint8_t secret[32];  /* identifier and seal keys are derived from it (base/hash.h) */
    size_t cache_bytes;  /* block cache of the driver; 0: 256 MiB */
    int64_t (*now_ms)(void *now_ctx); /* received times of links and consents; fold's quiet time */
    void *now_ctx;
    uint64_t (*chance)(void *chance_ctx); /* 64 random bits, for c of new parts; writer thread only */
    void *chance_ctx;
    bool is_read_only;   /* a trainer's view of a checkpoint: no writer, no lock */
};

/* Opens, creating an empty storage where there is none. Errors: ERR_UNSUPPORTED, a newer schema or an
 * unknown scheme; ERR_BUSY, another process has it (why names its pid when known); ERR_INVALID, not the
 * secret it was made with; ERR_IO. */
MUST_USE enum err storage_open(const char *url, const struct storage_options *options, struct storage **out_storage,
                               struct why *why);
/* Completes all that was queued, then stops. NULL is allowed. */
void storage_close(struct storage *storage);

/* ---- names of things ---- */

struct storage_identifier { /* normalised; value text is sealed into the customer's row, once */
    enum identifier_kind kind;
    struct bytes value;
};

struct storage_key { /* a customer */
    struct tenant_id tenant;
    struct customer_id customer;
};

/* ---- 6. identify: identifier -> part for ever, customer now ---- */

enum storage_identified { STORAGE_UNKNOWN = 0, STORAGE_FOUND = 1, STORAGE_CREATED = 2 };

struct storage_identity {
    enum storage_identified how; /* UNKNOWN: nothing is known and create was not asked; rest is zero */
    struct part_id part;
    struct customer_id customer; /* now: joins already followed */
    uint16_t consent_word;       /* of the customer, over all parts */
    int64_t consent_until_ms;    /* earliest end of a grant in it; 0: none ends */
    bool is_bare;                /* its text was taken away by a withdrawal: identify with `create` seals it anew once
                                    `store` is granted again */
};

/* Looks identifiers up, all of one tenant; with `create`, makes what is unknown: a part and a customer
 * of the same number, exactly one winner among racers, durable before done. source: who made it known.
 * No identifier is written when create is false. Errors: ERR_BUSY, ERR_IO, ERR_FULL. */
void storage_identify(struct storage *storage, struct loop *loop, struct tenant_id tenant,
                      const struct storage_identifier *identifiers, size_t n, bool create, struct bytes source,
                      void (*done)(void *ctx, enum err err, const struct storage_identity *identities, size_t n),
                      void *ctx);

/* ---- 2. ingest ---- */

enum storage_stored { STORAGE_STORED = 1, STORAGE_DUPLICATE = 2, STORAGE_REPLACED = 3 /* a changed receipt */ };

struct storage_event {
    struct tenant_id tenant;
    struct part_id part;
    uint32_t day;
    struct mid mid;        /* receipts: hash_mid(source, id), the receipt's own; storage derives versions */
    struct bytes body;     /* event_encode, at most EVENT_BODY_BYTES_MAX */
    bool is_receipt;       /* (source, id) for good: same body DUPLICATE, changed body REPLACED */
    bool is_anonymous;     /* straight to the log under part = top 63 bits of mid; no seen row but its own key */
};

struct storage_ingested {
    enum err err; /* of this event: ERR_OK, ERR_TOOBIG, ERR_NO_PASS (the customer was erased or withdrew while it was
                     on its way: nothing was kept), or the group's ERR_FULL, ERR_IO, ERR_BUSY */
    enum storage_stored stored; /* when ERR_OK */
    struct part_id part;        /* where the first copy lies: of a duplicate it may be another part */
};

/* Keeps events in their part's tail, durable (fsync) before done. Atomic per event, not over the batch.
 * Reads neither the customer nor the part. results: one an event, in order.
 * Errors: ERR_BUSY, the queue is full and nothing was written; ERR_FULL; ERR_IO, outcome unknown: send
 * the same mids again. */
void storage_ingest(struct storage *storage, struct loop *loop, const struct storage_event *events, size_t n,
                    void (*done)(void *ctx, enum err err, const struct storage_ingested *results, size_t n),
                    void *ctx);

/* ---- 3. load ---- */

/* One consistent view of each customer (a join is followed): declared row, identifiers, part states and
 * tails (at most STORAGE_TAIL_MAX events a part, the newest; a longer tail is folded in memory with the
 * rules, so nothing is missed). A state of an older fold version is folded anew from the log in memory.
 * customers[i].customer.v is 0 where nothing is known (ERR_ABSENT never fails a batch).
 * Errors: ERR_BUSY, past the deadline (deadline_ms on now_ms's clock; 0: none); ERR_IO; ERR_CORRUPT. */
void storage_load(struct storage *storage, struct loop *loop, const struct storage_key *keys, size_t n,
                  int64_t deadline_ms,
                  void (*done)(void *ctx, enum err err, const struct sealed_customer *customers, size_t n),
                  void *ctx);

/* ---- 4. fold ---- */

/* Folds the parts that are due (or all with a tail, when `all`) in the bucket range [from, to): tail rows
 * move to the log exactly once, the state is written, revision + 1. Folding also happens by itself on
 * the writer's thread. Gives the number of events folded. */
void storage_fold(struct storage *storage, struct loop *loop, uint16_t bucket_from, uint16_t bucket_to, bool all,
                  void (*done)(void *ctx, enum err err, uint64_t events_n), void *ctx);

/* ---- 5. update ---- */

struct storage_updated {
    struct storage_key key;  /* now: differs from the asked one when it was joined */
    uint64_t revision;       /* after success; the present one on ERR_CONFLICT */
    struct bytes declared;   /* present */
};

/* Applies rules.patch to the declared row if its revision is `revision` (UINT64_MAX: whatever it is),
 * appends `event` (may be NULL) to the log in the same commit and rewrites the consent words of the
 * customer's identifiers. Errors: ERR_CONFLICT, the revision moved on; ERR_ABSENT, no such customer;
 * what patch gave. */
void storage_update(struct storage *storage, struct loop *loop, struct storage_key key, uint64_t revision,
                    struct bytes change, const struct storage_event *event,
                    void (*done)(void *ctx, enum err err, const struct storage_updated *updated), void *ctx);

/* ---- 7. link and cut ---- */

struct storage_link_reason {
    struct bytes source; /* stable name */
    int64_t at_ms;       /* time of the event that links; events received before a cut do not undo it */
    uint8_t strength;    /* 1 weak, 2 strong, 3 proved */
};

/* Makes two customers one: the survivor is that with the stronger identifier kind, else the smaller
 * number. Atomic; repeating a done link is ERR_OK. Gives the survivor.
 * Errors: ERR_CONFLICT, a shared device: two different members (or user ids) would meet on a device
 * part (the device part is then cut off and further links of it refused), or a cut of these parts is
 * newer than at_ms; ERR_TOOBIG, over STORAGE_PARTS_MAX and no anonymous device part can leave. */
void storage_link(struct storage *storage, struct loop *loop, struct storage_key a, struct storage_key b,
                  struct part_id part_a, struct part_id part_b, struct storage_link_reason reason,
                  void (*done)(void *ctx, enum err err, struct storage_key survivor), void *ctx);
/* Cuts one part off its customer (settled.md 1.5, 1.7); gives both sides. Repeating is ERR_OK.
 * Errors: ERR_ABSENT, no such part; ERR_CONFLICT, it is the only part. */
void storage_cut(struct storage *storage, struct loop *loop, struct tenant_id tenant, struct part_id part,
                 void (*done)(void *ctx, enum err err, struct storage_key kept, struct storage_key cut), void *ctx);

/* ---- 8. erase ---- */

enum storage_erase_scope {
    STORAGE_ERASE_ALL = 1,     /* everything; an erased marker (a random number) stays */
    STORAGE_ERASE_WITHDRAWN = 2 /* settled.md 1.3: all but `ident` rows and the consent entries (rules.patch has
                                   written them before); events, states, sealed texts go. Nothing goes where a newer
                                   grant of `store` stands */
};

struct storage_erased {
    uint64_t identifiers_n, parts_n, events_n, declared_n;
    struct part_id parts[STORAGE_PARTS_MAX]; /* parts_n; a customer of one part was called like it before it was joined */
};

/* Idempotent; a crash in the middle is completed at the next open. The rows' old bytes leave the files
 * through flush and compaction of the customer's ranges, begun before done. */
void storage_erase(struct storage *storage, struct loop *loop, struct storage_key key, enum storage_erase_scope scope,
                   void (*done)(void *ctx, enum err err, const struct storage_erased *erased), void *ctx);

/* ---- 9. scan ---- */

struct storage_scan_event {
    struct tenant_id tenant;
    struct part_id part;
    uint32_t day;
    struct mid mid;
    struct bytes body;
    bool is_folded; /* from the log; else still in a tail */
};

/* Blocking, worker threads and commands only. Calls `each` for every event of the tenant in the buckets
 * [from, to), in key order (bucket, part, day, mid), log and tails, each mid once; events of one part come
 * together. One snapshot for the whole call. `each` gives false to stop. bodies are loans. */
MUST_USE enum err storage_scan(struct storage *storage, struct tenant_id tenant, uint16_t bucket_from,
                               uint16_t bucket_to, bool (*each)(void *ctx, const struct storage_scan_event *event),
                               void *ctx);
/* All events of some parts, oldest day first, at most `most`: GET /v1/events, long windows. Async. */
void storage_scan_parts(struct storage *storage, struct loop *loop, struct tenant_id tenant,
                        const struct part_id *parts, size_t n, size_t most,
                        void (*done)(void *ctx, enum err err, const struct storage_scan_event *events, size_t n),
                        void *ctx);
/* Blocking: every customer of the tenant, as storage_load gives it, in key order. For training, export
 * and replay's comparison. Same snapshot rules as storage_scan. */
MUST_USE enum err storage_scan_customers(struct storage *storage, struct tenant_id tenant,
                                         bool (*each)(void *ctx, const struct sealed_customer *customer), void *ctx);
/* Drops all part states and folds them again from the log: `falun replay`. Blocking. Gives how many parts
 * came out with other bytes than before (0 is the invariant). */
MUST_USE enum err storage_replay(struct storage *storage, struct tenant_id tenant, uint64_t *out_parts_n,
                                 uint64_t *out_differing_n);

/* ---- 10. configuration rows ---- */

enum storage_table { /* settled.md 2.11; numbers are stored */
    STORAGE_ITEM = 1,
    STORAGE_STORE = 2,
    STORAGE_STOCK = 3,
    STORAGE_RULE = 4,
    STORAGE_MODEL = 5,
    STORAGE_KEY = 6,
    STORAGE_TENANT = 7,
    STORAGE_PLACEMENT = 8,
    STORAGE_IMPORT = 9,
    STORAGE_FORGOTTEN = 10, /* cmd/forgotten.h */
    STORAGE_TABLES_
};

struct storage_row {
    struct bytes id;   /* at most 600 bytes */
    struct bytes row;  /* empty: deleted */
    uint64_t revision; /* from one counter a (tenant, table): no change is ever skipped */
};

/* Rows changed after `since`, deletions included, in revision order, at most `most`. */
void storage_changes(struct storage *storage, struct loop *loop, struct tenant_id tenant, enum storage_table table,
                     uint64_t since, size_t most,
                     void (*done)(void *ctx, enum err err, const struct storage_row *rows, size_t n), void *ctx);

enum { STORAGE_ANY_REVISION = 0 };

struct storage_put {
    struct bytes id, row;      /* empty row: delete */
    uint64_t if_revision;      /* STORAGE_ANY_REVISION: whatever it is; UINT64_MAX: only if absent */
};

/* Durable before done. revisions[i]: the new one, or 0 where that put's condition failed. */
void storage_put(struct storage *storage, struct loop *loop, struct tenant_id tenant, enum storage_table table,
                 const struct storage_put *puts, size_t n,
                 void (*done)(void *ctx, enum err err, const uint64_t *revisions, size_t n), void *ctx);

/* ---- 11. files: immutable, by hash (BLAKE2b-256) ---- */

void storage_file_put(struct storage *storage, struct loop *loop, struct bytes data,
                      void (*done)(void *ctx, enum err err, const uint8_t hash[32]), void *ctx);
/* Errors: ERR_ABSENT; ERR_CORRUPT, the bytes do not have that hash. */
void storage_file_get(struct storage *storage, struct loop *loop, const uint8_t hash[32],
                      void (*done)(void *ctx, enum err err, struct bytes data), void *ctx);

/* ---- 12, 13. lease, seal, stat ---- */

/* Takes or renews; the embedded driver always gives it, number 1 (settled.md 2.12). */
void storage_lease(struct storage *storage, struct loop *loop, struct bytes name, int64_t ttl_ms,
                   void (*done)(void *ctx, enum err err, uint64_t number), void *ctx);
/* After done no write can add to that day. Version 1 of the embedded driver: ERR_OK, and nothing. */
void storage_seal(struct storage *storage, struct loop *loop, uint32_t day, void (*done)(void *ctx, enum err err),
                  void *ctx);

struct storage_stat {
    uint64_t events_n;       /* stored since open */
    uint64_t duplicates_n;   /* met since open */
    uint64_t commits_n;      /* groups written */
    uint64_t tail_parts_n;   /* parts waiting to be folded */
    uint64_t queue_n;        /* operations waiting for the writer */
    uint64_t disk_bytes;
    bool is_failing;         /* a background error: nothing is acknowledged until restart */
};
/* Thread: any; at once, never blocks. */
void storage_stat(struct storage *storage, struct storage_stat *out_stat);

/* A consistent copy of the embedded storage into an empty directory, hard links where possible: the
 * trainer's view and backups. Blocking; while writes go on. ERR_UNSUPPORTED on memory. */
MUST_USE enum err storage_checkpoint(struct storage *storage, const char *directory);
