/* SPDX-License-Identifier: Apache-2.0 */
#include "os/fetch.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fetch {
    CURL *curl;
    struct curl_slist *headers;
    char *base_url;
    char *reply; /* grows, kept over calls */
    size_t reply_n, reply_room;
    bool is_too_big;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        abort();
    }
}

static size_t on_bytes(char *from, size_t size, size_t n, void *ctx)
{
    struct fetch *fetch = ctx;
    size_t more = size * n;

    if (more > FETCH_REPLY_BYTES_MAX - fetch->reply_n) {
        fetch->is_too_big = true;
        return 0;
    }
    if (fetch->reply_n + more > fetch->reply_room) {
        size_t room = (fetch->reply_n + more) * 2;
        char *grown = realloc(fetch->reply, room);

        if (grown == NULL) {
            return 0;
        }
        fetch->reply = grown;
        fetch->reply_room = room;
    }
    memcpy(fetch->reply + fetch->reply_n, from, more);
    fetch->reply_n += more;
    return more;
}

static enum err set_up(struct fetch *fetch, const char *socket_path, const char *key)
{
    CURL *curl = fetch->curl;
    char line[512];

    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_MS);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)FETCH_CALL_MS);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, fetch);
    if (socket_path != NULL && curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path) != CURLE_OK) {
        return ERR_NOMEM;
    }
    if (fetch_header(fetch, "Content-Type: application/json") != ERR_OK || fetch_header(fetch, "Expect:") != ERR_OK) {
        return ERR_NOMEM;
    }
    if (key == NULL) {
        return ERR_OK;
    }
    snprintf(line, sizeof(line), "Authorization: Bearer %.400s", key);
    return fetch_header(fetch, line);
}

enum err fetch_open(const char *base_url, const char *socket_path, const char *key, struct fetch **out_fetch)
{
    struct fetch *fetch = calloc(1, sizeof(*fetch));
    enum err err = ERR_NOMEM;

    (void)pthread_once(&once, start);
    if (fetch == NULL) {
        return ERR_NOMEM;
    }
    fetch->curl = curl_easy_init();
    fetch->base_url = strdup(base_url);
    if (fetch->curl != NULL && fetch->base_url != NULL) {
        err = set_up(fetch, socket_path, key);
    }
    if (err != ERR_OK) {
        fetch_close(fetch);
        return err;
    }
    *out_fetch = fetch;
    return ERR_OK;
}

void fetch_close(struct fetch *fetch)
{
    if (fetch == NULL) {
        return;
    }
    curl_easy_cleanup(fetch->curl);
    curl_slist_free_all(fetch->headers);
    free(fetch->base_url);
    free(fetch->reply);
    free(fetch);
}

enum err fetch_header(struct fetch *fetch, const char *line)
{
    struct curl_slist *grown = curl_slist_append(fetch->headers, line);

    if (grown == NULL) {
        return ERR_NOMEM;
    }
    fetch->headers = grown;
    return ERR_OK;
}

enum err fetch_call(struct fetch *fetch, const char *method, const char *path, struct bytes body, struct arena *arena,
                    int *out_status, struct bytes *out_reply, struct why *why)
{
    struct bytes url = arena_format(arena, "%s%s", fetch->base_url, path);
    struct bytes reply;
    long status = 0;
    CURLcode code;

    if (url.p == NULL) {
        return ERR_NOMEM;
    }
    fetch->reply_n = 0;
    fetch->is_too_big = false;
    (void)curl_easy_setopt(fetch->curl, CURLOPT_URL, url.p);
    (void)curl_easy_setopt(fetch->curl, CURLOPT_HTTPHEADER, fetch->headers);
    if (strcmp(method, "GET") == 0) {
        (void)curl_easy_setopt(fetch->curl, CURLOPT_HTTPGET, 1L);
        (void)curl_easy_setopt(fetch->curl, CURLOPT_CUSTOMREQUEST, NULL);
    } else {
        (void)curl_easy_setopt(fetch->curl, CURLOPT_POST, 1L);
        (void)curl_easy_setopt(fetch->curl, CURLOPT_POSTFIELDS, body.n > 0 ? body.p : "");
        (void)curl_easy_setopt(fetch->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
        (void)curl_easy_setopt(fetch->curl, CURLOPT_CUSTOMREQUEST, method);
    }
    code = curl_easy_perform(fetch->curl);
    if (fetch->is_too_big) {
        return why_say(why, ERR_TOOBIG, "reply_too_big", "", "the reply has more than %d bytes; ask for less",
                       FETCH_REPLY_BYTES_MAX);
    }
    if (code != CURLE_OK) {
        return why_say(why, ERR_IO, "no_answer", "", "the server did not answer (%s); is it running, and is the address right?",
                       curl_easy_strerror(code));
    }
    (void)curl_easy_getinfo(fetch->curl, CURLINFO_RESPONSE_CODE, &status);
    reply = arena_copy(arena, (struct bytes){fetch->reply, fetch->reply_n});
    if (reply.p == NULL && fetch->reply_n > 0) {
        return ERR_NOMEM;
    }
    *out_status = (int)status;
    *out_reply = reply;
    return ERR_OK;
}
