/* SPDX-License-Identifier: Apache-2.0 */
/* One pass over the lines: key and value are cut, the key is looked up in a table of (section, word, reader). A
 * section is checked for completeness when all has been read. */
#include "ingest/import_map.h"

#include "base/hash.h"
#include "base/money.h"

#include <stdio.h>

struct reading { /* the map while it is read */
    struct arena *arena;
    struct import_map *map;
    enum import_section section;
    bool in_words;
    unsigned line;
    struct bytes key; /* of the line being read */
    struct why *why;
};

typedef enum err (*reader)(struct reading *r, struct bytes key, struct bytes value);

static const char *const section_words[IMPORT_SECTIONS] = {"", "items", "customers", "stores"};

/* ---- text ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct bytes trim(struct bytes text)
{
    while (text.n > 0 && is_blank(text.p[0])) {
        text.p++;
        text.n--;
    }
    while (text.n > 0 && is_blank(text.p[text.n - 1])) {
        text.n--;
    }
    return text;
}

/* Cuts off what comes before the first `at`, trimmed; the rest stays. False: there is no `at`, all is taken. */
static bool cut(struct bytes *text, char at, struct bytes *out_before)
{
    const char *found = text->n > 0 ? memchr(text->p, at, text->n) : NULL;
    size_t n = found ? (size_t)(found - text->p) : text->n;

    *out_before = trim((struct bytes){text->p, n});
    *text = found ? (struct bytes){found + 1, text->n - n - 1} : (struct bytes){text->p + n, 0};
    return found != NULL;
}

/* Takes one word off the beginning; "a name with blanks" stands in quotes. */
static struct bytes take_word(struct bytes *text)
{
    struct bytes word;
    size_t n = 0;

    *text = trim(*text);
    if (text->n > 1 && text->p[0] == '"' && memchr(text->p + 1, '"', text->n - 1) != NULL) {
        n = (size_t)((const char *)memchr(text->p + 1, '"', text->n - 1) - text->p);
        word = (struct bytes){text->p + 1, n - 1};
        *text = trim((struct bytes){text->p + n + 1, text->n - n - 1});
        return word;
    }
    while (n < text->n && !is_blank(text->p[n])) {
        n++;
    }
    word = (struct bytes){text->p, n};
    *text = trim((struct bytes){text->p + n, text->n - n});
    return word;
}

static enum err fault(struct reading *r, const char *says)
{
    char field[96];

    snprintf(field, sizeof(field), "%.*s", (int)(r->key.n < 90 ? r->key.n : 90), r->key.n > 0 ? r->key.p : "");
    return why_say(r->why, ERR_INVALID, "bad_map", field, "line %u of the map: %s", r->line, says);
}

static enum err overfull(struct reading *r, const char *what, int most)
{
    char field[96];

    snprintf(field, sizeof(field), "%.*s", (int)(r->key.n < 90 ? r->key.n : 90), r->key.n > 0 ? r->key.p : "");
    return why_say(r->why, ERR_TOOBIG, "bad_map", field, "line %u of the map: at most %d %s are taken; write fewer",
                   r->line, most, what);
}

/* ---- columns and choices ---- */

/* COLUMN or upper(COLUMN). */
static bool read_column(struct bytes text, struct import_column *out_column)
{
    struct import_column column = {0};

    text = trim(text);
    if (text.n > 7 && memcmp(text.p, "upper(", 6) == 0 && text.p[text.n - 1] == ')') {
        column.is_upper = true;
        text = trim((struct bytes){text.p + 6, text.n - 7});
    }
    if (text.n == 0) {
        return false;
    }
    column.name = text;
    *out_column = column;
    return true;
}

static struct import_sheet *sheet_of(struct reading *r)
{
    return &r->map->sheets[r->section];
}

static enum err read_field(struct reading *r, enum import_field field, struct bytes value)
{
    struct import_column *column = &sheet_of(r)->fields[field];
    struct bytes first = value, second = {0};
    bool may_multiply = field == IMPORT_PAID;

    if (column->name.n > 0) {
        return fault(r, "this was said before; keep one of the two lines");
    }
    if (may_multiply) {
        second = value;
        if (cut(&second, '*', &first)) {
            second = trim(second);
            if (second.n == 0) {
                return fault(r, "a second column is missing behind *");
            }
        }
    }
    if (!read_column(first, column)) {
        return fault(r, "a column's name is missing behind =");
    }
    column->times = second;
    return ERR_OK;
}

