/* SPDX-License-Identifier: Apache-2.0 */
/* Link and cut: a customer is a set of parts, so only rows that name customers change: `cust` of both,
 * `part` and `ident` of those that move. No event, no state, no tail moves (storage.md 7).
 *
 * Whose parts are named decides, not which customers the caller remembers: between its look-up and now
 * either may have been linked or cut. */
#include "storage/storage_engine.h"

#include <assert.h>

struct side {
    struct storage_key key;
    struct storage_customer customer;
};

struct link_op {
    struct storage_op op;
    struct storage_key a, b, survivor;
    struct part_id part_a, part_b;
    struct storage_link_reason reason;
    void (*done)(void *ctx, enum err err, struct storage_key survivor);
    void *ctx;
};

/* ---- looking ---- */

static bool is_device(uint8_t kind)
{
    return kind == IDENTIFIER_APP || kind == IDENTIFIER_COOKIE || kind == IDENTIFIER_ANONYMOUS_ID;
}

/* What proves a person; the rest (an address, a card) may be a household's and joins no two persons. */
static bool is_person(uint8_t kind)
{
    return kind == IDENTIFIER_MEMBER || kind == IDENTIFIER_USER_ID || kind == IDENTIFIER_ERP;
}

static bool has_kind(const struct storage_customer *customer, uint8_t kind)
{
    for (size_t i = 0; i < customer->members_n; i++) {
        if (customer->members[i].kind == kind) {
            return true;
        }
    }
    return false;
}

static uint8_t strongest(const struct storage_customer *customer)
{
    uint8_t kind = UINT8_MAX;

    for (size_t i = 0; i < customer->members_n; i++) {
        kind = customer->members[i].kind < kind ? customer->members[i].kind : kind;
    }
    return kind;
}

static enum err find_side(struct storage_group *group, struct storage_key key, struct part_id part,
                          struct side *side, struct storage_part *named)
{
    enum err err = ERR_ABSENT;

    *named = (struct storage_part){0};
    if (part.v != 0) {
        err = storage_part_get(group, (struct storage_owner){key.tenant, part}, named);
    }
    if (err == ERR_OK && !named->is_erased) {
        key.customer = named->customer;
    } else if (err != ERR_OK && err != ERR_ABSENT) {
        return err;
    }
    side->key = key;
    err = storage_customer_get(group, &side->key, &side->customer);
    return err == ERR_OK && side->customer.is_erased ? ERR_ABSENT : err;
}

/* ERR_CONFLICT when these two were cut apart after at_ms. */
static enum err check_cut(struct storage_group *group, struct tenant_id tenant, struct part_id a,
                          struct part_id b, int64_t at_ms)
{
    struct storage_key_room room;
    struct bytes row;
    uint64_t cut_ms;
    enum err err;

    if (a.v == 0 || b.v == 0) {
        return ERR_OK;
    }
    err = storage_group_get(group, STORAGE_DEFAULT, storage_key_cut(&room, tenant, a, b), &row);
    if (err == ERR_OK) {
        err = storage_row_number_decode(row, &cut_ms);
    }
    if (err != ERR_OK) {
        return err == ERR_ABSENT ? ERR_OK : err;
    }
    return (int64_t)cut_ms > at_ms ? ERR_CONFLICT : ERR_OK;
}

/* ---- cutting ---- */

/* The number of the customer that a cut part becomes: its own of birth when that was joined whole, else a
 * new one. A part never takes its number back while the row of that number has other parts or stands. */
static enum err cut_number(struct storage *storage, struct storage_group *group, struct tenant_id tenant,
                           struct part_id part, struct storage_customer *out_row, uint64_t *out_c)
{
    struct storage_key_room room;
    struct storage_customer birth;
    struct bytes row;
    enum err err;

    *out_row = (struct storage_customer){0};
    err = storage_group_get(group, STORAGE_CUST, storage_key_owner(&room, tenant, part.v), &row);
    if (err == ERR_OK) {
        err = storage_row_customer_decode(row, &birth);
    }
    if (err == ERR_OK && birth.joined_to.v != 0 && birth.parts_n == 1 && birth.parts[0].v == part.v) {
        out_row->revision = birth.revision;
        *out_c = part.v;
        return ERR_OK;
    }
    if (err != ERR_OK && err != ERR_ABSENT) {
        return err;
    }
    return storage_fresh(storage, group, tenant, out_c);
}

static void put_cut_log(struct storage_group *group, struct tenant_id tenant, struct part_id part,
                        const struct storage_customer *kept, int64_t now_ms)
{
    struct bytes at = storage_row_number((uint64_t)now_ms, &group->arena);
    struct storage_key_room room;

    for (size_t i = 0; i < kept->parts_n; i++) {
        storage_group_put(group, STORAGE_DEFAULT, storage_key_cut(&room, tenant, part, kept->parts[i]), at);
        storage_group_put(group, STORAGE_DEFAULT, storage_key_cut(&room, tenant, kept->parts[i], part), at);
    }
}

