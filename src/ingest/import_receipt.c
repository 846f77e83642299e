/* SPDX-License-Identifier: Apache-2.0 */
/* One receipt is open at a time; a row of another id closes it. What is open lies in fixed room (lines, and the texts
 * of their items), so nothing is taken from the arena while reading but the set of closed ids.
 *
 * The steps of a row: own filters, filters on joined rows, id, fragment, the receipt's head, the line. The first fault
 * ends it. */
#include "ingest/import_receipt.h"

#include "base/money.h"
#include "ingest/import_set.h"

#include <assert.h>
#include <stdio.h>

enum { ID_BYTES_MAX = EVENT_ID_BYTES_MAX, TEXT_BYTES = EVENT_LINES_MAX * ID_BYTES_MAX };

/* ---- joins ---- */

struct import_join {
    struct arena *arena;
    const struct import_map *map;
    enum import_section section;
    struct import_csv *csv;
    struct import_sheet *bound;
    struct import_filter *filters;
    size_t filters_n;
    bool keeps_absent;      /* what the filters say where there is no row */
    struct import_set odd;  /* keys whose row is judged otherwise */
};

bool import_join_needed(const struct import_map *map, enum import_section section)
{
    const struct import_sheet *lines = &map->sheets[IMPORT_LINES];

    for (size_t i = 0; i < lines->filters_n; i++) {
        if (lines->filters[i].section == section && section != IMPORT_LINES) {
            return true;
        }
    }
    return false;
}

static enum err join_header(void *ctx, const struct bytes *header, size_t n, struct why *why)
{
    struct import_join *join = ctx;
    enum err err = import_bind(&join->map->sheets[join->section], header, n, join->arena, &join->bound, why);

    if (err == ERR_OK) {
        err = import_bind_filters(&join->map->sheets[IMPORT_LINES], join->section, header, n, join->arena,
                                  &join->filters, &join->filters_n, why);
    }
    if (err == ERR_OK) {
        join->keeps_absent = import_judge(join->filters, join->filters_n, join->section, NULL, join->map->decimal,
                                          NULL) == IMPORT_KEEP;
    }
    return err;
}

static enum err join_row(void *ctx, const struct import_row *row, struct why *why)
{
    struct import_join *join = ctx;
    const struct import_column *key = join->section == IMPORT_ITEMS ? &join->bound->fields[IMPORT_ID]
                                                                    : &join->bound->identifiers[0].column;
    char room[ID_BYTES_MAX];
    struct bytes text = import_column_text(key, row->fields, room, sizeof(room));
    bool is_kept = import_judge(join->filters, join->filters_n, join->section, row->fields, join->map->decimal, NULL) ==
                   IMPORT_KEEP;

    if (is_kept != join->keeps_absent && !import_set_add(&join->odd, import_set_hash(text), join->arena)) {
        return why_say(why, ERR_TOOBIG, "too_big", "", "the file beside the lines has too many rows for the memory "
                       "allowed; filter the lines before the import");
    }
    return ERR_OK;
}

static void join_rejected(void *ctx, const struct import_rejected *rejected)
{
    /* A row that cannot be read is an absent row; the import of that file itself names it. */
    (void)ctx;
    (void)rejected;
}

struct import_join *import_join_open(struct arena *arena, const struct import_map *map, enum import_section section)
{
    struct import_join *join = arena_take(arena, sizeof(*join));
    struct import_csv_calls calls = {join_header, join_row, join_rejected, join};

    assert(section == IMPORT_ITEMS || section == IMPORT_CUSTOMERS);
    if (join == NULL) {
        return NULL;
    }
    join->arena = arena;
    join->map = map;
    join->section = section;
    join->csv = import_csv_open(arena, map->sheets[section].delimiter, &calls);
    return join->csv != NULL ? join : NULL;
}

enum err import_join_feed(struct import_join *join, struct bytes chunk, struct why *why)
{
    return import_csv_feed(join->csv, chunk, why);
}

enum err import_join_end(struct import_join *join, struct why *why)
{
    return import_csv_end(join->csv, why);
}

static bool join_keeps(const struct import_join *join, struct bytes key)
{
    return import_set_has(&join->odd, import_set_hash(key)) != join->keeps_absent;
}

