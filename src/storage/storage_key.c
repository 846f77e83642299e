/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/storage_key.h"

#include "base/hash.h"
#include "base/pack.h"

#include <assert.h>

static const char *const names[STORAGE_FAMILIES_] = {
    [STORAGE_DEFAULT] = "default",   [STORAGE_CUST] = "cust",   [STORAGE_PART] = "part",
    [STORAGE_TAIL] = "tail",         [STORAGE_EV] = "ev",       [STORAGE_SEEN] = "seen",
    [STORAGE_RECEIPT] = "receipt",   [STORAGE_IDENT] = "ident", [STORAGE_CONF] = "conf",
    [STORAGE_CONF_REV] = "conf_rev", [STORAGE_LEASE] = "lease",
};

const char *storage_key_family(enum storage_family family)
{
    assert(family < STORAGE_FAMILIES_);
    return names[family];
}

static struct bytes finish(const struct pack *key)
{
    assert(!key->full);
    return pack_bytes(key);
}

static struct pack begin(struct storage_key_room *room, const char *name)
{
    struct pack key = pack_into(room->b, sizeof(room->b));

    pack_raw(&key, name, strlen(name));
    return key;
}

static void put_owner(struct pack *key, struct tenant_id tenant, uint64_t c)
{
    pack_u16(key, hash_bucket(tenant, c));
    pack_u32(key, tenant.v);
    pack_u64(key, c);
}

struct bytes storage_key_owner(struct storage_key_room *room, struct tenant_id tenant, uint64_t c)
{
    struct pack key = begin(room, "");

    put_owner(&key, tenant, c);
    return finish(&key);
}

struct bytes storage_key_event(struct storage_key_room *room, struct tenant_id tenant, struct part_id part,
                               uint32_t day, const struct mid *mid)
{
    struct pack key = begin(room, "");

    put_owner(&key, tenant, part.v);
    pack_u32(&key, day);
    pack_raw(&key, mid->b, sizeof(mid->b));
    return finish(&key);
}

struct bytes storage_key_mid(struct storage_key_room *room, struct tenant_id tenant, const struct mid *mid)
{
    struct pack key = begin(room, "");

    pack_u16(&key, hash_bucket(tenant, get_be64(mid->b)));
    pack_u32(&key, tenant.v);
    pack_raw(&key, mid->b, sizeof(mid->b));
    return finish(&key);
}

struct bytes storage_key_ident(struct storage_key_room *room, struct tenant_id tenant, uint8_t kind,
                               const struct idh *idh)
{
    struct pack key = begin(room, "");

    pack_u16(&key, hash_identifier_bucket(tenant, kind, idh));
    pack_u32(&key, tenant.v);
    pack_u8(&key, kind);
    pack_raw(&key, idh->b, sizeof(idh->b));
    return finish(&key);
}

struct bytes storage_key_conf(struct storage_key_room *room, struct tenant_id tenant, uint8_t table,
                              struct bytes id)
{
    struct pack key = begin(room, "");

    assert(id.n <= STORAGE_KEY_ID_BYTES_MAX);
    pack_u32(&key, tenant.v);
    pack_u8(&key, table);
    pack_raw(&key, id.p, id.n);
    return finish(&key);
}

struct bytes storage_key_conf_rev(struct storage_key_room *room, struct tenant_id tenant, uint8_t table,
                                  uint64_t revision)
{
    struct pack key = begin(room, "");

    pack_u32(&key, tenant.v);
    pack_u8(&key, table);
    pack_u64(&key, revision);
    return finish(&key);
}

struct bytes storage_key_counter(struct storage_key_room *room, struct tenant_id tenant, uint8_t table)
{
    struct pack key = begin(room, "conf");

    pack_u32(&key, tenant.v);
    pack_u8(&key, table);
    return finish(&key);
}

struct bytes storage_key_cut(struct storage_key_room *room, struct tenant_id tenant, struct part_id part,
                             struct part_id other)
{
    struct pack key = begin(room, "cut");

    put_owner(&key, tenant, part.v);
    if (other.v != 0) {
        pack_u64(&key, other.v);
    }
    return finish(&key);
}

struct bytes storage_key_erase(struct storage_key_room *room, struct tenant_id tenant,
                               struct customer_id customer)
{
    struct pack key = begin(room, "erase");

    pack_u32(&key, tenant.v);
    pack_u64(&key, customer.v);
    return finish(&key);
}

struct bytes storage_key_sweep(struct storage_key_room *room, struct tenant_id tenant, struct customer_id customer,
                               uint64_t revision)
{
    struct pack key = begin(room, "sweep");

    pack_u32(&key, tenant.v);
    pack_u64(&key, customer.v);
    pack_u64(&key, revision);
    return finish(&key);
}

struct bytes storage_key_bucket(struct storage_key_room *room, uint16_t bucket, struct tenant_id tenant)
{
    struct pack key = begin(room, "");

    pack_u16(&key, bucket);
    pack_u32(&key, tenant.v);
    return finish(&key);
}

struct bytes storage_key_after(struct storage_key_room *room, struct bytes prefix)
{
    size_t n = prefix.n;

    assert(n <= sizeof(room->b));
    memcpy(room->b, prefix.p, n);
    while (n > 0 && room->b[n - 1] == 0xff) {
        n--;
    }
    if (n > 0) {
        room->b[n - 1]++;
    }
    return (struct bytes){(const char *)room->b, n};
}

struct part_id storage_key_anonymous(const struct mid *mid)
{
    uint64_t v = get_be64(mid->b) >> 1;

    return (struct part_id){v != 0 ? v : 1};
}

bool storage_key_owner_parse(struct bytes key, struct tenant_id *out_tenant, uint64_t *out_c)
{
    struct unpack from = unpack_from(key);
    struct tenant_id tenant;
    uint16_t bucket;
    uint64_t c;

    if (key.n != STORAGE_KEY_OWNER_BYTES) {
        return false;
    }
    bucket = unpack_u16(&from);
    tenant.v = unpack_u32(&from);
    c = unpack_u64(&from);
    if (bucket != hash_bucket(tenant, c)) {
        return false;
    }
    *out_tenant = tenant;
    *out_c = c;
    return true;
}

bool storage_key_event_parse(struct bytes key, struct tenant_id *out_tenant, struct part_id *out_part,
                             uint32_t *out_day, struct mid *out_mid)
{
    const uint8_t *b = (const uint8_t *)key.p;

    if (key.n != STORAGE_KEY_EVENT_BYTES ||
        !storage_key_owner_parse((struct bytes){key.p, STORAGE_KEY_OWNER_BYTES}, out_tenant, &out_part->v)) {
        return false;
    }
    *out_day = get_be32(b + STORAGE_KEY_OWNER_BYTES);
    memcpy(out_mid->b, b + STORAGE_KEY_OWNER_BYTES + 4, sizeof(out_mid->b));
    return true;
}
