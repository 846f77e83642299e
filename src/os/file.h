/* SPDX-License-Identifier: Apache-2.0 */
/* file.h - files on their way in (whole, mapped, or streamed and inflated) and out (never half written).
 *
 * A path's content, not its name, says whether it is gzip or zstd. Out means: written aside, synced, renamed, and the
 * directory synced; after ERR_OK the new content is there whatever happens, else the old one is. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

enum {
    FILE_CHUNK_BYTES = 256 * 1024,     /* most that file_read gives at once */
    FILE_ZSTD_WINDOW_LOG_MAX = 27,     /* 128 MiB: what `zstd --long` writes; more would need an option */
};

/* ---- in: streamed ---- */

struct file_reader;

/* Errors: ERR_ABSENT, no such file; ERR_IO; ERR_NOMEM; why names path and remedy. */
MUST_USE enum err file_open(const char *path, struct file_reader **out_reader, struct why *why);
void file_close(struct file_reader *reader); /* NULL is allowed */
/* The next bytes, inflated; empty at the end. A loan until the next call. Errors: ERR_CORRUPT, the packed data are
 * damaged or cut short; ERR_IO. */
MUST_USE enum err file_read(struct file_reader *reader, struct bytes *out_chunk, struct why *why);
/* How much of the file (as it lies on disk) has been read, 0..1: for progress. 0 for what has no size. */
double file_share(const struct file_reader *reader);

/* ---- in: whole ---- */

/* Not inflated, into the arena. Errors: ERR_ABSENT, ERR_TOOBIG (over most_bytes), ERR_IO, ERR_NOMEM. */
MUST_USE enum err file_whole(const char *path, size_t most_bytes, struct arena *arena, struct bytes *out_content,
                             struct why *why);
/* Read-only map; an empty file gives {NULL, 0}. Errors: as file_whole. */
MUST_USE enum err file_map(const char *path, struct bytes *out_content, struct why *why);
void file_unmap(struct bytes content);
bool file_is_there(const char *path);

/* ---- out ---- */

/* mode: permission bits of the new file, such as 0600. Errors: ERR_FULL, ERR_IO: the old content is there. */
MUST_USE enum err file_write(const char *path, struct bytes content, unsigned mode, struct why *why);
MUST_USE enum err file_sync_directory(const char *path, struct why *why);
/* Makes a directory and its parents; ERR_OK when it is there. */
MUST_USE enum err file_make_directory(const char *path, unsigned mode, struct why *why);
