/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/import_socket.h"

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/money.h"
#include "os/data_dir.h"
#include "os/fetch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* A body may have 1 MiB (product.md 7.10): batches close well before. */
enum { RECEIPTS_MOST = 500, ITEMS_MOST = 1000, BODY_BYTES_MOST = 700 * 1024, ARENA_BYTES_MOST = 64 << 20 };

struct import_socket {
    struct fetch *fetch;
    const struct import_map *map;
    enum import_kind kind;
    void (*rejected)(void *ctx, const struct import_rejected *rejected);
    void *ctx;
    struct import_tally tally;
    struct arena body, reply;
    struct json_write json;
    bool is_begun; /* the array of json is open */
    uint64_t rows[ITEMS_MOST], lines[ITEMS_MOST];
    size_t n;
};

enum err import_socket_open(const char *data_dir, const char *tenant, struct import_socket **out_socket, struct why *why)
{
    struct import_socket *socket = calloc(1, sizeof(*socket));
    char path[1100], header[200];
    struct bytes reply;
    int status = 0;
    enum err err;

    if (socket == NULL) {
        return ERR_NOMEM;
    }
    arena_open(&socket->body, 2 << 20, ARENA_BYTES_MOST);
    arena_open(&socket->reply, 2 << 20, ARENA_BYTES_MOST);
    data_dir_join(data_dir, "socket", path, sizeof(path));
    err = fetch_open("http://falun", path, NULL, &socket->fetch);
    if (err == ERR_OK) {
        snprintf(header, sizeof(header), "Falun-Tenant: %.150s", tenant);
        err = fetch_header(socket->fetch, header);
    }
    if (err == ERR_OK) {
        err = fetch_call(socket->fetch, "GET", "/readyz", (struct bytes){0}, &socket->reply, &status, &reply, NULL);
        if (err == ERR_OK && status != 200) {
            err = ERR_IO;
        }
    }
    if (err != ERR_OK) {
        import_socket_close(socket);
        /* why still says which process has the directory: what the caller was told when it could not be opened */
        return why != NULL && why->says[0] != '\0'
                   ? err
                   : why_say(why, err, "busy", "--data", "another process has %.100s and does not answer on its socket; wait "
                             "until it is done, or end it", data_dir);
    }
    *out_socket = socket;
    return ERR_OK;
}

void import_socket_close(struct import_socket *socket)
{
    if (socket == NULL) {
        return;
    }
    fetch_close(socket->fetch);
    arena_close(&socket->body);
    arena_close(&socket->reply);
    free(socket);
}

enum err import_socket_begin(struct import_socket *socket, const struct import_map *map, enum import_kind kind,
                             void (*rejected)(void *ctx, const struct import_rejected *rejected), void *ctx)
{
    assert(socket->n == 0);
    socket->map = map;
    socket->kind = kind;
    socket->rejected = rejected;
    socket->ctx = ctx;
    socket->tally = (struct import_tally){0};
    return ERR_OK;
}

struct import_tally import_socket_tally(const struct import_socket *socket)
{
    return socket->tally;
}

/* ---- replies ---- */

static enum err refuse(const struct json_node *root, int status, struct why *why)
{
    struct bytes detail = {0};

    (void)json_text(json_get(root, "detail"), &detail);
    return why_say(why, status == 507 ? ERR_FULL : status >= 500 ? ERR_BUSY : ERR_INVALID, "refused", "",
                   "the server answered %d: %.*s; what was sent before is kept, run the same command again", status,
                   (int)(detail.n < 120 ? detail.n : 120), detail.n > 0 ? detail.p : "");
}

