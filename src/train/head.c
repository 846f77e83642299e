/* SPDX-License-Identifier: Apache-2.0 */
#include "train/head.h"

#include "model/model_popular.h"

#include "base/topk.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LEARN_ROWS = 1600 * 1000, /* over all slices: .6 GB */
    LEAVE_OUT_TRIALS = 6,
    CASE_ROWS = 100,          /* of a case: more cases teach more than more of what did not come */
    CASE_ROWS_LEAST = 25,     /* a case has so many before cases are left out: three folds in decision 0013 */
    JUDGE_ROWS = 800 * 1000,
    JUDGE_CASES = 3000,
    PART_ROWS = 400 * 1000,   /* of learn, while parts are weighed */
    LIST = 20
};

static const struct model_rank *start_of(enum model_head_kind kind)
{
    return kind == MODEL_HEAD_SESSION ? &model_rank_start_session : &model_rank_start;
}

/* ---- rows ---- */

static struct rank_asking asking_of(const struct history *history, const struct train_span *span,
                                    const struct model_view *view, const struct train_settings *settings, size_t threads)
{
    return (struct rank_asking){.history = history, .view = view, .power = settings->case_power, .masks = span->masks,
                                .threads = threads};
}

void head_gather(struct head *head, const struct history *history, const struct train_span *span, unsigned k,
                 const struct model *model, const struct train_settings *settings, size_t threads)
{
    struct model_view view = {.base = model};
    struct rank_asking asking = asking_of(history, span, &view, settings, threads);
    struct next_case *cases;
    struct slice slice;

    if (!slice_of(history, span, head->kind, k, &slice)) {
        return;
    }
    asking.n = slice_cases(history, span, head->kind, &slice, 0, &cases);
    asking.cases = cases;
    asking.rows_most = LEARN_ROWS / (slices_n(span, head->kind) + 1);
    asking.case_most = CASE_ROWS;
    asking.case_least = CASE_ROWS_LEAST;
    rank_rows_add(&head->learn, &asking);
    free(cases);
}

static void judge_popular(struct head *head, const struct history *history, const struct model *model)
{
    size_t n;
    const uint32_t *recent = model_popular_recent(model, &n);
    struct rank_rows rows = head->judge; /* the same cases, other lists: margins fall with the place among best sellers */
    struct head other = {.kind = head->kind, .cases = head->cases, .cases_n = head->cases_n, .items_n = head->items_n};
    float *margin;

    n = n < LIST ? n : LIST;
    other.judge = rows;
    other.judge.hit = history_zero(rows.cases_n * n, 1);
    other.judge.item = history_grow(NULL, rows.cases_n * n, sizeof(uint32_t));
    other.judge.case_at = history_grow(NULL, rows.cases_n + 1, sizeof(size_t));
    margin = history_grow(NULL, rows.cases_n * n, sizeof(*margin));
    for (size_t c = 0; c < rows.cases_n; c++) {
        const struct next_case *one = &head->cases[rows.case_of[c]];

        other.judge.case_at[c] = c * n;
        for (size_t r = 0; r < n; r++) {
            other.judge.item[c * n + r] = recent[r];
            other.judge.hit[c * n + r] = rank_rows_is_hit(history, one, model_item_id(model, recent[r]).v);
            margin[c * n + r] = -(float)r;
        }
    }
    other.judge.case_at[rows.cases_n] = rows.cases_n * n;
    other.judge.n = rows.cases_n * n;
    head->popular = head_score(&other, margin, NULL);
    free(other.judge.hit);
    free(other.judge.item);
    free(other.judge.case_at);
    free(margin);
}

/* How often the rarest thing that came was met before, of looks and purchases alike. */
static void count_seen(struct head *head, const struct history *history, const struct model *model)
{
    head->seen = history_zero(head->judge.cases_n, sizeof(*head->seen));
    for (size_t c = 0; c < head->judge.cases_n; c++) {
        const struct next_case *one = &head->cases[head->judge.case_of[c]];
        const struct history_basket *basket = one->is_look ? NULL : &history->baskets[one->target];
        size_t least = SIZE_MAX;

        for (size_t l = 0; l < (basket != NULL ? basket->lines_n : 1); l++) {
            uint32_t of = basket != NULL ? history->lines[basket->lines_at + l].item : history->looks[one->target].item;
            uint32_t item = model_item_find(model, (struct item_id){history->items.id[of]});
            size_t seen = item == MODEL_NONE ? 0
                                             : (size_t)(model_item(model, item)->all_n + model_seen(model, item)->all[MODEL_SESSION]);

            least = seen < least ? seen : least;
        }
        head->seen[c] = least;
    }
}

