/* SPDX-License-Identifier: Apache-2.0 */
/* Planted shops of 200 items: each retriever, head and switch finds what was planted for it, and by hand the values it gives. */
#include "decide/evidence.h"

#include "base/test.h"
#include "decide/decide.h"
#include "decide/score.h"
#include "model/model_kit.h"
#include "model/model_live.h"

#define NOW_MS (400 * DAY_MS)

enum { ITEMS = 200, SEQUENCES = 40, ALL_USES = MODEL_USES_W | MODEL_USES_VSTAN | MODEL_USES_VMIS | MODEL_USES_PAIRS };

/* Rows of one kind: item i leads to i + first with `weight`, and to i + first + 1 with half of it. */
struct planted_rows {
    uint32_t at[ITEMS + 1];
    struct model_weight row[2 * ITEMS];
};

static struct kit kit;
static struct planted_rows rows[MODEL_WS_];
static struct model_seen seen[ITEMS];
static uint32_t index_at[SEQUENCES + 1], index_item[3 * SEQUENCES], posting_at[ITEMS + 1], posting[3 * SEQUENCES], holders[ITEMS + 1];
static uint8_t index_step[3 * SEQUENCES];
static int64_t index_end[SEQUENCES];
static uint64_t index_owner[SEQUENCES];
static struct model_tree trees[2];
static struct part life;
static struct arena arena;
static struct model_view view;

static void plant(enum model_w kind, unsigned first, float weight)
{
    struct planted_rows *to = &rows[kind];

    for (unsigned i = 0; i < ITEMS; i++) {
        to->at[i] = 2 * i;
        to->row[2 * i] = (struct model_weight){(i + first) % ITEMS, weight};
        to->row[2 * i + 1] = (struct model_weight){(i + first + 1) % ITEMS, weight / 2};
    }
    to->at[ITEMS] = 2 * ITEMS;
    kit.build.w[kind].at = to->at;
    kit.build.w[kind].row = to->row;
}

/* Every visit is i, i + 90, i + 91 for i below SEQUENCES: the newest end just now. */
static void plant_sequences(enum model_domain domain)
{
    uint32_t n = 0;

    for (uint32_t s = 0; s < SEQUENCES; s++) {
        index_at[s] = 3 * s;
        for (uint32_t x = 0; x < 3; x++) {
            index_item[3 * s + x] = x == 0 ? s : s + 89 + x;
            index_step[3 * s + x] = (uint8_t)x;
        }
        index_end[s] = NOW_MS - (int64_t)(SEQUENCES - s) * HOUR_MS;
    }
    index_at[SEQUENCES] = 3 * SEQUENCES;
    for (uint32_t i = 0; i < ITEMS; i++) {
        posting_at[i] = n;
        for (uint32_t s = SEQUENCES; s-- > 0;) {
            for (uint32_t x = 0; x < 3; x++) {
                if (index_item[3 * s + x] == i) {
                    posting[n++] = s;
                }
            }
        }
    }
    posting_at[ITEMS] = n;
    for (uint32_t i = 0; i < ITEMS; i++) {
        holders[i] = posting_at[i + 1] - posting_at[i];
    }
    holders[ITEMS] = SEQUENCES;
    kit.build.index[domain] = (struct model_build_index){SEQUENCES, index_at, index_item, index_step, index_end, index_owner,
                                                         posting_at, posting, holders};
}

static void begin(void)
{
    hash_start();
    memset(&life, 0, sizeof(life));
    memset(&view, 0, sizeof(view));
    arena_open(&arena, 1 << 20, 1 << 28);
    kit_blocks(&kit, ITEMS, 4);
    for (unsigned i = 0; i < ITEMS; i++) {
        seen[i] = (struct model_seen){{10.0f + (float)i, 5}, {2, 1}};
    }
    kit.build.seen = seen;
    for (unsigned d = 0; d < MODEL_DOMAINS_; d++) {
        kit.build.domain[d] = (struct model_domain_settings){
            .is_learnt = 1, .postings = 100, .neighbours = 20, .vmis_neighbours = 20, .w_steps = 1, .position_steps = 5,
            .age_days = 40, .neighbour_steps = 5, .session_steps = 2, .idf = 1, .uses = ALL_USES};
    }
    kit.build.rank[MODEL_HEAD_SESSION] = (struct model_rank){
        .is_learnt = 1, .rho = 1, .rho_source = 1,
        .weight = {[FEATURE_SESSION_FIRST + FEATURE_W_SHARE] = 2, [FEATURE_SESSION_FIRST + FEATURE_VSTAN_SHARE] = 3,
                   [FEATURE_SESSION_FIRST + FEATURE_RULE_SHARE] = 1, [FEATURE_CONTENT] = 1, [FEATURE_BOUGHT_AFTER] = 1}};
}

