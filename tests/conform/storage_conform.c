/* SPDX-License-Identifier: Apache-2.0 */
/* One suite over every driver of storage.h: storage.md 15, the cases that version 1 has.
 *
 * Its rules are small and its own, so that it depends on no other room. An event body is any text; a part's
 * state is the set of (mid, body) in order; a declared side is the set of (part, word) in order:
 *     state     { mid 16, length u16, body }*            declared   { part u64, length u8, word }*
 *     change    part u64 (0: on all), length u8, word
 * so "neither lost nor double", "same bytes" and "both sides as without the link" can be read off. */
#include "storage/storage.h"

#include "base/hash.h"
#include "base/test.h"
#include "storage/storage_fault.h"
#include "storage/storage_wait.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the rules ---- */

struct entry {
    struct bytes bytes; /* whole, as stored */
};

static int entry_compare(const void *a, const void *b)
{
    return bytes_compare(((const struct entry *)a)->bytes, ((const struct entry *)b)->bytes);
}

/* Joins n entries, sorted, each once. */
static enum err entries_write(struct entry *entries, size_t n, struct arena *arena, struct bytes *out)
{
    size_t total = 0, at = 0;
    char *p;

    qsort(entries, n, sizeof(*entries), entry_compare);
    for (size_t i = 0; i < n; i++) {
        total += entries[i].bytes.n;
    }
    p = arena_take(arena, total + 1);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !bytes_equal(entries[i].bytes, entries[i - 1].bytes)) {
            memcpy(p + at, entries[i].bytes.p, entries[i].bytes.n);
            at += entries[i].bytes.n;
        }
    }
    *out = (struct bytes){p, at};
    return ERR_OK;
}

static size_t state_read(struct bytes state, struct entry *entries)
{
    size_t n = 0;

    for (size_t at = 0; at < state.n;) {
        size_t bytes = 18u + get_be16((const uint8_t *)state.p + at + 16);

        entries[n++].bytes = (struct bytes){state.p + at, bytes};
        at += bytes;
    }
    return n;
}

static enum err test_fold(struct tenant_id tenant, struct bytes state, const struct storage_fold_event *events,
                          size_t events_n, struct arena *arena, struct bytes *out_state)
{
    struct entry *entries = arena_array(arena, events_n + state.n / 18, sizeof(*entries));
    size_t n = state_read(state, entries);

    (void)tenant;
    for (size_t i = 0; i < events_n; i++) {
        uint8_t *p = arena_take(arena, 18 + events[i].body.n);

        if (bytes_equal(events[i].body, BYTES_LIT("poison"))) {
            return ERR_CORRUPT;
        }
        memcpy(p, events[i].mid.b, 16);
        put_be16(p + 16, (uint16_t)events[i].body.n);
        memcpy(p + 18, events[i].body.p, events[i].body.n);
        entries[n++].bytes = (struct bytes){(char *)p, 18 + events[i].body.n};
    }
    return entries_write(entries, n, arena, out_state);
}

static size_t declared_read(struct bytes declared, struct entry *entries)
{
    size_t n = 0;

    for (size_t at = 0; at < declared.n;) {
        size_t bytes = 9u + (uint8_t)declared.p[at + 8];

        entries[n++].bytes = (struct bytes){declared.p + at, bytes};
        at += bytes;
    }
    return n;
}

static enum err test_patch(struct bytes declared, struct bytes change, const struct part_id *parts, size_t parts_n,
                           struct arena *arena, struct bytes *out_declared)
{
    struct entry *entries = arena_array(arena, parts_n + 1 + declared.n / 9, sizeof(*entries));
    size_t n = declared_read(declared, entries);
    uint64_t on = get_be64((const uint8_t *)change.p);

    if (bytes_equal((struct bytes){change.p + 9, change.n - 9}, BYTES_LIT("bad"))) {
        return ERR_INVALID;
    }
    for (size_t i = 0; i < (on != 0 ? 1 : parts_n); i++) {
        struct bytes copy = arena_copy(arena, change);

        memcpy(&entries[n++].bytes, &copy, sizeof(copy));
        put_be64((uint8_t *)(uintptr_t)copy.p, on != 0 ? on : parts[i].v);
    }
    return entries_write(entries, n, arena, out_declared);
}

static enum err test_join(struct bytes into, struct bytes from, struct arena *arena, struct bytes *out_declared)
{
    struct entry *entries = arena_array(arena, into.n / 9 + from.n / 9 + 1, sizeof(*entries));
    size_t n = declared_read(into, entries);

