/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/item_json.h"

#include "base/hash.h"
#include "base/json_write.h"
#include "base/pack.h"
#include "base/time.h"

#include <math.h>

enum { TEXT_BYTES_MAX = 2048, DESCRIPTION_BYTES_MAX = 65536, ATTRIBUTES_BYTES_MAX = 16384, STOCK_FORMAT = 1 };

static const char *const item_fields[] = {
    "id",       "group",   "title",     "description", "category", "brand",      "price",     "salePrice",
    "saleFrom", "saleTo",  "gtin",      "url",         "image",    "attributes", "available", "hidden",
    "ageLimit", "durable", "sensitive", "margin",      "added",    "currency",   NULL};
static const char *const store_fields[] = {"id",    "name",   "address",        "position", "timeZone",
                                           "hours", "closed", "collectMinutes", NULL};

/* ---- fields that are text or {language: text} ---- */

/* Gives the default language's text: the only one, or the first. */
static bool read_title(struct json_form *form, const struct json_node *node, const char *key,
                       enum json_need need, size_t most, struct bytes *out_text)
{
    const struct json_node *said = json_get(node, key);

    if (json_is_null(said) || said->type != JSON_OBJECT) {
        return json_form_text(form, node, key, need, need == JSON_NEEDED ? 1 : 0, most, out_text);
    }
    if (said->children_n == 0 && need == JSON_NEEDED) {
        json_form_fault(form, node, key, "required", "%s holds no language; send at least one.", key);
        return false;
    }
    for (const struct json_node *one = said->first; one != NULL; one = one->next) {
        if (one->type != JSON_TEXT || one->text.n > most || one->key.n == 0 || one->key.n > 35) {
            json_form_fault(form, one, NULL, "wrong_type",
                            "A language's text must be text of up to %zu bytes.", most);
            return false;
        }
    }
    if (said->first != NULL) {
        *out_text = said->first->text;
    }
    return said->first != NULL;
}

static void read_category(struct json_form *form, const struct json_node *node, struct item *item)
{
    const struct json_node *array;

    if (!json_form_array(form, node, "category", JSON_MAY, 0, ITEM_CATEGORIES_MAX, &array)) {
        return;
    }
    for (const struct json_node *one = array->first; one != NULL; one = one->next) {
        if (one->type != JSON_TEXT || one->text.n == 0 || one->text.n > 256) {
            json_form_fault(form, one, NULL, "wrong_type",
                            "A step of the category path is text of 1 to 256 bytes.");
            continue;
        }
        item->category[item->category_n++] = one->text;
    }
}

static void read_attributes(struct json_form *form, const struct json_node *node)
{
    const struct json_node *attributes;

    if (!json_form_object(form, node, "attributes", JSON_MAY, &attributes)) {
        return;
    }
    if (attributes->raw.n > ATTRIBUTES_BYTES_MAX) {
        json_form_fault(form, node, "attributes", "out_of_range", "attributes may have %d bytes.",
                        ATTRIBUTES_BYTES_MAX);
    }
    for (const struct json_node *one = attributes->first; one != NULL; one = one->next) {
        if (one->type == JSON_OBJECT) {
            json_form_fault(form, one, NULL, "wrong_type",
                            "An attribute is text, a number, true, false or a list of these.");
        }
    }
}

static void read_prices(struct json_form *form, const struct json_node *node, const char *currency,
                        struct item *item)
{
    char named[4] = "";

    item->price_minor = item->sale_minor = -1;
    if (json_form_money(form, node, "price", JSON_MAY, currency, &item->price_minor, item->currency) &&
        item->price_minor < 0) {
        json_form_fault(form, node, "price", "out_of_range", "price must not be negative.");
    }
    if (json_form_money(form, node, "salePrice", JSON_MAY,
                        item->currency[0] != '\0' ? item->currency : currency, &item->sale_minor, named)) {
        if (item->sale_minor < 0) {
            json_form_fault(form, node, "salePrice", "out_of_range", "salePrice must not be negative.");
        }
        if (item->currency[0] == '\0') {
            memcpy(item->currency, named, sizeof(named));
        } else if (strcmp(named, item->currency) != 0) {
            json_form_fault(form, node, "salePrice", "bad_currency",
                            "price and salePrice must have one currency.");
        }
    }
    (void)json_form_time(form, node, "saleFrom", JSON_MAY, &item->sale_from_ms);
    (void)json_form_time(form, node, "saleTo", JSON_MAY, &item->sale_to_ms);
}