static enum err read_text(struct reading *r, struct import_text *text, struct bytes value)
{
    bool has_more = true;

    if (text->n > 0) {
        return fault(r, "this was said before; keep one of the two lines");
    }
    while (has_more) {
        struct bytes part;
        struct import_choice *choice = &text->parts[text->n];
        bool has_other = true;

        has_more = cut(&value, ',', &part);
        if (text->n == IMPORT_MAP_PARTS_MAX) {
            return overfull(r, "parts with commas", IMPORT_MAP_PARTS_MAX);
        }
        while (has_other) {
            struct bytes one;

            has_other = cut(&part, '|', &one);
            if (choice->n == IMPORT_MAP_PARTS_MAX) {
                return overfull(r, "columns with |", IMPORT_MAP_PARTS_MAX);
            }
            if (!read_column(one, &choice->columns[choice->n])) {
                return fault(r, "a column's name is missing; write a | b, c");
            }
            choice->n++;
        }
        text->n++;
    }
    return ERR_OK;
}

/* ---- patterns ---- */

static void set_add(uint64_t set[4], unsigned char c)
{
    set[c >> 6] |= UINT64_C(1) << (c & 63);
}

/* [A-Z0-9] or [^ ...]: text stands behind the bracket. Gives the bytes taken, 0: it does not close or is empty. */
static size_t read_class(struct bytes text, uint64_t set[4])
{
    bool is_not = text.n > 0 && text.p[0] == '^';
    size_t at = is_not, first = at;

    while (at < text.n && (text.p[at] != ']' || at == first)) {
        unsigned char low = (unsigned char)text.p[at], high = low;

        if (at + 2 < text.n && text.p[at + 1] == '-' && text.p[at + 2] != ']') {
            high = (unsigned char)text.p[at + 2];
            at += 2;
        }
        if (high < low) {
            return 0;
        }
        for (unsigned c = low; c <= high; c++) {
            set_add(set, (unsigned char)c);
        }
        at++;
    }
    if (at >= text.n) {
        return 0;
    }
    for (int i = 0; is_not && i < 4; i++) {
        set[i] = ~set[i];
    }
    return at + 1;
}

/* {n} or {n,m}: text stands behind the brace. Gives the bytes taken, 0: not such a thing. */
static size_t read_times(struct bytes text, unsigned *out_least, unsigned *out_most)
{
    unsigned v[2] = {0, 0};
    size_t at = 0, which = 0;
    bool has_digit = false;

    for (; at < text.n; at++) {
        char c = text.p[at];

        if (c >= '0' && c <= '9' && v[which] < 100) {
            v[which] = v[which] * 10 + (unsigned)(c - '0');
            has_digit = true;
        } else if (c == ',' && which == 0 && has_digit) {
            which = 1;
            has_digit = false;
        } else {
            break;
        }
    }
    if (at >= text.n || text.p[at] != '}' || !has_digit) {
        return 0;
    }
    *out_least = v[0];
    *out_most = v[which];
    return *out_most > 0 && *out_most >= *out_least ? at + 1 : 0;
}

static bool add_atoms(struct import_pattern *pattern, const uint64_t set[4], unsigned least, unsigned most, bool is_endless)
{
    unsigned n = is_endless ? (least > 0 ? least : 1) : most;

    if (pattern->n + n > IMPORT_PATTERN_ATOMS) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        memcpy(pattern->set[pattern->n], set, 4 * sizeof(uint64_t));
        if (i >= least) {
            pattern->may_skip |= UINT64_C(1) << pattern->n;
        }
        if (is_endless && i + 1 == n) {
            pattern->may_repeat |= UINT64_C(1) << pattern->n;
        }
        pattern->n++;
    }
    return true;
}

static enum err read_pattern(struct reading *r, struct bytes text, const struct import_pattern **out_pattern)
{
    struct import_pattern *pattern = arena_take(r->arena, sizeof(*pattern));

