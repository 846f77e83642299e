/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes, in chunks whose size the first byte says: no fault of ours, and the same rows as in one piece. */
#include "ingest/import_csv.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint64_t sum, rows_n, header_n;
};

static void add(struct seen *seen, struct bytes text)
{
    for (size_t i = 0; i < text.n; i++) {
        seen->sum = seen->sum * 1099511628211u + (uint8_t)text.p[i];
    }
    seen->sum = seen->sum * 1099511628211u + 256;
}

static enum err on_header(void *ctx, const struct bytes *header, size_t n, struct why *why)
{
    struct seen *seen = ctx;

    (void)why;
    seen->header_n = n;
    for (size_t i = 0; i < n; i++) {
        add(seen, header[i]);
    }
    return ERR_OK;
}

static enum err on_row(void *ctx, const struct import_row *row, struct why *why)
{
    struct seen *seen = ctx;

    (void)why;
    seen->rows_n++;
    seen->sum += row->line;
    for (size_t i = 0; i < seen->header_n; i++) {
        add(seen, row->fields[i]);
    }
    return ERR_OK;
}

static void on_rejected(void *ctx, const struct import_rejected *rejected)
{
    struct seen *seen = ctx;

    seen->sum += rejected->line * 31;
}

static struct seen read_all(struct bytes text, size_t step)
{
    struct seen seen = {0};
    struct import_csv_calls calls = {on_header, on_row, on_rejected, &seen};
    static struct arena arena; /* kept: making one anew is most of a run */
    struct import_csv *csv;
    enum err err = ERR_OK;

    if (arena.most_bytes == 0) {
        arena_open(&arena, 4 << 20, 8 << 20);
    }
    arena_reset(&arena);
    csv = import_csv_open(&arena, ',', &calls);
    while (text.n > 0 && err == ERR_OK) {
        size_t n = step < text.n ? step : text.n;

        err = import_csv_feed(csv, (struct bytes){text.p, n}, NULL);
        text = (struct bytes){text.p + n, text.n - n};
    }
    if (err == ERR_OK && import_csv_end(csv, NULL) != ERR_OK) {
        seen.sum++;
    }
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text;
    struct seen whole, cut;

    if (size < 2) {
        return 0;
    }
    text = (struct bytes){(const char *)data + 1, size - 1};
    whole = read_all(text, text.n);
    cut = read_all(text, (size_t)data[0] + 1);
    if (whole.sum != cut.sum || whole.rows_n != cut.rows_n) {
        abort();
    }
    return 0;
}
