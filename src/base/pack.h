/* SPDX-License-Identifier: Apache-2.0 */
/* pack.h - the byte layout of stored state: a format byte, then tagged fields.
 *
 *     format u8 | { tag varint | length varint | bytes }*        tags ascend, each at most once
 *
 * Unknown tags are kept and written back by whoever owns the row; a canonical encoding (ascending
 * tags, shortest varints) makes "same state" mean "same bytes". Varints are LEB128, at most 10 bytes;
 * signed numbers are zigzagged. Writing past the room sets `full` and writes nothing more: one check
 * at the end. Reading past the end sets `bad` and yields zeros: one check at the end. */
#pragma once

#include "base/bytes.h"

struct pack { /* a bounded writer into the caller's room */
    uint8_t *p;
    size_t n, room;
    bool full;
};

static inline struct pack pack_into(void *room, size_t n)
{
    return (struct pack){(uint8_t *)room, 0, n, false};
}
static inline struct bytes pack_bytes(const struct pack *to)
{
    return (struct bytes){(const char *)to->p, to->n};
}
void pack_raw(struct pack *to, const void *from, size_t n);
void pack_u8(struct pack *to, uint8_t v);
void pack_u16(struct pack *to, uint16_t v); /* big-endian, as are all fixed widths */
void pack_u32(struct pack *to, uint32_t v);
void pack_u64(struct pack *to, uint64_t v);
void pack_varint(struct pack *to, uint64_t v);
void pack_signed(struct pack *to, int64_t v);
void pack_text(struct pack *to, struct bytes text); /* varint length, bytes */
/* A tagged field with these bytes; nothing is written for the empty one unless `always`. */
void pack_field(struct pack *to, uint32_t tag, struct bytes bytes);
void pack_field_varint(struct pack *to, uint32_t tag, uint64_t v); /* nothing for 0 */
void pack_field_signed(struct pack *to, uint32_t tag, int64_t v);  /* nothing for 0 */
/* A tagged field written in place: open, write its bytes, close. The length takes 4 bytes at most
 * (fields under 256 MiB) and is moved to the shortest form at close. */
size_t pack_open(struct pack *to, uint32_t tag);
void pack_close(struct pack *to, size_t opened);

struct unpack { /* a reader of borrowed bytes */
    const uint8_t *p;
    size_t n, at;
    bool bad;
};

static inline struct unpack unpack_from(struct bytes from)
{
    return (struct unpack){(const uint8_t *)from.p, from.n, 0, false};
}
static inline bool unpack_done(const struct unpack *from)
{
    return from->bad || from->at == from->n;
}
uint8_t unpack_u8(struct unpack *from);
uint16_t unpack_u16(struct unpack *from);
uint32_t unpack_u32(struct unpack *from);
uint64_t unpack_u64(struct unpack *from);
uint64_t unpack_varint(struct unpack *from);
int64_t unpack_signed(struct unpack *from);
struct bytes unpack_raw(struct unpack *from, size_t n); /* borrowed */
struct bytes unpack_text(struct unpack *from);          /* borrowed */
/* The next field; false at the end or when bad. Tags must ascend strictly, else bad. `last_tag` is 0
 * at first. */
bool unpack_field(struct unpack *from, uint32_t *last_tag, struct bytes *out_bytes);
/* Reads one number that fills a field whole; sets *bad otherwise. */
uint64_t unpack_whole_varint(struct bytes field, bool *bad);
int64_t unpack_whole_signed(struct bytes field, bool *bad);
