/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_ticket.h"

#include "base/hash.h"
#include "base/time.h"

#include <sodium.h>

#include <assert.h>
#include <string.h>

enum { VERSION = 1, SIGNED_BYTES = TICKET_BYTES - 16 };

static uint64_t mark_of(const struct api *api, struct tenant_id tenant, struct customer_id customer)
{
    uint8_t said[13], mac[16];

    said[0] = 'c';
    put_be32(said + 1, tenant.v);
    put_be64(said + 5, customer.v);
    hash_mac(api->ticket_key, (struct bytes){(char *)said, sizeof(said)}, mac);
    return get_be64(mac);
}

struct customer_id ticket_stranger(const struct api *api, struct tenant_id tenant, struct event_identifier identifier)
{
    uint8_t said[6 + EVENT_ID_BYTES_MAX * 2], mac[16];
    size_t n = identifier.value.n < sizeof(said) - 6 ? identifier.value.n : sizeof(said) - 6;

    said[0] = 's';
    put_be32(said + 1, tenant.v);
    said[5] = (uint8_t)identifier.kind;
    memcpy(said + 6, identifier.value.p, n);
    hash_mac(api->ticket_key, (struct bytes){(char *)said, 6 + n}, mac);
    return (struct customer_id){get_be64(mac)};
}

void ticket_write(const struct api *api, const struct ticket *ticket, char out_text[TICKET_TEXT_BYTES + 1])
{
    uint8_t b[TICKET_BYTES];
    uint32_t propensity;

    memcpy(&propensity, &ticket->propensity, sizeof(propensity));
    b[0] = VERSION;
    put_be32(b + 1, ticket->tenant.v);
    memcpy(b + 5, ticket->decision, 16);
    put_be64(b + 21, ticket->item.v);
    b[29] = ticket->position;
    put_be32(b + 30, propensity);
    b[34] = ticket->variant;
    put_be64(b + 35, ticket->model);
    put_be16(b + 43, ticket->day);
    put_be64(b + 45, mark_of(api, ticket->tenant, ticket->customer));
    hash_mac(api->ticket_key, (struct bytes){(char *)b, SIGNED_BYTES}, b + SIGNED_BYTES);
    memcpy(out_text, "tk_", 3);
    sodium_bin2base64(out_text + 3, TICKET_TEXT_BYTES + 1 - 3, b, sizeof(b), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

enum err ticket_read(const struct api *api, struct bytes text, struct tenant_id tenant, struct customer_id customer,
                     int64_t now_ms, struct ticket *out_ticket)
{
    uint8_t b[TICKET_BYTES], mac[16];
    size_t n;
    uint32_t propensity;
    struct ticket read = {0};

    if (!bytes_starts(text, BYTES_LIT("tk_")) ||
        sodium_base642bin(b, sizeof(b), text.p + 3, text.n - 3, NULL, &n, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        n != sizeof(b) || b[0] != VERSION) {
        return ERR_INVALID;
    }
    hash_mac(api->ticket_key, (struct bytes){(char *)b, SIGNED_BYTES}, mac);
    if (!hash_same(mac, b + SIGNED_BYTES, sizeof(mac))) {
        return ERR_INVALID;
    }
    read.tenant.v = get_be32(b + 1);
    memcpy(read.decision, b + 5, 16);
    read.item.v = get_be64(b + 21);
    read.position = b[29];
    propensity = get_be32(b + 30);
    memcpy(&read.propensity, &propensity, sizeof(propensity));
    read.variant = b[34];
    read.model = get_be64(b + 35);
    read.day = get_be16(b + 43);
    if (read.tenant.v != tenant.v || get_be64(b + 45) != mark_of(api, tenant, customer)) {
        return ERR_NO_PASS;
    }
    if (time_day(now_ms) > read.day + TICKET_DAYS) {
        return ERR_STALE;
    }
    read.customer = customer;
    *out_ticket = read;
    return ERR_OK;
}
