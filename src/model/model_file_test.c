/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_file.h"

#include "base/test.h"
#include "model/model_kit.h"

static struct kit kit;

static struct bytes file_of(unsigned n, struct arena *arena)
{
    struct bytes file;

    hash_start();
    arena_open(arena, 1 << 16, 1 << 22);
    kit_blocks(&kit, n, 4);
    kit_trees(&kit);
    CHECK_OK(model_build(&kit.build, arena, &file));
    return file;
}

TEST(model_file_opens_as_it_was_built)
{
    const struct model *model;
    struct arena arena;
    struct why why;
    struct bytes file = file_of(12, &arena);
    size_t n;
    float sum;

    CHECK_OK(model_file_open(file, &arena, &model, &why));
    CHECK_INT(model_items_n(model), 12);
    CHECK_INT(model_tenant(model).v, KIT_TENANT);
    for (unsigned i = 0; i < 12; i++) {
        CHECK_INT(model_item_find(model, kit_item(i)), i);
    }
    CHECK_INT(model_item_find(model, kit_item(99)), MODEL_NONE);
    CHECK_TEXT(model_item_text(model, 11), "i11");
    CHECK_INT(model_w_row(model, MODEL_W_TOGETHER, 5, &n)->item, 4);
    CHECK_INT(n, 3);
    CHECK_INT(model_popular_store(model, hash_store((struct tenant_id){KIT_TENANT}, BYTES_LIT("s1")), &n, &sum)->item, 11);
    (void)model_popular_store(model, (struct store_id){1}, &n, &sum);
    CHECK_INT(n, 0);
    CHECK_INT(model_hash(model).n, 64);
    CHECK_SAME_BYTES(model_trees(model, MODEL_HEAD_HISTORY, &n), kit.tree, sizeof(kit.tree));
    CHECK_INT(n, KIT_TREES);
    CHECK(model_trees(model, MODEL_HEAD_SESSION, &n) == NULL);
    CHECK_INT(n, 0);
    arena_close(&arena);
}

TEST(model_file_of_no_items_opens)
{
    const struct model *model;
    struct arena arena;
    struct why why;
    struct bytes file = file_of(0, &arena);

    CHECK_OK(model_file_open(file, &arena, &model, &why));
    CHECK_INT(model_item_find(model, kit_item(0)), MODEL_NONE);
    arena_close(&arena);
}

TEST(model_file_is_the_same_bytes_twice)
{
    struct arena a, b;
    struct bytes first = file_of(20, &a), second = file_of(20, &b);

    CHECK_INT(first.n, second.n);
    CHECK_SAME_BYTES(first.p, second.p, first.n);
    arena_close(&a);
    arena_close(&b);
}

/* No byte of the file may be changed unseen: every one of a small file is flipped. */
TEST(model_file_with_any_byte_changed_is_refused)
{
    struct arena arena, other;
    struct bytes file = file_of(9, &arena);
    char *p = arena_take(&arena, file.n);

    memcpy(p, file.p, file.n);
    arena_open(&other, 1 << 12, 1 << 16);
    for (size_t i = 0; i < file.n; i++) {
        const struct model *model = NULL;
        struct why why = {{0}};

        p[i] ^= 0x20;
        CHECK(model_file_open((struct bytes){p, file.n}, &other, &model, &why) != ERR_OK);
        CHECK(model == NULL && why.says[0] != 0);
        p[i] ^= 0x20;
        arena_reset(&other);
    }
    arena_close(&other);
    arena_close(&arena);
}

TEST(model_file_cut_short_is_refused)
{
    struct arena arena, other;
    struct bytes file = file_of(9, &arena);

    arena_open(&other, 1 << 12, 1 << 16);
    for (size_t n = 0; n < file.n; n += 7) {
        const struct model *model = NULL;
        struct why why;

        CHECK_INT(model_file_open((struct bytes){file.p, n}, &other, &model, &why), ERR_CORRUPT);
        arena_reset(&other);
    }
    arena_close(&other);
    arena_close(&arena);
}

