/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/import_item.h"

#include "base/hash.h"
#include "base/json_write.h"
#include "base/money.h"
#include "ingest/import_set.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

enum { TITLE_BYTES_MAX = 1024, STEP_BYTES_MAX = 256 }; /* the catalogue's: catalog/item_json.h */

struct import_items {
    struct arena *arena;
    const struct import_map *map;
    enum import_section section;
    struct import_item_options options;
    struct import_csv *csv;
    struct import_sheet *bound;
    struct import_counts counts;
    struct import_set seen; /* ids that had their row */
};

/* ---- readable text ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool is_word(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c & 0x80) != 0;
}

struct writing { /* text in a room; what does not fit is cut at a whole character */
    char *p;
    size_t n, room;
};

static void write_bytes(struct writing *to, struct bytes text)
{
    size_t n = text.n < to->room - to->n ? text.n : to->room - to->n;

    while (n > 0 && n < text.n && ((unsigned char)text.p[n] & 0xc0) == 0x80) {
        n--;
    }
    if (n > 0) {
        memcpy(to->p + to->n, text.p, n);
        to->n += n;
    }
}

/* A word that [words] knows is replaced, else it is written in lower case. */
static void write_word(const struct import_map *map, struct writing *to, struct bytes word)
{
    for (size_t i = 0; i < map->words_n; i++) {
        if (bytes_equal(map->words[i].from, word)) {
            write_bytes(to, map->words[i].to);
            return;
        }
    }
    for (size_t i = 0; i < word.n; i++) {
        char c = lower(word.p[i]);

        write_bytes(to, (struct bytes){&c, 1});
    }
}

/* "BREAD:ITALIAN/FRENCH (OV" -> "bread: italian/french" */
static void write_sentence(const struct import_map *map, struct writing *to, struct bytes text)
{
    const char *open = NULL;
    size_t begun = to->n;

    for (size_t i = 0; i < text.n; i++) {
        open = text.p[i] == '(' ? text.p + i : text.p[i] == ')' ? NULL : open;
    }
    text.n = open != NULL ? (size_t)(open - text.p) : text.n;
    for (size_t i = 0; i < text.n;) {
        size_t from = i;
        char c = text.p[i];

        while (i < text.n && is_word(text.p[i])) {
            i++;
        }
        if (i > from) {
            write_word(map, to, (struct bytes){text.p + from, i - from});
            continue;
        }
        i++;
        if (c != ' ' || (to->n > begun && to->p[to->n - 1] != ' ')) {
            write_bytes(to, (struct bytes){&c, 1});
        }
        if (c == ':' && i < text.n && text.p[i] != ' ') {
            write_bytes(to, BYTES_LIT(" "));
        }
    }
    while (to->n > begun && memchr(" :,-/", to->p[to->n - 1], 5) != NULL) {
        to->n--;
    }
}

static struct bytes choose(const struct import_choice *choice, const struct import_row *row, char *room, size_t room_n)
{
    for (size_t i = 0; i < choice->n; i++) {
        struct bytes text = import_column_text(&choice->columns[i], row->fields, room, room_n);

        if (text.n > 0) {
            return text;
        }
    }
    return (struct bytes){0};
}

static void write_part(const struct import_map *map, bool is_sentence, struct bytes part, struct writing *to)
{
    if (is_sentence) {
        write_sentence(map, to, part);
    } else {
        write_bytes(to, part);
    }
}

static void capital(struct writing *to)
{
    if (to->n > 0 && to->p[0] >= 'a' && to->p[0] <= 'z') {
        to->p[0] = (char)(to->p[0] - 32);
    }
}

static struct bytes title_of(const struct import_items *items, const struct import_row *row, struct bytes id)
{
    const struct import_text *title = &items->bound->title;
    struct writing to = {arena_take(items->options.scratch, TITLE_BYTES_MAX), 0, TITLE_BYTES_MAX};
    char room[256];