/* Moves the part and its identifier from one row to the other. */
static void move_member(struct storage_customer *from, struct storage_customer *into, struct part_id part)
{
    size_t parts_n = 0, members_n = 0;
    bool has_first = false;

    for (size_t i = 0; i < from->parts_n; i++) {
        if (from->parts[i].v != part.v) {
            from->parts[parts_n++] = from->parts[i];
        }
    }
    for (size_t i = 0; i < from->members_n; i++) {
        if (from->members[i].part.v != part.v) {
            from->members[members_n++] = from->members[i];
        } else {
            into->members[into->members_n] = from->members[i];
            into->members[into->members_n++].strength = 0; /* its own first again */
        }
    }
    assert(parts_n + 1 == from->parts_n);
    for (size_t i = 0; i < members_n; i++) {
        has_first |= from->members[i].strength == 0;
    }
    if (members_n > 0 && !has_first) { /* it was cut away: the next in line is first now */
        from->members[0].strength = 0;
    }
    from->parts_n = parts_n;
    from->members_n = members_n;
    into->parts[into->parts_n++] = part;
}

/* side: more than one part, `part` among them; afterwards what is kept. */
static enum err cut_part(struct storage *storage, struct storage_group *group, struct side *side,
                         struct part_id part, bool is_shared, struct storage_key *out_cut)
{
    struct storage_owner owner = {side->key.tenant, part};
    struct storage_key key = {.tenant = side->key.tenant};
    struct storage_customer cut;
    struct storage_part row;
    enum err err = cut_number(storage, group, key.tenant, part, &cut, &key.customer.v);

    if (err == ERR_OK) {
        err = storage_part_get(group, owner, &row);
    }
    if (err == ERR_OK && storage->options.rules.cut != NULL) {
        err = storage->options.rules.cut(side->customer.declared, part, &group->arena,
                                         &side->customer.declared, &cut.declared);
    }
    if (err != ERR_OK) {
        return err;
    }
    move_member(&side->customer, &cut, part);
    side->customer.revision++;
    cut.revision++;
    row.customer = key.customer;
    row.is_shared |= is_shared;
    storage_part_put(group, owner, &row);
    storage_customer_put(group, side->key, &side->customer);
    storage_customer_put(group, key, &cut);
    put_cut_log(group, key.tenant, part, &side->customer, storage_now_ms(storage));
    *out_cut = key;
    err = storage_customer_word(storage, group, side->key, &side->customer);
    return err != ERR_OK ? err : storage_customer_word(storage, group, key, &cut);
}

/* ---- linking ---- */

/* The device part that leaves when a customer is too large: the one unused for longest; 0: there is none. */
static enum err find_idle(struct storage_group *group, const struct side *side, const struct link_op *link,
                          struct part_id *out_part, int64_t *used_ms)
{
    for (size_t i = 0; i < side->customer.parts_n && side->customer.parts_n > 1; i++) {
        struct part_id part = side->customer.parts[i];
        struct storage_owner owner = {side->key.tenant, part};
        struct storage_part row;
        struct storage_key_room room;
        struct storage_pairs tail;
        enum err err = storage_part_get(group, owner, &row);

        if (err != ERR_OK) {
            return err;
        }
        if (!is_device(row.kind) || part.v == link->part_a.v || part.v == link->part_b.v ||
            row.used_ms >= *used_ms) {
            continue;
        }
        err = storage_group_list(group, STORAGE_TAIL, storage_key_owner(&room, owner.tenant, part.v), &tail);
        if (err != ERR_OK) {
            return err;
        }
        if (tail.n == 0 || out_part->v == 0) { /* one with news leaves only when there is no other */
            *out_part = part;
            *used_ms = tail.n == 0 ? row.used_ms : INT64_MAX;
        }
    }
    return ERR_OK;
}

static enum err make_room(struct storage *storage, struct storage_group *group, const struct link_op *link,
                          struct side *a, struct side *b)
{
    while (a->customer.parts_n + b->customer.parts_n > STORAGE_PARTS_MAX) {
        struct part_id of_a = {0}, of_b = {0};
        int64_t used_a = INT64_MAX, used_b = INT64_MAX;
        struct storage_key cut;
        enum err err = find_idle(group, a, link, &of_a, &used_a);

        if (err == ERR_OK) {
            err = find_idle(group, b, link, &of_b, &used_b);
        }
        if (err != ERR_OK) {
            return err;
        }
        if (of_a.v == 0 && of_b.v == 0) {
            return ERR_TOOBIG;
        }
        if (of_b.v == 0 || (of_a.v != 0 && used_a <= used_b)) {
            err = cut_part(storage, group, a, of_a, false, &cut);
        } else {
            err = cut_part(storage, group, b, of_b, false, &cut);
        }
        if (err != ERR_OK) {
            return err;
        }
    }
    return ERR_OK;
}

