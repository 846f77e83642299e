/* SPDX-License-Identifier: Apache-2.0 */
/* index_train.h - the sequences of a model file and their postings, and how often items were seen (model/model_session.h).
 *
 * Of every item the newest sequences that hold it are named, each once, at most `postings`; sequences that nobody names are
 * left out, for nothing could find them. Of one customer the newest INDEX_OF_ONE are kept: a shop's own device or a robot that
 * looks at everything would fill the postings of the top items (models.md 19). How many hold an item is counted over all of
 * them. */
#pragma once

#include "base/arena.h"
#include "model/model_build.h"
#include "train/sequence.h"

enum { INDEX_OF_ONE = 200 };

/* What a domain starts with until its own history says better. */
struct model_domain_settings index_train_start(enum model_domain domain);
/* Fills out_index from arrays taken of `arena` (which must not be full: it ends the process).
 * Whose a sequence is: history_owner. postings > 0. */
void index_train(const struct sequences *sequences, const struct history *history, uint32_t postings,
                 struct arena *arena, struct model_build_index *out_index);
/* Adds to seen (items_n): every step, and those of the newest twentieth of the sequences. */
void index_train_seen(const struct sequences *sequences, enum model_domain domain, struct model_seen *seen);
