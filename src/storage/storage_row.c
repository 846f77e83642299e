/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/storage_row.h"

#include "base/hash.h"
#include "base/pack.h"

#include <assert.h>

#include <sodium.h>

enum { FORMAT = 1, FLAG_ERASED = 1, FLAG_SHARED = 2, FLAG_BASE = 1 };
enum { MEMBER_BYTES = 8 + 1 + 16 + 1 + 10 + 10 + 10 }; /* without its texts */

static struct pack begin(struct arena *arena, size_t room)
{
    uint8_t *p = arena_take(arena, room);

    return pack_into(p, p != NULL ? room : 0);
}

static struct bytes finish(const struct pack *row)
{
    return row->p == NULL || row->full ? (struct bytes){0} : pack_bytes(row);
}

static bool is_format(struct unpack *from)
{
    return unpack_u8(from) == FORMAT && !from->bad;
}

/* A byte that we do not know is a newer one; no byte at all is damage. */
static enum err refuse_format(struct bytes row)
{
    return row.n > 0 && (uint8_t)row.p[0] > FORMAT ? ERR_UNSUPPORTED : ERR_CORRUPT;
}

/* ---- cust ---- */

static void put_member(struct pack *row, const struct storage_member *member)
{
    pack_u64(row, member->part.v);
    pack_u8(row, member->kind);
    pack_raw(row, member->idh.b, sizeof(member->idh.b));
    pack_u8(row, member->strength);
    pack_signed(row, member->linked_ms);
    pack_text(row, member->source);
    pack_text(row, member->text);
}

struct bytes storage_row_customer(const struct storage_customer *customer, struct arena *arena)
{
    size_t room = 64 + customer->parts_n * 8 + customer->declared.n;
    struct pack row;
    size_t opened;

    assert(customer->parts_n <= STORAGE_PARTS_MAX && customer->members_n <= STORAGE_PARTS_MAX);
    for (size_t i = 0; i < customer->members_n; i++) {
        room += MEMBER_BYTES + customer->members[i].source.n + customer->members[i].text.n;
    }
    row = begin(arena, room);
    pack_u8(&row, FORMAT);
    pack_field_varint(&row, 1, customer->revision);
    pack_field_varint(&row, 2, customer->is_erased ? FLAG_ERASED : 0);
    if (customer->joined_to.v != 0) {
        opened = pack_open(&row, 3);
        pack_u64(&row, customer->joined_to.v);
        pack_close(&row, opened);
    }
    if (customer->parts_n > 0) {
        opened = pack_open(&row, 4);
        for (size_t i = 0; i < customer->parts_n; i++) {
            pack_u64(&row, customer->parts[i].v);
        }
        pack_close(&row, opened);
    }
    if (customer->members_n > 0) {
        opened = pack_open(&row, 5);
        for (size_t i = 0; i < customer->members_n; i++) {
            put_member(&row, &customer->members[i]);
        }
        pack_close(&row, opened);
    }
    if (customer->declared.n > 0) {
        pack_field(&row, 6, customer->declared);
    }
    return finish(&row);
}

static bool read_parts(struct bytes field, struct storage_customer *customer)
{
    struct unpack from = unpack_from(field);

    while (!unpack_done(&from)) {
        if (customer->parts_n == STORAGE_PARTS_MAX) {
            return false;
        }
        customer->parts[customer->parts_n++].v = unpack_u64(&from);
    }
    return !from.bad;
}

static bool read_members(struct bytes field, struct storage_customer *customer)
{
    struct unpack from = unpack_from(field);

    while (!unpack_done(&from)) {
        struct storage_member *member = &customer->members[customer->members_n];
        struct bytes idh;

        if (customer->members_n == STORAGE_PARTS_MAX) {
            return false;
        }
        member->part.v = unpack_u64(&from);
        member->kind = unpack_u8(&from);
        idh = unpack_raw(&from, sizeof(member->idh.b));
        if (idh.n > 0) {
            memcpy(member->idh.b, idh.p, idh.n);
        }
        member->strength = unpack_u8(&from);
        member->linked_ms = unpack_signed(&from);
        member->source = unpack_text(&from);
        member->text = unpack_text(&from);
        customer->members_n++;
    }
    return !from.bad;
}

static uint64_t read_u64(struct bytes field, bool *bad)
{
    if (field.n != 8) {
        *bad = true;
        return 0;
    }
    return get_be64((const uint8_t *)field.p);
}

enum err storage_row_customer_decode(struct bytes row, struct storage_customer *out_customer)
{
    struct unpack from = unpack_from(row);
    struct storage_customer customer = {0};
    uint32_t tag = 0;
    struct bytes field;
    bool bad = false;