static void open_view(void)
{
    struct bytes file;
    struct why why;

    CHECK_OK(model_build(&kit.build, &arena, &file));
    CHECK_OK(model_file_open(file, &arena, &view.base, &why));
}

static void happen(enum event_kind kind, unsigned item, int64_t at_ms)
{
    static unsigned count;
    char id[16];
    struct event_line line = {.item = kit_item(item), .quantity_milli = 1000, .paid_minor = 100};
    struct event event = {.kind = kind, .at_ms = at_ms, .has_time = true, .lines = &line, .lines_n = 1};

    event.mid = hash_mid(BYTES_LIT("e"), (struct bytes){id, (size_t)snprintf(id, sizeof(id), "%u", count++)});
    part_apply(&life, &event);
}

static struct evidence evidence;
static uint32_t items[EVIDENCE_CANDIDATES_MAX];
static size_t items_n;

static void gather_as(enum model_head_kind head)
{
    CHECK_OK(evidence_gather(&view, &life, (struct store_id){0}, NOW_MS, head, &arena, &evidence));
    CHECK_OK(evidence_candidates(&evidence, &arena, items, &items_n));
}

static bool is_candidate(unsigned item)
{
    for (size_t i = 0; i < items_n; i++) {
        if (items[i] == item) {
            return true;
        }
    }
    return false;
}

static float value_of(unsigned item, unsigned feature)
{
    float value[FEATURES];

    evidence_value(&evidence, item, value);
    return value[feature];
}

static const struct decide_row *row_of(size_t n)
{
    static struct picture picture;
    static struct decide_placement placement;
    struct decide_world world = {.view = view};
    struct decide_request request = {.picture = &picture, .mode = DECIDE_PERSONAL, .placements = &placement, .placements_n = 1,
                                     .now_ms = NOW_MS};
    struct decide_result result;

    picture = picture_of_part((struct tenant_id){KIT_TENANT}, (struct customer_id){1}, &life, NOW_MS);
    placement = (struct decide_placement){.name = BYTES_LIT("row"), .n = n};
    CHECK_OK(decide_run(&world, &request, &arena, &result));
    for (size_t i = 0; i < result.rows[0].items_n; i++) {
        const struct decide_item *item = &result.rows[0].items[i];
        double sum = 0;

        for (size_t k = 0; k < item->addends_n; k++) {
            sum += (double)item->addends[k].score;
        }
        CHECK_WITHIN(sum, (double)item->score, 2e-3);
        CHECK(i == 0 || item->addends_n == 1 || item->score <= result.rows[0].items[i - 1].score); /* 1: fills the row */
    }
    return &result.rows[0];
}

static void end(void)
{
    arena_close(&arena);
}

/* ---- which head ---- */

TEST(evidence_head_follows_a_visit_under_way)
{
    begin();
    open_view();
    gather_as(MODEL_HEADS_);
    CHECK_INT(evidence.head, MODEL_HEADS_); /* nobody is known */
    happen(EVENT_VIEW, 7, NOW_MS - 31 * MINUTE_MS);
    gather_as(MODEL_HEADS_);
    CHECK_INT(evidence.head, MODEL_HEAD_SESSION); /* all there is */
    CHECK(!evidence.is_live);
    happen(EVENT_PURCHASE, 30, NOW_MS - 5 * DAY_MS);
    gather_as(MODEL_HEADS_);
    CHECK_INT(evidence.head, MODEL_HEAD_HISTORY); /* what was bought speaks before an old look */
    happen(EVENT_VIEW, 8, NOW_MS - 30 * MINUTE_MS);
    gather_as(MODEL_HEADS_);
    CHECK_INT(evidence.head, MODEL_HEAD_SESSION);
    CHECK(evidence.is_live);
    gather_as(MODEL_HEAD_HISTORY); /* the trainer says */
    CHECK_INT(evidence.head, MODEL_HEAD_HISTORY);
    kit.build.rank[MODEL_HEAD_SESSION].is_learnt = 0;
    open_view();
    gather_as(MODEL_HEADS_);
    CHECK_INT(evidence.head, MODEL_HEAD_HISTORY);
    end();
}

