/* SPDX-License-Identifier: Apache-2.0 */
/* err.h - the one enum of errors of the house, and what was wrong with what others sent.
 *
 * Three kinds of trouble are never mixed: our own mistake is an assert (always on), the world's is
 * an `enum err` handed up, and what others sent is an `enum err` with a `struct why` that names the
 * field, says what is wrong in a sentence that ends in a remedy, and carries a stable code. */
#pragma once

#include <stddef.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_at, args_at) __attribute__((format(printf, format_at, args_at)))

enum err {
    ERR_OK = 0,
    ERR_ABSENT,      /* no such thing: 404 */
    ERR_INVALID,     /* what others sent is not valid: 422 */
    ERR_NO_PASS,     /* consent or key says no; an ordinary outcome: 403 */
    ERR_STALE,       /* the lease or version was lost: 412 */
    ERR_CONFLICT,    /* the revision moved on, or the state forbids it: 409 */
    ERR_TOOBIG,      /* a stated limit was reached: 413 */
    ERR_FULL,        /* the disk is full; nothing was kept: 507 */
    ERR_BUSY,        /* too much at once, nothing was written; come again: 503 */
    ERR_IO,          /* reading or writing failed, OUTCOME UNKNOWN for writes: 503 */
    ERR_CORRUPT,     /* stored bytes are not what was written: 500 */
    ERR_NOMEM,       /* an arena or the machine is out of memory: 503 */
    ERR_UNSUPPORTED, /* a newer format, or a feature not built here: 422 */
    ERR_COUNT_
};

/* Gives the enum's word in lower case ("no_pass"); never NULL. */
const char *err_name(enum err err);
/* Gives the HTTP status an error has unless a problem code refines it. */
int err_status(enum err err);

/* What was wrong with what others sent. All zero: nothing said. Filled at the boundary only; never
 * holds a value of an identifier, a name or a key. */
struct why {
    char code[40];  /* stable word, e.g. "out_of_range" */
    char field[96]; /* JSON pointer ("/placements/0/n"), column or option; may be empty */
    char says[256]; /* a sentence in plain English that ends in a remedy */
};

/* Fills `why` (NULL is allowed and ignored); long texts are cut. Gives `err` back, so that a caller
 * can write: return why_say(why, ERR_INVALID, "bad_price", "/price", "price must be ...", ...). */
enum err why_say(struct why *why, enum err err, const char *code, const char *field,
                 const char *format, ...) PRINTF_LIKE(5, 6);