/* ---- receipts ---- */

struct import_receipts {
    struct arena *arena;
    const struct import_map *map;
    struct import_receipt_options options;
    struct import_csv *csv;
    struct import_sheet *bound;
    struct import_counts counts;
    struct import_set closed;
    int64_t minor_micro; /* one minor unit in 1/1,000,000 */
    bool is_full;        /* the arena could not remember a closed receipt */
    struct why *why;     /* of the feed in progress */

    /* the open receipt; event.kind 0: none */
    struct event event;
    struct event_line lines[EVENT_LINES_MAX];
    uint64_t first_row, last_row, first_line;
    int64_t local_ms;
    uint64_t id_hash;
    bool is_overfull;
    char id[ID_BYTES_MAX], store[ID_BYTES_MAX];
    char identifiers[EVENT_IDENTIFIERS_MAX][ID_BYTES_MAX + 64];
    char *texts;
    size_t texts_n;
};

static void report(struct import_receipts *r, uint64_t row, uint64_t line, const struct why *why)
{
    struct import_rejected rejected = {.row = row, .line = line, .why = *why};

    r->counts.rejected_n++;
    if (r->options.rejected != NULL) {
        r->options.rejected(r->options.ctx, &rejected);
    }
}

static void csv_rejected(void *ctx, const struct import_rejected *rejected)
{
    struct import_receipts *r = ctx;

    report(r, rejected->row, rejected->line, &rejected->why);
}

/* A fault of one row: the sentence names the column. */
static enum err fault(const struct import_receipts *r, enum import_field field, struct why *why, const char *code,
                      const char *says)
{
    struct bytes name = r->bound->fields[field].name;
    char text[96];

    snprintf(text, sizeof(text), "%.*s", (int)(name.n < 90 ? name.n : 90), name.p);
    return why_say(why, ERR_INVALID, code, text, "`%s` %s", text, says);
}

/* ---- closing ---- */

static enum err close_receipt(struct import_receipts *r)
{
    struct import_receipt receipt = {&r->event, r->first_row, r->last_row, r->first_line, r->local_ms};
    int64_t day;

    if (r->event.kind == EVENT_NONE) {
        return ERR_OK;
    }
    if (!import_set_add(&r->closed, r->id_hash, r->arena)) {
        return why_say(r->why, ERR_TOOBIG, "too_big", "", "the file has more receipts than the memory allowed can tell apart; "
                       "split it between two receipts and import the pieces");
    }
    if (r->is_overfull) {
        struct why why = {0};

        (void)why_say(&why, ERR_TOOBIG, "too_many_lines", "", "a receipt has at most %d lines and this one was left out "
                      "whole; split it into two ids", EVENT_LINES_MAX);
        r->counts.rejected_n += r->event.lines_n - 1;
        report(r, r->first_row, r->first_line, &why);
        r->event.kind = EVENT_NONE;
        return ERR_OK;
    }
    day = time_day(r->local_ms) - r->options.shift_days;
    r->counts.first_day = r->counts.receipts_n == 0 || day < r->counts.first_day ? day : r->counts.first_day;
    r->counts.last_day = r->counts.receipts_n == 0 || day > r->counts.last_day ? day : r->counts.last_day;
    r->counts.receipts_n++;
    r->counts.kept_n += r->event.lines_n;
    if (r->options.tenant.v != 0) {
        event_finish(&r->event, r->options.tenant);
        for (size_t i = 0; i < r->event.lines_n; i++) {
            r->lines[i].item = hash_item(r->options.tenant, r->lines[i].item_text);
        }
    }
    {
        enum err err = r->options.receipt(r->options.ctx, &receipt, r->why);

        r->event.kind = EVENT_NONE;
        return err;
    }
}

/* ---- one row ---- */

/* An id of 1 to 256 bytes without control characters. */
static bool is_id(struct bytes text)
{
    if (text.n == 0 || text.n > ID_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if (c < 0x20 || c == 0x7f) {
            return false;
        }
    }
    return true;
}