void head_gather_judge(struct head *head, const struct history *history, const struct train_span *span,
                       const struct model *model, const struct train_settings *settings, size_t threads)
{
    struct model_view view = {.base = model};
    struct rank_asking asking = asking_of(history, span, &view, settings, threads);
    struct slice slice;

    if (!slice_of(history, span, head->kind, 0, &slice)) {
        return;
    }
    head->cases_n = asking.n = slice_cases(history, span, head->kind, &slice, JUDGE_CASES, &head->cases);
    head->items_n = model_items_n(model);
    asking.cases = head->cases;
    asking.rows_most = JUDGE_ROWS;
    asking.keeps_misses = true;
    rank_rows_add(&head->judge, &asking);
    judge_popular(head, history, model);
    count_seen(head, history, model);
}

void head_close(struct head *head)
{
    rank_rows_free(&head->learn);
    rank_rows_free(&head->judge);
    free(head->cases);
    free(head->seen);
    *head = (struct head){.kind = head->kind};
}

void head_ranks_close(struct head_ranks *ranks)
{
    free(ranks->trees);
    *ranks = (struct head_ranks){.trees = NULL};
}

/* ---- scores ---- */

static bool is_hit(const struct rank_rows *rows, size_t c, uint32_t item)
{
    for (size_t i = rows->case_at[c]; i < rows->case_at[c + 1]; i++) {
        if (rows->item[i] == item) {
            return rows->hit[i];
        }
    }
    return false;
}

/* Equal scores stand as a server would have them: the smaller number first, never the order of the retrievers. */
static struct head_case score_case(const struct rank_rows *rows, size_t c, const float *margin, struct topk_entry room[LIST])
{
    struct topk best = topk_of(room, LIST);
    struct head_case score = {0};
    double gain = 0, ideal = 0, truth_n = (double)rows->truth_n[c];
    size_t hits = 0;

    for (size_t i = rows->case_at[c]; i < rows->case_at[c + 1]; i++) {
        topk_offer(&best, margin[i], rows->item[i]);
    }
    topk_sort(&best);
    for (size_t r = 0; r < LIST; r++) {
        double place = 1 / log2((double)r + 2);

        ideal += (double)r < truth_n ? place : 0;
        if (r < best.n && is_hit(rows, c, best.at[r].item)) {
            score.mrr20 = hits == 0 ? 1.0f / (float)(r + 1) : score.mrr20;
            gain += place;
            hits++;
        }
        if (r + 1 == LIST / 2) {
            score.recall10 = (float)((double)hits / truth_n);
            score.ndcg10 = (float)(gain / ideal);
            score.phr10 = hits > 0;
        }
    }
    score.hr20 = hits > 0;
    score.recall20 = (float)((double)hits / truth_n);
    score.ndcg20 = (float)(gain / ideal);
    return score;
}

static void add_case(struct train_scores *sum, const struct head_case *one, double weight)
{
    sum->hr20 += weight * (double)one->hr20;
    sum->mrr20 += weight * (double)one->mrr20;
    sum->recall10 += weight * (double)one->recall10;
    sum->recall20 += weight * (double)one->recall20;
    sum->ndcg10 += weight * (double)one->ndcg10;
    sum->ndcg20 += weight * (double)one->ndcg20;
    sum->phr10 += weight * (double)one->phr10;
}

struct train_scores head_score(const struct head *head, const float *margin, struct head_case *out_cases)
{
    struct train_scores mean = {0};
    struct topk_entry room[LIST];

    for (size_t c = 0; c < head->judge.cases_n; c++) {
        struct head_case one = score_case(&head->judge, c, margin, room);

        add_case(&mean, &one, 1 / (double)head->judge.cases_n);
        if (out_cases != NULL) {
            out_cases[c] = one;
        }
    }
    return mean;
}

double head_worth(const struct train_scores *scores, enum model_head_kind kind)
{
    return kind == MODEL_HEAD_SESSION ? scores->hr20 + 1.5 * scores->mrr20
                                      : scores->recall10 + scores->ndcg10 + scores->phr10 / 3;
}

static float *margins(const struct head *head, const struct head_ranks *ranks, size_t trees_n)
{
    float *margin = history_grow(NULL, head->judge.n, sizeof(*margin));

    if (trees_n > 0) {
        model_trees_walk(ranks->trees, trees_n, ranks->rank.start, head->judge.value, head->judge.n, margin);
    } else {
        model_rank_sum(&ranks->rank, head->judge.value, head->judge.n, margin);
    }
    return margin;
}

