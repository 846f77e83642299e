/* SPDX-License-Identifier: Apache-2.0 */
/* json_node.c - walking the tree of json_read.h. */
#include "base/json_read.h"

#include <stdarg.h>
#include <stdio.h>

const struct json_node *json_get_bytes(const struct json_node *node, struct bytes key)
{
    if (node == NULL || node->type != JSON_OBJECT) {
        return NULL;
    }
    for (const struct json_node *child = node->first; child != NULL; child = child->next) {
        if (bytes_equal(child->key, key)) {
            return child;
        }
    }
    return NULL;
}

const struct json_node *json_get(const struct json_node *node, const char *key)
{
    return json_get_bytes(node, bytes_of(key));
}

const struct json_node *json_at(const struct json_node *node, size_t i)
{
    const struct json_node *child;

    if (node == NULL || node->type != JSON_ARRAY || i >= node->children_n) {
        return NULL;
    }
    child = node->first;
    while (i > 0) {
        child = child->next;
        i--;
    }
    return child;
}

bool json_is_null(const struct json_node *node)
{
    return node == NULL || node->type == JSON_NULL;
}

bool json_text(const struct json_node *node, struct bytes *out_text)
{
    if (node == NULL || node->type != JSON_TEXT) {
        return false;
    }
    *out_text = node->text;
    return true;
}

bool json_bool(const struct json_node *node, bool *out_value)
{
    if (node == NULL || node->type != JSON_BOOL) {
        return false;
    }
    *out_value = node->is_true;
    return true;
}

bool json_int(const struct json_node *node, int64_t least, int64_t most, int64_t *out_value)
{
    if (node == NULL || node->type != JSON_NUMBER || !node->is_integer || node->integer < least ||
        node->integer > most) {
        return false;
    }
    *out_value = node->integer;
    return true;
}

bool json_double(const struct json_node *node, double least, double most, double *out_value)
{
    if (node == NULL || node->type != JSON_NUMBER || !(node->number >= least && node->number <= most)) {
        return false;
    }
    *out_value = node->number;
    return true;
}

const struct json_node *json_find_duplicate(const struct json_node *node)
{
    while (node != NULL && node->has_duplicate_below && !node->has_duplicate) {
        node = node->first;
        while (node != NULL && !node->has_duplicate_below) {
            node = node->next;
        }
    }
    return node != NULL && node->has_duplicate ? node : NULL;
}

/* One step of a pointer: "/3", or the key with ~ and / escaped. Gives its length; 0 when it does not fit. */
static size_t format_step(const struct json_node *node, char *out_step, size_t room)
{
    size_t n = 1;

    out_step[0] = '/';
    if (node->parent->type == JSON_ARRAY) {
        int digits = snprintf(out_step + 1, room - 1, "%u", node->index);

        return digits > 0 && (size_t)digits < room - 1 ? 1 + (size_t)digits : 0;
    }
    for (size_t i = 0; i < node->key.n; i++) {
        char c = node->key.p[i];

        if (n + 2 > room) {
            return 0;
        }
        if (c == '~' || c == '/') {
            out_step[n++] = '~';
            c = c == '~' ? '0' : '1';
        }
        out_step[n++] = (unsigned char)c < 0x20 ? '?' : c;
    }
    return n;
}

void json_pointer_from(const struct json_node *root, const struct json_node *node, char *out_text,
                       size_t text_bytes)
{
    const struct json_node *path[JSON_DEPTH_MAX + 1];
    size_t depth = 0, n = 0;

    out_text[0] = '\0';
    while (node != NULL && node != root && node->parent != NULL && depth < JSON_DEPTH_MAX + 1) {
        path[depth++] = node;
        node = node->parent;
    }
    while (depth > 0) {
        char step[256];
        size_t step_n = format_step(path[--depth], step, sizeof(step));

        if (step_n == 0 || n + step_n + 1 > text_bytes) {
            return;
        }
        memcpy(out_text + n, step, step_n);
        n += step_n;
        out_text[n] = '\0';
    }
}

void json_pointer(const struct json_node *node, char *out_text, size_t text_bytes)
{
    json_pointer_from(NULL, node, out_text, text_bytes);
}

enum err json_why(struct why *why, enum err err, const char *code, const struct json_node *node,
                  const char *format, ...)
{
    va_list args;

    if (why == NULL) {
        return err;
    }
    snprintf(why->code, sizeof(why->code), "%s", code);
    json_pointer(node, why->field, sizeof(why->field));
    va_start(args, format);
    vsnprintf(why->says, sizeof(why->says), format, args);
    va_end(args);
    return err;
}
