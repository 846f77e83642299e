/* SPDX-License-Identifier: Apache-2.0 */
/* FALUN_PAGE_PREVIEW=DIR writes what the tests render there, with the style sheet beside it: for looking
 * at. */
#include "api/page.h"

#include "base/hash.h"
#include "base/test.h"
#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>

#define NOW_MS (INT64_C(20782) * DAY_MS + 10 * HOUR_MS) /* 2026-11-25 */

static char room[PAGE_BYTES_MAX];

static struct bytes render(const struct page *page)
{
    struct html html;

    html_open(&html, room, sizeof(room));
    page_write(page, &html);
    return html_bytes(&html);
}

static bool has(struct bytes text, const char *word)
{
    size_t n = strlen(word);

    for (size_t at = 0; at + n <= text.n; at++)
        if (memcmp(text.p + at, word, n) == 0)
            return true;
    return false;
}

static size_t count(struct bytes text, const char *word)
{
    size_t n = strlen(word), found = 0;

    for (size_t at = 0; at + n <= text.n; at++)
        found += memcmp(text.p + at, word, n) == 0;
    return found;
}

static void write_file(const char *directory, const char *name, struct bytes text)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "w");
    CHECK(file != NULL);
    fwrite(text.p, 1, text.n, file);
    fclose(file);
}

static void preview(const char *name, struct bytes text)
{
    static const char link[] = "href=\"/demo.css\"";
    const char *directory = getenv("FALUN_PAGE_PREVIEW");
    char *copy;
    char *at;

    if (!directory)
        return;
    write_file(directory, "demo.css", page_style());
    copy = malloc(text.n + 1);
    CHECK(copy != NULL);
    memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    at = strstr(copy, link);
    CHECK(at != NULL);
    memcpy(at, "href=\"demo.css\" ", sizeof(link) - 1);
    write_file(directory, name, (struct bytes){copy, text.n});
    free(copy);
}

#define ITEM(id_, title_, detail_, department_, category_, price_, reason_, personal_)                       \
    {                                                                                                        \
        .id = {id_, sizeof(id_) - 1}, .title = {title_, sizeof(title_) - 1},                                 \
        .detail = {detail_, sizeof(detail_) - 1}, .department = {department_, sizeof(department_) - 1},      \
        .category = {category_, sizeof(category_) - 1}, .price_minor = price_, .currency = "USD",            \
        .reason = {reason_, sizeof(reason_) - 1}, .is_personal = personal_                                   \
    }
#define TEXT(literal)                                                                                        \
    {                                                                                                        \
        literal, sizeof(literal) - 1                                                                         \
    }

