/* SPDX-License-Identifier: Apache-2.0 */
/* page_art.h - small drawings of goods, made by the server: recorded data has no pictures.
 *
 * The kind of drawing comes from the words of category, title and department; its colourway and the
 * pattern of its label from the item's id: the same item always looks the same. A page carries each
 * drawing once as an SVG symbol (page_art_symbols) and uses it as often as it likes. */
#pragma once

#include "api/html.h"

enum page_art {
    PAGE_ART_BOX = 0, /* what nothing better fits */
    PAGE_ART_CARTON,
    PAGE_ART_BOTTLE,
    PAGE_ART_CAN,
    PAGE_ART_JAR,
    PAGE_ART_BAG,
    PAGE_ART_APPLE,
    PAGE_ART_CARROT,
    PAGE_ART_LEAF,
    PAGE_ART_BERRY,
    PAGE_ART_BANANA,
    PAGE_ART_MEAT,
    PAGE_ART_SAUSAGE,
    PAGE_ART_FISH,
    PAGE_ART_CHEESE,
    PAGE_ART_BREAD,
    PAGE_ART_CAKE,
    PAGE_ART_EGGS,
    PAGE_ART_TUB,
    PAGE_ART_ICE,
    PAGE_ART_FROZEN,
    PAGE_ART_PIZZA,
    PAGE_ART_CUP,
    PAGE_ART_CANDY,
    PAGE_ART_TUBE,
    PAGE_ART_PILL,
    PAGE_ART_ROLL,
    PAGE_ART_SPRAY,
    PAGE_ART_BABY,
    PAGE_ART_PAW,
    PAGE_ART_FLOWER,
    PAGE_ART_PAPER,
    PAGE_ART_FUEL,
    PAGE_ART_WINE,
    PAGE_ART_BOWL,
    PAGE_ART_PERSON, /* for choices, never for goods */
    PAGE_ARTS_
};

enum { PAGE_ART_COLOURWAYS = 10, PAGE_ART_MOTIFS = 4 };

/* Chooses by the words; texts may be in any case and empty. */
enum page_art page_art_of(struct bytes department, struct bytes category, struct bytes title);
/* The symbols of all drawings that the page uses: bit i of `used` is enum page_art i. Once a page. */
void page_art_symbols(struct html *html, uint64_t used);
/* One drawing on its tinted ground, decorative (aria-hidden). seed: hash_fast of the id. */
void page_art_write(struct html *html, enum page_art art, uint64_t seed, bool is_small);
