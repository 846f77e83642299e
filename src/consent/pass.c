/* SPDX-License-Identifier: Apache-2.0 */
#include "consent/pass.h"

#include "base/arena.h"
#include "consent/consent.h"

#include <assert.h>

struct pass {
    struct tenant_id tenant;
    struct customer_id customer;
    enum purpose purpose;
    uint16_t word;
};

_Static_assert(sizeof(struct pass) <= PASS_BYTES, "a pass fits its room");

enum err pass_word(const struct sealed_customer *customer, const struct pass_request *request, struct arena *arena,
                   uint16_t *out_word)
{
    struct consent consent = {0};
    enum err err = consent_read(customer->declared, arena, &consent);

    if (err != ERR_OK) {
        return err;
    }
    *out_word = consent_in_force(consent_word(&consent, request->now_ms), request->call_word, request->has_gpc,
                                 request->is_gated);
    return ERR_OK;
}

const struct pass *pass_for(const struct sealed_customer *customer, const struct pass_request *request,
                            struct arena *arena, struct pass_room *room)
{
    struct pass *pass = (struct pass *)(void *)room->room;
    uint16_t word = 0;

    /* P7: what cannot be read is not a permission. */
    if (pass_word(customer, request, arena, &word) != ERR_OK) {
        return NULL;
    }
    if (!request->is_owner_or_staff && !consent_may(word, request->purpose)) {
        return NULL;
    }
    if (request->is_owner_or_staff && request->purpose != PURPOSE_STORE) {
        return NULL;
    }
    *pass = (struct pass){customer->tenant, customer->customer, request->purpose, word};
    return pass;
}

struct customer_id pass_customer(const struct pass *pass)
{
    return pass->customer;
}

enum purpose pass_purpose(const struct pass *pass)
{
    return pass->purpose;
}

uint16_t pass_consent_word(const struct pass *pass)
{
    return pass->word;
}
