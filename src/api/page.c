/* SPDX-License-Identifier: Apache-2.0 */
#include "api/page.h"

#include "api/page_part.h"
#include "base/hash.h"
#include "base/money.h"
#include "base/time.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* ---- how things are said ---- */

void page_money(struct html *html, int64_t minor, const char *currency)
{
    char text[MONEY_TEXT_BYTES];

    if (minor < 0)
        return;
    money_format(minor, money_exponent(currency), text);
    html_raw(html, strcmp(currency, "USD") == 0 ? "$" : "");
    html_count(html, strtoll(text, NULL, 10));
    html_raw(html, strchr(text, '.') ? strchr(text, '.') : "");
    if (strcmp(currency, "USD") != 0)
        html_rawf(html, " %.3s", currency);
}

void page_date(struct html *html, int64_t at_ms, bool has_weekday)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    static const char *const weekdays[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"}; /* 1970-01-01 */
    struct civil civil = time_civil(at_ms);
    int weekday = (int)(((time_day(at_ms) % 7) + 7) % 7);

    assert(civil.month >= 1 && civil.month <= 12);
    if (has_weekday)
        html_rawf(html, "%s ", weekdays[weekday]);
    html_rawf(html, "%d %s %d", civil.day, months[civil.month - 1], civil.year);
}

void page_plural(struct html *html, int64_t n, const char *one, const char *many)
{
    html_count(html, n);
    html_rawf(html, " %s", n == 1 ? one : many);
}

void page_times(struct html *html, double times)
{
    html_rawf(html, times < 9.95 ? "%.1f" : "%.0f", times);
}

/* ---- what the rows say of each other ---- */

static size_t row_find(const struct page_row *row, struct bytes id)
{
    for (size_t i = 0; i < row->n; i++)
        if (bytes_equal(row->items[i].id, id))
            return i;
    return SIZE_MAX;
}

bool page_row_has(const struct page_row *row, struct bytes id)
{
    return row_find(row, id) != SIZE_MAX;
}

enum page_mark page_mark_of(const struct page_row *row, size_t at, const struct page_row *was,
                            size_t *out_places)
{
    size_t before;

    assert(at < row->n);
    *out_places = 0;
    if (was->n == 0)
        return PAGE_MARK_NONE;
    before = row_find(was, row->items[at].id);
    if (before == SIZE_MAX)
        return PAGE_MARK_NEW;
    if (before == at)
        return PAGE_MARK_NONE;
    *out_places = before > at ? before - at : at - before;
    return before > at ? PAGE_MARK_UP : PAGE_MARK_DOWN;
}

/* ---- top, choices ---- */

static void write_head(const struct page *page, struct html *html)
{
    html_raw(
        html,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Falun: one-to-one on recorded "
        "till lines</title><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta "
        "name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"data:image/svg+xml,%3Csvg "
        "xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E%3Crect width='24' height='24' rx='6' "
        "fill='%238f2419'/%3E%3Cpath d='M7 18 15 5M10.5 19 18.5 6' stroke='%23fff' stroke-width='2.2' "
        "stroke-linecap='round'/%3E%3C/svg%3E\"><link rel=\"stylesheet\" href=\"/demo.css\"></head><body>");
    html_raw(html, "<a class=\"skip\" href=\"#row\">Skip to the row</a><header class=\"top\"><a "
                   "class=\"brand\" href=\"/\">"
                   "<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\" focusable=\"false\"><rect width=\"24\" "
                   "height=\"24\" rx=\"6\"/>"
                   "<path d=\"M7 18 15 5M10.5 19 18.5 6\"/></svg>Falun</a><p class=\"tenant\"><span "
                   "class=\"dot\"></span>Tenant "
                   "<b>");
    html_text(html, page->tenant);
    html_raw(html, "</b><span class=\"counts\">");
    if (page->customers_n >= 0) {
        html_raw(html, " · ");
        page_plural(html, page->customers_n, "household", "households");
    }
    if (page->items_n >= 0) {
        html_raw(html, " · ");
        page_plural(html, page->items_n, "item", "items");
    }
    if (page->events_n >= 0) {
        html_raw(html, " · ");
        page_plural(html, page->events_n, "visit to the till", "visits to the till");
    }
    html_raw(html, "</span></p></header><main>");
}

