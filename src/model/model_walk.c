/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_walk.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define HAS_VECTORS 1
#include <immintrin.h>
#else
#define HAS_VECTORS 0
#endif

enum { FEATURE_BITS = 0x7fff, NAN_LEFT = 0x8000 };

_Static_assert(MODEL_TREE_DEPTH == 6 && MODEL_TREE_NODES == 63 && MODEL_TREE_LEAVES == 64,
               "the walks below unroll this");
_Static_assert(FEATURES % MODEL_SUM_LANES == 0, "whole vectors");

const char *model_walk_name(enum model_walk walk)
{
    static const char *const names[MODEL_WALKS_] = {"scalar", "AVX2", "AVX-512"};

    assert(walk < MODEL_WALKS_);
    return names[walk];
}

enum model_walk model_walk_best(void)
{
#if HAS_VECTORS
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl")) {
        return MODEL_WALK_AVX512;
    }
    if (__builtin_cpu_supports("avx2")) {
        return MODEL_WALK_AVX2;
    }
#endif
    return MODEL_WALK_SCALAR;
}

/* ---- scalar: the reference ---- */

static float sum_lanes(float lane[MODEL_SUM_LANES], float bias)
{
    for (size_t apart = MODEL_SUM_LANES / 2; apart > 0; apart /= 2) {
        for (size_t l = 0; l < apart; l++) {
            lane[l] += lane[l + apart];
        }
    }
    return lane[0] + bias;
}

static void sum_scalar(const struct model_rank *rank, const float *value, size_t n, float *out_margin)
{
    for (size_t i = 0; i < n; i++) {
        float lane[MODEL_SUM_LANES] = {0};

        for (size_t f = 0; f < FEATURES; f += MODEL_SUM_LANES) {
            for (size_t l = 0; l < MODEL_SUM_LANES; l++) {
                lane[l] += rank->weight[f + l] * value[i * FEATURES + f + l];
            }
        }
        out_margin[i] = sum_lanes(lane, rank->bias);
    }
}

void model_trees_walk_scalar(const struct model_tree *trees, size_t trees_n, float start, const float *value,
                             size_t n, float *out_margin)
{
    for (size_t i = 0; i < n; i++) {
        const float *row = value + i * FEATURES;
        float margin = start;

        for (size_t t = 0; t < trees_n; t++) {
            const struct model_tree *tree = &trees[t];
            size_t node = 0;

            for (int level = 0; level < MODEL_TREE_DEPTH; level++) {
                uint16_t feature = tree->feature[node];
                float v = row[feature & FEATURE_BITS];
                bool goes_left = isnan(v) ? (feature & NAN_LEFT) != 0 : v < tree->threshold[node];

                node = 2 * node + 2 - goes_left;
            }
            margin += tree->leaf[node - MODEL_TREE_NODES];
        }
        out_margin[i] = margin;
    }
}

#if HAS_VECTORS

/* ---- AVX2: 8 rows a vector, two vectors at a time ---- */

#define AVX2 __attribute__((target("avx2")))
#define AVX2_INLINE static inline __attribute__((target("avx2"), always_inline))

