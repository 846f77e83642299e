/* SPDX-License-Identifier: Apache-2.0 */
/* tune.h - looks for good settings, one axis after the other, within a budget of time.
 *
 * An axis is a short list of values. From the start, each axis in turn is walked outwards while it helps (an ordered
 * axis) or tried through (any other); passes over all axes go on until one changes nothing. What was judged once is not judged
 * again. A change counts when it is worth more by `least`: ties and noise keep what is there, so the start wins them. Where the clock
 * is not the limit the same problem gives the same answer. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { TUNE_AXES = 8, TUNE_VALUES = 8, TUNE_TRIALS = 256 };

struct tune_axis {
    const char *name; /* camelCase, for the report */
    double value[TUNE_VALUES];
    size_t n, start;  /* values; the place of the one to begin with */
    bool is_choice;   /* the values have no order */
};

struct tune_problem {
    struct tune_axis axis[TUNE_AXES];
    size_t n;
    /* What the settings are worth, larger is better; at: a place in each axis. Not a number: as bad as can be. */
    double (*worth)(void *ctx, const size_t at[TUNE_AXES]);
    void *ctx;
    double least;        /* a change must be worth so much more */
    size_t passes_most;  /* 0: until nothing changes */
    double seconds_most;
    double (*seconds_now)(void);
};

struct tune_result {
    size_t at[TUNE_AXES];
    double worth, start_worth;
    double gain[TUNE_AXES]; /* what the changes of each axis added when they were made */
    size_t tried_n;
    bool is_cut;            /* the time was up before all was tried */
};

/* The start is judged in any case; another trial begins only where one as long as the longest so far still fits. */
void tune_run(const struct tune_problem *problem, struct tune_result *out_result);
