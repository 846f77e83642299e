/* SPDX-License-Identifier: Apache-2.0 */
/* A report's names are for machines; the page says them as a shopkeeper would. What has no name here is shown as
 * it is called. */
#include "api/api_demo.h"
#include "base/json_read.h"

#include <stdlib.h>

static struct bytes said_of(struct bytes name)
{
    static const struct {
        const char *name, *said;
    } names[] = {
        {"popular", "Popular, all time"},
        {"popular:recent", "Popular, last 28 days"},
        {"segment:store", "Segment: home store"},
        {"segment:spendFrequency", "Segment: visits and spend"},
        {"segment:storeFrequency", "Segment: store and visits"},
        {"segment:group", "Segment: k-means groups"},
        {"segment:age", "Segment: age"},
        {"segment:income", "Segment: income"},
        {"segment:home_ownership", "Segment: home ownership"},
        {"segment:marital_status", "Segment: marital status"},
        {"segment:household_size", "Segment: household size"},
        {"segment:household_comp", "Segment: household kind"},
        {"segment:kids_count", "Segment: children"},
        {"segment:demographics", "Segment: household facts"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (bytes_equal(name, bytes_of(names[i].name)))
            return bytes_of(names[i].said);
    return name;
}

static bool bar_read(const struct json_node *node, struct page_bar *out_bar)
{
    const struct json_node *interval = json_get(node, "recall@10Interval");

    if (!json_double(json_get(node, "recall@10"), 0, 1, &out_bar->recall))
        return false;
    json_double(json_get(node, "ndcg@10"), 0, 1, &out_bar->ndcg);
    json_double(json_get(node, "phr@10"), 0, 1, &out_bar->phr);
    if (!json_double(json_at(interval, 0), 0, 1, &out_bar->recall_low) ||
        !json_double(json_at(interval, 1), 0, 1, &out_bar->recall_high))
        out_bar->recall_low = out_bar->recall_high = 0;
    return true;
}

static int by_recall(const void *a, const void *b)
{
    const struct page_bar *x = a, *y = b;

    if (x->is_own != y->is_own)
        return x->is_own ? -1 : 1;
    return (x->recall < y->recall) - (x->recall > y->recall);
}

bool api_demo_proof_read(struct bytes report, struct arena *arena, struct page_proof *out_proof)
{
    struct page_bar *bars = arena_array(arena, PAGE_BARS, sizeof(*bars));
    const struct json_node *root, *against, *times;
    struct page_proof proof = {.state = PAGE_PROOF_READY, .bars = bars};

    if (!bars || json_read(arena, report, &root, NULL) != ERR_OK || !bar_read(root, &bars[0]) ||
        !json_int(json_get(root, "cases"), 1, INT64_MAX, &proof.cases_n))
        return false;
    bars[0].name = BYTES_LIT("One to one");
    bars[0].is_own = true;
    proof.bars_n = 1;
    json_text(json_get(root, "from"), &proof.from);
    json_text(json_get(root, "to"), &proof.to);
    times = json_get(root, "timesBestSegmentInterval");
    if (!json_double(json_at(times, 0), 0, 1e6, &proof.times_low) ||
        !json_double(json_at(times, 1), 0, 1e6, &proof.times_high))
        proof.times_low = proof.times_high = 0;
    against = json_get(root, "against");
    for (const struct json_node *node = against ? against->first : NULL; node && proof.bars_n < PAGE_BARS;
         node = node->next) {
        struct page_bar *bar = &bars[proof.bars_n];

        if (!bar_read(node, bar))
            continue;
        bar->name = said_of(node->key);
        bar->is_segment = bytes_starts(node->key, BYTES_LIT("segment"));
        proof.bars_n++;
    }
    qsort(bars, proof.bars_n, sizeof(*bars), by_recall);
    *out_proof = proof;
    return true;
}