/* Eight features of eight rows, to columns `apart` floats from each other. */
AVX2_INLINE void turn8_avx2(const float *const from[8], size_t feature, float *to, size_t apart)
{
    __m256 r[8], s[8];

    for (size_t i = 0; i < 8; i++) {
        r[i] = _mm256_loadu_ps(from[i] + feature);
    }
    for (size_t i = 0; i < 8; i += 2) {
        s[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        s[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (size_t i = 0; i < 8; i += 4) {
        r[i] = _mm256_shuffle_ps(s[i], s[i + 2], 0x44);
        r[i + 1] = _mm256_shuffle_ps(s[i], s[i + 2], 0xee);
        r[i + 2] = _mm256_shuffle_ps(s[i + 1], s[i + 3], 0x44);
        r[i + 3] = _mm256_shuffle_ps(s[i + 1], s[i + 3], 0xee);
    }
    for (size_t i = 0; i < 4; i++) {
        _mm256_store_ps(to + i * apart, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
        _mm256_store_ps(to + (i + 4) * apart, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
    }
}

/* Lanes beyond the last row repeat it. */
AVX2_INLINE void turn_avx2(const float *value, size_t n, float *to, size_t lanes)
{
    for (size_t first = 0; first < lanes; first += 8) {
        const float *from[8];

        for (size_t i = 0; i < 8; i++) {
            size_t row = first + i;

            from[i] = value + (row < n ? row : n - 1) * FEATURES;
        }
        for (size_t f = 0; f < FEATURES; f += 8) {
            turn8_avx2(from, f, to + f * lanes + first, lanes);
        }
    }
}

struct columns_avx2 { /* 16 rows, feature by feature */
    _Alignas(32) float value[FEATURES][16];
    bool has_nan;
};

AVX2 static void columns_avx2(const float *value, size_t n, struct columns_avx2 *out_columns)
{
    __m256 is_nan = _mm256_setzero_ps();

    turn_avx2(value, n, out_columns->value[0], 16);
    for (size_t f = 0; f < FEATURES; f++) {
        is_nan = _mm256_or_ps(is_nan, _mm256_cmp_ps(_mm256_load_ps(out_columns->value[f]),
                                                    _mm256_load_ps(out_columns->value[f] + 8), _CMP_UNORD_Q));
    }
    out_columns->has_nan = _mm256_movemask_ps(is_nan) != 0;
}

struct pair_avx2 { /* of 16 rows */
    __m256 low, high;
};

AVX2_INLINE __m256 left_avx2(const float *v, __m256 threshold, __m256 nan_left, bool has_nan)
{
    __m256 x = _mm256_load_ps(v), left = _mm256_cmp_ps(x, threshold, _CMP_LT_OQ);

    return has_nan ? _mm256_or_ps(left, _mm256_and_ps(_mm256_cmp_ps(x, x, _CMP_UNORD_Q), nan_left)) : left;
}

/* What node n gives the rows when its two children give left and right. */
AVX2_INLINE struct pair_avx2 node_avx2(const struct model_tree *tree, const struct columns_avx2 *columns,
                                       bool has_nan, size_t n, struct pair_avx2 left, struct pair_avx2 right)
{
    uint16_t feature = tree->feature[n];
    const float *v = columns->value[feature & FEATURE_BITS];
    __m256 threshold = _mm256_broadcast_ss(&tree->threshold[n]);
    __m256 nan_left = _mm256_castsi256_ps(_mm256_set1_epi32(has_nan && (feature & NAN_LEFT) != 0 ? -1 : 0));

    return (struct pair_avx2){
        _mm256_blendv_ps(right.low, left.low, left_avx2(v, threshold, nan_left, has_nan)),
        _mm256_blendv_ps(right.high, left.high, left_avx2(v + 8, threshold, nan_left, has_nan))};
}

AVX2_INLINE struct pair_avx2 leaves_avx2(const struct model_tree *tree, const struct columns_avx2 *columns,
                                         bool has_nan, size_t n)
{
    __m256 left = _mm256_broadcast_ss(&tree->leaf[2 * n + 1 - MODEL_TREE_NODES]);
    __m256 right = _mm256_broadcast_ss(&tree->leaf[2 * n + 2 - MODEL_TREE_NODES]);

    return node_avx2(tree, columns, has_nan, n, (struct pair_avx2){left, left},
                     (struct pair_avx2){right, right});
}

/* All 63 nodes, from the leaves up: a tree is eight small ones, with one above them that chooses. */
AVX2_INLINE struct pair_avx2 tree_avx2(const struct model_tree *tree, const struct columns_avx2 *columns,
                                       bool has_nan)
{
    struct pair_avx2 below[8];

    for (size_t k = 0; k < 8; k++) {
        size_t n = 7 + k, child = 2 * n + 1, leaf = 2 * child + 1;

        below[k] = node_avx2(
            tree, columns, has_nan, n,
            node_avx2(tree, columns, has_nan, child, leaves_avx2(tree, columns, has_nan, leaf),
                      leaves_avx2(tree, columns, has_nan, leaf + 1)),
            node_avx2(tree, columns, has_nan, child + 1, leaves_avx2(tree, columns, has_nan, leaf + 2),
                      leaves_avx2(tree, columns, has_nan, leaf + 3)));
    }
    return node_avx2(
        tree, columns, has_nan, 0,
        node_avx2(tree, columns, has_nan, 1, node_avx2(tree, columns, has_nan, 3, below[0], below[1]),
                  node_avx2(tree, columns, has_nan, 4, below[2], below[3])),
        node_avx2(tree, columns, has_nan, 2, node_avx2(tree, columns, has_nan, 5, below[4], below[5]),
                  node_avx2(tree, columns, has_nan, 6, below[6], below[7])));
}

AVX2_INLINE void block_avx2(const struct model_tree *trees, size_t trees_n, float start,
                            const struct columns_avx2 *columns, bool has_nan, float margin[16])
{
    struct pair_avx2 sum = {_mm256_set1_ps(start), _mm256_set1_ps(start)};

    for (size_t t = 0; t < trees_n; t++) {
        struct pair_avx2 leaf = tree_avx2(&trees[t], columns, has_nan);

        sum = (struct pair_avx2){_mm256_add_ps(sum.low, leaf.low), _mm256_add_ps(sum.high, leaf.high)};
    }
    _mm256_storeu_ps(margin, sum.low);
    _mm256_storeu_ps(margin + 8, sum.high);
}

AVX2 static void walk_avx2(const struct model_tree *trees, size_t trees_n, float start, const float *value,
                           size_t n, float *out_margin)
{
    for (size_t i = 0; i < n; i += 16) {
        size_t rows = n - i < 16 ? n - i : 16;
        struct columns_avx2 columns;
        float margin[16];

        columns_avx2(value + i * FEATURES, rows, &columns);
        if (columns.has_nan) {
            block_avx2(trees, trees_n, start, &columns, true, margin);
        } else {
            block_avx2(trees, trees_n, start, &columns, false, margin);
        }
        memcpy(out_margin + i, margin, rows * sizeof(*margin));
    }
}

AVX2 static void sum_avx2(const struct model_rank *rank, const float *value, size_t n, float *out_margin)
{
    for (size_t i = 0; i < n; i++) {
        const float *row = value + i * FEATURES;
        __m256 low = _mm256_setzero_ps(), high = low;
        __m128 half;

        for (size_t f = 0; f < FEATURES; f += 16) {
            low = _mm256_add_ps(low,
                                _mm256_mul_ps(_mm256_loadu_ps(rank->weight + f), _mm256_loadu_ps(row + f)));
            high = _mm256_add_ps(
                high, _mm256_mul_ps(_mm256_loadu_ps(rank->weight + f + 8), _mm256_loadu_ps(row + f + 8)));
        }
        low = _mm256_add_ps(low, high);
        half = _mm_add_ps(_mm256_castps256_ps128(low), _mm256_extractf128_ps(low, 1));
        half = _mm_add_ps(half, _mm_movehl_ps(half, half));
        half = _mm_add_ss(half, _mm_shuffle_ps(half, half, 1));
        out_margin[i] = _mm_cvtss_f32(half) + rank->bias;
    }
}

/* ---- AVX-512: 16 rows a vector, two vectors at a time ---- */

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl")))
#define AVX512_INLINE static inline __attribute__((target("avx512f,avx512bw,avx512vl"), always_inline))

struct columns_avx512 { /* 32 rows, feature by feature */
    _Alignas(64) float value[FEATURES][32];
    bool has_nan;
};

AVX512 static void columns_avx512(const float *value, size_t n, struct columns_avx512 *out_columns)
{
    __mmask16 is_nan = 0;

    turn_avx2(value, n, out_columns->value[0], 32);
    for (size_t f = 0; f < FEATURES; f++) {
        is_nan =
            _mm512_kor(is_nan, _mm512_cmp_ps_mask(_mm512_load_ps(out_columns->value[f]),
                                                  _mm512_load_ps(out_columns->value[f] + 16), _CMP_UNORD_Q));
    }
    out_columns->has_nan = is_nan != 0;
}

struct pair_avx512 { /* of 32 rows */
    __m512 low, high;
};

AVX512_INLINE __mmask16 left_avx512(const float *v, __m512 threshold, __mmask16 nan_left, bool has_nan)
{
    __m512 x = _mm512_load_ps(v);
    __mmask16 left = _mm512_cmp_ps_mask(x, threshold, _CMP_LT_OQ);

    return has_nan ? _mm512_kor(left, _mm512_mask_cmp_ps_mask(nan_left, x, x, _CMP_UNORD_Q)) : left;
}

/* As node_avx2 and what follows it, twice as wide. */
AVX512_INLINE struct pair_avx512 node_avx512(const struct model_tree *tree,
                                             const struct columns_avx512 *columns, bool has_nan, size_t n,
                                             struct pair_avx512 left, struct pair_avx512 right)
{
    uint16_t feature = tree->feature[n];
    const float *v = columns->value[feature & FEATURE_BITS];
    __m512 threshold = _mm512_set1_ps(tree->threshold[n]);
    __mmask16 nan_left = has_nan && (feature & NAN_LEFT) != 0 ? 0xffff : 0;

    return (struct pair_avx512){
        _mm512_mask_mov_ps(right.low, left_avx512(v, threshold, nan_left, has_nan), left.low),
        _mm512_mask_mov_ps(right.high, left_avx512(v + 16, threshold, nan_left, has_nan), left.high)};
}

AVX512_INLINE struct pair_avx512 leaves_avx512(const struct model_tree *tree,
                                               const struct columns_avx512 *columns, bool has_nan, size_t n)
{
    __m512 left = _mm512_set1_ps(tree->leaf[2 * n + 1 - MODEL_TREE_NODES]);
    __m512 right = _mm512_set1_ps(tree->leaf[2 * n + 2 - MODEL_TREE_NODES]);

    return node_avx512(tree, columns, has_nan, n, (struct pair_avx512){left, left},
                       (struct pair_avx512){right, right});
}

AVX512_INLINE struct pair_avx512 tree_avx512(const struct model_tree *tree,
                                             const struct columns_avx512 *columns, bool has_nan)
{
    struct pair_avx512 below[8];

    for (size_t k = 0; k < 8; k++) {
        size_t n = 7 + k, child = 2 * n + 1, leaf = 2 * child + 1;

        below[k] = node_avx512(
            tree, columns, has_nan, n,
            node_avx512(tree, columns, has_nan, child, leaves_avx512(tree, columns, has_nan, leaf),
                        leaves_avx512(tree, columns, has_nan, leaf + 1)),
            node_avx512(tree, columns, has_nan, child + 1, leaves_avx512(tree, columns, has_nan, leaf + 2),
                        leaves_avx512(tree, columns, has_nan, leaf + 3)));
    }
    return node_avx512(
        tree, columns, has_nan, 0,
        node_avx512(tree, columns, has_nan, 1, node_avx512(tree, columns, has_nan, 3, below[0], below[1]),
                    node_avx512(tree, columns, has_nan, 4, below[2], below[3])),
        node_avx512(tree, columns, has_nan, 2, node_avx512(tree, columns, has_nan, 5, below[4], below[5]),
                    node_avx512(tree, columns, has_nan, 6, below[6], below[7])));
}

AVX512_INLINE void block_avx512(const struct model_tree *trees, size_t trees_n, float start,
                                const struct columns_avx512 *columns, bool has_nan, float margin[32])
{
    struct pair_avx512 sum = {_mm512_set1_ps(start), _mm512_set1_ps(start)};

    for (size_t t = 0; t < trees_n; t++) {
        struct pair_avx512 leaf = tree_avx512(&trees[t], columns, has_nan);

        sum = (struct pair_avx512){_mm512_add_ps(sum.low, leaf.low), _mm512_add_ps(sum.high, leaf.high)};
    }
    _mm512_storeu_ps(margin, sum.low);
    _mm512_storeu_ps(margin + 16, sum.high);
}

AVX512 static void walk_avx512(const struct model_tree *trees, size_t trees_n, float start,
                               const float *value, size_t n, float *out_margin)
{
    for (size_t i = 0; i < n; i += 32) {
        size_t rows = n - i < 32 ? n - i : 32;
        struct columns_avx512 columns;
        float margin[32];

        columns_avx512(value + i * FEATURES, rows, &columns);
        if (columns.has_nan) {
            block_avx512(trees, trees_n, start, &columns, true, margin);
        } else {
            block_avx512(trees, trees_n, start, &columns, false, margin);
        }
        memcpy(out_margin + i, margin, rows * sizeof(*margin));
    }
}

AVX512 static void sum_avx512(const struct model_rank *rank, const float *value, size_t n, float *out_margin)
{
    for (size_t i = 0; i < n; i++) {
        const float *row = value + i * FEATURES;
        __m512 lane = _mm512_setzero_ps();
        __m256 low;
        __m128 half;

        for (size_t f = 0; f < FEATURES; f += 16) {
            lane = _mm512_add_ps(lane,
                                 _mm512_mul_ps(_mm512_loadu_ps(rank->weight + f), _mm512_loadu_ps(row + f)));
        }
        low = _mm256_add_ps(_mm512_castps512_ps256(lane),
                            _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(lane), 1)));
        half = _mm_add_ps(_mm256_castps256_ps128(low), _mm256_extractf128_ps(low, 1));
        half = _mm_add_ps(half, _mm_movehl_ps(half, half));
        half = _mm_add_ss(half, _mm_shuffle_ps(half, half, 1));
        out_margin[i] = _mm_cvtss_f32(half) + rank->bias;
    }
}

#endif

/* ---- choosing ---- */

void model_walk_trees(enum model_walk walk, const struct model_tree *trees, size_t trees_n, float start,
                      const float *value, size_t n, float *out_margin)
{
    assert(walk <= model_walk_best());
#if HAS_VECTORS
    if (walk == MODEL_WALK_AVX512) {
        walk_avx512(trees, trees_n, start, value, n, out_margin);
        return;
    }
    if (walk == MODEL_WALK_AVX2) {
        walk_avx2(trees, trees_n, start, value, n, out_margin);
        return;
    }
#endif
    model_trees_walk_scalar(trees, trees_n, start, value, n, out_margin);
}

void model_trees_walk(const struct model_tree *trees, size_t trees_n, float start, const float *value,
                      size_t n, float *out_margin)
{
    model_walk_trees(model_walk_best(), trees, trees_n, start, value, n, out_margin);
}

void model_walk_sum(enum model_walk walk, const struct model_rank *rank, const float *value, size_t n,
                    float *out_margin)
{
    assert(walk <= model_walk_best());
#if HAS_VECTORS
    if (walk == MODEL_WALK_AVX512) {
        sum_avx512(rank, value, n, out_margin);
    } else if (walk == MODEL_WALK_AVX2) {
        sum_avx2(rank, value, n, out_margin);
    } else
#endif
    {
        sum_scalar(rank, value, n, out_margin);
    }
    for (size_t i = 0; i < n; i++) {
        out_margin[i] = isfinite(out_margin[i]) ? out_margin[i] : -1e6f;
    }
}
