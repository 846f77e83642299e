/* SPDX-License-Identifier: Apache-2.0 */
/* The memory driver: each family is a treap whose nodes never change once they can be seen, so a view is
 * eleven pointers and writers never wait for readers (a read lock would: a scan may write while it runs).
 * A node's priority is a hash of its key: the shape depends on the keys alone. Writing copies the path
 * from the root; nodes and cells are counted and shared between versions.
 * Origin: R. Seidel, C. Aragon, "Randomized search trees", Algorithmica 16, 1996. */
#include "storage/storage_driver.h"

#include "base/hash.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct cell { /* one key and value */
    atomic_uint refs;
    uint64_t priority;
    size_t key_n, value_n;
    char data[];
};

struct node {
    atomic_uint refs;
    struct cell *cell;
    struct node *left, *right;
};

struct view {
    struct node *roots[STORAGE_FAMILIES_];
};

struct file {
    struct file *next;
    uint8_t hash[32];
    size_t n;
    char data[];
};

struct memory {
    pthread_mutex_t lock;
    struct view newest;
    struct file *files;
};

static void *must(void *p)
{
    if (p == NULL) {
        abort();
    }
    return p;
}

static struct cell *cell_new(struct bytes key, struct bytes value)
{
    struct cell *cell = must(malloc(sizeof(*cell) + key.n + value.n));

    atomic_init(&cell->refs, 1);
    cell->priority = hash_fast(key.p, key.n, 1);
    cell->key_n = key.n;
    cell->value_n = value.n;
    memcpy(cell->data, key.p, key.n);
    if (value.n > 0) {
        memcpy(cell->data + key.n, value.p, value.n);
    }
    return cell;
}

static struct bytes key_of(const struct node *node)
{
    return (struct bytes){node->cell->data, node->cell->key_n};
}

static struct bytes value_of(const struct node *node)
{
    return (struct bytes){node->cell->data + node->cell->key_n, node->cell->value_n};
}

static struct node *node_keep(struct node *node)
{
    if (node != NULL) {
        atomic_fetch_add_explicit(&node->refs, 1, memory_order_relaxed);
    }
    return node;
}

static void node_drop(struct node *node)
{
    if (node == NULL || atomic_fetch_sub_explicit(&node->refs, 1, memory_order_acq_rel) > 1) {
        return;
    }
    if (atomic_fetch_sub_explicit(&node->cell->refs, 1, memory_order_acq_rel) == 1) {
        free(node->cell);
    }
    node_drop(node->left);
    node_drop(node->right);
    free(node);
}

/* A node of its own with these children, which it takes over; shares the cell. */
static struct node *node_new(struct cell *cell, struct node *left, struct node *right)
{
    struct node *node = must(malloc(sizeof(*node)));

    atomic_init(&node->refs, 1);
    node->cell = cell;
    node->left = left;
    node->right = right;
    return node;
}

static struct node *node_copy(const struct node *of, struct node *left, struct node *right)
{
    atomic_fetch_add_explicit(&of->cell->refs, 1, memory_order_relaxed);
    return node_new(of->cell, left, right);
}

/* Gives a new root; `node` itself is only read. Nodes on the path are new, so turning them is safe. */
static struct node *node_put(const struct node *node, struct bytes key, struct bytes value)
{
    struct node *made, *child;
    int order;

    if (node == NULL) {
        return node_new(cell_new(key, value), NULL, NULL);
    }
    order = bytes_compare(key, key_of(node));
    if (order == 0) {
        return node_new(cell_new(key, value), node_keep(node->left), node_keep(node->right));
    }
    if (order < 0) {
        child = node_put(node->left, key, value);
        made = node_copy(node, child, node_keep(node->right));
        if (child->cell->priority > made->cell->priority) {
            made->left = child->right;
            child->right = made;
            return child;
        }
        return made;
    }
    child = node_put(node->right, key, value);
    made = node_copy(node, node_keep(node->left), child);
    if (child->cell->priority > made->cell->priority) {
        made->right = child->left;
        child->left = made;
        return child;
    }
    return made;
}

