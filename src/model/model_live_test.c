/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_live.h"

#include "base/test.h"
#include "base/time.h"
#include "model/model_kit.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { ITEMS = 12, WAYS = 40, OWNERS = 7 };

static const struct model_live_room room = {
    .sequences = 200, .steps = 2000, .items = 20, .texts = 200, .rows = 8, .weights = 64};

struct way {
    struct model_step step[8];
    size_t n;
    int64_t end_ms;
    uint64_t owner;
    bool is_gone;
};

static void plant(struct rng *rng, struct way *ways)
{
    int64_t end_ms = 0;

    for (uint32_t w = 0; w < WAYS; w++) {
        uint32_t step = 0;

        end_ms += rng_coin(rng) ? 0 : (int64_t)rng_below(rng, (uint64_t)DAY_MS);
        ways[w] = (struct way){.n = 1 + (size_t)rng_below(rng, 8), .end_ms = end_ms, .owner = 1 + rng_below(rng, OWNERS)};
        for (size_t x = 0; x < ways[w].n; x++) {
            ways[w].step[x] = (struct model_step){(uint32_t)rng_below(rng, ITEMS), step};
            step += rng_below(rng, 4) > 0 ? 1 : 0;
        }
    }
}

/* A model of those of the first n ways that are not gone. */
static const struct model *model_of(const struct way *ways, uint32_t n, struct arena *arena)
{
    static struct kit kit;
    const struct model *model;
    struct bytes file;
    struct why why;

    hash_start();
    kit_blocks(&kit, ITEMS, 4);
    for (uint32_t w = 0; w < n; w++) {
        uint32_t item[8];
        uint8_t step[8];

        for (size_t x = 0; x < ways[w].n; x++) {
            item[x] = ways[w].step[x].item;
            step[x] = (uint8_t)ways[w].step[x].step;
        }
        if (!ways[w].is_gone) {
            kit_sequence(&kit, MODEL_SESSION, item, step, (uint32_t)ways[w].n, ways[w].end_ms, ways[w].owner);
        }
    }
    if (kit.index[MODEL_SESSION].n > 0) {
        kit_index(&kit, MODEL_SESSION, WAYS);
    }
    CHECK_OK(model_build(&kit.build, arena, &file));
    CHECK_OK(model_file_open(file, arena, &model, &why));
    return model;
}

static struct model_live *open_live(const struct model *base, struct arena *arena)
{
    char *p = arena_take(arena, model_live_bytes(base, &room) + 64);

    return model_live_open(base, &room, p + (64 - (uintptr_t)p % 64) % 64);
}

/* Appends the ways from `from` on, some of them first as they were half way. */
static void append(struct model_live *live, const struct way *ways, uint32_t from, struct rng *rng)
{
    for (uint32_t w = from; w < WAYS; w++) {
        const struct way *way = &ways[w];
        uint32_t open = UINT32_MAX;

        if (way->n > 1 && rng_coin(rng)) {
            open = model_live_append(live, MODEL_SESSION, way->step, way->n / 2, way->end_ms - 1, way->owner, UINT32_MAX);
            CHECK(open != UINT32_MAX);
        }
        CHECK(model_live_append(live, MODEL_SESSION, way->step, way->n, way->end_ms, way->owner, open) != UINT32_MAX);
    }
}

static struct model_domain_settings some_settings(struct rng *rng)
{
    return (struct model_domain_settings){.is_learnt = 1, .postings = 1 + (uint32_t)rng_below(rng, 30),
                                          .neighbours = 1 + (uint32_t)rng_below(rng, 20),
                                          .vmis_neighbours = 1 + (uint32_t)rng_below(rng, 20), .position_steps = 1,
                                          .age_days = (float)rng_below(rng, 3), .neighbour_steps = 2, .session_steps = 3,
                                          .idf = (float)rng_below(rng, 5)};
}

