/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_form.h"

#include "base/money.h"
#include "base/nearest.h"
#include "base/time.h"

#include <stdarg.h>
#include <stdio.h>

static void add_fault(struct json_form *form, const struct json_node *object, const struct json_node *node,
                      const char *key, const char *code, const char *format, va_list args)
    __attribute__((format(printf, 6, 0)));

static void add_fault(struct json_form *form, const struct json_node *object, const struct json_node *node,
                      const char *key, const char *code, const char *format, va_list args)
{
    struct why *why;
    size_t n;

    form->faults_seen++;
    if (form->faults_n == JSON_FORM_FAULTS_MAX) {
        return;
    }
    why = &form->faults[form->faults_n++];
    snprintf(why->code, sizeof(why->code), "%s", code);
    json_pointer(node != NULL ? node : object, why->field, sizeof(why->field));
    if (node == NULL && key != NULL) {
        n = strlen(why->field);
        snprintf(why->field + n, sizeof(why->field) - n, "/%s", key);
    }
    vsnprintf(why->says, sizeof(why->says), format, args);
}

void json_form_fault(struct json_form *form, const struct json_node *object, const char *key,
                     const char *code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_fault(form, object, key == NULL ? object : json_get(object, key), key, code, format, args);
    va_end(args);
}

/* A fault of kind: the member is there but not as wanted. Gives false, so that it can be returned. */
static bool unfit(struct json_form *form, const struct json_node *node, const char *code, const char *format,
                  ...) PRINTF_LIKE(4, 5);

static bool unfit(struct json_form *form, const struct json_node *node, const char *code, const char *format,
                  ...)
{
    va_list args;

    va_start(args, format);
    add_fault(form, node, node, NULL, code, format, args);
    va_end(args);
    return false;
}

/* The member when it is there and not null; else NULL, and a fault when it is needed. */
static const struct json_node *find(struct json_form *form, const struct json_node *object, const char *key,
                                    enum json_need need)
{
    const struct json_node *node = json_get(object, key);

    if (!json_is_null(node)) {
        return node;
    }
    if (need == JSON_NEEDED) {
        json_form_fault(form, object, key, "required", "%s is missing; send it.", key);
    }
    return NULL;
}

const char *json_form_nearest(struct bytes word, const char *const *known)
{
    const char *nearest = NULL;
    size_t least = word.n / 2 < 2 ? word.n / 2 + 1 : 3;

    if (word.n > NEAREST_BYTES_MAX) {
        return NULL;
    }
    for (; *known != NULL; known++) {
        struct bytes one = bytes_of(*known);
        size_t d = one.n > NEAREST_BYTES_MAX ? least : nearest_distance(word, one);

        if (d < least) {
            least = d;
            nearest = *known;
        }
    }
    return nearest;
}

static bool is_known(struct bytes key, const char *const *known)
{
    for (; *known != NULL; known++) {
        if (bytes_equal(key, bytes_of(*known))) {
            return true;
        }
    }
    return false;
}

void json_form_known(struct json_form *form, const struct json_node *object, const char *const *known)
{
    if (object == NULL) {
        return;
    }
    if (object->type != JSON_OBJECT) {
        unfit(form, object, "wrong_type", "An object is expected here.");
        return;
    }
    for (const struct json_node *child = object->first; child != NULL; child = child->next) {
        const char *nearest;

        if (is_known(child->key, known)) {
            continue;
        }
        form->has_unknown = true;
        nearest = json_form_nearest(child->key, known);
        if (nearest != NULL) {
            unfit(form, child, "unknown_field", "There is no such field; did you mean %s?", nearest);
        } else {
            unfit(form, child, "unknown_field", "There is no such field; leave it out.");
        }
    }
}

bool json_form_text(struct json_form *form, const struct json_node *object, const char *key,
                    enum json_need need, size_t least_bytes, size_t most_bytes, struct bytes *out_text)
{
    const struct json_node *node = find(form, object, key, need);

    if (node == NULL) {
        return false;
    }
    if (node->type != JSON_TEXT) {
        return unfit(form, node, "wrong_type", "%s must be text.", key);
    }
    if (node->text.n < least_bytes || node->text.n > most_bytes) {
        return unfit(form, node, "out_of_range", "%s must be %zu to %zu bytes long, was %zu.", key,
                     least_bytes, most_bytes, node->text.n);
    }
    *out_text = node->text;
    return true;
}

bool json_form_id(struct json_form *form, const struct json_node *object, const char *key,
                  enum json_need need, struct bytes *out_id)
{
    struct bytes id;

    if (!json_form_text(form, object, key, need, 1, 256, &id)) {
        return false;
    }
    for (size_t i = 0; i < id.n; i++) {
        if ((unsigned char)id.p[i] < 0x20 || id.p[i] == 0x7f) {
            return unfit(form, json_get(object, key), "bad_id", "%s must not hold control characters.", key);
        }
    }
    *out_id = id;
    return true;
}

bool json_form_int(struct json_form *form, const struct json_node *object, const char *key,
                   enum json_need need, int64_t least, int64_t most, int64_t *out_value)
{
    const struct json_node *node = find(form, object, key, need);