    if (to.p == NULL) {
        return (struct bytes){0};
    }
    for (size_t i = 0; i < title->n; i++) {
        struct bytes part = choose(&title->parts[i], row, room, sizeof(room));

        if (part.n > 0 && to.n > 0) {
            write_bytes(&to, BYTES_LIT(", "));
        }
        write_part(items->map, title->is_sentence, part, &to);
    }
    if (title->is_sentence) {
        capital(&to);
    }
    return to.n > 0 ? (struct bytes){to.p, to.n}
                    : arena_format(items->options.scratch, "Item %.*s", (int)id.n, id.p);
}

static void read_category(const struct import_items *items, const struct import_row *row, struct item *item)
{
    const struct import_text *category = &items->bound->category;

    for (size_t i = 0; i < category->n && item->category_n < ITEM_CATEGORIES_MAX; i++) {
        struct writing to = {arena_take(items->options.scratch, STEP_BYTES_MAX), 0, STEP_BYTES_MAX};
        char room[256];

        if (to.p == NULL) {
            return;
        }
        write_part(items->map, category->is_sentence, choose(&category->parts[i], row, room, sizeof(room)), &to);
        if (category->is_sentence) {
            capital(&to);
        }
        if (to.n > 0) {
            item->category[item->category_n++] = (struct bytes){to.p, to.n};
        }
    }
}

/* ---- rows ---- */

static struct bytes text_of(const struct import_items *items, enum import_field field, const struct import_row *row)
{
    const struct import_column *column = &items->bound->fields[field];
    struct bytes text;
    char *room;

    if (column->name.n == 0) {
        return (struct bytes){0};
    }
    text = row->fields[column->at];
    if (!column->is_upper) {
        return text;
    }
    room = arena_take(items->options.scratch, text.n);
    return room != NULL ? import_column_text(column, row->fields, room, text.n) : (struct bytes){0};
}

static enum err row_fault(const struct import_column *column, struct why *why, const char *code, const char *says)
{
    char name[96];

    snprintf(name, sizeof(name), "%.*s", (int)(column->name.n < 90 ? column->name.n : 90),
             column->name.n > 0 ? column->name.p : "");
    return why_say(why, ERR_INVALID, code, name, "`%s` %s", name, says);
}

static bool is_id(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f) {
            return false;
        }
    }
    return text.n > 0 && text.n <= EVENT_ID_BYTES_MAX;
}

static void write_member(struct json_write *w, const char *key, struct bytes text)
{
    if (text.n > 0) {
        json_write_text(w, key, text);
    }
}

static struct bytes item_json(const struct import_items *items, const struct item *item)
{
    struct json_write w;

    json_write_open(&w, items->options.scratch, 512);
    json_write_object(&w, NULL);
    json_write_text(&w, "id", item->id_text);
    write_member(&w, "group", item->group);
    json_write_text(&w, "title", item->title);
    if (item->category_n > 0) {
        json_write_array(&w, "category");
        for (size_t i = 0; i < item->category_n; i++) {
            json_write_text(&w, NULL, item->category[i]);
        }
        json_write_end(&w);
    }
    write_member(&w, "brand", item->brand);
    if (item->price_minor >= 0) {
        json_write_money(&w, "price", item->price_minor, item->currency);
    }
    write_member(&w, "url", item->url);
    write_member(&w, "image", item->image);
    json_write_end(&w);
    return json_write_bytes(&w);
}

static enum err read_price(const struct import_items *items, const struct import_row *row, struct item *item,
                           struct why *why)
{
    struct bytes text = text_of(items, IMPORT_PRICE, row);
    int64_t micro, unit = 1000000;

    item->price_minor = -1;
    if (text.n == 0) {
        return ERR_OK;
    }
    if (items->map->currency[0] == '\0' || !import_number(text, items->map->decimal, &micro) || micro < 0) {
        return row_fault(&items->bound->fields[IMPORT_PRICE], why, "bad_price",
                         "must be an amount of money, and the map must say its `currency`");
    }
    for (int i = money_exponent(items->map->currency); i > 0; i--) {
        unit /= 10;
    }
    item->price_minor = (micro + unit / 2) / unit;
    memcpy(item->currency, items->map->currency, sizeof(item->currency));
    return ERR_OK;
}