/* Both views give the same bits for some sequences. */
static void check_same(struct rng *rng, const struct model_view *a, const struct model_view *b, int64_t now_ms,
                       struct arena *arena)
{
    for (int turn = 0; turn < 4; turn++) {
        struct model_domain_settings settings = some_settings(rng);
        struct model_step steps[20];
        size_t n = 1 + (size_t)rng_below(rng, 20);
        struct tally of_a[2], of_b[2];

        for (size_t x = 0; x < n; x++) {
            steps[x] = (struct model_step){(uint32_t)rng_below(rng, ITEMS), (uint32_t)x};
        }
        CHECK_OK(model_session_score(a, MODEL_SESSION, &settings, steps, n, now_ms, arena, &of_a[0], &of_a[1]));
        CHECK_OK(model_session_score(b, MODEL_SESSION, &settings, steps, n, now_ms, arena, &of_b[0], &of_b[1]));
        for (int v = 0; v < 2; v++) {
            CHECK_INT(of_a[v].n, of_b[v].n);
            for (uint32_t i = 0; i < ITEMS; i++) {
                CHECK(tally_get(&of_a[v], i) == tally_get(&of_b[v], i));
            }
        }
    }
}

PROPERTY(model_live_and_file_share_sequences_out_as_they_like)
{
    struct way ways[WAYS];
    struct arena arena;
    const struct model *whole, *base;
    struct model_live *live;
    uint32_t from = (uint32_t)rng_below(rng, WAYS + 1);

    arena_open(&arena, 1 << 20, 1 << 26);
    plant(rng, ways);
    whole = model_of(ways, WAYS, &arena);
    base = model_of(ways, from, &arena);
    live = open_live(base, &arena);
    append(live, ways, from, rng);
    check_same(rng, &(struct model_view){.base = whole}, &(struct model_view){.base = base, .live = live,
               .sequences_end = {model_live_sequences_n(live, MODEL_SESSION)}}, ways[WAYS - 1].end_ms, &arena);
    arena_close(&arena);
}

/* P6: whoever leaves is gone from file and live side at once, as if they had never come; renewing keeps it so. */
PROPERTY(model_live_without_an_owner_is_as_if_they_never_came)
{
    struct way ways[WAYS];
    struct arena arena;
    const struct model *whole, *base;
    struct model_live *live, *renewed;
    struct model_view view;
    uint32_t from = (uint32_t)rng_below(rng, WAYS + 1), shift[MODEL_DOMAINS_];
    size_t gone = 0;

    arena_open(&arena, 1 << 20, 1 << 26);
    plant(rng, ways);
    base = model_of(ways, from, &arena);
    live = open_live(base, &arena);
    append(live, ways, from, rng);
    for (uint32_t w = 0; w < WAYS; w++) {
        ways[w].is_gone = ways[w].owner == 3;
        gone += ways[w].is_gone;
    }
    whole = model_of(ways, WAYS, &arena);
    view = model_view_of(base, live); /* pinned before: sees the emptiness, too */
    CHECK_INT(rng_coin(rng) ? model_live_erase(live, 3) : model_live_erase_all(live, (const uint64_t[]){3, 1000, UINT64_MAX}, 3),
              gone);
    CHECK_INT(model_live_erase_all(live, (const uint64_t[]){1000, UINT64_MAX}, 2), 0);
    CHECK_INT(model_live_erase(live, 3), 0);
    check_same(rng, &(struct model_view){.base = whole}, &view, ways[WAYS - 1].end_ms, &arena);
    renewed = open_live(base, &arena);
    CHECK(model_live_renew(live, UINT32_MAX, renewed, shift));
    CHECK_INT(shift[MODEL_SESSION], 0);
    view = model_view_of(base, renewed);
    check_same(rng, &(struct model_view){.base = whole}, &view, ways[WAYS - 1].end_ms, &arena);
    arena_close(&arena);
}