/* True for well-formed UTF-8 (RFC 3629: no surrogates, no long forms). */
static bool is_utf8(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        unsigned more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : (c & 0xf0) == 0xe0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : 9;
        unsigned second;

        if (more == 0) {
            continue;
        }
        if (more == 9 || text.n - i <= more) {
            return false;
        }
        second = (unsigned char)text.p[i + 1];
        if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) || (c == 0xf0 && second < 0x90) ||
            (c == 0xf4 && second > 0x8f)) {
            return false;
        }
        for (unsigned j = 1; j <= more; j++) {
            if (((unsigned char)text.p[i + j] & 0xc0) != 0x80) {
                return false;
            }
        }
        i += more;
    }
    return true;
}

static struct bytes text_of(const struct import_receipts *r, enum import_field field, const struct import_row *row,
                            char room[ID_BYTES_MAX])
{
    const struct import_column *column = &r->bound->fields[field];

    return column->name.n > 0 ? import_column_text(column, row->fields, room, ID_BYTES_MAX) : (struct bytes){0};
}

static enum err read_time(const struct import_receipts *r, const struct import_row *row, int64_t *out_local_ms,
                          int64_t *out_at_ms, struct why *why)
{
    static const struct zone utc = {0};
    const struct zone *zone = r->options.zone != NULL ? r->options.zone : &utc;
    struct bytes text = row->fields[r->bound->fields[IMPORT_AT].at];
    int64_t at_ms = 0, local_ms;
    bool is_utc;

    if (!import_time(text, r->map->at_format, &at_ms, &is_utc)) {
        return fault(r, IMPORT_AT, why, "bad_time",
                     r->map->at_format.n > 0 ? "is no time in the map's at.format; correct the row or the format"
                                             : "is no time such as 2026-11-22T20:14:00+01:00; say at.format in the map");
    }
    local_ms = is_utc ? zone_local(zone, at_ms) : at_ms;
    local_ms += r->options.shift_days * DAY_MS;
    if (!is_utc || r->options.shift_days != 0) {
        at_ms = zone_utc(zone, local_ms);
    }
    if (at_ms < TIME_MIN_MS || at_ms > TIME_MAX_MS) {
        return fault(r, IMPORT_AT, why, "bad_time", "lies before 1900 or after 2200 when it is shifted; choose another day");
    }
    *out_local_ms = local_ms;
    *out_at_ms = at_ms;
    return ERR_OK;
}

/* An identifier's value as the event carries it; of kind x-name "name:value". */
static struct bytes identifier_text(const struct import_receipts *r, size_t i, const struct import_row *row,
                                    char room[ID_BYTES_MAX + 64])
{
    const struct import_sheet *bound = r->bound;
    struct bytes name = bound->identifiers[i].x_name;
    struct bytes text = import_column_text(&bound->identifiers[i].column, row->fields, room, ID_BYTES_MAX);

    if (text.n == 0 || text.n > ID_BYTES_MAX || bound->identifiers[i].kind != IDENTIFIER_X || name.n > 63) {
        return text;
    }
    memmove(room + name.n + 1, text.p, text.n);
    memcpy(room, name.p, name.n);
    room[name.n] = ':';
    return (struct bytes){room, name.n + 1 + text.n};
}

static enum err check_texts(const struct import_receipts *r, const struct import_row *row, struct why *why)
{
    char room[ID_BYTES_MAX];
    struct bytes item = text_of(r, IMPORT_ITEM, row, room), store;

    if (!is_id(item) || !is_utf8(item)) {
        return fault(r, IMPORT_ITEM, why, "bad_id", "must be an id of 1 to 256 bytes of UTF-8 without control characters");
    }
    store = text_of(r, IMPORT_STORE, row, room);
    if (store.n > 0 && (!is_id(store) || !is_utf8(store))) {
        return fault(r, IMPORT_STORE, why, "bad_id", "must be an id of up to 256 bytes of UTF-8 without control characters");
    }
    for (size_t i = 0; i < r->bound->identifiers_n; i++) {
        struct bytes text = row->fields[r->bound->identifiers[i].column.at];

        if (text.n > 0 && (!is_id(text) || !is_utf8(text))) {
            return why_say(why, ERR_INVALID, "bad_id", "customer",
                           "an identifier of the customer must have up to 256 bytes of UTF-8 without control characters");
        }
    }
    return ERR_OK;
}

