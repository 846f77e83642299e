/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/decide.h"

#include "base/test.h"
#include "decide/explain.h"
#include "model/model_kit.h"

#define NOW_MS (400 * DAY_MS)

static struct kit kit;
static struct part life;
static struct arena arena;
static const struct model *model;

static void open_world(unsigned n, unsigned block)
{
    struct bytes file;
    struct why why;

    hash_start();
    memset(&life, 0, sizeof(life));
    arena_open(&arena, 1 << 20, 1 << 26);
    kit_blocks(&kit, n, block);
    CHECK_OK(model_build(&kit.build, &arena, &file));
    CHECK_OK(model_file_open(file, &arena, &model, &why));
}

static void happen(enum event_kind kind, unsigned item, int64_t at_ms)
{
    static unsigned count;
    char id[16];
    struct event_line line = {.item = kit_item(item), .quantity_milli = 1000, .paid_minor = 100};
    struct event event = {.kind = kind, .at_ms = at_ms, .has_time = true, .lines = &line, .lines_n = 1};

    event.mid = hash_mid(BYTES_LIT("t"), (struct bytes){id, (size_t)snprintf(id, sizeof(id), "%u", count++)});
    part_apply(&life, &event);
}

static struct decide_request request;
static struct picture picture;
static struct decide_placement placement;

static const struct decide_row *ask_for(size_t n, enum decide_mode mode)
{
    struct decide_world world = {.view = {.base = model}};
    struct decide_result result;

    picture = picture_of_part((struct tenant_id){KIT_TENANT}, (struct customer_id){1}, &life, NOW_MS);
    placement.name = BYTES_LIT("row");
    placement.n = n;
    request.picture = &picture;
    request.mode = mode;
    request.placements = &placement;
    request.placements_n = 1;
    request.now_ms = NOW_MS;
    CHECK_OK(decide_run(&world, &request, &arena, &result));
    CHECK_INT(result.rows_n, 1);
    CHECK_INT(result.rows[0].found_n, result.rows[0].kept_n + result.rows[0].dropped_n);
    for (size_t i = 0; i < result.rows[0].items_n; i++) {
        double sum = 0;

        CHECK(isfinite(result.rows[0].items[i].score));
        CHECK(result.rows[0].items[i].reason != REASON_NONE);
        for (size_t k = 0; k < result.rows[0].items[i].addends_n; k++) {
            sum += (double)result.rows[0].items[i].addends[k].score;
        }
        CHECK_WITHIN(sum, (double)result.rows[0].items[i].score, 1e-3);
        for (size_t k = 0; k < i; k++) {
            CHECK(result.rows[0].items[i].id.v != result.rows[0].items[k].id.v);
        }
    }
    return &result.rows[0];
}

static void close_world(void)
{
    arena_close(&arena);
    memset(&request, 0, sizeof(request));
    memset(&placement, 0, sizeof(placement));
}

static int place_of(const struct decide_row *row, unsigned item)
{
    for (size_t i = 0; i < row->items_n; i++) {
        if (row->items[i].id.v == kit_item(item).v) {
            return (int)i;
        }
    }
    return -1;
}

/* P1. What is bought again and again stands first, with its reason. */
TEST(decide_repeat_finds_what_is_bought_again)
{
    const struct decide_row *row;

    open_world(200, 4);
    for (int k = 0; k < 8; k++) {
        happen(EVENT_PURCHASE, 150, NOW_MS - (8 - k) * 7 * DAY_MS);
    }
    row = ask_for(8, DECIDE_PERSONAL);
    CHECK_INT(place_of(row, 150), 0);
    CHECK_INT(row->items[0].reason, REASON_REPEAT);
    CHECK_INT(row->items[0].because.v, kit_item(150).v);
    CHECK(row->is_personal && row->items[0].is_personal);
    close_world();
}

/* Planted truth: a shop of blocks; whoever bought three of a block is shown the withheld fourth. */
PROPERTY(decide_together_finds_the_withheld_item_of_a_block)
{
    unsigned block = (unsigned)rng_below(rng, 50), out = (unsigned)rng_below(rng, 4);
    const struct decide_row *row;

    open_world(200, 4);
    for (unsigned i = 0; i < 4; i++) {
        if (i != out) {
            happen(EVENT_PURCHASE, 4 * block + i, NOW_MS - 3 * DAY_MS);
        }
    }
    row = ask_for(8, DECIDE_PERSONAL);
    CHECK(place_of(row, 4 * block + out) >= 0);
    close_world();
}

