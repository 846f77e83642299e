/* SPDX-License-Identifier: Apache-2.0 */
#include "train/cores.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

size_t cores_n(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > 64 ? 64 : (size_t)n;
}

/* The compiler's check asks CPUID and XGETBV: the processor has it and the system saves it. */
static int has_avx512(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
    return 0;
#endif
}

/* The program anew with the arguments it was started with; when that cannot be, it goes on as it is. */
static void again(void)
{
    enum { ARGS_MAX = 256 };
    static char text[65536];
    char *args[ARGS_MAX + 1] = {NULL};
    FILE *file = fopen("/proc/self/cmdline", "rb");
    size_t n = file != NULL ? fread(text, 1, sizeof(text) - 1, file) : 0, args_n = 0;

    if (file != NULL) {
        fclose(file);
    }
    if (n == 0 || n == sizeof(text) - 1) {
        return;
    }
    for (size_t at = 0; at < n && args_n < ARGS_MAX; at += strlen(text + at) + 1) {
        args[args_n++] = text + at;
    }
    (void)execv("/proc/self/exe", args);
}

void cores_choose(void)
{
    bool is_changed = false;

    if (getenv("OPENBLAS_CORETYPE") == NULL && has_avx512()) {
        is_changed = setenv("OPENBLAS_CORETYPE", "SkylakeX", 1) == 0;
    }
    if (getenv("OMP_WAIT_POLICY") == NULL && setenv("OMP_WAIT_POLICY", "passive", 1) == 0) {
        is_changed = true;
    }
    if (is_changed) {
        again();
    }
}

size_t cores_openmp(size_t threads)
{
    const char *policy = getenv("OMP_WAIT_POLICY");

    return policy != NULL && strcasecmp(policy, "passive") == 0 ? threads : 1;
}
