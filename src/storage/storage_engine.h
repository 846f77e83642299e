/* SPDX-License-Identifier: Apache-2.0 */
/* storage_engine.h - inner to the room: operations, the lanes they wait in, and what all share.
 *
 * A call makes a `struct storage_op` (its own struct begins with one) and either answers it at once, on the
 * calling thread, or puts it in a lane. The WRITER takes all that waits (up to a cap), lets each operation
 * add its changes to one group, commits it with one fsync, and only then posts the completions. No timer:
 * while one commit runs, the next group gathers. The CHORES lane, begun when first needed, does what is slow
 * and not ordered: files, compaction after erasure.
 * Lock order: lane, then due. */
#pragma once

#include "storage/storage.h"
#include "storage/storage_due.h"
#include "storage/storage_group.h"
#include "storage/storage_row.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    STORAGE_GROUP_OPS_MAX = 4096,
    STORAGE_GROUP_BYTES_MAX = 1 << 20,
    STORAGE_QUEUE_OPS_MAX = 32768, /* two seconds of the fastest senders seen */
    STORAGE_QUEUE_BYTES_MAX = 64 << 20,
    STORAGE_HOPS_MAX = 64,    /* of "joined to": each join ends a customer, so chains are short */
    STORAGE_FOLDS_BUSY = 32,  /* parts folded by itself between two groups, */
    STORAGE_FOLDS_IDLE = 128, /* and when nothing waits */
};

/* Parts erased or withdrawn since open, in order: what was already on its way to them is refused. What is on
 * its way dies with the process, so this needs no row. */
struct storage_gone {
    struct storage_owner *at;
    size_t n, room;
};

struct storage_op {
    struct loop_task task; /* first: the completion */
    struct storage_op *next;
    struct storage *storage;
    struct loop *loop; /* NULL: finish runs on the lane's thread (blocking calls) */
    /* Adds changes to the group and sets op->err; false: they are taken back. */
    bool (*apply)(struct storage_op *op, struct storage_group *group);
    /* Instead of apply: is alone in its turn, and commits by itself; or runs in the chores lane. */
    void (*alone)(struct storage_op *op);
    void (*after)(struct storage_op *op);  /* writer's thread, when the group is durable; may be NULL */
    void (*finish)(struct storage_op *op); /* the loop's thread: calls done */
    size_t ops_n, bytes_n;
    enum err err;
    bool has_arena;
    struct arena arena; /* of results */
};

struct storage_lane {
    struct storage *storage;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct storage_op *first, **last; /* under lock, as is all that follows */
    size_t ops_n, bytes_n;
    bool is_closing;
};

struct storage {
    const struct storage_driver *driver;
    void *at;
    struct storage_options options;
    uint8_t ident_key[32], text_key[32];
    struct storage_lane writer, chores;
    struct storage_due due;
    struct storage_group group; /* the writer's */
    struct storage_gone gone;   /* the writer's */
    atomic_uint_fast64_t events_n, duplicates_n, commits_n;
    atomic_bool is_failing;
};

/* ---- storage.c ---- */

void *storage_must(void *p); /* aborts on NULL: small memory is never out */
/* A zeroed operation of `bytes`, given back after finish. */
void *storage_op_new(size_t bytes, struct storage *storage, struct loop *loop,
                     void (*finish)(struct storage_op *op));
struct arena *storage_op_arena(struct storage_op *op); /* opened at first use */
/* Posts the completion: op is gone. */
void storage_op_complete(struct storage_op *op);
void storage_op_write(struct storage_op *op); /* into the writer's lane, or completes with ERR_BUSY */
void storage_op_chore(struct storage_op *op);
int64_t storage_now_ms(const struct storage *storage);
/* Commits the writer's group; notes failure. */
MUST_USE enum err storage_commit(struct storage *storage, bool is_synced);

/* ---- storage_lane.c ---- */

void storage_lane_open(struct storage_lane *lane, struct storage *storage);
void storage_lane_start(struct storage_lane *lane, void *(*run)(void *lane));
void storage_lane_close(struct storage_lane *lane); /* completes what waits; what comes later is refused */
void storage_lane_free(struct storage_lane *lane);  /* once nobody can add any more */
MUST_USE bool storage_lane_add(struct storage_lane *lane, struct storage_op *op);
void storage_lane_wake(struct storage_lane *lane);
void *storage_writer_run(void *lane);
void *storage_chores_run(void *lane);

/* ---- shared steps, on the writer's thread, inside a group ---- */

/* Follows joins from *key; gives the row and the key of the customer that stands.
 * Errors: ERR_ABSENT, no row. */
MUST_USE enum err storage_customer_get(struct storage_group *group, struct storage_key *key,
                                       struct storage_customer *out_customer);
void storage_customer_put(struct storage_group *group, struct storage_key key,
                          const struct storage_customer *customer);
MUST_USE enum err storage_part_get(struct storage_group *group, struct storage_owner owner,
                                   struct storage_part *out_part);
void storage_part_put(struct storage_group *group, struct storage_owner owner,
                      const struct storage_part *part);
/* Writes the ident rows of all the customer's identifiers anew: their customer and the consent word. */
MUST_USE enum err storage_customer_word(struct storage *storage, struct storage_group *group,
                                        struct storage_key key, const struct storage_customer *customer);
/* A number that no part or customer of the tenant has. */
MUST_USE enum err storage_fresh(struct storage *storage, struct storage_group *group, struct tenant_id tenant,
                                uint64_t *out_c);
/* Puts one event, or nothing of it; out_stored and out_part as in storage_ingested. */
MUST_USE enum err storage_event_put(struct storage *storage, struct storage_group *group,
                                    const struct storage_event *event, enum storage_stored *out_stored,
                                    struct part_id *out_part);
/* Folds the tail of one part; gives how many events moved. */
MUST_USE enum err storage_fold_part(struct storage *storage, struct storage_group *group,
                                    struct storage_owner owner, size_t *out_events_n);
/* Folds `pairs` (event rows) into `state` with the rules. */
MUST_USE enum err storage_fold_pairs(const struct storage *storage, struct tenant_id tenant,
                                     struct bytes state, const struct storage_pair *pairs, size_t n,
                                     struct arena *arena, struct bytes *out_state);
/* Folds what is due, by itself; most: parts. Gives false when a write failed. */
void storage_fold_due(struct storage *storage, size_t most);
bool storage_gone_has(const struct storage_gone *gone, struct storage_owner owner);
void storage_gone_add(struct storage_gone *gone, struct storage_owner owner);
void storage_gone_remove(struct storage_gone *gone, struct storage_owner owner);
/* Completes erasures that a crash cut short: at open, before anything else. */
MUST_USE enum err storage_erase_resume(struct storage *storage);
/* Rewrites in the chores lane what a crash left to be rewritten: at open, once the lanes stand. */
void storage_erase_sweep(struct storage *storage);
/* Loads one customer from a view into `arena`; `at_text` opened. */
MUST_USE enum err storage_load_one(struct storage *storage, void *view, struct storage_key key,
                                   struct arena *arena, struct sealed_customer *out_customer);
