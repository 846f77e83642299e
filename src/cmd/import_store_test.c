/* SPDX-License-Identifier: Apache-2.0 */
/* An import into storage as far as a customer and an operator notice it: once, resumable, with consent or nameless. */
#include "cmd/import_store.h"

#include "base/hash.h"
#include "base/test.h"
#include "cmd/rules.h"
#include "identity/identifier.h"
#include "profile/declared.h"
#include "storage/storage_wait.h"
#include "train/from_storage.h"

#include <stdio.h>

enum { RECEIPTS = 300 };

static struct data data;
static struct arena arena;
static uint64_t rejected_n;
static const char *customers = "m"; /* what their numbers stand behind */

static int64_t now_ms(void *ctx)
{
    (void)ctx;
    return INT64_C(1795000000000);
}

static uint64_t chance(void *ctx)
{
    static struct rng rng = {7};

    (void)ctx;
    return rng_next(&rng);
}

static void open_storage(void)
{
    struct storage_options options = {.rules = rules_standard(), .now_ms = now_ms, .chance = chance};

    hash_start();
    memset(options.secret, 5, sizeof(options.secret));
    arena_open(&arena, 1 << 20, 64 << 20);
    CHECK_OK(storage_open("memory:", &options, &data.storage, NULL));
    CHECK_OK(loop_open(&data.loop));
    rejected_n = 0;
}

static void close_storage(void)
{
    storage_close(data.storage);
    loop_close(data.loop);
    arena_close(&arena);
}

static void on_rejected(void *ctx, const struct import_rejected *rejected)
{
    (void)ctx;
    (void)rejected;
    rejected_n++;
}

static const struct import_map *map_by(const char *consent, const char *kind)
{
    char text[512];
    const struct import_map *map;

    snprintf(text, sizeof(text), "source = till\n%sid = r\nat = w\nitem = i\ncustomer.%s = m\n", consent, kind);
    CHECK_OK(import_map_read(bytes_of(text), &arena, &map, NULL));
    return map;
}

static const struct import_map *map_of(const char *consent)
{
    return map_by(consent, "member");
}

static enum err on_receipt(void *ctx, const struct import_receipt *receipt, struct why *why)
{
    return import_store_receipt(ctx, receipt, why);
}

/* Imports receipts 0 .. until - 1 of the same file of RECEIPTS; the flush says whether it was whole. */
static enum err import(const struct import_map *map, int until, int64_t shift_days, struct import_tally *out_tally,
                       struct import_mark *out_mark)
{
    struct import_store_options options = {.map = map,
                                           .data = &data,
                                           .tenant = {1},
                                           .kind = IMPORT_KIND_RECEIPTS,
                                           .file_hash = {1, 2, 3},
                                           .shift_days = shift_days,
                                           .now_ms = now_ms(NULL),
                                           .rejected = on_rejected};
    struct import_receipt_options reading = {.shift_days = shift_days, .receipt = on_receipt};
    struct arena job = {0};
    struct import_store *store;
    struct import_receipts *receipts;
    struct why why = {0};
    enum err err = import_store_open(&options, &store, &why);
    char line[128];

    if (err != ERR_OK) {
        return err;
    }
    *out_mark = import_store_mark(store);
    arena_open(&job, 8 << 20, 64 << 20);
    reading.ctx = store;
    receipts = import_receipt_open(&job, map, &reading);
    CHECK_OK(import_receipt_feed(receipts, BYTES_LIT("r,w,i,m\n"), &why));
    for (int i = 0; i < until; i++) {
        int n = snprintf(line, sizeof(line), "r%d,2026-01-%02d 10:00:00,a,%s%d\nr%d,2026-01-%02d 10:00:00,b,%s%d\n", i,
                         1 + i % 28, customers, i % 10, i, 1 + i % 28, customers, i % 10);

        CHECK_OK(import_receipt_feed(receipts, (struct bytes){line, (size_t)n}, &why));
    }
    CHECK_OK(import_receipt_end(receipts, &why));
    err = import_store_flush(store, until == RECEIPTS, &why);
    *out_tally = import_store_tally(store);
    import_store_close(store);
    arena_close(&job);
    return err;
}

