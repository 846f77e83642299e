/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_ticket.h"

#include "base/hash.h"
#include "base/test.h"
#include "base/time.h"

static struct api *api_with_key(uint8_t first)
{
    static struct api api;

    hash_start();
    api.ticket_key[0] = first;
    return &api;
}

static struct ticket ticket_of(uint64_t customer)
{
    return (struct ticket){.tenant = {1},
                           .decision = {1, 2, 3},
                           .item = {77},
                           .position = 3,
                           .propensity = 0.25f,
                           .variant = 1,
                           .model = 9,
                           .day = 100,
                           .customer = {customer}};
}

TEST(ticket_comes_back_whole)
{
    struct ticket wrote = ticket_of(5), read;
    char text[TICKET_TEXT_BYTES + 1];

    ticket_write(api_with_key(1), &wrote, text);
    CHECK_OK(ticket_read(api_with_key(1), bytes_of(text), (struct tenant_id){1}, (struct customer_id){5},
                         100 * DAY_MS, &read));
    CHECK_INT(read.item.v, 77);
    CHECK_INT(read.position, 3);
    CHECK_NEAR((double)read.propensity, 0.25);
    CHECK_INT(read.model, 9);
    CHECK_SAME_BYTES(read.decision, wrote.decision, sizeof(read.decision));
}

TEST(ticket_is_one_customers_of_one_tenant_for_thirty_days)
{
    struct ticket wrote = ticket_of(5), read;
    char text[TICKET_TEXT_BYTES + 1];

    ticket_write(api_with_key(1), &wrote, text);
    CHECK_INT(ticket_read(api_with_key(1), bytes_of(text), (struct tenant_id){1}, (struct customer_id){6},
                          100 * DAY_MS, &read),
              ERR_NO_PASS);
    CHECK_INT(ticket_read(api_with_key(1), bytes_of(text), (struct tenant_id){2}, (struct customer_id){5},
                          100 * DAY_MS, &read),
              ERR_NO_PASS);
    CHECK_OK(ticket_read(api_with_key(1), bytes_of(text), (struct tenant_id){1}, (struct customer_id){5},
                         130 * DAY_MS, &read));
    CHECK_INT(ticket_read(api_with_key(1), bytes_of(text), (struct tenant_id){1}, (struct customer_id){5},
                          131 * DAY_MS, &read),
              ERR_STALE);
    CHECK_INT(ticket_read(api_with_key(2), bytes_of(text), (struct tenant_id){1}, (struct customer_id){5},
                          100 * DAY_MS, &read),
              ERR_INVALID);
}

/* Whatever letter is changed, the ticket is not ours any more. */
PROPERTY(ticket_changed_anywhere_is_refused)
{
    struct ticket wrote = ticket_of(rng_next(rng)), read;
    char text[TICKET_TEXT_BYTES + 1];
    size_t at = 3 + rng_below(rng, TICKET_TEXT_BYTES - 3);
    char to = "ABCDEFGHabcdefgh0123456789-_"[rng_below(rng, 28)];
    bool is_same;

    ticket_write(api_with_key(1), &wrote, text);
    is_same = text[at] == to;
    text[at] = to;
    CHECK((ticket_read(api_with_key(1), bytes_of(text), wrote.tenant, wrote.customer, 100 * DAY_MS, &read) ==
           ERR_OK) == is_same);
}

TEST(ticket_strangers_differ)
{
    struct event_identifier a = {IDENTIFIER_COOKIE, BYTES_LIT("c1")},
                            b = {IDENTIFIER_COOKIE, BYTES_LIT("c2")}, c = {IDENTIFIER_APP, BYTES_LIT("c1")};
    struct tenant_id one = {1}, two = {2};
    struct api *api = api_with_key(1);

    CHECK_INT(ticket_stranger(api, one, a).v, ticket_stranger(api, one, a).v);
    CHECK(ticket_stranger(api, one, a).v != ticket_stranger(api, one, b).v);
    CHECK(ticket_stranger(api, one, a).v != ticket_stranger(api, one, c).v);
    CHECK(ticket_stranger(api, one, a).v != ticket_stranger(api, two, a).v);
}
