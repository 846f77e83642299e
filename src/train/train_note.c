/* SPDX-License-Identifier: Apache-2.0 */
#include "train/train_note.h"

#include "base/json_write.h"

static const char *const head_names[MODEL_HEADS_] = {"visit", "purchase"};

static void ridge_json(const struct ridge_settings *s, const char *name, struct json_write *w)
{
    if (s->neighbours == 0) {
        return;
    }
    json_write_object(w, name);
    json_write_fixed(w, "alpha", (double)s->alpha, 3);
    json_write_fixed(w, "lambda", (double)s->lambda, 3);
    json_write_fixed(w, "gamma", (double)s->gamma, 3);
    json_write_fixed(w, "delta", (double)s->delta, 3);
    json_write_fixed(w, "doubt", (double)s->doubt, 3);
    json_write_fixed(w, "tau", (double)s->tau, 2);
    json_write_fixed(w, "ageDays", (double)s->age_days, 2);
    json_write_fixed(w, "doubt", (double)s->doubt, 2);
    json_write_int(w, "neighbours", (int64_t)s->neighbours);
    json_write_end(w);
}

static void domain_json(const struct model_domain_settings *s, const char *name, struct json_write *w)
{
    if (!s->is_learnt) {
        return;
    }
    json_write_object(w, name);
    json_write_int(w, "postings", s->postings);
    json_write_int(w, "neighbours", s->neighbours);
    json_write_int(w, "vmisNeighbours", s->vmis_neighbours);
    json_write_fixed(w, "wSteps", (double)s->w_steps, 2);
    json_write_fixed(w, "positionSteps", (double)s->position_steps, 2);
    json_write_fixed(w, "ageDays", (double)s->age_days, 2);
    json_write_fixed(w, "neighbourSteps", (double)s->neighbour_steps, 2);
    json_write_fixed(w, "sessionSteps", (double)s->session_steps, 2);
    json_write_fixed(w, "idf", (double)s->idf, 2);
    json_write_int(w, "uses", s->uses);
    json_write_end(w);
}

void train_settings_json(const struct train_settings *s, struct json_write *w)
{
    static const char *const names[MODEL_WS_] = {[MODEL_W_TOGETHER] = "together", [MODEL_W_SESSION] = "nextLook",
                                                 [MODEL_W_HISTORY] = "nextPurchase", [MODEL_W_BOUGHT] = "boughtAfter"};

    json_write_fixed(w, "windowDays", (double)s->base.window_ms / (double)DAY_MS, 0);
    json_write_fixed(w, "rho", (double)s->rho, 3);
    json_write_fixed(w, "rhoSource", (double)s->rho_source, 3);
    json_write_fixed(w, "casePower", (double)s->case_power, 2);
    for (int kind = 0; kind < MODEL_WS_; kind++) {
        if (names[kind] != NULL) {
            ridge_json(&s->base.w[kind], names[kind], w);
        }
    }
    domain_json(&s->base.domain[MODEL_SESSION], "visitsAlike", w);
    domain_json(&s->base.domain[MODEL_HISTORY], "buyersAlike", w);
}

static void scores_json(const struct train_scores *s, enum model_head_kind kind, struct json_write *w)
{
    if (kind == MODEL_HEAD_SESSION) {
        json_write_fixed(w, "hr@20", s->hr20, 4);
        json_write_fixed(w, "mrr@20", s->mrr20, 4);
        return;
    }
    json_write_fixed(w, "recall@10", s->recall10, 4);
    json_write_fixed(w, "recall@20", s->recall20, 4);
    json_write_fixed(w, "ndcg@10", s->ndcg10, 4);
    json_write_fixed(w, "ndcg@20", s->ndcg20, 4);
    json_write_fixed(w, "phr@10", s->phr10, 4);
}

static void heads_json(const struct train_report *report, struct json_write *w)
{
    json_write_array(w, "heads");
    for (int h = 0; h < MODEL_HEADS_; h++) {
        const struct train_head *head = &report->head[h];

        if (head->cases_n == 0) {
            continue;
        }
        json_write_object(w, NULL);
        json_write_word(w, "head", head_names[h]);
        json_write_int(w, "cases", (int64_t)head->cases_n);
        json_write_int(w, "learnCases", (int64_t)head->learn_cases_n);
        json_write_int(w, "trees", (int64_t)head->trees_n);
        scores_json(&head->scores, (enum model_head_kind)h, w);
        json_write_object(w, "popular");
        scores_json(&head->popular, (enum model_head_kind)h, w);
        json_write_end(w);
        json_write_fixed(w, "listWorth", head->list_worth, 4);
        json_write_fixed(w, "sumWorth", head->sum_worth, 4);
        json_write_fixed(w, "treesWorth", head->trees_worth, 4);
        json_write_fixed(w, "found", head->found, 4);
        json_write_fixed(w, "coverage@20", head->coverage20, 4);
        json_write_end(w);
    }
    json_write_end(w);
}

static void parts_json(const struct train_report *report, struct json_write *w)
{
    json_write_array(w, "parts");
    for (size_t i = 0; i < report->parts_n; i++) {
        const struct train_part *part = &report->parts[i];

        json_write_object(w, NULL);
        json_write_word(w, "head", head_names[part->head]);
        json_write_word(w, "part", part->name);
        json_write_fixed(w, "adds", part->with - part->without, 4);
        json_write_bool(w, "isLeftOut", part->is_left_out);
        json_write_end(w);
    }
    json_write_end(w);
}