    if (pattern == NULL) {
        return ERR_NOMEM;
    }
    if (text.n == 0) {
        return fault(r, "a pattern is missing behind `matches`");
    }
    for (size_t at = 0; at < text.n;) {
        uint64_t set[4] = {0};
        unsigned least = 1, most = 1;
        bool is_endless = false;
        char c = text.p[at++];
        size_t taken;

        if (c == '[') {
            taken = read_class((struct bytes){text.p + at, text.n - at}, set);
            if (taken == 0) {
                return fault(r, "a [ of the pattern does not close, or its range is empty");
            }
            at += taken;
        } else if (c == '.') {
            memset(set, 0xff, sizeof(set));
        } else if (memchr("*+?{}()|^$", c, 10) != NULL) {
            return fault(r, "a pattern has letters, `.` and [...] followed by * + ? or {n,m}; put others in brackets: [(]");
        } else {
            set_add(set, (unsigned char)c);
        }
        if (at < text.n && (text.p[at] == '*' || text.p[at] == '+' || text.p[at] == '?')) {
            least = text.p[at] == '+';
            is_endless = text.p[at] != '?';
            at++;
        } else if (at < text.n && text.p[at] == '{') {
            taken = read_times((struct bytes){text.p + at + 1, text.n - at - 1}, &least, &most);
            if (taken == 0) {
                return fault(r, "a { of the pattern is no {n} or {n,m} with 0 <= n <= m, m over 0");
            }
            at += taken + 1;
        }
        if (!add_atoms(pattern, set, least, most, is_endless)) {
            return overfull(r, "places in a pattern", IMPORT_PATTERN_ATOMS);
        }
    }
    *out_pattern = pattern;
    return ERR_OK;
}

/* ---- filters ---- */

static enum err read_values(struct reading *r, struct bytes text, struct import_filter *filter)
{
    struct bytes *values = arena_array(r->arena, IMPORT_MAP_VALUES_MAX, sizeof(*values));
    bool has_more = true;

    if (values == NULL) {
        return ERR_NOMEM;
    }
    while (has_more) {
        if (filter->values_n == IMPORT_MAP_VALUES_MAX) {
            return overfull(r, "texts behind `in`", IMPORT_MAP_VALUES_MAX);
        }
        has_more = cut(&text, ',', &values[filter->values_n]);
        if (values[filter->values_n].n == 0) {
            return fault(r, "a text is missing; write in A, B, C (for no text at all: empty)");
        }
        filter->values_n++;
    }
    filter->values = values;
    return ERR_OK;
}

/* OP and what follows. */
static enum err read_comparison(struct reading *r, struct bytes op, struct bytes rest, struct import_filter *filter)
{
    static const struct {
        const char *word;
        enum import_test test;
        bool is_not;
    } ops[] = {{"=", IMPORT_TEST_EQUAL, false}, {"!=", IMPORT_TEST_EQUAL, true}, {"<", IMPORT_TEST_LESS, false},
               {">=", IMPORT_TEST_LESS, true},  {">", IMPORT_TEST_MORE, false},  {"<=", IMPORT_TEST_MORE, true}};

    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        if (!bytes_equal(op, bytes_of(ops[i].word))) {
            continue;
        }
        filter->is_not = ops[i].is_not;
        if (import_number(rest, '.', &filter->number_micro)) {
            filter->test = ops[i].test;
            return ERR_OK;
        }
        if (ops[i].test != IMPORT_TEST_EQUAL || rest.n == 0) {
            return fault(r, "a number is missing behind the sign of comparison");
        }
        filter->test = IMPORT_TEST_IN;
        return read_values(r, rest, filter);
    }
    return fault(r, "write COLUMN followed by =, !=, <, <=, >, >=, in, matches or empty, the last three also after `not`");
}

/* `items.x` of the lines' own filters looks into [items]. */
static void look_elsewhere(struct reading *r, struct import_filter *filter)
{
    for (int i = 1; r->section == IMPORT_LINES && i < IMPORT_SECTIONS; i++) {
        struct bytes word = bytes_of(section_words[i]);
        struct bytes *name = &filter->column.name;

        if (name->n > word.n + 1 && bytes_starts(*name, word) && name->p[word.n] == '.') {
            filter->section = (enum import_section)i;
            *name = (struct bytes){name->p + word.n + 1, name->n - word.n - 1};
        }
    }
}

