/* SPDX-License-Identifier: Apache-2.0 */
/* json_form.h - reads an own call's object field by field and gathers all faults, not only the first.
 *
 *     struct json_form form = {0};
 *     json_form_known(&form, root, known);                          (unknown_field, nearest name told)
 *     json_form_text(&form, root, "id", JSON_NEEDED, 1, 256, &id);
 *     json_form_int(&form, root, "n", JSON_MAY, 1, 100, &n);        (untouched when absent)
 *     if (form.faults_n > 0) return http_reply_faults(request, &form);
 * A fault names the field by JSON pointer and never echoes a value (product.md 7.10). JSON null counts
 * as absent. An object that is NULL counts as an empty one. */
#pragma once

#include "base/json_read.h"

enum { JSON_FORM_FAULTS_MAX = 20 }; /* product.md 7.10: at most 20 errors */

enum json_need { JSON_MAY = 0, JSON_NEEDED };

struct json_form { /* all zero: no fault */
    struct why faults[JSON_FORM_FAULTS_MAX];
    size_t faults_n;    /* kept */
    size_t faults_seen; /* all */
    bool has_unknown;   /* one of them is unknown_field: the call's code is then unknown_field */
};

/* Members of object outside known (NULL-terminated) are faults of code unknown_field. Also refuses an
 * object that is another type. */
void json_form_known(struct json_form *form, const struct json_node *object, const char *const *known);
/* Adds a fault at node, or at object's member key when node is absent (key may be NULL). */
void json_form_fault(struct json_form *form, const struct json_node *object, const char *key,
                     const char *code, const char *format, ...) PRINTF_LIKE(5, 6);

/* Each gives true when a value was put into out_; false when absent or at fault (out_ untouched). */
bool json_form_text(struct json_form *form, const struct json_node *object, const char *key,
                    enum json_need need, size_t least_bytes, size_t most_bytes, struct bytes *out_text);
/* An id: 1..256 bytes, no control characters (NUL included). */
bool json_form_id(struct json_form *form, const struct json_node *object, const char *key,
                  enum json_need need, struct bytes *out_id);
bool json_form_int(struct json_form *form, const struct json_node *object, const char *key,
                   enum json_need need, int64_t least, int64_t most, int64_t *out_value);
bool json_form_double(struct json_form *form, const struct json_node *object, const char *key,
                      enum json_need need, double least, double most, double *out_value);
bool json_form_bool(struct json_form *form, const struct json_node *object, const char *key,
                    enum json_need need, bool *out_value);
/* RFC 3339 with offset, base/time.h. */
bool json_form_time(struct json_form *form, const struct json_node *object, const char *key,
                    enum json_need need, int64_t *out_ms);
/* One word of words (NULL-terminated); out_word is its place in words. */
bool json_form_word(struct json_form *form, const struct json_node *object, const char *key,
                    enum json_need need, const char *const *words, size_t *out_word);
/* An array or object; its length checked for arrays. */
bool json_form_array(struct json_form *form, const struct json_node *object, const char *key,
                     enum json_need need, size_t least_n, size_t most_n, const struct json_node **out_array);
bool json_form_object(struct json_form *form, const struct json_node *object, const char *key,
                      enum json_need need, const struct json_node **out_object);
/* `{"amount":"349.50","currency":"NOK"}`, or a bare number (or decimal text) with the currency in
 * object's member "currency", else in fallback_currency ("" : it is a fault). */
bool json_form_money(struct json_form *form, const struct json_node *object, const char *key,
                     enum json_need need, const char *fallback_currency, int64_t *out_minor,
                     char out_currency[4]);

/* The known word nearest to `word` by edit distance, NULL when none is near (more than 2 edits, or more
 * than half its length). */
const char *json_form_nearest(struct bytes word, const char *const *known);