/* By the first trees_n trees, or by the sum. */
static double judge(const struct head *head, const struct head_ranks *ranks, size_t trees_n)
{
    float *margin = margins(head, ranks, trees_n);
    struct train_scores scores = head_score(head, margin, NULL);

    free(margin);
    return head_worth(&scores, head->kind);
}

/* Trees of `rows`, features left out not looked at; none where there is too little to learn from. */
static void add_trees(const struct rank_rows *rows, const struct rank_tree_settings *settings, const bool left_out[FEATURES],
                      size_t threads, struct head_ranks *ranks)
{
    uint8_t uses[FEATURES];
    struct why why;

    for (size_t f = 0; f < FEATURES; f++) {
        uses[f] = !left_out[f];
    }
    if (settings->rounds == 0 || rank_train_trees(rows, settings, uses, threads, &ranks->rank, &ranks->trees, &why) != ERR_OK) {
        ranks->rank.trees_n = 0;
        ranks->trees = NULL;
    }
}

/* ---- parts ---- */

struct head_part {
    const char *name;
    enum model_domain domain; /* MODEL_DOMAINS_: of no domain, features are numbers */
    uint8_t feature[24];
    size_t n;
    double least; /* what must be gained by leaving it out: share of the worth */
};

#define PROPOSES 0.004  /* its candidates are still among these rows */
#define SLOW -0.002     /* half of a decision's time goes into it for a customer of a long history: it has to earn more than that */

static const struct head_part parts[] = {
    {"next look: W", MODEL_SESSION, {FEATURE_W, FEATURE_W_SHARE, FEATURE_W_RANK, FEATURE_W_VSTAN}, 4, PROPOSES},
    {"visits alike: VSTAN", MODEL_SESSION, {FEATURE_VSTAN, FEATURE_VSTAN_SHARE, FEATURE_VSTAN_RANK, FEATURE_W_VSTAN}, 4, PROPOSES},
    {"visits alike: VMIS", MODEL_SESSION, {FEATURE_VMIS_SHARE, FEATURE_VMIS_RANK}, 2},
    {"pairs and rules of looks", MODEL_SESSION, {FEATURE_PAIR_SHARE, FEATURE_RULE_SHARE, FEATURE_PAIR_RATE, FEATURE_RULE_RATE,
                                                 FEATURE_PAIR_RANK, FEATURE_RULE_RANK}, 6},
    {"seen in this visit", MODEL_SESSION, {FEATURE_SEEN, FEATURE_SEEN_ONCE, FEATURE_SEEN_TWICE, FEATURE_NEARNESS}, 4},
    {"popular looks", MODEL_SESSION, {FEATURE_POPULAR, FEATURE_RECENT, FEATURE_LAST_POPULAR}, 3},
    {"next purchase: W", MODEL_HISTORY, {FEATURE_W, FEATURE_W_SHARE, FEATURE_W_RANK, FEATURE_W_VSTAN}, 4, SLOW},
    {"buyers alike: neighbours", MODEL_HISTORY, {FEATURE_VSTAN, FEATURE_VSTAN_SHARE, FEATURE_VSTAN_RANK, FEATURE_W_VSTAN,
                                                 FEATURE_VMIS_SHARE, FEATURE_VMIS_RANK}, 6, SLOW},
    {"pairs and rules of purchases", MODEL_HISTORY, {FEATURE_PAIR_SHARE, FEATURE_RULE_SHARE, FEATURE_PAIR_RATE, FEATURE_RULE_RATE,
                                                     FEATURE_PAIR_RANK, FEATURE_RULE_RANK}, 6, SLOW},
    {"bought together", MODEL_DOMAINS_, {FEATURE_TOGETHER_OWN, FEATURE_TOGETHER_NEW}, 2, PROPOSES},
    {"looks of the last days", MODEL_DOMAINS_, {FEATURE_LOOKED, FEATURE_INTEREST}, 2},
    {"bought after looks", MODEL_DOMAINS_, {FEATURE_BOUGHT_AFTER}, 1},
    {"own counts", MODEL_DOMAINS_, {FEATURE_COUNT, FEATURE_TIMES, FEATURE_RATE, FEATURE_DAYS_DECAYED, FEATURE_BASKETS_DECAYED,
                                    FEATURE_COUNT_SQUARE, FEATURE_RATE_SQUARE, FEATURE_COUNT_RATE, FEATURE_COUNT_DAYS,
                                    FEATURE_COUNT_REPEAT, FEATURE_RATE_REPEAT}, 11},
    {"due again", MODEL_DOMAINS_, {FEATURE_DUE, FEATURE_DUE_SQUARE, FEATURE_HAZARD, FEATURE_EARLY, FEATURE_AMOUNT_DUE}, 5},
    {"still a customer", MODEL_DOMAINS_, {FEATURE_ALIVE}, 1},
    {"price level", MODEL_DOMAINS_, {FEATURE_PRICE_FIT}, 1},
    {"popular purchases", MODEL_DOMAINS_, {FEATURE_POPULAR_OWN, FEATURE_POPULAR_NEW}, 2},
    {"popular in the store", MODEL_DOMAINS_, {FEATURE_STORE_OWN, FEATURE_STORE_NEW}, 2},
    {"alike in words, brand, price", MODEL_DOMAINS_, {FEATURE_CONTENT, FEATURE_COLD}, 2},
};