    if (node == NULL) {
        return false;
    }
    if (node->type != JSON_NUMBER || !node->is_integer) {
        return unfit(form, node, "wrong_type", "%s must be a whole number.", key);
    }
    if (!json_int(node, least, most, out_value)) {
        return unfit(form, node, "out_of_range", "%s must be %lld to %lld, was %lld.", key, (long long)least,
                     (long long)most, (long long)node->integer);
    }
    return true;
}

bool json_form_double(struct json_form *form, const struct json_node *object, const char *key,
                      enum json_need need, double least, double most, double *out_value)
{
    const struct json_node *node = find(form, object, key, need);

    if (node == NULL) {
        return false;
    }
    if (node->type != JSON_NUMBER) {
        return unfit(form, node, "wrong_type", "%s must be a number.", key);
    }
    if (!json_double(node, least, most, out_value)) {
        return unfit(form, node, "out_of_range", "%s must be %g to %g, was %g.", key, least, most,
                     node->number);
    }
    return true;
}

bool json_form_bool(struct json_form *form, const struct json_node *object, const char *key,
                    enum json_need need, bool *out_value)
{
    const struct json_node *node = find(form, object, key, need);

    if (node == NULL) {
        return false;
    }
    return json_bool(node, out_value) || unfit(form, node, "wrong_type", "%s must be true or false.", key);
}

bool json_form_time(struct json_form *form, const struct json_node *object, const char *key,
                    enum json_need need, int64_t *out_ms)
{
    const struct json_node *node = find(form, object, key, need);

    if (node == NULL) {
        return false;
    }
    if (node->type != JSON_TEXT || time_parse(node->text, out_ms) != ERR_OK) {
        return unfit(form, node, "bad_time",
                     "%s must be a time with offset, such as 2026-11-22T20:14:00+01:00.", key);
    }
    return true;
}

bool json_form_word(struct json_form *form, const struct json_node *object, const char *key,
                    enum json_need need, const char *const *words, size_t *out_word)
{
    const struct json_node *node = find(form, object, key, need);
    char list[160] = "";
    size_t n = 0;

    if (node == NULL) {
        return false;
    }
    for (size_t i = 0; words[i] != NULL; i++) {
        if (node->type == JSON_TEXT && bytes_equal(node->text, bytes_of(words[i]))) {
            *out_word = i;
            return true;
        }
        if (n < sizeof(list)) {
            n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n > 0 ? ", " : "", words[i]);
        }
    }
    return unfit(form, node, node->type == JSON_TEXT ? "unknown_word" : "wrong_type",
                 "%s must be one of: %s.", key, list);
}

bool json_form_array(struct json_form *form, const struct json_node *object, const char *key,
                     enum json_need need, size_t least_n, size_t most_n, const struct json_node **out_array)
{
    const struct json_node *node = find(form, object, key, need);

    if (node == NULL) {
        return false;
    }
    if (node->type != JSON_ARRAY) {
        return unfit(form, node, "wrong_type", "%s must be an array.", key);
    }
    if (node->children_n < least_n || node->children_n > most_n) {
        return unfit(form, node, "out_of_range", "%s must hold %zu to %zu values, held %u.", key, least_n,
                     most_n, node->children_n);
    }
    *out_array = node;
    return true;
}

bool json_form_object(struct json_form *form, const struct json_node *object, const char *key,
                      enum json_need need, const struct json_node **out_object)
{
    const struct json_node *node = find(form, object, key, need);

    if (node == NULL) {
        return false;
    }
    if (node->type != JSON_OBJECT) {
        return unfit(form, node, "wrong_type", "%s must be an object.", key);
    }
    *out_object = node;
    return true;
}

bool json_form_money(struct json_form *form, const struct json_node *object, const char *key,
                     enum json_need need, const char *fallback_currency, int64_t *out_minor,
                     char out_currency[4])
{
    const struct json_node *node = find(form, object, key, need), *amount = node, *named;
    struct bytes currency = bytes_of(fallback_currency);
    char code[4] = "";
    int64_t minor;
    enum err err;

    if (node == NULL) {
        return false;
    }
    named = json_get(node->type == JSON_OBJECT ? node : object, "currency");
    if (node->type == JSON_OBJECT) {
        amount = json_get(node, "amount");
    }
    if (amount == NULL || (amount->type != JSON_NUMBER && amount->type != JSON_TEXT)) {
        return unfit(form, node, "wrong_type",
                     "%s must be an amount such as {\"amount\":\"349.50\",\"currency\":\"NOK\"}.", key);
    }
    if (!json_is_null(named) && !json_text(named, &currency)) {
        return unfit(form, named, "wrong_type", "currency must be text of three letters, such as NOK.");
    }
    if (!money_is_currency(currency)) {
        return unfit(form, json_is_null(named) ? node : named, "bad_currency",
                     "%s needs a currency of three capital letters, such as NOK.", key);
    }
    memcpy(code, currency.p, 3);
    err = money_parse(amount->text, money_exponent(code), &minor);
    if (err == ERR_TOOBIG) {
        return unfit(form, amount, "out_of_range", "%s is too large an amount.", key);
    }
    if (err != ERR_OK) {
        return unfit(form, amount, "bad_price",
                     "%s must be a decimal number with at most %d digits after the point.", key,
                     money_exponent(code));
    }
    *out_minor = minor;
    memcpy(out_currency, code, sizeof(code));
    return true;
}
