/* SPDX-License-Identifier: Apache-2.0 */
/* rules.h - the pure functions that storage is handed at open: the one place where folding, declared
 * changes and consent words are introduced to it. */
#pragma once

#include "storage/storage.h"

struct storage_rules rules_standard(void);
