/* SPDX-License-Identifier: Apache-2.0 */
#include "api/page_part.h"

#include "base/hash.h"
#include "base/time.h"

#include <math.h>

static void write_stems(const struct page *page, struct html *html)
{
    const struct page_known *known = &page->known;
    int64_t first_ms = page->now_ms, most_minor = 1, span_ms;

    for (size_t i = 0; i < known->stems_n; i++) {
        if (known->stems[i].at_ms < first_ms)
            first_ms = known->stems[i].at_ms;
        if (known->stems[i].paid_minor > most_minor)
            most_minor = known->stems[i].paid_minor;
    }
    span_ms = page->now_ms - first_ms > DAY_MS ? page->now_ms - first_ms : DAY_MS;
    html_raw(html, "<svg class=\"stems\" viewBox=\"0 0 1000 64\" preserveAspectRatio=\"none\" "
                   "aria-hidden=\"true\" focusable=\"false\"><path "
                   "class=\"floor\" d=\"M0 63H1000\"/><path class=\"stem\" d=\"");
    for (size_t i = 0; i < known->stems_n; i++) {
        double x = 4 + 992 * (double)(known->stems[i].at_ms - first_ms) / (double)span_ms;
        double paid = known->stems[i].paid_minor > 0 ? (double)known->stems[i].paid_minor : 0;

        html_rawf(html, "M%.0f 62V%.0f", x, 58 - 54 * sqrt(paid / (double)most_minor));
    }
    html_raw(html, "\"/></svg><p class=\"axis\" aria-hidden=\"true\"><span>");
    page_date(html, first_ms, false);
    html_raw(html, "</span><span>");
    html_rawf(html, "the last %zu visits, height is what was paid", known->stems_n);
    html_raw(html, "</span><span>today</span></p>");
}

static void write_visit(const struct page *page, const struct page_visit *visit, struct html *html)
{
    html_raw(html, visit->is_look ? "<li class=\"look\"><p class=\"when\"><b>" : "<li><p class=\"when\"><b>");
    page_date(html, visit->at_ms, true);
    html_raw(html, "</b>");
    if (visit->store.n > 0) {
        html_raw(html, " · ");
        html_text(html, visit->store);
    }
    if (visit->channel.n > 0) {
        html_raw(html, " · ");
        html_text(html, visit->channel);
    }
    if (!visit->is_look) {
        html_raw(html, " · ");
        page_plural(html, visit->items_all_n, "item", "items");
        if (visit->paid_minor >= 0) {
            html_raw(html, " · ");
            page_money(html, visit->paid_minor, page->currency);
        }
    }
    html_raw(html, visit->is_look ? "</p><p class=\"what\">Looked at " : "</p><p class=\"what\">");
    for (size_t i = 0; i < visit->items_n; i++) {
        html_raw(html, i > 0 ? ", " : "");
        html_title(html, visit->items[i].title);
        if (visit->items[i].pieces_milli > 1000)
            html_rawf(html, " × %lld", (long long)(visit->items[i].pieces_milli / 1000));
    }
    if (!visit->is_look && visit->items_all_n > (int64_t)visit->items_n) {
        html_raw(html, " and ");
        html_count(html, visit->items_all_n - (int64_t)visit->items_n);
        html_raw(html, " more");
    }
    html_raw(html, "</p></li>");
}

static void write_time_line(const struct page *page, struct html *html)
{
    const struct page_known *known = &page->known;

    html_raw(html, "<section class=\"card line\" aria-labelledby=\"line\"><h2 id=\"line\">Time line</h2>");
    if (!known->is_known || known->visits_n == 0) {
        html_raw(
            html,
            known->is_refused
                ? "<p class=\"empty\">Empty. Consent is withdrawn: nothing of this customer is kept, and "
                  "nothing new will be.</p></section>"
                : "<p class=\"empty\">Empty. Nothing has been seen of this visitor; the first look or "
                  "purchase "
                  "starts the line.</p></section>");
        return;
    }
    html_raw(html, "<p class=\"lead\">");
    page_plural(html, known->baskets_n, "visit", "visits");
    html_raw(html, " with ");
    page_plural(html, known->lines_n, "line", "lines");
    html_raw(html, " since ");
    page_date(html, known->first_ms, false);
    if (known->paid_minor > 0) {
        html_raw(html, ", ");
        page_money(html, known->paid_minor, page->currency);
        html_raw(html, " in all");
    }
    html_raw(html, ".</p>");
    if (known->stems_n > 1)
        write_stems(page, html);
    html_raw(html, "<ol class=\"visits\">");
    for (size_t i = 0; i < known->visits_n; i++)
        write_visit(page, &known->visits[i], html);
    html_raw(html, "</ol></section>");
}

