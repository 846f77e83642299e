/* SPDX-License-Identifier: Apache-2.0 */
/* rank_rows.h - the examples a head learns from: the candidates of cases, their features, and whether they came.
 *
 * Made by decide/evidence.h, the code that serves, against base models that saw nothing of the cases (evaluation.md 1.5). A case
 * without a hit among its candidates teaches nothing and is left out. */
#pragma once

#include "model/model_view.h"
#include "train/cases.h"

struct rank_rows {    /* all zero: none; rank_rows_free */
    float *value;     /* n x FEATURES */
    uint8_t *hit;
    float *weight;    /* of a case: |what came|^-power */
    size_t n;
    size_t *case_at;  /* cases_n + 1: rows of one case stand together */
    size_t cases_n;
};

/* Adds the rows of the cases (evenly thinned to cases_most; 0: all) in their order: any number of threads gives the same rows. masks: what was
 * bought or looked at before is no candidate (protocols that mask it). power: 0 .. 1. */
void rank_rows_add(struct rank_rows *rows, const struct history *history, const struct model_view *view,
                   const struct next_case *cases, size_t n, size_t cases_most, float power, bool masks, size_t threads);
void rank_rows_free(struct rank_rows *rows);