static enum err read_keep(struct reading *r, struct bytes key, struct bytes value)
{
    struct import_sheet *sheet = sheet_of(r);
    struct import_filter *filter = &sheet->filters[sheet->filters_n];
    struct bytes column = take_word(&value), op = take_word(&value);

    (void)key;
    if (sheet->filters_n == IMPORT_MAP_FILTERS_MAX) {
        return overfull(r, "lines `keep` a section", IMPORT_MAP_FILTERS_MAX);
    }
    if (!read_column(column, &filter->column)) {
        return fault(r, "write COLUMN, then what it must be");
    }
    filter->line = r->line;
    look_elsewhere(r, filter);
    sheet->filters_n++;
    if (bytes_equal(op, BYTES_LIT("not"))) {
        filter->is_not = true;
        op = take_word(&value);
    }
    if (bytes_equal(op, BYTES_LIT("in"))) {
        filter->test = IMPORT_TEST_IN;
        return read_values(r, value, filter);
    }
    if (bytes_equal(op, BYTES_LIT("matches"))) {
        filter->test = IMPORT_TEST_MATCHES;
        return read_pattern(r, value, &filter->pattern);
    }
    if (bytes_equal(op, BYTES_LIT("empty")) && value.n == 0) {
        filter->test = IMPORT_TEST_EMPTY;
        return ERR_OK;
    }
    if (filter->is_not) {
        return fault(r, "behind `not` comes in, matches or empty");
    }
    return read_comparison(r, op, value, filter);
}

/* ---- constants ---- */

static enum err read_source(struct reading *r, struct bytes key, struct bytes value)
{
    (void)key;
    if (value.n == 0 || value.n > 64) {
        return fault(r, "a source has a name of 1 to 64 bytes");
    }
    r->map->source = value;
    return ERR_OK;
}

static enum err read_currency(struct reading *r, struct bytes key, struct bytes value)
{
    (void)key;
    if (!money_is_currency(value)) {
        return fault(r, "a currency is three capital letters, such as NOK");
    }
    memcpy(r->map->currency, value.p, 3);
    return ERR_OK;
}

static enum err read_time_zone(struct reading *r, struct bytes key, struct bytes value)
{
    (void)key;
    if (value.n == 0 || value.n > 64 || value.p[0] == '/' || memchr(value.p, '.', value.n) != NULL) {
        return fault(r, "a time zone has a name such as Europe/Oslo");
    }
    r->map->time_zone = value;
    return ERR_OK;
}

static enum err read_at_format(struct reading *r, struct bytes key, struct bytes value)
{
    (void)key;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '%' && (i + 1 == value.n || memchr("YymdHMSfzs%", value.p[++i], 11) == NULL)) {
            return fault(r, "a time format knows %Y %y %m %d %H %M %S %f %z %s and %%");
        }
    }
    r->map->at_format = value;
    return ERR_OK;
}

static enum err read_channel(struct reading *r, struct bytes key, struct bytes value)
{
    (void)key;
    return event_channel_of(value, &r->map->channel) ? ERR_OK
                                                     : fault(r, "a channel is web, app, till, mail, ads or service");
}

static enum err read_consent(struct reading *r, struct bytes key, struct bytes value)
{
    (void)key;
    r->map->has_consent = true;
    while (value.n > 0) {
        enum purpose purpose;

        if (!event_purpose_of(take_word(&value), &purpose)) {
            return fault(r, "purposes are store, personalise, measure, mail, ads, clerk, with blanks between");
        }
        if (purpose == PURPOSE_SENSITIVE) {
            return fault(r, "consent `sensitive` is given by each customer alone and cannot be imported; take it out");
        }
        r->map->purposes = (uint16_t)(r->map->purposes | 1u << purpose);
    }
    return ERR_OK;
}

static enum err read_decimal(struct reading *r, struct bytes key, struct bytes value)
{
    (void)key;
    if (value.n != 1 || (value.p[0] != '.' && value.p[0] != ',')) {
        return fault(r, "the decimal sign is . or ,");
    }
    r->map->decimal = value.p[0];
    return ERR_OK;
}

