/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate_lifetime.h - falun evaluate --protocol lifetime: how well BG/NBD says who comes back (evaluation.md 4.5). */
#pragma once

/* Reads its own options; gives the exit code. */
int evaluate_lifetime(int argc, char **argv);