static void take_verdict(struct import_socket *socket, size_t i, const struct json_node *verdict)
{
    struct import_rejected rejected = {.row = socket->rows[i], .line = socket->lines[i]};
    struct bytes word = {0}, detail = {0}, code = {0}, pointer = {0};

    (void)json_text(json_get(verdict, "verdict"), &word);
    if (bytes_equal(word, BYTES_LIT("accepted"))) {
        socket->tally.stored_n++;
    } else if (bytes_equal(word, BYTES_LIT("duplicate"))) {
        socket->tally.duplicate_n++;
    } else if (bytes_equal(word, BYTES_LIT("anonymous"))) {
        socket->tally.anonymous_n++;
    } else if (bytes_equal(word, BYTES_LIT("refused"))) {
        socket->tally.refused_n++;
    } else {
        char says[200], pointer_text[90], code_text[39];

        (void)json_text(json_get(verdict, "detail"), &detail);
        (void)json_text(json_get(verdict, "code"), &code);
        (void)json_text(json_get(verdict, "pointer"), &pointer);
        snprintf(says, sizeof(says), "%.*s", (int)(detail.n < 199 ? detail.n : 199), detail.n > 0 ? detail.p : "");
        snprintf(code_text, sizeof(code_text), "%.*s", (int)(code.n < 38 ? code.n : 38), code.n > 0 ? code.p : "");
        snprintf(pointer_text, sizeof(pointer_text), "%.*s", (int)(pointer.n < 89 ? pointer.n : 89),
                 pointer.n > 0 ? pointer.p : "");
        (void)why_say(&rejected.why, ERR_INVALID, code_text, pointer_text, "%s", says);
        socket->tally.faulty_n++;
        socket->rejected(socket->ctx, &rejected);
    }
}

static enum err send_batch(struct import_socket *socket, struct why *why)
{
    const char *path = socket->kind == IMPORT_KIND_RECEIPTS ? "/v1/receipts" : "/v1/items";
    const struct json_node *root, *results;
    struct bytes body, reply;
    int status;
    enum err err;

    json_write_end(&socket->json);
    body = json_write_bytes(&socket->json);
    if (body.p == NULL) {
        return ERR_NOMEM;
    }
    arena_reset(&socket->reply);
    err = fetch_call(socket->fetch, "POST", path, body, &socket->reply, &status, &reply, why);
    if (err != ERR_OK) {
        return err;
    }
    if (json_read(&socket->reply, reply, &root, NULL) != ERR_OK) {
        root = NULL;
    }
    results = json_get(root, "results");
    if (status != 200 || results == NULL || results->type != JSON_ARRAY) {
        return refuse(root, status, why);
    }
    for (const struct json_node *one = results->first; one != NULL && one->index < socket->n; one = one->next) {
        take_verdict(socket, one->index, one);
    }
    return ERR_OK;
}

enum err import_socket_flush(struct import_socket *socket, struct why *why)
{
    enum err err = ERR_OK;

    if (socket->is_begun) {
        err = send_batch(socket, why);
    }
    socket->is_begun = false;
    socket->n = 0;
    arena_reset(&socket->body);
    return err;
}

/* ---- receipts and rows ---- */

static enum err make_room(struct import_socket *socket, size_t most, struct why *why)
{
    if (socket->is_begun && (socket->n == most || socket->json.n > BODY_BYTES_MOST)) {
        enum err err = import_socket_flush(socket, why);

        if (err != ERR_OK) {
            return err;
        }
    }
    if (!socket->is_begun) {
        json_write_open(&socket->json, &socket->body, 1 << 20);
        json_write_array(&socket->json, NULL);
        socket->is_begun = true;
    }
    return ERR_OK;
}

static void write_decimal(struct json_write *w, const char *key, int64_t value, int exponent)
{
    char text[MONEY_TEXT_BYTES];
    size_t n = money_format(value, exponent, text);

    json_write_raw(w, key, (struct bytes){text, n});
}

static void write_customer(struct json_write *w, const struct event *event)
{
    json_write_object(w, "customer");
    json_write_object(w, "ids");
    for (size_t i = 0; i < event->identifiers_n; i++) {
        struct bytes value = event->identifiers[i].value;
        const char *colon = event->identifiers[i].kind == IDENTIFIER_X ? memchr(value.p, ':', value.n) : NULL;

        if (colon != NULL) {
            char name[80];
            int n = snprintf(name, sizeof(name), "x-%.*s", (int)(colon - value.p), value.p);

            json_write_key(w, (struct bytes){name, (size_t)n});
            json_write_text(w, NULL, (struct bytes){colon + 1, (size_t)(value.p + value.n - colon - 1)});
        } else {
            json_write_text(w, event_identifier_word(event->identifiers[i].kind), value);
        }
    }
    json_write_end(w);
    json_write_end(w);
}

