/* SPDX-License-Identifier: Apache-2.0 */
/* cores.h - what this machine's processor can do for a training. */
#pragma once

#include <stddef.h>

/* Cores that may be used: 1 .. 64. */
size_t cores_n(void);
/* Sets what libraries read from the environment when they load, and starts the program anew, once. OpenBLAS 0.3.21 does not know
 * newer processors and falls back to half their speed (models.md 17): OPENBLAS_CORETYPE, where AVX-512 is there whole and the
 * system keeps its registers. OpenMP's threads (XGBoost) wait by spinning, which beside a busy server made a training ten times
 * slower: OMP_WAIT_POLICY is passive. Returns when there is nothing to do. Call before any thread. */
void cores_choose(void);
/* Threads that OpenMP may have: as asked where they sleep while they wait, else 1. */
size_t cores_openmp(size_t threads);
