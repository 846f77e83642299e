/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_file.h"

#include "base/hash.h"
#include "model/model_inside.h"

#include <assert.h>
#include <math.h>

static const char magic[8] = {'F', 'A', 'L', 'U', 'N', 'M', 'D', 'L'};

enum { AT_FORMAT = 8, AT_SECTIONS = 12, AT_TENANT = 16, AT_ITEMS = 20, AT_STORES = 24, AT_TRAINED = 32, AT_BYTES = 40, AT_HASH = 64 };
enum { IN_TAG = 0, IN_AT = 8, IN_BYTES = 16, IN_HASH = 32 };

_Static_assert(sizeof(struct model_item) == 32, "two items a cache line");
_Static_assert(sizeof(struct model_weight) == 8, "no padding is stored");
_Static_assert(sizeof(struct model_rank) == 4 * 8 + 2 * FEATURES * 4, "no padding is stored");
_Static_assert(sizeof(struct model_domain_settings) == 64 && sizeof(struct model_seen) == 16, "likewise");
_Static_assert(sizeof(struct model_segments) == 4 * (2 * MODEL_SEGMENTS_ + 6 + 2 * (MODEL_QUINTILES - 1)), "likewise");

static size_t align(size_t n)
{
    return (n + MODEL_ALIGN - 1) / MODEL_ALIGN * MODEL_ALIGN;
}

static uint64_t get(const uint8_t *from, unsigned bytes)
{
    uint64_t v = 0;

    memcpy(&v, from, bytes);
    return v;
}

static void put(uint8_t *to, uint64_t v, unsigned bytes)
{
    memcpy(to, &v, bytes);
}

static bool is_little_endian(void)
{
    const uint16_t one = 1;
    uint8_t first;

    memcpy(&first, &one, 1);
    return first == 1;
}

/* ---- writing ---- */

size_t model_file_bytes(const struct model_section_in *sections, size_t n)
{
    size_t bytes = align(MODEL_HEADER_BYTES + n * MODEL_DIRECTORY_BYTES);

    for (size_t i = 0; i < n; i++) {
        bytes += align(sections[i].n);
    }
    return bytes;
}

void model_file_write(const struct model_head *head, const struct model_section_in *sections, size_t n, uint8_t *room)
{
    size_t directory_bytes = MODEL_HEADER_BYTES + n * MODEL_DIRECTORY_BYTES;
    size_t at = align(directory_bytes), file_bytes = model_file_bytes(sections, n);

    assert(n > 0 && n <= MODEL_SECTIONS_MAX && is_little_endian());
    memset(room, 0, file_bytes);
    memcpy(room, magic, sizeof(magic));
    put(room + AT_FORMAT, MODEL_FORMAT, 4);
    put(room + AT_SECTIONS, n, 4);
    put(room + AT_TENANT, head->tenant.v, 4);
    put(room + AT_ITEMS, head->items_n, 4);
    put(room + AT_STORES, head->stores_n, 4);
    put(room + AT_TRAINED, (uint64_t)head->trained_ms, 8);
    put(room + AT_BYTES, file_bytes, 8);
    for (size_t i = 0; i < n; i++) {
        uint8_t *entry = room + MODEL_HEADER_BYTES + i * MODEL_DIRECTORY_BYTES;

        assert(i == 0 || sections[i].tag > sections[i - 1].tag);
        if (sections[i].n > 0) {
            memcpy(room + at, sections[i].p, sections[i].n);
        }
        put(entry + IN_TAG, (uint64_t)sections[i].tag, 4);
        put(entry + IN_AT, at, 8);
        put(entry + IN_BYTES, sections[i].n, 8);
        hash_256(NULL, (struct bytes){(const char *)room + at, sections[i].n}, entry + IN_HASH);
        at += align(sections[i].n);
    }
    hash_256(NULL, (struct bytes){(const char *)room, directory_bytes}, room + AT_HASH);
}

