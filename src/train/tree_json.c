/* SPDX-License-Identifier: Apache-2.0 */
#include "train/tree_json.h"

#include "base/json_read.h"

#include <float.h>
#include <math.h>

enum { TREE_IDS = 2 * MODEL_TREE_NODES + 1 }; /* nodes and leaves of a full tree */

struct saved_tree { /* by XGBoost's node numbers; 0 is the root */
    size_t n;
    int64_t left[TREE_IDS], right[TREE_IDS], column[TREE_IDS]; /* left -1: a leaf */
    float value[TREE_IDS];                                     /* threshold, or what the leaf gives */
    double weight[TREE_IDS];
    bool nan_left[TREE_IDS];
};

static enum err bad(struct why *why, const char *what)
{
    return why_say(why, ERR_INVALID, "trees", "", "the saved trees cannot be walked: %s", what);
}

/* ---- reading ---- */

static bool read_ints(const struct json_node *tree, const char *key, int64_t least, int64_t most, size_t n,
                      int64_t *out_ints)
{
    const struct json_node *array = json_get(tree, key);
    const struct json_node *node = array != NULL ? array->first : NULL;

    for (size_t i = 0; i < n; i++, node = node->next) {
        if (node == NULL || !json_int(node, least, most, &out_ints[i])) {
            return false;
        }
    }
    return node == NULL;
}

static bool read_doubles(const struct json_node *tree, const char *key, size_t n, double *out_doubles)
{
    const struct json_node *array = json_get(tree, key);
    const struct json_node *node = array != NULL ? array->first : NULL;

    for (size_t i = 0; i < n; i++, node = node->next) {
        if (node == NULL || !json_double(node, -(double)FLT_MAX, (double)FLT_MAX, &out_doubles[i])) {
            return false;
        }
    }
    return node == NULL;
}

static bool read_tree(const struct json_node *node, size_t columns_n, struct saved_tree *out_tree)
{
    const struct json_node *left = json_get(node, "left_children");
    int64_t nan_left[TREE_IDS], kind[TREE_IDS];
    double value[TREE_IDS];
    size_t n = left != NULL && left->type == JSON_ARRAY ? left->children_n : 0;

    if (n == 0 || n > TREE_IDS || !read_ints(node, "left_children", -1, (int64_t)n - 1, n, out_tree->left) ||
        !read_ints(node, "right_children", -1, (int64_t)n - 1, n, out_tree->right) ||
        !read_ints(node, "split_indices", 0, (int64_t)columns_n - 1, n, out_tree->column) ||
        !read_ints(node, "default_left", 0, 1, n, nan_left) ||
        !read_ints(node, "split_type", 0, 0, n, kind) || !read_doubles(node, "split_conditions", n, value) ||
        !read_doubles(node, "sum_hessian", n, out_tree->weight)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        out_tree->nan_left[i] = nan_left[i] == 1;
        out_tree->value[i] = (float)value[i];
        if ((out_tree->left[i] < 0) != (out_tree->right[i] < 0) || out_tree->weight[i] < 0) {
            return false;
        }
    }
    out_tree->n = n;
    return true;
}

/* ---- padding ---- */

static double mean_below(const struct model_tree *tree, size_t at)
{
    return (double)(at < MODEL_TREE_NODES ? tree->mean[at] : tree->leaf[at - MODEL_TREE_NODES]);
}

/* Puts saved node `id` and all below it at place `at`. A path that is too long, a circle too, leaves the places of the tree. */
static bool place(const struct saved_tree *saved, const uint16_t *feature_of, size_t id, size_t at,
                  struct model_tree *tree)
{
    bool is_leaf = saved->left[id] < 0;
    size_t left = is_leaf ? id : (size_t)saved->left[id], right = is_leaf ? id : (size_t)saved->right[id];
    double left_weight = saved->weight[left], right_weight = saved->weight[right],
           sum = left_weight + right_weight, share;

    if (at >= MODEL_TREE_NODES) {
        if (is_leaf) {
            tree->leaf[at - MODEL_TREE_NODES] = saved->value[id];
        }
        return is_leaf;
    }
    tree->feature[at] =
        (uint16_t)(is_leaf ? 0 : feature_of[saved->column[id]] | (saved->nan_left[id] ? 0x8000 : 0));
    tree->threshold[at] = is_leaf ? 0 : saved->value[id];
    if (!place(saved, feature_of, left, 2 * at + 1, tree) ||
        !place(saved, feature_of, right, 2 * at + 2, tree)) {
        return false;
    }
    share = sum > 0 ? left_weight / sum : 0.5;
    tree->mean[at] =
        (float)(share * mean_below(tree, 2 * at + 1) + (1 - share) * mean_below(tree, 2 * at + 2));
    return true;
}

enum err tree_json_read(struct bytes json, const uint16_t *feature_of, size_t columns_n, size_t trees_most,
                        struct arena *rest, struct model_tree *out_trees, size_t *out_n, struct why *why)
{
    const struct json_node *root, *model, *trees;
    size_t n = 0;
    enum err err = json_read(rest, json, &root, why);

    if (err != ERR_OK) {
        return err == ERR_NOMEM ? err : bad(why, "they are no JSON that can be read");
    }
    model = json_get(json_get(json_get(root, "learner"), "gradient_booster"), "model");
    trees = json_get(model, "trees");
    if (trees == NULL || trees->type != JSON_ARRAY || trees->children_n > trees_most) {
        return bad(why, "there are none, or too many");
    }
    for (const struct json_node *node = trees->first; node != NULL; node = node->next) {
        struct saved_tree saved;

        if (!read_tree(node, columns_n, &saved)) {
            return bad(why, "a tree is not of the form that version 1.7 saves");
        }
        out_trees[n] = (struct model_tree){0};
        if (!place(&saved, feature_of, 0, 0, &out_trees[n])) {
            return bad(why, "a tree is deeper than 6");
        }
        n++;
    }
    *out_n = n;
    return ERR_OK;
}