static enum err read_delimiter(struct reading *r, struct bytes key, struct bytes value)
{
    (void)key;
    if (bytes_equal(value, BYTES_LIT("tab"))) {
        value = BYTES_LIT("\t");
    }
    if (value.n != 1 || memchr(",;|\t", value.p[0], 4) == NULL) {
        return fault(r, "a delimiter is , or ; or | or tab");
    }
    sheet_of(r)->delimiter = value.p[0];
    return ERR_OK;
}

static enum err read_file(struct reading *r, struct bytes key, struct bytes value)
{
    (void)key;
    if (value.n == 0 || value.n > 200 || memchr(value.p, '/', value.n) != NULL || value.p[0] == '.') {
        return fault(r, "the file lies beside the lines: give its name without folder and without .csv");
    }
    sheet_of(r)->file = value;
    return ERR_OK;
}

static enum err read_title(struct reading *r, struct bytes key, struct bytes value)
{
    (void)key;
    return read_text(r, &sheet_of(r)->title, value);
}

static enum err read_category(struct reading *r, struct bytes key, struct bytes value)
{
    (void)key;
    return read_text(r, &sheet_of(r)->category, value);
}

static enum err read_form(struct reading *r, struct bytes key, struct bytes value)
{
    if (!bytes_equal(value, BYTES_LIT("sentence"))) {
        return fault(r, "the only form is `sentence`");
    }
    if (bytes_starts(key, BYTES_LIT("title"))) {
        sheet_of(r)->title.is_sentence = true;
    } else {
        sheet_of(r)->category.is_sentence = true;
    }
    return ERR_OK;
}

/* ---- keys ---- */

enum { IN_LINES = 1 << IMPORT_LINES, IN_ITEMS = 1 << IMPORT_ITEMS, IN_CUSTOMERS = 1 << IMPORT_CUSTOMERS,
       IN_STORES = 1 << IMPORT_STORES, IN_FILES = IN_ITEMS | IN_CUSTOMERS | IN_STORES };

static const struct {
    const char *word;
    unsigned sections;
    reader read;
} constants[] = {
    {"source", IN_LINES, read_source},
    {"currency", IN_LINES, read_currency},
    {"time_zone", IN_LINES, read_time_zone},
    {"at.format", IN_LINES, read_at_format},
    {"channel", IN_LINES, read_channel},
    {"consent", IN_LINES, read_consent},
    {"decimal", IN_LINES, read_decimal},
    {"delimiter", IN_LINES | IN_FILES, read_delimiter},
    {"keep", IN_LINES | IN_FILES, read_keep},
    {"file", IN_FILES, read_file},
    {"title", IN_ITEMS, read_title},
    {"title.form", IN_ITEMS, read_form},
    {"category", IN_ITEMS, read_category},
    {"category.form", IN_ITEMS, read_form},
};

static const struct {
    const char *word;
    unsigned sections;
    enum import_field field;
} columns[] = {
    {"id", IN_LINES | IN_ITEMS | IN_STORES, IMPORT_ID},
    {"at", IN_LINES, IMPORT_AT},
    {"store", IN_LINES, IMPORT_STORE},
    {"item", IN_LINES, IMPORT_ITEM},
    {"quantity", IN_LINES, IMPORT_QUANTITY},
    {"paid", IN_LINES, IMPORT_PAID},
    {"group", IN_ITEMS, IMPORT_GROUP},
    {"brand", IN_ITEMS, IMPORT_BRAND},
    {"url", IN_ITEMS, IMPORT_URL},
    {"image", IN_ITEMS, IMPORT_IMAGE},
    {"price", IN_ITEMS, IMPORT_PRICE},
    {"name", IN_STORES, IMPORT_NAME},
    {"time_zone", IN_STORES, IMPORT_TIME_ZONE},
    {"country", IN_STORES, IMPORT_COUNTRY},
    {"postcode", IN_STORES, IMPORT_POSTCODE},
    {"city", IN_STORES, IMPORT_CITY},
};

/* customer.KIND = COLUMN */
static enum err read_customer(struct reading *r, struct bytes kind, struct bytes value)
{
    struct import_sheet *sheet = sheet_of(r);
    size_t n = sheet->identifiers_n;