static const struct page_item own_items[] = {
    ITEM("1082185", "BANANAS", "National", "PRODUCE", "TROPICAL FRUIT", 96, "You buy this again and again",
         true),
    ITEM("1029743", "FLUID MILK WHITE ONLY", "Private · 1 GA", "GROCERY", "FLUID MILK PRODUCTS", 279,
         "You buy this again and again", true),
    ITEM("995242", "YOGURT NOT MULTI-PACKS", "National · 6 OZ", "GROCERY", "YOGURT", 60, "Goes with Bananas",
         true),
    ITEM("981760", "EGGS - LARGE", "Private · 1 DZ", "GROCERY", "EGGS", 119, "You buy this again and again",
         true),
    ITEM("1133018", "SHREDDED CHEESE", "Private · 8 OZ", "GROCERY", "CHEESE", 199, "Goes with Eggs - large",
         true),
    ITEM("923746", "SOFT DRINKS 12/18&15PK CAN CAR", "National · 12 PK", "GROCERY", "SOFT DRINKS", 399,
         "Popular in your store", false),
    ITEM("833025", "SALAD MIX BLENDS", "National", "PRODUCE", "SALAD MIX", 250,
         "Like Romaine, which you looked at", true),
    ITEM("9677939", "LEAN", "Private", "MEAT", "BEEF", 612, "You buy this again and again", true),
};
static const struct page_item segment_items[] = {
    ITEM("1082185", "BANANAS", "", "PRODUCE", "TROPICAL FRUIT", 96, "", false),
    ITEM("1029743", "FLUID MILK WHITE ONLY", "", "GROCERY", "FLUID MILK PRODUCTS", 279, "", false),
    ITEM("6534178", "GASOLINE-REG UNLEADED", "", "FUEL", "COUPON/MISC ITEMS", 2500, "", false),
    ITEM("995965", "WHITE BREAD", "", "GROCERY", "BAKED BREAD/BUNS/ROLLS", 100, "", false),
    ITEM("1106523", "FLUID MILK WHITE ONLY", "", "GROCERY", "FLUID MILK PRODUCTS", 249, "", false),
    ITEM("844179", "PRIMAL", "", "MEAT", "BEEF", 899, "", false),
    ITEM("5569230", "SOFT DRINKS 12PK", "", "GROCERY", "SOFT DRINKS", 399, "", false),
    ITEM("1126899", "ICE CREAM - TRADITIONAL", "", "GROCERY", "ICE CREAM/MILK/SHERBTS", 299, "", false),
};
static const struct page_item popular_items[] = {
    ITEM("1082185", "BANANAS", "", "PRODUCE", "TROPICAL FRUIT", 96, "", false),
    ITEM("6534178", "GASOLINE-REG UNLEADED", "", "FUEL", "COUPON/MISC ITEMS", 2500, "", false),
    ITEM("981760", "EGGS - LARGE", "", "GROCERY", "EGGS", 119, "", false),
    ITEM("1098066", "COFFEE GROUND", "", "GROCERY", "COFFEE", 799, "", false),
    ITEM("951590", "POTATO CHIPS", "", "GROCERY", "BAG SNACKS", 299, "", false),
    ITEM("826249", "HAMBURGER BUNS", "", "GROCERY", "BAKED BREAD/BUNS/ROLLS", 119, "", false),
    ITEM("866211", "GRAPES RED", "", "PRODUCE", "GRAPES", 299, "", false),
    ITEM("899624", "PREMIUM PIZZA", "", "GROCERY", "FROZEN PIZZA", 499, "", false),
};
static const struct page_item was_items[] = {
    ITEM("1029743", "FLUID MILK WHITE ONLY", "", "", "", -1, "", false),
    ITEM("981760", "EGGS - LARGE", "", "", "", -1, "", false),
    ITEM("1082185", "BANANAS", "", "", "", -1, "", false),
    ITEM("995242", "YOGURT", "", "", "", -1, "", false),
    ITEM("1133018", "SHREDDED CHEESE", "", "", "", -1, "", false),
    ITEM("866211", "GRAPES RED", "", "", "", -1, "", false),
    ITEM("9677939", "LEAN", "", "", "", -1, "", false),
    ITEM("923746", "SOFT DRINKS", "", "", "", -1, "", false),
};
static const struct page_bar bars[] = {
    {.name = TEXT("One to one"),
     .is_own = true,
     .recall = 0.1532,
     .recall_low = 0.1471,
     .recall_high = 0.1593,
     .ndcg = 0.215,
     .phr = 0.594},
    {.name = TEXT("Segment: k-means"),
     .is_segment = true,
     .recall = 0.0688,
     .recall_low = 0.0650,
     .recall_high = 0.0726,
     .ndcg = 0.1,
     .phr = 0.41},
    {.name = TEXT("Segment: home store"),
     .is_segment = true,
     .recall = 0.0601,
     .recall_low = 0.0566,
     .recall_high = 0.0636,
     .ndcg = 0.09,
     .phr = 0.38},
    {.name = TEXT("Segment: age and income"),
     .is_segment = true,
     .recall = 0.0544,
     .recall_low = 0.0512,
     .recall_high = 0.0576,
     .ndcg = 0.08,
     .phr = 0.36},
    {.name = TEXT("Popular"),
     .recall = 0.0530,
     .recall_low = 0.0499,
     .recall_high = 0.0561,
     .ndcg = 0.08,
     .phr = 0.35},
};
static const struct page_choice choices[] = {
    {.key = TEXT("member:2375"),
     .name = TEXT("Shops nearly daily"),
     .line = TEXT("212 visits, 6 items each"),
     .art = PAGE_ART_CARTON,
     .is_now = true},
    {.key = TEXT("member:718"),
     .name = TEXT("Fills the car weekly"),
     .line = TEXT("49 visits, 38 items each"),
     .art = PAGE_ART_BAG},
    {.key = TEXT("member:1453"),
     .name = TEXT("Buys for a baby"),
     .line = TEXT("88 visits, 61 baby items"),
     .art = PAGE_ART_BABY},
    {.key = TEXT("member:88"),
     .name = TEXT("Has a cat or dog"),
     .line = TEXT("74 visits, 120 pet items"),
     .art = PAGE_ART_PAW},
    {.key = TEXT("member:12"),
     .name = TEXT("Came four times"),
     .line = TEXT("4 visits, 9 items each"),
     .art = PAGE_ART_APPLE},
    {.key = TEXT(""), .name = TEXT("A newcomer"), .line = TEXT("nothing known yet"), .art = PAGE_ART_PERSON},
};
static const struct page_bought bought[] = {{TEXT("BANANAS"), 1000},
                                            {TEXT("FLUID MILK WHITE ONLY"), 2000},
                                            {TEXT("EGGS - LARGE"), 1000},
                                            {TEXT("FRZN SS PREMIUM ENTREES/DNRS"), 4000}};
