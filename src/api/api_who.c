/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_who.h"

#include "identity/identifier.h"

static bool may_claim(const struct api_caller *caller, enum identifier_kind kind)
{
    return caller->is_server || caller->who == API_SECRET || identifier_is_device(kind);
}

static void take(struct http_request *request, const struct api_caller *caller, struct json_form *form,
                 const struct json_node *node, struct event_identifier identifier, struct api_person *person)
{
    struct why why = {0};

    if (identifier_normalise(&identifier, bytes_of(caller->tenant->country), request->arena, &why) != ERR_OK) {
        json_form_fault(form, node, NULL, why.code, "%s", why.says);
        return;
    }
    if (!may_claim(caller, identifier.kind)) {
        person->is_unproved = true;
        return;
    }
    if (person->identifiers_n == EVENT_IDENTIFIERS_MAX) {
        json_form_fault(form, node, NULL, "too_many", "a customer is named by at most %d identifiers", EVENT_IDENTIFIERS_MAX);
        return;
    }
    person->identifiers[person->identifiers_n++] = identifier;
}

static void take_ids(struct http_request *request, const struct api_caller *caller, struct json_form *form,
                     const struct json_node *ids, struct api_person *person)
{
    for (const struct json_node *node = ids->first; node != NULL; node = node->next) {
        struct event_identifier identifier = {0};

        if (!event_identifier_of(node->key, &identifier.kind)) {
            json_form_fault(form, node, NULL, "unknown_field",
                            "kinds are member userId erp email emailHash phone phoneHash cardToken app cookie anonymousId x-<name>");
            continue;
        }
        if (!json_text(node, &identifier.value)) {
            json_form_fault(form, node, NULL, "wrong_type", "an identifier is text");
            continue;
        }
        if (identifier.kind == IDENTIFIER_X) {
            identifier.value = arena_format(request->arena, "%.*s:%.*s", (int)node->key.n - 2, node->key.p + 2,
                                            (int)identifier.value.n, identifier.value.p);
        }
        take(request, caller, form, node, identifier, person);
    }
}

void api_person_form(struct http_request *request, const struct api_caller *caller, struct json_form *form,
                     const struct json_node *root, struct api_person *out_person)
{
    static const char *const known[] = {"id", "ids", "proof", NULL};
    const struct json_node *customer = NULL, *ids = NULL, *node = json_get(root, "identifier");
    struct bytes text;

    *out_person = (struct api_person){0};
    if (json_form_object(form, root, "customer", JSON_MAY, &customer)) {
        json_form_known(form, customer, known);
        if (!json_is_null(json_get(customer, "proof"))) {
            json_form_fault(form, customer, "proof", "unsupported",
                            "proof tokens are not taken yet; call from the shop's server with a secret key");
        }
        if (json_form_id(form, customer, "id", JSON_MAY, &text) &&
            !api_customer_read(api_of(request), caller->tenant->id, text, &out_person->customer)) {
            json_form_fault(form, customer, "id", "invalid_customer", "a customer id is one that a reply gave: cus_...");
        }
        if (json_form_object(form, customer, "ids", JSON_MAY, &ids)) {
            take_ids(request, caller, form, ids, out_person);
        }
    }
    if (json_form_text(form, root, "identifier", JSON_MAY, 1, 2 * EVENT_ID_BYTES_MAX, &text)) {
        struct event_identifier identifier;
        struct why why = {0};

        if (identifier_parse(text, &identifier, &why) != ERR_OK) {
            json_form_fault(form, node, NULL, why.code, "%s", why.says);
        } else {
            take(request, caller, form, node, identifier, out_person);
        }
    }
    /* A customer's own id is as good as a claim on all it is: only servers may use it. */
    if (out_person->customer.v != 0 && caller->who != API_SECRET && !caller->is_server) {
        out_person->customer.v = 0;
        out_person->is_unproved = true;
    }
}

bool api_identifier_path(struct http_request *request, const struct api_caller *caller, size_t at,
                         struct event_identifier *out_identifier)
{
    struct why why = {0};
    struct event_identifier identifier;

    if (identifier_parse(request->params[at], &identifier, &why) != ERR_OK ||
        identifier_normalise(&identifier, bytes_of(caller->tenant->country), request->arena, &why) != ERR_OK) {
        http_reply_problem(request, 422, why.code, "%s", why.says);
        return false;
    }
    *out_identifier = identifier;
    return true;
}

bool api_person_path(struct http_request *request, const struct api_caller *caller, struct api_person *out_person)
{
    struct api_person person = {0};
    bool is_trusted = caller->who == API_SECRET || caller->is_server;

    if (bytes_starts(request->params[0], BYTES_LIT("cus_"))) {
        if (!api_customer_read(api_of(request), caller->tenant->id, request->params[0], &person.customer)) {
            http_reply_problem(request, 404, "unknown_customer", "no customer has this id; use one that a reply gave");
            return false;
        }
    } else if (!api_identifier_path(request, caller, 0, &person.identifiers[0])) {
        return false;
    } else {
        person.identifiers_n = 1;
    }
    if (!is_trusted && (person.customer.v != 0 || !may_claim(caller, person.identifiers[0].kind))) {
        http_reply_problem(request, 403, "identity_unproved",
                           "a public key may name a cookie, app or anonymousId; call from the shop's server for others");
        return false;
    }
    *out_person = person;
    return true;
}