    if (n == EVENT_IDENTIFIERS_MAX) {
        return overfull(r, "identifiers", EVENT_IDENTIFIERS_MAX);
    }
    if (!event_identifier_of(kind, &sheet->identifiers[n].kind)) {
        return fault(r, "identifiers are member, userId, erp, email, emailHash, phone, phoneHash, cardToken, app, cookie, "
                        "anonymousId or x-name");
    }
    if (sheet->identifiers[n].kind == IDENTIFIER_X) {
        sheet->identifiers[n].x_name = (struct bytes){kind.p + 2, kind.n - 2};
    }
    if (!read_column(value, &sheet->identifiers[n].column)) {
        return fault(r, "a column's name is missing behind =");
    }
    sheet->identifiers_n++;
    return ERR_OK;
}

static enum err read_fact(struct reading *r, struct bytes name, struct bytes value)
{
    struct import_sheet *sheet = sheet_of(r);

    if (sheet->facts_n == IMPORT_MAP_FACTS_MAX) {
        return overfull(r, "facts", IMPORT_MAP_FACTS_MAX);
    }
    if (name.n == 0 || name.n > 64 || !read_column(value, &sheet->facts[sheet->facts_n].column)) {
        return fault(r, "write fact.NAME = COLUMN, the name up to 64 bytes");
    }
    sheet->facts[sheet->facts_n++].name = name;
    return ERR_OK;
}

static enum err read_entry(struct reading *r, struct bytes key, struct bytes value)
{
    unsigned here = 1u << r->section;

    if (r->in_words) {
        if (r->map->words_n == IMPORT_MAP_WORDS_MAX) {
            return overfull(r, "words", IMPORT_MAP_WORDS_MAX);
        }
        r->map->words[r->map->words_n].from = key;
        r->map->words[r->map->words_n++].to = value;
        return ERR_OK;
    }
    for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++) {
        if ((constants[i].sections & here) != 0 && bytes_equal(key, bytes_of(constants[i].word))) {
            return constants[i].read(r, key, value);
        }
    }
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        if ((columns[i].sections & here) != 0 && bytes_equal(key, bytes_of(columns[i].word))) {
            return read_field(r, columns[i].field, value);
        }
    }
    if ((here & (IN_LINES | IN_CUSTOMERS)) != 0 && bytes_starts(key, BYTES_LIT("customer."))) {
        return read_customer(r, (struct bytes){key.p + 9, key.n - 9}, value);
    }
    if (here == IN_CUSTOMERS && bytes_starts(key, BYTES_LIT("fact."))) {
        return read_fact(r, (struct bytes){key.p + 5, key.n - 5}, value);
    }
    return fault(r, "this key is not known in this section; src/ingest/import_map.h and docs list those that are");
}

static enum err read_section(struct reading *r, struct bytes name)
{
    r->in_words = bytes_equal(name, BYTES_LIT("words"));
    if (r->in_words) {
        return ERR_OK;
    }
    for (int i = 1; i < IMPORT_SECTIONS; i++) {
        if (bytes_equal(name, bytes_of(section_words[i]))) {
            r->section = (enum import_section)i;
            r->map->sheets[i].is_given = true;
            return ERR_OK;
        }
    }
    return fault(r, "sections are [items], [customers], [stores] and [words]");
}

static enum err read_line(struct reading *r, struct bytes line)
{
    struct bytes key;

    line = trim(line);
    r->key = (struct bytes){0};
    if (line.n == 0 || line.p[0] == ';' || line.p[0] == '#') {
        return ERR_OK;
    }
    if (line.p[0] == '[') {
        return line.p[line.n - 1] == ']' ? read_section(r, trim((struct bytes){line.p + 1, line.n - 2}))
                                         : fault(r, "a section's ] is missing");
    }
    if (!cut(&line, '=', &key) || key.n == 0) {
        return fault(r, "write key = value, or begin a comment with ;");
    }
    r->key = key;
    return read_entry(r, key, trim(line));
}

/* ---- completeness ---- */

static enum err lacks(struct why *why, const char *section, const char *key, const char *example)
{
    return why_say(why, ERR_INVALID, "bad_map", key, "the map%s%s%s does not say `%s`; add a line such as `%s`",
                   *section ? " in [" : "", section, *section ? "]" : "", key, example);
}

static enum err check_lines(const struct import_map *map, struct why *why)
{
    const struct import_sheet *lines = &map->sheets[IMPORT_LINES];