TEST(model_file_of_another_format_is_refused_with_its_age)
{
    const struct model *model;
    struct arena arena;
    struct why why;
    struct bytes file = file_of(3, &arena);
    char *p = arena_take(&arena, file.n);

    memcpy(p, file.p, file.n);
    p[8] = MODEL_FORMAT + 1;
    CHECK_INT(model_file_open((struct bytes){p, file.n}, &arena, &model, &why), ERR_UNSUPPORTED);
    CHECK(strstr(why.says, "newer") != NULL);
    p[8] = MODEL_FORMAT - 1;
    CHECK_INT(model_file_open((struct bytes){p, file.n}, &arena, &model, &why), ERR_UNSUPPORTED);
    CHECK(strstr(why.says, "older") != NULL);
    arena_close(&arena);
}

/* A well hashed file that lies: each lie is found at the door. */
TEST(model_file_that_contradicts_itself_is_refused)
{
    static struct model_tree many[MODEL_TREES_MAX + 1]; /* all zero: each may stand in a file */

    for (int lie = 0; lie < 19; lie++) {
        const struct model *model;
        struct arena arena;
        struct why why;
        struct bytes file = file_of(9, &arena);

        switch (lie) {
        case 0: kit.row[3].item = 9; break;
        case 1: kit.row[3].weight = NAN; break;
        case 2: kit.w_at[4] = kit.w_at[9] + 1; break;
        case 3: kit.stat[2].gap = INFINITY; break;
        case 4: kit.recent[0] = 1000; break;
        case 5: kit.store_row[0].item = 77; break;
        case 6: kit.build.rank[MODEL_HEAD_HISTORY].weight[3] = NAN; break;
        case 7: kit.build.rank[MODEL_HEAD_HISTORY].rho = 2; break;
        case 8: kit.tree[1].feature[62] = FEATURES; break;
        case 9: kit.tree[1].feature[3] = 0x8000 | FEATURES; break;
        case 10: kit.tree[0].threshold[5] = NAN; break;
        case 11: kit.tree[1].leaf[63] = INFINITY; break;
        case 12: kit.tree[0].leaf[0] = 1e30f; break;
        case 13: kit.tree[0].mean[62] = NAN; break;
        case 14: kit.tree[1].spare = 1; break;
        case 15: kit.build.rank[MODEL_HEAD_HISTORY].start = -1e30f; break;
        case 16:
            kit.build.rank[MODEL_HEAD_HISTORY].trees_n = MODEL_TREES_MAX + 1;
            kit.build.trees[MODEL_HEAD_HISTORY] = many;
            break;
        case 17: kit.build.rank[MODEL_HEAD_SESSION].mean[95] = INFINITY; break;
        default: kit.text_at[3] = 0; break;
        }
        CHECK_OK(model_build(&kit.build, &arena, &file));
        CHECK_INT(model_file_open(file, &arena, &model, &why), ERR_CORRUPT);
        arena_close(&arena);
    }
}

/* Heads that say they have trees and sections that hold others do not go together: the file is written by hand. */
TEST(model_file_with_the_wrong_number_of_trees_is_refused)
{
    struct arena arena;
    struct why why;
    const struct model *model;
    struct bytes file = file_of(9, &arena);

    for (uint32_t trees_n = 0; trees_n < 4; trees_n++) {
        char *p = arena_take(&arena, file.n + 64);
        uint32_t sections_n;

        p += (64 - (uintptr_t)p % 64) % 64;
        memcpy(p, file.p, file.n);
        memcpy(&sections_n, p + 12, 4);
        for (uint32_t s = 0; s < sections_n; s++) {
            uint8_t *entry = (uint8_t *)p + MODEL_HEADER_BYTES + s * MODEL_DIRECTORY_BYTES;
            uint64_t at, bytes;

            memcpy(&at, entry + 8, 8);
            memcpy(&bytes, entry + 16, 8);
            if (entry[0] == MODEL_SECTION_RANK) {
                struct model_rank *rank = (struct model_rank *)(void *)(p + at) + MODEL_HEAD_HISTORY;

                rank->trees_n = trees_n;
                hash_256(NULL, (struct bytes){p + at, (size_t)bytes}, entry + 32);
            }
        }
        memset(p + 64, 0, 32);
        hash_256(NULL, (struct bytes){p, MODEL_HEADER_BYTES + sections_n * MODEL_DIRECTORY_BYTES}, (uint8_t *)p + 64);
        CHECK_INT(model_file_open((struct bytes){p, file.n}, &arena, &model, &why),
                  trees_n == 0 || trees_n == KIT_TREES ? ERR_OK : ERR_CORRUPT);
    }
    arena_close(&arena);
}

