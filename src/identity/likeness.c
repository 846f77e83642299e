/* SPDX-License-Identifier: Apache-2.0 */
/* The compared form is made in UTF-16, where ICU works, and written as UTF-8. Nordic letters are spelt out before accents
 * are dropped: otherwise a-ring would become a, and Aas would not meet its other spelling. */
#include "identity/likeness.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

enum { UNITS_MAX = 512, BYTES_MAX = 256 };

static const char *const words[] = {"text", "name", "surname", "date", "id", "place", "postcode", "address"};

const char *likeness_word(enum likeness_kind kind)
{
    return words[kind];
}

enum likeness_kind likeness_kind_of(struct bytes word)
{
    int kind = 0;

    while (kind < LIKENESS_KINDS_ && !bytes_equal(word, bytes_of(words[kind]))) {
        kind++;
    }
    return (enum likeness_kind)kind;
}

bool likeness_is_household(enum likeness_kind kind)
{
    return kind == LIKENESS_PLACE || kind == LIKENESS_POSTCODE || kind == LIKENESS_ADDRESS;
}

/* ---- the compared form ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* NFKC and case folding, Nordic letters spelt out, accents dropped, what is no letter or digit a blank. Gives units
 * written, 0 for what cannot be read. */
static int32_t fold(struct bytes text, UChar *to)
{
    UErrorCode status = U_ZERO_ERROR;
    UChar raw[UNITS_MAX], folded[UNITS_MAX], apart[UNITS_MAX];
    const UNormalizer2 *case_fold = unorm2_getNFKCCasefoldInstance(&status), *nfd = unorm2_getNFDInstance(&status);
    int32_t n = 0, spelt_n = 0, apart_n, to_n = 0;

    u_strFromUTF8(raw, UNITS_MAX, &n, text.p, (int32_t)text.n, &status);
    n = unorm2_normalize(case_fold, raw, n, folded, UNITS_MAX, &status);
    if (U_FAILURE(status)) {
        return 0;
    }
    for (int32_t i = 0; i < n && spelt_n < UNITS_MAX - 2; i++) { /* into raw, which is read */
        UChar c = folded[i];
        const char *spelt = c == 0xe5 ? "aa" : c == 0xe6 || c == 0xe4 ? "ae" : c == 0xf8 || c == 0xf6 ? "oe" : NULL;

        raw[spelt_n++] = spelt != NULL ? (UChar)spelt[0] : c;
        if (spelt != NULL) {
            raw[spelt_n++] = (UChar)spelt[1];
        }
    }
    apart_n = unorm2_normalize(nfd, raw, spelt_n, apart, UNITS_MAX, &status);
    for (int32_t i = 0; U_SUCCESS(status) && i < apart_n && to_n < UNITS_MAX - 2;) {
        UChar32 c = apart[i++];

        if (U16_IS_LEAD(apart[i - 1]) && i < apart_n && U16_IS_TRAIL(apart[i])) {
            c = (UChar32)U16_GET_SUPPLEMENTARY(apart[i - 1], apart[i]);
            i++;
        }
        if (u_charType(c) == U_NON_SPACING_MARK) {
            continue;
        }
        if (u_isalnum(c)) {
            U16_APPEND_UNSAFE(to, to_n, c);
        } else if (c != '\'' && c != 0x2019) {
            to[to_n++] = c == '/' || c == ',' ? (UChar)c : ' ';
        }
    }
    return to_n;
}

/* "c/o somebody, street": what stands behind the comma; without one nothing is known of the street. */
static struct bytes drop_care_of(struct bytes text)
{
    size_t at;

    if (!bytes_starts(text, BYTES_LIT("c/o"))) {
        return text;
    }
    for (at = 0; at < text.n && text.p[at] != ','; at++) {
    }
    return at < text.n ? (struct bytes){text.p + at + 1, text.n - at - 1} : (struct bytes){NULL, 0};
}

/* One blank between words, none at the ends; cut to LIKENESS_CHARACTERS_MAX characters. keep_blanks false: none. */
static size_t tidy(struct bytes text, bool keep_blanks, char *to)
{
    size_t n = 0, characters = 0;
    bool is_owed = false;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (c == ' ' || c == '/' || c == ',') {
            is_owed = keep_blanks && n > 0;
            continue;
        }
        if (((unsigned char)c & 0xc0) != 0x80) {
            characters += is_owed ? 2 : 1;
            if (characters > LIKENESS_CHARACTERS_MAX) {
                break;
            }
            if (is_owed) {
                to[n++] = ' ';
            }
            is_owed = false;
        }
        to[n++] = c;
    }
    return n;
}