static struct node *node_join(struct node *a, struct node *b)
{
    if (a == NULL || b == NULL) {
        return node_keep(a != NULL ? a : b);
    }
    if (a->cell->priority > b->cell->priority) {
        return node_copy(a, node_keep(a->left), node_join(a->right, b));
    }
    return node_copy(b, node_join(a, b->left), node_keep(b->right));
}

static struct node *node_delete(struct node *node, struct bytes key)
{
    int order;

    if (node == NULL) {
        return NULL;
    }
    order = bytes_compare(key, key_of(node));
    if (order == 0) {
        return node_join(node->left, node->right);
    }
    if (order < 0) {
        return node_copy(node, node_delete(node->left, key), node_keep(node->right));
    }
    return node_copy(node, node_keep(node->left), node_delete(node->right, key));
}

/* ---- the table ---- */

static enum err memory_open(const char *rest, size_t cache_bytes, bool is_read_only, void **out_at,
                            struct why *why)
{
    struct memory *memory;

    (void)cache_bytes;
    if (rest[0] != '\0' || is_read_only) {
        return why_say(why, ERR_UNSUPPORTED, "bad_storage", "",
                       "The memory storage is written `memory:` and is never "
                       "opened read-only; use `rocksdb:DIR` for data that stays.");
    }
    memory = must(calloc(1, sizeof(*memory)));
    pthread_mutex_init(&memory->lock, NULL);
    *out_at = memory;
    return ERR_OK;
}

static void view_drop(struct view *view)
{
    for (int i = 0; i < STORAGE_FAMILIES_; i++) {
        node_drop(view->roots[i]);
    }
}

static void memory_close(void *at)
{
    struct memory *memory = at;

    view_drop(&memory->newest);
    while (memory->files != NULL) {
        struct file *next = memory->files->next;

        free(memory->files);
        memory->files = next;
    }
    pthread_mutex_destroy(&memory->lock);
    free(memory);
}

static void *memory_view_open(void *at)
{
    struct memory *memory = at;
    struct view *view = must(malloc(sizeof(*view)));

    pthread_mutex_lock(&memory->lock);
    for (int i = 0; i < STORAGE_FAMILIES_; i++) {
        view->roots[i] = node_keep(memory->newest.roots[i]);
    }
    pthread_mutex_unlock(&memory->lock);
    return view;
}

static void memory_view_close(void *at, void *view)
{
    (void)at;
    view_drop(view);
    free(view);
}

static struct node *root_keep(struct memory *memory, const struct view *view, enum storage_family family)
{
    struct node *root;

    if (view != NULL) {
        return node_keep(view->roots[family]);
    }
    pthread_mutex_lock(&memory->lock);
    root = node_keep(memory->newest.roots[family]);
    pthread_mutex_unlock(&memory->lock);
    return root;
}

static enum err memory_get(void *at, void *view, enum storage_family family, struct bytes key,
                           struct arena *arena, struct bytes *out_value)
{
    struct node *root = root_keep(at, view, family);
    const struct node *node = root;
    enum err err = ERR_ABSENT;
    int order;

    while (node != NULL) {
        order = bytes_compare(key, key_of(node));
        if (order == 0) {
            *out_value = arena_copy(arena, value_of(node));
            err = out_value->p == NULL ? ERR_NOMEM : ERR_OK;
            break;
        }
        node = order < 0 ? node->left : node->right;
    }
    node_drop(root);
    return err;
}

/* Gives false when `each` wants no more. */
static bool node_walk(const struct node *node, struct bytes from, struct bytes to,
                      bool (*each)(void *ctx, struct bytes key, struct bytes value), void *ctx)
{
    bool is_after, is_before;

    if (node == NULL) {
        return true;
    }
    is_after = bytes_compare(key_of(node), from) >= 0;
    is_before = to.n == 0 || bytes_compare(key_of(node), to) < 0;
    if (is_after && !node_walk(node->left, from, to, each, ctx)) {
        return false;
    }
    if (is_after && is_before && !each(ctx, key_of(node), value_of(node))) {
        return false;
    }
    return !is_before || node_walk(node->right, from, to, each, ctx);
}

