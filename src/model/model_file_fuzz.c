/* SPDX-License-Identifier: Apache-2.0 */
/* A small good model with any bytes changed: the input is a list of changes { offset u16, byte u8 }. The header's and the
 * sections' hashes would keep a fuzzer out, so they are mended after: what is left to find is in what the sections say.
 * An input that begins with the magic is taken as a file of its own. */
#include "base/hash.h"
#include "model/model_rank.h"
#include "model/model_copurchase.h"
#include "model/model_file.h"
#include "model/model_kit.h"
#include "model/model_live.h"
#include "model/model_segment.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint64_t number(const uint8_t *from)
{
    uint64_t v;

    memcpy(&v, from, 8);
    return v;
}

static void mend(uint8_t *p, size_t n)
{
    uint32_t sections_n;

    if (n < MODEL_HEADER_BYTES) {
        return;
    }
    memcpy(&sections_n, p + 12, 4);
    memcpy(p + 40, &n, 8);
    if (sections_n > MODEL_SECTIONS_MAX || n < MODEL_HEADER_BYTES + sections_n * MODEL_DIRECTORY_BYTES) {
        return;
    }
    for (size_t i = 0; i < sections_n; i++) {
        uint8_t *entry = p + MODEL_HEADER_BYTES + i * MODEL_DIRECTORY_BYTES;
        uint64_t at = number(entry + 8), bytes = number(entry + 16);

        if (at <= n && bytes <= n - at) {
            hash_256(NULL, (struct bytes){(const char *)p + at, (size_t)bytes}, entry + 32);
        }
    }
    memset(p + 64, 0, 32);
    hash_256(NULL, (struct bytes){(const char *)p, MODEL_HEADER_BYTES + sections_n * MODEL_DIRECTORY_BYTES}, p + 64);
}

static uint8_t *copy_of(const void *from, size_t n)
{
    uint8_t *copy = aligned_alloc(64, (n + 64) / 64 * 64);

    assert(copy != NULL);
    memcpy(copy, from, n);
    return copy;
}

/* The planted model with the input's changes. */
static uint8_t *changed(const uint8_t *data, size_t n, struct arena *arena, size_t *out_n)
{
    static struct kit kit;
    struct bytes file;
    uint8_t *copy;

    kit_ways(&kit, 9);
    kit_trees(&kit);
    assert(model_build(&kit.build, arena, &file) == ERR_OK);
    copy = copy_of(file.p, file.n);
    for (size_t i = 0; i + 3 <= n; i += 3) {
        copy[(size_t)(data[i] << 8 | data[i + 1]) % file.n] = data[i + 2];
    }
    *out_n = file.n;
    return copy;
}

/* Trees that were let in are walked: within bounds, to numbers, and all ways to the same bits. */
static void walk(const struct model *model)
{
    static float value[19 * FEATURES];
    float margin[2][19], by_feature[FEATURES], rest;

    for (size_t i = 0; i < sizeof(value) / sizeof(*value); i++) {
        value[i] = i % 7 == 0 ? NAN : i % 11 == 0 ? INFINITY : (float)(i % 13) / 6 - 1;
    }
    for (unsigned head = 0; head < MODEL_HEADS_; head++) {
        const struct model_rank *rank = model_rank(model, (enum model_head_kind)head);
        size_t trees_n;
        const struct model_tree *trees = model_trees(model, (enum model_head_kind)head, &trees_n);

        model_rank_sum(rank, value, 19, margin[0]);
        model_trees_walk_scalar(trees, trees_n, rank->start, value, 19, margin[0]);
        model_trees_walk(trees, trees_n, rank->start, value, 19, margin[1]);
        assert(memcmp(margin[0], margin[1], sizeof(margin[0])) == 0);
        for (size_t i = 0; i < 19; i++) {
            assert(isfinite(margin[0][i]));
        }
        model_trees_explain(trees, trees_n, rank->start, value, by_feature, &rest);
        assert(isfinite(rest));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct part life;
    const struct model *model;
    struct arena arena;
    struct why why;
    uint8_t *copy;

    hash_start();
    arena_open(&arena, 1 << 16, 1 << 22);
    copy = n >= 8 && memcmp(data, "FALUNMDL", 8) == 0 ? copy_of(data, n) : changed(data, n, &arena, &n);
    mend(copy, n);
    if (model_file_open((struct bytes){(const char *)copy, n}, &arena, &model, &why) == ERR_OK) {
        size_t row_n;

        walk(model);
        for (uint32_t i = 0; i < model_items_n(model); i++) {
            (void)model_w_row(model, MODEL_W_TOGETHER, i, &row_n);
            (void)model_item_text(model, i);
            (void)model_seen(model, i);
        }
        for (unsigned d = 0; model_items_n(model) > 0 && d < MODEL_DOMAINS_; d++) {
            struct model_view view = model_view_of(model, NULL);
            const struct model_step steps[2] = {{0, 0}, {model_items_n(model) - 1, 1}};
            struct tally vstan, vmis;

            (void)!model_session_score(&view, (enum model_domain)d, model_domain(model, (enum model_domain)d), steps, 2, 0,
                                       &arena, &vstan, &vmis);
        }
        for (unsigned kind = 0; kind < MODEL_SEGMENTS_; kind++) {
            (void)model_segment_list(model, (enum model_segment_kind)kind, 1, &life, &row_n);
        }
    }
    arena_close(&arena);
    free(copy);
    return 0;
}