static enum err open_receipt(struct import_receipts *r, const struct import_row *row, struct bytes id, uint64_t id_hash,
                             struct why *why)
{
    int64_t local_ms = 0, at_ms = 0;
    enum err err = read_time(r, row, &local_ms, &at_ms, why);
    struct bytes store;

    if (err != ERR_OK) {
        return err;
    }
    memcpy(r->id, id.p, id.n);
    store = text_of(r, IMPORT_STORE, row, r->store);
    if (store.p != r->store && store.n > 0) {
        memcpy(r->store, store.p, store.n);
    }
    r->event = (struct event){.kind = EVENT_PURCHASE,
                              .channel = r->map->channel,
                              .has_id = true,
                              .has_time = true,
                              .is_receipt = true,
                              .id = {r->id, id.n},
                              .source = r->map->source,
                              .at_ms = at_ms,
                              .declared_ms = at_ms,
                              .store_text = {r->store, store.n},
                              .lines = r->lines};
    memcpy(r->event.currency, r->map->currency, sizeof(r->event.currency));
    for (size_t i = 0; i < r->bound->identifiers_n; i++) {
        struct bytes text = identifier_text(r, i, row, r->identifiers[i]);

        if (text.n == 0) {
            continue;
        }
        if (text.p != r->identifiers[i]) {
            memcpy(r->identifiers[i], text.p, text.n);
        }
        r->event.identifiers[r->event.identifiers_n++] =
            (struct event_identifier){r->bound->identifiers[i].kind, {r->identifiers[i], text.n}};
    }
    r->local_ms = local_ms;
    r->id_hash = id_hash;
    r->first_row = row->row;
    r->first_line = row->line;
    r->is_overfull = false;
    r->texts_n = 0;
    return ERR_OK;
}

/* A later line names the same store and customer as the first. */
static enum err check_same(const struct import_receipts *r, const struct import_row *row, struct why *why)
{
    char room[ID_BYTES_MAX + 64];
    size_t n = 0;

    if (!bytes_equal(text_of(r, IMPORT_STORE, row, room), r->event.store_text)) {
        return fault(r, IMPORT_STORE, why, "differs", "is another than on the receipt's first line; a receipt has one store");
    }
    for (size_t i = 0; i < r->bound->identifiers_n; i++) {
        struct bytes text = identifier_text(r, i, row, room);

        if (text.n == 0) {
            continue;
        }
        if (n == r->event.identifiers_n || !bytes_equal(text, r->event.identifiers[n].value)) {
            n = SIZE_MAX;
            break;
        }
        n++;
    }
    if (n != r->event.identifiers_n) {
        return why_say(why, ERR_INVALID, "differs", "customer",
                       "the customer is another than on the receipt's first line; a receipt has one customer");
    }
    return ERR_OK;
}

/* a * b of 1/1,000,000 each, in 1/1,000,000. */
static bool multiply(int64_t a, int64_t b, int64_t *out_product)
{
    __extension__ typedef __int128 wide;
    wide product = (wide)a * b;

    product = (product + (product < 0 ? -500000 : 500000)) / 1000000;
    *out_product = (int64_t)product;
    return product <= INT64_MAX / 2 && product >= INT64_MIN / 2;
}

static int64_t rounded(int64_t micro, int64_t unit)
{
    return (micro + (micro < 0 ? -unit / 2 : unit / 2)) / unit;
}

static enum err read_numbers(const struct import_receipts *r, const struct import_row *row, struct event_line *line,
                             struct why *why)
{
    const struct import_column *quantity = &r->bound->fields[IMPORT_QUANTITY], *paid = &r->bound->fields[IMPORT_PAID];
    int64_t micro = 1000000, times;