static enum err take_item(struct import_items *items, const struct import_row *row, struct bytes id, struct why *why,
                          enum err *out_stop, struct why *stop_why)
{
    struct item item = {.id_text = id, .is_available = true};
    enum err err;

    item.id = hash_item(items->options.tenant, id);
    item.title = title_of(items, row, id);
    item.group = text_of(items, IMPORT_GROUP, row);
    item.brand = text_of(items, IMPORT_BRAND, row);
    item.url = text_of(items, IMPORT_URL, row);
    item.image = text_of(items, IMPORT_IMAGE, row);
    if (item.brand.n > STEP_BYTES_MAX || item.group.n > STEP_BYTES_MAX) {
        return row_fault(&items->bound->fields[item.brand.n > STEP_BYTES_MAX ? IMPORT_BRAND : IMPORT_GROUP], why, "too_long",
                         "must have at most 256 bytes; shorten it");
    }
    read_category(items, row, &item);
    err = read_price(items, row, &item, why);
    if (err != ERR_OK) {
        return err;
    }
    item.json = item_json(items, &item);
    if (arena_overflowed(items->options.scratch)) {
        *out_stop = ERR_NOMEM;
        return ERR_OK;
    }
    *out_stop = items->options.item(items->options.ctx, &item, row->row, stop_why);
    return ERR_OK;
}

static enum err take_store(struct import_items *items, const struct import_row *row, struct bytes id, enum err *out_stop,
                           struct why *stop_why)
{
    struct store store = {.id_text = id, .lat = (double)NAN, .lon = (double)NAN};
    struct json_write w;

    store.id = hash_store(items->options.tenant, id);
    store.name = text_of(items, IMPORT_NAME, row);
    store.time_zone = text_of(items, IMPORT_TIME_ZONE, row);
    store.country = text_of(items, IMPORT_COUNTRY, row);
    store.postcode = text_of(items, IMPORT_POSTCODE, row);
    store.city = text_of(items, IMPORT_CITY, row);
    json_write_open(&w, items->options.scratch, 512);
    json_write_object(&w, NULL);
    write_member(&w, "name", store.name);
    if (store.country.n + store.postcode.n + store.city.n > 0) {
        json_write_object(&w, "address");
        write_member(&w, "postcode", store.postcode);
        write_member(&w, "city", store.city);
        write_member(&w, "country", store.country);
        json_write_end(&w);
    }
    write_member(&w, "timeZone", store.time_zone);
    json_write_end(&w);
    store.json = json_write_bytes(&w);
    *out_stop = arena_overflowed(items->options.scratch)
                    ? ERR_NOMEM
                    : items->options.store(items->options.ctx, &store, row->row, stop_why);
    return ERR_OK;
}

static enum err take_customer(struct import_items *items, const struct import_row *row, struct why *why,
                              enum err *out_stop, struct why *stop_why)
{
    const struct import_sheet *bound = items->bound;
    struct import_customer *customer = arena_take(items->options.scratch, sizeof(*customer));

    if (customer == NULL) {
        *out_stop = ERR_NOMEM;
        return ERR_OK;
    }
    for (size_t i = 0; i < bound->identifiers_n; i++) {
        struct bytes text = row->fields[bound->identifiers[i].column.at], name = bound->identifiers[i].x_name;

        if (text.n == 0) {
            continue;
        }
        if (!is_id(text)) {
            return row_fault(&bound->identifiers[i].column, why, "bad_id",
                             "must have up to 256 bytes without control characters");
        }
        if (bound->identifiers[i].kind == IDENTIFIER_X) {
            text = arena_format(items->options.scratch, "%.*s:%.*s", (int)name.n, name.p, (int)text.n, text.p);
        }
        customer->identifiers[customer->identifiers_n++] = (struct event_identifier){bound->identifiers[i].kind, text};
    }
    if (customer->identifiers_n == 0) {
        return row_fault(&bound->identifiers[0].column, why, "no_identifier", "is empty; a customer needs an identifier");
    }
    for (size_t i = 0; i < bound->facts_n; i++) {
        struct bytes value = row->fields[bound->facts[i].column.at];

        if (value.n > 0) {
            customer->facts[customer->facts_n++] = (struct import_fact_value){bound->facts[i].name, value};
        }
    }
    *out_stop = items->options.customer(items->options.ctx, customer, row->row, stop_why);
    return ERR_OK;
}

