/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/test.h"

TEST(arena_gives_zeroed_aligned_memory)
{
    struct arena arena;
    char *a, *b;

    arena_open(&arena, 64, 4096);
    a = arena_take(&arena, 3);
    b = arena_take(&arena, 1000); /* more than the first chunk holds */
    CHECK(a != NULL && b != NULL);
    CHECK_INT((uintptr_t)a % 16, 0);
    CHECK_INT((uintptr_t)b % 16, 0);
    for (size_t i = 0; i < 1000; i++) {
        CHECK_INT(b[i], 0);
    }
    CHECK_INT(arena.taken_bytes, 16 + 1008);
    arena_close(&arena);
}

TEST(arena_gives_zeroed_memory_again_after_reset)
{
    struct arena arena;
    char *a;

    arena_open(&arena, 64, 4096);
    a = arena_take(&arena, 32);
    memset(a, 'x', 32);
    (void)arena_take(&arena, 1000);
    arena_reset(&arena);
    CHECK_INT(arena.taken_bytes, 0);
    CHECK(arena_take(&arena, 32) == (void *)a);
    CHECK_INT(a[0] | a[31], 0);
    arena_close(&arena);
}

TEST(arena_remembers_that_its_limit_was_reached)
{
    struct arena arena;

    arena_open(&arena, 64, 128);
    CHECK(arena_take(&arena, 100) != NULL); /* 112 with alignment */
    CHECK(!arena_overflowed(&arena));
    CHECK(arena_take(&arena, 17) == NULL);
    CHECK(arena_overflowed(&arena));
    CHECK(arena_take(&arena, 16) != NULL); /* what still fits is given, and the memory of it stays */
    CHECK(arena_overflowed(&arena));
    arena_reset(&arena);
    CHECK(!arena_overflowed(&arena));
    arena_close(&arena);
}

TEST(arena_refuses_sizes_that_overflow)
{
    struct arena arena;

    arena_open(&arena, 64, 4096);
    CHECK(arena_array(&arena, SIZE_MAX / 16 + 2, 16) == NULL); /* the product wraps to 16 bytes */
    CHECK(arena_overflowed(&arena));
    arena_reset(&arena);
    CHECK(arena_take(&arena, SIZE_MAX) == NULL);
    CHECK(arena_overflowed(&arena));
    arena_close(&arena);
}

TEST(arena_copies_and_formats_text)
{
    struct arena arena;

    arena_open(&arena, 64, 64);
    CHECK_TEXT(arena_copy(&arena, BYTES_LIT("ski")), "ski");
    CHECK_TEXT(arena_format(&arena, "%s-%d", "ski", 42), "ski-42");
    CHECK_INT(arena_copy(&arena, (struct bytes){0}).n, 0);
    CHECK(arena_format(&arena, "%100d", 1).p == NULL);
    CHECK(arena_overflowed(&arena));
    arena_close(&arena);
}

/* What was taken never overlaps, whatever the sizes. */
PROPERTY(arena_never_gives_the_same_byte_twice)
{
    struct arena arena;
    unsigned char *taken[40];
    size_t n[40];

    arena_open(&arena, 64, 1 << 20);
    for (size_t i = 0; i < 40; i++) {
        n[i] = (size_t)rng_below(rng, 300);
        taken[i] = arena_take(&arena, n[i]);
        memset(taken[i], (int)i, n[i]);
    }
    for (size_t i = 0; i < 40; i++) {
        for (size_t j = 0; j < n[i]; j++) {
            CHECK_INT(taken[i][j], i);
        }
    }
    arena_close(&arena);
}