static const struct page_visit visits[] = {
    {.at_ms = NOW_MS,
     .is_look = true,
     .channel = TEXT("web"),
     .items = bought,
     .items_n = 1,
     .paid_minor = -1},
    {.at_ms = NOW_MS - DAY_MS,
     .store = TEXT("Store 367"),
     .channel = TEXT("till"),
     .items = bought,
     .items_n = 4,
     .items_all_n = 11,
     .paid_minor = 3412},
    {.at_ms = NOW_MS - 3 * DAY_MS,
     .store = TEXT("Store 367"),
     .channel = TEXT("till"),
     .items = bought + 1,
     .items_n = 2,
     .items_all_n = 2,
     .paid_minor = 612},
    {.at_ms = NOW_MS - 4 * DAY_MS,
     .store = TEXT("Store 406"),
     .channel = TEXT("till"),
     .items = bought,
     .items_n = 1,
     .items_all_n = 1,
     .paid_minor = 96},
};
static struct page_stem stems[48];
static const struct page_repeat repeats[] = {
    {ITEM("1082185", "BANANAS", "", "PRODUCE", "TROPICAL FRUIT", 96, "", true), 41, 64, 4, 1},
    {ITEM("1029743", "FLUID MILK WHITE ONLY", "", "GROCERY", "FLUID MILK PRODUCTS", 279, "", true), 33, 64, 6,
     3},
    {ITEM("981760", "EGGS - LARGE", "", "GROCERY", "EGGS", 119, "", true), 20, 64, 11, 9},
};
static const struct page_store stores[] = {{TEXT("Store 367"), 60}, {TEXT("Store 406"), 4}};
static const struct page_consent consents[] = {
    {TEXT("Store"), TEXT("granted"), TEXT("recorded import"), NOW_MS - 300 * DAY_MS, true},
    {TEXT("Personalise"), TEXT("granted"), TEXT("recorded import"), NOW_MS - 300 * DAY_MS, true},
    {TEXT("Mail"), TEXT("not said"), TEXT("absent is refusal"), 0, false},
};

