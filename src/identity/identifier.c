/* SPDX-License-Identifier: Apache-2.0 */
/* National identity numbers refused in clear, by form and control digits, so that ordinary member numbers pass:
 * Norway 11 digits with two mod-11 control digits; Sweden 10 or 12 digits with a Luhn digit and a written hyphen or plus
 * (bare ten digits are too common as member numbers to be refused on Luhn alone unless the date part is a date);
 * Denmark DDMMYY-NNNN; Finland DDMMYY[-+A..Y]NNNC with its control character. Origins: the four population
 * registers' public descriptions. */
#include "identity/identifier.h"

#include "base/hash.h"

#include <sodium.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

enum { UTF16_MAX = EVENT_ID_BYTES_MAX * 2 };

static enum err bad(struct why *why, const char *code, const char *says)
{
    return why_say(why, ERR_INVALID, code, "", "%s", says);
}

/* ---- national identity numbers ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int two(const char *p)
{
    return (p[0] - '0') * 10 + (p[1] - '0');
}

static bool all_digits(struct bytes text, size_t from, size_t n)
{
    for (size_t i = from; i < from + n; i++) {
        if (i >= text.n || !is_digit(text.p[i])) {
            return false;
        }
    }
    return true;
}

static bool is_day(int day, int month)
{
    return day >= 1 && day <= 31 && month >= 1 && month <= 12;
}

static bool is_norwegian(struct bytes t)
{
    static const int first[] = {3, 7, 6, 1, 8, 9, 4, 5, 2, 1, 0}, second[] = {5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1};
    int a = 0, b = 0, day, month;

    if (t.n != 11 || !all_digits(t, 0, 11)) {
        return false;
    }
    for (int i = 0; i < 11; i++) {
        a += first[i] * (t.p[i] - '0');
        b += second[i] * (t.p[i] - '0');
    }
    day = two(t.p) % 40; /* D numbers add 40 to the day, synthetic ones 40 or 80 to the month */
    month = two(t.p + 2) % 40;
    return a % 11 == 0 && b % 11 == 0 && is_day(day, month);
}

static bool luhn(const char *ten)
{
    int sum = 0;

    for (int i = 0; i < 10; i++) {
        int v = (ten[i] - '0') * (i % 2 == 0 ? 2 : 1);

        sum += v > 9 ? v - 9 : v;
    }
    return sum % 10 == 0;
}

static bool is_swedish(struct bytes t)
{
    char ten[10];
    size_t century = t.n == 13 || t.n == 12 ? 2 : 0;
    bool has_sign = t.n == 11 || t.n == 13;

    if ((t.n != 11 && t.n != 13 && t.n != 12) || !all_digits(t, 0, century + 6)) {
        return false;
    }
    if (has_sign && t.p[century + 6] != '-' && t.p[century + 6] != '+') {
        return false;
    }
    if (!all_digits(t, century + 6 + has_sign, 4) || (century && two(t.p) != 19 && two(t.p) != 20)) {
        return false;
    }
    memcpy(ten, t.p + century, 6);
    memcpy(ten + 6, t.p + century + 6 + has_sign, 4);
    return luhn(ten) && is_day(two(ten + 4) % 60, two(ten + 2)); /* co-ordination numbers add 60 to the day */
}

static bool is_danish(struct bytes t)
{
    return t.n == 11 && t.p[6] == '-' && all_digits(t, 0, 6) && all_digits(t, 7, 4) && is_day(two(t.p), two(t.p + 2));
}

static bool is_finnish(struct bytes t)
{
    static const char control[] = "0123456789ABCDEFHJKLMNPRSTUVWXY";
    long number = 0;

    if (t.n != 11 || !all_digits(t, 0, 6) || !all_digits(t, 7, 3) || t.p[6] == '\0' ||
        strchr("-+ABCDEFYXWVU", t.p[6]) == NULL) {
        return false;
    }
    for (int i = 0; i < 10; i++) {
        if (i != 6) {
            number = number * 10 + (t.p[i] - '0');
        }
    }
    return is_day(two(t.p), two(t.p + 2)) && control[number % 31] == t.p[10];
}

static bool is_national_number(struct bytes t)
{
    return is_norwegian(t) || is_swedish(t) || is_danish(t) || is_finnish(t);
}

/* ---- forms ---- */