/* Writes the members named by fields in their order, as they came; id first, prices with their currency.
 * item: NULL for a store. */
static struct bytes canonical(const struct json_node *node, const char *const *fields, struct bytes id,
                              const struct item *item, struct arena *arena)
{
    struct json_write w;

    json_write_open(&w, arena, node->raw.n + id.n + 64);
    json_write_object(&w, NULL);
    json_write_text(&w, "id", id);
    for (size_t i = 0; fields[i] != NULL; i++) {
        const struct json_node *member = json_get(node, fields[i]);

        if (json_is_null(member) || strcmp(fields[i], "id") == 0 || strcmp(fields[i], "currency") == 0) {
            continue;
        }
        if (item != NULL && strcmp(fields[i], "price") == 0) {
            json_write_money(&w, "price", item->price_minor, item->currency);
        } else if (item != NULL && strcmp(fields[i], "salePrice") == 0) {
            json_write_money(&w, "salePrice", item->sale_minor, item->currency);
        } else {
            json_write_raw(&w, fields[i], member->raw);
        }
    }
    json_write_end(&w);
    return json_write_bytes(&w);
}

/* The id is the path's; a body that names another is a mistake. */
static void read_id(struct json_form *form, const struct json_node *node, struct bytes id,
                    struct bytes *out_id)
{
    struct bytes named = {0};

    if (json_form_id(form, node, "id", id.n > 0 ? JSON_MAY : JSON_NEEDED, &named) && id.n > 0 &&
        !bytes_equal(id, named)) {
        json_form_fault(form, node, "id", "invalid_field",
                        "The body names another id than the path; leave it out.");
    }
    *out_id = id.n > 0 ? id : named;
}

bool item_json_read(struct json_form *form, const struct json_node *node, struct tenant_id tenant,
                    struct bytes id, const char *currency, struct arena *arena, struct item *out_item)
{
    struct item item = {.is_available = true};
    size_t faults_seen = form->faults_seen;
    struct bytes text;
    double number;
    int64_t whole;
    bool flag;

    json_form_known(form, node, item_fields);
    if (node->type != JSON_OBJECT) {
        return false;
    }
    read_id(form, node, id, &item.id_text);
    (void)json_form_id(form, node, "group", JSON_MAY, &item.group);
    (void)read_title(form, node, "title", JSON_NEEDED, TEXT_BYTES_MAX, &item.title);
    (void)read_title(form, node, "description", JSON_MAY, DESCRIPTION_BYTES_MAX, &text);
    read_category(form, node, &item);
    (void)json_form_text(form, node, "brand", JSON_MAY, 0, 256, &item.brand);
    read_prices(form, node, currency, &item);
    (void)json_form_text(form, node, "gtin", JSON_MAY, 8, 14, &text);
    (void)json_form_text(form, node, "url", JSON_MAY, 0, TEXT_BYTES_MAX, &item.url);
    (void)json_form_text(form, node, "image", JSON_MAY, 0, TEXT_BYTES_MAX, &item.image);
    read_attributes(form, node);
    (void)json_form_bool(form, node, "available", JSON_MAY, &item.is_available);
    (void)json_form_bool(form, node, "hidden", JSON_MAY, &item.is_hidden);
    (void)json_form_int(form, node, "ageLimit", JSON_MAY, 0, 120, &whole);
    (void)json_form_bool(form, node, "durable", JSON_MAY, &flag);
    (void)json_form_bool(form, node, "sensitive", JSON_MAY, &flag);
    (void)json_form_double(form, node, "margin", JSON_MAY, -1e12, 1e12, &number);
    (void)json_form_time(form, node, "added", JSON_MAY, &item.added_ms);
    if (form->faults_seen != faults_seen) {
        return false;
    }
    item.id = hash_item(tenant, item.id_text);
    item.json = canonical(node, item_fields, item.id_text, &item, arena);
    *out_item = item;
    return item.json.n > 0;
}

