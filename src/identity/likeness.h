/* SPDX-License-Identifier: Apache-2.0 */
/* likeness.h - how alike two values of a customer file are: their compared form, Jaro-Winkler, and a level.
 *
 *     a = likeness_form(LIKENESS_SURNAME, BYTES_LIT("Bj\u00f8rn-\u00c5s "), arena)     "bjoern aas"
 *     likeness_level(LIKENESS_SURNAME, a, b)                                 exact, near, different or missing
 * The compared form is for comparing only: nothing is stored in it or shown. Origin of Jaro-Winkler: Winkler, "String
 * Comparator Metrics and Enhanced Decision Rules in the Fellegi-Sunter Model of Record Linkage", 1990. */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"

enum likeness_kind {
    LIKENESS_TEXT,     /* anything that is not the person's own: gender, occupation */
    LIKENESS_NAME,     /* given name */
    LIKENESS_SURNAME,
    LIKENESS_DATE,     /* of birth */
    LIKENESS_ID,       /* a number given to one person: telephone, membership */
    LIKENESS_PLACE,    /* town; this kind and those below tell a household, not a person */
    LIKENESS_POSTCODE,
    LIKENESS_ADDRESS,  /* street, with or without a number */
    LIKENESS_KINDS_
};

enum likeness_level { LIKENESS_MISSING, LIKENESS_EXACT, LIKENESS_NEAR, LIKENESS_DIFFERENT };

enum { LIKENESS_CHARACTERS_MAX = 64 }; /* of a compared form: what stands behind is cut, so a comparison is bounded */
#define LIKENESS_NEAR_FROM .88

/* The word of a kind ("name", "surname", ...), and back; LIKENESS_KINDS_: no such word. */
const char *likeness_word(enum likeness_kind kind);
enum likeness_kind likeness_kind_of(struct bytes word);
/* Does the kind tell where somebody lives rather than who it is? */
bool likeness_is_household(enum likeness_kind kind);
/* The kind that values look like: dates, postcodes, long numbers; else TEXT. NULL-safe for n 0. */
enum likeness_kind likeness_guess(const struct bytes *values, size_t n);

/* The compared form, in the arena (n 0: missing; {NULL, 0} also when the arena is full): NFKC, lower case, aa for
 * a-ring, ae for its two letters, oe for its two, other accents dropped, punctuation to one space. Addresses lose "c/o
 * somebody"; postcodes a country and blanks, and get back a zero lost in front; dates become yyyymmdd where they can be
 * read (y-m-d, yyyymmdd, d.m.y, d/m/y; of two that could be the month the second is). Bytes that are not UTF-8: missing. */
struct bytes likeness_form(enum likeness_kind kind, struct bytes text, struct arena *arena);
/* 0 (nothing alike) .. 1 (the same), over characters; 0 when either is empty. Symmetric. Cost: characters squared / 2. */
double likeness_jaro_winkler(struct bytes a, struct bytes b);
/* Of two compared forms. Dates and ids are near at one digit wrong or two neighbours swapped; dates also with day and
 * month swapped, or the same year and one of them 1 January, which is how "only the year is known" is written. All
 * others at Jaro-Winkler >= .88. Symmetric. */
enum likeness_level likeness_level(enum likeness_kind kind, struct bytes a, struct bytes b);
