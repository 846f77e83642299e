/* SPDX-License-Identifier: Apache-2.0 */
/* model_file.h - the bytes of a model: immutable, named by their hash, mapped by whoever calls.
 *
 *     header, 96 bytes    magic "FALUNMDL" | format u32 | sections_n u32 | tenant u32 | items_n u32 |
 *                         stores_n u32 | 0 u32 | trained_ms i64 | file_bytes u64 | 0 (16 bytes) |
 *                         BLAKE2b-256 of header (this field zero) and directory
 *     directory           sections_n of { tag u32 | 0 u32 | at u64 | bytes u64 | 0 u64 | BLAKE2b-256 }
 *     sections            64-aligned, ascending, zeros between; arrays as they lie in memory
 *
 * All numbers are little-endian; a machine of the other order refuses the file. The name of the file is
 * the BLAKE2b-256 of all its bytes. Opening trusts nothing: every length, order, index and float is looked
 * at once, so that scoring need not look again. An unknown tag is passed by; an unknown format is refused. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "model/model.h"

enum {
    MODEL_FORMAT = 2,
    MODEL_HEADER_BYTES = 96,
    MODEL_DIRECTORY_BYTES = 64, /* of one section */
    MODEL_SECTIONS_MAX = 96,
    MODEL_ALIGN = 64,
    MODEL_ITEMS_MAX = 16 * 1024 * 1024,
    MODEL_STORES_MAX = 1024 * 1024
};

enum model_section { /* numbers are stored */
    MODEL_SECTION_ITEM_ID = 1,     /* item_id u64, by dense number */
    MODEL_SECTION_TEXT_AT = 2,     /* u32, items_n + 1 */
    MODEL_SECTION_TEXT = 3,        /* the senders' ids, end to end */
    MODEL_SECTION_TABLE = 4,       /* u32, open addressing by the low bits of item_id; a power of two >= 2 items_n */
    MODEL_SECTION_STAT = 5,        /* struct model_item, by dense number */
    MODEL_SECTION_RECENT = 6,      /* u32 items: most bought of the last 28 days first */
    MODEL_SECTION_ALL = 7,         /* u32 items: most bought of all time first */
    MODEL_SECTION_STORE_ID = 8,    /* store_id u64, ascending */
    MODEL_SECTION_STORE_AT = 9,    /* u32, stores_n + 1 */
    MODEL_SECTION_STORE_ROW = 10,  /* struct model_weight { item, bought in this store }, most bought first */
    MODEL_SECTION_STORE_SUM = 11,  /* f32 lines, by store */
    MODEL_SECTION_RANK = 14,       /* struct model_rank, MODEL_HEADS_ of them */
    MODEL_SECTION_SEGMENT = 15,    /* struct model_segments, one */
    MODEL_SECTION_SEGMENT_AT = 16, /* u32, lists + 1 */
    MODEL_SECTION_SEGMENT_ROW = 17,/* u32 items, best first */
    MODEL_SECTION_FACTOR = 18,     /* f32, items_n x MODEL_FACTORS; may be empty */
    MODEL_SECTION_CENTRE = 19,     /* f32, groups x MODEL_FACTORS */
    MODEL_SECTION_NOTE = 20,       /* JSON: the settings chosen and what they scored; for people */
    MODEL_SECTION_DOMAIN = 21,     /* struct model_domain_settings, MODEL_DOMAINS_ of them */
    MODEL_SECTION_SEEN = 22,       /* struct model_seen, by dense number */
    MODEL_SECTION_LIFETIME = 23,   /* struct model_lifetime, one; left out where not learnt */
    MODEL_SECTION_TREES = 24,      /* struct model_tree; + head */
    MODEL_SECTION_W = 32,          /* + 2 * kind: u32, items_n + 1; + 2 * kind + 1: struct model_weight */
    MODEL_SECTION_INDEX = 64       /* + 8 * domain + enum model_index_section; left out where nothing was learnt */
};

enum model_index_section {
    MODEL_INDEX_AT = 0,        /* u32, sequences + 1 */
    MODEL_INDEX_ITEM = 1,      /* u32 */
    MODEL_INDEX_STEP = 2,      /* u8, by item of the sequence */
    MODEL_INDEX_END = 3,       /* i64 ms, by sequence, ascending */
    MODEL_INDEX_OWNER = 4,     /* u64, by sequence */
    MODEL_INDEX_POSTING_AT = 5,/* u32, items_n + 1 */
    MODEL_INDEX_POSTING = 6,   /* u32, newest sequence first */
    MODEL_INDEX_HOLDERS = 7    /* u32, items_n + 1: sequences that hold the item, kept or not; the last: all sequences */
};

struct model_section_in { /* what a writer gives */
    unsigned tag; /* enum model_section and what is added to it */
    const void *p;
    size_t n; /* bytes */
};

struct model_head {
    struct tenant_id tenant;
    uint32_t items_n, stores_n;
    int64_t trained_ms;
};

/* Bytes that model_file_write needs room for. */
size_t model_file_bytes(const struct model_section_in *sections, size_t n);
/* Writes the file into `room` of model_file_bytes, 64-aligned or not. Sections ascend by tag.
 * The same input gives the same bytes. */
void model_file_write(const struct model_head *head, const struct model_section_in *sections, size_t n, uint8_t *room);
/* Opens mapped bytes, 16-aligned at least. Looks at everything once: about 1 GB/s for the hashes.
 * Errors: ERR_UNSUPPORTED, another format (why says whether older or newer); ERR_CORRUPT, cut short, changed
 * or not a model; ERR_NOMEM. Owns: the struct lives in `arena`, the bytes stay the caller's and mapped. */
MUST_USE enum err model_file_open(struct bytes file, struct arena *arena, const struct model **out_model,
                                  struct why *why);
