/* SPDX-License-Identifier: Apache-2.0 */
#include "train/tune.h"

#include "base/rng.h"
#include "base/test.h"

#include <math.h>

enum { AXES = 4 };

struct planted { /* a hill: its top lies at `top`; turn mixes the first two axes */
    size_t top[AXES];
    double turn;
    size_t calls;
};

static double clock_now, clock_step; /* a trial takes clock_step */

static double seconds_now(void)
{
    return clock_now;
}

static double hill(void *ctx, const size_t at[TUNE_AXES])
{
    struct planted *planted = ctx;
    double worth = 0, away[AXES];

    planted->calls++;
    clock_now += clock_step;
    for (size_t a = 0; a < AXES; a++) {
        away[a] = (double)at[a] - (double)planted->top[a];
        worth -= away[a] * away[a];
    }
    return worth - planted->turn * away[0] * away[1];
}

static struct tune_problem problem_of(struct planted *planted)
{
    struct tune_problem problem = {.n = AXES, .worth = hill, .ctx = planted, .least = 1e-9, .seconds_most = 1e9,
                                   .seconds_now = seconds_now};

    for (size_t a = 0; a < AXES; a++) {
        problem.axis[a] = (struct tune_axis){.name = "x", .n = TUNE_VALUES, .start = 3};
    }
    clock_now = 0;
    clock_step = 1;
    return problem;
}

PROPERTY(tune_finds_the_top_of_a_hill_wherever_it_starts)
{
    struct planted planted = {.turn = (double)rng_below(rng, 100) / 100};
    struct tune_problem problem = problem_of(&planted);
    struct tune_result result, again;

    for (size_t a = 0; a < AXES; a++) {
        planted.top[a] = (size_t)rng_below(rng, TUNE_VALUES);
        problem.axis[a].start = (size_t)rng_below(rng, TUNE_VALUES);
        problem.axis[a].is_choice = rng_below(rng, 3) == 0;
    }
    tune_run(&problem, &result);
    if (planted.turn < 0.5) { /* sharper ridges across two axes can hold one who moves along one */
        for (size_t a = 0; a < AXES; a++) {
            CHECK_INT(result.at[a], planted.top[a]);
        }
    }
    CHECK(result.worth >= result.start_worth);
    CHECK_INT(result.tried_n, planted.calls); /* nothing is judged twice */
    CHECK(!result.is_cut);
    clock_step = 7;
    tune_run(&problem, &again); /* the same answer, however long a trial takes while all fits */
    CHECK_SAME_BYTES(again.at, result.at, sizeof(result.at));
}

TEST(tune_says_what_each_axis_gained)
{
    struct planted planted = {.top = {3, 5, 3, 0}};
    struct tune_problem problem = problem_of(&planted);
    struct tune_result result;

    tune_run(&problem, &result);
    CHECK_WITHIN(result.start_worth, -13, 1e-12);
    CHECK_WITHIN(result.worth, 0, 1e-12);
    CHECK_WITHIN(result.gain[0], 0, 1e-12);
    CHECK_WITHIN(result.gain[1], 4, 1e-12);
    CHECK_WITHIN(result.gain[3], 9, 1e-12);
}

PROPERTY(tune_keeps_within_the_time_but_for_the_start)
{
    struct planted planted = {.top = {7, 0, 7, 0}};
    struct tune_problem problem = problem_of(&planted);
    struct tune_result result;

    clock_step = (double)(1 + rng_below(rng, 9));
    problem.seconds_most = (double)rng_below(rng, 60);
    tune_run(&problem, &result);
    CHECK(clock_now <= fmax(problem.seconds_most, clock_step));
    CHECK(result.tried_n >= 1);
    CHECK(result.is_cut || result.worth > -1e-9);
}

static double flat(void *ctx, const size_t at[TUNE_AXES])
{
    (void)ctx;
    return at[0] == 1 ? (double)NAN : 0.5 + 0.001 * (double)at[0];
}

TEST(tune_keeps_the_start_when_nothing_is_worth_it)
{
    struct tune_problem problem = {.n = 1, .worth = flat, .least = 0.01, .seconds_most = 10, .seconds_now = seconds_now};
    struct tune_result result;

    problem.axis[0] = (struct tune_axis){.name = "x", .value = {1, 2, 3}, .n = 3, .start = 2, .is_choice = true};
    tune_run(&problem, &result);
    CHECK_INT(result.at[0], 2);
    problem.axis[0].start = 1; /* a start that is no number gives way to anything */
    tune_run(&problem, &result);
    CHECK_INT(result.at[0], 0);
    problem.n = 0;
    tune_run(&problem, &result);
    CHECK_INT(result.tried_n, 1);
}
