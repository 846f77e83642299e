/* SPDX-License-Identifier: Apache-2.0 */
/* api_who.h - whom a call is about: reading the customer of a body or a path, and finding it. */
#pragma once

#include "api/api.h"
#include "base/json_form.h"

struct api_person { /* as the caller named a customer; all zero: an unknown one */
    struct customer_id customer; /* named by cus_...; 0: by identifiers */
    struct event_identifier identifiers[EVENT_IDENTIFIERS_MAX]; /* normalised, in the order sent, proved ones only */
    size_t identifiers_n;
    bool is_unproved; /* a claim was left out: "identity":"unproved" */
};

/* Reads `customer` {"id"} or {"ids":{kind:value}} or `identifier` "kind:value" of a body. Faults go to the form;
 * nothing of a value is echoed. Unproved claims (a public key without *server* and another kind than a device's) are
 * left out and flagged. */
void api_person_form(struct http_request *request, const struct api_caller *caller, struct json_form *form,
                     const struct json_node *root, struct api_person *out_person);
/* Reads the path's parameter 0: cus_... or kind:value. False: 422 or 403 identity_unproved or 404 was answered. */
bool api_person_path(struct http_request *request, const struct api_caller *caller, struct api_person *out_person);
/* The identifier of path parameter `at`, normalised; whatever key it is. False: 422 was answered. */
bool api_identifier_path(struct http_request *request, const struct api_caller *caller, size_t at,
                         struct event_identifier *out_identifier);
/* Words of api_person_form's fields, for json_form_known: "customer", "identifier". */