/* Three groups of digits as year, month, day: false when it is no date. */
static bool put_date(const int *number, const size_t *digits_n, char *to)
{
    bool is_year_first = digits_n[0] == 4;
    int y = is_year_first ? number[0] : number[2], m = number[1], d = is_year_first ? number[2] : number[0];

    if ((!is_year_first && digits_n[2] != 4) || digits_n[1] > 2 || digits_n[is_year_first ? 2 : 0] > 2) {
        return false;
    }
    if (m > 12 && d >= 1 && d <= 12 && m <= 31) {
        int swap = m;

        m = d;
        d = swap;
    }
    for (int i = 3, v = y; i >= 0; i--, v /= 10) {
        to[i] = (char)('0' + v % 10);
    }
    to[4] = (char)('0' + m / 10);
    to[5] = (char)('0' + m % 10);
    to[6] = (char)('0' + d / 10);
    to[7] = (char)('0' + d % 10);
    return true;
}

/* text is folded: every mark is a blank or a slash. A time of day behind the date is passed over. */
static bool read_date(struct bytes text, char *to)
{
    int number[3] = {0};
    size_t digits_n[3] = {0}, groups = 0;

    for (size_t i = 0; i < text.n && groups < 3; i++) {
        if (is_digit(text.p[i]) && digits_n[groups] < 8) {
            number[groups] = number[groups] * 10 + (text.p[i] - '0');
            digits_n[groups]++;
        } else if (groups < 3 && digits_n[groups] > 0) {
            groups++;
        }
    }
    groups += groups < 3 && digits_n[groups] > 0;
    if (groups >= 1 && digits_n[0] == 8) {
        memcpy(to, text.p + (text.p[0] == ' '), 8);
        return is_digit(text.p[0]);
    }
    return groups == 3 && put_date(number, digits_n, to);
}

static size_t tidy_postcode(char *code, size_t n)
{
    size_t letters = 0;
    bool is_number = n > 0;

    while (letters < n && !is_digit(code[letters])) {
        letters++;
    }
    for (size_t i = letters; i < n; i++) {
        is_number = is_number && is_digit(code[i]);
    }
    if (is_number && letters <= 2 && n - letters >= 3) { /* "NO-0150", "S 111 22" */
        memmove(code, code + letters, n - letters);
        n -= letters;
        if (n == 3) {
            memmove(code + 1, code, n++);
            code[0] = '0';
        }
    }
    return n;
}

struct bytes likeness_form(enum likeness_kind kind, struct bytes text, struct arena *arena)
{
    UErrorCode status = U_ZERO_ERROR;
    UChar units[UNITS_MAX];
    char utf8[3 * UNITS_MAX], to[4 * LIKENESS_CHARACTERS_MAX + 8];
    struct bytes folded;
    int32_t n = 0;
    size_t to_n;

    text.n = text.n > BYTES_MAX ? BYTES_MAX : text.n;
    while (text.n == BYTES_MAX && text.n > BYTES_MAX - 4 && ((unsigned char)text.p[text.n - 1] & 0x80) != 0) {
        text.n--;
    }
    if (text.n == 0) {
        return (struct bytes){NULL, 0};
    }
    u_strToUTF8(utf8, sizeof(utf8), &n, units, fold(text, units), &status);
    if (U_FAILURE(status) || n == 0) {
        return (struct bytes){NULL, 0};
    }
    folded = (struct bytes){utf8, (size_t)n};
    if (kind == LIKENESS_DATE && read_date(folded, to)) {
        return arena_copy(arena, (struct bytes){to, 8});
    }
    folded = kind == LIKENESS_ADDRESS ? drop_care_of(folded) : folded;
    to_n = tidy(folded, kind != LIKENESS_POSTCODE && kind != LIKENESS_ID && kind != LIKENESS_DATE, to);
    to_n = kind == LIKENESS_POSTCODE ? tidy_postcode(to, to_n) : to_n;
    return to_n == 0 ? (struct bytes){NULL, 0} : arena_copy(arena, (struct bytes){to, to_n});
}

enum likeness_kind likeness_guess(const struct bytes *values, size_t n)
{
    size_t seen = 0, dates = 0, codes = 0, ids = 0;
    char to[8];