static struct page full_page(void)
{
    for (int i = 0; i < 48; i++)
        stems[i] = (struct page_stem){NOW_MS - (int64_t)i * 7 * DAY_MS, 500 + (i * 7919) % 6000};
    return (struct page){
        .tenant = BYTES_LIT("recorded"),
        .customers_n = 2469,
        .items_n = 92331,
        .events_n = 155848,
        .now_ms = NOW_MS,
        .currency = "USD",
        .proof = {PAGE_PROOF_READY, bars, 5, 2032, 2.15, 2.31, BYTES_LIT("25 Oct"), BYTES_LIT("24 Nov"), {0}},
        .choices = choices,
        .choices_n = 6,
        .customer = BYTES_LIT("member:2375"),
        .customer_name = BYTES_LIT("household 2375"),
        .is_model_ready = true,
        .own = {own_items, 8},
        .segment = {segment_items, 8},
        .popular = {popular_items, 8},
        .segment_name = BYTES_LIT("Popular among households whose home store is 367"),
        .decided_ms = 1.27,
        .model_hash = BYTES_LIT("3f2a91c0aa"),
        .picture_hash = BYTES_LIT("88d1037bee"),
        .curl = BYTES_LIT("curl -s http://127.0.0.1:7474/v1/decide -H 'Authorization: Bearer ...' -d "
                          "'{\"customer\":{\"member\":\"2375\"}}'"),
        .known = {.is_known = true,
                  .first_ms = NOW_MS - 330 * DAY_MS,
                  .baskets_n = 64,
                  .lines_n = 512,
                  .paid_minor = 151230,
                  .stems = stems,
                  .stems_n = 48,
                  .visits = visits,
                  .visits_n = 4,
                  .repeats = repeats,
                  .repeats_n = 3,
                  .stores = stores,
                  .stores_n = 2,
                  .consents = consents,
                  .consents_n = 3}};
}

TEST(page_says_the_proof_first)
{
    struct page page = full_page();
    struct bytes text = render(&page);

    preview("full.html", text);
    CHECK_NEAR(page_proof_times(&page.proof), 0.1532 / 0.0688);
    CHECK(has(text, "<h1>The one-to-one row finds <strong>2.2 times</strong> as much of the next basket as "
                    "the best segment</h1>"));
    CHECK(has(text, "2,032 households, in a recorded month (from 25 Oct) of which nothing had been learnt"));
    CHECK(has(text, "<td>0.1471 to 0.1593</td>")); /* the table twin */
    CHECK_INT(count(text, "<span class=\"name\">"), 5);
    CHECK_INT(count(text, "<th scope=\"row\">"), 5);
    CHECK_INT(count(text, "<h1"), 1);
    CHECK(!has(text, "<script"));
    CHECK(!has(text, " style="));
    CHECK(!has(text, "<style"));
}

TEST(page_draws_the_best_segments_and_tables_all)
{
    struct page_bar many[12];
    struct page page = full_page();
    struct bytes text;

    for (size_t i = 0; i < 12; i++) {
        many[i] = bars[1];
        many[i].recall = 0.09 - 0.005 * (double)i;
        many[i].name = (struct bytes){&"abcdefghijkl"[i], 1};
    }
    many[0] = bars[0];
    many[10].is_segment = many[11].is_segment = false;
    page.proof.bars = many;
    page.proof.bars_n = 12;
    text = render(&page);
    CHECK_INT(count(text, "<span class=\"name\">"), PAGE_BARS_DRAWN);
    CHECK_INT(count(text, "<th scope=\"row\">"), 12);
    CHECK(has(text, "<span class=\"name\">k</span>")); /* the better popular, though last but one */
    CHECK(!has(text, "<span class=\"name\">l</span>"));
}

TEST(page_is_honest_when_the_segment_wins)
{
    struct page_bar two[] = {bars[0], bars[1]};
    struct page page = full_page();

    two[0].recall = 0.05;
    page.proof.bars = two;
    page.proof.bars_n = 2;
    CHECK(has(render(&page), "does not find more of the next basket than the best segment"));
    page.proof.bars_n = 1;
    CHECK(has(render(&page), "nothing to be measured against"));
}

TEST(page_says_that_the_proof_is_being_computed)
{
    struct page page = full_page();

    page.proof = (struct page_proof){0};
    CHECK(has(render(&page), "the proof is being computed"));
    page.proof.state = PAGE_PROOF_FAILED;
    page.proof.note = BYTES_LIT("too <few> cases");
    CHECK(has(render(&page), "too &lt;few&gt; cases"));
}

