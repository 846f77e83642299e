/* SPDX-License-Identifier: Apache-2.0 */
/* import_csv.h - rows of a CSV file (RFC 4180) out of chunks of any size; the same rows however it is cut.
 *
 * A field may be quoted; inside quotes a doubled quote is one, and the delimiter and line ends are text. A row ends with
 * LF or CRLF outside quotes. A byte order mark at the beginning and empty lines are passed over. The first row is
 * the header and sets the number of columns; a row of another number is rejected and reading goes on. Beyond
 * RFC 4180: a quote inside an unquoted field is text; anything between a closing quote and the delimiter is a
 * fault of that row.
 *
 * Rows that lie whole in a chunk are not copied. Speed: import_csv.c. A row over the limit whose
 * quote never closes ends the reading: no later row could be trusted. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

enum {
    IMPORT_CSV_FIELDS_MAX = 512,
    IMPORT_CSV_FIELD_BYTES_MAX = 65536,
    IMPORT_CSV_ROW_BYTES_MAX = 1 << 20,
};

struct import_row {
    uint64_t row;  /* from 1, the header not counted, rejected rows counted */
    uint64_t line; /* of the file, from 1, where the row begins */
    const struct bytes *fields; /* as many as the header: a loan until the callback returns */
};

struct import_rejected { /* one row that was not taken: a loan */
    uint64_t row, line;
    struct why why; /* field: the column's name */
};

struct import_csv_calls {
    /* The header; gives an error to stop (a column is missing). header is a loan: copy what you keep. */
    enum err (*header)(void *ctx, const struct bytes *header, size_t n, struct why *why);
    enum err (*row)(void *ctx, const struct import_row *row, struct why *why);
    void (*rejected)(void *ctx, const struct import_rejected *rejected);
    void *ctx;
};

struct import_csv;

/* delimiter: any byte but quote, CR and LF. Lives in `arena`: about IMPORT_CSV_ROW_BYTES_MAX. NULL: it is full. */
struct import_csv *import_csv_open(struct arena *arena, char delimiter, const struct import_csv_calls *calls);
/* Takes the next chunk; calls back for every row that ends in it. Errors: ERR_INVALID (an endless row, no usable
 * header) with why; what a callback gave. After an error only closing makes sense. */
MUST_USE enum err import_csv_feed(struct import_csv *csv, struct bytes chunk, struct why *why);
/* The file is over: its last row may lack a line end. Errors: as feed; ERR_INVALID, there was no header. */
MUST_USE enum err import_csv_end(struct import_csv *csv, struct why *why);
/* Rows seen, rejected ones included. */
uint64_t import_csv_rows_n(const struct import_csv *csv);
