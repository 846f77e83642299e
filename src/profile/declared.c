/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/declared.h"

#include "base/pack.h"
#include "consent/consent.h"

enum { FIELDS_MAX = 32 };

struct fields { /* a declared row taken apart; all zero: empty */
    struct {
        uint32_t tag;
        struct bytes bytes;
    } field[FIELDS_MAX];
    size_t n;
};

static enum err fields_read(struct bytes declared, struct fields *out_fields)
{
    struct unpack from = unpack_from(declared);
    struct bytes field;
    uint32_t tag = 0;

    out_fields->n = 0;
    if (declared.n == 0) {
        return ERR_OK;
    }
    if (unpack_u8(&from) != DECLARED_FORMAT) {
        return ERR_UNSUPPORTED;
    }
    while (unpack_field(&from, &tag, &field)) {
        if (out_fields->n == FIELDS_MAX) {
            return ERR_CORRUPT;
        }
        out_fields->field[out_fields->n].tag = tag;
        out_fields->field[out_fields->n++].bytes = field;
    }
    return from.bad ? ERR_CORRUPT : ERR_OK;
}

static struct bytes fields_get(const struct fields *fields, uint32_t tag)
{
    for (size_t i = 0; i < fields->n; i++) {
        if (fields->field[i].tag == tag) {
            return fields->field[i].bytes;
        }
    }
    return (struct bytes){0};
}

/* Writes the row with `bytes` as its field `tag`; the other fields stay. An empty row has no bytes. */
static enum err fields_write(const struct fields *fields, uint32_t tag, struct bytes bytes, struct arena *arena,
                             struct bytes *out_declared)
{
    size_t room = 16 + bytes.n;
    bool is_put = bytes.n == 0;
    struct pack to;

    for (size_t i = 0; i < fields->n; i++) {
        room += 16 + fields->field[i].bytes.n;
    }
    to = pack_into(arena_take(arena, room), room);
    if (to.p == NULL) {
        return ERR_NOMEM;
    }
    pack_u8(&to, DECLARED_FORMAT);
    for (size_t i = 0; i < fields->n; i++) {
        if (!is_put && fields->field[i].tag >= tag) {
            pack_field(&to, tag, bytes);
            is_put = true;
        }
        if (fields->field[i].tag != tag) {
            pack_field(&to, fields->field[i].tag, fields->field[i].bytes);
        }
    }
    if (!is_put) {
        pack_field(&to, tag, bytes);
    }
    *out_declared = to.n == 1 ? (struct bytes){0} : pack_bytes(&to);
    return ERR_OK;
}

enum err declared_patch(struct bytes declared, struct bytes change, const struct part_id *parts, size_t parts_n,
                        struct arena *arena, struct bytes *out_declared)
{
    struct fields fields;
    struct bytes said, field;
    enum err err = fields_read(declared, &fields);

    if (err != ERR_OK) {
        return err;
    }
    if (change.n == 0 || change.p[0] != DECLARED_CONSENTS) {
        return ERR_UNSUPPORTED;
    }
    said = (struct bytes){change.p + 1, change.n - 1};
    err = consent_field_patch(fields_get(&fields, DECLARED_CONSENTS), said, parts, parts_n, arena, &field);
    return err == ERR_OK ? fields_write(&fields, DECLARED_CONSENTS, field, arena, out_declared) : err;
}

enum err declared_join(struct bytes into, struct bytes from, struct arena *arena, struct bytes *out_declared)
{
    struct fields a, b;
    struct bytes joined;
    enum err err = fields_read(into, &a);

    err = err == ERR_OK ? fields_read(from, &b) : err;
    if (err != ERR_OK) {
        return err;
    }
    for (size_t i = 0; i < b.n; i++) {
        /* A field of a newer version cannot be joined by this one; the survivor's stands. */
        if (b.field[i].tag != DECLARED_CONSENTS && fields_get(&a, b.field[i].tag).n == 0) {
            return ERR_UNSUPPORTED;
        }
    }
    err = consent_field_join(fields_get(&a, DECLARED_CONSENTS), fields_get(&b, DECLARED_CONSENTS), arena, &joined);
    return err == ERR_OK ? fields_write(&a, DECLARED_CONSENTS, joined, arena, out_declared) : err;
}

enum err declared_cut(struct bytes declared, struct part_id part, struct arena *arena, struct bytes *out_kept,
                      struct bytes *out_moved)
{
    static const struct fields none = {.n = 0};
    struct fields fields;
    struct bytes kept, moved, kept_row, moved_row;
    enum err err = fields_read(declared, &fields);

    err = err == ERR_OK ? consent_field_cut(fields_get(&fields, DECLARED_CONSENTS), part, arena, &kept, &moved) : err;
    err = err == ERR_OK ? fields_write(&fields, DECLARED_CONSENTS, kept, arena, &kept_row) : err;
    err = err == ERR_OK ? fields_write(&none, DECLARED_CONSENTS, moved, arena, &moved_row) : err;
    if (err == ERR_OK) {
        *out_kept = kept_row;
        *out_moved = moved_row;
    }
    return err;
}

enum err declared_word(struct bytes declared, uint16_t *out_word, int64_t *out_until_ms)
{
    struct fields fields;
    enum err err = fields_read(declared, &fields);

    return err == ERR_OK ? consent_field_word(fields_get(&fields, DECLARED_CONSENTS), out_word, out_until_ms) : err;
}
