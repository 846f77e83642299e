/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_build.h"

#include <assert.h>

static enum err table_of(const struct model_build *from, struct arena *arena, uint32_t **out_table, size_t *out_slots)
{
    size_t slots = 2;
    uint32_t *table;

    while (slots < 2 * (size_t)from->head.items_n) {
        slots *= 2;
    }
    table = arena_array(arena, slots, sizeof(*table));
    if (table == NULL) {
        return ERR_NOMEM;
    }
    memset(table, 0xff, slots * sizeof(*table)); /* MODEL_NONE */
    for (uint32_t i = 0; i < from->head.items_n; i++) {
        size_t at = (size_t)from->item_id[i] & (slots - 1);

        while (table[at] != MODEL_NONE) {
            if (from->item_id[table[at]] == from->item_id[i]) {
                return ERR_CONFLICT;
            }
            at = (at + 1) & (slots - 1);
        }
        table[at] = i;
    }
    *out_table = table;
    *out_slots = slots;
    return ERR_OK;
}

static struct model_section_in section(unsigned tag, const void *p, size_t n, size_t each)
{
    return (struct model_section_in){tag, p, p == NULL ? 0 : n * each};
}

static size_t index_sections(const struct model_build_index *index, size_t items_n, unsigned tag,
                             struct model_section_in *in)
{
    size_t n = index->sequences_n, steps = index->at[n];

    in[0] = section(tag + MODEL_INDEX_AT, index->at, n + 1, 4);
    in[1] = section(tag + MODEL_INDEX_ITEM, index->item, steps, 4);
    in[2] = section(tag + MODEL_INDEX_STEP, index->step, steps, 1);
    in[3] = section(tag + MODEL_INDEX_END, index->end_ms, n, 8);
    in[4] = section(tag + MODEL_INDEX_OWNER, index->owner, n, 8);
    in[5] = section(tag + MODEL_INDEX_POSTING_AT, index->posting_at, items_n + 1, 4);
    in[6] = section(tag + MODEL_INDEX_POSTING, index->posting, index->posting_at[items_n], 4);
    in[7] = section(tag + MODEL_INDEX_HOLDERS, index->holders, items_n + 1, 4);
    return 8;
}

/* What a file may lack: trees, rows of each kind, sequences. */
static size_t learnt_sections(const struct model_build *from, struct model_section_in *in)
{
    size_t n = 0, items = from->head.items_n;

    for (unsigned h = 0; h < MODEL_HEADS_; h++) {
        if (from->rank[h].trees_n > 0) {
            in[n++] = section(MODEL_SECTION_TREES + h, from->trees[h], from->rank[h].trees_n, sizeof(**from->trees));
        }
    }
    for (unsigned k = 0; k < MODEL_WS_; k++) {
        if (items > 0 && from->w[k].at != NULL) {
            in[n++] = section(MODEL_SECTION_W + 2 * k, from->w[k].at, items + 1, 4);
            in[n++] = section(MODEL_SECTION_W + 2 * k + 1, from->w[k].row, from->w[k].at[items], sizeof(*from->w[k].row));
        }
    }
    for (unsigned d = 0; d < MODEL_DOMAINS_; d++) {
        if (items > 0 && from->index[d].sequences_n > 0) {
            n += index_sections(&from->index[d], items, MODEL_SECTION_INDEX + 8 * d, in + n);
        }
    }
    return n;
}

enum err model_build(const struct model_build *from, struct arena *arena, struct bytes *out_file)
{
    static const struct model_segments no_segments = {0};
    static const uint32_t no_rows[1] = {0};
    size_t items = from->head.items_n, stores = from->head.stores_n, slots = 0, bytes, n = 0;
    const struct model_segments *segments = from->segments != NULL ? from->segments : &no_segments;
    const uint32_t *segment_at = from->segments != NULL ? from->segment_at : no_rows;
    const uint32_t *text_at = items > 0 ? from->text_at : no_rows;
    const uint32_t *store_at = stores > 0 ? from->store_at : no_rows;
    struct model_section_in in[MODEL_SECTIONS_MAX];
    uint32_t *table = NULL;
    uint8_t *room;
    enum err err = table_of(from, arena, &table, &slots);

    if (err != ERR_OK) {
        return err;
    }
    in[n++] = section(MODEL_SECTION_ITEM_ID, from->item_id, items, 8);
    in[n++] = section(MODEL_SECTION_TEXT_AT, text_at, items + 1, 4);
    in[n++] = section(MODEL_SECTION_TEXT, from->text, text_at[items], 1);
    in[n++] = section(MODEL_SECTION_TABLE, table, slots, 4);
    in[n++] = section(MODEL_SECTION_STAT, from->stat, items, sizeof(*from->stat));
    in[n++] = section(MODEL_SECTION_RECENT, from->recent, from->recent_n, 4);
    in[n++] = section(MODEL_SECTION_ALL, from->all, from->all_n, 4);
    in[n++] = section(MODEL_SECTION_STORE_ID, from->store_id, stores, 8);
    in[n++] = section(MODEL_SECTION_STORE_AT, store_at, stores + 1, 4);
    in[n++] = section(MODEL_SECTION_STORE_ROW, from->store_row, store_at[stores], sizeof(*from->store_row));
    in[n++] = section(MODEL_SECTION_STORE_SUM, from->store_sum, stores, 4);
    in[n++] = section(MODEL_SECTION_RANK, from->rank, MODEL_HEADS_, sizeof(*from->rank));
    in[n++] = section(MODEL_SECTION_SEGMENT, segments, 1, sizeof(*segments));
    in[n++] = section(MODEL_SECTION_SEGMENT_AT, segment_at, (size_t)segments->lists_n + 1, 4);
    in[n++] = section(MODEL_SECTION_SEGMENT_ROW, from->segment_row, segment_at[segments->lists_n], 4);
    in[n++] = section(MODEL_SECTION_FACTOR, from->factor, items * MODEL_FACTORS, sizeof(float));
    in[n++] = section(MODEL_SECTION_CENTRE, from->centre, (size_t)segments->groups_n * MODEL_FACTORS, sizeof(float));
    in[n++] = section(MODEL_SECTION_NOTE, from->note.p, from->note.n, 1);
    in[n++] = section(MODEL_SECTION_DOMAIN, from->domain, MODEL_DOMAINS_, sizeof(*from->domain));
    if (from->seen != NULL) {
        in[n++] = section(MODEL_SECTION_SEEN, from->seen, items, sizeof(*from->seen));
    }
    if (from->lifetime != NULL) {
        in[n++] = section(MODEL_SECTION_LIFETIME, from->lifetime, 1, sizeof(*from->lifetime));
    }
    n += learnt_sections(from, in + n);
    assert(n <= sizeof(in) / sizeof(*in));
    bytes = model_file_bytes(in, n);
    room = arena_take(arena, bytes + MODEL_ALIGN);
    if (room == NULL) {
        return ERR_NOMEM;
    }
    room += (MODEL_ALIGN - (uintptr_t)room % MODEL_ALIGN) % MODEL_ALIGN;
    model_file_write(&from->head, in, n, room);
    *out_file = (struct bytes){(const char *)room, bytes};
    return ERR_OK;
}
