/* SPDX-License-Identifier: Apache-2.0 */
/* model_feature.h - what a score may look at: one vector an item, the same for serving and for learning (models.md 9).
 *
 *     [0, 40)    own      what this customer bought and how, beside what the shop and the store sell: receipts
 *     [40, 64)   session  the browsing session under way against browsing sessions   (MODEL_SESSION)
 *     [64, 88)   history  the purchases in order against other customers' purchases  (MODEL_HISTORY)
 *     [88, 96)   item     what is known of the item alone, and of the moment
 * Values are made in decide/evidence.c. What does not apply is 0, never NaN; a value is always finite. Numbers are
 * stored: a block is filled from its beginning, free numbers stay 0, MODEL_FORMAT rises when one changes its meaning. */
#pragma once

enum { FEATURES = 96, FEATURE_SESSION_FIRST = 40, FEATURE_HISTORY_FIRST = 64, FEATURE_ITEM_FIRST = 88 };

enum feature_own {
    FEATURE_OWN,            /* 1: bought before */
    FEATURE_COUNT,          /* ln(.05 + sum over own baskets with it of rho^(baskets since)) */
    FEATURE_TIMES,          /* ln(times bought) */
    FEATURE_BASKETS_SINCE,  /* ln(1 + baskets since the last) */
    FEATURE_DAYS_SINCE,     /* ln(days since the last) */
    FEATURE_RATE,           /* ln(times bought / baskets since the first) */
    FEATURE_DUE,            /* ln(days since the last) - expected ln gap: 0 when due */
    FEATURE_DUE_SQUARE,     /* its square */
    FEATURE_REPEAT,         /* how often others buy it again: ln share */
    FEATURE_TOGETHER_OWN,   /* sqrt of W's sum over what was bought */
    FEATURE_TOGETHER_NEW,
    FEATURE_POPULAR_OWN,    /* ln(1 + baskets of 28 days) */
    FEATURE_POPULAR_NEW,
    FEATURE_STORE_OWN,      /* the same in the customer's store, shrunk, scaled to the shop */
    FEATURE_STORE_NEW,
    FEATURE_REPEAT_NEW,     /* how often buyers come back to it, for an item new to this customer */
    FEATURE_DAYS_DECAYED,   /* own purchases, each halved every 42 days */
    FEATURE_BASKETS_DECAYED,/* own purchases, each times .8 a basket since */
    FEATURE_LOOKED,         /* sqrt of W's sum over what was looked at, put in the basket, wished for */
    FEATURE_INTEREST,       /* ln(1 + own looks): not for a single look at something never bought (P7) */
    FEATURE_COUNT_SQUARE,   /* curves and crossings of the above, for items bought before */
    FEATURE_BASKETS_SQUARE,
    FEATURE_DAYS_SQUARE,
    FEATURE_RATE_SQUARE,
    FEATURE_COUNT_RATE,
    FEATURE_COUNT_DAYS,
    FEATURE_COUNT_REPEAT,
    FEATURE_DAYS_REPEAT,
    FEATURE_RATE_REPEAT,
    FEATURE_HAZARD,         /* log-normal gap of (customer, item): ln of h(t) in 1/day, clipped to [-12, 4] */
    FEATURE_EARLY,          /* 1: less than half the median gap has passed */
    FEATURE_AMOUNT_DUE,     /* FEATURE_DUE with the gap scaled by units bought / usual units */
    FEATURE_ALIVE,          /* ln P(customer still buys here), BG/NBD */
    FEATURE_PRICE_FIT,      /* models.md 8; not filled: on complete_journey trees were no better with it (R@10 .1494, without .1498) */
    FEATURE_BOUGHT_AFTER,   /* sqrt of MODEL_W_BOUGHT's sum over looks: what such looks end in */
    FEATURE_OWN_END
};

enum feature_domain { /* added to the block's first number */
    FEATURE_W,              /* W's sum, not below 0 (models.md 4) */
    FEATURE_W_SHARE,        /* / the list's largest */
    FEATURE_W_RANK,         /* 1 / (1 + rank), 0 outside the list; rank 0 is best */
    FEATURE_VSTAN,
    FEATURE_VSTAN_SHARE,
    FEATURE_VSTAN_RANK,
    FEATURE_VMIS_SHARE,
    FEATURE_PAIR_SHARE,     /* association of the last item (models.md 9) / the list's largest */
    FEATURE_RULE_SHARE,     /* sequential rule of the last item / the list's largest */
    FEATURE_PAIR_RATE,      /* association / (1 + times the last item was seen) */
    FEATURE_RULE_RATE,
    FEATURE_W_VSTAN,        /* FEATURE_W_SHARE * FEATURE_VSTAN_SHARE */
    FEATURE_SEEN,           /* times the item is in the sequence */
    FEATURE_SEEN_ONCE,      /* 1: at least once */
    FEATURE_SEEN_TWICE,
    FEATURE_NEARNESS,       /* 1 / (1 + steps since it was last seen), 0 never; the newest is step 0 */
    FEATURE_LENGTH,         /* ln(1 + length) of the sequence */
    FEATURE_DISTINCT,       /* ln(1 + distinct items) */
    FEATURE_LAST_POPULAR,   /* ln(1 + times the last item was seen) */
    FEATURE_POPULAR,        /* ln(1 + times seen) of this item, in this domain's kind of event */
    FEATURE_RECENT,         /* the same, of the newest twentieth of the domain's sequences */
    FEATURE_VMIS_RANK,      /* as FEATURE_W_RANK */
    FEATURE_RULE_RANK,
    FEATURE_PAIR_RANK,
    FEATURE_DOMAIN_END
};

enum feature_item {
    FEATURE_CONTENT = FEATURE_ITEM_FIRST, /* MODEL_W_CONTENT's sum over the sequence's items */
    FEATURE_COLD,           /* 20 / (20 + times seen or bought): 1 when new */
    FEATURE_ITEM_END
};

_Static_assert((int)FEATURE_OWN_END <= (int)FEATURE_SESSION_FIRST && (int)FEATURE_DOMAIN_END <= 24 &&
               (int)FEATURE_ITEM_END <= (int)FEATURES, "blocks do not overlap");
