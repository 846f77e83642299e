/* SPDX-License-Identifier: Apache-2.0 */
/* domain_train.h - what a base model knows of each domain: how often items were seen, sequences, pairs and rules. */
#pragma once

#include "train/base_model.h"

/* Fills domain, seen, index, and the kinds of w that are counts, of base->build. base->dense and the number of its items are there. */
void domain_train(const struct history *history, int64_t before_ms, const struct base_settings *settings,
                  struct base_model *base);
