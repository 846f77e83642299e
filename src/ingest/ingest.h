/* SPDX-License-Identifier: Apache-2.0 */
/* ingest.h - the front door: events become history, or are refused with a reason.
 *
 * offer -> check -> normalise identifiers -> whose are they (look-up only) -> may we keep it (consent)
 * -> create what is new -> keep in the part's tail, durable -> link what one event names together ->
 * verdicts. Only with consent `store` does a new identifier come into being; without it a purchase or
 * return counts anonymously (no identifier, no message id, no session kept) and all else is refused:
 * no bytes, no hash (P7, settled.md 1).
 *
 * Pure but for storage: time and memory are arguments. Everything runs on the caller's loop. */
#pragma once

#include "base/arena.h"
#include "consent/consent.h"
#include "event/event.h"
#include "storage/storage.h"

enum ingest_outcome {
    INGEST_ACCEPTED = 1,
    INGEST_DUPLICATE,
    INGEST_ANONYMOUS,
    INGEST_REFUSED,
    INGEST_QUARANTINED, /* version 1 keeps nothing of it: settled.md 1.4 */
    INGEST_FAILED,      /* storage said ERR_FULL, ERR_IO, ERR_BUSY: send it again */
};

/* "accepted", "duplicate", ... ; INGEST_FAILED is "failed". */
const char *ingest_outcome_word(enum ingest_outcome outcome);

struct ingest_door { /* who speaks, the same for all events of a request; borrowed until done */
    struct tenant_id tenant;
    struct bytes source;  /* stable name on the API key */
    struct bytes country; /* of the tenant, for phone numbers */
    bool is_gated;        /* absent consent counts as granted */
    bool is_server;       /* identity claims are trusted; else only device kinds are */
    bool has_gpc;         /* Sec-GPC: 1 */
    uint16_t call_word;   /* a consent word of the whole call; can only narrow */
    int64_t now_ms;
};

struct ingest_verdict {
    enum ingest_outcome outcome;
    enum err err;      /* of INGEST_FAILED */
    struct part_id part;
    bool has_linked;   /* identifiers of this event were joined (now or before) */
    bool is_unproved;  /* a claim was ignored: "identity":"unproved" */
    bool is_shared_device; /* a link was refused by the guard */
    struct why why;    /* of QUARANTINED and REFUSED: code, pointer below the event, sentence */
};

/* Takes n events (their text, lines and the array itself stay valid until done). Events that the reader
 * could not even parse carry kind EVENT_NONE and are passed by: verdicts[i] then stays as the caller
 * filled it. Every other event has an id: where the sender gave none the reader has made one (has_id false).
 * An event's own consent object, like the call's, can only narrow. verdicts: n, the caller's, filled before done. Calls back exactly once, on `loop`, never
 * from inside, but when the arena is used up: ERR_NOMEM at once. Errors given to done: ERR_OK (look at the verdicts), or what made the whole offer fail
 * (ERR_BUSY, ERR_FULL, ERR_IO, ERR_NOMEM): then no event may be called durable. */
void ingest_offer(struct storage *storage, struct loop *loop, const struct ingest_door *door, struct event *events,
                  size_t n, struct ingest_verdict *verdicts, struct arena *arena,
                  void (*done)(void *ctx, enum err err), void *ctx);

/* Checks one event by itself (kind, times, lines, ids), repairs and clamps its time: more than 5 minutes
 * ahead becomes now, more than 24 h ahead is quarantined `future_time`. Receipts may be any age.
 * Errors: ERR_INVALID with why. */
MUST_USE enum err ingest_check(struct event *event, int64_t now_ms, struct why *why);