/* ---- the visit ---- */

TEST(evidence_visit_ends_with_a_gap_of_thirty_minutes)
{
    begin();
    open_view();
    happen(EVENT_VIEW, 1, NOW_MS - 72 * MINUTE_MS);
    happen(EVENT_VIEW, 2, NOW_MS - 40 * MINUTE_MS);
    happen(EVENT_VIEW, 3, NOW_MS - 10 * MINUTE_MS);
    happen(EVENT_VIEW, 2, NOW_MS - 9 * MINUTE_MS);
    happen(EVENT_VIEW, 4, NOW_MS + MINUTE_MS); /* not yet */
    happen(EVENT_VIEW, 999, NOW_MS - 8 * MINUTE_MS); /* the model never saw it */
    gather_as(MODEL_HEADS_);
    CHECK_INT(evidence.domain[MODEL_SESSION].steps_n, 3);
    for (unsigned i = 0; i < 3; i++) {
        static const unsigned way[3] = {2, 3, 2};

        CHECK_INT(evidence.domain[MODEL_SESSION].steps[i].item, way[i]);
        CHECK_INT(evidence.domain[MODEL_SESSION].steps[i].step, i);
    }
    CHECK_INT(value_of(2, FEATURE_SESSION_FIRST + FEATURE_SEEN), 2);
    CHECK_INT(value_of(2, FEATURE_SESSION_FIRST + FEATURE_SEEN_TWICE), 1);
    CHECK_NEAR(value_of(2, FEATURE_SESSION_FIRST + FEATURE_NEARNESS), 1);
    CHECK_NEAR(value_of(3, FEATURE_SESSION_FIRST + FEATURE_NEARNESS), .5);
    CHECK_WITHIN(value_of(9, FEATURE_SESSION_FIRST + FEATURE_LENGTH), log(4), 1e-6);
    CHECK_WITHIN(value_of(9, FEATURE_SESSION_FIRST + FEATURE_DISTINCT), log(3), 1e-6);
    CHECK_WITHIN(value_of(9, FEATURE_SESSION_FIRST + FEATURE_LAST_POPULAR), log(13), 1e-6);
    CHECK_WITHIN(value_of(9, FEATURE_SESSION_FIRST + FEATURE_POPULAR), log(20), 1e-6);
    CHECK_WITHIN(value_of(9, FEATURE_SESSION_FIRST + FEATURE_RECENT), log(3), 1e-6);
    end();
}

TEST(evidence_visit_speaks_through_w_newest_loudest)
{
    const struct decide_row *row;

    begin();
    plant(MODEL_W_SESSION, 50, 0.4f);
    open_view();
    happen(EVENT_VIEW, 1, NOW_MS - 3 * MINUTE_MS);
    happen(EVENT_VIEW, 5, NOW_MS - 2 * MINUTE_MS);
    gather_as(MODEL_HEADS_);
    CHECK_WITHIN(value_of(55, FEATURE_SESSION_FIRST + FEATURE_W), 0.4, 1e-6);
    CHECK_WITHIN(value_of(51, FEATURE_SESSION_FIRST + FEATURE_W), 0.4 * exp(-1), 1e-6); /* w_steps 1 */
    CHECK_NEAR(value_of(55, FEATURE_SESSION_FIRST + FEATURE_W_SHARE), 1);
    CHECK_WITHIN(value_of(56, FEATURE_SESSION_FIRST + FEATURE_W_SHARE), 0.5, 1e-6);
    CHECK_NEAR(value_of(55, FEATURE_SESSION_FIRST + FEATURE_W_RANK), 1);
    CHECK_NEAR(value_of(56, FEATURE_SESSION_FIRST + FEATURE_W_RANK), .5);
    CHECK_NEAR(value_of(99, FEATURE_SESSION_FIRST + FEATURE_W_RANK), 0);
    CHECK(is_candidate(55) && is_candidate(51) && is_candidate(1) && is_candidate(5));
    row = row_of(4);
    CHECK_INT(row->items[0].id.v, kit_item(55).v);
    CHECK_INT(row->items[0].reason, REASON_LOOKED);
    CHECK_INT(row->items[0].because.v, kit_item(5).v);
    CHECK(row->is_personal);
    happen(EVENT_ADD, 1, NOW_MS - MINUTE_MS); /* four times a look, and the newest now */
    gather_as(MODEL_HEADS_);
    CHECK_WITHIN(value_of(51, FEATURE_SESSION_FIRST + FEATURE_W), 0.4 * (4 + exp(-2)), 1e-5);
    end();
}