enum { PARTS = sizeof(parts) / sizeof(*parts) };

static void part_hide(const struct head_part *part, bool hidden[FEATURES])
{
    size_t first = part->domain == MODEL_SESSION ? FEATURE_SESSION_FIRST
                   : part->domain == MODEL_HISTORY ? FEATURE_HISTORY_FIRST : 0;

    for (size_t i = 0; i < part->n; i++) {
        hidden[first + part->feature[i]] = true;
    }
}

/* Does any value of the part differ from 0? */
static bool part_speaks(const struct head_part *part, const struct rank_rows *rows)
{
    bool of[FEATURES] = {false};

    part_hide(part, of);
    for (size_t i = 0; i < rows->n; i++) {
        for (size_t f = 0; f < FEATURES; f++) {
            if (of[f] && rows->value[i * FEATURES + f] != 0) {
                return true;
            }
        }
    }
    return false;
}

/* A single list serves in its own order, also where there was too little to learn its weight from. */
static void keep_order(struct model_rank *rank, const bool left_out[FEATURES])
{
    size_t n = 0, only = 0;

    for (size_t f = 0; f < FEATURES; f++) {
        n += !left_out[f];
        only = left_out[f] ? only : f;
    }
    if (n == 1 && !(rank->weight[only] > 0)) {
        rank->weight[only] = 1;
    }
}

/* Ranks that never saw what is left out. */
static struct head_ranks learn_without(struct rank_rows *rows, const struct model_rank *start,
                                       const struct rank_tree_settings *trees, const bool left_out[FEATURES], size_t threads)
{
    float *saved = rank_rows_hide(rows, left_out);
    struct head_ranks ranks = {.rank = rank_train_sum(rows, start, threads)};

    for (size_t f = 0; f < FEATURES; f++) {
        ranks.rank.weight[f] = left_out[f] ? 0 : ranks.rank.weight[f];
    }
    keep_order(&ranks.rank, left_out);
    add_trees(rows, trees, left_out, threads, &ranks);
    rank_rows_show(rows, left_out, saved);
    return ranks;
}

static double worth_without(const struct head *head, struct rank_rows *learn, const struct model_rank *start,
                            const struct rank_tree_settings *trees, const bool left_out[FEATURES], size_t threads)
{
    struct head_ranks ranks = learn_without(learn, start, trees, left_out, threads);
    double worth = judge(head, &ranks, ranks.rank.trees_n);

    head_ranks_close(&ranks);
    return worth;
}

/* Leaves each part out of the sum once, the others being there. */
static void weigh_parts(struct head *head, const struct model_rank *start, double ends, double (*seconds_now)(void),
                        size_t threads, struct train_report *report)
{
    const struct rank_tree_settings no_trees = {.rounds = 0};
    const bool none[FEATURES] = {false};
    struct rank_rows learn;
    double with, longest, begun = seconds_now();

    rank_rows_thin(&head->learn, head->learn.n / PART_ROWS + 1, &learn);
    with = worth_without(head, &learn, start, &no_trees, none, threads);
    longest = seconds_now() - begun;
    for (size_t p = 0; p < PARTS && report->parts_n < TRAIN_PARTS; p++) {
        struct train_part *to = &report->parts[report->parts_n];
        bool hidden[FEATURES] = {false};

        if (seconds_now() + longest > ends) {
            break;
        }
        if (part_speaks(&parts[p], &learn)) {
            part_hide(&parts[p], hidden);
            *to = (struct train_part){.head = head->kind, .with = with};
            to->without = worth_without(head, &learn, start, &no_trees, hidden, threads);
            (void)snprintf(to->name, sizeof(to->name), "%s", parts[p].name);
            report->parts_n++;
        }
    }
    rank_rows_free(&learn);
}