/* P2, P7. A look changes the very next answer: its block comes in, the item itself is not followed. */
TEST(decide_looked_answers_a_look_at_once)
{
    const struct decide_row *row;

    open_world(200, 4);
    happen(EVENT_PURCHASE, 0, NOW_MS - 30 * DAY_MS);
    row = ask_for(8, DECIDE_PERSONAL);
    CHECK_INT(place_of(row, 181), -1);
    happen(EVENT_VIEW, 180, NOW_MS - MINUTE_MS);
    row = ask_for(8, DECIDE_PERSONAL);
    CHECK(place_of(row, 181) >= 0 && place_of(row, 182) >= 0 && place_of(row, 183) >= 0);
    CHECK_INT(place_of(row, 180), -1);
    CHECK_INT(row->items[place_of(row, 181)].reason, REASON_LOOKED);
    CHECK_INT(row->items[place_of(row, 181)].because.v, kit_item(180).v);
    close_world();
}

TEST(decide_for_nobody_is_popular_in_the_store_or_the_shop)
{
    const struct decide_row *row;

    open_world(200, 4);
    row = ask_for(8, DECIDE_ANONYMOUS);
    CHECK_INT(row->items_n, 8);
    for (unsigned i = 0; i < 8; i++) {
        CHECK_INT(place_of(row, i), (int)i);
        CHECK_INT(row->items[i].reason, REASON_POPULAR);
    }
    CHECK(!row->is_personal);
    request.context.store = hash_store((struct tenant_id){KIT_TENANT}, BYTES_LIT("s1"));
    row = ask_for(8, DECIDE_ANONYMOUS);
    CHECK_INT(place_of(row, 199), 0);
    CHECK_INT(row->items[0].reason, REASON_STORE);
    request.context.store = (struct store_id){77}; /* never seen */
    CHECK_INT(place_of(ask_for(8, DECIDE_ANONYMOUS), 0), 0);
    close_world();
}

/* P7. Without consent the picture counts for nothing, even if someone hands it over. */
TEST(decide_anonymous_does_not_look_at_the_picture)
{
    const struct decide_row *row;

    open_world(200, 4);
    for (int k = 0; k < 8; k++) {
        happen(EVENT_PURCHASE, 150, NOW_MS - (8 - k) * 7 * DAY_MS);
    }
    row = ask_for(8, DECIDE_ANONYMOUS);
    CHECK_INT(place_of(row, 150), -1);
    CHECK(!row->is_personal);
    close_world();
}

TEST(decide_row_is_full_while_items_pass)
{
    struct item_id exclude[190];
    const struct decide_row *row;

    open_world(200, 4);
    for (unsigned i = 0; i < 190; i++) {
        exclude[i] = kit_item(i);
    }
    placement.exclude = exclude;
    placement.exclude_n = 190;
    row = ask_for(10, DECIDE_PERSONAL);
    CHECK_INT(row->items_n, 10);
    CHECK_INT(row->fallback, FALLBACK_NONE);
    row = ask_for(20, DECIDE_PERSONAL); /* more than there are */
    CHECK_INT(row->items_n, 10);
    CHECK_INT(row->fallback, FALLBACK_TOO_FEW);
    CHECK_INT(row->dropped_by[DROP_EXCLUDED], 190);
    close_world();
}

TEST(decide_with_everything_filtered_is_empty_and_says_so)
{
    struct item_id exclude[12];
    const struct decide_row *row;

    open_world(12, 4);
    for (unsigned i = 0; i < 12; i++) {
        exclude[i] = kit_item(i);
    }
    placement.exclude = exclude;
    placement.exclude_n = 12;
    request.keep_drops = true;
    row = ask_for(5, DECIDE_PERSONAL);
    CHECK_INT(row->items_n, 0);
    CHECK_INT(row->fallback, FALLBACK_TOO_FEW);
    CHECK_INT(row->dropped_listed_n, 12);
    CHECK_INT(row->dropped[3].why, DROP_EXCLUDED);
    close_world();
}

TEST(decide_with_one_item_and_with_none)
{
    open_world(1, 4);
    happen(EVENT_PURCHASE, 0, NOW_MS - DAY_MS);
    happen(EVENT_PURCHASE, 77, NOW_MS - DAY_MS); /* the model never saw it */
    CHECK_INT(ask_for(5, DECIDE_PERSONAL)->items_n, 1);
    close_world();
    open_world(0, 4);
    happen(EVENT_PURCHASE, 77, NOW_MS - DAY_MS);
    CHECK_INT(ask_for(5, DECIDE_PERSONAL)->items_n, 0);
    close_world();
}

