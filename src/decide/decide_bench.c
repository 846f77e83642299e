/* SPDX-License-Identifier: Apache-2.0 */
/* How long the model's part of one decision takes on one core: decide_bench [items ...] (10000 100000 1000000).
 *
 * A made-up shop: rows of 100 for W of visits, of purchases and of what goes together, 200,000 visits of 2 to 20 looks and as many
 * sequences of purchases, 60 full trees a head; popularity falls as in shops (Zipf). Customers by turns: a visit without a
 * past, a visit of one who bought before, one who bought and does not look now. A line a kind and size: microseconds of
 * gathering (of it W, neighbours), proposing, scoring, and of a whole decision (p50, p99); the limit is the bare reading of the
 * same rows of W and walking the same trees, and the share what of the whole that is. */
#include "base/hash.h"
#include "base/rng.h"
#include "decide/decide.h"
#include "decide/evidence_inside.h"
#include "decide/score.h"
#include "model/model_build.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NOW_MS (400 * DAY_MS)

enum { ROW = 100, PAIRS = 20, SEQUENCES = 200000, LOOKS_MOST = 20, POSTINGS = 1000, NEIGHBOURS = 300, TREES = 60, WALKED = 120, LIVES = 64,
       ROUNDS = 12 };

enum kind { VISIT, VISIT_OF_KNOWN, NO_VISIT, KINDS };

struct shop {
    uint32_t n;
    uint64_t *id;
    struct model_build build;
    const struct model *model;
    struct arena arena;
    struct rng rng;
};

static void *room(size_t n, size_t each)
{
    void *p = calloc(n + 1, each);

    if (p == NULL) {
        abort();
    }
    return p;
}