TEST(evidence_visit_speaks_through_neighbours)
{
    const struct decide_row *row;

    begin();
    plant_sequences(MODEL_SESSION);
    open_view();
    happen(EVENT_VIEW, 20, NOW_MS - 2 * MINUTE_MS);
    gather_as(MODEL_HEADS_);
    CHECK(is_candidate(110) && is_candidate(111));
    CHECK_NEAR(value_of(110, FEATURE_SESSION_FIRST + FEATURE_VSTAN_RANK), 0.5); /* after the visit's own item */
    CHECK(value_of(110, FEATURE_SESSION_FIRST + FEATURE_VSTAN) > value_of(111, FEATURE_SESSION_FIRST + FEATURE_VSTAN));
    CHECK(value_of(111, FEATURE_SESSION_FIRST + FEATURE_VSTAN_SHARE) > 0);
    CHECK(value_of(111, FEATURE_SESSION_FIRST + FEATURE_VMIS_SHARE) > 0);
    CHECK_NEAR(value_of(112, FEATURE_SESSION_FIRST + FEATURE_VSTAN), 0);
    row = row_of(3);
    CHECK_INT(row->items[1].id.v, kit_item(110).v);
    CHECK_INT(row->items[1].reason, REASON_LOOKED);
    CHECK_INT(row->items[1].because.v, kit_item(20).v);
    end();
}

TEST(evidence_visit_speaks_through_pairs_and_rules_of_the_last_item)
{
    begin();
    plant(MODEL_W_PAIR_SESSION, 60, 8);
    plant(MODEL_W_RULE_SESSION, 70, 4);
    open_view();
    happen(EVENT_VIEW, 1, NOW_MS - 3 * MINUTE_MS);
    happen(EVENT_VIEW, 5, NOW_MS - 2 * MINUTE_MS);
    gather_as(MODEL_HEADS_);
    CHECK(is_candidate(75) && is_candidate(76) && !is_candidate(71)); /* rules propose, of the last item alone */
    CHECK_NEAR(value_of(65, FEATURE_SESSION_FIRST + FEATURE_PAIR_SHARE), 1);
    CHECK_NEAR(value_of(66, FEATURE_SESSION_FIRST + FEATURE_PAIR_SHARE), .5);
    CHECK_NEAR(value_of(75, FEATURE_SESSION_FIRST + FEATURE_RULE_SHARE), 1);
    CHECK_WITHIN(value_of(65, FEATURE_SESSION_FIRST + FEATURE_PAIR_RATE), 8.0 / 16, 1e-6); /* item 5 was seen 15 times */
    CHECK_WITHIN(value_of(75, FEATURE_SESSION_FIRST + FEATURE_RULE_RATE), 4.0 / 16, 1e-6);
    end();
}

static float total_of(const struct tally *sum)
{
    float total = 0;

    for (size_t i = 0; sum->n > 0 && i <= sum->mask; i++) {
        total += sum->slot[i].sum;
    }
    return total;
}