/* ---- opening: the envelope ---- */

enum err model_bad(struct why *why, const char *field, const char *says)
{
    return why_say(why, ERR_CORRUPT, "model_corrupt", field, "%s; train again or go back to an older model", says);
}

static enum err check_header(struct bytes file, struct model_head *out_head, size_t *out_sections_n, struct why *why)
{
    const uint8_t *p = (const uint8_t *)file.p;
    uint8_t head[MODEL_HEADER_BYTES + MODEL_SECTIONS_MAX * MODEL_DIRECTORY_BYTES], hash[32];
    uint64_t format, sections_n;

    if (file.n < MODEL_HEADER_BYTES || memcmp(p, magic, sizeof(magic)) != 0) {
        return model_bad(why, "magic", "this is no model file");
    }
    format = get(p + AT_FORMAT, 4);
    if (format != MODEL_FORMAT || !is_little_endian()) {
        return why_say(why, ERR_UNSUPPORTED, "model_format", "format",
                       "the model has format %u, this program reads %u; train again with this program, or run the %s one",
                       (unsigned)format, (unsigned)MODEL_FORMAT, format > MODEL_FORMAT ? "newer" : "older");
    }
    sections_n = get(p + AT_SECTIONS, 4);
    if (sections_n == 0 || sections_n > MODEL_SECTIONS_MAX ||
        file.n < MODEL_HEADER_BYTES + sections_n * MODEL_DIRECTORY_BYTES || get(p + AT_BYTES, 8) != file.n) {
        return model_bad(why, "header", "the model file is cut short or too long");
    }
    memcpy(head, p, MODEL_HEADER_BYTES + sections_n * MODEL_DIRECTORY_BYTES);
    memset(head + AT_HASH, 0, 32);
    hash_256(NULL, (struct bytes){(const char *)head, MODEL_HEADER_BYTES + sections_n * MODEL_DIRECTORY_BYTES}, hash);
    if (!hash_same(hash, p + AT_HASH, sizeof(hash))) {
        return model_bad(why, "header", "the model file's header was changed");
    }
    *out_head = (struct model_head){.tenant = {(uint32_t)get(p + AT_TENANT, 4)},
                                    .items_n = (uint32_t)get(p + AT_ITEMS, 4),
                                    .stores_n = (uint32_t)get(p + AT_STORES, 4),
                                    .trained_ms = (int64_t)get(p + AT_TRAINED, 8)};
    *out_sections_n = (size_t)sections_n;
    if (out_head->items_n > MODEL_ITEMS_MAX || out_head->stores_n > MODEL_STORES_MAX) {
        return model_bad(why, "header", "the model names more items or stores than a model may");
    }
    return ERR_OK;
}

/* Finds every known section and checks that the bytes between sections are zero, so that no byte of the file goes
 * unlooked at. */
static enum err check_directory(struct bytes file, size_t sections_n, struct bytes found[MODEL_SECTIONS_MAX + 1],
                                struct why *why)
{
    const uint8_t *p = (const uint8_t *)file.p;
    uint64_t last_tag = 0, end = MODEL_HEADER_BYTES + sections_n * MODEL_DIRECTORY_BYTES;

    for (size_t i = 0; i < sections_n; i++) {
        const uint8_t *entry = p + MODEL_HEADER_BYTES + i * MODEL_DIRECTORY_BYTES;
        uint64_t tag = get(entry + IN_TAG, 4), at = get(entry + IN_AT, 8), bytes = get(entry + IN_BYTES, 8);
        uint8_t hash[32];

        if (tag <= last_tag || at != align(end) || at > file.n || bytes > file.n - at) {
            return model_bad(why, "directory", "the model file's sections do not follow each other");
        }
        for (uint64_t k = end; k < at; k++) {
            if (p[k] != 0) {
                return model_bad(why, "directory", "there are bytes between the model file's sections");
            }
        }
        hash_256(NULL, (struct bytes){file.p + at, (size_t)bytes}, hash);
        if (!hash_same(hash, entry + IN_HASH, sizeof(hash))) {
            return model_bad(why, "section", "a section of the model file was changed");
        }
        if (tag <= MODEL_SECTIONS_MAX) {
            found[tag] = (struct bytes){file.p + at, (size_t)bytes};
        }
        last_tag = tag;
        end = at + bytes;
    }
    if (align(end) != file.n) {
        return model_bad(why, "directory", "the model file does not end where its last section does");
    }
    for (uint64_t k = end; k < file.n; k++) {
        if (p[k] != 0) {
            return model_bad(why, "directory", "there are bytes behind the model file's last section");
        }
    }
    return ERR_OK;
}