    n += declared_read(from, entries + n);
    return entries_write(entries, n, arena, out_declared);
}

static enum err test_cut(struct bytes declared, struct part_id part, struct arena *arena, struct bytes *out_kept,
                         struct bytes *out_moved)
{
    struct entry *entries = arena_array(arena, declared.n / 9 + 1, sizeof(*entries));
    struct entry *kept = arena_array(arena, declared.n / 9 + 1, sizeof(*kept));
    struct entry *moved = arena_array(arena, declared.n / 9 + 1, sizeof(*moved));
    size_t n = declared_read(declared, entries), kept_n = 0, moved_n = 0;

    for (size_t i = 0; i < n; i++) {
        if (get_be64((const uint8_t *)entries[i].bytes.p) == part.v) {
            moved[moved_n++] = entries[i];
        } else {
            kept[kept_n++] = entries[i];
        }
    }
    (void)!entries_write(kept, kept_n, arena, out_kept);
    return entries_write(moved, moved_n, arena, out_moved);
}

/* "yes" grants storing until 5,000; "no" refuses it, and is stricter. */
static enum err test_word(struct bytes declared, uint16_t *out_word, int64_t *out_until_ms)
{
    struct entry entries[256];
    size_t n = declared_read(declared, entries);
    enum consent_state state = CONSENT_UNSAID;

    for (size_t i = 0; i < n; i++) {
        struct bytes word = {entries[i].bytes.p + 9, entries[i].bytes.n - 9};

        if (bytes_equal(word, BYTES_LIT("no"))) {
            state = CONSENT_REFUSED;
        } else if (bytes_equal(word, BYTES_LIT("yes")) && state != CONSENT_REFUSED) {
            state = CONSENT_GRANTED;
        }
    }
    *out_word = consent_word_set(0, PURPOSE_STORE, state);
    *out_until_ms = state == CONSENT_GRANTED ? 5000 : 0;
    return ERR_OK;
}

static enum err test_retract(struct bytes body, struct mid of, struct arena *arena, struct bytes *out_body)
{
    char hex[33];

    hash_hex(of.b, sizeof(of.b), hex);
    *out_body = arena_format(arena, "back %s %.*s", hex, (int)body.n, body.p);
    return ERR_OK;
}

/* ---- the world ---- */

struct world {
    char url[256], directory[128]; /* directory: of rocksdb; empty in memory */
    struct storage_options options;
    struct storage *storage;
    struct loop *loop;
    struct arena arena;
    struct rng chance;
    atomic_int_fast64_t now_ms;
};

static const struct tenant_id tenant = {7};

static int64_t world_now(void *ctx)
{
    return atomic_load(&((struct world *)ctx)->now_ms);
}

static uint64_t world_chance(void *ctx)
{
    return rng_next(&((struct world *)ctx)->chance);
}

static void world_open(struct world *world, const char *url, uint64_t seed)
{
    *world = (struct world){.chance = {seed}};
    atomic_init(&world->now_ms, 1000);
    if (strstr(url, "rocksdb") != NULL) {
        snprintf(world->directory, sizeof(world->directory), "/tmp/falun-conform-XXXXXX");
        CHECK(mkdtemp(world->directory) != NULL);
        snprintf(world->url, sizeof(world->url), "%s:%s/db", url, world->directory);
    } else {
        snprintf(world->url, sizeof(world->url), "%s:", url);
    }
    world->options = (struct storage_options){
        .rules = {test_fold, 1, test_patch, test_join, test_cut, test_word, test_retract},
        .secret = {1, 2, 3},
        .cache_bytes = 8 << 20,
        .now_ms = world_now,
        .now_ctx = world,
        .chance = world_chance,
        .chance_ctx = world,
    };
    arena_open(&world->arena, 1 << 16, (size_t)1 << 28);
    CHECK_OK(loop_open(&world->loop));
    CHECK_OK(storage_open(world->url, &world->options, &world->storage, NULL));
}

/* What memory holds is gone: only drivers with a directory come back. */
static void world_reopen(struct world *world)
{
    storage_close(world->storage);
    world->storage = NULL;
    CHECK_OK(storage_open(world->url, &world->options, &world->storage, NULL));
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *at)
{
    (void)stat;
    (void)type;
    (void)at;
    return remove(path);
}