    if (!is_format(&from)) {
        return refuse_format(row);
    }
    while (unpack_field(&from, &tag, &field)) {
        switch (tag) {
        case 1:
            customer.revision = unpack_whole_varint(field, &bad);
            break;
        case 2:
            customer.is_erased = (unpack_whole_varint(field, &bad) & FLAG_ERASED) != 0;
            break;
        case 3:
            customer.joined_to.v = read_u64(field, &bad);
            break;
        case 4:
            bad |= !read_parts(field, &customer);
            break;
        case 5:
            bad |= !read_members(field, &customer);
            break;
        case 6:
            customer.declared = field;
            break;
        default:
            return ERR_UNSUPPORTED; /* writing the row back would lose it */
        }
    }
    if (bad || from.bad) {
        return ERR_CORRUPT;
    }
    *out_customer = customer;
    return ERR_OK;
}

/* ---- part ---- */

struct bytes storage_row_part(const struct storage_part *part, struct arena *arena)
{
    struct pack row = begin(arena, 128 + part->state.n);
    size_t opened;

    pack_u8(&row, FORMAT);
    pack_field_varint(&row, 1, part->revision);
    pack_field_varint(&row, 2, (part->is_erased ? FLAG_ERASED : 0u) | (part->is_shared ? FLAG_SHARED : 0u));
    if (part->customer.v != 0) {
        opened = pack_open(&row, 3);
        pack_u64(&row, part->customer.v);
        pack_close(&row, opened);
    }
    if (part->kind != 0) {
        pack_field_varint(&row, 4, part->kind);
        pack_field(&row, 5, (struct bytes){(const char *)part->idh.b, sizeof(part->idh.b)});
    }
    pack_field_signed(&row, 6, part->used_ms);
    pack_field_varint(&row, 7, part->fold_version);
    if (part->state.n > 0) {
        pack_field(&row, 8, part->state);
    }
    return finish(&row);
}

static void read_idh(struct bytes field, struct idh *idh, bool *bad)
{
    if (field.n != sizeof(idh->b)) {
        *bad = true;
        return;
    }
    memcpy(idh->b, field.p, field.n);
}

enum err storage_row_part_decode(struct bytes row, struct storage_part *out_part)
{
    struct unpack from = unpack_from(row);
    struct storage_part part = {0};
    uint32_t tag = 0;
    struct bytes field;
    bool bad = false;
    uint64_t flags = 0;

    if (!is_format(&from)) {
        return refuse_format(row);
    }
    while (unpack_field(&from, &tag, &field)) {
        switch (tag) {
        case 1:
            part.revision = unpack_whole_varint(field, &bad);
            break;
        case 2:
            flags = unpack_whole_varint(field, &bad);
            break;
        case 3:
            part.customer.v = read_u64(field, &bad);
            break;
        case 4:
            part.kind = (uint8_t)unpack_whole_varint(field, &bad);
            break;
        case 5:
            read_idh(field, &part.idh, &bad);
            break;
        case 6:
            part.used_ms = unpack_whole_signed(field, &bad);
            break;
        case 7:
            part.fold_version = (uint16_t)unpack_whole_varint(field, &bad);
            break;
        case 8:
            part.state = field;
            break;
        default:
            return ERR_UNSUPPORTED;
        }
    }
    if (bad || from.bad) {
        return ERR_CORRUPT;
    }
    part.is_erased = (flags & FLAG_ERASED) != 0;
    part.is_shared = (flags & FLAG_SHARED) != 0;
    *out_part = part;
    return ERR_OK;
}

/* ---- the small ones, of fixed width ---- */

struct bytes storage_row_ident(const struct storage_ident *ident, struct arena *arena)
{
    struct pack row = begin(arena, 27);

    pack_u8(&row, FORMAT);
    pack_u64(&row, ident->part.v);
    pack_u64(&row, ident->customer.v);
    assert(ident->word < IDENT_BARE);
    pack_u16(&row, (uint16_t)(ident->word | (ident->is_bare ? IDENT_BARE : 0u)));
    pack_u64(&row, (uint64_t)ident->until_ms);
    return finish(&row);
}

enum err storage_row_ident_decode(struct bytes row, struct storage_ident *out_ident)
{
    struct unpack from = unpack_from(row);
    struct storage_ident ident;

    if (!is_format(&from)) {
        return refuse_format(row);
    }
    ident.part.v = unpack_u64(&from);
    ident.customer.v = unpack_u64(&from);
    ident.word = unpack_u16(&from);
    ident.is_bare = (ident.word & IDENT_BARE) != 0;
    ident.word &= (uint16_t)(IDENT_BARE - 1);
    ident.until_ms = (int64_t)unpack_u64(&from);
    if (from.bad || from.at != from.n) {
        return ERR_CORRUPT;
    }
    *out_ident = ident;
    return ERR_OK;
}

struct bytes storage_row_seen(struct part_id part, uint32_t day, struct arena *arena)
{
    struct pack row = begin(arena, 12);

    pack_u64(&row, part.v);
    pack_u32(&row, day);
    return finish(&row);
}