static const struct head_part *part_named(const char *name)
{
    for (size_t p = 0; p < PARTS; p++) {
        if (strcmp(parts[p].name, name) == 0) {
            return &parts[p];
        }
    }
    return NULL;
}

enum { LEAVE_CASES_MIN = 100 }; /* of fewer, chance would leave out what a young shop needs */

/* Parts that the sum is no worse without are left out, if what serves is no worse without them (slow ones: not much worse, and
 * whatever time it takes to know): the least useful first, a few of them, one more each time. */
static void leave_parts_out(struct head *head, const struct model_rank *start, double worth, double ends,
                            double (*seconds_now)(void), size_t threads, struct train_report *report)
{
    const struct rank_tree_settings *trees = &report->settings.trees[head->kind];
    bool *left_out = report->settings.left_out[head->kind], is_tried[TRAIN_PARTS] = {false};
    double longest = 0;

    if (head->cases_n < LEAVE_CASES_MIN) {
        return;
    }
    for (int tried = 0; tried < LEAVE_OUT_TRIALS; tried++) {
        size_t best = report->parts_n;
        double begun = seconds_now(), is, most = -INFINITY;
        bool with_this[FEATURES];

        for (size_t i = 0; i < report->parts_n; i++) {
            const struct train_part *part = &report->parts[i];
            double slack = -fmin(0, part_named(part->name)->least) * part->with, gain = part->without - part->with + slack;

            if (part->head == head->kind && !is_tried[i] && gain >= 0 && (slack > 0 || begun + longest <= ends) && gain > most) {
                best = i;
                most = gain;
            }
        }
        if (best == report->parts_n) {
            return;
        }
        is_tried[best] = true;
        memcpy(with_this, left_out, sizeof(with_this));
        part_hide(part_named(report->parts[best].name), with_this);
        is = worth_without(head, &head->learn, start, trees, with_this, threads);
        report->tried_n++;
        longest = fmax(longest, seconds_now() - begun);
        if (is >= worth + part_named(report->parts[best].name)->least * worth) {
            memcpy(left_out, with_this, sizeof(with_this));
            report->parts[best].is_left_out = true;
            worth = fmax(worth, is); /* what slow parts may cost, they cost together */
        }
    }
}

/* ---- groups ---- */

enum { STORES = 5, GROUP_CASES_MIN = 5 }; /* fewer say nothing, or too much of whom */

static void add_group(const struct head *head, const char *kind, struct bytes name, const struct head_case *scores,
                      const bool *is_in, struct train_report *report)
{
    struct train_group group = {.head = head->kind};

    for (size_t c = 0; c < head->judge.cases_n; c++) {
        group.cases_n += is_in[c];
    }
    if (group.cases_n < GROUP_CASES_MIN || report->groups_n == TRAIN_GROUPS) {
        return;
    }
    for (size_t c = 0; c < head->judge.cases_n; c++) {
        if (is_in[c]) {
            add_case(&group.scores, &scores[c], 1 / (double)group.cases_n);
        }
    }
    (void)snprintf(group.kind, sizeof(group.kind), "%.*s", (int)sizeof(group.kind) - 1, kind);
    (void)snprintf(group.name, sizeof(group.name), "%.*s", (int)name.n, name.p);
    report->groups[report->groups_n++] = group;
}

static size_t steps_known(const struct head *head, const struct history *history, size_t c)
{
    const struct next_case *one = &head->cases[head->judge.case_of[c]];
    size_t from = one->look_to;

    if (!one->is_look) {
        return one->to - one->from;
    }
    while (from > one->look_from && (from == one->look_to ||
                                     history->looks[from].at_ms - history->looks[from - 1].at_ms <= MODEL_SESSION_GAP_MS)) {
        from--;
    }
    return one->look_to - from;
}

