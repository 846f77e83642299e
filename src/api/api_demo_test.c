/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_demo.h"

#include "base/test.h"

static struct arena arena;

static bool read(const char *report, struct page_proof *out_proof)
{
    arena_close(&arena);
    arena_open(&arena, 1 << 16, 1 << 20);
    return api_demo_proof_read(bytes_of(report), &arena, out_proof);
}

TEST(api_demo_proof_puts_one_to_one_first_and_the_rest_falling)
{
    struct page_proof proof;

    CHECK(read(
        "{\"cases\":2014,\"recall@10\":0.15,\"recall@10Interval\":[0.14,0.16],\"ndcg@10\":0.21,\"phr@10\":0."
        "58,"
        "\"from\":\"2026-10-25\",\"to\":\"2026-11-24\",\"against\":{\"popular\":{\"recall@10\":0.05},"
        "\"segment:store\":{\"recall@10\":0.06,\"recall@10Interval\":[0.055,0.065]},\"broken\":{\"n\":1}}}",
        &proof));
    CHECK_INT(proof.state, PAGE_PROOF_READY);
    CHECK_INT(proof.cases_n, 2014);
    CHECK_INT(proof.bars_n, 3);
    CHECK(proof.bars[0].is_own);
    CHECK_NEAR(proof.bars[0].recall_low, 0.14);
    CHECK_TEXT(proof.bars[1].name, "Segment: home store");
    CHECK(proof.bars[1].is_segment);
    CHECK_TEXT(proof.bars[2].name, "Popular, all time");
    CHECK(!proof.bars[2].is_segment);
    CHECK_NEAR(proof.bars[2].recall_high, 0); /* no interval was told: none is drawn */
    CHECK_TEXT(proof.from, "2026-10-25");
    CHECK_NEAR(page_proof_times(&proof), 2.5);
}

TEST(api_demo_proof_refuses_what_is_no_report)
{
    struct page_proof proof;

    CHECK(!read("", &proof));
    CHECK(!read("{}", &proof));
    CHECK(!read("[1]", &proof));
    CHECK(!read("{\"recall@10\":0.1}", &proof));
    CHECK(!read("{\"recall@10\":7,\"cases\":1}", &proof));
    CHECK(!read("{\"recall@10\":0.1,\"cases\":0}", &proof));
    arena_close(&arena);
}