TEST(decide_candidates_are_re_ranked_and_nothing_else_is_shown)
{
    struct item_id candidates[5] = {kit_item(199), kit_item(400), kit_item(3), kit_item(150), kit_item(3)};
    const struct decide_row *row;

    open_world(200, 4);
    for (int k = 0; k < 4; k++) {
        happen(EVENT_PURCHASE, 150, NOW_MS - (8 - k) * 7 * DAY_MS);
    }
    placement.candidates = candidates;
    placement.candidates_n = 5;
    row = ask_for(8, DECIDE_PERSONAL);
    CHECK_INT(row->items_n, 4); /* the twice named stands once */
    CHECK_INT(place_of(row, 150), 0);
    CHECK_INT(place_of(row, 3), 1);
    CHECK_INT(place_of(row, 400), 3); /* unknown to the model: behind the rest */
    close_world();
}

TEST(decide_shows_nothing_twice_over_placements)
{
    struct decide_placement placements[2] = {{.name = BYTES_LIT("a"), .n = 6}, {.name = BYTES_LIT("b"), .n = 6}};
    struct decide_world world;
    struct decide_result result;

    open_world(20, 4);
    (void)ask_for(1, DECIDE_PERSONAL);
    world = (struct decide_world){.view = {.base = model}};
    request.placements = placements;
    request.placements_n = 2;
    request.context.page_item = kit_item(0);
    CHECK_OK(decide_run(&world, &request, &arena, &result));
    for (size_t i = 0; i < 6; i++) {
        CHECK_INT(place_of(&result.rows[1], i == 0 ? 0 : 99), -1);
        for (size_t k = 0; k < 6; k++) {
            CHECK(result.rows[0].items[i].id.v != result.rows[1].items[k].id.v);
        }
    }
    CHECK_INT(place_of(&result.rows[0], 0), -1); /* the page's own item */
    close_world();
}

/* The same inputs give the same bytes; a full memory is an error, not a short answer. */
TEST(decide_is_deterministic_and_knows_its_limit)
{
    struct decide_world world;
    struct decide_result result;
    const struct decide_row *a, *b;
    struct arena small;

    open_world(200, 4);
    for (unsigned k = 0; k < 60; k++) {
        happen(EVENT_PURCHASE, (k * 7) % 200, NOW_MS - (int64_t)(k / 2) * DAY_MS); /* same-time ties too */
    }
    a = ask_for(20, DECIDE_PERSONAL);
    b = ask_for(20, DECIDE_PERSONAL);
    for (size_t i = 0; i < 20; i++) {
        CHECK_INT(a->items[i].id.v, b->items[i].id.v);
        CHECK(a->items[i].score == b->items[i].score);
    }
    world = (struct decide_world){.view = {.base = model}};
    arena_open(&small, 4096, 8192);
    CHECK_INT(decide_run(&world, &request, &small, &result), ERR_NOMEM);
    arena_close(&small);
    close_world();
}

/* Random lives, the future included: scores stay numbers, rows stay full, nothing is shown twice (in ask_for). */
PROPERTY(decide_of_any_life_is_whole)
{
    open_world(50, 4);
    for (size_t k = rng_below(rng, 90); k > 0; k--) {
        static const enum event_kind kinds[] = {EVENT_PURCHASE, EVENT_VIEW, EVENT_ADD, EVENT_REMOVE, EVENT_WISH, EVENT_RETURN};

        happen(kinds[rng_below(rng, 6)], (unsigned)rng_below(rng, 60), NOW_MS + DAY_MS - (int64_t)rng_below(rng, 40 * DAY_MS));
    }
    CHECK_INT(ask_for(10, DECIDE_PERSONAL)->items_n, 10);
    request.variant = VARIANT_POPULAR;
    CHECK_INT(ask_for(10, DECIDE_PERSONAL)->items_n, 10);
    request.variant = VARIANT_SEGMENT;
    CHECK_INT(ask_for(50, DECIDE_PERSONAL)->items_n, 50);
    close_world();
}

/* ---- with a catalogue ---- */

static struct publish *publish;
static struct catalog *catalog;