/* Of this thread: what others take of the core does not count. */
static double now_us(void)
{
    struct timespec at;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

/* Of n things, the first far more often than the last. */
static uint32_t zipf(struct shop *shop)
{
    return (uint32_t)((double)shop->n * pow(rng_unit(&shop->rng), 3));
}

/* Half of what an item leads to is its like, half is what everybody buys. */
static uint32_t like(struct shop *shop, uint32_t item)
{
    uint32_t near = item / 200 * 200 + (uint32_t)rng_below(&shop->rng, 200);

    return rng_coin(&shop->rng) && near < shop->n ? near : zipf(shop);
}

static void fill_items(struct shop *shop)
{
    uint32_t *text_at = room(shop->n + 1, 4), *recent = room(1000, 4), at = 0;
    char *text = room(shop->n, 10);
    struct model_item *stat = room(shop->n, sizeof(*stat));
    struct model_seen *seen = room(shop->n, sizeof(*seen));

    shop->id = room(shop->n, 8);
    for (uint32_t i = 0; i < shop->n; i++) {
        float count = 1e5f / (float)(i + 10);

        text_at[i] = at;
        at += (uint32_t)sprintf(text + at, "i%u", i);
        shop->id[i] = hash_item((struct tenant_id){1}, (struct bytes){text + text_at[i], at - text_at[i]}).v;
        stat[i] = (struct model_item){.recent_n = count, .all_n = 10 * count, .log_recent = log1pf(count), .log_repeat = -2, .gap = 3};
        seen[i] = (struct model_seen){{20 * count, 10 * count}, {count, count}};
        if (i < 1000) {
            recent[i] = i;
        }
    }
    text_at[shop->n] = at;
    shop->build.item_id = shop->id;
    shop->build.text_at = text_at;
    shop->build.text = text;
    shop->build.stat = stat;
    shop->build.seen = seen;
    shop->build.recent = shop->build.all = recent;
    shop->build.recent_n = shop->build.all_n = shop->n < 1000 ? shop->n : 1000;
}

static struct model_build_rows rows_of(struct shop *shop, uint32_t each)
{
    struct model_weight *row = room((size_t)shop->n * each, sizeof(*row));
    uint32_t *at = room(shop->n + 1, 4);

    for (uint32_t i = 0; i <= shop->n; i++) {
        at[i] = i * each;
        for (uint32_t k = 0; i < shop->n && k < each; k++) {
            row[at[i] + k] = (struct model_weight){like(shop, i), 0.3f / (float)(k + 1)};
        }
    }
    return (struct model_build_rows){at, row};
}

static void fill_rows(struct shop *shop)
{
    struct model_build_rows w = rows_of(shop, ROW), pairs = rows_of(shop, PAIRS);

    for (unsigned kind = MODEL_W_TOGETHER; kind <= MODEL_W_HISTORY; kind++) {
        shop->build.w[kind] = w;
    }
    for (unsigned kind = MODEL_W_PAIR_SESSION; kind <= MODEL_W_RULE_HISTORY; kind++) {
        shop->build.w[kind] = pairs;
    }
}

static void fill_index(struct shop *shop)
{
    uint32_t *at = room(SEQUENCES + 1, 4), *item = room((size_t)SEQUENCES * LOOKS_MOST, 4), n = 0;
    uint32_t *posting_at = room(shop->n + 1, 4), *posting, *holders = room(shop->n + 1, 4), *put = room(shop->n, 4);
    uint8_t *step = room((size_t)SEQUENCES * LOOKS_MOST, 1);
    int64_t *end_ms = room(SEQUENCES, 8);

    for (uint32_t s = 0; s < SEQUENCES; s++) {
        uint32_t looks = 2 + (uint32_t)(pow(rng_unit(&shop->rng), 3) * (LOOKS_MOST - 2)), first = zipf(shop);

        at[s] = n;
        end_ms[s] = NOW_MS - (int64_t)(SEQUENCES - s) * MINUTE_MS;
        for (uint32_t x = 0; x < looks; x++) {
            step[n] = (uint8_t)x;
            item[n] = like(shop, first);
            bool met = false;
            for (uint32_t y = at[s]; y < n; y++) {
                met |= item[y] == item[n];
            }
            holders[item[n]] += !met;
            n++;
        }
    }
    at[SEQUENCES] = n;
    for (uint32_t i = 0; i < shop->n; i++) {
        posting_at[i + 1] = posting_at[i] + (holders[i] < POSTINGS ? holders[i] : POSTINGS);
    }
    posting = room(posting_at[shop->n], 4);
    for (uint32_t s = SEQUENCES; s-- > 0;) {
        for (uint32_t x = at[s]; x < at[s + 1]; x++) {
            uint32_t i = item[x], *next = &put[i];

            if (*next < posting_at[i + 1] - posting_at[i] && (*next == 0 || posting[posting_at[i] + *next - 1] != s)) {
                posting[posting_at[i] + (*next)++] = s;
            }
        }
    }
    holders[shop->n] = SEQUENCES;
    for (unsigned d = 0; d < MODEL_DOMAINS_; d++) {
        shop->build.index[d] = (struct model_build_index){SEQUENCES, at, item, step, end_ms, room(SEQUENCES, 8), posting_at,
                                                          posting, holders};
        shop->build.domain[d] = (struct model_domain_settings){
            .is_learnt = 1, .postings = POSTINGS, .neighbours = NEIGHBOURS, .vmis_neighbours = NEIGHBOURS, .w_steps = 2,
            .position_steps = 4.9f, .age_days = 40, .neighbour_steps = 4.9f, .session_steps = 1.2f, .idf = 2, .uses = 15};
    }
    free(put);
}

/* Full trees over all features, thresholds where values are. */
static void fill_heads(struct shop *shop)
{
    for (unsigned h = 0; h < MODEL_HEADS_; h++) {
        struct model_tree *trees = room(TREES, sizeof(*trees));
        struct model_rank *rank = &shop->build.rank[h];

        *rank = model_rank_start;
        rank->trees_n = TREES;
        rank->most = WALKED;
        rank->weight[FEATURE_SESSION_FIRST + FEATURE_W_SHARE] = 2;
        rank->weight[FEATURE_SESSION_FIRST + FEATURE_VSTAN_SHARE] = 2;
        rank->weight[FEATURE_HISTORY_FIRST + FEATURE_W_SHARE] = 1;
        for (unsigned t = 0; t < TREES; t++) {
            for (unsigned k = 0; k < MODEL_TREE_NODES; k++) {
                trees[t].feature[k] = (uint16_t)rng_below(&shop->rng, FEATURE_ITEM_END);
                trees[t].threshold[k] = (float)rng_unit(&shop->rng);
            }
            for (unsigned l = 0; l < MODEL_TREE_LEAVES; l++) {
                trees[t].leaf[l] = (float)rng_unit(&shop->rng) / 10;
            }
        }
        shop->build.trees[h] = trees;
    }
}

static void open_shop(struct shop *shop, uint32_t n)
{
    struct bytes file;
    struct why why;

    *shop = (struct shop){.n = n, .rng = {7}, .build.head = {{1}, n, 0, NOW_MS}};
    arena_open(&shop->arena, 1 << 20, SIZE_MAX / 4);
    fill_items(shop);
    fill_rows(shop);
    fill_index(shop);
    fill_heads(shop);
    if (model_build(&shop->build, &shop->arena, &file) != ERR_OK ||
        model_file_open(file, &shop->arena, &shop->model, &why) != ERR_OK) {
        abort();
    }
}

/* ---- customers ---- */

static void happen(struct shop *shop, struct part *life, enum event_kind kind, uint32_t first, size_t lines, int64_t at_ms)
{
    struct event_line line[20];
    struct event event = {.kind = kind, .at_ms = at_ms, .has_time = true, .lines = line, .lines_n = lines};
    uint64_t mid[2] = {rng_next(&shop->rng), rng_next(&shop->rng)};

    memcpy(&event.mid, mid, sizeof(event.mid) < sizeof(mid) ? sizeof(event.mid) : sizeof(mid));
    for (size_t l = 0; l < lines; l++) {
        line[l] = (struct event_line){.item = {shop->id[like(shop, first)]}, .quantity_milli = 1000, .paid_minor = 100};
    }
    part_apply(life, &event);
}

static void live(struct shop *shop, enum kind kind, struct part *life)
{
    uint32_t first = zipf(shop);
    size_t looks = kind == NO_VISIT ? 0 : 1 + (size_t)(pow(rng_unit(&shop->rng), 4) * 30);
    size_t baskets = kind == VISIT ? 0 : 1 + (size_t)(pow(rng_unit(&shop->rng), 2) * 63);

    memset(life, 0, sizeof(*life));
    for (size_t b = baskets; b > 0; b--) {
        happen(shop, life, EVENT_PURCHASE, zipf(shop), 1 + rng_below(&shop->rng, 19), NOW_MS - (int64_t)b * 5 * DAY_MS);
    }
    for (size_t l = looks; l > 0; l--) {
        happen(shop, life, EVENT_VIEW, first, 1, NOW_MS - (int64_t)l * MINUTE_MS);
    }
}

/* ---- measuring ---- */

enum stage { GATHER, BY_W, BY_NEIGHBOURS, PROPOSE, SCORE, WHOLE, LIMIT, STAGES };

static float bare; /* keeps reading from being left out */

static void read_rows(const struct shop *shop, const struct evidence *evidence)
{
    for (unsigned d = 0; d < MODEL_DOMAINS_; d++) {
        const struct evidence_domain *domain = &evidence->domain[d];

        for (size_t i = 0; domain->is_used && i < domain->sources_n; i++) {
            size_t n;
            const struct model_weight *row =
                model_w_row(shop->model, d == 0 ? MODEL_W_SESSION : MODEL_W_HISTORY, domain->sources[i].item, &n);

            for (size_t k = 0; k < n; k++) {
                bare += row[k].weight;
            }
        }
    }
}

static void rows_again(const struct model_view *view, const struct evidence *evidence, struct arena *arena)
{
    for (unsigned d = 0; d < MODEL_DOMAINS_; d++) {
        const struct evidence_domain *domain = &evidence->domain[d];
        struct tally sum;

        if (domain->is_used && evidence_add_rows(view, d == 0 ? MODEL_W_SESSION : MODEL_W_HISTORY, domain->sources,
                                                 domain->sources_n, arena, &sum) != ERR_OK) {
            abort();
        }
    }
}

static void neighbours_again(const struct model_view *view, const struct evidence *evidence, struct arena *arena)
{
    for (unsigned d = 0; d < MODEL_DOMAINS_; d++) {
        const struct evidence_domain *domain = &evidence->domain[d];
        struct tally vstan, vmis;

        if (domain->vstan.sum.slot != NULL && model_session_score(view, (enum model_domain)d, &domain->settings, domain->steps, domain->steps_n,
                                                   NOW_MS, arena, &vstan, &vmis) != ERR_OK) {
            abort();
        }
    }
}

static void decide_once(const struct model_view *view, const struct part *life, struct arena *arena, double us[STAGES])
{
    struct picture picture = picture_of_part((struct tenant_id){1}, (struct customer_id){1}, life, NOW_MS);
    struct decide_placement placement = {.name = BYTES_LIT("row"), .n = 8};
    struct decide_world world = {.view = *view};
    struct decide_request request = {.picture = &picture, .mode = DECIDE_PERSONAL, .placements = &placement, .placements_n = 1,
                                     .now_ms = NOW_MS};
    struct decide_result result;
    double begun = now_us();

    if (decide_run(&world, &request, arena, &result) != ERR_OK) {
        abort();
    }
    us[WHOLE] = now_us() - begun;
    arena_reset(arena);
}

static size_t measure(const struct shop *shop, const struct part *life, struct arena *arena, double us[STAGES])
{
    struct model_view view = {.base = shop->model};
    static uint32_t items[EVIDENCE_CANDIDATES_MAX];
    static float scores[EVIDENCE_CANDIDATES_MAX], value[WALKED * FEATURES];
    struct evidence evidence;
    struct score_plan plan;
    struct score_below below;
    double at[8];
    size_t n;

    decide_once(&view, life, arena, us);
    at[0] = now_us();
    if (evidence_gather(&view, life, (struct store_id){0}, NOW_MS, MODEL_HEADS_, arena, &evidence) != ERR_OK) {
        abort();
    }
    at[1] = now_us();
    if (evidence_candidates(&evidence, arena, items, &n) != ERR_OK) {
        abort();
    }
    at[2] = now_us();
    plan = score_plan_of(&evidence);
    if (score_all(&plan, &evidence, items, n, arena, scores, &below) != ERR_OK) {
        abort();
    }
    at[3] = now_us();
    rows_again(&view, &evidence, arena);
    at[4] = now_us();
    neighbours_again(&view, &evidence, arena);
    at[5] = now_us();
    read_rows(shop, &evidence);
    model_trees_walk(plan.trees, plan.trees_n, 0, value, n < WALKED ? n : WALKED, scores);
    at[6] = now_us();
    us[GATHER] = at[1] - at[0];
    us[PROPOSE] = at[2] - at[1];
    us[SCORE] = at[3] - at[2];
    us[BY_W] = at[4] - at[3];
    us[BY_NEIGHBOURS] = at[5] - at[4];
    us[LIMIT] = at[6] - at[5];
    arena_reset(arena);
    return n;
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void measure_kind(struct shop *shop, enum kind kind)
{
    static const char *const names[KINDS] = {"visit", "visit of a customer", "customer, no visit"};
    static struct part lives[LIVES];
    static double us[STAGES][LIVES * ROUNDS];
    struct arena arena;
    size_t m = 0, candidates = 0;

    arena_open(&arena, 1 << 22, 1 << 26);
    for (size_t l = 0; l < LIVES; l++) {
        live(shop, kind, &lives[l]);
    }
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t l = 0; l < LIVES; l++) {
            double one[STAGES];

            candidates += measure(shop, &lives[l], &arena, one);
            for (size_t s = 0; s < STAGES; s++) {
                us[s][m] = one[s];
            }
            m++;
        }
    }
    arena_close(&arena);
    for (size_t s = 0; s < STAGES; s++) {
        qsort(us[s], m, sizeof(double), order);
    }
    printf("%8u %-19s %5zu %7.0f %6.0f %6.0f %7.0f %6.0f %7.0f %6.0f %6.0f %5.0f %%\n", shop->n, names[kind], candidates / m,
           us[GATHER][m / 2], us[BY_W][m / 2], us[BY_NEIGHBOURS][m / 2], us[PROPOSE][m / 2], us[SCORE][m / 2], us[WHOLE][m / 2],
           us[WHOLE][m * 99 / 100], us[LIMIT][m / 2], 100 * us[LIMIT][m / 2] / us[WHOLE][m / 2]);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const uint32_t sizes[] = {10000, 100000, 1000000};
    size_t n = argc > 1 ? (size_t)argc - 1 : sizeof(sizes) / sizeof(*sizes);

    hash_start();
    printf("   items customer            items  gather      W  near. propose  score     p50    p99  limit  share\n");
    for (size_t s = 0; s < n; s++) {
        struct shop shop;

        open_shop(&shop, argc > 1 ? (uint32_t)strtoul(argv[s + 1], NULL, 10) : sizes[s]);
        for (unsigned k = 0; k < KINDS; k++) {
            measure_kind(&shop, (enum kind)k);
        }
        arena_close(&shop.arena); /* what filled it goes with the process: sizes run from small to large */
    }
    return bare > 0 ? 0 : 1;
}