/* ---- opening: what the sections say ---- */

bool model_good_floats(const float *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(p[i])) {
            return false;
        }
    }
    return true;
}

bool model_good_rows(const uint32_t *at, size_t n, size_t end, size_t most)
{
    if (at[0] != 0 || at[n] != end) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (at[i + 1] < at[i] || at[i + 1] - at[i] > most) {
            return false;
        }
    }
    return true;
}

bool model_good_items(const uint32_t *items, size_t n, uint32_t items_n)
{
    for (size_t i = 0; i < n; i++) {
        if (items[i] >= items_n) {
            return false;
        }
    }
    return true;
}

bool model_good_weights(const struct model_weight *row, size_t n, uint32_t items_n)
{
    for (size_t i = 0; i < n; i++) {
        if (row[i].item >= items_n || !isfinite(row[i].weight)) {
            return false;
        }
    }
    return true;
}

const void *model_array(const struct bytes *found, unsigned tag, size_t n, size_t each)
{
    return found[tag].p != NULL && found[tag].n == n * each ? found[tag].p : NULL;
}

/* Every item is found under its id, so that no two share one and no probe runs on for ever. */
static bool is_good_table(const struct model *model)
{
    for (uint32_t i = 0; i < model->head.items_n; i++) {
        if (model_item_find(model, (struct item_id){model->item_id[i]}) != i) {
            return false;
        }
    }
    return true;
}

static enum err open_items(struct model *model, const struct bytes *found, struct why *why)
{
    size_t n = model->head.items_n, slots = found[MODEL_SECTION_TABLE].n / sizeof(uint32_t), empty_n = 0;

    model->item_id = model_array(found, MODEL_SECTION_ITEM_ID, n, sizeof(uint64_t));
    model->text_at = model_array(found, MODEL_SECTION_TEXT_AT, n + 1, sizeof(uint32_t));
    model->text = found[MODEL_SECTION_TEXT].p;
    model->table = model_array(found, MODEL_SECTION_TABLE, slots, sizeof(uint32_t));
    model->stat = model_array(found, MODEL_SECTION_STAT, n, sizeof(struct model_item));
    if (model->item_id == NULL || model->text_at == NULL || model->text == NULL || model->table == NULL ||
        model->stat == NULL || slots < 2 || (slots & (slots - 1)) != 0 || slots > UINT32_MAX) {
        return model_bad(why, "items", "the model file lacks a section of items");
    }
    model->table_mask = (uint32_t)slots - 1;
    for (size_t i = 0; i < slots; i++) {
        if (model->table[i] == MODEL_NONE) {
            empty_n++;
        } else if (model->table[i] >= n) {
            return model_bad(why, "items", "the model file's table points past its items");
        }
    }
    if (empty_n == 0 || !model_good_rows(model->text_at, n, found[MODEL_SECTION_TEXT].n, 1024) ||
        !model_good_floats((const float *)model->stat, n * sizeof(struct model_item) / sizeof(float)) ||
        !is_good_table(model)) {
        return model_bad(why, "items", "the model file's items contradict each other");
    }
    for (size_t i = 0; i < n; i++) {
        model->recent_sum += model->stat[i].recent_n;
    }
    return ERR_OK;
}

