/* SPDX-License-Identifier: Apache-2.0 */
/* storage_fault.h - planted failures, for tests: `fault:` (over memory) or `fault:URL` over another.
 *
 * Thread: any; a plan holds from the next write on. */
#pragma once

#include "storage/storage.h"

struct storage_fault_plan { /* all zero: nothing fails */
    uint64_t write_n;       /* which write fails, counted from 1 from now on; 0: none */
    bool is_for_ever;       /* and all after it */
    enum err err;           /* ERR_IO or ERR_FULL */
    bool is_kept;           /* ERR_IO only: the write happened all the same */
    bool is_holding;        /* instead: that write and all after it wait until another plan comes */
    bool is_corrupting;     /* files come back with one bit turned */
};

/* Sets the plan; `storage` must have been opened as `fault:`. */
void storage_fault_set(struct storage *storage, const struct storage_fault_plan *plan);
/* Writes asked for since open, failed ones included. */
uint64_t storage_fault_writes(struct storage *storage);