    for (size_t i = 0; i < n; i++) {
        struct bytes v = values[i];
        size_t digits = 0;

        for (size_t j = 0; j < v.n; j++) {
            digits += is_digit(v.p[j]);
        }
        seen += v.n > 0;
        if (v.n >= 8 && v.n <= 10 && read_date(v, to) && (to[0] == '1' || to[0] == '2') && to[4] <= '1' && to[6] <= '3') {
            dates++;
        } else if (v.n >= 4 && v.n <= 8 && digits >= 2 && digits + 5 >= v.n && digits <= 5) {
            codes++;
        } else if (v.n >= 6 && digits + 1 >= v.n) {
            ids++;
        }
    }
    return seen == 0               ? LIKENESS_TEXT
           : dates * 10 >= seen * 8 ? LIKENESS_DATE
           : codes * 10 >= seen * 8 ? LIKENESS_POSTCODE
           : ids * 10 >= seen * 8   ? LIKENESS_ID
                                    : LIKENESS_TEXT;
}

/* ---- alike ---- */

static size_t characters(struct bytes text, uint32_t *to)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if ((c & 0xc0) == 0x80 && n > 0) {
            to[n - 1] = (to[n - 1] << 6) | (c & 0x3f);
        } else if (n < LIKENESS_CHARACTERS_MAX) {
            to[n++] = c;
        } else {
            break;
        }
    }
    return n;
}

double likeness_jaro_winkler(struct bytes a, struct bytes b)
{
    uint32_t x[LIKENESS_CHARACTERS_MAX], y[LIKENESS_CHARACTERS_MAX];
    bool is_turned = b.n < a.n || (b.n == a.n && bytes_compare(b, a) < 0); /* who takes first would else matter */
    size_t x_n = characters(is_turned ? b : a, x), y_n = characters(is_turned ? a : b, y), longer = x_n > y_n ? x_n : y_n;
    size_t reach = longer / 2 > 0 ? longer / 2 - 1 : 0, same = 0, moved = 0, begin = 0, j = 0;
    uint64_t in_x = 0, in_y = 0;
    double jaro, m;

    for (size_t i = 0; i < x_n; i++) {
        size_t to = i + reach + 1 < y_n ? i + reach + 1 : y_n;

        for (size_t k = i > reach ? i - reach : 0; k < to; k++) {
            if (x[i] == y[k] && (in_y >> k & 1) == 0) {
                in_x |= UINT64_C(1) << i;
                in_y |= UINT64_C(1) << k;
                same++;
                break;
            }
        }
    }
    if (same == 0) {
        return 0;
    }
    for (size_t i = 0; i < x_n; i++) {
        if ((in_x >> i & 1) != 0) {
            while ((in_y >> j & 1) == 0) {
                j++;
            }
            moved += x[i] != y[j++];
        }
    }
    while (begin < 4 && begin < x_n && begin < y_n && x[begin] == y[begin]) {
        begin++;
    }
    m = (double)same;
    jaro = (m / (double)x_n + m / (double)y_n + (m - (double)(moved / 2)) / m) / 3;
    return jaro + .1 * (double)begin * (1 - jaro);
}

/* One character wrong, or two neighbours swapped. */
static bool is_slip(struct bytes a, struct bytes b)
{
    size_t wrong = 0, first = 0;

    if (a.n != b.n) {
        return false;
    }
    for (size_t i = 0; i < a.n; i++) {
        if (a.p[i] != b.p[i]) {
            first = wrong++ == 0 ? i : first;
        }
    }
    return wrong == 1 || (wrong == 2 && a.p[first] == b.p[first + 1] && a.p[first + 1] == b.p[first]);
}

static bool is_near_date(struct bytes a, struct bytes b)
{
    if (a.n != 8 || b.n != 8) {
        return false;
    }
    if (memcmp(a.p, b.p, 4) != 0) {
        return false;
    }
    return (memcmp(a.p + 4, b.p + 6, 2) == 0 && memcmp(a.p + 6, b.p + 4, 2) == 0) ||
           memcmp(a.p + 4, "0101", 4) == 0 || memcmp(b.p + 4, "0101", 4) == 0;
}

enum likeness_level likeness_level(enum likeness_kind kind, struct bytes a, struct bytes b)
{
    bool is_near;

    if (a.n == 0 || b.n == 0) {
        return LIKENESS_MISSING;
    }
    if (bytes_equal(a, b)) {
        return LIKENESS_EXACT;
    }
    is_near = kind == LIKENESS_DATE ? is_slip(a, b) || is_near_date(a, b)
              : kind == LIKENESS_ID ? is_slip(a, b)
                                    : likeness_jaro_winkler(a, b) >= LIKENESS_NEAR_FROM;
    return is_near ? LIKENESS_NEAR : LIKENESS_DIFFERENT;
}