/* UTF-8 by ICU, no control characters (C0, DEL, C1), no NUL. */
static bool is_clean(struct bytes text)
{
    UErrorCode code = U_ZERO_ERROR;
    UChar wide[UTF16_MAX];
    int32_t n = 0;

    u_strFromUTF8(wide, UTF16_MAX, &n, text.p, (int32_t)text.n, &code);
    if (U_FAILURE(code)) {
        return false;
    }
    for (int32_t i = 0; i < n; i++) {
        if (wide[i] < 0x20 || (wide[i] >= 0x7f && wide[i] < 0xa0)) {
            return false;
        }
    }
    return true;
}

static struct bytes trimmed(struct bytes text)
{
    while (text.n > 0 && (text.p[0] == ' ' || text.p[0] == '\t')) {
        text.p++;
        text.n--;
    }
    while (text.n > 0 && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\t')) {
        text.n--;
    }
    return text;
}

static struct bytes sha256_hex(struct bytes of, struct arena *arena)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof(hash) + 1];

    crypto_hash_sha256(hash, (const unsigned char *)of.p, of.n);
    hash_hex(hash, sizeof(hash), hex);
    return arena_copy(arena, (struct bytes){hex, 2 * sizeof(hash)});
}

/* NFKC, then lower case in the root locale. Gives {0} where it is not text. */
static struct bytes folded(struct bytes text, struct arena *arena)
{
    UErrorCode code = U_ZERO_ERROR;
    UChar wide[UTF16_MAX], composed[UTF16_MAX], lower[UTF16_MAX];
    char narrow[EVENT_ID_BYTES_MAX * 6];
    const UNormalizer2 *nfkc = unorm2_getNFKCInstance(&code);
    int32_t n = 0;

    u_strFromUTF8(wide, UTF16_MAX, &n, text.p, (int32_t)text.n, &code);
    n = unorm2_normalize(nfkc, wide, n, composed, UTF16_MAX, &code);
    n = u_strToLower(lower, UTF16_MAX, composed, n, "", &code);
    u_strToUTF8(narrow, (int32_t)sizeof(narrow), &n, lower, n, &code);
    return U_FAILURE(code) ? (struct bytes){0} : arena_copy(arena, (struct bytes){narrow, (size_t)n});
}

static enum err normalise_email(struct event_identifier *identifier, struct arena *arena, struct why *why)
{
    struct bytes text = trimmed(folded(identifier->value, arena));
    const char *at = text.n > 0 ? memchr(text.p, '@', text.n) : NULL;

    if (at == NULL || at == text.p || at == text.p + text.n - 1 ||
        memchr(at + 1, '@', (size_t)(text.p + text.n - at - 1)) != NULL || memchr(text.p, ' ', text.n) != NULL) {
        return bad(why, "bad_identifier", "an e-mail address has text on both sides of one @; send emailHash if it is hashed");
    }
    identifier->kind = IDENTIFIER_EMAIL_HASH;
    identifier->value = sha256_hex(text, arena);
    return ERR_OK;
}

static const char *dialling_code(struct bytes country)
{
    static const struct {
        char country[3], code[4];
    } codes[] = {{"NO", "47"}, {"SE", "46"}, {"DK", "45"}, {"FI", "358"}, {"IS", "354"}, {"DE", "49"},
                 {"GB", "44"}, {"NL", "31"}, {"US", "1"},  {"PL", "48"},  {"EE", "372"}, {"LV", "371"}, {"LT", "370"}};

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (bytes_equal(country, bytes_of(codes[i].country))) {
            return codes[i].code;
        }
    }
    return NULL;
}

static enum err normalise_phone(struct event_identifier *identifier, struct bytes country, struct arena *arena,
                                struct why *why)
{
    char digits[EVENT_ID_BYTES_MAX + 8];
    struct bytes text = trimmed(identifier->value);
    size_t n = 0;
    bool is_international = text.n > 0 && text.p[0] == '+';
    const char *code = dialling_code(country);