static void write_choices(const struct page *page, struct html *html)
{
    html_raw(
        html,
        "<section class=\"who\" aria-labelledby=\"who\"><h2 id=\"who\">Who is shopping?</h2><p "
        "class=\"lead\">Real "
        "households of the recorded chain, named here by how they shop. Each gets a row of its own.</p><ul "
        "class=\"choices\">");
    for (size_t i = 0; i < page->choices_n; i++) {
        const struct page_choice *choice = &page->choices[i];

        html_raw(html, "<li><a href=\"/?customer=");
        html_query(html, choice->key);
        html_raw(html, "#who\"");
        html_raw(html, choice->is_now ? " aria-current=\"true\">" : ">");
        page_art_write(html, choice->art, i * 3 + 1, true);
        html_raw(html, "<span><b>");
        html_text(html, choice->name);
        html_raw(html, "</b><span>");
        html_text(html, choice->line);
        html_raw(html, "</span></span></a></li>");
    }
    html_raw(html, "</ul></section>");
}

/* ---- the customer's row ---- */

static void write_mark(const struct page *page, size_t at, struct html *html)
{
    size_t places;
    enum page_mark mark = page_mark_of(&page->own, at, &page->was, &places);

    if (mark == PAGE_MARK_NEW)
        html_raw(html, "<span class=\"mark new\">New in the row</span>");
    else if (mark == PAGE_MARK_UP)
        html_rawf(html, "<span class=\"mark up\">▲ Moved up %zu</span>", places);
    else if (mark == PAGE_MARK_DOWN)
        html_rawf(html, "<span class=\"mark\">▼ Down %zu</span>", places);
}

static void write_button(const struct page_item *item, const char *name, const char *word, const char *of,
                         struct html *html)
{
    html_rawf(html, "<button class=\"%s\" name=\"%s\" value=\"", name, name);
    html_text(html, item->id);
    html_rawf(html, "\">%s<span class=\"unseen\"> %s", word, of);
    html_title(html, item->title);
    html_raw(html, "</span></button>");
}

static void write_tile(const struct page *page, size_t at, struct html *html)
{
    const struct page_item *item = &page->own.items[at];
    bool is_elsewhere = page_row_has(&page->segment, item->id) || page_row_has(&page->popular, item->id);

    html_raw(html, "<li class=\"tile\"><div class=\"picture\">");
    page_art_write(html, page_art_of(item->department, item->category, item->title),
                   hash_fast(item->id.p, item->id.n, 0), false);
    html_rawf(html, "<span class=\"place\"><span class=\"unseen\">Place </span>%zu</span>", at + 1);
    write_mark(page, at, html);
    html_raw(html, "</div><h3>");
    html_title(html, item->title);
    html_raw(html, "</h3><p class=\"detail\">");
    html_text(html, item->detail);
    html_raw(html, "</p><p class=\"price\">");
    page_money(html, item->price_minor, item->currency);
    html_raw(html, "</p>");
    if (item->reason.n > 0) {
        html_raw(html, item->is_personal ? "<p class=\"why own\">" : "<p class=\"why\">");
        html_text(html, item->reason);
        html_raw(html, "</p>");
    }
    if (!is_elsewhere && page->segment.n + page->popular.n > 0)
        html_raw(html, "<p class=\"only\">Only in this row</p>");
    html_raw(html, "<p class=\"acts\">");
    write_button(item, "look", "Look", "at ", html);
    write_button(item, "buy", "Buy", "", html);
    html_raw(html, "</p></li>");
}

static size_t new_n(const struct page *page, enum page_mark wanted)
{
    size_t n = 0, places;

    for (size_t i = 0; i < page->own.n; i++)
        n += page_mark_of(&page->own, i, &page->was, &places) == wanted;
    return n;
}

static void write_left(const struct page *page, struct html *html)
{
    size_t left_n = 0;

    for (size_t i = 0; i < page->was.n; i++) {
        if (page_row_has(&page->own, page->was.items[i].id))
            continue;
        html_raw(html, left_n++ == 0 ? " Left the row: " : ", ");
        html_title(html, page->was.items[i].title);
    }
    if (left_n > 0)
        html_raw(html, ".");
}

