/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/rules.h"

#include "picture/fold.h"
#include "profile/declared.h"

#include <assert.h>
#include <stddef.h>

/* storage and picture do not know each other; this room knows both and vouches for the layout. */
_Static_assert(sizeof(struct fold_event) == sizeof(struct storage_fold_event) &&
                   offsetof(struct fold_event, mid) == offsetof(struct storage_fold_event, mid) &&
                   offsetof(struct fold_event, body) == offsetof(struct storage_fold_event, body),
               "fold_event is laid out as storage_fold_event");

static enum err rules_fold(struct tenant_id tenant, struct bytes state, const struct storage_fold_event *events,
                           size_t events_n, struct arena *arena, struct bytes *out_state)
{
    const void *same = events;

    return fold_state(tenant, state, same, events_n, arena, out_state);
}

struct storage_rules rules_standard(void)
{
    return (struct storage_rules){
        .fold = rules_fold,
        .fold_version = FOLD_VERSION,
        .patch = declared_patch,
        .join = declared_join,
        .cut = declared_cut,
        .word = declared_word,
        .retract = fold_retract,
    };
}