/* A sequence of the file that goes on is one sequence. */
TEST(model_live_goes_on_where_the_file_ends)
{
    struct way ways[WAYS];
    struct rng rng = {3};
    struct arena arena;
    const struct model *whole, *base;
    struct model_live *live;
    struct model_view view, of_whole;

    arena_open(&arena, 1 << 20, 1 << 26);
    plant(&rng, ways);
    ways[WAYS - 1] = ways[4];
    ways[WAYS - 1].end_ms = ways[WAYS - 2].end_ms;
    base = model_of(ways, WAYS - 1, &arena);
    live = open_live(base, &arena);
    CHECK(model_live_append(live, MODEL_SESSION, ways[4].step, ways[4].n, ways[WAYS - 1].end_ms, ways[4].owner, UINT32_MAX) == 0);
    model_live_empty_base(live, MODEL_SESSION, 4);
    model_live_empty_base(live, MODEL_SESSION, 4); /* twice is once */
    ways[4].is_gone = true;
    whole = model_of(ways, WAYS, &arena);
    view = model_view_of(base, live);
    of_whole = model_view_of(whole, NULL);
    check_same(&rng, &of_whole, &view, ways[WAYS - 1].end_ms, &arena);
    arena_close(&arena);
}

TEST(model_live_view_is_pinned)
{
    struct way ways[WAYS];
    struct rng rng = {1};
    struct arena arena;
    const struct model *base;
    struct model_live *live;
    struct model_view before, after;
    struct model_step step = {0, 0};
    uint32_t out[4];

    arena_open(&arena, 1 << 20, 1 << 26);
    plant(&rng, ways);
    base = model_of(ways, 0, &arena);
    live = open_live(base, &arena);
    (void)model_live_append(live, MODEL_SESSION, &step, 1, 5, 0, UINT32_MAX);
    before = model_view_of(base, live);
    step.item = model_live_item(live, kit_item(77), BYTES_LIT("i77"));
    CHECK_INT(step.item, ITEMS);
    (void)model_live_append(live, MODEL_SESSION, (struct model_step[]){{0, 0}, step}, 2, 6, 0, UINT32_MAX);
    after = model_view_of(base, live);
    CHECK_INT(model_live_postings(&before, MODEL_SESSION, 0, 4, out), 1);
    CHECK_INT(model_view_find(&before, kit_item(77)), MODEL_NONE);
    CHECK_INT(model_view_items_n(&before), ITEMS);
    CHECK_INT(model_live_postings(&after, MODEL_SESSION, 0, 4, out), 2);
    CHECK(out[0] == 1 && out[1] == 0);
    CHECK_INT(model_live_postings(&after, MODEL_SESSION, 0, 1, out), 1);
    CHECK_INT(model_view_find(&after, kit_item(77)), ITEMS);
    CHECK_INT(model_view_of(model_of(ways, 3, &arena), live).sequences_end[MODEL_SESSION], 0); /* of another base */
    arena_close(&arena);
}

