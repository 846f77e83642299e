/* SPDX-License-Identifier: Apache-2.0 */
/* match.h - which rows of a customer file are one person? Fellegi-Sunter, learnt from the file itself.
 *
 *     weight = ln(lam / (1 - lam)) + sum over fields of ln(m[level] / u[level])        missing counts 0
 * u comes from random pairs, m and lam from EM over the pairs looked at, .5 added to every cell. lam is the share of ALL pairs
 * of the file that are matches, not of those looked at: u is about all pairs, so both speak of the same lot, and lam stays below
 * (pairs looked at) / (all pairs) by itself. m of a field is learnt from pairs that at least two other fields would have found.
 * An exact value weighs by how frequent it is (Smith less than Ramsbottom).
 *
 * Looked at are pairs with the same value in one or two fields (blocks). A block of more than block_most rows is not looked at
 * whole: each row meets the MATCH_WINDOW after it, equal rows being neighbours. Work is bounded by rows, not by their likeness.
 *
 * A pair is a link at >= link_at if also the person agrees: an id, or two of given name, surname, date, id, not all of
 * which is the surname. An address never links. Components grow only where many agree (match_close). Rows are never changed.
 * Origin: Fellegi, Sunter, "A Theory for Record Linkage", JASA 1969; frequency: Winkler 1989. One thread. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "identity/likeness.h"

enum { MATCH_FIELDS_MAX = 16, MATCH_WINDOW = 8, MATCH_BLOCK_MOST = 100, MATCH_COMPONENT_MOST = 50 };
#define MATCH_PAIRS_MOST ((size_t)1 << 27) /* of 12 bytes; blocks are made smaller until they fit */

struct match_table { /* borrowed; values: compared forms (likeness_form), row after row */
    size_t rows_n, fields_n; /* fields 1 .. MATCH_FIELDS_MAX, rows below 2^32 */
    const enum likeness_kind *kinds;
    const struct bytes *values;
};

struct match_options {
    double link_at, doubtful_from; /* probabilities */
    size_t block_most, component_most, pairs_most;
    uint64_t seed;
};
#define MATCH_OPTIONS ((struct match_options){.999, .9, MATCH_BLOCK_MOST, MATCH_COMPONENT_MOST, MATCH_PAIRS_MOST, 1})

struct match_model { /* m and u by field and level; [MISSING] is not used */
    double m[MATCH_FIELDS_MAX][4], u[MATCH_FIELDS_MAX][4];
    double lam;
};

/* How often the levels were met: a pattern has two bits a field, field 0 lowest. */
struct match_pattern {
    uint32_t levels;
    double n;
};
/* EM over patterns of pairs looked at; random: patterns of random pairs, for u. all_pairs_n: pairs of the whole file. */
void match_learn(const struct match_pattern *looked, size_t looked_n, const struct match_pattern *random, size_t random_n,
                 size_t fields_n, double all_pairs_n, struct match_model *out_model);

enum match_verdict {
    MATCH_LINK,
    MATCH_DOUBTFUL, /* between the two probabilities */
    MATCH_PERSONLESS, /* probable enough, but only the household agrees */
    MATCH_GUARDED,  /* a link that match_close did not follow: two groups that do not agree otherwise */
};

struct match_pair {
    uint32_t a, b; /* rows, a < b */
    float weight;
    enum match_verdict verdict;
};

struct match_result { /* owned: match_free */
    struct match_model model;
    struct match_pair *pairs; /* links and the rest, heaviest first, then by rows */
    size_t pairs_n, looked_n, links_n;
    size_t blocks_cut_n;  /* too large to be looked at whole */
    uint32_t *component;  /* by row: the smallest row of its component */
    size_t components_n;  /* of two rows or more */
};

double match_probability(double weight);
/* Never fails but for memory, which ends the process. Rows 0 and 1 are fine. The same bytes for the same table and seed.
 * Cost: rows * fields^2 / 2 * log rows for blocks; pairs looked at * fields * a comparison. */
void match_run(const struct match_table *table, const struct match_options *options, struct match_result *out_result);
void match_free(struct match_result *result);