static enum err open_popular(struct model *model, const struct bytes *found, struct why *why)
{
    size_t n = model->head.items_n, stores_n = model->head.stores_n;
    size_t rows_n = found[MODEL_SECTION_STORE_ROW].n / sizeof(struct model_weight);

    model->recent_n = found[MODEL_SECTION_RECENT].n / sizeof(uint32_t);
    model->all_n = found[MODEL_SECTION_ALL].n / sizeof(uint32_t);
    model->recent = model_array(found, MODEL_SECTION_RECENT, model->recent_n, sizeof(uint32_t));
    model->all = model_array(found, MODEL_SECTION_ALL, model->all_n, sizeof(uint32_t));
    model->store_id = model_array(found, MODEL_SECTION_STORE_ID, stores_n, sizeof(uint64_t));
    model->store_at = model_array(found, MODEL_SECTION_STORE_AT, stores_n + 1, sizeof(uint32_t));
    model->store_row = model_array(found, MODEL_SECTION_STORE_ROW, rows_n, sizeof(struct model_weight));
    model->store_sum = model_array(found, MODEL_SECTION_STORE_SUM, stores_n, sizeof(float));
    if (model->recent == NULL || model->all == NULL || model->store_id == NULL || model->store_at == NULL ||
        model->store_row == NULL || model->store_sum == NULL) {
        return model_bad(why, "popular", "the model file lacks a section of popularity");
    }
    if (model->recent_n > MODEL_POPULAR_MAX || model->all_n > MODEL_POPULAR_MAX ||
        !model_good_items(model->recent, model->recent_n, (uint32_t)n) ||
        !model_good_items(model->all, model->all_n, (uint32_t)n) ||
        !model_good_rows(model->store_at, stores_n, rows_n, MODEL_POPULAR_MAX) ||
        !model_good_weights(model->store_row, rows_n, (uint32_t)n) || !model_good_floats(model->store_sum, stores_n)) {
        return model_bad(why, "popular", "the model file's popularity contradicts itself");
    }
    for (size_t i = 1; i < stores_n; i++) {
        if (model->store_id[i] <= model->store_id[i - 1]) {
            return model_bad(why, "popular", "the model file's stores are out of order");
        }
    }
    return ERR_OK;
}

static bool is_good_segments(const struct model *model, size_t rows_n)
{
    const struct model_segments *s = model->segments;

    for (size_t k = 0; k < MODEL_SEGMENTS_; k++) {
        if (s->list_first[k] > s->lists_n || 2 * (uint64_t)s->keys_n[k] > s->lists_n - s->list_first[k]) {
            return false;
        }
    }
    return s->chosen < MODEL_SEGMENTS_ && s->chosen_basis < 2 && s->groups_n <= MODEL_GROUPS_MAX &&
           s->keys_n[MODEL_SEGMENT_GROUP] <= s->groups_n && s->keys_n[MODEL_SEGMENT_STORE] <= model->head.stores_n &&
           s->keys_n[MODEL_SEGMENT_STORE_FREQUENCY] / MODEL_QUINTILES <= model->head.stores_n &&
           model_good_floats(s->baskets_over, MODEL_QUINTILES - 1) && model_good_floats(s->spend_over, MODEL_QUINTILES - 1) &&
           model_good_rows(model->segment_at, s->lists_n, rows_n, MODEL_SEGMENT_LIST_MAX) &&
           model_good_items(model->segment_row, rows_n, model->head.items_n);
}

static enum err open_segments(struct model *model, const struct bytes *found, struct why *why)
{
    size_t n = model->head.items_n, rows_n = found[MODEL_SECTION_SEGMENT_ROW].n / sizeof(uint32_t);