/* ---- stores ---- */

static void read_address(struct json_form *form, const struct json_node *node, struct store *store)
{
    static const char *const known[] = {"postcode", "city", "country", "street", NULL};
    const struct json_node *address;
    struct bytes text;

    if (json_form_object(form, node, "address", JSON_MAY, &address)) {
        json_form_known(form, address, known);
        (void)json_form_text(form, address, "postcode", JSON_MAY, 1, 16, &store->postcode);
        (void)json_form_text(form, address, "city", JSON_MAY, 1, 128, &store->city);
        (void)json_form_text(form, address, "country", JSON_MAY, 2, 2, &store->country);
        (void)json_form_text(form, address, "street", JSON_MAY, 0, 256, &text);
    }
}

static void read_position(struct json_form *form, const struct json_node *node, struct store *store)
{
    static const char *const known[] = {"lat", "lon", NULL};
    const struct json_node *position;

    store->lat = store->lon = (double)NAN;
    if (json_form_object(form, node, "position", JSON_MAY, &position)) {
        json_form_known(form, position, known);
        (void)json_form_double(form, position, "lat", JSON_NEEDED, -90, 90, &store->lat);
        (void)json_form_double(form, position, "lon", JSON_NEEDED, -180, 180, &store->lon);
    }
}

static bool is_clock(struct bytes text)
{
    return text.n == 5 && text.p[2] == ':' && text.p[0] >= '0' && text.p[0] <= '2' && text.p[1] >= '0' &&
           text.p[1] <= '9' && text.p[3] >= '0' && text.p[3] <= '5' && text.p[4] >= '0' && text.p[4] <= '9' &&
           (text.p[0] < '2' || text.p[1] <= '4');
}

static void read_hours(struct json_form *form, const struct json_node *node)
{
    static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};
    const struct json_node *hours, *closed;

    if (json_form_object(form, node, "hours", JSON_MAY, &hours)) {
        json_form_known(form, hours, days);
        for (const struct json_node *day = hours->first; day != NULL; day = day->next) {
            if (day->type != JSON_ARRAY || (day->children_n != 0 && day->children_n != 2) ||
                (day->children_n == 2 &&
                 (day->first->type != JSON_TEXT || day->first->next->type != JSON_TEXT ||
                  !is_clock(day->first->text) || !is_clock(day->first->next->text)))) {
                json_form_fault(form, day, NULL, "wrong_type",
                                "A day's hours are [\"09:00\",\"20:00\"], or [] when closed.");
            }
        }
    }
    if (json_form_array(form, node, "closed", JSON_MAY, 0, 400, &closed)) {
        for (const struct json_node *day = closed->first; day != NULL; day = day->next) {
            struct civil civil;

            if (day->type != JSON_TEXT || day->text.n != 10 ||
                time_parse_civil(day->text, &civil) != ERR_OK) {
                json_form_fault(form, day, NULL, "bad_time", "A closed day is a date such as 2026-12-25.");
            }
        }
    }
}

bool store_json_read(struct json_form *form, const struct json_node *node, struct tenant_id tenant,
                     struct bytes id, struct arena *arena, struct store *out_store)
{
    struct store store = {0};
    size_t faults_seen = form->faults_seen;
    int64_t minutes;

    json_form_known(form, node, store_fields);
    if (node->type != JSON_OBJECT) {
        return false;
    }
    read_id(form, node, id, &store.id_text);
    (void)json_form_text(form, node, "name", JSON_MAY, 1, 256, &store.name);
    read_address(form, node, &store);
    read_position(form, node, &store);
    (void)json_form_text(form, node, "timeZone", JSON_MAY, 1, 64, &store.time_zone);
    read_hours(form, node);
    (void)json_form_int(form, node, "collectMinutes", JSON_MAY, 0, 100000, &minutes);
    if (form->faults_seen != faults_seen) {
        return false;
    }
    store.id = hash_store(tenant, store.id_text);
    store.json = canonical(node, store_fields, store.id_text, NULL, arena);
    *out_store = store;
    return store.json.n > 0;
}

