/* SPDX-License-Identifier: Apache-2.0 */
/* receipt_json.h - one till receipt (product.md 7.3) to a purchase event with lines.
 *
 *     {"id":"r1","source":"till-7","at":"2026-11-22T20:14:00+01:00","store":"TRD","register":"2",
 *      "currency":"NOK","customer":{"ids":{"member":"M-1001"}},"total":"349.50",
 *      "lines":[{"item":"sku-1","quantity":1,"paid":"349.50"}],
 *      "payments":[{"kind":"card","amount":"349.50"}]}
 * Identity is (source, id) for good. Lines of one item stay apart; returned lines are negative. A training
 * or voided receipt counts nothing: it becomes a cancellation without lines, so that voiding a receipt
 * that was sent before takes its effect back. */
#pragma once

#include "event/event_json.h"

struct receipt {
    struct event event;  /* is_receipt; kind PURCHASE, or RETURN when all lines are negative, or CANCEL */
    struct bytes source; /* the till's own, else empty: the key's source is meant */
};

/* All faults are gathered in form. False when there was one. Text is borrowed from the tree. */
bool receipt_json_read(struct json_form *form, const struct json_node *node,
                       const struct event_json_door *door, struct arena *arena, struct receipt *out_receipt);
