/* SPDX-License-Identifier: Apache-2.0 */
/* api_form.h - application/x-www-form-urlencoded, as browsers send a form (WHATWG URL, 5.1).
 *
 *     struct api_form form = {body};
 *     while (api_form_next(&form, arena, &name, &value)) ...
 * A percent sign that begins no code stands for itself; a field without '=' has an empty value; empty fields between
 * two '&' are passed over. Names and values may hold any bytes. */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"

struct api_form {
    struct bytes left; /* what has not been read yet */
};

/* Gives the next field, decoded into the arena; false at the end, and when the arena is full. */
bool api_form_next(struct api_form *form, struct arena *arena, struct bytes *out_name,
                   struct bytes *out_value);