/* Two visits since the file was made went from 20 to 150 and 151, a third was the asker's own. */
TEST(evidence_pairs_and_rules_count_on_in_the_live_side)
{
    static _Alignas(64) char room_of[1 << 18];
    struct model_live_room room = {.sequences = 8, .steps = 64, .items = 4, .texts = 64};
    struct model_step steps[] = {{20, 0}, {150, 1}, {20, 2}, {151, 3}};
    struct model_live *live;
    const struct tally *pairs, *rules, *w;
    float before;

    begin();
    plant(MODEL_W_PAIR_SESSION, 5, 4);
    plant(MODEL_W_RULE_SESSION, 5, 4);
    plant(MODEL_W_SESSION, 5, .4f);
    open_view();
    happen(EVENT_VIEW, 20, NOW_MS - 1000);
    gather_as(MODEL_HEAD_SESSION);
    before = total_of(&evidence.domain[MODEL_SESSION].w.sum);
    CHECK(model_live_bytes(view.base, &room) <= sizeof(room_of));
    memset(room_of, 0, sizeof(room_of));
    live = model_live_open(view.base, &room, room_of);
    (void)model_live_append(live, MODEL_SESSION, steps, 2, NOW_MS - 5000, 7, UINT32_MAX);
    (void)model_live_append(live, MODEL_SESSION, steps, 4, NOW_MS - 4000, 8, UINT32_MAX);
    (void)model_live_append(live, MODEL_SESSION, steps, 4, NOW_MS - 3000, 9, UINT32_MAX);
    view = model_view_of(view.base, live);
    view.owner = 9;
    gather_as(MODEL_HEAD_SESSION);
    pairs = &evidence.domain[MODEL_SESSION].pairs.sum;
    rules = &evidence.domain[MODEL_SESSION].rules.sum;
    CHECK_NEAR((double)tally_get(pairs, 25), 4); /* the file's */
    CHECK_NEAR((double)tally_get(pairs, 150), 3); /* once, and twice by two steps of 20 */
    CHECK_NEAR((double)tally_get(pairs, 151), 2);
    CHECK_NEAR((double)tally_get(pairs, 20), 0);
    CHECK_NEAR((double)tally_get(rules, 150), 2); /* what was before 20 does not follow it */
    CHECK_WITHIN((double)tally_get(rules, 151), 1.0 / 3 + 1, 1e-6);
    CHECK_NEAR((double)tally_get(rules, 25), 4);
    /* W's row has the same mass, some of it where the new visits went: the nearer the more. */
    w = &evidence.domain[MODEL_SESSION].w.sum;
    CHECK_WITHIN((double)total_of(w), (double)before, 1e-5);
    CHECK(tally_get(w, 150) > tally_get(w, 151) && tally_get(w, 151) > 0);
    CHECK(tally_get(w, 25) < .4f && tally_get(w, 25) > .9f * .4f);
    end();
}

/* P7. */
TEST(evidence_one_look_of_a_visit_that_is_over_is_not_a_wish)
{
    begin();
    plant(MODEL_W_SESSION, 0, 0.4f); /* W leads to the item itself */
    open_view();
    happen(EVENT_VIEW, 150, NOW_MS - 41 * MINUTE_MS);
    happen(EVENT_VIEW, 160, NOW_MS - 42 * MINUTE_MS);
    happen(EVENT_VIEW, 160, NOW_MS - 43 * MINUTE_MS);
    gather_as(MODEL_HEADS_);
    CHECK_INT(evidence.head, MODEL_HEAD_SESSION);
    CHECK_NEAR(value_of(150, FEATURE_SESSION_FIRST + FEATURE_SEEN), 0);
    CHECK_NEAR(value_of(150, FEATURE_SESSION_FIRST + FEATURE_W), 0);
    CHECK_NEAR(value_of(160, FEATURE_SESSION_FIRST + FEATURE_SEEN), 2);
    happen(EVENT_VIEW, 170, NOW_MS - 20 * MINUTE_MS); /* the visit goes on */
    gather_as(MODEL_HEADS_);
    CHECK_NEAR(value_of(150, FEATURE_SESSION_FIRST + FEATURE_SEEN), 1);
    end();
}

TEST(evidence_what_is_taken_back_does_not_speak)
{
    begin();
    plant(MODEL_W_SESSION, 50, 0.4f);
    open_view();
    happen(EVENT_VIEW, 1, NOW_MS - 4 * MINUTE_MS);
    happen(EVENT_ADD, 5, NOW_MS - 3 * MINUTE_MS);
    happen(EVENT_REMOVE, 5, NOW_MS - 2 * MINUTE_MS);
    gather_as(MODEL_HEADS_);
    CHECK_INT(evidence.domain[MODEL_SESSION].steps_n, 1);
    CHECK_NEAR(value_of(55, FEATURE_SESSION_FIRST + FEATURE_W), 0);
    end();
}

/* ---- purchases in order ---- */