TEST(page_marks_what_changed_in_words)
{
    struct page page = full_page();
    struct bytes text;
    size_t places;

    CHECK(!has(render(&page), "New in the row"));
    page.was = (struct page_row){was_items, 8};
    page.did = PAGE_DID_LOOK;
    page.did_title = BYTES_LIT("ROMAINE");
    CHECK_INT(page_mark_of(&page.own, 0, &page.was, &places), PAGE_MARK_UP);
    CHECK_INT(places, 2);
    CHECK_INT(page_mark_of(&page.own, 1, &page.was, &places), PAGE_MARK_DOWN);
    CHECK_INT(page_mark_of(&page.own, 4, &page.was, &places), PAGE_MARK_NONE);
    CHECK_INT(page_mark_of(&page.own, 6, &page.was, &places), PAGE_MARK_NEW);
    text = render(&page);
    preview("changed.html", text);
    CHECK_INT(count(text, "New in the row"), 1);
    CHECK(has(text, "Moved up 2"));
    CHECK(has(text, "<b>Looked at Romaine.</b> The very next answer: 1 new in the row, 3 moved up. Left the "
                    "row: Grapes red."));
    CHECK(!has(text, "One look is not a wish"));
    page.did_id = BYTES_LIT("866211");
    CHECK(has(render(&page), "Left the row: Grapes red. One look is not a wish"));
    page.was = page.own;
    CHECK(has(render(&page), "The row stayed as it was"));
}

TEST(page_marks_what_differs_between_the_rows_in_words)
{
    struct page page = full_page();
    struct bytes text = render(&page);

    CHECK_INT(count(text, "in its own row too"), 2 + 2);
    CHECK_INT(count(text, "not in its own row"), 6 + 6);
    CHECK_INT(count(text, "Only in this row"), 5);
    CHECK(has(text, "5 of 8 items are in neither of the other rows"));
}

TEST(page_escapes_every_text_from_outside)
{
    static const char bad[] = "<script>alert(1)</script>\"'&\xff\x01";
    struct bytes evil = {bad, sizeof(bad) - 1};
    struct page_item item = {.id = evil,
                             .title = evil,
                             .detail = evil,
                             .department = evil,
                             .category = evil,
                             .price_minor = 1,
                             .currency = "USD",
                             .reason = evil};
    struct page_bought line = {evil, 1000};
    struct page_visit visit = {
        .store = evil, .channel = evil, .items = &line, .items_n = 1, .items_all_n = 1};
    struct page_repeat repeat = {.item = item};
    struct page_store store = {evil, 1};
    struct page_consent consent = {evil, evil, evil, 1, true};
    struct page_bar bar = {.name = evil, .recall = 0.1};
    struct page_choice choice = {.key = evil, .name = evil, .line = evil};
    struct page page = {.tenant = evil,
                        .currency = "USD",
                        .proof = {PAGE_PROOF_READY, &bar, 1, 1, 0, 0, evil, evil, evil},
                        .choices = &choice,
                        .choices_n = 1,
                        .customer = evil,
                        .customer_name = evil,
                        .is_model_ready = true,
                        .own = {&item, 1},
                        .segment = {&item, 1},
                        .popular = {&item, 1},
                        .segment_name = evil,
                        .fallback = evil,
                        .was = {&item, 1},
                        .did = PAGE_DID_LOOK,
                        .did_title = evil,
                        .model_hash = evil,
                        .picture_hash = evil,
                        .curl = evil,
                        .known = {.is_known = true,
                                  .visits = &visit,
                                  .visits_n = 1,
                                  .repeats = &repeat,
                                  .repeats_n = 1,
                                  .stores = &store,
                                  .stores_n = 1,
                                  .consents = &consent,
                                  .consents_n = 1}};
    struct bytes text = render(&page);

    CHECK(text.n > 0);
    CHECK(!has(text, "<script"));
    CHECK(!has(text, "</script"));
    CHECK(!has(text, "alert(1)<"));
    CHECK(has(text, "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\xef\xbf\xbd\xef\xbf\xbd"));
    CHECK(has(text, "?customer=%3Cscript%3E"));
    page.did = PAGE_DID_FAIL;
    CHECK(!has(render(&page), "<script"));
}