/* What the last press of a button did, in one sentence. */
static void write_did(const struct page *page, struct html *html)
{
    size_t fresh_n = new_n(page, PAGE_MARK_NEW), up_n = new_n(page, PAGE_MARK_UP);

    if (page->did == PAGE_DID_NOTHING)
        return;
    html_raw(html, page->did == PAGE_DID_FAIL ? "<p class=\"did bad\" role=\"alert\">"
                                              : "<p class=\"did\" role=\"status\">");
    if (page->did == PAGE_DID_FAIL) {
        html_text(html, page->did_title);
    } else if (page->did == PAGE_DID_WITHDRAW) {
        html_raw(html, "<b>Consent withdrawn, everything erased.</b> The row below is what anybody unknown "
                       "gets, and the time "
                       "line is empty. <code>falun demo --fresh</code> starts over.");
    } else {
        html_raw(html, page->did == PAGE_DID_LOOK ? "<b>Looked at " : "<b>Bought ");
        html_title(html, page->did_title);
        html_raw(html, ".</b> ");
        if (fresh_n + up_n == 0 && page->was.n > 0)
            html_raw(html, "The row stayed as it was: nothing in it follows from that yet.");
        else if (page->was.n > 0)
            html_rawf(html, "The very next answer: %zu new in the row", fresh_n);
        if (up_n > 0)
            html_rawf(html, ", %zu moved up.", up_n);
        else if (fresh_n > 0)
            html_raw(html, ".");
        write_left(page, html);
        if (page_row_has(&page->was, page->did_id) && !page_row_has(&page->own, page->did_id))
            html_raw(html, page->did == PAGE_DID_LOOK ? " One look is not a wish: the item itself rests."
                                                      : " Just bought, so not due again yet.");
    }
    html_raw(html, "</p>");
}

static void write_row_lead(const struct page *page, struct html *html)
{
    size_t only_n = 0;

    for (size_t i = 0; i < page->own.n; i++)
        only_n += !page_row_has(&page->segment, page->own.items[i].id) &&
                  !page_row_has(&page->popular, page->own.items[i].id);
    html_raw(html, "<p class=\"lead\">");
    if (!page->is_model_ready)
        html_raw(html, "Nothing is learnt yet: the newest items of the catalogue until training has ended. "
                       "Load the page again in "
                       "a minute.");
    else if (page->fallback.n > 0)
        html_text(html, page->fallback);
    else
        html_rawf(html,
                  "%zu of %zu items are in neither of the other rows. Press <b>Look</b> or <b>Buy</b> and "
                  "the next answer "
                  "knows it.",
                  only_n, page->own.n);
    html_raw(html, "</p>");
}

static void write_hidden(const struct page *page, struct html *html)
{
    html_raw(html, "<input type=\"hidden\" name=\"customer\" value=\"");
    html_text(html, page->customer);
    html_raw(html, "\">");
    for (size_t i = 0; i < page->own.n; i++) {
        html_raw(html, "<input type=\"hidden\" name=\"was\" value=\"");
        html_text(html, page->own.items[i].id);
        html_raw(html, "\">");
    }
}

static void write_how(const struct page *page, struct html *html)
{
    html_raw(html, "<p class=\"how\">");
    if (page->decided_ms >= 0)
        html_rawf(html, "All three rows in %.1f ms, loading included", page->decided_ms);
    if (page->model_hash.n > 0) {
        html_raw(html, page->decided_ms >= 0 ? " · model " : "Model ");
        html_text(html, (struct bytes){page->model_hash.p, page->model_hash.n < 8 ? page->model_hash.n : 8});
    }
    if (page->picture_hash.n > 0) {
        html_raw(html, " · picture ");
        html_text(html,
                  (struct bytes){page->picture_hash.p, page->picture_hash.n < 8 ? page->picture_hash.n : 8});
    }
    html_raw(html, ". Reasons are the inner ones, for the shop's own people: a customer is told no counts "
                   "and no days.</p>");
}

