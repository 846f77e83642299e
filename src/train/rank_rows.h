/* SPDX-License-Identifier: Apache-2.0 */
/* rank_rows.h - the examples a head learns from: the candidates of cases, their features, and whether they came.
 *
 * Made by decide/evidence.h, the code that serves, against base models that saw nothing of the cases (evaluation.md 1.5). A case
 * without a hit among its candidates teaches nothing and is left out, unless the rows are there to judge. */
#pragma once

#include "model/model_feature.h"
#include "model/model_view.h"
#include "train/cases.h"

struct rank_rows {      /* all zero: none; rank_rows_free */
    float *value;       /* n x FEATURES */
    uint8_t *hit;
    float *weight;      /* of a case: |what came|^-power; times how many rows it stands for */
    float *stands;      /* rows that it stands for: 1, more where others were left out */
    uint32_t *item;     /* number in the view it was made with */
    size_t n, room;
    size_t *case_at;    /* cases_n + 1: rows of one case stand together */
    uint32_t *case_of;  /* by case: its place among the cases given */
    uint32_t *truth_n;  /* by case: things to be found, among the candidates or not */
    size_t cases_n, cases_room;
};

struct rank_asking {    /* what rows are made of */
    const struct history *history;
    const struct model_view *view;
    const struct next_case *cases;
    size_t n;
    size_t cases_most;  /* evenly thinned to so many; 0: all */
    size_t rows_most;   /* about so many rows, a row is 400 bytes: rows of cases are thinned, then cases; 0: no bound */
    size_t case_least;  /* how far the rows of a case may be thinned for that, hits apart; 0: not at all */
    size_t case_most;   /* rows of a case: hits, and others drawn evenly, which count for those left out; 0: all */
    float power;        /* 0 .. 1 */
    bool masks;         /* what was bought or looked at before is no candidate: protocols that hide it */
    bool keeps_misses;
    size_t threads;
};

/* Is the item among what came? */
bool rank_rows_is_hit(const struct history *history, const struct next_case *one, uint64_t id);
/* Adds the rows of the cases in their order: any number of threads gives the same rows. Memory: the rows, and those of 512 cases. */
void rank_rows_add(struct rank_rows *rows, const struct rank_asking *asking);
/* Moves the rows of `from` behind those of `rows`; from is empty then. */
void rank_rows_append(struct rank_rows *rows, struct rank_rows *from);
/* Weights of all cases for another power. */
void rank_rows_weigh(struct rank_rows *rows, float power);
/* Keeps every k-th case alone, from the first. */
void rank_rows_thin(const struct rank_rows *rows, size_t k, struct rank_rows *out_rows);
/* Sets the values of the hidden features to 0, giving what they were; rank_rows_show puts them back and frees that. */
float *rank_rows_hide(struct rank_rows *rows, const bool hidden[FEATURES]);
void rank_rows_show(struct rank_rows *rows, const bool hidden[FEATURES], float *saved);
void rank_rows_free(struct rank_rows *rows);