/* ---- stored rows ---- */

enum err item_json_stored(struct tenant_id tenant, struct bytes id, struct bytes row, uint64_t revision,
                          struct arena *arena, struct item *out_item)
{
    const struct json_node *node;
    struct json_form form = {0};
    struct why why;

    if (row.n == 0) {
        *out_item = (struct item){.id = hash_item(tenant, id), .revision = revision, .id_text = id};
        return ERR_OK;
    }
    if (json_read(arena, row, &node, &why) != ERR_OK ||
        !item_json_read(&form, node, tenant, id, "", arena, out_item)) {
        return ERR_CORRUPT;
    }
    out_item->revision = revision;
    return ERR_OK;
}

enum err store_json_stored(struct tenant_id tenant, struct bytes id, struct bytes row, uint64_t revision,
                           struct arena *arena, struct store *out_store)
{
    const struct json_node *node;
    struct json_form form = {0};
    struct why why;

    if (row.n == 0) {
        *out_store = (struct store){.id = hash_store(tenant, id), .revision = revision, .id_text = id};
        return ERR_OK;
    }
    if (json_read(arena, row, &node, &why) != ERR_OK ||
        !store_json_read(&form, node, tenant, id, arena, out_store)) {
        return ERR_CORRUPT;
    }
    out_store->revision = revision;
    return ERR_OK;
}

struct bytes item_json_made(const struct item_made *made, struct arena *arena)
{
    struct json_write w;

    json_write_open(&w, arena, 256 + made->id.n + made->title.n);
    json_write_object(&w, NULL);
    json_write_text(&w, "id", made->id);
    if (made->group.n > 0) {
        json_write_text(&w, "group", made->group);
    }
    json_write_text(&w, "title", made->title.n > 0 ? made->title : made->id);
    if (made->category_n > 0) {
        json_write_array(&w, "category");
        for (size_t i = 0; i < made->category_n; i++) {
            json_write_text(&w, NULL, made->category[i]);
        }
        json_write_end(&w);
    }
    if (made->brand.n > 0) {
        json_write_text(&w, "brand", made->brand);
    }
    if (made->price_minor >= 0) {
        json_write_money(&w, "price", made->price_minor, made->currency);
    }
    if (made->added_ms != 0) {
        json_write_time(&w, "added", made->added_ms);
    }
    json_write_end(&w);
    return json_write_bytes(&w);
}

void stock_row_id(const struct stock_row *stock, uint8_t out_id[STOCK_ID_BYTES])
{
    put_be64(out_id, stock->store.v);
    put_be64(out_id + 8, stock->item.v);
}

struct bytes stock_row_encode(const struct stock_row *stock, struct arena *arena)
{
    struct pack to = pack_into(arena_take(arena, STOCK_ROW_BYTES), STOCK_ROW_BYTES);

    if (to.p == NULL) {
        return (struct bytes){0};
    }
    pack_u8(&to, STOCK_FORMAT);
    pack_signed(&to, stock->milli);
    pack_signed(&to, stock->at_ms);
    pack_text(&to, stock->store_text);
    pack_text(&to, stock->item_text);
    return to.full ? (struct bytes){0} : pack_bytes(&to);
}

bool stock_row_decode(struct bytes id, struct bytes row, struct stock_row *out_stock)
{
    struct unpack from = unpack_from(row);
    struct stock_row stock = {0};

    if (id.n != STOCK_ID_BYTES || unpack_u8(&from) != STOCK_FORMAT) {
        return false;
    }
    stock.store.v = get_be64((const uint8_t *)id.p);
    stock.item.v = get_be64((const uint8_t *)id.p + 8);
    stock.milli = unpack_signed(&from);
    stock.at_ms = unpack_signed(&from);
    stock.store_text = unpack_text(&from);
    stock.item_text = unpack_text(&from);
    if (from.bad) {
        return false;
    }
    *out_stock = stock;
    return true;
}