static enum err memory_walk(void *at, void *view, enum storage_family family, struct bytes from,
                            struct bytes to, bool (*each)(void *ctx, struct bytes key, struct bytes value),
                            void *ctx)
{
    struct node *root = root_keep(at, view, family);

    node_walk(root, from, to, each, ctx);
    node_drop(root);
    return ERR_OK;
}

static enum err memory_write(void *at, const struct storage_change *changes, size_t n, bool is_synced)
{
    struct memory *memory = at;
    struct view before, after;

    (void)is_synced;
    before = memory->newest; /* one writer: nobody else changes it */
    for (int i = 0; i < STORAGE_FAMILIES_; i++) {
        after.roots[i] = node_keep(before.roots[i]);
    }
    for (size_t i = 0; i < n; i++) {
        struct node **root = &after.roots[changes[i].family], *old = *root;

        *root = changes[i].is_delete ? node_delete(old, changes[i].key)
                                     : node_put(old, changes[i].key, changes[i].value);
        node_drop(old);
    }
    pthread_mutex_lock(&memory->lock);
    memory->newest = after;
    pthread_mutex_unlock(&memory->lock);
    view_drop(&before);
    return ERR_OK;
}

static enum err memory_flush(void *at)
{
    (void)at;
    return ERR_OK;
}

static void memory_compact(void *at, struct storage_range range)
{
    (void)at;
    (void)range;
}

static uint64_t memory_disk_bytes(void *at)
{
    (void)at;
    return 0;
}

static enum err memory_checkpoint(void *at, const char *directory)
{
    (void)at;
    (void)directory;
    return ERR_UNSUPPORTED;
}

static const struct file *file_find(const struct memory *memory, const uint8_t hash[32])
{
    const struct file *file = memory->files;

    while (file != NULL && memcmp(file->hash, hash, sizeof(file->hash)) != 0) {
        file = file->next;
    }
    return file;
}

static enum err memory_file_put(void *at, const uint8_t hash[32], struct bytes data)
{
    struct memory *memory = at;
    struct file *file = must(malloc(sizeof(*file) + data.n));

    memcpy(file->hash, hash, sizeof(file->hash));
    file->n = data.n;
    if (data.n > 0) {
        memcpy(file->data, data.p, data.n);
    }
    pthread_mutex_lock(&memory->lock);
    if (file_find(memory, hash) == NULL) {
        file->next = memory->files;
        memory->files = file;
        file = NULL;
    }
    pthread_mutex_unlock(&memory->lock);
    free(file);
    return ERR_OK;
}

static enum err memory_file_get(void *at, const uint8_t hash[32], struct arena *arena, struct bytes *out_data)
{
    struct memory *memory = at;
    const struct file *file;

    pthread_mutex_lock(&memory->lock);
    file = file_find(memory, hash);
    pthread_mutex_unlock(&memory->lock);
    if (file == NULL) {
        return ERR_ABSENT;
    }
    *out_data = arena_copy(arena, (struct bytes){file->data, file->n});
    return out_data->p == NULL ? ERR_NOMEM : ERR_OK;
}

const struct storage_driver storage_memory = {
    .scheme = "memory",
    .open = memory_open,
    .close = memory_close,
    .view_open = memory_view_open,
    .view_close = memory_view_close,
    .get = memory_get,
    .walk = memory_walk,
    .write = memory_write,
    .flush = memory_flush,
    .compact = memory_compact,
    .disk_bytes = memory_disk_bytes,
    .checkpoint = memory_checkpoint,
    .file_put = memory_file_put,
    .file_get = memory_file_get,
};
