/* SPDX-License-Identifier: Apache-2.0 */
/* model_kit.h - small planted models for tests. */
#pragma once

#include "base/hash.h"
#include "base/rng.h"
#include "model/model_build.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

enum { KIT_ITEMS_MAX = 256, KIT_TENANT = 7, KIT_TREES = 2, KIT_SEQUENCES_MAX = 128, KIT_STEPS_MAX = 2048 };

struct kit_index { /* sequences of one domain */
    uint32_t at[KIT_SEQUENCES_MAX + 1], item[KIT_STEPS_MAX], n;
    uint8_t step[KIT_STEPS_MAX];
    int64_t end_ms[KIT_SEQUENCES_MAX];
    uint64_t owner[KIT_SEQUENCES_MAX];
    uint32_t posting_at[KIT_ITEMS_MAX + 1], posting[KIT_STEPS_MAX], holders[KIT_ITEMS_MAX + 1];
};

struct kit {
    uint64_t id[KIT_ITEMS_MAX];
    uint32_t text_at[KIT_ITEMS_MAX + 1], recent[KIT_ITEMS_MAX], w_at[KIT_ITEMS_MAX + 1];
    char text[KIT_ITEMS_MAX * 12];
    struct model_item stat[KIT_ITEMS_MAX];
    struct model_weight row[KIT_ITEMS_MAX * 16], store_row[4];
    uint64_t store_id[1];
    uint32_t store_at[2];
    float store_sum[1];
    struct model_tree tree[KIT_TREES];
    struct kit_index index[MODEL_DOMAINS_];
    struct model_seen seen[KIT_ITEMS_MAX];
    struct model_build build;
};

static inline struct item_id kit_item(unsigned i)
{
    char text[12];
    int n = snprintf(text, sizeof(text), "i%u", i);

    return hash_item((struct tenant_id){KIT_TENANT}, (struct bytes){text, (size_t)n});
}

/* n items in blocks of `block`: W of 0.2 between all of a block and nothing else. Item 0 is bought most. The last
 * item is the favourite of store "s1". */
static inline void kit_blocks(struct kit *kit, unsigned n, unsigned block)
{
    uint32_t at = 0, row = 0;

    assert(n <= KIT_ITEMS_MAX && block <= 16);
    memset(kit, 0, sizeof(*kit));
    for (unsigned i = 0; i < n; i++) {
        kit->id[i] = kit_item(i).v;
        kit->text_at[i] = at;
        at += (uint32_t)snprintf(kit->text + at, 12, "i%u", i);
        kit->recent[i] = i;
        kit->stat[i] = (struct model_item){.recent_n = (float)(n - i), .all_n = (float)(n - i),
                                           .log_recent = logf(1.0f + (float)(n - i)), .log_repeat = -2, .gap = 2};
        kit->w_at[i] = row;
        for (unsigned j = i / block * block; j < n && j < i / block * block + block; j++) {
            if (j != i) {
                kit->row[row++] = (struct model_weight){j, 0.2f};
            }
        }
    }
    kit->text_at[n] = at;
    kit->w_at[n] = row;
    kit->store_id[0] = hash_store((struct tenant_id){KIT_TENANT}, BYTES_LIT("s1")).v;
    kit->store_at[1] = n > 0 ? 1 : 0;
    kit->store_row[0] = (struct model_weight){n > 0 ? n - 1 : 0, 90};
    kit->store_sum[0] = 100;
    kit->build = (struct model_build){
        .head = {{KIT_TENANT}, n, 1, 1000}, .item_id = kit->id, .text_at = kit->text_at, .text = kit->text,
        .stat = kit->stat, .recent = kit->recent, .all = kit->recent, .recent_n = n, .all_n = n,
        .store_id = kit->store_id, .store_at = kit->store_at, .store_row = kit->store_row,
        .store_sum = kit->store_sum, .w[MODEL_W_TOGETHER] = {kit->w_at, kit->row},
        .rank[MODEL_HEAD_HISTORY] = model_rank_start};
}

/* Any tree that may stand in a file: nodes of any feature, thresholds and leaves near 0, the means their leaves', all alike. */
static inline void kit_tree(struct rng *rng, struct model_tree *out_tree)
{
    *out_tree = (struct model_tree){0};
    for (size_t l = 0; l < MODEL_TREE_LEAVES; l++) {
        out_tree->leaf[l] = (float)(rng_unit(rng) - 0.5);
    }
    for (size_t n = MODEL_TREE_NODES; n-- > 0;) {
        size_t below = 2 * n + 1;

        out_tree->feature[n] = (uint16_t)(rng_below(rng, FEATURES) | (rng_coin(rng) ? 0x8000 : 0));
        out_tree->threshold[n] = (float)(2 * rng_unit(rng) - 1);
        out_tree->mean[n] = below < MODEL_TREE_NODES
                                ? (out_tree->mean[below] + out_tree->mean[below + 1]) / 2
                                : (out_tree->leaf[below - MODEL_TREE_NODES] + out_tree->leaf[below + 1 - MODEL_TREE_NODES]) / 2;
    }
}

