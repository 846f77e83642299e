/* SPDX-License-Identifier: Apache-2.0 */
/* pass.h - the proof that code must carry to read customer data (house.md 4.5, P7).
 *
 * Only consent/pass.c can make one; it names one customer and one purpose. No pass, no profile. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "event/event.h"
#include "event/sealed.h"

struct pass; /* opaque: its only way in is pass_for */

enum { PASS_BYTES = 48 };
struct pass_room { /* caller's memory for one pass */
    _Alignas(16) unsigned char room[PASS_BYTES];
};

/* What the door knows beside the record: strictest wins, absent is refusal (unless gated). */
struct pass_request {
    enum purpose purpose;
    uint16_t call_word;   /* a consent word said in the call: can only narrow */
    bool has_gpc;         /* Sec-GPC: 1: personalise, measure and ads are refused */
    bool is_gated;        /* the key's source lets only consented events through: no record = granted */
    bool is_owner_or_staff; /* the customer's own read or an audited secret key's (purpose STORE only) */
    int64_t now_ms;
};

/* Gives a pass in `room`, or NULL when consent says no: an ordinary outcome. Unreadable consent is no
 * consent. arena: for reading the statements. */
const struct pass *pass_for(const struct sealed_customer *customer, const struct pass_request *request,
                            struct arena *arena, struct pass_room *room);
/* The consent word in force for such a request, pass or not: what a reply says of itself. */
MUST_USE enum err pass_word(const struct sealed_customer *customer, const struct pass_request *request,
                            struct arena *arena, uint16_t *out_word);
struct customer_id pass_customer(const struct pass *pass);
enum purpose pass_purpose(const struct pass *pass);
uint16_t pass_consent_word(const struct pass *pass);