enum err storage_row_seen_decode(struct bytes row, struct part_id *out_part)
{
    if (row.n != 12) {
        return ERR_CORRUPT;
    }
    out_part->v = get_be64((const uint8_t *)row.p);
    return ERR_OK;
}

struct bytes storage_row_receipt(const struct storage_receipt *receipt, struct arena *arena)
{
    struct pack row = begin(arena, 33);

    pack_u8(&row, FORMAT);
    pack_u32(&row, receipt->version);
    pack_raw(&row, receipt->hash, sizeof(receipt->hash));
    pack_u64(&row, receipt->part.v);
    pack_u32(&row, receipt->day);
    return finish(&row);
}

enum err storage_row_receipt_decode(struct bytes row, struct storage_receipt *out_receipt)
{
    struct unpack from = unpack_from(row);

    if (!is_format(&from)) {
        return refuse_format(row);
    }
    if (row.n != 33) {
        return ERR_CORRUPT;
    }
    out_receipt->version = unpack_u32(&from);
    memcpy(out_receipt->hash, unpack_raw(&from, 16).p, 16);
    out_receipt->part.v = unpack_u64(&from);
    out_receipt->day = unpack_u32(&from);
    return ERR_OK;
}

struct bytes storage_row_body(const struct storage_body *body, struct arena *arena)
{
    struct pack row = begin(arena, 1 + sizeof(body->base.b) + body->body.n);

    pack_u8(&row, body->has_base ? FLAG_BASE : 0);
    if (body->has_base) {
        pack_raw(&row, body->base.b, sizeof(body->base.b));
    }
    pack_raw(&row, body->body.p, body->body.n);
    return finish(&row);
}

enum err storage_row_body_decode(struct bytes row, struct storage_body *out_body)
{
    struct storage_body body = {0};
    size_t head;

    if (row.n < 1) {
        return ERR_CORRUPT;
    }
    if (((uint8_t)row.p[0] & ~FLAG_BASE) != 0) {
        return ERR_UNSUPPORTED;
    }
    body.has_base = row.p[0] != 0;
    head = body.has_base ? 1 + sizeof(body.base.b) : 1;
    if (row.n < head) {
        return ERR_CORRUPT;
    }
    if (body.has_base) {
        memcpy(body.base.b, row.p + 1, sizeof(body.base.b));
    }
    body.body = (struct bytes){row.p + head, row.n - head};
    *out_body = body;
    return ERR_OK;
}

struct bytes storage_row_conf(uint64_t revision, struct bytes row, struct arena *arena)
{
    struct pack to = begin(arena, 8 + row.n);

    pack_u64(&to, revision);
    pack_raw(&to, row.p, row.n);
    return finish(&to);
}

enum err storage_row_conf_decode(struct bytes row, uint64_t *out_revision, struct bytes *out_row)
{
    if (row.n < 8) {
        return ERR_CORRUPT;
    }
    *out_revision = get_be64((const uint8_t *)row.p);
    *out_row = (struct bytes){row.p + 8, row.n - 8};
    return ERR_OK;
}

struct bytes storage_row_number(uint64_t v, struct arena *arena)
{
    struct pack row = begin(arena, 8);

    pack_u64(&row, v);
    return finish(&row);
}

enum err storage_row_number_decode(struct bytes row, uint64_t *out_v)
{
    if (row.n != 8) {
        return ERR_CORRUPT;
    }
    *out_v = get_be64((const uint8_t *)row.p);
    return ERR_OK;
}

/* ---- a receipt's hash ---- */

enum { BODY_AT = 3, BODY_DECLARED = 4, BODY_RECEIVED = 5, BODY_PURPOSES = 17 }; /* event/event_code.h */

void storage_row_receipt_hash(struct bytes body, uint8_t out_hash[16])
{
    crypto_generichash_state state;
    struct unpack from = unpack_from(body);
    int64_t declared_ms = 0;
    uint32_t tag = 0;
    struct bytes field;
    bool bad = unpack_u8(&from) != 1;
    uint8_t b[12];

    crypto_generichash_init(&state, NULL, 0, 16);
    while (!bad && unpack_field(&from, &tag, &field)) {
        if (tag == BODY_AT || tag == BODY_DECLARED) {
            declared_ms = (int64_t)((uint64_t)declared_ms + (uint64_t)unpack_whole_signed(field, &bad));
        } else if (tag != BODY_RECEIVED && tag != BODY_PURPOSES) {
            put_be32(b, tag);
            put_be64(b + 4, field.n);
            crypto_generichash_update(&state, b, sizeof(b));
            crypto_generichash_update(&state, (const unsigned char *)field.p, field.n);
        }
    }
    if (bad || from.bad) {
        crypto_generichash(out_hash, 16, (const unsigned char *)body.p, body.n, NULL, 0);
        return;
    }
    put_be64(b, (uint64_t)declared_ms);
    crypto_generichash_update(&state, b, 8);
    crypto_generichash_final(&state, out_hash, 16);
}
