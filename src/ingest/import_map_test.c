/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/import_map.h"

#include "base/test.h"

#include <stdio.h>

static struct arena arena;
static const struct import_map *map;
static struct why why;

static enum err read_text(const char *text)
{
    arena_close(&arena);
    arena_open(&arena, 1 << 20, 8 << 20);
    why = (struct why){0};
    return import_map_read(bytes_of(text), &arena, &map, &why);
}

static const char small[] = "source = till\nid = receipt\nat = when\nitem = sku\n";

static enum err read_with(const char *more)
{
    char text[1024];

    snprintf(text, sizeof(text), "%s%s", small, more);
    return read_text(text);
}

TEST(import_map_by_hand)
{
    CHECK_OK(read_text("\xef\xbb\xbf; a comment\r\nsource = t\r\nid=no\n at =  when \n# more\nitem = upper(sku)\npaid = price * pieces\n"
                       "currency = NOK\nconsent = store  measure\ncustomer.member = m\ncustomer.x-club = c\n"
                       "decimal = ,\ndelimiter = ;\nkeep = pieces >= -1.5\n[items]\nfile = goods\nid = sku\n"
                       "title = a | b, c\ntitle.form = sentence\n[words]\nFRZN = frozen\n"));
    CHECK_TEXT(map->source, "t");
    CHECK_TEXT(map->sheets[IMPORT_LINES].fields[IMPORT_AT].name, "when");
    CHECK_TEXT(map->sheets[IMPORT_LINES].fields[IMPORT_ITEM].name, "sku");
    CHECK(map->sheets[IMPORT_LINES].fields[IMPORT_ITEM].is_upper);
    CHECK_TEXT(map->sheets[IMPORT_LINES].fields[IMPORT_PAID].times, "pieces");
    CHECK_INT(map->purposes, 1u << PURPOSE_STORE | 1u << PURPOSE_MEASURE);
    CHECK_INT(map->sheets[IMPORT_LINES].identifiers_n, 2);
    CHECK_TEXT(map->sheets[IMPORT_LINES].identifiers[1].x_name, "club");
    CHECK_INT(map->sheets[IMPORT_LINES].filters[0].number_micro, -1500000);
    CHECK_INT(map->sheets[IMPORT_LINES].delimiter, ';');
    CHECK_INT(map->sheets[IMPORT_ITEMS].delimiter, ',');
    CHECK_INT(map->sheets[IMPORT_ITEMS].title.n, 2);
    CHECK_INT(map->sheets[IMPORT_ITEMS].title.parts[0].n, 2);
    CHECK_INT(map->words_n, 1);
}

/* What is wrong is told with its line and a remedy; nothing is guessed. */
TEST(import_map_faults_name_the_line)
{
    static const struct {
        const char *more, *says;
    } faults[] = {
        {"colour = red\n", "line 5"},
        {"keep = pieces > many\n", "a number is missing"},
        {"keep = a not > 3\n", "behind `not`"},
        {"keep = a matches [z-a]\n", "range is empty"},
        {"keep = a matches x{3,2}\n", "{n} or {n,m}"},
        {"keep = a matches (x)\n", "put others in brackets"},
        {"keep = items.department in X\n", "no section [items]"},
        {"consent = sensitive\n", "each customer alone"},
        {"consent = stroe\n", "purposes are"},
        {"channel = pigeon\n", "a channel is"},
        {"at.format = %Q\n", "a time format knows"},
        {"time_zone = ../../etc/passwd\n", "Europe/Oslo"},
        {"[items]\nid = x\nfile = ../secret\n", "beside the lines"},
        {"paid = price\n", "currency = NOK"},
        {"id = other\n", "said before"},
        {"[nowhere]\n", "sections are"},
        {"just words\n", "key = value"},
        {"customer.shoe = size\n", "identifiers are"},
    };

    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        CHECK_INT(read_with(faults[i].more), ERR_INVALID);
        if (strstr(why.says, faults[i].says) == NULL) {
            fail_msg("`%s` gave: %s", faults[i].more, why.says);
        }
    }
    CHECK_INT(read_text(""), ERR_INVALID);
    CHECK_INT(read_text("id = a\nat = b\nitem = c\n"), ERR_INVALID);
    CHECK(strstr(why.says, "source") != NULL);
}

TEST(import_map_a_missing_column_names_the_nearest)
{
    const struct bytes header[] = {BYTES_LIT("receipts"), BYTES_LIT("when"), BYTES_LIT("sku")};
    struct import_sheet *bound;

    CHECK_OK(read_text(small));
    CHECK_INT(import_bind(&map->sheets[IMPORT_LINES], header, 3, &arena, &bound, &why), ERR_INVALID);
    CHECK(strstr(why.says, "`receipts`") != NULL);
    CHECK_TEXT(bytes_of(why.field), "receipt");
}

static bool matches(const char *pattern, const char *text)
{
    char more[256];

    snprintf(more, sizeof(more), "keep = a matches %s\n", pattern);
    CHECK_OK(read_with(more));
    return import_pattern_matches(map->sheets[IMPORT_LINES].filters[0].pattern, bytes_of(text));
}