TEST(evidence_purchases_lead_to_the_next)
{
    const struct decide_row *row;

    begin();
    plant(MODEL_W_HISTORY, 50, 0.4f);
    plant(MODEL_W_RULE_HISTORY, 70, 2);
    plant_sequences(MODEL_HISTORY);
    kit.build.rank[MODEL_HEAD_HISTORY].weight[FEATURE_HISTORY_FIRST + FEATURE_W_SHARE] = 20;
    open_view();
    happen(EVENT_PURCHASE, 20, NOW_MS - 3 * DAY_MS);
    happen(EVENT_PURCHASE, 21, NOW_MS - 2 * DAY_MS);
    gather_as(MODEL_HEADS_);
    CHECK_INT(evidence.head, MODEL_HEAD_HISTORY);
    CHECK_INT(evidence.domain[MODEL_HISTORY].steps_n, 2);
    CHECK_INT(evidence.domain[MODEL_HISTORY].steps[1].item, 21);
    CHECK_INT(evidence.domain[MODEL_HISTORY].steps[1].step, 1);
    CHECK_WITHIN(value_of(71, FEATURE_HISTORY_FIRST + FEATURE_W), 0.4 + 0.2 * exp(-1), 1e-6); /* of 21, and of 20 */
    CHECK_WITHIN(value_of(70, FEATURE_HISTORY_FIRST + FEATURE_W), 0.4 * exp(-1), 1e-6);
    CHECK_NEAR(value_of(91, FEATURE_HISTORY_FIRST + FEATURE_RULE_SHARE), 1);
    CHECK(value_of(110, FEATURE_HISTORY_FIRST + FEATURE_VSTAN) > 0); /* neighbour 20, 110, 111 */
    CHECK_NEAR(value_of(21, FEATURE_HISTORY_FIRST + FEATURE_NEARNESS), 1);
    CHECK_NEAR(value_of(20, FEATURE_HISTORY_FIRST + FEATURE_NEARNESS), .5);
    CHECK(is_candidate(71) && is_candidate(91) && is_candidate(110) && is_candidate(20));
    row = row_of(1);
    CHECK_INT(row->items[0].id.v, kit_item(71).v);
    CHECK_INT(row->items[0].reason, REASON_TOGETHER);
    CHECK_INT(row->items[0].because.v, kit_item(21).v);
    end();
}

/* Items of one basket stand at one step, and all of the newest are the last. */
TEST(evidence_items_of_a_basket_share_a_step)
{
    struct event_line lines[3] = {{.item = kit_item(30), .quantity_milli = 1000}, {.item = kit_item(40), .quantity_milli = 1000},
                                  {.item = kit_item(50), .quantity_milli = -1000}};
    struct event event = {.kind = EVENT_PURCHASE, .at_ms = NOW_MS - DAY_MS, .has_time = true, .lines = lines, .lines_n = 3};

    begin();
    plant(MODEL_W_RULE_HISTORY, 70, 2);
    open_view();
    happen(EVENT_PURCHASE, 20, NOW_MS - 3 * DAY_MS);
    event.mid = hash_mid(BYTES_LIT("b"), BYTES_LIT("one"));
    part_apply(&life, &event);
    gather_as(MODEL_HEADS_);
    CHECK_INT(evidence.domain[MODEL_HISTORY].steps_n, 3); /* the returned one is none */
    CHECK_INT(evidence.domain[MODEL_HISTORY].steps[0].step, 0);
    CHECK_INT(evidence.domain[MODEL_HISTORY].steps[1].step, 1);
    CHECK_INT(evidence.domain[MODEL_HISTORY].steps[2].step, 1);
    CHECK(is_candidate(100) && is_candidate(110) && !is_candidate(120));
    CHECK_WITHIN(value_of(9, FEATURE_HISTORY_FIRST + FEATURE_LAST_POPULAR), log(11), 1e-6);
    end();
}

/* ---- switches, cold items, what looks end in ---- */

TEST(evidence_parts_left_out_say_nothing)
{
    begin();
    plant(MODEL_W_SESSION, 50, 0.4f);
    plant(MODEL_W_RULE_SESSION, 70, 4);
    plant_sequences(MODEL_SESSION);
    for (unsigned uses = 0; uses <= ALL_USES; uses++) {
        kit.build.domain[MODEL_SESSION].uses = uses;
        memset(&life, 0, sizeof(life));
        open_view();
        happen(EVENT_VIEW, 20, NOW_MS - MINUTE_MS);
        gather_as(MODEL_HEADS_);
        CHECK_INT(is_candidate(70), (uses & MODEL_USES_W) != 0); /* 20 + 50 */
        CHECK_INT(is_candidate(90) , (uses & MODEL_USES_PAIRS) != 0);
        CHECK_INT(is_candidate(110), (uses & MODEL_USES_VSTAN) != 0);
        CHECK_INT(value_of(70, FEATURE_SESSION_FIRST + FEATURE_W) > 0, (uses & MODEL_USES_W) != 0);
        CHECK_INT(value_of(110, FEATURE_SESSION_FIRST + FEATURE_VSTAN) > 0, (uses & MODEL_USES_VSTAN) != 0);
        CHECK_INT(value_of(110, FEATURE_SESSION_FIRST + FEATURE_VMIS_SHARE) > 0, (uses & MODEL_USES_VMIS) != 0);
        CHECK_INT(value_of(90, FEATURE_SESSION_FIRST + FEATURE_RULE_SHARE) > 0, (uses & MODEL_USES_PAIRS) != 0);
    }
    end();
}

