/* SPDX-License-Identifier: Apache-2.0 */
#include "train/probe.h"

#include "base/topk.h"
#include "model/model.h"
#include "train/pool.h"

#include <math.h>
#include <stdlib.h>

enum { CASES_PIECE = 64, SOURCES_MOST = 100 };
enum { MARK_HAD = 1, MARK_TRUTH = 2, MARK_COUNTED = 4 };

struct asking {
    const struct probe *probe;
    const struct ridge_w *w;
    const struct model_view *view;
    const struct model_domain_settings *settings;
    const float *popular;
    float steps_back, rho;
    bool is_together, is_vmis;
    struct case_score {
        float hr, mrr, recall, ndcg;
        bool is_asked;
    } *scores;
};

struct desk { /* one thread's: sums by item and the list they were touched in */
    const struct asking *asking;
    float *sum;
    uint8_t *mark, *is_touched;
    uint32_t *touched, *marked;
    size_t touched_n, marked_n;
    struct arena arena;
};

static void add(struct desk *desk, uint32_t item, float v)
{
    if (!desk->is_touched[item]) {
        desk->is_touched[item] = 1;
        desk->touched[desk->touched_n++] = item;
    }
    desk->sum[item] += v;
}

static void mark(struct desk *desk, uint32_t item, uint8_t as)
{
    if (desk->mark[item] == 0 && desk->marked_n < desk->asking->probe->items_n) {
        desk->marked[desk->marked_n++] = item;
    }
    desk->mark[item] |= as;
}

static void wipe(struct desk *desk)
{
    for (size_t i = 0; i < desk->touched_n; i++) {
        desk->sum[desk->touched[i]] = 0;
        desk->is_touched[desk->touched[i]] = 0;
    }
    for (size_t i = 0; i < desk->marked_n; i++) {
        desk->mark[desk->marked[i]] = 0;
    }
    desk->touched_n = desk->marked_n = 0;
    arena_reset(&desk->arena);
}

/* ---- what is asked after ---- */

static size_t visit_steps(const struct probe *probe, const struct next_case *one, struct model_step *steps)
{
    const struct history_look *looks = probe->history->looks;
    size_t from = one->look_to, n = 0;

    while (from > one->look_from && one->look_to - from < MODEL_SEQUENCE_MAX &&
           (from == one->look_to || looks[from].at_ms - looks[from - 1].at_ms <= MODEL_SESSION_GAP_MS)) {
        from--;
    }
    for (size_t l = from; l < one->look_to; l++) {
        uint32_t item = probe->dense[looks[l].item];

        if (item != MODEL_NONE) {
            steps[n] = (struct model_step){item, (uint32_t)n};
            n++;
        }
    }
    return n;
}

size_t probe_steps(const struct probe *probe, const struct next_case *one, struct model_step out_steps[MODEL_SEQUENCE_MAX])
{
    const struct history *history = probe->history;
    size_t from = one->to, lines = 0, skip, n = 0;

    if (probe->domain == MODEL_SESSION) {
        return visit_steps(probe, one, out_steps);
    }
    while (from > one->from && lines < MODEL_SEQUENCE_MAX) {
        lines += history->baskets[--from].lines_n;
    }
    skip = lines > MODEL_SEQUENCE_MAX ? lines - MODEL_SEQUENCE_MAX : 0;
    for (size_t b = from; b < one->to; b++) {
        const struct history_basket *basket = &history->baskets[b];

        for (size_t l = skip; l < basket->lines_n; l++) {
            uint32_t item = probe->dense[history->lines[basket->lines_at + l].item];

            if (item != MODEL_NONE) {
                out_steps[n++] = (struct model_step){item, (uint32_t)(b - from)};
            }
        }
        skip = skip > basket->lines_n ? skip - basket->lines_n : 0;
    }
    return n;
}

/* Marks what was had and what came; gives how many things there are to find. */
static size_t mark_case(struct desk *desk, const struct next_case *one)
{
    const struct probe *probe = desk->asking->probe;
    const struct history *history = probe->history;
    const struct history_basket *target;
    size_t truth_n = 0;

    for (size_t b = one->from; probe->is_new_only && b < one->to; b++) {
        for (size_t l = 0; l < history->baskets[b].lines_n; l++) {
            uint32_t item = probe->dense[history->lines[history->baskets[b].lines_at + l].item];

            if (item != MODEL_NONE) {
                mark(desk, item, MARK_HAD);
            }
        }
    }
    if (one->is_look) {
        uint32_t item = probe->dense[history->looks[one->target].item];

        if (item != MODEL_NONE) {
            mark(desk, item, MARK_TRUTH);
        }
        return 1;
    }
    target = &history->baskets[one->target];
    for (size_t l = 0; l < target->lines_n; l++) {
        uint32_t item = probe->dense[history->lines[target->lines_at + l].item];

        if (item == MODEL_NONE) {
            truth_n++;
        } else if (desk->mark[item] == 0) {
            mark(desk, item, MARK_TRUTH);
            truth_n++;
        }
    }
    return truth_n;
}