static enum err take_row(struct import_items *items, const struct import_row *row, struct why *why, enum err *out_stop,
                         struct why *stop_why)
{
    struct bytes id;

    if (items->section == IMPORT_CUSTOMERS) {
        enum err err = take_customer(items, row, why, out_stop, stop_why);

        items->counts.kept_n += err == ERR_OK && *out_stop == ERR_OK;
        return err;
    }
    id = text_of(items, IMPORT_ID, row);
    if (!is_id(id)) {
        return row_fault(&items->bound->fields[IMPORT_ID], why, "bad_id",
                         "must be an id of 1 to 256 bytes without control characters");
    }
    if (import_set_has(&items->seen, import_set_hash(id))) {
        items->counts.left_n++;
        return ERR_OK;
    }
    if (!import_set_add(&items->seen, import_set_hash(id), items->arena)) {
        *out_stop = why_say(stop_why, ERR_TOOBIG, "too_big", "", "the file has more ids than the memory allowed; split it");
        return ERR_OK;
    }
    {
        enum err err = items->section == IMPORT_ITEMS ? take_item(items, row, id, why, out_stop, stop_why)
                                                      : take_store(items, row, id, out_stop, stop_why);

        items->counts.kept_n += err == ERR_OK && *out_stop == ERR_OK;
        return err;
    }
}

/* ---- callbacks of the CSV ---- */

static void csv_rejected(void *ctx, const struct import_rejected *rejected)
{
    struct import_items *items = ctx;

    items->counts.rejected_n++;
    if (items->options.rejected != NULL) {
        items->options.rejected(items->options.ctx, rejected);
    }
}

static enum err csv_header(void *ctx, const struct bytes *header, size_t n, struct why *why)
{
    struct import_items *items = ctx;

    return import_bind(&items->map->sheets[items->section], header, n, items->arena, &items->bound, why);
}

static enum err csv_row(void *ctx, const struct import_row *row, struct why *stop_why)
{
    struct import_items *items = ctx;
    struct import_rejected rejected = {.row = row->row, .line = row->line};
    enum import_judgement judgement = import_judge(items->bound->filters, items->bound->filters_n, IMPORT_LINES,
                                                   row->fields, items->map->decimal, &rejected.why);
    enum err stop = ERR_OK;

    arena_reset(items->options.scratch);
    if (judgement == IMPORT_LEAVE) {
        items->counts.left_n++;
        return ERR_OK;
    }
    if (judgement == IMPORT_FAULT || take_row(items, row, &rejected.why, &stop, stop_why) != ERR_OK) {
        csv_rejected(items, &rejected);
    }
    return stop;
}

struct import_items *import_item_open(struct arena *arena, const struct import_map *map, enum import_section section,
                                      const struct import_item_options *options)
{
    struct import_items *items = arena_take(arena, sizeof(*items));
    struct import_csv_calls calls = {csv_header, csv_row, csv_rejected, items};

    assert(section != IMPORT_LINES && map->sheets[section].is_given);
    assert(section == IMPORT_ITEMS ? options->item != NULL
                                   : section == IMPORT_STORES ? options->store != NULL : options->customer != NULL);
    if (items == NULL) {
        return NULL;
    }
    items->arena = arena;
    items->map = map;
    items->section = section;
    items->options = *options;
    items->csv = import_csv_open(arena, map->sheets[section].delimiter, &calls);
    return items->csv != NULL ? items : NULL;
}

enum err import_item_feed(struct import_items *items, struct bytes chunk, struct why *why)
{
    return import_csv_feed(items->csv, chunk, why);
}

enum err import_item_end(struct import_items *items, struct why *why)
{
    return import_csv_end(items->csv, why);
}

struct import_counts import_item_counts(const struct import_items *items)
{
    struct import_counts counts = items->counts;

    counts.rows_n = import_csv_rows_n(items->csv);
    return counts;
}
