/* SPDX-License-Identifier: Apache-2.0 */
/* match_file.h - a customer file into compared forms, and what was found held against a column of truth. */
#pragma once

#include "train/match.h"

struct match_asked {
    const char *path, *id, *truth; /* truth NULL: none */
    bool is_truth_digits;          /* only the first run of digits of the truth column counts */
    const char *fields;            /* "name=given_name,surname,..."; NULL: every other column, kinds guessed */
};

struct match_file { /* owned: match_file_close */
    struct arena arena;
    enum likeness_kind kinds[MATCH_FIELDS_MAX];
    struct bytes names[MATCH_FIELDS_MAX]; /* columns */
    size_t columns[MATCH_FIELDS_MAX], fields_n, id_column, truth_column;
    struct bytes *values, *ids; /* rows_n * fields_n; rows_n */
    uint64_t *truth;            /* hash of the truth column; NULL: none; a row without one is alone */
    size_t rows_n;
    uint64_t rejected_n, rejected_line;
    struct why rejected; /* of the first rejected row */
};

struct match_score {
    uint64_t found_n, right_n, true_n; /* pairs */
    double precision, recall, f1;      /* 0 where nothing was found or is true */
};

/* Errors: ERR_ABSENT, ERR_IO, ERR_CORRUPT of the file; ERR_INVALID: a column is missing, a kind unknown, too many
 * fields, a row that never ends; ERR_NOMEM. No value of a row is ever said. Open or not, close is safe. */
MUST_USE enum err match_file_open(const struct match_asked *asked, struct match_file *out_file, struct why *why);
void match_file_close(struct match_file *file);
/* Of the links alone, guarded ones included, and of all pairs of the components. file has a truth. */
struct match_score match_score_links(const struct match_file *file, const struct match_result *result);
struct match_score match_score_components(const struct match_file *file, const struct match_result *result);