/* ---- sums ---- */

static void add_row(struct desk *desk, uint32_t item, float weight)
{
    const struct ridge_w *w = desk->asking->w;

    for (uint32_t k = w->at[item]; k < w->at[item + 1]; k++) {
        add(desk, w->row[k].item, weight * w->row[k].weight);
    }
}

static void sum_w(struct desk *desk, const struct next_case *one)
{
    struct model_step steps[MODEL_SEQUENCE_MAX];
    size_t n = probe_steps(desk->asking->probe, one, steps);
    float most = desk->asking->steps_back;

    for (size_t i = n; i > 0; i--) {
        float back = (float)(steps[n - 1].step - steps[i - 1].step);

        add_row(desk, steps[i - 1].item, most > 0 ? expf(-back / most) : 1);
    }
}

/* Own items by the sum of rho^(baskets since), the SOURCES_MOST or fewest best; gives how many. */
static size_t count_own(struct desk *desk, const struct next_case *one, struct topk *best)
{
    const struct probe *probe = desk->asking->probe;
    const struct history *history = probe->history;
    float count = 1;

    for (size_t b = one->to; b > one->from; b--, count *= desk->asking->rho) {
        const struct history_basket *basket = &history->baskets[b - 1];

        for (size_t l = 0; l < basket->lines_n; l++) {
            uint32_t item = probe->dense[history->lines[basket->lines_at + l].item];

            if (item != MODEL_NONE && (desk->mark[item] & MARK_COUNTED) == 0) {
                add(desk, item, count);
                mark(desk, item, MARK_COUNTED);
            }
        }
        for (size_t l = 0; l < basket->lines_n; l++) { /* an item counts once a basket */
            uint32_t item = probe->dense[history->lines[basket->lines_at + l].item];

            if (item != MODEL_NONE) {
                desk->mark[item] &= (uint8_t)~MARK_COUNTED;
            }
        }
    }
    for (size_t i = 0; i < desk->touched_n; i++) {
        float tie = desk->asking->popular != NULL ? 1e-4f * log1pf(desk->asking->popular[desk->touched[i]]) : 0;

        topk_offer(best, desk->sum[desk->touched[i]] + tie, desk->touched[i]);
    }
    topk_sort(best);
    return best->n;
}

static void sum_together(struct desk *desk, const struct next_case *one)
{
    struct topk_entry room[SOURCES_MOST];
    struct topk best = topk_of(room, SOURCES_MOST);
    size_t n = count_own(desk, one, &best);

    for (size_t i = 0; i < desk->touched_n; i++) {
        desk->sum[desk->touched[i]] = 0;
        desk->is_touched[desk->touched[i]] = 0;
    }
    desk->touched_n = 0;
    for (size_t i = 0; i < n; i++) {
        add_row(desk, best.at[i].item, sqrtf(best.at[i].score));
    }
}

static void sum_neighbours(struct desk *desk, const struct next_case *one)
{
    const struct asking *asking = desk->asking;
    struct model_step steps[MODEL_SEQUENCE_MAX];
    size_t n = probe_steps(asking->probe, one, steps);
    struct tally vstan, vmis;
    const struct tally *sum = asking->is_vmis ? &vmis : &vstan;
    struct model_view view = *asking->view;

    view.owner = history_owner(asking->probe->history, one->customer);
    if (model_session_score(&view, asking->probe->domain, asking->settings, steps, n, one->at_ms, &desk->arena,
                            &vstan, &vmis) != ERR_OK) {
        return;
    }
    for (size_t i = 0; sum->n > 0 && i <= sum->mask; i++) {
        if (sum->slot[i].key != 0) {
            add(desk, sum->slot[i].key - 1, sum->slot[i].sum);
        }
    }
}

/* ---- scores ---- */

static struct case_score score_list(const struct desk *desk, const struct topk *best, size_t truth_n)
{
    struct case_score score = {.is_asked = true};
    double gain = 0, ideal = 0;
    size_t hits = 0;

