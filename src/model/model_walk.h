/* SPDX-License-Identifier: Apache-2.0 */
/* model_walk.h - the ways there are to walk trees and to add up a logistic sum: for tests and benchmarks; others
 * call model_rank.h.
 *
 * A row stands in one lane: 16 (AVX2) or 32 (AVX-512) rows are turned into columns, then all 63 nodes of a tree are
 * asked, from the leaves up: a node compares one column with its threshold and takes what its left or right child
 * gave. Ten times the comparisons of a walk down, but no gathers and no branches: with AVX2, gathers were slower than
 * the scalar walk. A block of rows with a NaN takes a second way that looks at each node's bit. Every way adds the
 * same numbers in the same order, so all give the same bits. The processor is asked once, by the compiler's own start
 * code, which also asks whether the system keeps the wide registers. */
#pragma once

#include "model/model_rank.h"

enum model_walk { MODEL_WALK_SCALAR = 0, MODEL_WALK_AVX2, MODEL_WALK_AVX512, MODEL_WALKS_ };

enum { MODEL_SUM_LANES = 16 };

const char *model_walk_name(enum model_walk walk);
/* The widest that this processor has; what is below it can be walked too. */
enum model_walk model_walk_best(void);
/* walk <= model_walk_best(). */
void model_walk_trees(enum model_walk walk, const struct model_tree *trees, size_t trees_n, float start,
                      const float *value, size_t n, float *out_margin);
/* The logistic sum: lane l adds the products of features l, l + 16, ...; then lanes 8, 4, 2, 1 apart are added, the
 * bias last. A sum that is no finite number is -1e6. */
void model_walk_sum(enum model_walk walk, const struct model_rank *rank, const float *value, size_t n,
                    float *out_margin);