TEST(model_live_items_and_rows)
{
    struct way ways[WAYS];
    struct rng rng = {1};
    struct arena arena;
    const struct model *base;
    struct model_live *live, *renewed;
    struct model_view view;
    const struct model_weight row[] = {{3, 0.5f}, {12, 0.25f}};
    struct model_step steps[3] = {{ITEMS, 0}, {0, 1}, {ITEMS, 2}};
    uint32_t shift[MODEL_DOMAINS_], open;
    size_t n;

    arena_open(&arena, 1 << 20, 1 << 26);
    plant(&rng, ways);
    base = model_of(ways, 10, &arena);
    live = open_live(base, &arena);
    CHECK_INT(model_live_item(live, kit_item(5), BYTES_LIT("i5")), 5); /* the base knows it */
    CHECK_INT(model_live_item(live, kit_item(100), BYTES_LIT("i100")), ITEMS);
    CHECK_INT(model_live_item(live, kit_item(101), BYTES_LIT("i101")), ITEMS + 1);
    CHECK_INT(model_live_item(live, kit_item(100), BYTES_LIT("i100")), ITEMS);
    CHECK(model_live_row(live, MODEL_W_SESSION, ITEMS, row, 2));
    CHECK(model_live_row(live, MODEL_W_TOGETHER, 5, row, 1));
    open = model_live_append(live, MODEL_SESSION, steps, 2, 5, 0, UINT32_MAX);
    (void)model_live_append(live, MODEL_SESSION, steps, 3, 6, 0, open); /* one step more was seen, not three */
    for (int turn = 0; turn < 2; turn++) {
        view = model_view_of(base, live);
        CHECK_INT(model_view_id(&view, ITEMS).v, kit_item(100).v);
        CHECK_TEXT(model_view_text(&view, ITEMS + 1), "i101");
        CHECK_TEXT(model_view_text(&view, 4), "i4");
        CHECK_INT(model_view_row(&view, MODEL_W_SESSION, ITEMS, &n)[1].item, 12);
        CHECK_INT(n, 2);
        CHECK_INT(model_view_row(&view, MODEL_W_TOGETHER, 5, &n)->item, 3);
        CHECK_INT(n, 1);
        CHECK_INT(model_view_row(&view, MODEL_W_TOGETHER, 4, &n)->item, 5); /* the base's */
        (void)model_view_row(&view, MODEL_W_TOGETHER, ITEMS + 1, &n);
        CHECK_INT(n, 0);
        CHECK_NEAR((double)model_view_seen(&view, ITEMS).all[MODEL_SESSION], 2);
        CHECK_NEAR((double)model_view_seen(&view, ITEMS + 1).all[MODEL_SESSION], 0);
        CHECK_NEAR((double)model_view_item(&view, ITEMS).all_n, 0); /* bought is another matter */
        CHECK_WITHIN((double)model_view_item(&view, ITEMS).log_repeat, -2, 1e-5); /* the shop's mean: kit_blocks */
        CHECK_INT(model_view_holders(&view, MODEL_SESSION, ITEMS), 1);
        CHECK_INT(model_view_holders(&view, MODEL_SESSION, MODEL_NONE), 11);
        renewed = open_live(base, &arena);
        CHECK(model_live_renew(live, 1, renewed, shift));
        CHECK_INT(shift[MODEL_SESSION], turn == 0 ? 1 : 0);
        live = renewed;
    }
    arena_close(&arena);
}

TEST(model_live_full_room_takes_no_more)
{
    const struct model_live_room small = {.sequences = 3, .steps = 5, .items = 1, .texts = 3};
    struct way ways[WAYS];
    struct rng rng = {1};
    struct arena arena;
    const struct model *base;
    struct model_live *live;
    const struct model_step steps[3] = {{0, 0}, {1, 1}, {2, 2}};
    char *p;

    arena_open(&arena, 1 << 20, 1 << 26);
    plant(&rng, ways);
    base = model_of(ways, 10, &arena);
    p = arena_take(&arena, model_live_bytes(base, &small) + 64);
    live = model_live_open(base, &small, p + (64 - (uintptr_t)p % 64) % 64);
    CHECK_INT(model_live_item(live, kit_item(100), BYTES_LIT("i100")), MODEL_NONE); /* text too long */
    CHECK_INT(model_live_item(live, kit_item(77), BYTES_LIT("i77")), ITEMS);
    CHECK_INT(model_live_item(live, kit_item(78), BYTES_LIT("")), MODEL_NONE);
    CHECK(!model_live_row(live, MODEL_W_SESSION, 0, NULL, 0));
    CHECK_INT(model_live_append(live, MODEL_SESSION, steps, 0, 1, 0, UINT32_MAX), UINT32_MAX);
    CHECK_INT(model_live_append(live, MODEL_SESSION, steps, 3, 1, 0, UINT32_MAX), 0);
    CHECK_INT(model_live_append(live, MODEL_SESSION, steps, 3, 1, 0, 0), UINT32_MAX); /* steps */
    CHECK_INT(model_live_sequence(live, MODEL_SESSION, 0).n, 3);                      /* nothing was changed */
    CHECK_INT(model_live_append(live, MODEL_SESSION, steps, 1, 1, 0, UINT32_MAX), 1);
    CHECK_INT(model_live_append(live, MODEL_SESSION, steps, 1, 1, 0, UINT32_MAX), 2);
    CHECK_INT(model_live_append(live, MODEL_SESSION, steps, 0, 1, 0, UINT32_MAX), UINT32_MAX); /* sequences */
    arena_close(&arena);
}