/* Was any of what came met by this customer before? */
static bool is_repeat(const struct head *head, const struct history *history, size_t c)
{
    const struct next_case *one = &head->cases[head->judge.case_of[c]];
    const struct history_basket *target = one->is_look ? NULL : &history->baskets[one->target];

    if (target == NULL) {
        for (size_t l = one->look_to; l > one->look_from && one->look_to - l < PART_LOOKS; l--) {
            if (history->looks[l - 1].item == history->looks[one->target].item) {
                return true;
            }
        }
        return false;
    }
    for (size_t b = one->from; b < one->to; b++) {
        for (size_t l = 0; l < history->baskets[b].lines_n; l++) {
            for (size_t t = 0; t < target->lines_n; t++) {
                if (history->lines[history->baskets[b].lines_at + l].item == history->lines[target->lines_at + t].item) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* Where a customer was last; UINT32_MAX: not said, or a visit. */
static uint32_t last_store(const struct head *head, const struct history *history, size_t c)
{
    const struct next_case *one = &head->cases[head->judge.case_of[c]];

    return one->is_look || one->to == one->from ? UINT32_MAX : history->baskets[one->to - 1].store;
}

/* The five stores most cases were last in. */
static void add_stores(const struct head *head, const struct history *history, const struct head_case *scores, bool *is_in,
                       struct train_report *report)
{
    size_t *times = history_zero(history->stores.n, sizeof(*times));

    for (size_t c = 0; c < head->judge.cases_n; c++) {
        uint32_t store = last_store(head, history, c);

        if (store != UINT32_MAX) {
            times[store]++;
        }
    }
    for (int k = 0; k < STORES && history->stores.n > 1; k++) {
        uint32_t best = 0;

        for (uint32_t s = 1; s < history->stores.n; s++) {
            best = times[s] > times[best] ? s : best;
        }
        for (size_t c = 0; c < head->judge.cases_n; c++) {
            is_in[c] = last_store(head, history, c) == best;
        }
        add_group(head, "last in store", history_name(&history->stores, best), scores, is_in, report);
        times[best] = 0;
    }
    free(times);
}

static void add_groups(const struct head *head, const struct history *history, const struct head_case *scores,
                       struct train_report *report)
{
    static const struct {
        size_t from, to;
        const char *name;
    } lengths[] = {{1, 2, "1"}, {2, 3, "2"}, {3, 5, "3 to 4"}, {5, 10, "5 to 9"}, {10, 30, "10 to 29"},
                   {30, 100, "30 to 99"}, {100, SIZE_MAX, "100 or more"}},
      meets[] = {{0, 1, "never met"}, {1, 5, "met 1 to 4 times"}, {5, 20, "met 5 to 19 times"}, {20, SIZE_MAX, "met 20 times or more"}};
    size_t n = head->judge.cases_n;
    bool *is_in = history_zero(n, sizeof(*is_in));

    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        for (size_t c = 0; c < n; c++) {
            size_t steps = steps_known(head, history, c);

            is_in[c] = steps >= lengths[i].from && steps < lengths[i].to;
        }
        add_group(head, head->kind == MODEL_HEAD_SESSION ? "looks so far" : "baskets so far", bytes_of(lengths[i].name), scores,
                  is_in, report);
    }
    for (int again = 1; again >= 0; again--) {
        for (size_t c = 0; c < n; c++) {
            is_in[c] = is_repeat(head, history, c) == (again == 1);
        }
        add_group(head, "what came", again ? BYTES_LIT("had before") : BYTES_LIT("all new to them"), scores, is_in, report);
    }
    for (size_t i = 0; i < sizeof(meets) / sizeof(*meets); i++) {
        for (size_t c = 0; c < n; c++) {
            is_in[c] = head->seen[c] >= meets[i].from && head->seen[c] < meets[i].to;
        }
        add_group(head, "rarest that came", bytes_of(meets[i].name), scores, is_in, report);
    }
    add_stores(head, history, scores, is_in, report);
    for (size_t f = 0; f < history->facts_n; f++) {
        for (uint32_t v = 0; v < history->facts[f].values.n; v++) {
            for (size_t c = 0; c < n; c++) {
                is_in[c] = history->facts[f].of[head->cases[head->judge.case_of[c]].customer] == v;
            }
            add_group(head, history->facts[f].name, history_name(&history->facts[f].values, v), scores, is_in, report);
        }
    }
    free(is_in);
}

/* Share of what came that is a candidate, and of all items that stand in a list of twenty. */
static void add_reach(const struct head *head, const float *margin, struct train_head *to)
{
    const struct rank_rows *rows = &head->judge;
    uint8_t *is_shown = history_zero(head->items_n, 1);
    size_t truth = 0, hits = 0, shown = 0;

    for (size_t c = 0; c < rows->cases_n; c++) {
        struct topk_entry room[LIST];
        struct topk best = topk_of(room, LIST);

        truth += rows->truth_n[c];
        for (size_t i = rows->case_at[c]; i < rows->case_at[c + 1]; i++) {
            hits += rows->hit[i];
            topk_offer(&best, margin[i], rows->item[i]);
        }
        for (size_t r = 0; r < best.n; r++) {
            is_shown[best.at[r].item] = 1;
        }
    }
    for (size_t i = 0; i < head->items_n; i++) {
        shown += is_shown[i];
    }
    to->found = truth > 0 ? (double)hits / (double)truth : 0;
    to->coverage20 = head->items_n > 0 ? (double)shown / (double)head->items_n : 0;
    free(is_shown);
}

/* ---- choosing and learning ---- */

enum { ROUNDS_STEP = 15 };
#define ROUNDS_LEAST 0.0005 /* more trees cost time in every decision */

static const char *head_stage(enum model_head_kind kind)
{
    return kind == MODEL_HEAD_SESSION ? "ranks of a visit" : "ranks of purchases";
}

static struct model_rank start_with(const struct train_settings *settings, enum model_head_kind kind)
{
    struct model_rank start = *start_of(kind);

    start.rho = settings->rho;
    start.rho_source = settings->rho_source;
    return start;
}

struct head_ranks head_learn(struct head *head, const struct train_settings *settings, size_t threads)
{
    struct model_rank start = start_with(settings, head->kind);

    rank_rows_weigh(&head->learn, settings->case_power);
    return learn_without(&head->learn, &start, &settings->trees[head->kind], settings->left_out[head->kind], threads);
}

static void note_change(struct train_report *report, const struct head *head, const char *name, double from, double to, double gain)
{
    struct train_change *change = &report->changes[report->changes_n];

    if (report->changes_n < TRAIN_CHANGES) {
        *change = (struct train_change){.from = from, .to = to, .gain = gain};
        (void)snprintf(change->stage, sizeof(change->stage), "%s", head_stage(head->kind));
        (void)snprintf(change->name, sizeof(change->name), "%s", name);
        report->changes_n++;
    }
}

static void choose_power(struct head *head, const struct model_rank *start, double *worth, size_t threads,
                         struct train_report *report)
{
    float other = report->settings.case_power > 0 ? 0 : 0.5f;
    struct head_ranks ranks = {.trees = NULL};
    double gain;

    rank_rows_weigh(&head->learn, other);
    ranks.rank = rank_train_sum(&head->learn, start, threads);
    gain = judge(head, &ranks, 0) - *worth;
    report->tried_n++;
    if (gain > 0) {
        note_change(report, head, "casePower", (double)report->settings.case_power, (double)other, gain);
        report->settings.case_power = other;
        *worth += gain;
    }
    rank_rows_weigh(&head->learn, report->settings.case_power);
}

/* Trees of these settings if they beat `worth`: with as few rounds as lose next to nothing. */
static bool try_trees(struct head *head, const struct model_rank *start, struct rank_tree_settings trees, double *worth,
                      size_t threads, struct train_report *report)
{
    struct head_ranks ranks = learn_without(&head->learn, start, &trees, report->settings.left_out[head->kind], threads);
    double *seen = &report->head[head->kind].trees_worth, best = *worth;
    size_t best_n = 0;

    report->tried_n++;
    for (size_t n = ROUNDS_STEP; n <= ranks.rank.trees_n; n += ROUNDS_STEP) {
        double is = judge(head, &ranks, n);

        *seen = fmax(*seen, is);
        if (is > best + ROUNDS_LEAST) {
            best = is;
            best_n = n;
        }
    }
    head_ranks_close(&ranks);
    if (best_n > 0) {
        trees.rounds = (unsigned)best_n;
        report->settings.trees[head->kind] = trees;
        *worth = best;
    }
    return best_n > 0;
}

static void choose_trees(struct head *head, const struct model_rank *start, double ends, double (*seconds_now)(void),
                         size_t threads, struct train_report *report)
{
    static const struct {
        unsigned depth;
        float eta, child_weight, columns;
        const char *name;
    } others[] = {{4, 0.08f, 50, 0.8f, "depth"}, {6, 0.05f, 50, 0.5f, "columns"}};
    struct train_head *to = &report->head[head->kind];
    struct rank_tree_settings trees = rank_tree_settings_start();
    double begun = seconds_now(), worth = to->sum_worth, took;

    trees.rounds = MODEL_TREES_MAX;
    if (try_trees(head, start, trees, &worth, threads, report)) {
        note_change(report, head, "trees", 0, report->settings.trees[head->kind].rounds, worth - to->sum_worth);
    }
    took = seconds_now() - begun;
    for (size_t i = 0; i < sizeof(others) / sizeof(*others) && seconds_now() + took < ends; i++) {
        double before = worth;

        trees.depth = others[i].depth;
        trees.eta = others[i].eta;
        trees.child_weight = others[i].child_weight;
        trees.columns = others[i].columns;
        if (try_trees(head, start, trees, &worth, threads, report)) {
            note_change(report, head, others[i].name, 0, i == 0 ? (double)trees.depth : (double)trees.columns, worth - before);
        }
    }
}

static bool column_speaks(const struct rank_rows *rows, size_t feature)
{
    for (size_t i = 0; i < rows->n; i++) {
        if (rows->value[i * FEATURES + feature] != 0) {
            return true;
        }
    }
    return false;
}

/* Each list by its own order alone: what ranks have to beat. Where one does better, all else is left out. */
static void try_single_lists(const struct head *head, struct train_report *report)
{
    static const size_t lists[] = {FEATURE_TOGETHER_NEW, FEATURE_SESSION_FIRST + FEATURE_W, FEATURE_SESSION_FIRST + FEATURE_VSTAN,
                                   FEATURE_HISTORY_FIRST + FEATURE_W, FEATURE_HISTORY_FIRST + FEATURE_VSTAN};
    struct train_head *to = &report->head[head->kind];
    bool *left_out = report->settings.left_out[head->kind];
    size_t best = FEATURES;

    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        struct head_ranks ranks = {.trees = NULL};
        double worth;

        if (!column_speaks(&head->judge, lists[i])) {
            continue; /* a list that is empty for all: another head's */
        }
        ranks.rank.weight[lists[i]] = 1;
        worth = judge(head, &ranks, 0);
        if (worth > to->list_worth) {
            to->list_worth = worth;
            best = lists[i];
        }
    }
    if (head->cases_n >= LEAVE_CASES_MIN && best < FEATURES && to->list_worth > fmax(to->sum_worth, to->trees_worth)) {
        for (size_t f = 0; f < FEATURES; f++) {
            left_out[f] = f != best;
        }
        report->settings.trees[head->kind].rounds = 0;
    }
}

struct head_ranks head_choose(struct head *head, const struct history *history, double seconds_most,
                              double (*seconds_now)(void), size_t threads, struct train_report *report)
{
    double begun = seconds_now(), ends = begun + seconds_most;
    struct model_rank start = start_with(&report->settings, head->kind);
    struct train_head *to = &report->head[head->kind];
    struct train_stage *stage = &report->stages[report->stages_n];
    size_t tried_n = report->tried_n;
    struct head_case *scores_of;
    struct head_ranks ranks = {.rank = rank_train_sum(&head->learn, &start, threads)};
    double first;
    float *margin;

    to->cases_n = head->judge.cases_n;
    to->learn_cases_n = head->learn.cases_n;
    to->popular = head->popular;
    first = to->sum_worth = judge(head, &ranks, 0);
    if (seconds_most > 0 && head->kind == MODEL_HEAD_HISTORY) {
        choose_power(head, &start, &to->sum_worth, threads, report);
    }
    choose_trees(head, &start, begun + seconds_most / 2, seconds_now, threads, report);
    try_single_lists(head, report);
    if (seconds_most > 0) {
        weigh_parts(head, &start, ends, seconds_now, threads, report);
        leave_parts_out(head, &start, fmax(to->list_worth, fmax(to->sum_worth, to->trees_worth)), ends, seconds_now, threads, report);
    }
    ranks = head_learn(head, &report->settings, threads);
    to->trees_n = ranks.rank.trees_n;
    margin = margins(head, &ranks, ranks.rank.trees_n);
    scores_of = history_zero(head->judge.cases_n, sizeof(*scores_of));
    to->scores = head_score(head, margin, scores_of);
    add_groups(head, history, scores_of, report);
    add_reach(head, margin, to);
    free(scores_of);
    free(margin);
    if (report->stages_n < TRAIN_STAGES) {
        *stage = (struct train_stage){.cases_n = head->judge.cases_n, .tried_n = report->tried_n + 1 - tried_n,
                                      .worth_start = first, .worth = head_worth(&to->scores, head->kind),
                                      .seconds = seconds_now() - begun};
        (void)snprintf(stage->name, sizeof(stage->name), "%s", head_stage(head->kind));
        report->stages_n++;
    }
    return ranks;
}
