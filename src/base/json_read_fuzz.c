/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes: the shim, the locator and the batch reader. They must agree, and every extent must lie inside. */
#include "base/json_read.h"
#include "base/json_split.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct json_node *node, struct bytes text)
{
    char pointer[96];

    if (node->raw.p < text.p || node->raw.p + node->raw.n > text.p + text.n || node->raw.n == 0) {
        abort();
    }
    json_pointer(node, pointer, sizeof(pointer));
    for (const struct json_node *child = node->first; child != NULL; child = child->next) {
        walk(child, node->raw);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const keys[] = {"events", "batch", NULL};
    static struct arena arena;
    char *copy = malloc(size + 1); /* exact, so that the sanitizer sees a read beyond */
    struct bytes text = {copy, size};
    const struct json_node *root;
    struct json_batch batch;
    struct why why;
    const char *what;
    bool is_good;

    if (arena.first == NULL) {
        arena_open(&arena, 1 << 16, 64u << 20);
    }
    arena_reset(&arena);
    copy = realloc(copy, size > 0 ? size : 1);
    text.p = copy;
    if (size > 0) {
        memcpy(copy, data, size);
    }
    is_good = json_read(&arena, text, &root, &why) == ERR_OK;
    if (is_good != (json_split_locate(text, &what) == SIZE_MAX)) {
        abort();
    }
    if (is_good) {
        walk(root, text);
        (void)json_find_duplicate(root);
    }
    if (json_read_batch(&arena, text, keys, &batch, &why) == ERR_OK) {
        for (size_t i = 0; i < batch.elements_n; i++) {
            if (batch.elements[i].node != NULL) {
                walk(batch.elements[i].node, batch.elements[i].raw);
            } else if (batch.elements[i].why == NULL) {
                abort();
            }
        }
    } else if (is_good && !root->has_duplicate) {
        abort();
    }
    free(copy);
    return 0;
}