static bool is_known(const char *member, struct storage_identity *out_identity)
{
    struct storage_identifier identifier = {IDENTIFIER_MEMBER, bytes_of(member)};

    CHECK_OK(storage_wait_identify(data.storage, data.loop, (struct tenant_id){1}, &identifier, 1, false,
                                   BYTES_LIT("test"), out_identity));
    return out_identity->how == STORAGE_FOUND;
}

TEST(import_store_goes_on_where_it_stopped_and_repeats_nothing)
{
    struct import_tally tally;
    struct import_mark mark;
    const struct import_map *map, *other;

    open_storage();
    map = map_of("consent = store personalise measure\n");
    CHECK_OK(import(map, 100, 0, &tally, &mark));
    CHECK(!mark.is_known);
    CHECK_INT(tally.stored_n, 100);
    CHECK_OK(import(map, RECEIPTS, 0, &tally, &mark));
    CHECK_INT(mark.rows_n, 200);
    CHECK(!mark.is_whole);
    CHECK_INT(tally.stored_n, RECEIPTS - 100);
    CHECK_INT(tally.duplicate_n, 0); /* passed over, not offered again */
    CHECK_OK(import(map, RECEIPTS, 0, &tally, &mark));
    CHECK(mark.is_whole);
    CHECK_INT(tally.stored_n, 0);
    /* Another map is another import: every receipt is met again and known. */
    other = map_of("consent = store personalise measure\n; changed\n");
    CHECK_OK(import(other, RECEIPTS, 0, &tally, &mark));
    CHECK(!mark.is_known);
    CHECK_INT(tally.stored_n, 0);
    CHECK_INT(tally.duplicate_n, RECEIPTS);
    CHECK_INT(rejected_n, 0);
    close_storage();
}

/* settled.md 5.5 */
TEST(import_store_refuses_the_same_file_with_another_shift)
{
    struct import_tally tally;
    struct import_mark mark;
    const struct import_map *map;

    open_storage();
    map = map_of("consent = store\n");
    CHECK_OK(import(map, 10, 30, &tally, &mark));
    CHECK_INT(import(map, RECEIPTS, 31, &tally, &mark), ERR_CONFLICT);
    CHECK_INT(import(map, RECEIPTS, 0, &tally, &mark), ERR_CONFLICT);
    CHECK_OK(import(map, RECEIPTS, 30, &tally, &mark));
    close_storage();
}

static size_t learnt_from(void)
{
    struct history history;
    size_t n;

    CHECK_OK(history_from_storage(data.storage, (struct tenant_id){1}, now_ms(NULL), &history));
    n = history.baskets_n;
    history_close(&history);
    return n;
}

/* P7: what is kept for other purposes is no lesson, though nobody refused anything. */
TEST(import_store_teaches_what_may_personalise)
{
    struct import_tally tally;
    struct import_mark mark;

    open_storage();
    CHECK_OK(import(map_of("consent = store measure\n"), RECEIPTS, 0, &tally, &mark));
    CHECK_INT(tally.stored_n, RECEIPTS);
    CHECK_INT(learnt_from(), 0);
    close_storage();
    open_storage();
    CHECK_OK(import(map_of("consent = store personalise\n"), RECEIPTS, 0, &tally, &mark));
    CHECK_INT(learnt_from(), RECEIPTS);
    close_storage();
    open_storage();
    CHECK_OK(import(map_of(""), RECEIPTS, 0, &tally, &mark)); /* nameless */
    CHECK_INT(learnt_from(), RECEIPTS);
    close_storage();
}