static void groups_json(const struct train_report *report, struct json_write *w)
{
    json_write_array(w, "trainGroups");
    for (size_t i = 0; i < report->groups_n; i++) {
        const struct train_group *group = &report->groups[i];

        json_write_object(w, NULL);
        json_write_word(w, "head", head_names[group->head]);
        json_write_word(w, "kind", group->kind);
        json_write_word(w, "name", group->name);
        json_write_int(w, "cases", (int64_t)group->cases_n);
        scores_json(&group->scores, group->head, w);
        json_write_end(w);
    }
    json_write_end(w);
}

void train_note_json(const struct train_report *report, struct json_write *w)
{
    json_write_array(w, "stages");
    for (size_t i = 0; i < report->stages_n; i++) {
        const struct train_stage *stage = &report->stages[i];

        json_write_object(w, NULL);
        json_write_word(w, "stage", stage->name);
        json_write_int(w, "cases", (int64_t)stage->cases_n);
        json_write_int(w, "tried", (int64_t)stage->tried_n);
        json_write_bool(w, "isCut", stage->is_cut);
        json_write_fixed(w, "worthFirst", stage->worth_start, 4);
        json_write_fixed(w, "worth", stage->worth, 4);
        json_write_end(w);
    }
    json_write_end(w);
    json_write_array(w, "changes");
    for (size_t i = 0; i < report->changes_n; i++) {
        const struct train_change *change = &report->changes[i];

        json_write_object(w, NULL);
        json_write_word(w, "stage", change->stage);
        json_write_word(w, "setting", change->name);
        json_write_fixed(w, "from", change->from, 3);
        json_write_fixed(w, "to", change->to, 3);
        json_write_fixed(w, "gain", change->gain, 4);
        json_write_end(w);
    }
    json_write_end(w);
    heads_json(report, w);
    parts_json(report, w);
    groups_json(report, w);
}

struct bytes train_note(const struct train_report *report, const struct report *proof, struct arena *arena)
{
    struct json_write w;

    json_write_open(&w, arena, 8192);
    json_write_object(&w, NULL);
    json_write_object(&w, "settings");
    train_settings_json(&report->settings, &w);
    json_write_int(&w, "tried", (int64_t)report->tried_n);
    json_write_end(&w);
    train_note_json(report, &w);
    if (proof != NULL) {
        report_json(proof, &w);
    }
    json_write_end(&w);
    return json_write_bytes(&w);
}

/* ---- as text ---- */

static void head_text(const struct train_report *report, int h, FILE *to)
{
    const struct train_head *head = &report->head[h];

    if (head->cases_n == 0) {
        return;
    }
    if (h == MODEL_HEAD_SESSION) {
        fprintf(to, "\nWhat a visitor looks at next: %zu held-back looks; learnt from %zu others\n", head->cases_n, head->learn_cases_n);
        fprintf(to, "  among the first twenty  %5.1f %%   best sellers %5.1f %%\n", 100 * head->scores.hr20, 100 * head->popular.hr20);
        fprintf(to, "  mean of 1 / place       %6.4f   best sellers %6.4f\n", head->scores.mrr20, head->popular.mrr20);
    } else {
        fprintf(to, "\nWhat a customer buys next: %zu held-back baskets; learnt from %zu others\n", head->cases_n, head->learn_cases_n);
        fprintf(to, "  of a basket among the first ten    %5.1f %%   best sellers %5.1f %%\n", 100 * head->scores.recall10,
                100 * head->popular.recall10);
        fprintf(to, "  baskets with at least one of them  %5.1f %%   best sellers %5.1f %%\n", 100 * head->scores.phr10,
                100 * head->popular.phr10);
    }
    fprintf(to, "  of what came, %.1f %% was among the candidates; %.1f %% of all items stand in somebody's first twenty\n",
            100 * head->found, 100 * head->coverage20);
    if (head->trees_n > 0) {
        fprintf(to, "  ranked by %zu trees (worth %.4f; the sum %.4f; the best list alone %.4f)\n", head->trees_n, head->trees_worth,
                head->sum_worth, head->list_worth);
    } else {
        fprintf(to, "  ranked by a sum (worth %.4f; trees %.4f; the best list alone %.4f)\n", head->sum_worth, head->trees_worth,
                head->list_worth);
    }
    for (size_t i = 0; i < report->parts_n; i++) {
        const struct train_part *part = &report->parts[i];

        if ((int)part->head == h) {
            fprintf(to, "  %-30s adds %+.4f%s\n", part->name, part->with - part->without, part->is_left_out ? ", left out" : "");
        }
    }
    for (size_t i = 0; i < report->groups_n; i++) {
        const struct train_group *group = &report->groups[i];

        if ((int)group->head == h) {
            fprintf(to, "  %-16s %-26s %6zu cases  %6.4f %6.4f\n", group->kind, group->name, group->cases_n,
                    h == MODEL_HEAD_SESSION ? group->scores.hr20 : group->scores.recall10,
                    h == MODEL_HEAD_SESSION ? group->scores.mrr20 : group->scores.ndcg10);
        }
    }
}

void train_note_text(const struct train_report *report, FILE *to)
{
    fprintf(to, "%zu settings tried\n", report->tried_n);
    for (size_t i = 0; i < report->stages_n; i++) {
        const struct train_stage *stage = &report->stages[i];

        fprintf(to, "  %-16s %5zu cases, %3zu tried in %.0f s%s: %.4f -> %.4f\n", stage->name, stage->cases_n, stage->tried_n,
                stage->seconds, stage->is_cut ? " (time was up)" : "", stage->worth_start, stage->worth);
        for (size_t c = 0; c < report->changes_n; c++) {
            const struct train_change *change = &report->changes[c];

            if (strcmp(change->stage, stage->name) == 0) {
                fprintf(to, "      %-16s %.3g instead of %.3g: %+.4f\n", change->name, change->to, change->from, change->gain);
            }
        }
    }
    for (int h = 0; h < MODEL_HEADS_; h++) {
        head_text(report, h, to);
    }
}
