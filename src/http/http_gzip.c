/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_gzip.h"

#include <limits.h>
#include <stdlib.h>

#include <zlib.h>

enum { GZIP_ONLY_WINDOW = 15 + 16, FIRST_BYTES = 4096 };

static enum err inflate_all(z_stream *stream, size_t most_bytes, char **room, size_t *out_n)
{
    size_t size = 0, n = 0;

    for (;;) {
        int code;

        if (n == size) {
            size_t grown = size == 0 ? FIRST_BYTES : size * 4;
            char *moved;

            /* One byte more than allowed: so that too much is seen as too much. */
            grown = grown > most_bytes + 1 ? most_bytes + 1 : grown;
            if (grown == size) {
                return ERR_TOOBIG;
            }
            moved = realloc(*room, grown);
            if (moved == NULL) {
                return ERR_NOMEM;
            }
            *room = moved;
            size = grown;
        }
        stream->next_out = (Bytef *)*room + n;
        stream->avail_out = (uInt)(size - n);
        code = inflate(stream, Z_NO_FLUSH);
        n = size - stream->avail_out;
        if (n > most_bytes) {
            return ERR_TOOBIG;
        }
        if (code == Z_STREAM_END) {
            *out_n = n;
            return stream->avail_in == 0 ? ERR_OK : ERR_INVALID;
        }
        if (code == Z_MEM_ERROR) {
            return ERR_NOMEM;
        }
        if (code != Z_OK || (stream->avail_in == 0 && stream->avail_out > 0)) {
            return ERR_INVALID;
        }
    }
}

enum err http_gzip_undo(struct bytes body, size_t most_bytes, struct bytes *out_body)
{
    z_stream stream = {0};
    char *room = NULL;
    size_t n = 0;
    enum err err;

    if (body.n > UINT_MAX || most_bytes >= UINT_MAX) {
        return ERR_TOOBIG;
    }
    if (inflateInit2(&stream, GZIP_ONLY_WINDOW) != Z_OK) {
        return ERR_NOMEM;
    }
    stream.next_in = (z_const Bytef *)(uintptr_t)body.p;
    stream.avail_in = (uInt)body.n;
    err = inflate_all(&stream, most_bytes, &room, &n);
    inflateEnd(&stream);
    if (err != ERR_OK) {
        free(room);
        return err;
    }
    *out_body = (struct bytes){room, n};
    return ERR_OK;
}
