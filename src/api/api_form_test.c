/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_form.h"

#include "base/test.h"

#include <stdio.h>

/* All fields of a body as "name|value;". */
static struct bytes flat(struct arena *arena, struct bytes body)
{
    struct api_form form = {body};
    struct bytes name, value, all = {0};

    while (api_form_next(&form, arena, &name, &value))
        all = arena_format(arena, "%.*s%.*s|%.*s;", (int)all.n, all.p ? all.p : "", (int)name.n, name.p,
                           (int)value.n, value.p);
    return all;
}

TEST(api_form_reads_what_browsers_write)
{
    static const struct {
        const char *body, *fields;
    } cases[] = {
        {"", ""},
        {"a=1&b=2", "a|1;b|2;"},
        {"was=1&was=2", "was|1;was|2;"},
        {"customer=member%3A2375&look=a+b", "customer|member:2375;look|a b;"},
        {"a=%C3%A5%c3%a5", "a|\xc3\xa5\xc3\xa5;"},
        {"a", "a|;"},
        {"a=", "a|;"},
        {"=b", "|b;"},
        {"&&a=1&&", "a|1;"},
        {"a=b=c", "a|b=c;"},
        {"a=%&b=%4&c=%zz&d=%41", "a|%;b|%4;c|%zz;d|A;"},
    };
    struct arena arena;

    arena_open(&arena, 1 << 16, 1 << 16);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_TEXT(flat(&arena, bytes_of(cases[i].body)), cases[i].fields);
    arena_close(&arena);
}

/* What a browser encodes comes back, whatever it was. */
PROPERTY(api_form_gives_back_any_bytes)
{
    struct arena arena;
    char bytes[32], body[128] = "k=";
    size_t n = (size_t)rng_below(rng, sizeof(bytes) + 1), at = 2;
    struct api_form form;
    struct bytes name, value;

    for (size_t i = 0; i < n; i++) {
        bytes[i] = (char)rng_below(rng, 256);
        at += (size_t)snprintf(body + at, sizeof(body) - at, "%%%02X", (unsigned char)bytes[i]);
    }
    arena_open(&arena, 4096, 4096);
    form = (struct api_form){{body, at}};
    CHECK(api_form_next(&form, &arena, &name, &value));
    CHECK_INT(value.n, n);
    CHECK_SAME_BYTES(value.p, bytes, n);
    CHECK(!api_form_next(&form, &arena, &name, &value));
    arena_close(&arena);
}

TEST(api_form_stops_when_the_arena_is_full)
{
    static char long_value[8192];
    struct arena arena;
    struct api_form form = {{long_value, sizeof(long_value)}};
    struct bytes name, value;

    memset(long_value, 'a', sizeof(long_value));
    arena_open(&arena, 4096, 4096);
    CHECK(!api_form_next(&form, &arena, &name, &value));
    arena_close(&arena);
}
