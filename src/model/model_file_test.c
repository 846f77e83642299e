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
    for (int lie = 0; lie < 9; lie++) {
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
        default: kit.text_at[3] = 0; break;
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