    if (map->source.n == 0) {
        return lacks(why, "", "source", "source = till-export");
    }
    if (lines->fields[IMPORT_ID].name.n == 0) {
        return lacks(why, "", "id", "id = receipt_no");
    }
    if (lines->fields[IMPORT_AT].name.n == 0) {
        return lacks(why, "", "at", "at = sold_at");
    }
    if (lines->fields[IMPORT_ITEM].name.n == 0) {
        return lacks(why, "", "item", "item = product_no");
    }
    if (lines->fields[IMPORT_PAID].name.n > 0 && map->currency[0] == '\0') {
        return lacks(why, "", "currency", "currency = NOK");
    }
    for (size_t i = 0; i < lines->filters_n; i++) {
        enum import_section section = lines->filters[i].section;

        if (section != IMPORT_LINES && (section == IMPORT_STORES || !map->sheets[section].is_given ||
                                        map->sheets[section].file.n == 0)) {
            return why_say(why, ERR_INVALID, "bad_map", "keep",
                           "line %u of the map looks into %s, but there is no section [%s] with a `file`; add it, or "
                           "take the line out",
                           lines->filters[i].line, section_words[section], section_words[section]);
        }
    }
    return ERR_OK;
}

static enum err check(const struct import_map *map, struct why *why)
{
    const struct import_sheet *sheets = map->sheets;
    bool has_lines = sheets[IMPORT_LINES].is_given;

    if (has_lines) {
        enum err err = check_lines(map, why);

        if (err != ERR_OK) {
            return err;
        }
    }
    if (sheets[IMPORT_ITEMS].is_given && sheets[IMPORT_ITEMS].fields[IMPORT_ID].name.n == 0) {
        return lacks(why, "items", "id", "id = product_no");
    }
    if (sheets[IMPORT_STORES].is_given && sheets[IMPORT_STORES].fields[IMPORT_ID].name.n == 0) {
        return lacks(why, "stores", "id", "id = store_no");
    }
    if (sheets[IMPORT_CUSTOMERS].is_given && sheets[IMPORT_CUSTOMERS].identifiers_n == 0) {
        return lacks(why, "customers", "customer.member", "customer.member = member_no");
    }
    if (!has_lines && !sheets[IMPORT_ITEMS].is_given && !sheets[IMPORT_CUSTOMERS].is_given &&
        !sheets[IMPORT_STORES].is_given) {
        return why_say(why, ERR_INVALID, "bad_map", "", "the map is empty; write key = column lines, see the demo's map");
    }
    return ERR_OK;
}

enum err import_map_read(struct bytes text, struct arena *arena, const struct import_map **out_map, struct why *why)
{
    struct import_map *map = arena_take(arena, sizeof(*map));
    struct reading r = {.arena = arena, .map = map, .why = why};
    struct bytes rest;

    if (text.n > IMPORT_MAP_BYTES_MAX) {
        return why_say(why, ERR_TOOBIG, "bad_map", "", "a map has at most %d bytes; is this a file of data?",
                       IMPORT_MAP_BYTES_MAX);
    }
    rest = arena_copy(arena, text);
    if (map == NULL || (rest.p == NULL && text.n > 0)) {
        return ERR_NOMEM;
    }
    map->decimal = '.';
    map->channel = CHANNEL_TILL;
    for (int i = 0; i < IMPORT_SECTIONS; i++) {
        map->sheets[i].delimiter = ',';
    }
    hash_256(NULL, text, map->hash);
    if (bytes_starts(rest, BYTES_LIT("\xef\xbb\xbf"))) {
        rest = (struct bytes){rest.p + 3, rest.n - 3};
    }
    while (rest.n > 0) {
        struct bytes line;
        enum err err;

        (void)cut(&rest, '\n', &line);
        r.line++;
        err = read_line(&r, line);
        if (err != ERR_OK) {
            return err;
        }
    }
    map->sheets[IMPORT_LINES].is_given = map->sheets[IMPORT_LINES].fields[IMPORT_ITEM].name.n > 0 ||
                                         map->sheets[IMPORT_LINES].fields[IMPORT_AT].name.n > 0 ||
                                         map->sheets[IMPORT_LINES].identifiers_n > 0;
    if (check(map, why) != ERR_OK) {
        return ERR_INVALID;
    }
    *out_map = map;
    return ERR_OK;
}