    for (size_t r = 0; r < PROBE_LIST; r++) {
        double place = 1 / log2((double)r + 2);

        ideal += r < truth_n ? place : 0;
        if (r < best->n && (desk->mark[best->at[r].item] & MARK_TRUTH) != 0) {
            score.mrr = hits == 0 ? 1.0f / (float)(r + 1) : score.mrr;
            gain += place;
            hits++;
        }
    }
    score.hr = hits > 0;
    score.recall = (float)hits / (float)truth_n;
    score.ndcg = (float)(gain / ideal);
    return score;
}

static void offer_sums(const struct desk *desk, struct topk *best)
{
    for (size_t i = 0; i < desk->touched_n; i++) {
        uint32_t item = desk->touched[i];

        if (desk->sum[item] > 0 && (desk->mark[item] & MARK_HAD) == 0) {
            topk_offer(best, desk->sum[item], item);
        }
    }
    topk_sort(best);
}

static void ask(struct desk *desk, size_t c)
{
    const struct asking *asking = desk->asking;
    const struct next_case *one = &asking->probe->cases[c];
    struct topk_entry room[PROBE_LIST];
    struct topk best = topk_of(room, PROBE_LIST);
    size_t truth_n = mark_case(desk, one);

    if (truth_n == 0) {
        return;
    }
    if (asking->view != NULL) {
        sum_neighbours(desk, one);
    } else if (asking->w == NULL) {
        (void)count_own(desk, one, &best);
    } else if (asking->is_together) {
        sum_together(desk, one);
    } else {
        sum_w(desk, one);
    }
    if (asking->w != NULL || asking->view != NULL) { /* own purchases are in order already */
        offer_sums(desk, &best);
    }
    asking->scores[c] = score_list(desk, &best, truth_n);
}

static void ask_part(void *ctx, size_t from, size_t to)
{
    const struct asking *asking = ctx;
    size_t n = asking->probe->items_n;
    struct desk desk = {.asking = asking};

    desk.sum = history_zero(n, sizeof(*desk.sum));
    desk.mark = history_zero(n, 1);
    desk.is_touched = history_zero(n, 1);
    desk.touched = history_grow(NULL, n, sizeof(*desk.touched));
    desk.marked = history_grow(NULL, n, sizeof(*desk.marked));
    arena_open(&desk.arena, 1 << 20, 1 << 27);
    for (size_t c = from; c < to; c++) {
        ask(&desk, c);
        wipe(&desk);
    }
    arena_close(&desk.arena);
    free(desk.sum);
    free(desk.mark);
    free(desk.is_touched);
    free(desk.touched);
    free(desk.marked);
}

/* Each case on its own, then means in their order: the same for any number of threads. */
static struct probe_score run(struct asking *asking)
{
    const struct probe *probe = asking->probe;
    struct probe_score mean = {0};

    asking->scores = history_zero(probe->n, sizeof(*asking->scores));
    pool_run(probe->threads, CASES_PIECE, probe->n, ask_part, asking);
    for (size_t c = 0; c < probe->n; c++) {
        const struct case_score *score = &asking->scores[c];

        mean.cases_n += score->is_asked;
        mean.hr20 += (double)score->hr;
        mean.mrr20 += (double)score->mrr;
        mean.recall20 += (double)score->recall;
        mean.ndcg20 += (double)score->ndcg;
    }
    if (mean.cases_n > 0) {
        mean.hr20 /= (double)mean.cases_n;
        mean.mrr20 /= (double)mean.cases_n;
        mean.recall20 /= (double)mean.cases_n;
        mean.ndcg20 /= (double)mean.cases_n;
    }
    free(asking->scores);
    return mean;
}

struct probe_score probe_w(const struct probe *probe, const struct ridge_w *w, float w_steps)
{
    return run(&(struct asking){.probe = probe, .w = w, .steps_back = w_steps});
}

struct probe_score probe_together(const struct probe *probe, const struct ridge_w *w, float rho_source)
{
    return run(&(struct asking){.probe = probe, .w = w, .is_together = true, .rho = rho_source});
}

struct probe_score probe_neighbours(const struct probe *probe, const struct model_view *view,
                                    const struct model_domain_settings *settings, bool is_vmis)
{
    return run(&(struct asking){.probe = probe, .view = view, .settings = settings, .is_vmis = is_vmis});
}

struct probe_score probe_own(const struct probe *probe, const float *popular, float rho)
{
    return run(&(struct asking){.probe = probe, .popular = popular, .rho = rho});
}

double probe_worth(const struct probe_score *score, enum model_domain domain)
{
    return domain == MODEL_SESSION ? score->hr20 + 1.5 * score->mrr20 : score->recall20 + score->ndcg20;
}