TEST(model_file_keeps_sequences_pairs_and_settings)
{
    const struct model *model;
    struct model_sequence_view way;
    const uint32_t *postings;
    struct arena arena;
    struct bytes file;
    struct why why;
    size_t n;

    hash_start();
    arena_open(&arena, 1 << 16, 1 << 22);
    kit_ways(&kit, 9);
    kit.build.trees[MODEL_HEAD_HISTORY] = NULL; /* no trees: a file need not have any */
    CHECK_OK(model_build(&kit.build, &arena, &file));
    CHECK_OK(model_file_open(file, &arena, &model, &why));
    CHECK_INT(model_sequences_n(model, MODEL_HISTORY), 4);
    way = model_sequence(model, MODEL_SESSION, 1);
    CHECK(way.n == 3 && way.item[1] == 3 && way.step[2] == 2 && way.owner == 2 && way.end_ms == 86400000);
    postings = model_postings(model, MODEL_SESSION, 3, &n);
    CHECK(n == 3 && postings[0] == 3 && postings[1] == 2 && postings[2] == 1);
    CHECK_INT(model_domain(model, MODEL_SESSION)->postings, 10);
    CHECK_NEAR((double)model_seen(model, 1)->all[MODEL_SESSION], 3);
    CHECK(model_w_has(model, MODEL_W_RULE_HISTORY) && !model_w_has(model, MODEL_W_BOUGHT));
    (void)model_trees(model, MODEL_HEAD_HISTORY, &n);
    CHECK_INT(n, 0);
    arena_close(&arena);
}

TEST(model_file_with_lying_sequences_is_refused)
{
    for (int lie = 0; lie < 15; lie++) {
        struct kit_index *index = &kit.index[MODEL_HISTORY];
        const struct model *model;
        struct arena arena;
        struct bytes file;
        struct why why;

        hash_start();
        arena_open(&arena, 1 << 16, 1 << 22);
        kit_ways(&kit, 9);
        switch (lie) {
        case 0: index->item[4] = 9; break;
        case 1: index->posting[2] = 4; break;
        case 2: index->posting[1] = index->posting[0]; break;
        case 3: index->end_ms[2] = -1; break;
        case 4: index->at[1] = 7; break;
        case 5: index->at[0] = 1; break;
        case 6: index->holders[3] = 5; break;
        case 7: index->posting_at[3] = 0; break;
        case 8: kit.build.index[MODEL_HISTORY].holders = NULL; break;
        case 9: kit.build.domain[MODEL_SESSION].idf = NAN; break;
        case 10: kit.build.domain[MODEL_SESSION].position_steps = -1; break;
        case 11: kit.build.domain[MODEL_SESSION].postings = UINT32_MAX; break;
        case 12: index->end_ms[0] = INT64_MIN; break;
        case 13: index->end_ms[3] = INT64_MAX; break;
        default: kit.seen[8].recent[1] = INFINITY; break;
        }
        CHECK_OK(model_build(&kit.build, &arena, &file));
        CHECK_INT(model_file_open(file, &arena, &model, &why), ERR_CORRUPT);
        arena_close(&arena);
    }
}

TEST(model_build_refuses_two_items_of_one_id)
{
    struct arena arena;
    struct bytes file = file_of(9, &arena);

    kit.id[4] = kit.id[2];
    CHECK_INT(model_build(&kit.build, &arena, &file), ERR_CONFLICT);
    arena_close(&arena);
}