static void write_repeats(const struct page *page, struct html *html)
{
    const struct page_known *known = &page->known;

    html_raw(
        html,
        "<section class=\"card repeat\" aria-labelledby=\"rep\"><h2 id=\"rep\">Bought again and again</h2>");
    if (known->repeats_n == 0) {
        html_raw(html, "<p class=\"empty\">Nothing was bought twice yet.</p></section>");
        return;
    }
    html_raw(html, "<ol>");
    for (size_t i = 0; i < known->repeats_n; i++) {
        const struct page_repeat *repeat = &known->repeats[i];
        int64_t share = repeat->of_visits > 0 ? 100 * repeat->times / repeat->of_visits : 0;

        html_raw(html, "<li>");
        page_art_write(html, page_art_of(repeat->item.department, repeat->item.category, repeat->item.title),
                       hash_fast(repeat->item.id.p, repeat->item.id.n, 0), true);
        html_raw(html, "<span><b>");
        html_title(html, repeat->item.title);
        html_raw(html, "</b><span>");
        page_plural(html, repeat->times, "time", "times");
        if (repeat->every_days > 0)
            html_rawf(html, repeat->every_days == 1 ? ", every day" : ", every %lld days",
                      (long long)repeat->every_days);
        html_raw(html, ", last ");
        if (repeat->ago_days > 0) {
            page_plural(html, repeat->ago_days, "day", "days");
            html_raw(html, " ago");
        } else {
            html_raw(html, "today");
        }
        html_rawf(html,
                  "</span><svg class=\"share\" viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\" "
                  "aria-hidden=\"true\" "
                  "focusable=\"false\"><path class=\"rail\" d=\"M0 0h100v4H0z\"/><path class=\"bar\" d=\"M0 "
                  "0h%lldv4H0z\"/></svg>"
                  "</span></li>",
                  (long long)(share > 100 ? 100 : share));
    }
    html_raw(html, "</ol></section>");
}

static void write_stores(const struct page_known *known, struct html *html)
{
    html_raw(html, "<section class=\"card\" aria-labelledby=\"sto\"><h2 id=\"sto\">Stores</h2>");
    if (known->stores_n == 0)
        html_raw(html, "<p class=\"empty\">No store was visited yet.</p>");
    html_raw(html, "<ul class=\"pairs\">");
    for (size_t i = 0; i < known->stores_n; i++) {
        html_raw(html, "<li><b>");
        html_text(html, known->stores[i].name);
        html_raw(html, "</b><span>");
        page_plural(html, known->stores[i].visits_n, "visit", "visits");
        html_raw(html, "</span></li>");
    }
    html_raw(html, "</ul></section>");
}

static void write_withdraw(const struct page *page, struct html *html)
{
    if (!page->known.is_known)
        return;
    html_raw(html,
             "<details class=\"withdraw\"><summary>Withdraw consent</summary><p>This erases: every visit, "
             "every look and the "
             "identifier's text of this customer leave this server at once and for good. What stays is the "
             "keyed hash that "
             "remembers the refusal. The next row is an anonymous one. <code>falun demo --fresh</code> "
             "starts over.</p><form "
             "method=\"post\" action=\"/demo/withdraw\"><input type=\"hidden\" name=\"customer\" value=\"");
    html_text(html, page->customer);
    html_raw(html, "\"><button class=\"erase\">Withdraw and erase</button></form></details>");
}

static void write_consents(const struct page *page, struct html *html)
{
    const struct page_known *known = &page->known;

    html_raw(html, "<section class=\"card\" aria-labelledby=\"con\"><h2 id=\"con\">Consent</h2>");
    if (known->consents_n == 0)
        html_raw(html, "<p class=\"empty\">Nothing was said. Without consent nothing is kept and no profile "
                       "is read.</p>");
    html_raw(html, "<ul class=\"pairs\">");
    for (size_t i = 0; i < known->consents_n; i++) {
        const struct page_consent *consent = &known->consents[i];

        html_raw(html, "<li><b>");
        html_text(html, consent->purpose);
        html_raw(html, consent->is_granted ? "</b><span class=\"yes\">" : "</b><span class=\"no\">");
        html_text(html, consent->state);
        html_raw(html, "</span><small>");
        html_text(html, consent->source);
        if (consent->at_ms != 0) {
            html_raw(html, ", ");
            page_date(html, consent->at_ms, false);
        }
        html_raw(html, "</small></li>");
    }
    html_raw(html, "</ul>");
    write_withdraw(page, html);
    html_raw(html, "</section>");
}

void page_known_write(const struct page *page, struct html *html)
{
    html_raw(html, "<div class=\"known\"><div class=\"title\"><h2>What is known of ");
    html_text(html, page->customer_name);
    html_raw(html, "</h2><p class=\"lead\">");
    html_raw(html, page->known.is_known
                       ? "All of it, with where it came from. The rows above use nothing else."
                       : "Nothing. The row above is made without a profile.");
    html_raw(html, "</p></div>");
    write_time_line(page, html);
    write_repeats(page, html);
    html_raw(html, "<div class=\"side\">");
    write_stores(&page->known, html);
    write_consents(page, html);
    html_raw(html, "</div></div>");
}