/* Two members would become one through what they share. ERR_OK: nothing of the kind. *out_cut: the device
 * that is to be cut off, if it is one. */
static enum err check_shared(const struct side *a, const struct side *b, const struct storage_part *named_a,
                             const struct storage_part *named_b, const struct link_op *link,
                             struct part_id *out_cut)
{
    bool meet = (has_kind(&a->customer, IDENTIFIER_MEMBER) && has_kind(&b->customer, IDENTIFIER_MEMBER)) ||
                (has_kind(&a->customer, IDENTIFIER_USER_ID) && has_kind(&b->customer, IDENTIFIER_USER_ID));

    *out_cut = (struct part_id){0};
    if (named_a->is_shared || named_b->is_shared) {
        return ERR_CONFLICT;
    }
    if (!meet || (is_person(named_a->kind) && is_person(named_b->kind))) {
        return ERR_OK;
    }
    if (is_device(named_a->kind) && named_a->kind >= named_b->kind) {
        *out_cut = link->part_a;
    } else if (is_device(named_b->kind)) {
        *out_cut = link->part_b;
    } else if (is_device(named_a->kind)) {
        *out_cut = link->part_a;
    }
    return ERR_CONFLICT;
}

static enum err move_all(struct storage *storage, struct storage_group *group, const struct link_op *link,
                         struct side *into, struct side *from)
{
    struct storage_customer joined = {.revision = from->customer.revision + 1,
                                      .joined_to = into->key.customer};
    int64_t now_ms = storage_now_ms(storage);
    enum err err = ERR_OK;

    for (size_t i = 0; i < from->customer.parts_n; i++) {
        struct storage_owner owner = {into->key.tenant, from->customer.parts[i]};
        struct storage_part row = {0};

        err = storage_part_get(group, owner, &row);
        if (err != ERR_OK) {
            return err;
        }
        row.customer = into->key.customer;
        storage_part_put(group, owner, &row);
        joined.parts[joined.parts_n++] = owner.part;
        into->customer.parts[into->customer.parts_n++] = owner.part;
    }
    for (size_t i = 0; i < from->customer.members_n; i++) {
        struct storage_member *member = &into->customer.members[into->customer.members_n++];

        *member = from->customer.members[i];
        if (member->strength == 0) { /* the first of that customer: this is how it came here */
            member->strength = link->reason.strength;
            member->linked_ms = now_ms;
            member->source = link->reason.source;
        }
    }
    if (storage->options.rules.join != NULL) {
        err = storage->options.rules.join(into->customer.declared, from->customer.declared, &group->arena,
                                          &into->customer.declared);
    }
    into->customer.revision++;
    storage_customer_put(group, into->key, &into->customer);
    storage_customer_put(group, from->key, &joined);
    return err != ERR_OK ? err : storage_customer_word(storage, group, into->key, &into->customer);
}

/* *out_is_kept: what was changed stands although the link is refused. */
static enum err link_sides(struct link_op *link, struct storage_group *group, bool *out_is_kept)
{
    struct storage *storage = link->op.storage;
    struct storage_part named_a, named_b;
    struct part_id shared;
    struct side a, b, *into, *from;
    struct storage_key cut;
    enum err err = find_side(group, link->a, link->part_a, &a, &named_a);

    *out_is_kept = false;
    if (err == ERR_OK) {
        err = find_side(group, link->b, link->part_b, &b, &named_b);
    }
    if (err != ERR_OK) {
        return err;
    }
    link->survivor = a.key;
    if (a.key.customer.v == b.key.customer.v) {
        return ERR_OK;
    }
    err = check_cut(group, a.key.tenant, link->part_a, link->part_b, link->reason.at_ms);
    if (err != ERR_OK) {
        return err;
    }
    err = check_shared(&a, &b, &named_a, &named_b, link, &shared);
    if (err != ERR_OK) {
        if (shared.v != 0) {
            enum err failed =
                cut_part(storage, group, shared.v == link->part_a.v ? &a : &b, shared, true, &cut);

            *out_is_kept = failed == ERR_OK;
            err = failed == ERR_OK ? err : failed;
        }
        return err;
    }
    err = make_room(storage, group, link, &a, &b);
    if (err != ERR_OK) {
        return err;
    }
    into = &a;
    from = &b;
    if (strongest(&b.customer) < strongest(&a.customer) ||
        (strongest(&b.customer) == strongest(&a.customer) && b.key.customer.v < a.key.customer.v)) {
        into = &b;
        from = &a;
    }
    link->survivor = into->key;
    return move_all(storage, group, link, into, from);
}

