/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>

enum { TESTS_MAX = 256, SEEDS = 1000 };

static struct {
    const char *name;
    void (*run)(void);
    void (*property)(struct rng *rng);
} tests[TESTS_MAX];
static size_t tests_n;
static int failed_n, skipped_n, passed_n;
static bool is_skipped;
static uint64_t seed_now;

void test_register(const char *name, void (*run)(void), void (*property)(struct rng *rng))
{
    if (tests_n == TESTS_MAX) {
        abort();
    }
    tests[tests_n].name = name;
    tests[tests_n].run = run;
    tests[tests_n].property = property;
    tests_n++;
}

void test_check_near(double got, double wanted, double by, const char *file, int line)
{
    if (!(fabs(got - wanted) <= by)) {
        print_error("%.17g is not %.17g (+- %g)\n", got, wanted, by);
        _fail(file, line);
    }
}

void test_check_text(struct bytes got, struct bytes wanted, const char *file, int line)
{
    if (!bytes_equal(got, wanted)) {
        print_error("\"%.*s\" is not \"%.*s\"\n", (int)got.n, got.p, (int)wanted.n, wanted.p);
        _fail(file, line);
    }
}

void test_skip(const char *reason)
{
    printf("skipped: %s\n", reason);
    is_skipped = true;
    skip();
    abort();
}

static void run_one(void **state)
{
    size_t i = *(const size_t *)*state;
    const char *only = getenv("FALUN_SEED"), *many = getenv("FALUN_SEEDS");
    uint64_t seeds = many ? strtoull(many, NULL, 10) : SEEDS;

    if (tests[i].run != NULL) {
        tests[i].run();
        return;
    }
    for (uint64_t seed = 0; seed < seeds; seed++) {
        struct rng rng;

        seed_now = only ? strtoull(only, NULL, 10) : seed;
        rng.state = seed_now * 0x2545f4914f6cdd1du + 1;
        tests[i].property(&rng);
        if (only != NULL) {
            break;
        }
    }
}

/* Each test is a cmocka group of one: so each gets its own verdict to count. */
int main(int argc, char **argv)
{
    hash_start();
    cmocka_set_message_output(CM_OUTPUT_SUBUNIT);
    for (size_t i = 0; i < tests_n; i++) {
        const struct CMUnitTest unit = {tests[i].name, run_one, NULL, NULL, &i};
        int verdict;

        if (argc > 1 && strstr(tests[i].name, argv[1]) == NULL) {
            continue;
        }
        is_skipped = false;
        verdict = _cmocka_run_group_tests(tests[i].name, &unit, 1, NULL, NULL);
        if (verdict != 0) {
            failed_n++;
            if (tests[i].property != NULL) {
                printf("  failing seed: FALUN_SEED=%llu\n", (unsigned long long)seed_now);
            }
        } else if (is_skipped) {
            skipped_n++;
        } else {
            passed_n++;
        }
    }
    printf("cases: %d passed, %d failed, %d skipped\n", passed_n, failed_n, skipped_n);
    return failed_n > 0;
}