TEST(import_pattern_by_hand)
{
    CHECK(matches("[0-9]{5}[A-Z]*", "85123A"));
    CHECK(matches("[0-9]{5}[A-Z]*", "71053"));
    CHECK(!matches("[0-9]{5}[A-Z]*", "POST"));
    CHECK(!matches("[0-9]{5}[A-Z]*", "8512"));
    CHECK(!matches("[0-9]{5}[A-Z]*", "85123a"));
    CHECK(!matches("[0-9]{5}[A-Z]*", "851234"));
    CHECK(matches("[CA].*", "C536379"));
    CHECK(matches("[CA].*", "A"));
    CHECK(!matches("[CA].*", ""));
    CHECK(matches("a?b+c{2,3}", "bbcc"));
    CHECK(!matches("a?b+c{2,3}", "abcccc"));
    CHECK(matches("[^x]*", ""));
    CHECK(!matches("[^x]*", "axb"));
    CHECK(matches("[]-]+", "]-]"));
    /* Backtracking would take longer than the world lasts. */
    CHECK(!matches("a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

/* Two roads: the set of places against plain recursion. */
static bool slow(const struct import_pattern *p, size_t atom, struct bytes text, size_t at)
{
    bool takes;

    if (atom == p->n) {
        return at == text.n;
    }
    takes = at < text.n && (p->set[atom][(unsigned char)text.p[at] >> 6] >> ((unsigned char)text.p[at] & 63) & 1) != 0;
    if ((p->may_skip >> atom & 1) != 0 && slow(p, atom + 1, text, at)) {
        return true;
    }
    return takes && (slow(p, atom + 1, text, at + 1) || ((p->may_repeat >> atom & 1) != 0 && slow(p, atom, text, at + 1)));
}

PROPERTY(import_pattern_agrees_with_recursion)
{
    static const char *const pieces[] = {"a", "b", ".", "[ab]", "[^a]"}, *const often[] = {"", "*", "+", "?", "{2}", "{1,3}", "{0,2}"};
    char more[200] = "keep = c matches ", text[10];
    size_t n = rng_below(rng, 9);

    for (uint64_t i = 1 + rng_below(rng, 5); i > 0; i--) {
        strcat(more, pieces[rng_below(rng, 5)]);
        strcat(more, often[rng_below(rng, 7)]);
    }
    strcat(more, "\n");
    CHECK_OK(read_with(more));
    for (size_t i = 0; i < n; i++) {
        text[i] = (char)('a' + rng_below(rng, 3));
    }
    CHECK_INT(import_pattern_matches(map->sheets[IMPORT_LINES].filters[0].pattern, (struct bytes){text, n}),
              slow(map->sheets[IMPORT_LINES].filters[0].pattern, 0, (struct bytes){text, n}, 0));
}

TEST(import_number_by_hand)
{
    static const struct {
        const char *text;
        int64_t micro;
    } good[] = {{"1", 1000000}, {"-0.5", -500000}, {"+3.25", 3250000}, {" 7 ", 7000000}, {"0.0000005", 1},
                {"0.00000049", 0}, {".5", 500000}, {"5.", 5000000}, {"9000000000000", INT64_C(9000000000000000000)}};
    static const char *const bad[] = {"", ".", "-", "1e3", "1,5", "0x1", "1 2", "nan", "90000000000000", "--1"};
    int64_t micro;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        CHECK(import_number(bytes_of(good[i].text), '.', &micro));
        CHECK_INT(micro, good[i].micro);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(!import_number(bytes_of(bad[i]), '.', &micro));
    }
    CHECK(import_number(bytes_of("1,5"), ',', &micro));
    CHECK_INT(micro, 1500000);
}

TEST(import_time_by_hand)
{
    static const struct {
        const char *text, *format, *wanted;
        bool is_utc;
    } good[] = {
        {"2017-01-01 06:53:26", "%Y-%m-%d %H:%M:%S", "2017-01-01T06:53:26.000Z", false},
        {"1.2.26 9:05", "%d.%m.%y %H:%M", "2026-02-01T09:05:00.000Z", false},
        {"2026-11-22T20:14:00.25+01:00", "%Y-%m-%dT%H:%M:%S.%f%z", "2026-11-22T19:14:00.250Z", true},
        {"1483228800", "%s", "2017-01-01T00:00:00.000Z", true},
        {"2026-11-22T20:14:00+01:00", "", "2026-11-22T19:14:00.000Z", true},
        {"2026-11-22", "", "2026-11-22T00:00:00.000Z", false},
        {"29/02/2024 100%", "%d/%m/%Y 100%%", "2024-02-29T00:00:00.000Z", false},
    };
    static const struct {
        const char *text, *format;
    } bad[] = {{"2023-02-29", "%Y-%m-%d"}, {"2023-2-1x", "%Y-%m-%d"}, {"23-02-01", "%Y-%m-%d"}, {"2023-13-01", "%Y-%m-%d"},
               {"25:00", "%H:%M"},         {"", "%Y"},                 {"", ""},                 {"1800-01-01", "%Y-%m-%d"}};
    char text[TIME_TEXT_BYTES];
    int64_t at_ms;
    bool is_utc;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        CHECK(import_time(bytes_of(good[i].text), bytes_of(good[i].format), &at_ms, &is_utc));
        time_format(at_ms, text);
        CHECK_TEXT(((struct bytes){text, 24}), good[i].wanted);
        CHECK_INT(is_utc, good[i].is_utc);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(!import_time(bytes_of(bad[i].text), bytes_of(bad[i].format), &at_ms, &is_utc));
    }
}
