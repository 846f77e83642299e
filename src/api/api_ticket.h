/* SPDX-License-Identifier: Apache-2.0 */
/* api_ticket.h - the signed slip that each served item carries: what was shown, where, by which model.
 *
 *     "tk_" base64url of: version 1 | tenant 4 | decision 16 | item 8 | position 1 | propensity 4 (float bits) |
 *                         variant 1 | model 8 | day 2 | customer mark 8 | MAC 16          (settled.md 4.6)
 * It comes back with `shown` and `clicked`; 30 days valid. The customer mark is keyed: another
 * customer's ticket is told apart without naming either. */
#pragma once

#include "api/api.h"

enum { TICKET_BYTES = 69, TICKET_TEXT_BYTES = 3 + 92, TICKET_DAYS = 30 };

struct ticket {
    struct tenant_id tenant;
    uint8_t decision[16];
    struct item_id item;
    uint8_t position; /* from 1 */
    float propensity; /* of having been shown there; 1: no chance was involved */
    uint8_t variant;
    uint64_t model;   /* first 8 bytes of its hash; 0: none */
    uint16_t day;     /* since 1970 */
    struct customer_id customer; /* written: whose; read: not recoverable, see is_of */
};

/* What stands for a customer that is not known yet: keyed, of the (normalised) identifier it was served under, so that
 * another visitor's click does not count for it either. */
struct customer_id ticket_stranger(const struct api *api, struct tenant_id tenant, struct event_identifier identifier);

void ticket_write(const struct api *api, const struct ticket *ticket, char out_text[TICKET_TEXT_BYTES + 1]);
/* customer: who sends it back. Errors: ERR_INVALID, not ours or changed; ERR_STALE, older than 30 days;
 * ERR_NO_PASS, another tenant's or customer's. */
MUST_USE enum err ticket_read(const struct api *api, struct bytes text, struct tenant_id tenant, struct customer_id customer,
                              int64_t now_ms, struct ticket *out_ticket);
