/* SPDX-License-Identifier: Apache-2.0 */
/* cores.h - what this machine's processor can do for a training. */
#pragma once

#include <stddef.h>

/* Cores that may be used: 1 .. 64. */
size_t cores_n(void);
/* OpenBLAS 0.3.21 does not know newer processors and falls back to half their speed (models.md 17). Where AVX-512 is there
 * whole, and the system keeps its registers, this sets OPENBLAS_CORETYPE and starts the program anew, once: the
 * variable is read when the library loads. Returns when there is nothing to do. Call before any thread. */
void cores_choose(void);
