/* SPDX-License-Identifier: Apache-2.0 */
#include "train/domain_train.h"

#include "train/index_train.h"
#include "train/pair_train.h"

#include <stdlib.h>

enum { PAIR_ROW = 100 }; /* of a row of counts; candidates take 20, shares are wanted of some more */

static void learn_pairs(const struct sequences *sequences, enum model_domain domain, const struct base_settings *settings,
                        struct base_model *base)
{
    enum model_w pair = domain == MODEL_SESSION ? MODEL_W_PAIR_SESSION : MODEL_W_PAIR_HISTORY;
    enum model_w rule = domain == MODEL_SESSION ? MODEL_W_RULE_SESSION : MODEL_W_RULE_HISTORY;
    struct pair_settings pairs = {.row_most = PAIR_ROW,
                                  .customers_min = settings->customers_min > 0 ? settings->customers_min : MODEL_CUSTOMERS_MIN,
                                  .threads = settings->threads};

    pair_train(sequences, &pairs, &base->w[pair], &base->w[rule]);
    base->build.w[pair] = (struct model_build_rows){base->w[pair].at, base->w[pair].row};
    base->build.w[rule] = (struct model_build_rows){base->w[rule].at, base->w[rule].row};
}

void domain_train(const struct history *history, int64_t before_ms, const struct base_settings *settings,
                  struct base_model *base)
{
    size_t items_n = base->build.head.items_n;
    struct model_seen *seen = arena_array(&base->arena, items_n + 1, sizeof(*seen));

    if (seen == NULL) {
        abort(); /* the limit of the arena is the machine's memory */
    }
    for (unsigned d = 0; d < MODEL_DOMAINS_; d++) {
        const struct model_domain_settings *domain = &settings->domain[d];
        struct sequences sequences;

        base->build.domain[d] = *domain;
        if (domain->is_learnt == 0) {
            continue;
        }
        sequences_of(history, (enum model_domain)d, before_ms, base->dense, items_n, &sequences);
        index_train_seen(&sequences, (enum model_domain)d, seen);
        base->build.seen = seen;
        if ((domain->uses & (MODEL_USES_VSTAN | MODEL_USES_VMIS)) != 0 && domain->postings > 0) {
            index_train(&sequences, history, domain->postings, &base->arena, &base->build.index[d]);
        }
        if ((domain->uses & MODEL_USES_PAIRS) != 0) {
            learn_pairs(&sequences, (enum model_domain)d, settings, base);
        }
        sequences_close(&sequences);
    }
}