static void write_own(const struct page *page, struct html *html)
{
    html_raw(html, "<section class=\"own\" id=\"row\" aria-labelledby=\"own\" tabindex=\"-1\"><h2 "
                   "id=\"own\">The row for ");
    html_text(html, page->customer_name);
    html_raw(html, "</h2>");
    write_row_lead(page, html);
    write_did(page, html);
    if (page->own.n == 0) {
        html_raw(html, "<p class=\"empty\">The catalogue holds no item that may be shown. Import items, and "
                       "this row fills.</p>");
    } else {
        html_raw(html, "<form method=\"post\" action=\"/demo/event\">");
        write_hidden(page, html);
        html_raw(html, "<ol class=\"tiles\">");
        for (size_t i = 0; i < page->own.n; i++)
            write_tile(page, i, html);
        html_raw(html, "</ol></form>");
    }
    write_how(page, html);
    html_raw(html, "</section>");
}

/* ---- the rows beside it ---- */

static void write_other(const struct page *page, const struct page_row *row, const char *id,
                        const char *heading, struct bytes line, struct html *html)
{
    html_rawf(html, "<section class=\"other\" aria-labelledby=\"%s\"><h2 id=\"%s\">%s</h2><p class=\"lead\">",
              id, id, heading);
    html_text(html, line);
    html_raw(html, "</p>");
    if (row->n == 0)
        html_raw(html, "<p class=\"empty\">Known once training has ended.</p>");
    html_raw(html, "<ol>");
    for (size_t i = 0; i < row->n; i++) {
        const struct page_item *item = &row->items[i];
        bool is_same = page_row_has(&page->own, item->id);

        html_raw(html, is_same ? "<li class=\"same\">" : "<li>");
        page_art_write(html, page_art_of(item->department, item->category, item->title),
                       hash_fast(item->id.p, item->id.n, 0), true);
        html_raw(html, "<span><b>");
        html_title(html, item->title);
        html_raw(html, is_same ? "</b><span class=\"diff\">in its own row too</span></span></li>"
                               : "</b><span class=\"diff\">not in its own row</span></span></li>");
    }
    html_raw(html, "</ol></section>");
}

static void write_curl(const struct page *page, struct html *html)
{
    if (page->curl.n == 0)
        return;
    html_raw(html, "<section class=\"card curl\" aria-labelledby=\"curl\"><h2 id=\"curl\">The same answer "
                   "over HTTP</h2><p "
                   "class=\"lead\">This page has no way in of its own: it asks as your shop would.</p><pre "
                   "tabindex=\"0\" "
                   "aria-label=\"Command\"><code>");
    html_text(html, page->curl);
    html_raw(html, "</code></pre></section>");
}

static uint64_t arts_of(const struct page_row *row)
{
    uint64_t used = 0;

    for (size_t i = 0; i < row->n; i++)
        used |=
            UINT64_C(1) << page_art_of(row->items[i].department, row->items[i].category, row->items[i].title);
    return used;
}

static uint64_t arts_used(const struct page *page)
{
    uint64_t used = arts_of(&page->own) | arts_of(&page->segment) | arts_of(&page->popular);

    for (size_t i = 0; i < page->choices_n; i++)
        used |= UINT64_C(1) << page->choices[i].art;
    for (size_t i = 0; i < page->known.repeats_n; i++)
        used |= arts_of(&(struct page_row){&page->known.repeats[i].item, 1});
    return used;
}

void page_write(const struct page *page, struct html *html)
{
    struct bytes segment = page->segment_name.n > 0
                               ? page->segment_name
                               : BYTES_LIT("Popular among the customers it is grouped with");

    write_head(page, html);
    page_art_symbols(html, arts_used(page));
    page_proof_write(&page->proof, html);
    write_choices(page, html);
    html_raw(html, "<div class=\"rows\">");
    write_own(page, html);
    html_raw(html, "<div class=\"others\">");
    write_other(page, &page->segment, "seg", "What its segment gets", segment, html);
    write_other(page, &page->popular, "pop", "What everybody gets",
                BYTES_LIT("The best sellers, the same for all"), html);
    html_raw(html, "</div></div>");
    page_known_write(page, html);
    write_curl(page, html);
    html_raw(html, "</main><footer><p>Till lines: <cite>The Complete Journey</cite> by dunnhumby, CC0, moved "
                   "in time by whole "
                   "days; nothing on this page is invented. Households carry numbers, not names. Drawings by "
                   "the server.</p><p>This "
                   "page exists under <code>falun demo</code> only.</p></footer></body></html>");
}
