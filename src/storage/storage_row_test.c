/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/storage_row.h"

#include "base/hash.h"
#include "base/test.h"
#include "storage/storage_text.h"

static struct arena arena;

static void begin(void)
{
    arena_close(&arena);
    arena_open(&arena, 1 << 16, 1 << 24);
}

static void check_hex(struct bytes row, const char *wanted)
{
    char hex[1024];

    CHECK(2 * row.n < sizeof(hex));
    hash_hex(row.p, row.n, hex);
    CHECK_TEXT(bytes_of(hex), wanted);
}

/* Stored for years: these bytes do not change. */
TEST(storage_row_vectors)
{
    struct storage_customer customer = {
        .revision = 3, .parts_n = 1, .members_n = 1, .declared = BYTES_LIT("D")};
    struct storage_part part = {.revision = 1, .customer = {5}, .kind = 8, .idh = {{0xaa}}, .used_ms = 10};
    struct storage_body later = {.has_base = true, .base = {{1}}, .body = BYTES_LIT("B")};

    begin();
    customer.parts[0].v = 5;
    customer.members[0] = (struct storage_member){.part = {5},
                                                  .kind = 8,
                                                  .idh = {{0xaa}},
                                                  .linked_ms = 10,
                                                  .source = BYTES_LIT("s"),
                                                  .text = BYTES_LIT("T")};
    check_hex(storage_row_customer(&customer, &arena),
              "01010103040800000000000000050"                                         /* revision, parts */
              "51f000000000000000508aa0000000000000000000000000000000014017301540601" /* one identifier */
              "44");
    part.fold_version = 1;
    part.state = BYTES_LIT("S");
    check_hex(storage_row_part(&part, &arena),
              "01010101030800000000000000050401080510aa00000000000000000000000000000006011407010108"
              "0153");
    check_hex(storage_row_ident(&(struct storage_ident){{5}, {6}, 0x0102, 7}, &arena),
              "010000000000000005000000000000000601020000000000000007");
    check_hex(storage_row_seen((struct part_id){5}, 20000, &arena), "000000000000000500004e20");
    check_hex(storage_row_receipt(&(struct storage_receipt){2, {0xbb}, {5}, 20000}, &arena),
              "0100000002bb000000000000000000000000000000000000000000000500004e20");
    check_hex(storage_row_body(&(struct storage_body){.body = BYTES_LIT("B")}, &arena), "0042");
    check_hex(storage_row_body(&later, &arena), "010100000000000000000000000000000042");
    check_hex(storage_row_conf(9, BYTES_LIT("R"), &arena), "000000000000000952");
}

static void draw_bytes(struct rng *rng, struct bytes *out)
{
    size_t n = (size_t)rng_below(rng, 300);
    char *p = arena_take(&arena, n + 1);

    for (size_t i = 0; i < n; i++) {
        p[i] = (char)rng_next(rng);
    }
    *out = (struct bytes){p, n};
}

static void draw_customer(struct rng *rng, struct storage_customer *customer)
{
    customer->revision = rng_next(rng) >> rng_below(rng, 64);
    customer->is_erased = rng_coin(rng);
    customer->joined_to.v = rng_coin(rng) ? rng_next(rng) >> 1 : 0;
    customer->parts_n = (size_t)rng_below(rng, STORAGE_PARTS_MAX + 1);
    customer->members_n = (size_t)rng_below(rng, STORAGE_PARTS_MAX + 1);
    draw_bytes(rng, &customer->declared);
    for (size_t i = 0; i < customer->parts_n; i++) {
        customer->parts[i].v = rng_next(rng) >> 1;
    }
    for (size_t i = 0; i < customer->members_n; i++) {
        struct storage_member *member = &customer->members[i];

        *member = (struct storage_member){.part = {rng_next(rng)},
                                          .kind = (uint8_t)rng_next(rng),
                                          .strength = (uint8_t)rng_next(rng),
                                          .linked_ms = (int64_t)rng_next(rng)};
        draw_bytes(rng, &member->source);
        draw_bytes(rng, &member->text);
    }
}

PROPERTY(storage_row_customer_comes_back_and_a_cut_one_never)
{
    struct storage_customer customer = {0}, back = {0};
    struct bytes row, again;
    uint64_t cut;

    begin();
    draw_customer(rng, &customer);
    row = storage_row_customer(&customer, &arena);
    CHECK(row.n > 0);
    CHECK_OK(storage_row_customer_decode(row, &back));
    again = storage_row_customer(&back, &arena);
    CHECK(bytes_equal(row, again));
    CHECK(back.parts_n == customer.parts_n && back.members_n == customer.members_n);
    CHECK(back.revision == customer.revision && back.joined_to.v == customer.joined_to.v);
    CHECK(bytes_equal(back.declared, customer.declared) && back.is_erased == customer.is_erased);
    for (size_t i = 0; i < back.members_n; i++) {
        CHECK_INT(back.members[i].linked_ms, customer.members[i].linked_ms);
        CHECK(bytes_equal(back.members[i].text, customer.members[i].text));
    }
    cut = rng_below(rng, row.n);
    row.n = (size_t)cut;
    if (storage_row_customer_decode(row, &back) ==
        ERR_OK) { /* cut between two fields: still one that encodes to it */
        CHECK(bytes_equal(storage_row_customer(&back, &arena), row));
    }
}

