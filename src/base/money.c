/* SPDX-License-Identifier: Apache-2.0 */
#include "base/money.h"

#include <assert.h>
#include <stdio.h>

/* ISO 4217 (list one, 2024): currencies whose minor unit is not a hundredth. */
static const struct {
    char code[4];
    int exponent;
} unusual[] = {
    {"BHD", 3}, {"BIF", 0}, {"CLF", 4}, {"CLP", 0}, {"DJF", 0}, {"GNF", 0}, {"IQD", 3},
    {"ISK", 0}, {"JOD", 3}, {"JPY", 0}, {"KMF", 0}, {"KRW", 0}, {"KWD", 3}, {"LYD", 3},
    {"OMR", 3}, {"PYG", 0}, {"RWF", 0}, {"TND", 3}, {"UGX", 0}, {"UYI", 0}, {"UYW", 4},
    {"VND", 0}, {"VUV", 0}, {"XAF", 0}, {"XOF", 0}, {"XPF", 0},
};

int money_exponent(const char *currency)
{
    for (size_t i = 0; i < sizeof(unusual) / sizeof(unusual[0]); i++) {
        if (strcmp(unusual[i].code, currency) == 0) {
            return unusual[i].exponent;
        }
    }
    return 2;
}

bool money_is_currency(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < 'A' || text.p[i] > 'Z') {
            return false;
        }
    }
    return text.n == 3;
}

struct decimal { /* digits * 10^exponent */
    bool is_negative;
    const char *digits; /* with one point among them at most */
    size_t digits_n;    /* characters, the point included */
    int64_t exponent;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The exponent part "e-12", saturated far beyond any sense. */
static bool read_exponent(const char *p, const char *end, int64_t *out_exponent)
{
    bool is_negative = p < end && *p == '-';
    int64_t exponent = 0;

    if (p < end && (*p == '-' || *p == '+')) {
        p++;
    }
    if (p == end) {
        return false;
    }
    for (; p < end; p++) {
        if (!is_digit(*p)) {
            return false;
        }
        exponent = exponent < 100000 ? exponent * 10 + (*p - '0') : exponent;
    }
    *out_exponent = is_negative ? -exponent : exponent;
    return true;
}

static bool read_decimal(struct bytes text, struct decimal *out_decimal)
{
    const char *p = text.p, *end = text.p + text.n, *point = NULL;
    struct decimal decimal = {.is_negative = text.n > 0 && *p == '-'};

    if (decimal.is_negative) {
        p++;
    }
    decimal.digits = p;
    while (p < end && (is_digit(*p) || (*p == '.' && point == NULL))) {
        point = *p == '.' ? p : point;
        p++;
    }
    decimal.digits_n = (size_t)(p - decimal.digits);
    if (decimal.digits_n == 0 || decimal.digits[0] == '.' || p[-1] == '.') {
        return false;
    }
    if (p < end && ((*p | 0x20) != 'e' || !read_exponent(p + 1, end, &decimal.exponent))) {
        return false;
    }
    if (point != NULL) {
        decimal.exponent -= p - point - 1;
    }
    *out_decimal = decimal;
    return true;
}

/* Adds one digit to *value; false beyond 64 bits (the most negative number included). */
static bool push_digit(uint64_t *value, unsigned digit)
{
    return !__builtin_mul_overflow(*value, (uint64_t)10, value) &&
           !__builtin_add_overflow(*value, digit, value) && *value <= (uint64_t)INT64_MAX;
}

static enum err read_minor(struct bytes text, int exponent, bool is_rounding, int64_t *out_minor)
{
    struct decimal decimal;
    uint64_t value = 0;
    int64_t scale, kept;
    unsigned first_dropped = 0;
    size_t seen = 0;

    if (!read_decimal(text, &decimal)) {
        return ERR_INVALID;
    }
    scale = decimal.exponent + exponent; /* value = digits * 10^scale; digits below 10^0 are dropped */
    kept = (int64_t)decimal.digits_n - (memchr(decimal.digits, '.', decimal.digits_n) != NULL) +
           (scale < 0 ? scale : 0);
    for (size_t i = 0; i < decimal.digits_n; i++) {
        unsigned digit = (unsigned)(decimal.digits[i] - '0');

        if (decimal.digits[i] == '.') {
            continue;
        }
        if ((int64_t)seen < kept) {
            if (!push_digit(&value, digit)) {
                return ERR_TOOBIG;
            }
        } else {
            if (digit != 0 && !is_rounding) {
                return ERR_INVALID;
            }
            first_dropped = (int64_t)seen == kept ? digit : first_dropped;
        }
        seen++;
    }
    if (first_dropped >= 5 && ++value > (uint64_t)INT64_MAX) {
        return ERR_TOOBIG;
    }
    for (int64_t i = 0; i < scale && value != 0; i++) {
        if (!push_digit(&value, 0)) {
            return ERR_TOOBIG;
        }
    }
    *out_minor = decimal.is_negative ? -(int64_t)value : (int64_t)value;
    return ERR_OK;
}

enum err money_parse(struct bytes text, int exponent, int64_t *out_minor)
{
    return read_minor(text, exponent, false, out_minor);
}

enum err money_round(struct bytes text, int exponent, int64_t *out_minor)
{
    return read_minor(text, exponent, true, out_minor);
}

size_t money_format(int64_t minor, int exponent, char out_text[MONEY_TEXT_BYTES])
{
    uint64_t rest = minor < 0 ? 0 - (uint64_t)minor : (uint64_t)minor, unit = 1;
    int n;

    assert(exponent >= 0 && exponent <= 6);
    for (int i = 0; i < exponent; i++) {
        unit *= 10;
    }
    if (exponent == 0) {
        n = snprintf(out_text, MONEY_TEXT_BYTES, "%s%llu", minor < 0 ? "-" : "", (unsigned long long)rest);
    } else {
        n = snprintf(out_text, MONEY_TEXT_BYTES, "%s%llu.%0*llu", minor < 0 ? "-" : "",
                     (unsigned long long)(rest / unit), exponent, (unsigned long long)(rest % unit));
    }
    assert(n > 0 && n < MONEY_TEXT_BYTES);
    return (size_t)n;
}
