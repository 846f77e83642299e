/* SPDX-License-Identifier: Apache-2.0 */
/* match_inside.h - what match.c, match_block.c and match_close.c share; nobody else includes it. */
#pragma once

#include "train/match.h"

struct match_rows { /* the table with its values numbered */
    const struct match_table *table;
    const struct match_options *options;
    uint32_t *code;    /* rows_n * fields_n; 0 is missing, equal values of a field have equal codes */
    uint32_t *count[MATCH_FIELDS_MAX]; /* rows by code; [0]: rows that have a value */
    size_t swaps[MATCH_FIELDS_MAX][2], swaps_n; /* fields written in each other's place */
};

/* Pairs to look at, each once, ascending: a << 32 | b with a < b. Owned by the caller. */
uint64_t *match_block(const struct match_rows *rows, size_t *out_n, size_t *out_cut_n);
/* Levels of two rows. */
uint32_t match_levels(const struct match_rows *rows, size_t a, size_t b);
double match_weight(const struct match_rows *rows, const struct match_model *model, size_t a, size_t b, uint32_t levels);
/* Does more than the household agree? Where rows of one person seldom differ in the given name, another name on the same
 * birthday is a twin. */
bool match_is_person(const struct match_rows *rows, const struct match_model *model, uint32_t levels);
/* Fills component and components_n; turns links that are not followed into MATCH_GUARDED. */
void match_close(const struct match_rows *rows, struct match_result *result);
static inline enum likeness_level match_level(uint32_t levels, size_t field)
{
    return (enum likeness_level)(levels >> (2 * field) & 3);
}
