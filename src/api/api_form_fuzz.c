/* SPDX-License-Identifier: Apache-2.0 */
/* Any body: fields never grow, and what is written into a page of them is text (html.h). */
#include "api/api_form.h"
#include "api/html.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char room[1 << 20];
    struct api_form form = {{(const char *)data, size}};
    struct bytes name, value, page;
    struct arena arena;
    struct html html;
    size_t all = 0;

    arena_open(&arena, 1 << 16, 1 << 24);
    html_open(&html, room, sizeof(room));
    while (api_form_next(&form, &arena, &name, &value)) {
        all += name.n + value.n;
        html_text(&html, name);
        html_title(&html, value);
        html_query(&html, value);
    }
    assert(all <= size);
    page = html_bytes(&html);
    for (size_t i = 0; i < page.n; i++)
        assert(page.p[i] != '<' && page.p[i] != '>' && page.p[i] != '"' && page.p[i] != '\'');
    arena_close(&arena);
    return 0;
}
