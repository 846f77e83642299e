/* SPDX-License-Identifier: Apache-2.0 */
#include "train/tune.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct trial {
    size_t at[TUNE_AXES];
    double worth;
};

struct search {
    const struct tune_problem *problem;
    struct tune_result *result;
    struct trial tried[TUNE_TRIALS];
    double begun, longest;
};

static bool is_time_left(const struct search *search)
{
    double spent = search->problem->seconds_now() - search->begun;

    return search->result->tried_n < TUNE_TRIALS && spent + search->longest <= search->problem->seconds_most;
}

/* False when there is no time to find out. */
static bool judge(struct search *search, const size_t at[TUNE_AXES], double *out_worth)
{
    struct tune_result *result = search->result;
    double begun, worth;

    for (size_t t = 0; t < result->tried_n; t++) {
        if (memcmp(search->tried[t].at, at, sizeof(search->tried[t].at)) == 0) {
            *out_worth = search->tried[t].worth;
            return true;
        }
    }
    if (result->tried_n > 0 && !is_time_left(search)) {
        result->is_cut = true;
        return false;
    }
    begun = search->problem->seconds_now();
    worth = search->problem->worth(search->problem->ctx, at);
    worth = isnan(worth) ? (double)-INFINITY : worth;
    search->longest = fmax(search->longest, search->problem->seconds_now() - begun);
    memcpy(search->tried[result->tried_n].at, at, sizeof(search->tried->at));
    search->tried[result->tried_n++].worth = worth;
    *out_worth = worth;
    return true;
}

/* Judges axis a at `place`; takes it when it is better. */
static bool improve(struct search *search, size_t a, size_t place)
{
    struct tune_result *result = search->result;
    size_t at[TUNE_AXES];
    double worth;

    memcpy(at, result->at, sizeof(at));
    at[a] = place;
    if (!judge(search, at, &worth) || !(worth > result->worth + search->problem->least)) {
        return false;
    }
    result->gain[a] += isinf(result->worth) ? 0 : worth - result->worth;
    result->worth = worth;
    result->at[a] = place;
    return true;
}

static bool walk(struct search *search, size_t a)
{
    const struct tune_axis *axis = &search->problem->axis[a];
    bool has_changed = false;

    if (axis->is_choice) {
        for (size_t place = 0; place < axis->n; place++) {
            has_changed |= improve(search, a, place);
        }
        return has_changed;
    }
    while (search->result->at[a] + 1 < axis->n && improve(search, a, search->result->at[a] + 1)) {
        has_changed = true;
    }
    for (bool is_down = !has_changed; is_down && search->result->at[a] > 0; has_changed |= is_down) {
        is_down = improve(search, a, search->result->at[a] - 1);
    }
    return has_changed;
}

void tune_run(const struct tune_problem *problem, struct tune_result *out_result)
{
    struct search search = {.problem = problem, .result = out_result, .begun = problem->seconds_now()};
    bool has_changed = true;

    assert(problem->n <= TUNE_AXES);
    *out_result = (struct tune_result){.is_cut = false};
    for (size_t a = 0; a < problem->n; a++) {
        assert(problem->axis[a].n <= TUNE_VALUES && problem->axis[a].start < problem->axis[a].n);
        out_result->at[a] = problem->axis[a].start;
    }
    (void)judge(&search, out_result->at, &out_result->worth);
    out_result->start_worth = out_result->worth;
    for (size_t pass = 0; has_changed && !out_result->is_cut && (problem->passes_most == 0 || pass < problem->passes_most); pass++) {
        has_changed = false;
        for (size_t a = 0; a < problem->n && !out_result->is_cut; a++) {
            has_changed |= walk(&search, a);
        }
    }
}