TEST(evidence_content_proposes_what_is_new)
{
    begin();
    plant(MODEL_W_CONTENT, 150, 0.5f);
    kit.stat[160].all_n = kit.stat[161].all_n = 1;
    seen[160] = seen[161] = (struct model_seen){{0}, {0}};
    kit.stat[171].all_n = 500; /* known well enough */
    open_view();
    happen(EVENT_VIEW, 10, NOW_MS - MINUTE_MS);
    happen(EVENT_VIEW, 21, NOW_MS - MINUTE_MS);
    gather_as(MODEL_HEADS_);
    CHECK(is_candidate(160) && is_candidate(161) && !is_candidate(171));
    CHECK(value_of(160, FEATURE_CONTENT) > 0);
    CHECK_WITHIN(value_of(160, FEATURE_COLD), 20.0 / 21, 1e-6);
    CHECK(value_of(171, FEATURE_COLD) < 0.05f);
    end();
}

TEST(evidence_looks_speak_of_what_they_end_in)
{
    begin();
    plant(MODEL_W_BOUGHT, 80, 0.5f);
    open_view();
    happen(EVENT_VIEW, 10, NOW_MS - MINUTE_MS);
    gather_as(MODEL_HEADS_);
    CHECK(is_candidate(90) && is_candidate(91));
    CHECK(value_of(90, FEATURE_BOUGHT_AFTER) > value_of(91, FEATURE_BOUGHT_AFTER));
    CHECK_NEAR(value_of(92, FEATURE_BOUGHT_AFTER), 0);
    end();
}

/* ---- scores ---- */

/* Tree 0: +1 where W's share is below .9, -1 elsewhere: against the sum. Tree 1: + .5 for the item seen lately. */
static void plant_trees(void)
{
    for (unsigned t = 0; t < 2; t++) {
        for (unsigned n = 0; n < MODEL_TREE_NODES; n++) {
            trees[t].feature[n] = t == 0 ? FEATURE_SESSION_FIRST + FEATURE_W_SHARE : FEATURE_SESSION_FIRST + FEATURE_NEARNESS;
            trees[t].threshold[n] = t == 0 ? 0.9f : 0.3f;
        }
        for (unsigned l = 0; l < MODEL_TREE_LEAVES; l++) {
            bool right = l >= MODEL_TREE_LEAVES / 2;

            trees[t].leaf[l] = t == 0 ? (right ? -1.0f : 1.0f) : right ? 0.5f : 0.0f;
        }
    }
    kit.build.trees[MODEL_HEAD_SESSION] = trees;
    kit.build.rank[MODEL_HEAD_SESSION].trees_n = 2;
    kit.build.rank[MODEL_HEAD_SESSION].start = -3;
}

TEST(score_trees_rank_the_best_of_the_sum_and_the_rest_keeps_its_order_below)
{
    struct score_plan plan;
    struct score_below below;
    float sums[EVIDENCE_CANDIDATES_MAX], scores[EVIDENCE_CANDIDATES_MAX];
    const struct decide_row *row;

    begin();
    plant(MODEL_W_SESSION, 50, 0.4f);
    open_view();
    happen(EVENT_VIEW, 1, NOW_MS - 3 * MINUTE_MS);
    happen(EVENT_VIEW, 5, NOW_MS - 2 * MINUTE_MS);
    gather_as(MODEL_HEADS_);
    plan = score_plan_of(&evidence);
    CHECK_OK(score_all(&plan, &evidence, items, items_n, &arena, sums, &below));
    plant_trees();
    kit.build.rank[MODEL_HEAD_SESSION].most = 3; /* 55, 56 and 51 */
    open_view();
    gather_as(MODEL_HEADS_);
    plan = score_plan_of(&evidence);
    CHECK_OK(score_all(&plan, &evidence, items, items_n, &arena, scores, &below));
    for (size_t i = 0; i < items_n; i++) {
        bool walked = items[i] == 55 || items[i] == 56 || items[i] == 51;

        CHECK_INT(scores[i] >= below.from, walked);
        for (size_t k = 0; k < items_n && !walked; k++) {
            CHECK(scores[k] >= below.from || (sums[i] < sums[k]) == (scores[i] < scores[k]));
        }
    }
    row = row_of(10);
    CHECK_WITHIN((double)row->items[0].score, -2, 1e-6);
    CHECK_WITHIN((double)row->items[2].score, -4, 1e-6);
    CHECK_INT(row->items[2].id.v, kit_item(55).v); /* the sum had it first */
    CHECK(row->items[3].score < -4);
    kit.build.rank[MODEL_HEAD_SESSION].most = 0; /* all */
    open_view();
    row = row_of(10);
    CHECK_WITHIN((double)row->items[0].score, -1.5, 1e-6);
    CHECK(row->items[0].id.v == kit_item(5).v || row->items[0].id.v == kit_item(1).v);
    CHECK_INT(row->items[0].reason, REASON_LOOKED);
    end();
}

