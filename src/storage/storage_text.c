/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/storage_text.h"

#include <assert.h>

#include <sodium.h>

enum { NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES };

static void nonce_of(uint8_t nonce[NONCE_BYTES], struct tenant_id tenant, uint8_t kind, const struct idh *idh)
{
    assert(NONCE_BYTES == sizeof(idh->b) + 8);
    memset(nonce, 0, NONCE_BYTES);
    memcpy(nonce, idh->b, sizeof(idh->b));
    put_be32(nonce + sizeof(idh->b), tenant.v);
    nonce[sizeof(idh->b) + 4] = kind;
}

struct bytes storage_text_seal(const uint8_t key[32], struct tenant_id tenant, uint8_t kind,
                               const struct idh *idh, struct bytes text, struct arena *arena)
{
    uint8_t nonce[NONCE_BYTES];
    unsigned char *sealed = arena_take(arena, text.n + STORAGE_TEXT_TAG_BYTES);

    if (sealed == NULL) {
        return (struct bytes){0};
    }
    nonce_of(nonce, tenant, kind, idh);
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, NULL, (const unsigned char *)text.p, text.n, NULL, 0,
                                               NULL, nonce, key);
    return (struct bytes){(const char *)sealed, text.n + STORAGE_TEXT_TAG_BYTES};
}

enum err storage_text_open(const uint8_t key[32], struct tenant_id tenant, uint8_t kind,
                           const struct idh *idh, struct bytes sealed, struct arena *arena,
                           struct bytes *out_text)
{
    uint8_t nonce[NONCE_BYTES];
    unsigned char *text;

    if (sealed.n == 0) {
        *out_text = (struct bytes){0};
        return ERR_OK;
    }
    if (sealed.n < STORAGE_TEXT_TAG_BYTES) {
        return ERR_CORRUPT;
    }
    text = arena_take(arena, sealed.n - STORAGE_TEXT_TAG_BYTES + 1);
    if (text == NULL) {
        return ERR_NOMEM;
    }
    nonce_of(nonce, tenant, kind, idh);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(text, NULL, NULL, (const unsigned char *)sealed.p,
                                                   sealed.n, NULL, 0, nonce, key) != 0) {
        return ERR_CORRUPT;
    }
    *out_text = (struct bytes){(const char *)text, sealed.n - STORAGE_TEXT_TAG_BYTES};
    return ERR_OK;
}