/* A request that a learner overtakes: what it pinned has no name for an item of a newer row. */
TEST(model_live_row_newer_than_the_view_is_not_seen)
{
    struct way ways[WAYS];
    struct rng rng = {1};
    struct arena arena;
    const struct model *base;
    struct model_live *live;
    struct model_view before, after;
    const struct model_weight row[] = {{ITEMS, 0.5f}};
    size_t n;

    arena_open(&arena, 1 << 20, 1 << 26);
    plant(&rng, ways);
    base = model_of(ways, 10, &arena);
    live = open_live(base, &arena);
    before = model_view_of(base, live);
    CHECK_INT(model_live_item(live, kit_item(100), BYTES_LIT("i100")), ITEMS);
    CHECK(model_live_row(live, MODEL_W_SESSION, 5, row, 1));
    after = model_view_of(base, live);
    (void)model_view_row(&before, MODEL_W_SESSION, 5, &n);
    CHECK_INT(n, 0);
    CHECK_INT(model_view_row(&after, MODEL_W_SESSION, 5, &n)[0].item, ITEMS);
    CHECK_INT(n, 1);
    arena_close(&arena);
}

/* Rows renewed day after day fill their room: a renewal gives back what later ones took the place of. */
TEST(model_live_rows_go_on_after_a_renewal)
{
    struct way ways[WAYS];
    struct rng rng = {1};
    struct arena arena;
    const struct model *base;
    struct model_live *live, *renewed;
    struct model_view view;
    const struct model_weight row[] = {{3, 0.5f}, {1, 0.25f}};
    uint32_t shift[MODEL_DOMAINS_];
    size_t n;

    arena_open(&arena, 1 << 20, 1 << 26);
    plant(&rng, ways);
    base = model_of(ways, 10, &arena);
    live = open_live(base, &arena);
    for (uint32_t i = 0; i < room.rows; i++) {
        CHECK(!model_live_rows_are_stale(live));
        CHECK(model_live_row(live, MODEL_W_SESSION, i, row, 1));
    }
    CHECK(!model_live_rows_are_stale(live)); /* full, but of rows that are read */
    live = open_live(base, &arena);
    for (uint32_t i = 0; i < room.rows; i++) {
        CHECK(model_live_row(live, MODEL_W_SESSION, 5, row, 1 + i % 2));
    }
    CHECK(!model_live_row(live, MODEL_W_SESSION, 5, row, 1));
    CHECK(model_live_rows_are_stale(live));
    renewed = open_live(base, &arena);
    CHECK(model_live_renew(live, 10, renewed, shift));
    CHECK(!model_live_rows_are_stale(renewed));
    view = model_view_of(base, renewed);
    (void)model_view_row(&view, MODEL_W_SESSION, 5, &n);
    CHECK_INT(n, 2);
    CHECK(model_live_row(renewed, MODEL_W_SESSION, 6, row, 1));
    arena_close(&arena);
}

/* ---- one writer, many readers: run under ThreadSanitizer, too ---- */

struct reading {
    const struct model *base;
    const struct model_live *live;
    _Atomic bool *stop;
    uint64_t seed;
    _Atomic size_t turns;
};