/* What the map does not grant is not granted by the gate either: as in import_store's door. */
static void write_consent(struct json_write *w, uint16_t purposes)
{
    json_write_object(w, "consent");
    for (int i = PURPOSE_STORE; i <= PURPOSE_MEASURE; i++) {
        if ((purposes >> i & 1) == 0) {
            json_write_bool(w, event_purpose_word((enum purpose)i), false);
        }
    }
    json_write_end(w);
}

enum err import_socket_receipt(struct import_socket *socket, const struct import_receipt *receipt, struct why *why)
{
    const struct event *event = receipt->event;
    int exponent = money_exponent(socket->map->currency);
    struct json_write *w = &socket->json;
    enum err err = make_room(socket, RECEIPTS_MOST, why);

    if (err != ERR_OK) {
        return err;
    }
    json_write_object(w, NULL);
    json_write_text(w, "id", event->id);
    json_write_text(w, "source", event->source);
    json_write_time(w, "at", event->at_ms);
    if (event->store_text.n > 0) {
        json_write_text(w, "store", event->store_text);
    }
    if (event->currency[0] != '\0') {
        json_write_text(w, "currency", bytes_of(event->currency));
    }
    /* settled.md 1.10: without the map's consent lines come in anonymous. */
    if (event->identifiers_n > 0 && (socket->map->purposes >> PURPOSE_STORE & 1) != 0) {
        write_customer(w, event);
    }
    write_consent(w, socket->map->purposes);
    if (event->channel != CHANNEL_NONE) {
        json_write_word(w, "channel", event_channel_word(event->channel));
    }
    write_decimal(w, "total", event->total_minor, exponent);
    json_write_array(w, "lines");
    for (size_t i = 0; i < event->lines_n; i++) {
        json_write_object(w, NULL);
        json_write_text(w, "item", event->lines[i].item_text);
        write_decimal(w, "quantity", event->lines[i].quantity_milli, 3);
        write_decimal(w, "paid", event->lines[i].paid_minor, exponent);
        json_write_end(w);
    }
    json_write_end(w);
    json_write_end(w);
    socket->rows[socket->n] = receipt->last_row;
    socket->lines[socket->n++] = receipt->first_line;
    return ERR_OK;
}

static enum err put_store(struct import_socket *socket, struct bytes id, struct bytes json, uint64_t row, struct why *why)
{
    char path[3 * 256 + 32] = "/v1/stores/";
    size_t n = strlen(path);
    const struct json_node *root;
    struct bytes reply;
    int status;
    enum err err;

    for (size_t i = 0; i < id.n && n + 4 < sizeof(path); i++) {
        n += (size_t)snprintf(path + n, sizeof(path) - n, "%%%02X", (unsigned)(unsigned char)id.p[i]);
    }
    arena_reset(&socket->reply);
    err = fetch_call(socket->fetch, "PUT", path, json, &socket->reply, &status, &reply, why);
    if (err != ERR_OK) {
        return err;
    }
    if (json_read(&socket->reply, reply, &root, NULL) != ERR_OK) {
        root = NULL;
    }
    if (status >= 500) {
        return refuse(root, status, why);
    }
    if (status >= 300) {
        struct import_rejected rejected = {.row = row};

        (void)refuse(root, status, &rejected.why);
        socket->tally.faulty_n++;
        socket->rejected(socket->ctx, &rejected);
    } else {
        socket->tally.stored_n++;
    }
    return ERR_OK;
}

enum err import_socket_row(struct import_socket *socket, struct bytes id, struct bytes json, uint64_t row, struct why *why)
{
    enum err err;

    if (socket->kind == IMPORT_KIND_STORES) {
        return put_store(socket, id, json, row, why);
    }
    err = make_room(socket, ITEMS_MOST, why);
    if (err != ERR_OK) {
        return err;
    }
    json_write_raw(&socket->json, NULL, json);
    socket->rows[socket->n] = row;
    socket->lines[socket->n++] = row + 1; /* rows of items have no line breaks inside, as a rule */
    return ERR_OK;
}