/* Gives the planted model trees in its HISTORY head. */
static inline void kit_trees(struct kit *kit)
{
    struct rng rng = {5};

    for (size_t t = 0; t < KIT_TREES; t++) {
        kit_tree(&rng, &kit->tree[t]);
    }
    kit->build.rank[MODEL_HEAD_HISTORY].trees_n = KIT_TREES;
    kit->build.rank[MODEL_HEAD_HISTORY].start = -2;
    kit->build.trees[MODEL_HEAD_HISTORY] = kit->tree;
}

/* Adds a sequence, newest last; step NULL: 0, 1, ... */
static inline void kit_sequence(struct kit *kit, enum model_domain domain, const uint32_t *item, const uint8_t *step,
                                uint32_t n, int64_t end_ms, uint64_t owner)
{
    struct kit_index *index = &kit->index[domain];
    uint32_t at = index->at[index->n];

    assert(index->n < KIT_SEQUENCES_MAX && at + n <= KIT_STEPS_MAX);
    for (uint32_t x = 0; x < n; x++) {
        index->item[at + x] = item[x];
        index->step[at + x] = step != NULL ? step[x] : (uint8_t)x;
        kit->seen[item[x]].all[domain] += 1;
        kit->seen[item[x]].recent[domain] += 1;
    }
    index->end_ms[index->n] = end_ms;
    index->owner[index->n++] = owner;
    index->at[index->n] = at + n;
}

static inline bool kit_holds(const struct kit_index *index, uint32_t sequence, uint32_t item)
{
    for (uint32_t x = index->at[sequence]; x < index->at[sequence + 1]; x++) {
        if (index->item[x] == item) {
            return true;
        }
    }
    return false;
}

/* Makes the sequences part of the model: of each item the newest `postings`. */
static inline void kit_index(struct kit *kit, enum model_domain domain, uint32_t postings)
{
    struct kit_index *index = &kit->index[domain];
    uint32_t items_n = kit->build.head.items_n, n = 0;

    for (uint32_t i = 0; i < items_n; i++) {
        uint32_t holders = 0;

        index->posting_at[i] = n;
        for (uint32_t s = index->n; s-- > 0;) {
            if (kit_holds(index, s, i) && holders++ < postings) {
                index->posting[n++] = s;
            }
        }
        index->holders[i] = holders;
    }
    index->posting_at[items_n] = n;
    index->holders[items_n] = index->n;
    kit->build.index[domain] = (struct model_build_index){
        .sequences_n = index->n, .at = index->at, .item = index->item, .step = index->step, .end_ms = index->end_ms,
        .owner = index->owner, .posting_at = index->posting_at, .posting = index->posting, .holders = index->holders};
    kit->build.seen = kit->seen;
    kit->build.domain[domain] = (struct model_domain_settings){
        .is_learnt = 1, .postings = postings, .neighbours = 10, .vmis_neighbours = 10, .w_steps = 2, .position_steps = 1,
        .age_days = 2, .neighbour_steps = 2, .session_steps = 4, .idf = 2,
        .uses = MODEL_USES_W | MODEL_USES_VSTAN | MODEL_USES_VMIS | MODEL_USES_PAIRS};
}

/* Four sequences in each domain, a day between, of owners 1 to 4, and counts of pairs and rules that are the rows of W.
 * n: 6 items or more. */
static inline void kit_ways(struct kit *kit, unsigned n)
{
    const uint32_t ways[4][3] = {{0, 1, 2}, {1, 3, 1}, {0, 2, 3}, {4, 3, 5}};

    kit_blocks(kit, n, 4);
    assert(n >= 6);
    for (unsigned d = 0; d < MODEL_DOMAINS_; d++) {
        for (uint32_t s = 0; s < 4; s++) {
            kit_sequence(kit, (enum model_domain)d, ways[s], NULL, 3, (int64_t)s * 86400000, s + 1);
        }
        kit_index(kit, (enum model_domain)d, 10);
    }
    for (int kind = MODEL_W_PAIR_SESSION; kind <= MODEL_W_RULE_HISTORY; kind++) {
        kit->build.w[kind] = kit->build.w[MODEL_W_TOGETHER];
    }
}