    if (quantity->name.n > 0 && !import_number(row->fields[quantity->at], r->map->decimal, &micro)) {
        return fault(r, IMPORT_QUANTITY, why, "not_a_number", "must be a number of pieces; correct the row");
    }
    line->quantity_milli = rounded(micro, 1000);
    if (line->quantity_milli > INT32_MAX || line->quantity_milli < -INT32_MAX) {
        return fault(r, IMPORT_QUANTITY, why, "out_of_range", "must be between -2,147,483 and 2,147,483 pieces");
    }
    micro = 0;
    if (paid->name.n > 0 && !import_number(row->fields[paid->at], r->map->decimal, &micro)) {
        return fault(r, IMPORT_PAID, why, "not_a_number", "must be an amount of money; correct the row, or `decimal` in the map");
    }
    if (paid->times.n > 0 && (!import_number(row->fields[paid->times_at], r->map->decimal, &times) ||
                              !multiply(micro, times, &micro))) {
        return fault(r, IMPORT_PAID, why, "not_a_number", "and its factor must be numbers with a product below 9,000,000,000,000");
    }
    line->paid_minor = rounded(micro, r->minor_micro);
    if (line->paid_minor > INT32_MAX || line->paid_minor < -INT32_MAX) {
        return fault(r, IMPORT_PAID, why, "out_of_range", "is beyond 2,147,483,647 minor units of the currency for one line");
    }
    return ERR_OK;
}

static void add_line(struct import_receipts *r, const struct import_row *row, struct event_line line)
{
    char room[ID_BYTES_MAX];
    struct bytes item = text_of(r, IMPORT_ITEM, row, room);

    r->last_row = row->row;
    if (r->event.lines_n == EVENT_LINES_MAX) {
        r->is_overfull = true;
        r->counts.rejected_n++; /* told once, when the receipt closes */
        return;
    }
    memcpy(r->texts + r->texts_n, item.p, item.n);
    line.item_text = (struct bytes){r->texts + r->texts_n, item.n};
    r->texts_n += item.n;
    r->lines[r->event.lines_n++] = line;
    r->event.total_minor += line.paid_minor;
}

static enum import_judgement judge(const struct import_receipts *r, const struct import_row *row, struct why *why)
{
    enum import_judgement judgement = import_judge(r->bound->filters, r->bound->filters_n, IMPORT_LINES, row->fields,
                                                   r->map->decimal, why);
    char room[ID_BYTES_MAX];

    if (judgement == IMPORT_KEEP && r->options.joins[IMPORT_ITEMS] != NULL &&
        !join_keeps(r->options.joins[IMPORT_ITEMS], text_of(r, IMPORT_ITEM, row, room))) {
        judgement = IMPORT_LEAVE;
    }
    if (judgement == IMPORT_KEEP && r->options.joins[IMPORT_CUSTOMERS] != NULL && r->bound->identifiers_n > 0 &&
        !join_keeps(r->options.joins[IMPORT_CUSTOMERS],
                    import_column_text(&r->bound->identifiers[0].column, row->fields, room, sizeof(room)))) {
        judgement = IMPORT_LEAVE;
    }
    return judgement;
}

/* The row becomes a line of the open receipt or of a new one. *out_stop: not the row's fault but the end of reading. */
static enum err take_row(struct import_receipts *r, const struct import_row *row, struct why *why, enum err *out_stop)
{
    char room[ID_BYTES_MAX];
    struct bytes id = text_of(r, IMPORT_ID, row, room);
    struct event_line line = {0};
    enum err err;

    if (!is_id(id) || !is_utf8(id)) {
        return fault(r, IMPORT_ID, why, "bad_id", "must be an id of 1 to 256 bytes of UTF-8 without control characters");
    }
    err = check_texts(r, row, why);
    if (err == ERR_OK) {
        err = read_numbers(r, row, &line, why);
    }
    if (err != ERR_OK) {
        return err;
    }
    if (r->event.kind != EVENT_NONE && bytes_equal(id, r->event.id)) {
        err = check_same(r, row, why);
    } else {
        uint64_t hash = import_set_hash(id);

        if (import_set_has(&r->closed, hash)) {
            return fault(r, IMPORT_ID, why, "fragment", "names a receipt that other receipts have followed already; sort the "
                         "file so that the lines of a receipt stand together");
        }
        *out_stop = close_receipt(r);
        if (*out_stop != ERR_OK) {
            return ERR_OK;
        }
        err = open_receipt(r, row, id, hash, why);
    }
    if (err == ERR_OK) {
        add_line(r, row, line);
    }
    return err;
}

