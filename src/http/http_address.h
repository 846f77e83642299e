/* SPDX-License-Identifier: Apache-2.0 */
/* http_address.h - how many connections each address has, and which addresses are trusted proxies. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

#include <stdint.h>

struct sockaddr;
struct http_addresses;

struct http_address {
    uint8_t b[16]; /* IPv6, or IPv4 mapped into it; all zero: none */
};

struct http_address http_address_of(const struct sockaddr *from);
/* "10.0.0.1" or "fd00::1"; blanks around it are forgiven. Errors: ERR_INVALID. */
MUST_USE enum err http_address_parse(struct bytes text, struct http_address *out_address);
/* INET6_ADDRSTRLEN (46) bytes of room; "" for none. */
void http_address_format(const struct http_address *address, char out_text[46]);

/* Thread: any, for both. */
struct http_addresses *http_address_open(void);
void http_address_close(struct http_addresses *table);
/* Counts one more; false, and nothing counted, when that would be more than most. */
bool http_address_take(struct http_addresses *table, const struct http_address *address, size_t most);
void http_address_give(struct http_addresses *table, const struct http_address *address);
