/* SPDX-License-Identifier: Apache-2.0 */
/* api_intake.h - what POST /v1/events, POST /v1/receipts and the events of a decide call share: from JSON
 * elements to offered events, tickets turned into items, and verdicts as JSON. */
#pragma once

#include "api/api.h"
#include "base/json_write.h"
#include "event/event_json.h"
#include "ingest/ingest.h"

struct api_intake { /* in the request's arena */
    struct http_request *request;
    struct api_caller caller;
    struct ingest_door door;
    struct event_json_door json;
    struct event *events;
    struct ingest_verdict *verdicts;
    bool *is_ticket_ignored; /* told: the ticket is not this customer's, or not ours */
    size_t n;
};

/* Fills doors for a caller. call_word: consent said in the call. False: the arena is full, 503 was
 * answered. */
bool api_intake_open(struct api_intake *intake, struct http_request *request, const struct api_caller *caller,
                     uint16_t call_word, size_t n);
/* Reads element i; what cannot be read becomes a quarantined verdict. node NULL: element_why says why. */
void api_intake_read(struct api_intake *intake, size_t i, const struct json_node *node,
                     const struct why *element_why);
struct api_sender { /* whose event is it that carries a ticket; all zero: nobody known */
    struct customer_id customer;
    struct part_id part;
    struct event_identifier identifier; /* normalised */
};

/* Opens an event's ticket: the item and position it stands for are the event's, where it names none. False
 * when the ticket is not ours or another customer's: then it was taken off the event. True also where
 * there is none. */
bool api_ticket_open(struct http_request *request, struct api_tenant *tenant, const struct api_sender *sender,
                     struct event *event);
void api_intake_ticket(struct api_intake *intake, size_t i, const struct api_sender *sender);
/* {"index","id","verdict","code","detail","pointer",...} of event i. word: NULL for the verdict's own. */
void api_intake_verdict(struct json_write *w, const struct api_intake *intake, size_t i, const char *word);
/* How many are kept, now or before: accepted, duplicate or anonymous. */
size_t api_intake_taken(const struct api_intake *intake);
/* Hands what is new and durable to whoever learns (api_port.learn). Right after ingest_offer's done. */
void api_intake_learn(struct http_request *request, const struct api_tenant *tenant, const struct event *events,
                      const struct ingest_verdict *verdicts, size_t n);
/* The whole answer: `accepted` and a verdict each, or the error when something of it may not be called durable (200
 * means durable: all is sent again, the ids make that harmless). */
void api_intake_answer(const struct api_intake *intake, enum err err);