/* P7, settled.md 1.10: what the map says is recorded once; without it nobody becomes known. */
TEST(import_store_records_the_consent_of_the_map)
{
    struct import_tally tally;
    struct import_mark mark;
    struct storage_identity identity;

    open_storage();
    CHECK_OK(import(map_of("consent = store measure\n"), RECEIPTS, 0, &tally, &mark));
    CHECK_INT(tally.consents_n, 10);
    CHECK(is_known("m3", &identity));
    CHECK_INT(consent_word_get(identity.consent_word, PURPOSE_STORE), CONSENT_GRANTED);
    CHECK_INT(consent_word_get(identity.consent_word, PURPOSE_MEASURE), CONSENT_GRANTED);
    CHECK_INT(consent_word_get(identity.consent_word, PURPOSE_PERSONALISE), CONSENT_UNSAID);
    close_storage();
}

TEST(import_store_without_consent_keeps_nobody)
{
    struct import_tally tally;
    struct import_mark mark;
    struct storage_identity identity;

    open_storage();
    CHECK_OK(import(map_of(""), RECEIPTS, 0, &tally, &mark));
    CHECK_INT(tally.anonymous_n, RECEIPTS);
    CHECK_INT(tally.stored_n, 0);
    CHECK_INT(tally.consents_n, 0);
    CHECK(!is_known("m3", &identity));
    close_storage();
}

/* P7: a file never overrules a person. */
TEST(import_store_does_not_overrule_a_refusal)
{
    struct storage_identifier identifier = {IDENTIFIER_MEMBER, BYTES_LIT("m3")};
    struct consent_statement refusal = {.purpose = PURPOSE_STORE, .state = CONSENT_REFUSED, .at_ms = 1000, .received_ms = 1000};
    struct storage_identity identity;
    struct storage_updated updated;
    struct import_tally tally;
    struct import_mark mark;
    uint8_t room[256];
    struct pack change = pack_into(room, sizeof(room));

    open_storage();
    CHECK_OK(storage_wait_identify(data.storage, data.loop, (struct tenant_id){1}, &identifier, 1, true, BYTES_LIT("web"),
                                   &identity));
    pack_u8(&change, DECLARED_CONSENTS);
    consent_change_encode(&refusal, 1, &change);
    CHECK_OK(storage_wait_update(data.storage, data.loop, (struct storage_key){{1}, identity.customer}, UINT64_MAX,
                                 pack_bytes(&change), NULL, &arena, &updated));
    CHECK_OK(import(map_of("consent = store personalise measure\n"), RECEIPTS, 0, &tally, &mark));
    CHECK(is_known("m3", &identity));
    CHECK_INT(consent_word_get(identity.consent_word, PURPOSE_STORE), CONSENT_REFUSED);
    CHECK_INT(tally.anonymous_n, RECEIPTS / 10);
    CHECK_INT(tally.stored_n, RECEIPTS - RECEIPTS / 10);
    close_storage();
}

/* A number of a file and the same one said to the server are one customer's, whatever the tenant's country. */
TEST(import_store_reads_phone_numbers_by_the_tenants_country)
{
    struct storage_put put = {.id = BYTES_LIT("default"), .row = BYTES_LIT("{\"id\":1,\"country\":\"SE\"}")};
    struct event_identifier phone = {IDENTIFIER_PHONE, BYTES_LIT("+46701234563")};
    struct storage_identifier sought;
    struct storage_identity identity;
    struct import_tally tally;
    struct import_mark mark;
    uint64_t revision;

    open_storage();
    CHECK_OK(storage_wait_put(data.storage, data.loop, (struct tenant_id){1}, STORAGE_TENANT, &put, 1, &revision));
    customers = "070123456";
    CHECK_OK(import(map_by("consent = store\n", "phone"), RECEIPTS, 0, &tally, &mark));
    customers = "m";
    CHECK_INT(tally.stored_n, RECEIPTS);
    CHECK_OK(identifier_normalise(&phone, (struct bytes){0}, &arena, NULL));
    sought = (struct storage_identifier){phone.kind, phone.value};
    CHECK_OK(storage_wait_identify(data.storage, data.loop, (struct tenant_id){1}, &sought, 1, false, BYTES_LIT("test"),
                                   &identity));
    CHECK_INT(identity.how, STORAGE_FOUND);
    close_storage();
}
