/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that identify, update, link, cut and erase share: rows read and written through the group. */
#include "storage/storage_engine.h"

enum err storage_customer_get(struct storage_group *group, struct storage_key *key,
                              struct storage_customer *out_customer)
{
    struct storage_key_room room;
    struct storage_key at = *key;
    struct bytes row;
    enum err err;

    for (int hops = 0; hops < STORAGE_HOPS_MAX; hops++) {
        err =
            storage_group_get(group, STORAGE_CUST, storage_key_owner(&room, at.tenant, at.customer.v), &row);
        if (err == ERR_OK) {
            err = storage_row_customer_decode(row, out_customer);
        }
        if (err != ERR_OK) {
            return err;
        }
        if (out_customer->joined_to.v == 0) {
            *key = at;
            return ERR_OK;
        }
        at.customer = out_customer->joined_to;
    }
    return ERR_CORRUPT;
}

void storage_customer_put(struct storage_group *group, struct storage_key key,
                          const struct storage_customer *customer)
{
    struct storage_key_room room;

    storage_group_put(group, STORAGE_CUST, storage_key_owner(&room, key.tenant, key.customer.v),
                      storage_row_customer(customer, &group->arena));
}

enum err storage_part_get(struct storage_group *group, struct storage_owner owner,
                          struct storage_part *out_part)
{
    struct storage_key_room room;
    struct bytes row;
    enum err err;

    err = storage_group_get(group, STORAGE_PART, storage_key_owner(&room, owner.tenant, owner.part.v), &row);
    return err != ERR_OK ? err : storage_row_part_decode(row, out_part);
}

void storage_part_put(struct storage_group *group, struct storage_owner owner,
                      const struct storage_part *part)
{
    struct storage_key_room room;

    storage_group_put(group, STORAGE_PART, storage_key_owner(&room, owner.tenant, owner.part.v),
                      storage_row_part(part, &group->arena));
}

enum err storage_customer_word(struct storage *storage, struct storage_group *group, struct storage_key key,
                               const struct storage_customer *customer)
{
    struct storage_ident ident = {.customer = key.customer};
    struct storage_key_room room;
    enum err err;

    if (storage->options.rules.word != NULL) {
        err = storage->options.rules.word(customer->declared, &ident.word, &ident.until_ms);
        if (err != ERR_OK) {
            return err;
        }
    }
    for (size_t i = 0; i < customer->members_n; i++) {
        const struct storage_member *member = &customer->members[i];

        ident.part = member->part;
        ident.is_bare = member->text.n == 0;
        storage_group_put(group, STORAGE_IDENT,
                          storage_key_ident(&room, key.tenant, member->kind, &member->idh),
                          storage_row_ident(&ident, &group->arena));
    }
    return ERR_OK;
}

enum err storage_fresh(struct storage *storage, struct storage_group *group, struct tenant_id tenant,
                       uint64_t *out_c)
{
    static const enum storage_family families[] = {STORAGE_PART, STORAGE_CUST};
    struct storage_key_room room;
    struct bytes row;

    for (;;) {
        uint64_t c = storage->options.chance(storage->options.chance_ctx) >> 1; /* 63 bits: storage.md 3 */
        bool is_free = c != 0;

        for (size_t i = 0; i < 2 && is_free; i++) {
            enum err err = storage_group_get(group, families[i], storage_key_owner(&room, tenant, c), &row);

            if (err != ERR_OK && err != ERR_ABSENT) {
                return err;
            }
            is_free = err == ERR_ABSENT;
        }
        if (is_free) {
            *out_c = c;
            return ERR_OK;
        }
    }
}