static void world_close(struct world *world)
{
    storage_close(world->storage);
    loop_close(world->loop);
    arena_close(&world->arena);
    if (world->directory[0] != '\0') {
        nftw(world->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
}

static const char *const urls[] = {"memory", "rocksdb", "fault"};
enum { URLS_N = sizeof(urls) / sizeof(urls[0]) };

#define EACH_STORAGE(world, seed)                                                                                      \
    for (size_t url_ = 0; url_ < URLS_N && (world_open((world), urls[url_], (seed)), true); world_close(world), url_++)

/* ---- short forms ---- */

static struct storage_identity identify(struct world *world, enum identifier_kind kind, const char *value, bool create)
{
    struct storage_identifier identifier = {kind, bytes_of(value)};
    struct storage_identity identity;

    CHECK_OK(storage_wait_identify(world->storage, world->loop, tenant, &identifier, 1, create, BYTES_LIT("web"),
                                   &identity));
    return identity;
}

static struct storage_event event_of(struct part_id part, const char *id, const char *body)
{
    return (struct storage_event){.tenant = tenant,
                                  .part = part,
                                  .day = 20000,
                                  .mid = hash_mid(BYTES_LIT("web"), bytes_of(id)),
                                  .body = bytes_of(body)};
}

static struct storage_ingested ingest(struct world *world, const struct storage_event *event)
{
    struct storage_ingested result;

    CHECK_OK(storage_wait_ingest(world->storage, world->loop, event, 1, &result));
    return result;
}

static uint64_t fold(struct world *world)
{
    uint64_t n = 0;

    CHECK_OK(storage_wait_fold(world->storage, world->loop, &n));
    return n;
}

static struct sealed_customer load(struct world *world, struct customer_id customer)
{
    struct sealed_customer loaded;

    CHECK_OK(storage_wait_load(world->storage, world->loop, (struct storage_key){tenant, customer}, &world->arena,
                               &loaded));
    return loaded;
}

/* State and tail of a part together, as one state: what a reader of both sees. */
static struct bytes whole(struct world *world, const struct sealed_part *part)
{
    struct storage_fold_event *events = arena_array(&world->arena, part->tail_n, sizeof(*events));
    struct bytes state;

    for (size_t i = 0; i < part->tail_n; i++) {
        events[i] = (struct storage_fold_event){part->tail[i].mid, part->tail[i].body.hidden};
    }
    CHECK_OK(test_fold(tenant, part->state.hidden, events, part->tail_n, &world->arena, &state));
    return state;
}

static size_t state_count(struct bytes state)
{
    static struct entry entries[20000];

    return state_read(state, entries);
}

#define CHECK_BYTES(got, wanted) CHECK(bytes_equal((got), (wanted)))

/* ---- identify ---- */

TEST(unknown_identifier_is_created_once_and_found_afterwards)
{
    struct world world;

    EACH_STORAGE(&world, 1)
    {
        struct storage_identity made, found;

        CHECK_INT(identify(&world, IDENTIFIER_COOKIE, "c1", false).how, STORAGE_UNKNOWN);
        made = identify(&world, IDENTIFIER_COOKIE, "c1", true);
        CHECK_INT(made.how, STORAGE_CREATED);
        CHECK(made.part.v != 0 && made.part.v == made.customer.v && made.part.v >> 63 == 0);
        found = identify(&world, IDENTIFIER_COOKIE, "c1", true);
        CHECK_INT(found.how, STORAGE_FOUND);
        CHECK(found.part.v == made.part.v && found.customer.v == made.customer.v);
        CHECK(identify(&world, IDENTIFIER_MEMBER, "c1", true).part.v != made.part.v);
    }
}

TEST(known_identifiers_are_answered_without_the_writer)
{
    struct world world;

    EACH_STORAGE(&world, 2)
    {
        struct storage_stat before, after;

        identify(&world, IDENTIFIER_COOKIE, "c1", true);
        storage_stat(world.storage, &before);
        identify(&world, IDENTIFIER_COOKIE, "c1", true);
        identify(&world, IDENTIFIER_COOKIE, "c2", false);
        storage_stat(world.storage, &after);
        CHECK_INT(after.commits_n, before.commits_n);
    }
}

TEST(identifier_text_comes_back_from_load_only)
{
    struct world world;

    EACH_STORAGE(&world, 3)
    {
        struct storage_identity made = identify(&world, IDENTIFIER_MEMBER, "Kari-4711", true);
        struct sealed_customer loaded = load(&world, made.customer);

        CHECK_INT(loaded.identifiers_n, 1);
        CHECK_TEXT(loaded.identifiers[0].text.hidden, "Kari-4711");
        CHECK_TEXT(loaded.identifiers[0].source.hidden, "web");
        CHECK_INT(loaded.identifiers[0].kind, IDENTIFIER_MEMBER);
        CHECK_INT(loaded.revision, 0);
        CHECK_INT(load(&world, (struct customer_id){12345}).customer.v, 0);
    }
}

/* ---- ingest, load, fold ---- */

TEST(event_is_read_back_from_tail_then_from_state)
{
    struct world world;

    EACH_STORAGE(&world, 4)
    {
        struct storage_identity made = identify(&world, IDENTIFIER_COOKIE, "c1", true);
        struct storage_event event = event_of(made.part, "e1", "view a");
        struct sealed_customer loaded;
        struct bytes before;

        CHECK_INT(ingest(&world, &event).stored, STORAGE_STORED);
        loaded = load(&world, made.customer);
        CHECK_INT(loaded.parts_n, 1);
        CHECK_INT(loaded.parts[0].tail_n, 1);
        CHECK_TEXT(loaded.parts[0].tail[0].body.hidden, "view a");
        before = whole(&world, &loaded.parts[0]);
        CHECK_INT(fold(&world), 1);
        CHECK_INT(fold(&world), 0);
        loaded = load(&world, made.customer);
        CHECK_INT(loaded.parts[0].tail_n, 0);
        CHECK_INT(loaded.parts[0].revision, 1);
        CHECK_BYTES(loaded.parts[0].state.hidden, before);
    }
}

TEST(same_message_is_stored_once_whatever_else_changed)
{
    struct world world;

    EACH_STORAGE(&world, 5)
    {
        struct storage_identity one = identify(&world, IDENTIFIER_COOKIE, "c1", true);
        struct storage_identity two = identify(&world, IDENTIFIER_COOKIE, "c2", true);
        struct storage_event batch[3] = {event_of(one.part, "e1", "a"), event_of(one.part, "e1", "b"),
                                         event_of(one.part, "e2", "c")};
        struct storage_event elsewhere = event_of(two.part, "e1", "d"), later = event_of(one.part, "e1", "a");
        struct storage_ingested results[3], again;

        CHECK_OK(storage_wait_ingest(world.storage, world.loop, batch, 3, results));
        CHECK_INT(results[0].stored, STORAGE_STORED);
        CHECK_INT(results[1].stored, STORAGE_DUPLICATE);
        CHECK_INT(results[2].stored, STORAGE_STORED);
        again = ingest(&world, &elsewhere);
        CHECK_INT(again.stored, STORAGE_DUPLICATE);
        CHECK(again.part.v == one.part.v);
        CHECK_INT(fold(&world), 2);
        later.day++;
        CHECK_INT(ingest(&world, &later).stored, STORAGE_DUPLICATE);
        CHECK_INT(fold(&world), 0);
        CHECK_INT(state_count(load(&world, one.customer).parts[0].state.hidden), 2);
        CHECK_INT(load(&world, two.customer).parts[0].state.hidden.n, 0);
    }
}

/* ---- configuration ---- */

TEST(poll_sees_every_change_deletions_included_in_order)
{
    struct world world;

    EACH_STORAGE(&world, 6)
    {
        struct storage_put puts[3] = {{BYTES_LIT("a"), BYTES_LIT("1"), STORAGE_ANY_REVISION},
                                      {BYTES_LIT("b"), BYTES_LIT("2"), UINT64_MAX},
                                      {BYTES_LIT("a"), BYTES_LIT("3"), 1}};
        struct storage_put gone = {BYTES_LIT("b"), {0}, 2}, stale = {BYTES_LIT("a"), BYTES_LIT("9"), 1};
        const struct storage_row *rows;
        uint64_t revisions[3];
        size_t n;

        CHECK_OK(storage_wait_put(world.storage, world.loop, tenant, STORAGE_ITEM, puts, 3, revisions));
        CHECK_INT(revisions[0], 1);
        CHECK_INT(revisions[1], 2);
        CHECK_INT(revisions[2], 3);
        CHECK_OK(storage_wait_put(world.storage, world.loop, tenant, STORAGE_ITEM, &stale, 1, revisions));
        CHECK_INT(revisions[0], 0);
        CHECK_OK(storage_wait_changes(world.storage, world.loop, tenant, STORAGE_ITEM, 0, 100, &world.arena, &rows, &n));
        CHECK_INT(n, 2);
        CHECK_TEXT(rows[0].id, "b");
        CHECK_TEXT(rows[1].row, "3");
        CHECK_INT(rows[1].revision, 3);
        CHECK_OK(storage_wait_put(world.storage, world.loop, tenant, STORAGE_ITEM, &gone, 1, revisions));
        CHECK_OK(storage_wait_changes(world.storage, world.loop, tenant, STORAGE_ITEM, 3, 100, &world.arena, &rows, &n));
        CHECK_INT(n, 1);
        CHECK_TEXT(rows[0].id, "b");
        CHECK_INT(rows[0].row.n, 0);
        CHECK_INT(rows[0].revision, 4);
        CHECK_OK(storage_wait_changes(world.storage, world.loop, tenant, STORAGE_STORE, 0, 100, &world.arena, &rows, &n));
        CHECK_INT(n, 0);
        CHECK_OK(storage_wait_changes(world.storage, world.loop, tenant, STORAGE_ITEM, 0, 1, &world.arena, &rows, &n));
        CHECK_INT(n, 1);
        CHECK_TEXT(rows[0].id, "a");
    }
}

/* ---- files ---- */

TEST(file_comes_back_whole_or_not_at_all)
{
    struct world world;

    EACH_STORAGE(&world, 7)
    {
        uint8_t hash[32], wanted[32], other[32] = {0};
        struct bytes data;

        CHECK_OK(storage_wait_file_put(world.storage, world.loop, BYTES_LIT("a model"), hash));
        CHECK_OK(storage_wait_file_put(world.storage, world.loop, BYTES_LIT("a model"), hash));
        hash_256(NULL, BYTES_LIT("a model"), wanted);
        CHECK_SAME_BYTES(hash, wanted, 32);
        CHECK_OK(storage_wait_file_get(world.storage, world.loop, hash, &world.arena, &data));
        CHECK_TEXT(data, "a model");
        CHECK_INT(storage_wait_file_get(world.storage, world.loop, other, &world.arena, &data), ERR_ABSENT);
        if (url_ == 1) {
            char path[512], hex[65];
            int fd;

            hash_hex(hash, 32, hex);
            snprintf(path, sizeof(path), "%s/db/files/%s", world.directory, hex);
            fd = open(path, O_WRONLY);
            CHECK(fd >= 0 && pwrite(fd, "A", 1, 0) == 1);
            close(fd);
            CHECK_INT(storage_wait_file_get(world.storage, world.loop, hash, &world.arena, &data), ERR_CORRUPT);
        }
        if (url_ == 2) {
            storage_fault_set(world.storage, &(struct storage_fault_plan){.is_corrupting = true});
            CHECK_INT(storage_wait_file_get(world.storage, world.loop, hash, &world.arena, &data), ERR_CORRUPT);
        }
    }
}

/* ---- open again ---- */

TEST(everything_is_there_after_close_and_open)
{
    struct world world;
    struct storage_identity made;
    struct storage_event event;
    struct sealed_customer loaded;
    struct storage *second;
    struct why why;

    world_open(&world, "rocksdb", 8);
    made = identify(&world, IDENTIFIER_COOKIE, "c1", true);
    event = event_of(made.part, "e1", "a");
    ingest(&world, &event);
    fold(&world);
    event = event_of(made.part, "e2", "b");
    ingest(&world, &event);
    CHECK_INT(storage_open(world.url, &world.options, &second, &why), ERR_BUSY);
    CHECK(strstr(why.says, "already open") != NULL);
    world_reopen(&world);
    CHECK_INT(identify(&world, IDENTIFIER_COOKIE, "c1", true).how, STORAGE_FOUND);
    CHECK_INT(ingest(&world, &event).stored, STORAGE_DUPLICATE);
    loaded = load(&world, made.customer);
    CHECK_INT(loaded.parts[0].tail_n, 1);
    CHECK_INT(state_count(whole(&world, &loaded.parts[0])), 2);
    CHECK_INT(fold(&world), 1);
    storage_close(world.storage);
    world.options.secret[0] ^= 1;
    CHECK_INT(storage_open(world.url, &world.options, &world.storage, &why), ERR_INVALID);
    CHECK(strcmp(why.code, "wrong_secret") == 0);
    world.storage = NULL;
    world_close(&world);
}
