/* SPDX-License-Identifier: Apache-2.0 */
#include "api/page_part.h"

#include <math.h>

static const struct page_bar *best(const struct page_proof *proof, bool is_own, bool is_segment)
{
    const struct page_bar *found = NULL;

    for (size_t i = 0; i < proof->bars_n; i++)
        if (proof->bars[i].is_own == is_own && proof->bars[i].is_segment == is_segment &&
            (!found || proof->bars[i].recall > found->recall))
            found = &proof->bars[i];
    return found;
}

double page_proof_times(const struct page_proof *proof)
{
    const struct page_bar *own = best(proof, true, false), *segment = best(proof, false, true);
    const struct page_bar *other = segment ? segment : best(proof, false, false);

    return own && other && other->recall > 0 ? own->recall / other->recall : 0;
}

static void write_sentence(const struct page_proof *proof, struct html *html)
{
    const struct page_bar *segment = best(proof, false, true), *popular = best(proof, false, false);
    const struct page_bar *own = best(proof, true, false);
    const char *other = segment ? "the best segment" : "the row everybody gets";
    double times = page_proof_times(proof);

    if (times <= 0) {
        html_raw(html, "<h1>The one-to-one row has nothing to be measured against yet</h1>");
    } else if (times < 1.05) {
        html_rawf(html,
                  "<h1>The one-to-one row does not find more of the next basket than %s on this data</h1>",
                  other);
    } else {
        html_raw(html, "<h1>The one-to-one row finds <strong>");
        page_times(html, times);
        html_rawf(html, " times</strong> as much of the next basket as %s</h1>", other);
    }
    html_raw(html, "<p class=\"lead\">");
    if (proof->times_high > proof->times_low)
        html_rawf(html, "95 %% interval of that: %.2f to %.2f times. ", proof->times_low, proof->times_high);
    if (segment && popular && popular->recall > 0) {
        html_raw(html, "And ");
        page_times(html, own ? own->recall / popular->recall : 0);
        html_raw(html, " times as much as the row everybody gets. ");
    }
    html_raw(html, "Each way names ten items for the next visit of ");
    page_plural(html, proof->cases_n, "household", "households");
    if (proof->from.n > 0) {
        html_raw(html, ", in a recorded month (from ");
        html_text(html, proof->from);
        html_raw(html, ") of which nothing had been learnt");
    } else {
        html_raw(html, ", in a recorded month of which nothing had been learnt");
    }
    html_raw(html, ".</p>");
}

/* The right end of the axis: the next whole 5 % above the highest interval. */
static double axis_end(const struct page_proof *proof)
{
    double highest = 0.05;

    for (size_t i = 0; i < proof->bars_n; i++) {
        highest = fmax(highest, proof->bars[i].recall);
        highest = fmax(highest, proof->bars[i].recall_high);
    }
    return ceil(highest * 20 - 1e-9) / 20;
}

static void write_bar(const struct page_bar *bar, double end, struct html *html)
{
    double width = 1000 * bar->recall / end, low = 1000 * bar->recall_low / end,
           high = 1000 * bar->recall_high / end;

    html_raw(html, bar->is_own ? "<li class=\"mine\"><span class=\"name\">" : "<li><span class=\"name\">");
    html_text(html, bar->name);
    html_rawf(html,
              "</span><svg viewBox=\"0 0 1000 24\" preserveAspectRatio=\"none\" aria-hidden=\"true\" "
              "focusable=\"false\"><path "
              "class=\"rail\" d=\"M0 4h1000v16H0z\"/><path class=\"bar\" d=\"M0 4h%.0fv16H0z\"/>",
              width);
    if (bar->recall_high > bar->recall_low)
        html_rawf(html, "<path class=\"span\" d=\"M%.0f 12H%.0fM%.0f 7v10M%.0f 7v10\"/>", low, high, low,
                  high);
    html_rawf(html, "</svg><span class=\"value\">%.1f %%</span></li>", 100 * bar->recall);
}

/* One-to-one and the better popular always, and of the segments, which come falling, as many as there is room for. */
static void write_bars(const struct page_proof *proof, struct html *html)
{
    const struct page_bar *popular = best(proof, false, false);
    size_t left_n = PAGE_BARS_DRAWN - 1 - (popular != NULL);
    double end = axis_end(proof);

    html_raw(html, "<ul class=\"bars\">");
    for (size_t i = 0; i < proof->bars_n; i++) {
        const struct page_bar *bar = &proof->bars[i];

        if (bar->is_segment && left_n > 0)
            left_n--;
        else if (!bar->is_own && bar != popular)
            continue;
        write_bar(bar, end, html);
    }
    html_rawf(html, "</ul><p class=\"axis\" aria-hidden=\"true\"><span>0</span><span>%.0f %%</span></p>",
              100 * end);
}

static void write_table(const struct page_proof *proof, struct html *html)
{
    html_raw(html,
             "<details><summary>Show as table</summary><div class=\"scroll\" tabindex=\"0\" role=\"region\" "
             "aria-label=\"The proof as a "
             "table\"><table><thead><tr><th scope=\"col\">System</th><th scope=\"col\">R@10</th><th "
             "scope=\"col\">95 % "
             "interval</th><th scope=\"col\">N@10</th><th scope=\"col\">PHR@10</th></tr></thead><tbody>");
    for (size_t i = 0; i < proof->bars_n; i++) {
        const struct page_bar *bar = &proof->bars[i];

        html_raw(html, "<tr><th scope=\"row\">");
        html_text(html, bar->name);
        html_rawf(html, "</th><td>%.4f</td>", bar->recall);
        if (bar->recall_high > bar->recall_low)
            html_rawf(html, "<td>%.4f to %.4f</td>", bar->recall_low, bar->recall_high);
        else
            html_raw(html, "<td>not computed</td>");
        html_rawf(html, "<td>%.4f</td><td>%.4f</td></tr>", bar->ndcg, bar->phr);
    }
    html_raw(html, "</tbody></table></div><p class=\"note\">R@10: share of the next basket's items among ten "
                   "named. N@10: the same, "
                   "weighted by place. PHR@10: share of households with at least one found.</p></details>");
}

void page_proof_write(const struct page_proof *proof, struct html *html)
{
    html_raw(html, "<section class=\"proof\" aria-label=\"The proof\">");
    if (proof->state != PAGE_PROOF_READY || proof->bars_n == 0) {
        html_raw(html,
                 proof->state == PAGE_PROOF_FAILED
                     ? "<h1>The proof could not be computed</h1><p class=\"lead\">"
                     : "<h1>One-to-one against segments: the proof is being computed</h1><p class=\"lead\">");
        if (proof->note.n > 0)
            html_text(html, proof->note);
        else
            html_raw(html, "A month of real visits was held back; each system names ten items for every next "
                           "basket in it. "
                           "Load the page again in a minute. The rows below work already.");
        html_raw(html, "</p></section>");
        return;
    }
    html_raw(html, "<div class=\"says\">");
    write_sentence(proof, html);
    html_raw(html,
             "</div><figure><figcaption>Share of the next basket found among ten items (R@10), with 95 % "
             "intervals</figcaption>");
    write_bars(proof, html);
    write_table(proof, html);
    html_raw(html, "</figure></section>");
}
