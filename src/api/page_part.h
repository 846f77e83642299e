/* SPDX-License-Identifier: Apache-2.0 */
/* page_part.h - the page's sections, for page.c alone, and how it says money, dates and numbers. */
#pragma once

#include "api/page.h"

void page_proof_write(const struct page_proof *proof, struct html *html);
void page_known_write(const struct page *page, struct html *html);

/* "$2.49", "349.50 NOK"; nothing when minor is -1. */
void page_money(struct html *html, int64_t minor, const char *currency);
/* "24 Nov 2026"; with the weekday in front "Tue 24 Nov 2026". */
void page_date(struct html *html, int64_t at_ms, bool has_weekday);
/* "1 visit", "2 visits". */
void page_plural(struct html *html, int64_t n, const char *one, const char *many);
/* "2.4" and "12": one digit behind the point below ten, none above. */
void page_times(struct html *html, double times);
