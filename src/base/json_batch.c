/* SPDX-License-Identifier: Apache-2.0 */
/* json_batch.c - json_read_batch: the ladder from one parse of everything down to one parse an element.
 *
 *     1. the text as it came        2. the text mended        3. cut, each element alone (mended if needed)
 * Steps 2 and 3 cost a bad batch about five parses; a good one pays for none of it. */
#include "base/json_read.h"
#include "base/json_split.h"

static const struct json_node *find_array(const struct json_node *root, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        const struct json_node *array = json_get(root, *keys);

        if (array != NULL && array->type == JSON_ARRAY) {
            return array;
        }
    }
    return NULL;
}

static enum err say_twice(const struct json_node *object, struct why *why)
{
    return why_say(why, ERR_INVALID, "malformed_json", "",
                   "The body is not valid JSON: a name stands twice in the object at byte %u; send it once.",
                   object->at);
}

static enum err say_full(struct why *why)
{
    return why_say(why, ERR_TOOBIG, "too_big", "", "The batch holds too many values; send it in parts.");
}

/* The whole document is valid: its elements are nodes of it. */
static enum err batch_of_tree(struct arena *arena, const struct json_node *root, const char *const *keys,
                              struct json_batch *out_batch, struct why *why)
{
    const struct json_node *array = root->type == JSON_ARRAY ? root : find_array(root, keys);
    const struct json_node *node = array == NULL ? root : array->first;
    struct json_batch batch = {.envelope = array == root || array == NULL ? NULL : root};

    if (batch.envelope != NULL && root->has_duplicate) {
        return say_twice(root, why);
    }
    batch.elements_n = array == NULL ? 1 : array->children_n;
    batch.elements = arena_array(arena, batch.elements_n, sizeof(*batch.elements));
    if (batch.elements == NULL) {
        return say_full(why);
    }
    for (size_t i = 0; i < batch.elements_n; i++) {
        batch.elements[i] = (struct json_element){.node = node, .raw = node->raw};
        node = node->next;
    }
    *out_batch = batch;
    return ERR_OK;
}

static enum err read_element(struct arena *arena, struct bytes raw, struct json_element *out_element)
{
    struct why why = {0}, *kept;
    struct json_element element = {.raw = raw};
    enum err err = json_read(arena, raw, &element.node, &why);

    if (err == ERR_INVALID) {
        struct bytes mended = json_split_mend(arena, raw);

        if (mended.n > 0 && json_read(arena, mended, &element.node, NULL) == ERR_OK) {
            element.raw = mended;
            err = ERR_OK;
        }
    }
    if (err == ERR_OK) {
        *out_element = element;
        return ERR_OK;
    }
    kept = arena_take(arena, sizeof(*kept));
    if (kept == NULL || err != ERR_INVALID) {
        return err == ERR_INVALID ? ERR_TOOBIG : err;
    }
    *kept = why;
    element.node = NULL;
    element.why = kept;
    *out_element = element;
    return ERR_OK;
}

static enum err read_cut(struct arena *arena, struct json_split split, struct json_batch *batch,
                         struct why *why)
{
    struct json_split count = split;
    struct bytes raw;
    size_t n = 0;
    enum err err;

    while (json_split_next(&count, &raw)) {
        n++;
    }
    batch->elements = arena_array(arena, n, sizeof(*batch->elements));
    if (batch->elements == NULL) {
        return say_full(why);
    }
    while (json_split_next(&split, &raw)) {
        err = read_element(arena, raw, &batch->elements[batch->elements_n]);
        if (err != ERR_OK) {
            return err == ERR_TOOBIG ? say_full(why) : err;
        }
        batch->elements_n++;
    }
    batch->was_cut = true;
    return ERR_OK;
}

/* The object around the array, with an empty array in its place. */
static enum err read_envelope(struct arena *arena, struct bytes text, struct bytes array,
                              const struct json_node **out_envelope, struct why *why)
{
    size_t before = (size_t)(array.p - text.p), after = text.n - before - array.n;
    char *room = arena_take(arena, before + 2 + after);
    struct bytes rest = {room, before + 2 + after}, mended;
    enum err err;

    if (room == NULL) {
        return say_full(why);
    }
    memcpy(room, text.p, before);
    memcpy(room + before, "[]", 2);
    memcpy(room + before + 2, array.p + array.n, after);
    err = json_read(arena, rest, out_envelope, why);
    if (err == ERR_INVALID) {
        mended = json_split_mend(arena, rest);
        if (mended.n > 0) {
            err = json_read(arena, mended, out_envelope, why);
        }
    }
    if (err == ERR_OK && (*out_envelope)->has_duplicate) {
        err = say_twice(*out_envelope, why);
    }
    return err;
}

static struct bytes find_array_text(struct bytes text, const char *const *keys)
{
    struct bytes value;

    for (; *keys != NULL; keys++) {
        value = json_split_member(text, bytes_of(*keys));
        if (value.n > 0 && value.p[0] == '[') {
            return json_split_value((struct bytes){value.p, (size_t)(text.p + text.n - value.p)});
        }
    }
    value = json_split_value(text);
    return value.n > 0 && value.p[0] == '[' ? value : (struct bytes){0};
}

static enum err batch_of_cut(struct arena *arena, struct bytes text, const char *const *keys,
                             struct json_batch *out_batch, struct why *why)
{
    struct json_batch batch = {0};
    struct bytes array, whole = json_split_value(text);
    enum err err;

    if (json_split_is_lines(text)) {
        err = read_cut(arena, json_split_lines(text), &batch, why);
    } else {
        array = find_array_text(text, keys);
        if (array.n == 0) {
            return ERR_INVALID;
        }
        if (whole.p != array.p) {
            err = read_envelope(arena, text, array, &batch.envelope, why);
            if (err != ERR_OK) {
                return err;
            }
        } else if (json_split_value(
                       (struct bytes){array.p + array.n, (size_t)(text.p + text.n - array.p) - array.n})
                       .n > 0) {
            return ERR_INVALID;
        }
        err = read_cut(arena, json_split_array(array), &batch, why);
    }
    if (err == ERR_OK) {
        *out_batch = batch;
    }
    return err;
}

static bool has_readable(const struct json_batch *batch)
{
    for (size_t i = 0; i < batch->elements_n; i++) {
        if (batch->elements[i].node != NULL) {
            return true;
        }
    }
    return false;
}

enum err json_read_batch(struct arena *arena, struct bytes text, const char *const *keys,
                         struct json_batch *out_batch, struct why *why)
{
    const struct json_node *root;
    struct why first = {0}, cut_why = {0};
    struct json_batch batch = {0};
    struct bytes mended;
    enum err err = json_read(arena, text, &root, &first), cut;

    if (err == ERR_INVALID && text.n > 0) {
        mended = json_split_mend(arena, text);
        if (mended.n > 0) {
            err = json_read(arena, mended, &root, NULL);
        }
    }
    if (err == ERR_OK) {
        return batch_of_tree(arena, root, keys, out_batch, why);
    }
    if (err == ERR_INVALID && text.n > 0) {
        cut = batch_of_cut(arena, text, keys, &batch, &cut_why);
        if (cut == ERR_OK && has_readable(&batch)) {
            *out_batch = batch;
            return ERR_OK;
        }
        if (cut != ERR_OK && cut != ERR_INVALID) {
            first = cut_why;
            err = cut;
        }
    }
    if (why != NULL) {
        *why = first;
    }
    return err;
}
