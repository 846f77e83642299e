/* SPDX-License-Identifier: Apache-2.0 */
/* segment_train.h - the segmentations that one-to-one is compared with: quintiles, k-means groups, their lists.
 *
 * Factors: randomised subspace iteration (Halko, Martinsson, Tropp 2011, algorithm 4.4) on ln(1 + count), 32 kept of 40,
 * fixed seed, one thread; k-means++ and Lloyd's steps likewise. A segment of fewer than 5 customers gets no list. */
#pragma once

#include "train/base_model.h"

enum { SEGMENT_GROUPS = 20 };

/* Fills segments, lists, factors and centres of base->build from baskets before before_ms. */
void segment_train(const struct history *history, int64_t before_ms, struct base_model *base);