TEST(storage_row_of_a_newer_format_is_told_from_a_damaged_one)
{
    struct storage_customer customer;
    struct storage_part part;
    struct storage_ident ident;
    struct storage_receipt receipt;
    struct storage_body body;
    struct part_id seen;

    CHECK_INT(storage_row_customer_decode(BYTES_LIT("\x02"), &customer), ERR_UNSUPPORTED);
    CHECK_INT(storage_row_customer_decode(BYTES_LIT("\x01\x07\x01x"), &customer), ERR_UNSUPPORTED);
    CHECK_INT(storage_row_customer_decode((struct bytes){0}, &customer), ERR_CORRUPT);
    CHECK_INT(storage_row_customer_decode(BYTES_LIT("\x01\x03\x01x"), &customer), ERR_CORRUPT);
    CHECK_INT(storage_row_part_decode(BYTES_LIT("\x02"), &part), ERR_UNSUPPORTED);
    CHECK_INT(storage_row_part_decode(BYTES_LIT("\x01\x05\x01x"), &part), ERR_CORRUPT);
    CHECK_INT(storage_row_ident_decode(BYTES_LIT("\x01short"), &ident), ERR_CORRUPT);
    CHECK_INT(storage_row_receipt_decode(BYTES_LIT("\x01short"), &receipt), ERR_CORRUPT);
    CHECK_INT(storage_row_body_decode(BYTES_LIT("\x02"), &body), ERR_UNSUPPORTED);
    CHECK_INT(storage_row_body_decode(BYTES_LIT("\x01short"), &body), ERR_CORRUPT);
    CHECK_INT(storage_row_seen_decode(BYTES_LIT("short"), &seen), ERR_CORRUPT);
}

/* at 10, declared 11, received 14 and at 11, declared 11, received 19 are one sending; another id is not. */
TEST(storage_row_receipt_hash_leaves_out_what_each_sending_changes)
{
    uint8_t one[16], again[16], other[16], later[16], junk[16];

    storage_row_receipt_hash(BYTES_LIT("\x01\x03\x01\x14\x04\x01\x02\x05\x01\x08\x06\x01r"), one);
    storage_row_receipt_hash(BYTES_LIT("\x01\x03\x01\x16\x05\x01\x10\x06\x01r\x11\x01\x03"), again);
    storage_row_receipt_hash(BYTES_LIT("\x01\x03\x01\x14\x04\x01\x02\x05\x01\x08\x06\x01s"), other);
    storage_row_receipt_hash(BYTES_LIT("\x01\x03\x01\x18\x06\x01r"), later);
    storage_row_receipt_hash(BYTES_LIT("\x01\x03\x01"), junk);
    CHECK_SAME_BYTES(one, again, 16);
    CHECK(memcmp(one, other, 16) != 0);
    CHECK(memcmp(one, later, 16) != 0);
    CHECK(memcmp(one, junk, 16) != 0);
}

TEST(storage_text_opens_for_its_own_identifier_only)
{
    const struct tenant_id tenant = {1}, stranger = {2};
    const uint8_t key[32] = {9}, wrong[32] = {8};
    const struct idh idh = {{1, 2, 3}}, others = {{1, 2, 4}};
    struct bytes sealed, text;

    begin();
    sealed = storage_text_seal(key, tenant, 8, &idh, BYTES_LIT("kari@example.no"), &arena);
    CHECK_INT(sealed.n, strlen("kari@example.no") + STORAGE_TEXT_TAG_BYTES);
    CHECK(memcmp(sealed.p, "kari", 4) != 0);
    CHECK_OK(storage_text_open(key, tenant, 8, &idh, sealed, &arena, &text));
    CHECK_TEXT(text, "kari@example.no");
    CHECK_INT(storage_text_open(wrong, tenant, 8, &idh, sealed, &arena, &text), ERR_CORRUPT);
    CHECK_INT(storage_text_open(key, stranger, 8, &idh, sealed, &arena, &text), ERR_CORRUPT);
    CHECK_INT(storage_text_open(key, tenant, 7, &idh, sealed, &arena, &text), ERR_CORRUPT);
    CHECK_INT(storage_text_open(key, tenant, 8, &others, sealed, &arena, &text), ERR_CORRUPT);
    CHECK_INT(storage_text_open(key, tenant, 8, &idh, (struct bytes){sealed.p, 15}, &arena, &text),
              ERR_CORRUPT);
    CHECK_OK(storage_text_open(key, tenant, 8, &idh, (struct bytes){0}, &arena, &text));
    CHECK_INT(text.n, 0);
}