/* ---- any life at all ---- */

static void live_at_random(struct rng *rng, size_t events)
{
    static const enum event_kind kinds[] = {EVENT_PURCHASE, EVENT_VIEW, EVENT_VIEW, EVENT_ADD, EVENT_REMOVE, EVENT_WISH};

    for (size_t k = 0; k < events; k++) {
        int64_t back = rng_below(rng, 2) ? (int64_t)rng_below(rng, 90) * MINUTE_MS : (int64_t)rng_below(rng, 60) * DAY_MS;

        happen(kinds[rng_below(rng, 6)], (unsigned)rng_below(rng, ITEMS + 10), NOW_MS + 5 * MINUTE_MS - back);
    }
}

/* Values are finite, candidates are distinct, calls in any order and twice give the same bytes. */
PROPERTY(evidence_of_any_life_is_whole)
{
    static float first[ITEMS][FEATURES], again[FEATURES];
    uint32_t before[EVIDENCE_CANDIDATES_MAX];
    size_t before_n;
    enum model_head_kind head = (enum model_head_kind)rng_below(rng, MODEL_HEADS_ + 1);

    begin();
    plant(MODEL_W_SESSION, 50, 0.4f);
    plant(MODEL_W_HISTORY, 40, -0.4f); /* negatives, too */
    plant(MODEL_W_PAIR_SESSION, 60, 4);
    plant(MODEL_W_RULE_SESSION, 70, 4);
    plant(MODEL_W_CONTENT, 30, 0.1f);
    plant(MODEL_W_BOUGHT, 20, 0.1f);
    plant_sequences(rng_below(rng, 2) ? MODEL_SESSION : MODEL_HISTORY);
    if (rng_below(rng, 2)) {
        plant_trees();
        kit.build.rank[MODEL_HEAD_SESSION].most = (uint32_t)rng_below(rng, 40);
    }
    open_view();
    live_at_random(rng, rng_below(rng, 240)); /* a bot of 200 looks among them */
    gather_as(head);
    for (uint32_t i = 0; i < ITEMS; i++) {
        evidence_value(&evidence, i, first[i]);
        for (size_t f = 0; f < FEATURES; f++) {
            CHECK(isfinite(first[i][f]));
        }
    }
    memcpy(before, items, sizeof(before));
    before_n = items_n;
    gather_as(head);
    CHECK_INT(items_n, before_n);
    CHECK_SAME_BYTES(items, before, before_n * sizeof(*before));
    for (uint32_t i = ITEMS; i-- > 0;) {
        evidence_value(&evidence, i, again);
        CHECK_SAME_BYTES(again, first[i], sizeof(again));
    }
    for (size_t i = 0; i < items_n; i++) {
        for (size_t k = 0; k < i; k++) {
            CHECK(items[i] != items[k]);
        }
    }
    CHECK_INT(row_of(20)->items_n, 20);
    CHECK_INT(row_of(300)->items_n, ITEMS); /* more than there are */
    end();
}

/* Planted truth: whoever looks at the beginning of a visit that others made is shown how it went on. */
PROPERTY(evidence_finds_how_visits_go_on)
{
    unsigned at = (unsigned)rng_below(rng, SEQUENCES);
    const struct decide_row *row;
    bool found = false;

    begin();
    plant_sequences(MODEL_SESSION);
    open_view();
    happen(EVENT_VIEW, 199, NOW_MS - 3 * MINUTE_MS); /* and something else before */
    happen(EVENT_VIEW, at, NOW_MS - 2 * MINUTE_MS);
    row = row_of(4);
    for (size_t i = 0; i < row->items_n; i++) {
        found |= row->items[i].id.v == kit_item(at + 90).v;
    }
    CHECK(found);
    end();
}
