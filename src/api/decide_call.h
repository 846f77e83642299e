/* SPDX-License-Identifier: Apache-2.0 */
/* decide_call.h - one POST /v1/decide while it runs: what its body says, and what became of it. */
#pragma once

#include "api/api_who.h"
#include "decide/decide.h"
#include "decide/explain.h"
#include "ingest/ingest.h"

enum { DECIDE_CALL_PLACEMENTS = 20, DECIDE_CALL_UNKNOWN = 64 };
enum decide_explain { EXPLAIN_NONE = 0, EXPLAIN_OUTER, EXPLAIN_INNER };

struct decide_call { /* request->state */
    struct http_request *request;
    struct api_caller caller;
    struct api_person person;
    struct decide_context context;
    struct bytes store_text;
    struct event *events; /* of the call, as read; kind NONE: could not be read */
    struct ingest_verdict *verdicts;
    bool *is_ticket_ignored; /* told: an event's ticket is not this customer's */
    size_t events_n;
    const struct event **counted; /* those that count in this reply: the customer's own */
    bool *is_named;               /* of counted: it names whom it is about by itself */
    size_t counted_n, readable_n;
    struct decide_placement placements[DECIDE_CALL_PLACEMENTS];
    bool is_known_placement[DECIDE_CALL_PLACEMENTS];
    size_t placements_n;
    enum decide_mode asked; /* 0: the widest that consent allows */
    enum decide_explain explain;
    enum explain_language language;
    uint16_t call_word;
    bool has_gpc;
    int64_t now_ms;
    int64_t deadline_ms;
    const struct storage_identifier *named; /* what events name by themselves, one after another */
    size_t *named_n;                        /* of counted */
    struct storage_identity identity; /* of the customer that was chosen */
    bool is_not_linked;
    struct customer_id customer; /* 0: not known, or not to be */
    const uint64_t *owners;      /* of the customer's parts, in models */
    size_t owners_n;
    struct customer_id ticketed; /* whom the tickets are made out to: the customer, or what stands for a stranger */
    uint16_t word; /* consent in force */
    enum decide_mode mode;
    enum decide_fallback fallback;
    const struct picture *picture;
    struct bytes unknown_item[DECIDE_CALL_UNKNOWN];
    size_t unknown_items_n;
    uint8_t decision[16];
    struct ingest_door door;
};

/* Reads the body's root into a call whose request, caller and now_ms are set. All faults go to `form`; a bad event of
 * `events` is a verdict of its own and no fault. Between publish_enter and publish_leave: ids are looked up. */
void decide_call_read(struct decide_call *call, const struct json_node *root, struct json_form *form);