static void put_item(unsigned i, bool is_available, bool is_hidden, int64_t added_ms)
{
    char text[16];
    struct item item = {.id = kit_item(i), .revision = 1 + i, .title = BYTES_LIT("T"), .price_minor = -1, .added_ms = added_ms,
                        .is_available = is_available, .is_hidden = is_hidden, .json = BYTES_LIT("{}")};

    item.id_text = (struct bytes){text, (size_t)snprintf(text, sizeof(text), "i%u", i)};
    CHECK_OK(catalog_put_item(catalog, &item));
}

static const struct decide_row *ask_with_catalog(size_t n, const struct model *of)
{
    struct decide_world world = {.view = {.base = of}, .catalog = catalog};
    struct decide_result result;

    (void)ask_for(1, DECIDE_PERSONAL);
    placement.n = n;
    CHECK_OK(decide_run(&world, &request, &arena, &result));
    CHECK_INT(result.rows[0].found_n, result.rows[0].kept_n + result.rows[0].dropped_n);
    return &result.rows[0];
}

static void open_catalog(void)
{
    publish = publish_open();
    catalog = catalog_open((struct tenant_id){KIT_TENANT}, publish);
}

static void close_catalog(void)
{
    catalog_close(catalog);
    publish_close(publish);
    close_world();
}

TEST(decide_shows_only_what_the_catalogue_sells)
{
    const struct decide_row *row;

    open_world(12, 4);
    open_catalog();
    for (unsigned i = 0; i < 10; i++) { /* 10 and 11 are not named */
        put_item(i, i != 2, i == 3, 0);
    }
    put_item(300, true, false, NOW_MS); /* new: the model never saw it */
    row = ask_with_catalog(20, model);
    CHECK_INT(row->items_n, 9);
    CHECK_INT(row->fallback, FALLBACK_TOO_FEW);
    CHECK_INT(place_of(row, 2), -1);
    CHECK_INT(place_of(row, 3), -1);
    CHECK_INT(place_of(row, 11), -1);
    CHECK_INT(row->dropped_by[DROP_UNAVAILABLE], 1);
    CHECK_INT(row->dropped_by[DROP_HIDDEN], 1);
    CHECK_INT(row->dropped_by[DROP_UNKNOWN_ITEM], 2);
    CHECK_INT(place_of(row, 300), 8); /* the row is filled with what is new */
    CHECK_INT(row->items[8].reason, REASON_NEW);
    close_catalog();
}

TEST(decide_without_a_model_shows_the_newest)
{
    const struct decide_row *row;

    open_world(12, 4);
    open_catalog();
    CHECK_INT(ask_with_catalog(4, NULL)->fallback, FALLBACK_EMPTY_CATALOGUE);
    for (unsigned i = 0; i < 10; i++) {
        put_item(i, true, i == 9, (int64_t)i * DAY_MS);
    }
    row = ask_with_catalog(4, NULL);
    CHECK_INT(row->fallback, FALLBACK_MODEL_NOT_READY);
    CHECK_INT(row->items_n, 4);
    CHECK_INT(place_of(row, 8), 0); /* 9 is newer and hidden */
    CHECK_INT(place_of(row, 5), 3);
    CHECK(!row->is_personal);
    close_catalog();
}

TEST(decide_explain_is_said_in_five_languages)
{
    hash_start();
    arena_open(&arena, 4096, 1 << 16);
    CHECK_INT(explain_language_of(BYTES_LIT("nn-NO")), EXPLAIN_NB);
    CHECK_INT(explain_language_of(BYTES_LIT("fi")), EXPLAIN_FI);
    CHECK_INT(explain_language_of(BYTES_LIT("fil")), EXPLAIN_EN);
    CHECK_TEXT(explain_text(REASON_LOOKED, EXPLAIN_NB, BYTES_LIT("Ski"), &arena), "Fordi du så på Ski");
    CHECK_TEXT(explain_text(REASON_TOGETHER, EXPLAIN_EN, BYTES_LIT(""), &arena), "Goes well with what you usually choose");
    for (unsigned reason = 1; reason < REASONS_; reason++) {
        for (unsigned language = 0; language < EXPLAIN_LANGUAGES_; language++) {
            CHECK(explain_text((enum decide_reason)reason, (enum explain_language)language, BYTES_LIT(""), &arena).n > 0);
        }
    }
    CHECK(explain_fallback(FALLBACK_NONE) == NULL);
    CHECK_TEXT(bytes_of(explain_fallback(FALLBACK_OVERLOAD)), "overload");
    arena_close(&arena);
}