    for (size_t i = is_international; i < text.n; i++) {
        if (is_digit(text.p[i])) {
            digits[n++] = text.p[i];
        } else if (strchr(" -().", text.p[i]) == NULL) {
            return bad(why, "bad_identifier", "a phone number has digits, spaces and a leading + only; send it as +4799999999");
        }
    }
    if (!is_international && n > 2 && digits[0] == '0' && digits[1] == '0') {
        memmove(digits, digits + 2, n -= 2);
        is_international = true;
    }
    if (!is_international) {
        size_t code_n = code ? strlen(code) : 0, zero = n > 0 && digits[0] == '0' && code && strcmp(code, "47") != 0;

        if (code == NULL) {
            return bad(why, "bad_identifier", "a national phone number needs the tenant's country; send it as +4799999999");
        }
        memmove(digits + code_n, digits + zero, n - zero);
        memcpy(digits, code, code_n);
        n += code_n - zero;
    }
    if (n < 7 || n > 15) {
        return bad(why, "bad_identifier", "a phone number has 7 to 15 digits with its country code (E.164)");
    }
    identifier->kind = IDENTIFIER_PHONE_HASH;
    identifier->value = sha256_hex(arena_format(arena, "+%.*s", (int)n, digits), arena);
    return ERR_OK;
}

static enum err normalise_hash(struct event_identifier *identifier, struct arena *arena, struct why *why)
{
    char hex[64];

    if (identifier->value.n != sizeof(hex)) {
        return bad(why, "bad_identifier", "a hash is 64 hexadecimal digits: SHA-256 of the normalised address or number");
    }
    for (size_t i = 0; i < sizeof(hex); i++) {
        char c = identifier->value.p[i];

        c = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
        if (!is_digit(c) && !(c >= 'a' && c <= 'f')) {
            return bad(why, "bad_identifier", "a hash is 64 hexadecimal digits: SHA-256 of the normalised address or number");
        }
        hex[i] = c;
    }
    identifier->value = arena_copy(arena, (struct bytes){hex, sizeof(hex)});
    return ERR_OK;
}

/* The value without the name that identifiers of own kinds carry in front. */
static struct bytes bare(const struct event_identifier *identifier)
{
    struct bytes value = identifier->value;
    const char *colon = identifier->kind == IDENTIFIER_X && value.n > 0 ? memchr(value.p, ':', value.n) : NULL;

    return colon == NULL ? value : (struct bytes){colon + 1, value.n - (size_t)(colon + 1 - value.p)};
}

enum err identifier_normalise(struct event_identifier *identifier, struct bytes country, struct arena *arena,
                              struct why *why)
{
    struct event_identifier normal = *identifier;
    enum err err = ERR_OK;

    if (normal.value.n == 0) {
        return bad(why, "bad_identifier", "an identifier must not be empty; leave the field out instead");
    }
    if (normal.value.n > EVENT_ID_BYTES_MAX) {
        return bad(why, "identifier_too_long", "an identifier has at most 256 bytes");
    }
    if (!is_clean(normal.value)) {
        return bad(why, "bad_identifier", "an identifier is UTF-8 text without control characters");
    }
    if (is_national_number(trimmed(bare(&normal)))) {
        return bad(why, "national_identity_number", "a national identity number is never taken in clear; send a member number");
    }
    if (normal.kind == IDENTIFIER_EMAIL) {
        err = normalise_email(&normal, arena, why);
    } else if (normal.kind == IDENTIFIER_PHONE) {
        err = normalise_phone(&normal, country, arena, why);
    } else if (normal.kind == IDENTIFIER_EMAIL_HASH || normal.kind == IDENTIFIER_PHONE_HASH) {
        err = normalise_hash(&normal, arena, why);
    }
    if (err == ERR_OK) {
        *identifier = normal;
    }
    return err;
}

enum err identifier_parse(struct bytes text, struct event_identifier *out_identifier, struct why *why)
{
    const char *colon = text.n > 0 ? memchr(text.p, ':', text.n) : NULL;
    struct event_identifier read = {0};
    struct bytes kind;

    if (colon == NULL) {
        return bad(why, "bad_identifier", "write an identifier as kind:value, for example member:M-1001");
    }
    kind = (struct bytes){text.p, (size_t)(colon - text.p)};
    if (!event_identifier_of(kind, &read.kind)) {
        return bad(why, "unknown_identifier_kind",
                   "kinds are member userId erp email emailHash phone phoneHash cardToken app cookie anonymousId and x-<name>");
    }
    read.value = (struct bytes){colon + 1, text.n - kind.n - 1};
    if (read.kind == IDENTIFIER_X) {
        read.value = (struct bytes){text.p + 2, text.n - 2};
    }
    *out_identifier = read;
    return ERR_OK;
}

bool identifier_is_device(enum identifier_kind kind)
{
    return kind == IDENTIFIER_COOKIE || kind == IDENTIFIER_APP || kind == IDENTIFIER_ANONYMOUS_ID;
}