static enum err csv_header(void *ctx, const struct bytes *header, size_t n, struct why *why)
{
    struct import_receipts *r = ctx;

    return import_bind(&r->map->sheets[IMPORT_LINES], header, n, r->arena, &r->bound, why);
}

static enum err csv_row(void *ctx, const struct import_row *row, struct why *feed_why)
{
    struct import_receipts *r = ctx;
    struct why why;
    enum import_judgement judgement;
    enum err stop = ERR_OK;

    why.code[0] = '\0';
    r->why = feed_why;
    judgement = judge(r, row, &why);
    if (judgement == IMPORT_LEAVE) {
        r->counts.left_n++;
        return ERR_OK;
    }
    if (judgement == IMPORT_FAULT || take_row(r, row, &why, &stop) != ERR_OK) {
        report(r, row->row, row->line, &why);
    }
    return stop;
}

struct import_receipts *import_receipt_open(struct arena *arena, const struct import_map *map,
                                            const struct import_receipt_options *options)
{
    struct import_receipts *r = arena_take(arena, sizeof(*r));
    struct import_csv_calls calls = {csv_header, csv_row, csv_rejected, r};

    assert(map->sheets[IMPORT_LINES].is_given);
    if (r == NULL) {
        return NULL;
    }
    for (int i = 1; i < IMPORT_SECTIONS; i++) {
        assert(!import_join_needed(map, (enum import_section)i) || options->joins[i] != NULL);
    }
    r->arena = arena;
    r->map = map;
    r->options = *options;
    r->minor_micro = 1000000;
    for (int i = money_exponent(map->currency); i > 0; i--) {
        r->minor_micro /= 10;
    }
    r->texts = arena_take(arena, TEXT_BYTES);
    r->csv = import_csv_open(arena, map->sheets[IMPORT_LINES].delimiter, &calls);
    return r->texts != NULL && r->csv != NULL ? r : NULL;
}

enum err import_receipt_feed(struct import_receipts *r, struct bytes chunk, struct why *why)
{
    return import_csv_feed(r->csv, chunk, why);
}

enum err import_receipt_end(struct import_receipts *r, struct why *why)
{
    enum err err = import_csv_end(r->csv, why);

    r->why = why;
    return err == ERR_OK ? close_receipt(r) : err;
}

struct import_counts import_receipt_counts(const struct import_receipts *r)
{
    struct import_counts counts = r->counts;

    counts.rows_n = import_csv_rows_n(r->csv);
    return counts;
}

/* ---- copying ---- */

static void copy_text(struct bytes *text, struct arena *arena)
{
    if (text->n > 0) {
        *text = arena_copy(arena, *text);
    }
}

bool import_receipt_copy(const struct event *event, struct arena *arena, struct event *out_event)
{
    struct event copy = *event;
    struct event_line *lines = arena_array(arena, event->lines_n, sizeof(*lines));
    size_t texts_n = 0;
    char *texts;

    for (size_t i = 0; i < event->lines_n; i++) {
        texts_n += event->lines[i].item_text.n;
    }
    texts = arena_take(arena, texts_n);
    if (lines == NULL || texts == NULL) {
        return false;
    }
    for (size_t i = 0; i < event->lines_n; i++) {
        lines[i] = event->lines[i];
        memcpy(texts, lines[i].item_text.p, lines[i].item_text.n);
        lines[i].item_text.p = texts;
        texts += lines[i].item_text.n;
    }
    copy.lines = lines;
    copy_text(&copy.id, arena);
    copy_text(&copy.source, arena);
    copy_text(&copy.store_text, arena);
    copy_text(&copy.kind_name, arena);
    copy_text(&copy.session, arena);
    copy_text(&copy.order, arena);
    copy_text(&copy.query, arena);
    copy_text(&copy.ticket, arena);
    copy_text(&copy.placement, arena);
    copy_text(&copy.properties, arena);
    for (size_t i = 0; i < copy.identifiers_n; i++) {
        copy_text(&copy.identifiers[i].value, arena);
    }
    *out_event = copy;
    return !arena_overflowed(arena);
}