static void *read_on(void *arg)
{
    struct reading *reading = arg;
    struct rng rng = {reading->seed};
    struct arena arena;

    arena_open(&arena, 1 << 20, 1 << 26);
    while (!atomic_load(reading->stop)) {
        struct model_view view = model_view_of(reading->base, reading->live);
        struct model_domain_settings settings = some_settings(&rng);
        uint32_t items_n = model_view_items_n(&view), item;
        struct model_step steps[6];
        struct tally vstan, vmis;
        size_t n;

        arena_reset(&arena);
        for (uint32_t x = 0; x < 6; x++) {
            item = (uint32_t)rng_below(&rng, items_n);
            steps[x] = (struct model_step){item, x};
            assert(model_view_find(&view, model_view_id(&view, item)) == item);
            assert(model_view_text(&view, item).n > 0);
            (void)model_view_item(&view, item);
            (void)model_view_seen(&view, item);
            (void)model_view_row(&view, MODEL_W_SESSION, item, &n);
        }
        assert(model_session_score(&view, MODEL_SESSION, &settings, steps, 6, 40 * DAY_MS, &arena, &vstan, &vmis) == ERR_OK);
        for (size_t s = 0; vstan.n > 0 && s <= vstan.mask; s++) {
            assert(vstan.slot[s].key <= items_n && isfinite(vstan.slot[s].sum));
        }
        atomic_fetch_add(&reading->turns, 1);
    }
    arena_close(&arena);
    return NULL;
}

TEST(model_live_is_read_while_it_is_written)
{
    const struct model_live_room wide = {.sequences = 20000, .steps = 100000, .items = 2000, .texts = 20000, .rows = 500,
                                         .weights = 2000};
    struct way ways[WAYS];
    struct rng rng = {1};
    struct arena arena;
    struct reading reading[3];
    pthread_t threads[3];
    _Atomic bool stop = false;
    const struct model *base;
    struct model_live *live;
    char *p;

    arena_open(&arena, 1 << 22, 1 << 26);
    plant(&rng, ways);
    base = model_of(ways, 20, &arena);
    p = arena_take(&arena, model_live_bytes(base, &wide) + 64);
    live = model_live_open(base, &wide, p + (64 - (uintptr_t)p % 64) % 64);
    for (size_t t = 0; t < 3; t++) {
        reading[t] = (struct reading){.base = base, .live = live, .stop = &stop, .seed = t + 1};
        CHECK_INT(pthread_create(&threads[t], NULL, read_on, &reading[t]), 0);
    }
    for (uint32_t k = 0, last = UINT32_MAX; k < 15000; k++) {
        uint32_t items_n = ITEMS + model_live_items_n(live);
        struct model_step steps[5];

        for (uint32_t x = 0; x < 5; x++) {
            steps[x] = (struct model_step){(uint32_t)rng_below(&rng, items_n), x};
        }
        last = model_live_append(live, MODEL_SESSION, steps, 1 + rng_below(&rng, 5), (int64_t)k, 1 + k % 50,
                                 rng_coin(&rng) ? last : UINT32_MAX);
        if (k % 16 == 0) {
            (void)model_live_item(live, kit_item(1000 + k), BYTES_LIT("new"));
            (void)model_live_row(live, MODEL_W_SESSION, steps[0].item, (struct model_weight[]){{0, 1}}, 1);
        }
        for (size_t t = 0; k % 100 == 0 && t < 3; t++) { /* neither side runs ahead */
            while (atomic_load(&reading[t].turns) < k / 100) {
                (void)sched_yield();
            }
        }
        if (k % 1000 == 0) {
            (void)model_live_erase(live, 1 + rng_below(&rng, 50));
        }
    }
    atomic_store(&stop, true);
    for (size_t t = 0; t < 3; t++) {
        CHECK_INT(pthread_join(threads[t], NULL), 0);
    }
    arena_close(&arena);
}
