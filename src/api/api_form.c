/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_form.h"

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode(struct arena *arena, struct bytes text, struct bytes *out_text)
{
    char *out = arena_take(arena, text.n + 1);
    size_t n = 0;

    if (!out)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '%' && i + 2 < text.n && digit(text.p[i + 1]) >= 0 && digit(text.p[i + 2]) >= 0) {
            out[n++] = (char)(digit(text.p[i + 1]) << 4 | digit(text.p[i + 2]));
            i += 2;
        } else {
            out[n++] = text.p[i] == '+' ? ' ' : text.p[i];
        }
    }
    *out_text = (struct bytes){out, n};
    return true;
}

static struct bytes cut(struct bytes text, char at, struct bytes *out_rest)
{
    const char *found = text.n > 0 ? memchr(text.p, at, text.n) : NULL;
    size_t n = found ? (size_t)(found - text.p) : text.n;

    *out_rest = found ? (struct bytes){found + 1, text.n - n - 1} : (struct bytes){0};
    return (struct bytes){text.p, n};
}

bool api_form_next(struct api_form *form, struct arena *arena, struct bytes *out_name,
                   struct bytes *out_value)
{
    while (form->left.n > 0) {
        struct bytes field = cut(form->left, '&', &form->left), name, value;

        if (field.n == 0)
            continue;
        name = cut(field, '=', &value);
        return decode(arena, name, out_name) && decode(arena, value, out_value);
    }
    return false;
}
