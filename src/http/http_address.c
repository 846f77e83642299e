/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_address.h"

#include "base/hash.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { BUCKETS = 4096 };

struct entry {
    struct http_address address;
    size_t n;
    struct entry *next;
};

struct http_addresses {
    pthread_mutex_t lock;
    uint64_t seed;
    struct entry *buckets[BUCKETS];
};

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct http_address http_address_of(const struct sockaddr *from)
{
    struct http_address address = {0};

    if (from->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)from;

        memcpy(address.b, mapped, sizeof(mapped));
        memcpy(address.b + 12, &in->sin_addr, 4);
    } else if (from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)from;

        memcpy(address.b, &in->sin6_addr, 16);
    }
    return address;
}

enum err http_address_parse(struct bytes text, struct http_address *out_address)
{
    char copy[INET6_ADDRSTRLEN];
    struct http_address address = {0};

    while (text.n > 0 && (text.p[0] == ' ' || text.p[0] == '\t')) {
        text = (struct bytes){text.p + 1, text.n - 1};
    }
    while (text.n > 0 && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\t')) {
        text.n--;
    }
    if (text.n == 0 || text.n >= sizeof(copy)) {
        return ERR_INVALID;
    }
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (inet_pton(AF_INET, copy, address.b + 12) == 1) {
        memcpy(address.b, mapped, sizeof(mapped));
    } else if (inet_pton(AF_INET6, copy, address.b) != 1) {
        return ERR_INVALID;
    }
    *out_address = address;
    return ERR_OK;
}

void http_address_format(const struct http_address *address, char out_text[46])
{
    static const struct http_address none;
    const char *text;

    out_text[0] = '\0';
    if (memcmp(address, &none, sizeof(none)) == 0) {
        return;
    }
    if (memcmp(address->b, mapped, sizeof(mapped)) == 0) {
        text = inet_ntop(AF_INET, address->b + 12, out_text, 46);
    } else {
        text = inet_ntop(AF_INET6, address->b, out_text, 46);
    }
    assert(text != NULL);
}

struct http_addresses *http_address_open(void)
{
    struct http_addresses *table = calloc(1, sizeof(*table));

    if (table == NULL) {
        abort();
    }
    pthread_mutex_init(&table->lock, NULL);
    return table;
}

void http_address_close(struct http_addresses *table)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        while (table->buckets[i] != NULL) {
            struct entry *next = table->buckets[i]->next;

            free(table->buckets[i]);
            table->buckets[i] = next;
        }
    }
    pthread_mutex_destroy(&table->lock);
    free(table);
}

/* Where the entry of that address hangs, or where it would. */
static struct entry **find(struct http_addresses *table, const struct http_address *address)
{
    struct entry **at = &table->buckets[hash_fast(address->b, sizeof(address->b), table->seed) % BUCKETS];

    while (*at != NULL && memcmp((*at)->address.b, address->b, sizeof(address->b)) != 0) {
        at = &(*at)->next;
    }
    return at;
}

bool http_address_take(struct http_addresses *table, const struct http_address *address, size_t most)
{
    struct entry **at;
    bool is_taken = false;

    pthread_mutex_lock(&table->lock);
    at = find(table, address);
    if (*at == NULL) {
        *at = calloc(1, sizeof(**at));
        if (*at != NULL) {
            (*at)->address = *address;
        }
    }
    if (*at != NULL && (*at)->n < most) {
        (*at)->n++;
        is_taken = true;
    }
    pthread_mutex_unlock(&table->lock);
    return is_taken;
}

void http_address_give(struct http_addresses *table, const struct http_address *address)
{
    struct entry **at, *gone;

    pthread_mutex_lock(&table->lock);
    at = find(table, address);
    assert(*at != NULL && (*at)->n > 0);
    if (--(*at)->n == 0) {
        gone = *at;
        *at = gone->next;
        free(gone);
    }
    pthread_mutex_unlock(&table->lock);
}