    model->segments = model_array(found, MODEL_SECTION_SEGMENT, 1, sizeof(struct model_segments));
    model->segment_row = model_array(found, MODEL_SECTION_SEGMENT_ROW, rows_n, sizeof(uint32_t));
    if (model->segments != NULL) {
        model->segment_at =
            model_array(found, MODEL_SECTION_SEGMENT_AT, (size_t)model->segments->lists_n + 1, sizeof(uint32_t));
    }
    if (model->segments == NULL || model->segment_row == NULL || model->segment_at == NULL ||
        !is_good_segments(model, rows_n)) {
        return model_bad(why, "segments", "the model file's segments contradict themselves");
    }
    if (model->segments->groups_n > 0) {
        size_t groups_n = model->segments->groups_n;

        model->factor = model_array(found, MODEL_SECTION_FACTOR, n * MODEL_FACTORS, sizeof(float));
        model->centre = model_array(found, MODEL_SECTION_CENTRE, groups_n * MODEL_FACTORS, sizeof(float));
        if (model->factor == NULL || model->centre == NULL || !model_good_floats(model->factor, n * MODEL_FACTORS) ||
            !model_good_floats(model->centre, groups_n * MODEL_FACTORS)) {
            return model_bad(why, "segments", "the model file's groups are not numbers");
        }
    }
    return ERR_OK;
}

enum err model_file_open(struct bytes file, struct arena *arena, const struct model **out_model, struct why *why)
{
    struct bytes found[MODEL_SECTIONS_MAX + 1] = {{0}};
    enum err (*const steps[])(struct model *, const struct bytes *, struct why *) = {open_items,   open_popular,    open_segments,
                                                                                     model_open_w, model_open_rank, model_open_session,
                                                                                     model_open_lifetime};
    struct model *model = arena_take(arena, sizeof(*model));
    size_t sections_n = 0;
    enum err err;

    if (model == NULL) {
        return ERR_NOMEM;
    }
    assert(((uintptr_t)file.p & 15) == 0);
    err = check_header(file, &model->head, &sections_n, why);
    if (err == ERR_OK) {
        err = check_directory(file, sections_n, found, why);
    }
    for (size_t i = 0; err == ERR_OK && i < sizeof(steps) / sizeof(*steps); i++) {
        err = steps[i](model, found, why);
    }
    if (err != ERR_OK) {
        return err;
    }
    model->note = found[MODEL_SECTION_NOTE];
    hash_256(NULL, file, model->hash);
    hash_hex(model->hash, sizeof(model->hash), model->hash_text);
    *out_model = model;
    return ERR_OK;
}

/* ---- reading ---- */

uint32_t model_items_n(const struct model *model)
{
    return model->head.items_n;
}

uint32_t model_item_find(const struct model *model, struct item_id id)
{
    uint32_t at = (uint32_t)id.v & model->table_mask;

    for (uint32_t step = 0; step <= model->table_mask; step++) {
        uint32_t item = model->table[at];

        if (item == MODEL_NONE) {
            break;
        }
        if (model->item_id[item] == id.v) {
            return item;
        }
        at = (at + 1) & model->table_mask;
    }
    return MODEL_NONE;
}

void model_item_find_soon(const struct model *model, struct item_id id)
{
    __builtin_prefetch(&model->table[(uint32_t)id.v & model->table_mask]);
}

struct item_id model_item_id(const struct model *model, uint32_t item)
{
    assert(item < model->head.items_n);
    return (struct item_id){model->item_id[item]};
}

struct bytes model_item_text(const struct model *model, uint32_t item)
{
    assert(item < model->head.items_n);
    return (struct bytes){model->text + model->text_at[item], model->text_at[item + 1] - model->text_at[item]};
}

struct bytes model_hash(const struct model *model)
{
    return (struct bytes){model->hash_text, 64};
}

int64_t model_trained_ms(const struct model *model)
{
    return model->head.trained_ms;
}

struct tenant_id model_tenant(const struct model *model)
{
    return model->head.tenant;
}

struct bytes model_note(const struct model *model)
{
    return model->note;
}
