/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pack.h"

#include <assert.h>

void pack_raw(struct pack *to, const void *from, size_t n)
{
    if (to->full || n > to->room - to->n) {
        to->full = true;
        return;
    }
    if (n > 0) {
        memcpy(to->p + to->n, from, n);
    }
    to->n += n;
}

void pack_u8(struct pack *to, uint8_t v)
{
    pack_raw(to, &v, 1);
}

void pack_u16(struct pack *to, uint16_t v)
{
    uint8_t b[2];

    put_be16(b, v);
    pack_raw(to, b, sizeof(b));
}

void pack_u32(struct pack *to, uint32_t v)
{
    uint8_t b[4];

    put_be32(b, v);
    pack_raw(to, b, sizeof(b));
}

void pack_u64(struct pack *to, uint64_t v)
{
    uint8_t b[8];

    put_be64(b, v);
    pack_raw(to, b, sizeof(b));
}

static size_t varint_put(uint8_t b[10], uint64_t v)
{
    size_t n = 0;

    while (v >= 0x80) {
        b[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    b[n++] = (uint8_t)v;
    return n;
}

void pack_varint(struct pack *to, uint64_t v)
{
    uint8_t b[10];

    pack_raw(to, b, varint_put(b, v));
}

static uint64_t zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v < 0 ? -1 : 0);
}

void pack_signed(struct pack *to, int64_t v)
{
    pack_varint(to, zigzag(v));
}

void pack_text(struct pack *to, struct bytes text)
{
    pack_varint(to, text.n);
    pack_raw(to, text.p, text.n);
}

void pack_field(struct pack *to, uint32_t tag, struct bytes bytes)
{
    assert(tag > 0);
    pack_varint(to, tag);
    pack_text(to, bytes);
}

void pack_field_varint(struct pack *to, uint32_t tag, uint64_t v)
{
    uint8_t b[10];

    if (v != 0) {
        pack_field(to, tag, (struct bytes){(const char *)b, varint_put(b, v)});
    }
}

void pack_field_signed(struct pack *to, uint32_t tag, int64_t v)
{
    pack_field_varint(to, tag, zigzag(v));
}

size_t pack_open(struct pack *to, uint32_t tag)
{
    static const uint8_t room[4] = {0};

    assert(tag > 0);
    pack_varint(to, tag);
    pack_raw(to, room, sizeof(room));
    return to->n;
}

void pack_close(struct pack *to, size_t opened)
{
    uint8_t b[10];
    size_t length, head;

    if (to->full) {
        return;
    }
    length = to->n - opened;
    assert(length < ((size_t)1 << 28));
    head = varint_put(b, length);
    memmove(to->p + opened - 4 + head, to->p + opened, length);
    memcpy(to->p + opened - 4, b, head);
    to->n = opened - 4 + head + length;
}

static const uint8_t *take(struct unpack *from, size_t n)
{
    if (from->bad || n > from->n - from->at) {
        from->bad = true;
        return NULL;
    }
    if (from->p == NULL) {
        return NULL; /* nothing of nothing: no arithmetic on it */
    }
    from->at += n;
    return from->p + from->at - n;
}

uint8_t unpack_u8(struct unpack *from)
{
    const uint8_t *b = take(from, 1);

    return b ? b[0] : 0;
}

uint16_t unpack_u16(struct unpack *from)
{
    const uint8_t *b = take(from, 2);

    return b ? get_be16(b) : 0;
}

uint32_t unpack_u32(struct unpack *from)
{
    const uint8_t *b = take(from, 4);

    return b ? get_be32(b) : 0;
}

uint64_t unpack_u64(struct unpack *from)
{
    const uint8_t *b = take(from, 8);

    return b ? get_be64(b) : 0;
}

uint64_t unpack_varint(struct unpack *from)
{
    uint64_t v = 0;

    for (int shift = 0; shift < 64; shift += 7) {
        uint8_t b = unpack_u8(from);

        if (shift == 63 && b > 1) {
            break; /* more than 64 bits */
        }
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80) {
            if (b == 0 && shift > 0) {
                break; /* not the shortest form: the bytes would not be canonical */
            }
            return from->bad ? 0 : v;
        }
    }
    from->bad = true;
    return 0;
}

int64_t unpack_signed(struct unpack *from)
{
    uint64_t v = unpack_varint(from);

    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

struct bytes unpack_raw(struct unpack *from, size_t n)
{
    const uint8_t *b = take(from, n);

    return b ? (struct bytes){(const char *)b, n} : (struct bytes){0};
}

struct bytes unpack_text(struct unpack *from)
{
    uint64_t n = unpack_varint(from);

    if (from->bad || n > from->n - from->at) {
        from->bad = true;
        return (struct bytes){0};
    }
    return unpack_raw(from, (size_t)n);
}

bool unpack_field(struct unpack *from, uint32_t *last_tag, struct bytes *out_bytes)
{
    uint64_t tag;

    if (unpack_done(from)) {
        return false;
    }
    tag = unpack_varint(from);
    if (from->bad || tag <= *last_tag || tag > UINT32_MAX) {
        from->bad = true;
        return false;
    }
    *out_bytes = unpack_text(from);
    *last_tag = (uint32_t)tag;
    return !from->bad;
}

uint64_t unpack_whole_varint(struct bytes field, bool *bad)
{
    struct unpack from = unpack_from(field);
    uint64_t v = unpack_varint(&from);

    if (from.bad || from.at != from.n) {
        *bad = true;
        return 0;
    }
    return v;
}

int64_t unpack_whole_signed(struct bytes field, bool *bad)
{
    uint64_t v = unpack_whole_varint(field, bad);

    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}
