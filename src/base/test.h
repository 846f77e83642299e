/* SPDX-License-Identifier: Apache-2.0 */
/* test.h - a thin header over cmocka: tests register themselves, properties run over many seeds.
 *
 *     TEST(name) { CHECK(x); CHECK_INT(a, b); CHECK_NEAR(x, y); CHECK_SAME_BYTES(&a, &b, n); }
 *     PROPERTY(name) { ... uses `rng` (struct rng *), a new seed each time ... }
 * A file x_test.c becomes one program. FALUN_SEEDS sets the number of seeds (1,000), FALUN_SEED runs
 * a single one. The last line of output is `cases: P passed, F failed, S skipped`. SKIP(reason) ends a
 * test as skipped with a printed reason. */
#pragma once

#include "base/bytes.h"
#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

void test_register(const char *name, void (*run)(void), void (*property)(struct rng *rng));

#define TEST(name)                                                                                 \
    static void name(void);                                                                        \
    __attribute__((constructor)) static void name##_register(void)                                 \
    {                                                                                              \
        test_register(#name, name, NULL);                                                          \
    }                                                                                              \
    static void name(void)

#define PROPERTY(name)                                                                             \
    static void name(struct rng *rng);                                                             \
    __attribute__((constructor)) static void name##_register(void)                                 \
    {                                                                                              \
        test_register(#name, NULL, name);                                                          \
    }                                                                                              \
    static void name(struct rng *rng)

#define CHECK(condition) assert_true(condition)
#define CHECK_OK(expression) assert_int_equal((int)(expression), 0)
#define CHECK_INT(got, wanted)                                                                     \
    _assert_int_equal((LargestIntegralType)(got), (LargestIntegralType)(wanted), __FILE__, __LINE__)
#define CHECK_NEAR(got, wanted) test_check_near((got), (wanted), 1e-9, __FILE__, __LINE__)
#define CHECK_WITHIN(got, wanted, by) test_check_near((got), (wanted), (by), __FILE__, __LINE__)
#define CHECK_TEXT(got_bytes, wanted_literal)                                                      \
    test_check_text((got_bytes), bytes_of(wanted_literal), __FILE__, __LINE__)
#define CHECK_SAME_BYTES(got, wanted, n) assert_memory_equal((got), (wanted), (n))
#define SKIP(reason) test_skip(reason)

void test_check_near(double got, double wanted, double by, const char *file, int line);
void test_check_text(struct bytes got, struct bytes wanted, const char *file, int line);
__attribute__((noreturn)) void test_skip(const char *reason);