TEST(page_of_nobody_is_whole)
{
    struct page page = {.tenant = BYTES_LIT("recorded"),
                        .customers_n = -1,
                        .items_n = -1,
                        .events_n = -1,
                        .now_ms = NOW_MS,
                        .decided_ms = -1,
                        .customer_name = BYTES_LIT("a newcomer")};
    struct bytes text = render(&page);

    preview("nobody.html", text);
    CHECK(has(text, "Nothing is learnt yet"));
    CHECK(has(text, "The catalogue holds no item"));
    CHECK(has(text, "Nothing has been seen of this visitor"));
    CHECK(!has(text, "<details class=\"withdraw\""));
    page.known.is_refused = true;
    page.did = PAGE_DID_WITHDRAW;
    text = render(&page);
    CHECK(has(text, "everything erased"));
    CHECK(has(text, "Consent is withdrawn: nothing of this customer is kept"));
}

TEST(page_says_that_withdrawing_erases_before_it_does)
{
    struct page page = full_page();
    struct bytes text = render(&page);

    CHECK(has(text, "This erases: every visit"));
    CHECK(has(text, "demo --fresh"));
    CHECK(has(text, "<form method=\"post\" action=\"/demo/withdraw\">"));
}

/* Every list full, every text 256 bytes of the character that grows most. */
TEST(page_fits_its_buffer_with_the_longest_texts)
{
    static char long_text[256];
    struct bytes longest = {long_text, sizeof(long_text)};
    static struct page_item items[PAGE_ROW];
    static struct page_bought lines[PAGE_VISIT_ITEMS];
    static struct page_visit many[PAGE_VISITS];
    static struct page_repeat again[PAGE_REPEATS];
    struct page page = full_page();
    struct html html;

    memset(long_text, '"', sizeof(long_text));
    for (size_t i = 0; i < PAGE_ROW; i++)
        items[i] = (struct page_item){.id = longest,
                                      .title = longest,
                                      .detail = longest,
                                      .price_minor = INT64_MAX,
                                      .currency = "USD",
                                      .reason = longest};
    for (size_t i = 0; i < PAGE_VISIT_ITEMS; i++)
        lines[i] = (struct page_bought){longest, INT64_MAX};
    for (size_t i = 0; i < PAGE_VISITS; i++)
        many[i] = (struct page_visit){.store = longest,
                                      .channel = longest,
                                      .items = lines,
                                      .items_n = PAGE_VISIT_ITEMS,
                                      .items_all_n = INT64_MAX,
                                      .paid_minor = INT64_MAX};
    for (size_t i = 0; i < PAGE_REPEATS; i++)
        again[i] = (struct page_repeat){.item = items[0], .times = INT64_MAX / 200, .of_visits = 1};
    page.own = page.segment = page.popular = page.was = (struct page_row){items, PAGE_ROW};
    page.did = PAGE_DID_BUY;
    page.did_title = longest;
    page.known.visits = many;
    page.known.visits_n = PAGE_VISITS;
    page.known.repeats = again;
    page.known.repeats_n = PAGE_REPEATS;
    CHECK(render(&page).n > 0);
    html_open(&html, room, 4096); /* too small: nothing, never half a page */
    page_write(&page, &html);
    CHECK_INT(html_bytes(&html).n, 0);
}

TEST(page_style_names_both_themes_and_fetches_nothing)
{
    struct bytes style = page_style();

    CHECK(has(style, "#8f2419"));
    CHECK(has(style, "#f0877a"));
    CHECK(has(style, "prefers-color-scheme:dark"));
    CHECK_INT(count(style, "url("), count(style, "url(#")); /* own drawings only */
    CHECK(!has(style, "@import"));
    CHECK(page_style().p == style.p);
}

