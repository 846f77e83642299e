/* SPDX-License-Identifier: Apache-2.0 */
/* money.h - exact decimal text to minor units of a currency and back; no double anywhere.
 *
 *     "349.50" NOK  -> 34950     "1200" JPY -> 1200     "1.5e3" NOK -> 150000     "-0.01" EUR -> -1
 * Fraction digits beyond the currency's are refused unless they are zeros ("349.500" is fine):
 * rounding is a decision, and money_round takes it where it must be taken (sums that a page computed in
 * doubles: 0.30000000000000004). */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

enum { MONEY_TEXT_BYTES = 32 };

/* Digits after the point in ISO 4217: 2 unless listed (JPY 0, KWD 3, CLF 4 ...). */
int money_exponent(const char *currency);
/* Three capital letters A to Z. */
bool money_is_currency(struct bytes text);

/* text: a decimal number as JSON writes it, without surrounding blanks. Errors: ERR_INVALID, not such a
 * number or more fraction digits than exponent allows; ERR_TOOBIG, beyond 64 bits. */
MUST_USE enum err money_parse(struct bytes text, int exponent, int64_t *out_minor);
/* Like money_parse, but rounds half away from zero. Errors: ERR_INVALID, ERR_TOOBIG. */
MUST_USE enum err money_round(struct bytes text, int exponent, int64_t *out_minor);
/* "349.50"; NUL-terminated. Gives the length. exponent: 0..6. */
size_t money_format(int64_t minor, int exponent, char out_text[MONEY_TEXT_BYTES]);
