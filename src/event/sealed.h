/* SPDX-License-Identifier: Apache-2.0 */
/* sealed.h - customer data on its way through rooms that may not look at it.
 *
 * Storage hands these out; profile_open (with a pass) and consent_read open them. `hidden` may be
 * named only in rooms storage, consent, profile and picture: tools/check_rooms.py keeps that. All
 * bytes are borrowed from whoever gave the struct. */
#pragma once

#include "base/bytes.h"
#include "base/id.h"

struct sealed {
    struct bytes hidden;
};

struct sealed_event { /* one event of a tail, not yet folded */
    struct mid mid;
    struct sealed body; /* event_code */
};

struct sealed_part {
    struct part_id part;
    uint64_t revision;
    struct sealed state; /* profile/part.h; empty: nothing folded yet */
    const struct sealed_event *tail;
    size_t tail_n;
};

struct sealed_identifier { /* one identifier of the customer, and how it came to be linked */
    struct part_id part;
    uint8_t kind;          /* enum identifier_kind */
    struct idh idh;
    struct sealed text;    /* the sender's text, encrypted at rest, opened by storage at load */
    int64_t linked_ms;     /* when the link was made; of the first part: when it was first seen */
    struct sealed source;  /* the stable name of the source that made the link */
    uint8_t strength;      /* enum link_strength of identity/link.h; 0: the customer's own first */
};

struct sealed_customer {
    struct tenant_id tenant;
    struct customer_id customer;
    uint64_t revision;      /* of the declared row; 0: there is none yet */
    struct sealed declared; /* profile/declared.h */
    const struct sealed_identifier *identifiers;
    size_t identifiers_n;
    const struct sealed_part *parts;
    size_t parts_n;
    bool is_degraded; /* read from a standby: may miss the newest */
};