TEST(html_title_reads_a_tills_capitals)
{
    static const struct {
        const char *till, *wanted;
    } cases[] = {
        {"ICE - CRUSHED", "Ice - crushed"},
        {"BREAD:ITALIAN/FRENCH", "Bread: italian/french"},
        {"Merino base LAYER", "Merino base LAYER"},
        {"CR\xc3\x88ME", "CR\xc3\x88ME"},
        {"12/18&15PK", "12/18&amp;15pk"},
        {"<B>", "&lt;b&gt;"},
        {"", ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char small[256];
        struct html html;

        html_open(&html, small, sizeof(small));
        html_title(&html, bytes_of(cases[i].till));
        CHECK_TEXT(html_bytes(&html), cases[i].wanted);
    }
}

TEST(html_count_groups_by_thousands)
{
    char small[64];
    struct html html;

    html_open(&html, small, sizeof(small));
    html_count(&html, 0);
    html_raw(&html, " ");
    html_count(&html, 999);
    html_raw(&html, " ");
    html_count(&html, 1469307);
    html_raw(&html, " ");
    html_count(&html, -1000);
    CHECK_TEXT(html_bytes(&html), "0 999 1,469,307 -1,000");
}

/* Whatever bytes come, none of them ends a tag, an attribute or a query, and what comes out is UTF-8. */
PROPERTY(html_text_holds_any_bytes)
{
    char from[64], to[1024];
    struct html html;
    struct bytes out;
    size_t n = (size_t)rng_below(rng, sizeof(from) + 1);

    for (size_t i = 0; i < n; i++)
        from[i] = (char)rng_below(rng, 256);
    html_open(&html, to, sizeof(to));
    html_text(&html, (struct bytes){from, n});
    html_raw(&html, "|");
    html_title(&html, (struct bytes){from, n});
    html_raw(&html, "|");
    html_query(&html, (struct bytes){from, n});
    out = html_bytes(&html);
    CHECK(out.n > 0);
    for (size_t i = 0; i < out.n; i++) {
        unsigned char c = (unsigned char)out.p[i];

        CHECK((c >= 0x20 || c == '\n') && c != '<' && c != '>' && c != '"' && c != '\'' && c != 0x7f);
        CHECK(c != 0xc0 && c != 0xc1 && c < 0xf5);
    }
}

TEST(page_art_is_chosen_by_the_words)
{
    static const struct {
        const char *department, *category, *title;
        enum page_art art;
    } cases[] = {
        {"GROCERY", "FLUID MILK PRODUCTS", "FLUID MILK WHITE ONLY", PAGE_ART_CARTON},
        {"GROCERY", "ICE CREAM/MILK/SHERBTS", "TRADITIONAL", PAGE_ART_ICE},
        {"PRODUCE", "TROPICAL FRUIT", "BANANAS", PAGE_ART_BANANA},
        {"GROCERY", "BABY FOODS", "BABY JUICES", PAGE_ART_BABY},
        {"grocery", "frozen pizza", "", PAGE_ART_PIZZA},
        {"MEAT", "", "", PAGE_ART_MEAT},
        {"", "", "", PAGE_ART_BOX},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_INT(
            page_art_of(bytes_of(cases[i].department), bytes_of(cases[i].category), bytes_of(cases[i].title)),
            cases[i].art);
}

/* Every drawing exists; the sheet of them is for looking at. */
TEST(page_art_draws_every_kind)
{
    struct html html;

    html_open(&html, room, sizeof(room));
    html_raw(&html,
             "<!doctype html><title>art</title><link rel=stylesheet href=\"/demo.css\"><ul class=tiles>");
    page_art_symbols(&html, (UINT64_C(1) << PAGE_ARTS_) - 1);
    for (int i = 0; i < PAGE_ARTS_; i++) {
        html_raw(&html, "<li class=tile><div class=picture>");
        page_art_write(&html, (enum page_art)i, (uint64_t)i * 7, false);
        html_raw(&html, "</div></li>");
    }
    preview("art.html", html_bytes(&html));
    CHECK_INT(count(html_bytes(&html), "<symbol"), PAGE_ARTS_ + 1);
    CHECK_INT(count(html_bytes(&html), "viewBox=\"0 0 96 96\"></symbol>"), 0);
}