static bool link_apply(struct storage_op *op, struct storage_group *group)
{
    bool is_kept;

    op->err = link_sides((struct link_op *)op, group, &is_kept);
    return op->err == ERR_OK || is_kept;
}

static void link_finish(struct storage_op *op)
{
    struct link_op *link = (struct link_op *)op;

    link->done(link->ctx, op->err, op->err == ERR_OK ? link->survivor : (struct storage_key){0});
}

void storage_link(struct storage *storage, struct loop *loop, struct storage_key a, struct storage_key b,
                  struct part_id part_a, struct part_id part_b, struct storage_link_reason reason,
                  void (*done)(void *ctx, enum err err, struct storage_key survivor), void *ctx)
{
    struct link_op *link = storage_op_new(sizeof(*link), storage, loop, link_finish);

    assert(a.tenant.v == b.tenant.v);
    link->a = a;
    link->b = b;
    link->part_a = part_a;
    link->part_b = part_b;
    link->reason = reason;
    link->done = done;
    link->ctx = ctx;
    link->op.apply = link_apply;
    link->op.bytes_n = 16384;
    storage_op_write(&link->op);
}

/* ---- the call that cuts ---- */

struct cut_op {
    struct storage_op op;
    struct tenant_id tenant;
    struct part_id part;
    struct storage_key kept, cut;
    void (*done)(void *ctx, enum err err, struct storage_key kept, struct storage_key cut);
    void *ctx;
};

/* A part alone: it was cut before (then who kept the others), or it is the only one. */
static enum err cut_again(struct cut_op *op, struct storage_group *group, struct storage_key key)
{
    struct storage_customer customer;
    struct storage_key_room room;
    struct storage_pairs cuts;
    struct storage_part other;
    struct part_id part = {0};
    uint64_t newest = 0, at;
    enum err err;

    err = storage_group_list(group, STORAGE_DEFAULT,
                             storage_key_cut(&room, op->tenant, op->part, (struct part_id){0}), &cuts);
    for (size_t i = 0; i < cuts.n && err == ERR_OK; i++) {
        err = storage_row_number_decode(cuts.at[i].value, &at);
        if (err == ERR_OK && at >= newest) {
            newest = at;
            part.v = get_be64((const uint8_t *)cuts.at[i].key.p + cuts.at[i].key.n - 8);
        }
    }
    if (err == ERR_OK && part.v == 0) {
        return ERR_CONFLICT;
    }
    if (err == ERR_OK) {
        err = storage_part_get(group, (struct storage_owner){op->tenant, part}, &other);
    }
    if (err != ERR_OK) {
        return err;
    }
    op->cut = key;
    op->kept = (struct storage_key){op->tenant, other.customer};
    return storage_customer_get(group, &op->kept, &customer);
}

static enum err cut_off(struct cut_op *op, struct storage_group *group)
{
    struct side side = {.key = {.tenant = op->tenant}};
    struct storage_part row;
    enum err err = storage_part_get(group, (struct storage_owner){op->tenant, op->part}, &row);

    if (err != ERR_OK || row.is_erased) {
        return err != ERR_OK ? err : ERR_ABSENT;
    }
    side.key.customer = row.customer;
    err = storage_customer_get(group, &side.key, &side.customer);
    if (err != ERR_OK || side.customer.is_erased) {
        return err != ERR_OK ? err : ERR_ABSENT;
    }
    if (side.customer.parts_n <= 1) {
        return cut_again(op, group, side.key);
    }
    op->kept = side.key;
    return cut_part(op->op.storage, group, &side, op->part, false, &op->cut);
}

static bool cut_apply(struct storage_op *op, struct storage_group *group)
{
    op->err = cut_off((struct cut_op *)op, group);
    return op->err == ERR_OK;
}

static void cut_finish(struct storage_op *op)
{
    struct cut_op *cut = (struct cut_op *)op;
    struct storage_key none = {0};

    cut->done(cut->ctx, op->err, op->err == ERR_OK ? cut->kept : none, op->err == ERR_OK ? cut->cut : none);
}

void storage_cut(struct storage *storage, struct loop *loop, struct tenant_id tenant, struct part_id part,
                 void (*done)(void *ctx, enum err err, struct storage_key kept, struct storage_key cut),
                 void *ctx)
{
    struct cut_op *cut = storage_op_new(sizeof(*cut), storage, loop, cut_finish);

    cut->tenant = tenant;
    cut->part = part;
    cut->done = done;
    cut->ctx = ctx;
    cut->op.apply = cut_apply;
    cut->op.bytes_n = 16384;
    storage_op_write(&cut->op);
}
