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
#include <signal.h>
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

static enum err test_fold(struct tenant_id tenant, struct bytes state,
                          const struct storage_fold_event *events, size_t events_n, struct arena *arena,
                          struct bytes *out_state)
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

static enum err test_patch(struct bytes declared, struct bytes change, const struct part_id *parts,
                           size_t parts_n, struct arena *arena, struct bytes *out_declared)
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

static enum err test_join(struct bytes into, struct bytes from, struct arena *arena,
                          struct bytes *out_declared)
{
    struct entry *entries = arena_array(arena, into.n / 9 + from.n / 9 + 1, sizeof(*entries));
    size_t n = declared_read(into, entries);

    n += declared_read(from, entries + n);
    return entries_write(entries, n, arena, out_declared);
}

static enum err test_cut(struct bytes declared, struct part_id part, struct arena *arena,
                         struct bytes *out_kept, struct bytes *out_moved)
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

static void world_init(struct world *world, uint64_t seed)
{
    *world = (struct world){.chance = {seed}};
    atomic_init(&world->now_ms, 1000);
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
}

static void world_open(struct world *world, const char *url, uint64_t seed)
{
    world_init(world, seed);
    if (strstr(url, "rocksdb") != NULL) { /* also behind fault: */
        snprintf(world->directory, sizeof(world->directory), "/tmp/falun-conform-XXXXXX");
        CHECK(mkdtemp(world->directory) != NULL);
        snprintf(world->url, sizeof(world->url), "%s:%s/db", url, world->directory);
    } else {
        snprintf(world->url, sizeof(world->url), "%s:", url);
    }
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

#define EACH_STORAGE(world, seed)                                                                            \
    for (size_t url_ = 0; url_ < URLS_N && (world_open((world), urls[url_], (seed)), true);                  \
         world_close(world), url_++)

/* ---- short forms ---- */

static struct storage_identity identify(struct world *world, enum identifier_kind kind, const char *value,
                                        bool create)
{
    struct storage_identifier identifier = {kind, bytes_of(value)};
    struct storage_identity identity;

    CHECK_OK(storage_wait_identify(world->storage, world->loop, tenant, &identifier, 1, create,
                                   BYTES_LIT("web"), &identity));
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

    CHECK_OK(storage_wait_load(world->storage, world->loop, (struct storage_key){tenant, customer},
                               &world->arena, &loaded));
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
        CHECK_OK(storage_wait_changes(world.storage, world.loop, tenant, STORAGE_ITEM, 0, 100, &world.arena,
                                      &rows, &n));
        CHECK_INT(n, 2);
        CHECK_TEXT(rows[0].id, "b");
        CHECK_TEXT(rows[1].row, "3");
        CHECK_INT(rows[1].revision, 3);
        CHECK_OK(storage_wait_put(world.storage, world.loop, tenant, STORAGE_ITEM, &gone, 1, revisions));
        CHECK_OK(storage_wait_changes(world.storage, world.loop, tenant, STORAGE_ITEM, 3, 100, &world.arena,
                                      &rows, &n));
        CHECK_INT(n, 1);
        CHECK_TEXT(rows[0].id, "b");
        CHECK_INT(rows[0].row.n, 0);
        CHECK_INT(rows[0].revision, 4);
        CHECK_OK(storage_wait_changes(world.storage, world.loop, tenant, STORAGE_STORE, 0, 100, &world.arena,
                                      &rows, &n));
        CHECK_INT(n, 0);
        CHECK_OK(storage_wait_changes(world.storage, world.loop, tenant, STORAGE_ITEM, 0, 1, &world.arena,
                                      &rows, &n));
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
            CHECK_INT(storage_wait_file_get(world.storage, world.loop, hash, &world.arena, &data),
                      ERR_CORRUPT);
        }
        if (url_ == 2) {
            storage_fault_set(world.storage, &(struct storage_fault_plan){.is_corrupting = true});
            CHECK_INT(storage_wait_file_get(world.storage, world.loop, hash, &world.arena, &data),
                      ERR_CORRUPT);
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

/* ---- other processes: this program begun anew, told by its environment what to be ---- */

static pid_t begin_child(struct world *world, const char *role, int to)
{
    char fd[16];
    pid_t child;

    snprintf(fd, sizeof(fd), "%d", to);
    setenv("FALUN_CONFORM_ROLE", role, 1);
    setenv("FALUN_CONFORM_URL", world->url, 1);
    setenv("FALUN_CONFORM_FD", fd, 1);
    child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "storage_conform", NULL);
        _exit(127);
    }
    unsetenv("FALUN_CONFORM_ROLE");
    return child;
}

/* Opens what its parent has open; ends with 0 when it is refused in the right words. */
static int be_second(struct world *world)
{
    struct why why = {0};
    char pid[32];

    snprintf(pid, sizeof(pid), "pid %d", (int)getppid());
    return storage_open(world->url, &world->options, &world->storage, &why) == ERR_BUSY &&
                   strstr(why.says, pid) != NULL
               ? 0
               : 1;
}

/* Sends, folds by itself, and says which message was acknowledged, until it is killed. */
static int be_sender(struct world *world, int to)
{
    struct storage_identity made;

    CHECK_OK(storage_open(world->url, &world->options, &world->storage, NULL));
    made = identify(world, IDENTIFIER_COOKIE, "c1", true);
    for (uint32_t i = 0;; i++) {
        struct storage_event event;
        char id[16];

        snprintf(id, sizeof(id), "e%u", i);
        event = event_of(made.part, id, id);
        ingest(world, &event);
        if (write(to, &i, sizeof(i)) != sizeof(i)) {
            return 1;
        }
    }
}

__attribute__((constructor)) static void be_child(void)
{
    const char *role = getenv("FALUN_CONFORM_ROLE");
    static struct world world;

    if (role == NULL) {
        return;
    }
    hash_start();
    world_init(&world, 1);
    snprintf(world.url, sizeof(world.url), "%s", getenv("FALUN_CONFORM_URL"));
    _exit(strcmp(role, "second") == 0 ? be_second(&world)
                                      : be_sender(&world, atoi(getenv("FALUN_CONFORM_FD"))));
}

TEST(another_process_is_told_who_has_the_storage)
{
    struct world world;
    pid_t child;
    int status;

    world_open(&world, "rocksdb", 9);
    child = begin_child(&world, "second", -1);
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    identify(&world, IDENTIFIER_COOKIE, "c1", true);
    world_close(&world);
}

/* ---- many at once ---- */

struct tally {
    size_t done_n, wanted_n;
    size_t errs_n[ERR_COUNT_];
    size_t created_n;
    struct part_id part;
    bool is_done, has_differed;
};

static void tally_one(struct tally *tally, enum err err)
{
    tally->errs_n[err]++;
    tally->is_done = ++tally->done_n == tally->wanted_n;
}

static void on_identified(void *ctx, enum err err, const struct storage_identity *identities, size_t n)
{
    struct tally *tally = ctx;

    if (err == ERR_OK && n == 1) {
        tally->created_n += identities[0].how == STORAGE_CREATED;
        tally->has_differed |= tally->part.v != 0 && tally->part.v != identities[0].part.v;
        tally->part = identities[0].part;
    }
    tally_one(tally, err);
}

struct creator {
    struct world *world;
    struct tally tally;
};

static void *create_many(void *ctx)
{
    static const struct storage_identifier identifier = {IDENTIFIER_COOKIE, {"one", 3}};
    struct creator *creator = ctx;
    struct loop *loop;

    CHECK_OK(loop_open(&loop));
    creator->tally.wanted_n = 50;
    for (int i = 0; i < 50; i++) {
        storage_identify(creator->world->storage, loop, tenant, &identifier, 1, true, BYTES_LIT("web"),
                         on_identified, &creator->tally);
    }
    loop_run_until(loop, &creator->tally.is_done);
    loop_close(loop);
    return NULL;
}

TEST(of_many_creators_of_one_identifier_one_wins)
{
    struct world world;

    EACH_STORAGE(&world, 10)
    {
        struct creator creators[2] = {{.world = &world}, {.world = &world}};
        pthread_t threads[2];

        for (int i = 0; i < 2; i++) {
            CHECK_INT(pthread_create(&threads[i], NULL, create_many, &creators[i]), 0);
        }
        for (int i = 0; i < 2; i++) {
            pthread_join(threads[i], NULL);
        }
        CHECK_INT(creators[0].tally.created_n + creators[1].tally.created_n, 1);
        CHECK(!creators[0].tally.has_differed && !creators[1].tally.has_differed);
        CHECK(creators[0].tally.part.v == creators[1].tally.part.v);
        CHECK_INT(creators[0].tally.errs_n[ERR_OK], 50);
    }
}

/* ---- order and grouping ---- */

enum { LIVES_EVENTS = 90 };

/* One life of events, told in a drawn order and grouping with repeats and folds between; gives the state. */
static struct bytes live(struct world *world, struct rng *rng)
{
    struct storage_identity made = identify(world, IDENTIFIER_COOKIE, "c1", true);
    char ids[LIVES_EVENTS][8];
    size_t order[LIVES_EVENTS];

    for (size_t i = 0; i < LIVES_EVENTS; i++) {
        size_t other = (size_t)rng_below(rng, i + 1);

        order[i] = order[other];
        order[other] = i;
        snprintf(ids[i], sizeof(ids[i]), "e%zu", i);
    }
    for (size_t i = 0; i < LIVES_EVENTS;) {
        struct storage_event batch[LIVES_EVENTS + 1];
        struct storage_ingested results[LIVES_EVENTS + 1];
        size_t n = 0, many = 1 + (size_t)rng_below(rng, 20);

        while (n < many && i < LIVES_EVENTS) {
            batch[n++] = event_of(made.part, ids[order[i]], ids[order[i]]);
            batch[n - 1].day = 20000 + (uint32_t)order[i] % 5;
            i++;
        }
        batch[n] = batch[rng_below(rng, n)];
        n++;
        CHECK_OK(storage_wait_ingest(world->storage, world->loop, batch, n, results));
        CHECK_INT(results[n - 1].stored, STORAGE_DUPLICATE);
        if (rng_coin(rng)) {
            fold(world);
        }
    }
    fold(world);
    return load(world, made.customer).parts[0].state.hidden;
}

TEST(any_order_and_grouping_gives_the_same_bytes)
{
    struct bytes first = {0};
    struct arena kept;

    arena_open(&kept, 1 << 16, 1 << 20);
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct world world;

        EACH_STORAGE(&world, 11)
        {
            struct rng rng = {seed * 3 + url_};
            struct bytes state = live(&world, &rng);

            CHECK_INT(state_count(state), LIVES_EVENTS);
            if (first.n == 0) {
                first = arena_copy(&kept, state);
            }
            CHECK_BYTES(state, first);
        }
    }
    arena_close(&kept);
}

struct reader {
    struct world *world;
    struct customer_id customer;
    atomic_size_t acknowledged_n;
    atomic_bool is_over;
    atomic_size_t loads_n;
    size_t faults_n;
};

/* Each load must hold at least what was acknowledged before it, and nothing twice. */
static void *read_many(void *ctx)
{
    struct reader *reader = ctx;
    struct arena arena;
    struct loop *loop;

    CHECK_OK(loop_open(&loop));
    arena_open(&arena, 1 << 20, (size_t)1 << 28);
    while (!atomic_load(&reader->is_over)) {
        size_t at_least = atomic_load(&reader->acknowledged_n), n = 0;
        struct entry *entries = arena_array(&arena, 4096, sizeof(*entries));
        struct sealed_customer loaded;

        if (storage_wait_load(reader->world->storage, loop, (struct storage_key){tenant, reader->customer},
                              &arena, &loaded) != ERR_OK ||
            loaded.parts_n != 1) {
            reader->faults_n++;
            break;
        }
        n = state_read(loaded.parts[0].state.hidden, entries) + loaded.parts[0].tail_n;
        for (size_t i = 0; i < loaded.parts[0].tail_n; i++) {
            size_t state_n = n - loaded.parts[0].tail_n;

            for (size_t j = 0; j < state_n; j++) {
                reader->faults_n += memcmp(entries[j].bytes.p, loaded.parts[0].tail[i].mid.b, 16) == 0;
            }
        }
        reader->faults_n += n < at_least;
        atomic_fetch_add(&reader->loads_n, 1);
        arena_reset(&arena);
    }
    arena_close(&arena);
    loop_close(loop);
    return NULL;
}

TEST(load_racing_folds_loses_nothing_and_doubles_nothing)
{
    struct world world;

    EACH_STORAGE(&world, 12)
    {
        struct storage_identity made = identify(&world, IDENTIFIER_COOKIE, "c1", true);
        struct reader reader = {.world = &world, .customer = made.customer};
        pthread_t thread;
        size_t sent_n = 0;

        CHECK_INT(pthread_create(&thread, NULL, read_many, &reader), 0);
        for (int round = 0; round < 60 || (round < 160 && atomic_load(&reader.loads_n) < 5); round++) {
            struct storage_event batch[25];
            struct storage_ingested results[25];
            char ids[25][16];

            for (size_t i = 0; i < 25; i++) {
                snprintf(ids[i], sizeof(ids[i]), "e%zu", sent_n++);
                batch[i] = event_of(made.part, ids[i], "x");
            }
            CHECK_OK(storage_wait_ingest(world.storage, world.loop, batch, 25, results));
            atomic_store(&reader.acknowledged_n, sent_n);
            if (round % 3 == 0) {
                fold(&world);
            }
        }
        atomic_store(&reader.is_over, true);
        pthread_join(thread, NULL);
        CHECK_INT(reader.faults_n, 0);
        fold(&world);
        CHECK_INT(state_count(load(&world, made.customer).parts[0].state.hidden), sent_n);
    }
}

TEST(long_tail_is_folded_in_memory_and_nothing_is_missed)
{
    struct world world;
    struct storage_identity made;
    struct storage_event batch[300];
    struct storage_ingested results[300];
    struct sealed_customer loaded;
    char ids[300][8];

    world_open(&world, "fault", 13);
    made = identify(&world, IDENTIFIER_COOKIE, "c1", true);
    storage_fault_set(world.storage, &(struct storage_fault_plan){.write_n = 2, .is_holding = true});
    for (size_t i = 0; i < 300; i++) {
        snprintf(ids[i], sizeof(ids[i]), "e%zu", i);
        batch[i] = event_of(made.part, ids[i], "x");
    }
    CHECK_OK(storage_wait_ingest(world.storage, world.loop, batch, 300, results));
    loaded = load(&world, made.customer);
    CHECK_INT(loaded.parts[0].tail_n, STORAGE_TAIL_MAX);
    CHECK_INT(loaded.parts[0].revision, 0);
    CHECK_INT(state_count(loaded.parts[0].state.hidden), 300 - STORAGE_TAIL_MAX);
    CHECK_INT(state_count(whole(&world, &loaded.parts[0])), 300);
    storage_fault_set(world.storage, &(struct storage_fault_plan){0});
    world_close(&world);
}

static bool is_folded_soon(struct world *world)
{
    for (int i = 0; i < 2000; i++) {
        struct storage_stat stat;

        storage_stat(world->storage, &stat);
        if (stat.tail_parts_n == 0) {
            return true;
        }
        usleep(10000);
    }
    return false;
}

TEST(tails_are_folded_by_themselves_when_long_or_quiet)
{
    struct world world;

    EACH_STORAGE(&world, 14)
    {
        struct storage_identity made = identify(&world, IDENTIFIER_COOKIE, "c1", true);
        struct storage_event batch[STORAGE_FOLD_EVENTS], one = event_of(made.part, "last", "y");
        struct storage_ingested results[STORAGE_FOLD_EVENTS];
        struct storage_stat stat;
        char ids[STORAGE_FOLD_EVENTS][8];

        for (size_t i = 0; i < STORAGE_FOLD_EVENTS; i++) {
            snprintf(ids[i], sizeof(ids[i]), "e%zu", i);
            batch[i] = event_of(made.part, ids[i], "x");
        }
        CHECK_OK(storage_wait_ingest(world.storage, world.loop, batch, STORAGE_FOLD_EVENTS, results));
        CHECK(is_folded_soon(&world));
        ingest(&world, &one);
        storage_stat(world.storage, &stat);
        CHECK_INT(stat.tail_parts_n, 1);
        atomic_fetch_add(&world.now_ms, STORAGE_FOLD_QUIET_MS);
        identify(&world, IDENTIFIER_COOKIE, "c2", true); /* the writer looks at the clock again */
        CHECK(is_folded_soon(&world));
        CHECK_INT(state_count(load(&world, made.customer).parts[0].state.hidden), STORAGE_FOLD_EVENTS + 1);
    }
}

TEST(event_that_cannot_be_folded_stops_only_its_own_part)
{
    struct world world;

    EACH_STORAGE(&world, 15)
    {
        struct storage_identity bad = identify(&world, IDENTIFIER_COOKIE, "bad", true);
        struct storage_identity good = identify(&world, IDENTIFIER_COOKIE, "good", true);
        struct storage_event poison = event_of(bad.part, "p", "poison"),
                             event = event_of(good.part, "e", "x");
        uint64_t n;

        ingest(&world, &poison);
        ingest(&world, &event);
        CHECK_INT(storage_wait_fold(world.storage, world.loop, &n), ERR_CORRUPT);
        CHECK_INT(load(&world, good.customer).parts[0].revision, 1);
        CHECK_INT(load(&world, bad.customer).parts[0].tail_n, 1);
    }
}

TEST(older_fold_is_made_anew_from_the_log)
{
    struct world world;
    struct storage_identity made;
    struct storage_event event;
    struct bytes before;

    world_open(&world, "rocksdb", 16);
    made = identify(&world, IDENTIFIER_COOKIE, "c1", true);
    event = event_of(made.part, "e1", "x");
    ingest(&world, &event);
    fold(&world);
    before = load(&world, made.customer).parts[0].state.hidden;
    world.options.rules.fold_version = 2;
    world_reopen(&world);
    CHECK_BYTES(load(&world, made.customer).parts[0].state.hidden, before);
    CHECK(is_folded_soon(&world)); /* the load queued it */
    CHECK_INT(load(&world, made.customer).parts[0].revision, 2);
    CHECK_BYTES(load(&world, made.customer).parts[0].state.hidden, before);
    world_close(&world);
}

TEST(at_rest_nothing_runs)
{
    struct world world;

    EACH_STORAGE(&world, 17)
    {
        struct storage_identity made = identify(&world, IDENTIFIER_COOKIE, "c1", true);
        struct storage_event event = event_of(made.part, "e1", "x");
        struct timespec before, after;

        ingest(&world, &event); /* a tail waits, not due for a minute */
        usleep(20000);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
        usleep(300000);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
        CHECK((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec <
              6000000); /* 2 % */
    }
}

/* ---- receipts and anonymous events ---- */

TEST(changed_receipt_replaces_and_the_same_again_is_a_duplicate)
{
    struct world world;

    EACH_STORAGE(&world, 18)
    {
        struct storage_identity one = identify(&world, IDENTIFIER_MEMBER, "m1", true);
        struct storage_identity two = identify(&world, IDENTIFIER_MEMBER, "m2", true);
        struct storage_event a = event_of(one.part, "r1", "A"), b = event_of(two.part, "r1", "B");
        struct storage_event plain = event_of(two.part, "r1", "plain"), late = event_of(one.part, "e1", "x");

        a.is_receipt = b.is_receipt = late.is_receipt = true;
        CHECK_INT(ingest(&world, &a).stored, STORAGE_STORED);
        CHECK_INT(ingest(&world, &a).stored, STORAGE_DUPLICATE);
        CHECK_INT(ingest(&world, &plain).stored, STORAGE_DUPLICATE); /* same source and id, whatever it is */
        fold(&world);
        CHECK_INT(ingest(&world, &b).stored, STORAGE_REPLACED);
        CHECK_INT(ingest(&world, &b).stored, STORAGE_DUPLICATE);
        CHECK(ingest(&world, &b).part.v == two.part.v);
        CHECK_INT(ingest(&world, &a).stored, STORAGE_REPLACED); /* A, B, A: B is taken back, A is told anew */
        fold(&world);
        CHECK_INT(state_count(load(&world, one.customer).parts[0].state.hidden), 3); /* A, back A, A */
        CHECK_INT(state_count(load(&world, two.customer).parts[0].state.hidden), 2); /* B, back B */
        plain = event_of(one.part, "e1", "y");
        CHECK_INT(ingest(&world, &plain).stored, STORAGE_STORED);
        CHECK_INT(ingest(&world, &late).stored, STORAGE_DUPLICATE);
    }
}

TEST(replaced_receipt_takes_back_on_the_part_where_it_was)
{
    struct world world;

    EACH_STORAGE(&world, 19)
    {
        struct storage_identity one = identify(&world, IDENTIFIER_MEMBER, "m1", true);
        struct storage_identity two = identify(&world, IDENTIFIER_MEMBER, "m2", true);
        struct storage_event batch[2] = {event_of(one.part, "r1", "A"), event_of(two.part, "r1", "B")};
        struct storage_ingested results[2];
        struct sealed_customer loaded;
        struct bytes body;

        batch[0].is_receipt = batch[1].is_receipt = true;
        CHECK_OK(storage_wait_ingest(world.storage, world.loop, batch, 2, results)); /* both in one group */
        CHECK_INT(results[1].stored, STORAGE_REPLACED);
        loaded = load(&world, one.customer);
        CHECK_INT(loaded.parts[0].tail_n, 2);
        for (size_t i = 0; i < 2; i++) {
            body = loaded.parts[0].tail[i].body.hidden;
            CHECK(bytes_equal(body, BYTES_LIT("A")) || bytes_starts(body, BYTES_LIT("back ")));
        }
        CHECK_INT(fold(&world), 3); /* the part of the first is due, too */
    }
}

TEST(receipt_sent_again_at_another_time_of_receipt_is_the_same)
{
    /* Bodies as event_code writes them: 3 at_ms, 4 declared - at, 5 received - at, 6 id. */
    static const char one[] = "\x01\x03\x01\x14\x04\x01\x02\x05\x01\x08\x06\x01r";
    static const char again[] = "\x01\x03\x01\x16\x05\x01\x10\x06\x01r";
    static const char other[] = "\x01\x03\x01\x14\x04\x01\x02\x05\x01\x08\x06\x01s";
    struct world world;

    EACH_STORAGE(&world, 20)
    {
        struct storage_identity made = identify(&world, IDENTIFIER_MEMBER, "m1", true);
        struct storage_event event = event_of(made.part, "r1", "");

        event.is_receipt = true;
        event.body = (struct bytes){one, sizeof(one) - 1};
        CHECK_INT(ingest(&world, &event).stored, STORAGE_STORED);
        event.body = (struct bytes){again, sizeof(again) - 1};
        CHECK_INT(ingest(&world, &event).stored, STORAGE_DUPLICATE);
        event.body = (struct bytes){other, sizeof(other) - 1};
        CHECK_INT(ingest(&world, &event).stored, STORAGE_REPLACED);
    }
}

struct seen {
    size_t n, folded_n;
    char last[STORAGE_TAIL_MAX];
    struct storage_scan_event before;
    bool is_out_of_order;
};

static bool on_scanned(void *ctx, const struct storage_scan_event *event)
{
    struct seen *seen = ctx;
    uint16_t was = hash_bucket(tenant, seen->before.part.v), is = hash_bucket(tenant, event->part.v);

    if (seen->n > 0 &&
        (was > is ||
         (was == is &&
          (seen->before.part.v > event->part.v ||
           (seen->before.part.v == event->part.v &&
            (seen->before.day > event->day ||
             (seen->before.day == event->day && mid_compare(&seen->before.mid, &event->mid) >= 0))))))) {
        seen->is_out_of_order = true;
    }
    seen->before = *event;
    seen->n++;
    seen->folded_n += event->is_folded;
    return true;
}

static bool on_first(void *ctx, const struct storage_scan_event *event)
{
    (void)event;
    return ++*(size_t *)ctx < 3;
}

TEST(anonymous_event_goes_to_the_log_once_and_names_nobody)
{
    struct world world;

    EACH_STORAGE(&world, 21)
    {
        struct storage_event event = event_of((struct part_id){0}, "r1", "A");
        struct seen seen = {0};
        struct storage_stat stat;
        struct storage_ingested result;

        event.is_anonymous = true;
        result = ingest(&world, &event);
        CHECK_INT(result.stored, STORAGE_STORED);
        CHECK(result.part.v == get_be64(event.mid.b) >> 1);
        CHECK_INT(ingest(&world, &event).stored, STORAGE_DUPLICATE);
        storage_stat(world.storage, &stat);
        CHECK_INT(stat.tail_parts_n, 0);
        CHECK_OK(storage_scan(world.storage, tenant, 0, HASH_BUCKETS, on_scanned, &seen));
        CHECK_INT(seen.n, 1);
        CHECK_INT(seen.folded_n, 1);
        CHECK_INT(load(&world, (struct customer_id){result.part.v}).customer.v, 0);
    }
}

TEST(what_was_kept_under_an_identity_does_not_count_again_anonymously)
{
    struct world world;

    EACH_STORAGE(&world, 57)
    {
        struct storage_identity made = identify(&world, IDENTIFIER_COOKIE, "c1", true);
        struct storage_event event = event_of(made.part, "r1", "A");
        struct seen seen = {0};
        struct storage_ingested result;

        event.is_receipt = true;
        CHECK_INT(ingest(&world, &event).stored, STORAGE_STORED);
        event.is_receipt = false;
        event.is_anonymous = true;
        result = ingest(&world, &event);
        CHECK_INT(result.stored, STORAGE_DUPLICATE);
        CHECK_OK(storage_scan(world.storage, tenant, 0, HASH_BUCKETS, on_scanned, &seen));
        CHECK_INT(seen.n, 1);
    }
}

TEST(too_large_an_event_is_refused_alone)
{
    static char large[EVENT_BODY_BYTES_MAX + 1];
    struct world world;

    EACH_STORAGE(&world, 22)
    {
        struct storage_identity made = identify(&world, IDENTIFIER_COOKIE, "c1", true);
        struct storage_event batch[2] = {event_of(made.part, "e1", "x"), event_of(made.part, "e2", "x")};
        struct storage_ingested results[2];

        batch[0].body = (struct bytes){large, sizeof(large)};
        CHECK_OK(storage_wait_ingest(world.storage, world.loop, batch, 2, results));
        CHECK_INT(results[0].err, ERR_TOOBIG);
        CHECK_INT(results[1].err, ERR_OK);
        CHECK_INT(results[1].stored, STORAGE_STORED);
        CHECK_INT(fold(&world), 1);
    }
}

/* ---- declared ---- */

static struct bytes change_of(struct world *world, struct part_id on, const char *word)
{
    char *p = arena_take(&world->arena, 9 + strlen(word));

    put_be64((uint8_t *)p, on.v);
    p[8] = (char)strlen(word);
    memcpy(p + 9, word, strlen(word));
    return (struct bytes){p, 9 + strlen(word)};
}

static enum err update(struct world *world, struct customer_id customer, uint64_t revision, struct part_id on,
                       const char *word, const struct storage_event *event,
                       struct storage_updated *out_updated)
{
    return storage_wait_update(world->storage, world->loop, (struct storage_key){tenant, customer}, revision,
                               change_of(world, on, word), event, &world->arena, out_updated);
}

TEST(update_meets_its_revision_or_changes_nothing)
{
    struct world world;

    EACH_STORAGE(&world, 23)
    {
        struct storage_identity made = identify(&world, IDENTIFIER_COOKIE, "c1", true);
        struct storage_event event = event_of(made.part, "consent", "said yes");
        struct storage_updated updated;
        struct bytes declared;

        CHECK_INT(made.consent_word, 0);
        CHECK_OK(update(&world, made.customer, 0, made.part, "yes", &event, &updated));
        CHECK_INT(updated.revision, 1);
        CHECK(updated.key.customer.v == made.customer.v);
        CHECK_INT(updated.declared.n, 9 + 3);
        declared = load(&world, made.customer).declared.hidden;
        CHECK_BYTES(declared, updated.declared);
        CHECK_INT(
            consent_word_get(identify(&world, IDENTIFIER_COOKIE, "c1", false).consent_word, PURPOSE_STORE),
            CONSENT_GRANTED);
        CHECK_INT(identify(&world, IDENTIFIER_COOKIE, "c1", false).consent_until_ms, 5000);
        event = event_of(made.part, "consent2", "said no");
        CHECK_INT(update(&world, made.customer, 0, made.part, "no", &event, &updated), ERR_CONFLICT);
        CHECK_INT(updated.revision, 1);
        CHECK_BYTES(updated.declared, declared);
        CHECK_INT(update(&world, made.customer, 1, made.part, "bad", &event, &updated), ERR_INVALID);
        CHECK_INT(update(&world, (struct customer_id){99}, 0, made.part, "no", NULL, &updated), ERR_ABSENT);
        CHECK_INT(load(&world, made.customer).parts[0].tail_n, 1); /* the first one's event, no other */
        CHECK_OK(update(&world, made.customer, UINT64_MAX, (struct part_id){0}, "no", NULL, &updated));
        CHECK_INT(
            consent_word_get(identify(&world, IDENTIFIER_COOKIE, "c1", false).consent_word, PURPOSE_STORE),
            CONSENT_REFUSED);
    }
}

/* ---- link and cut ---- */

static struct storage_link_reason reason_at(int64_t at_ms)
{
    return (struct storage_link_reason){BYTES_LIT("shop"), at_ms, 2};
}

static enum err link_parts(struct world *world, struct storage_identity a, struct storage_identity b,
                           int64_t at_ms, struct storage_key *out_survivor)
{
    return storage_wait_link(world->storage, world->loop, (struct storage_key){tenant, a.customer},
                             (struct storage_key){tenant, b.customer}, a.part, b.part, reason_at(at_ms),
                             out_survivor);
}

TEST(linked_customers_are_one_and_the_stronger_survives)
{
    struct world world;

    EACH_STORAGE(&world, 24)
    {
        struct storage_identity cookie = identify(&world, IDENTIFIER_COOKIE, "c1", true);
        struct storage_identity member = identify(&world, IDENTIFIER_MEMBER, "m1", true);
        struct storage_event event = event_of(cookie.part, "e1", "x"),
                             retry = event_of(member.part, "e1", "x");
        struct storage_updated updated;
        struct storage_key survivor;
        struct sealed_customer loaded;

        ingest(&world, &event);
        CHECK_OK(update(&world, cookie.customer, 0, cookie.part, "no", NULL, &updated));
        CHECK_OK(link_parts(&world, cookie, member, 1000, &survivor));
        CHECK(survivor.customer.v == member.customer.v);
        CHECK_OK(link_parts(&world, member, cookie, 1000, &survivor)); /* again, the other way round */
        CHECK(survivor.customer.v == member.customer.v);
        CHECK(identify(&world, IDENTIFIER_COOKIE, "c1", false).customer.v == member.customer.v);
        CHECK(identify(&world, IDENTIFIER_COOKIE, "c1", false).part.v == cookie.part.v);
        CHECK_INT(
            consent_word_get(identify(&world, IDENTIFIER_MEMBER, "m1", false).consent_word, PURPOSE_STORE),
            CONSENT_REFUSED);
        loaded = load(&world, cookie.customer); /* a stale name is followed */
        CHECK(loaded.customer.v == member.customer.v);
        CHECK_INT(loaded.parts_n, 2);
        CHECK_INT(loaded.identifiers_n, 2);
        CHECK_INT(loaded.identifiers[0].strength, 0);
        CHECK_INT(loaded.identifiers[1].strength, 2);
        CHECK_TEXT(loaded.identifiers[1].source.hidden, "shop");
        CHECK_TEXT(loaded.identifiers[1].text.hidden, "c1");
        CHECK_INT(ingest(&world, &retry).stored, STORAGE_DUPLICATE); /* retry after link meets its own key */
        CHECK_OK(update(&world, cookie.customer, UINT64_MAX, cookie.part, "yes", NULL, &updated));
        CHECK(updated.key.customer.v == member.customer.v);
    }
}

static void on_linked(void *ctx, enum err err, struct storage_key survivor)
{
    struct tally *tally = ctx;

    tally->has_differed |= tally->part.v != 0 && tally->part.v != survivor.customer.v;
    tally->part.v = survivor.customer.v;
    tally_one(tally, err);
}

TEST(links_both_ways_at_once_and_in_a_chain_end_in_one_customer)
{
    struct world world;

    EACH_STORAGE(&world, 25)
    {
        struct storage_identity a = identify(&world, IDENTIFIER_COOKIE, "a", true);
        struct storage_identity b = identify(&world, IDENTIFIER_COOKIE, "b", true);
        struct storage_identity c = identify(&world, IDENTIFIER_MEMBER, "c", true);
        struct storage_key key_a = {tenant, a.customer}, key_b = {tenant, b.customer}, survivor;
        struct tally tally = {.wanted_n = 2};

        storage_link(world.storage, world.loop, key_a, key_b, a.part, b.part, reason_at(1000), on_linked,
                     &tally);
        storage_link(world.storage, world.loop, key_b, key_a, b.part, a.part, reason_at(1000), on_linked,
                     &tally);
        loop_run_until(world.loop, &tally.is_done);
        CHECK_INT(tally.errs_n[ERR_OK], 2);
        CHECK(!tally.has_differed);
        CHECK(tally.part.v == (a.customer.v < b.customer.v ? a.customer.v : b.customer.v));
        CHECK_OK(link_parts(&world, b, c, 1000, &survivor));
        CHECK(survivor.customer.v == c.customer.v);
        CHECK(load(&world, a.customer).customer.v == c.customer.v);
        CHECK(load(&world, b.customer).customer.v == c.customer.v);
        CHECK_INT(load(&world, a.customer).parts_n, 3);
    }
}

/* Makes events and statements on two parts. */
static void live_two(struct world *world, struct storage_identity a, struct storage_identity b, int from)
{
    struct storage_identity each[2] = {a, b};
    struct storage_updated updated;

    for (int i = from; i < from + 4; i++) {
        char id[16];
        struct storage_event event;

        snprintf(id, sizeof(id), "e%d", i);
        event = event_of(each[i % 2].part, id, id);
        ingest(world, &event);
        CHECK_OK(update(world, each[i % 2].customer, UINT64_MAX, each[i % 2].part, id, NULL, &updated));
    }
    fold(world);
}

TEST(link_then_cut_is_the_run_without_the_link)
{
    struct world world;
    struct arena kept;

    arena_open(&kept, 1 << 16, 1 << 22);
    for (int cut_first = 0; cut_first < 2; cut_first++) {
        struct bytes wanted[2][2] = {{{0}}};

        for (int linked = 0; linked < 2; linked++) {
            EACH_STORAGE(&world, 26)
            {
                struct storage_identity a = identify(&world, IDENTIFIER_COOKIE, "a", true);
                struct storage_identity b = identify(&world, IDENTIFIER_MEMBER, "b", true);
                struct storage_key survivor, left, cut;
                struct storage_event retry = event_of(a.part, "e0", "e0");

                live_two(&world, a, b, 0);
                if (linked) {
                    CHECK_OK(link_parts(&world, a, b, 1000, &survivor));
                }
                live_two(&world, a, b, 4);
                if (linked) {
                    struct part_id part = cut_first ? b.part : a.part;

                    atomic_store(&world.now_ms, 2000);
                    CHECK_OK(storage_wait_cut(world.storage, world.loop, tenant, part, &left, &cut));
                    CHECK_OK(storage_wait_cut(world.storage, world.loop, tenant, part, &survivor, &cut));
                    CHECK(survivor.customer.v == left.customer.v);
                    CHECK_INT(ingest(&world, &retry).stored, STORAGE_DUPLICATE); /* retry after cut */
                    CHECK_INT(link_parts(&world, a, b, 1500, &survivor), ERR_CONFLICT);
                }
                a = identify(&world, IDENTIFIER_COOKIE, "a", false);
                b = identify(&world, IDENTIFIER_MEMBER, "b", false);
                CHECK(a.customer.v != b.customer.v);
                for (int i = 0; i < 2; i++) {
                    struct sealed_customer loaded = load(&world, i == 0 ? a.customer : b.customer);

                    CHECK_INT(loaded.parts_n, 1);
                    CHECK_INT(loaded.identifiers_n, 1);
                    CHECK_INT(loaded.identifiers[0].strength, 0);
                    if (wanted[i][0].n == 0) {
                        wanted[i][0] = arena_copy(&kept, loaded.declared.hidden);
                        wanted[i][1] = arena_copy(&kept, loaded.parts[0].state.hidden);
                    }
                    CHECK_INT(state_count(loaded.parts[0].state.hidden), 4);
                    CHECK_BYTES(loaded.declared.hidden, wanted[i][0]);
                    CHECK_BYTES(loaded.parts[0].state.hidden, wanted[i][1]);
                }
                if (linked) {
                    CHECK_OK(link_parts(&world, a, b, 2500, &survivor)); /* news after the cut links again */
                }
            }
        }
    }
    arena_close(&kept);
}

TEST(cut_gives_each_side_its_own_word)
{
    struct world world;

    EACH_STORAGE(&world, 56)
    {
        struct storage_identity a = identify(&world, IDENTIFIER_COOKIE, "a", true);
        struct storage_identity b = identify(&world, IDENTIFIER_MEMBER, "b", true);
        struct storage_key survivor, left, cut;
        struct storage_updated updated;

        CHECK_OK(update(&world, a.customer, 0, a.part, "no", NULL, &updated));
        CHECK_OK(update(&world, b.customer, 0, b.part, "yes", NULL, &updated));
        CHECK_OK(link_parts(&world, a, b, 1000, &survivor));
        CHECK_INT(
            consent_word_get(identify(&world, IDENTIFIER_MEMBER, "b", false).consent_word, PURPOSE_STORE),
            CONSENT_REFUSED);
        CHECK_OK(storage_wait_cut(world.storage, world.loop, tenant, a.part, &left, &cut));
        CHECK_INT(
            consent_word_get(identify(&world, IDENTIFIER_MEMBER, "b", false).consent_word, PURPOSE_STORE),
            CONSENT_GRANTED);
        CHECK_INT(
            consent_word_get(identify(&world, IDENTIFIER_COOKIE, "a", false).consent_word, PURPOSE_STORE),
            CONSENT_REFUSED);
    }
}

TEST(cut_of_the_only_part_is_refused)
{
    struct world world;

    EACH_STORAGE(&world, 27)
    {
        struct storage_identity a = identify(&world, IDENTIFIER_COOKIE, "a", true);
        struct storage_key left, cut;

        CHECK_INT(storage_wait_cut(world.storage, world.loop, tenant, a.part, &left, &cut), ERR_CONFLICT);
        CHECK_INT(storage_wait_cut(world.storage, world.loop, tenant, (struct part_id){5}, &left, &cut),
                  ERR_ABSENT);
    }
}

TEST(cut_of_the_first_part_leaves_the_number_with_the_row)
{
    struct world world;

    EACH_STORAGE(&world, 28)
    {
        struct storage_identity a = identify(&world, IDENTIFIER_MEMBER, "a", true);
        struct storage_identity b = identify(&world, IDENTIFIER_COOKIE, "b", true);
        struct storage_key survivor, left, cut;

        CHECK_OK(link_parts(&world, a, b, 1000, &survivor));
        CHECK_OK(storage_wait_cut(world.storage, world.loop, tenant, a.part, &left, &cut));
        CHECK(left.customer.v == a.customer.v);
        CHECK(cut.customer.v != a.customer.v && cut.customer.v != b.customer.v);
        CHECK(identify(&world, IDENTIFIER_MEMBER, "a", false).customer.v == cut.customer.v);
        CHECK(identify(&world, IDENTIFIER_COOKIE, "b", false).customer.v == left.customer.v);
    }
}

/* A customer of two parts was joined as a whole; one part cut out of it does not get the whole's number back. */
TEST(cut_part_takes_no_number_that_stood_for_more)
{
    struct world world;

    EACH_STORAGE(&world, 57)
    {
        struct storage_identity a = identify(&world, IDENTIFIER_COOKIE, "a", true);
        struct storage_identity b = identify(&world, IDENTIFIER_COOKIE, "b", true);
        struct storage_identity member = identify(&world, IDENTIFIER_MEMBER, "m", true);
        struct storage_key both, survivor, left, cut;

        CHECK_OK(link_parts(&world, a, b, 1000, &both));
        CHECK_OK(link_parts(&world, a, member, 1000, &survivor));
        CHECK(survivor.customer.v == member.customer.v);
        CHECK_OK(storage_wait_cut(world.storage, world.loop, tenant, (struct part_id){both.customer.v}, &left,
                                  &cut));
        CHECK(left.customer.v == member.customer.v);
        CHECK(cut.customer.v != both.customer.v);
        CHECK(load(&world, both.customer).customer.v == member.customer.v);
        CHECK_INT(load(&world, cut.customer).parts_n, 1);
    }
}

TEST(device_of_two_members_belongs_to_neither)
{
    struct world world;

    EACH_STORAGE(&world, 29)
    {
        struct storage_identity one = identify(&world, IDENTIFIER_MEMBER, "m1", true);
        struct storage_identity two = identify(&world, IDENTIFIER_MEMBER, "m2", true);
        struct storage_identity device = identify(&world, IDENTIFIER_COOKIE, "d", true);
        struct storage_identity mail = identify(&world, IDENTIFIER_EMAIL_HASH, "h", true);
        struct storage_key survivor;

        CHECK_OK(link_parts(&world, one, device, 1000, &survivor));
        device = identify(&world, IDENTIFIER_COOKIE, "d", false);
        CHECK_INT(link_parts(&world, two, device, 2000, &survivor), ERR_CONFLICT);
        device = identify(&world, IDENTIFIER_COOKIE, "d", false);
        CHECK(device.customer.v != one.customer.v && device.customer.v != two.customer.v);
        CHECK_INT(load(&world, one.customer).parts_n, 1);
        CHECK_INT(link_parts(&world, one, device, 9000, &survivor), ERR_CONFLICT); /* for good */
        CHECK_INT(link_parts(&world, two, device, 9000, &survivor), ERR_CONFLICT);
        CHECK_OK(
            link_parts(&world, one, mail, 1000, &survivor)); /* an address joins no two members, and stays */
        CHECK_INT(link_parts(&world, two, mail, 1000, &survivor), ERR_CONFLICT);
        CHECK(identify(&world, IDENTIFIER_EMAIL_HASH, "h", false).customer.v == one.customer.v);
    }
}

TEST(of_sixty_five_parts_the_idlest_device_leaves)
{
    struct world world;

    EACH_STORAGE(&world, 30)
    {
        struct storage_identity member = identify(&world, IDENTIFIER_MEMBER, "m", true), one;
        struct storage_key survivor;
        char name[16];

        for (int i = 0; i < STORAGE_PARTS_MAX; i++) {
            atomic_store(&world.now_ms, i == 20 ? 500 : 1000 + i); /* the 21st is the idlest */
            snprintf(name, sizeof(name), "c%d", i);
            one = identify(&world, IDENTIFIER_COOKIE, name, true);
            CHECK_OK(link_parts(&world, member, one, 2000, &survivor));
        }
        CHECK_INT(load(&world, member.customer).parts_n, STORAGE_PARTS_MAX);
        CHECK(identify(&world, IDENTIFIER_COOKIE, "c20", false).customer.v != member.customer.v);
        CHECK(identify(&world, IDENTIFIER_COOKIE, "c21", false).customer.v == member.customer.v);
        CHECK(identify(&world, IDENTIFIER_COOKIE, "c63", false).customer.v == member.customer.v);
    }
}

/* 63 parts and a device meet 2: the device would leave, yet they are still too many, so it stays. */
TEST(sixty_five_parts_without_a_device_are_too_many)
{
    struct world world;

    EACH_STORAGE(&world, 31)
    {
        struct storage_identity member = identify(&world, IDENTIFIER_MEMBER, "m", true);
        struct storage_identity device = identify(&world, IDENTIFIER_COOKIE, "c", true), one, other;
        struct storage_key survivor;
        char name[16];

        CHECK_OK(link_parts(&world, member, device, 2000, &survivor));
        for (int i = 0; i < STORAGE_PARTS_MAX - 2; i++) {
            snprintf(name, sizeof(name), "h%d", i);
            one = identify(&world, IDENTIFIER_EMAIL_HASH, name, true);
            CHECK_OK(link_parts(&world, member, one, 2000, &survivor));
        }
        one = identify(&world, IDENTIFIER_EMAIL_HASH, "one", true);
        other = identify(&world, IDENTIFIER_EMAIL_HASH, "other", true);
        CHECK_OK(link_parts(&world, one, other, 2000, &survivor));
        one = identify(&world, IDENTIFIER_EMAIL_HASH, "one", true);
        CHECK_INT(link_parts(&world, member, one, 2000, &survivor), ERR_TOOBIG);
        CHECK_INT(load(&world, member.customer).parts_n, STORAGE_PARTS_MAX);
        CHECK(identify(&world, IDENTIFIER_COOKIE, "c", false).customer.v == member.customer.v);
    }
}

/* ---- scans ---- */

static bool on_customer(void *ctx, const struct sealed_customer *customer)
{
    size_t *parts_n = ctx;

    *parts_n += customer->parts_n;
    return true;
}

TEST(scan_gives_each_event_once_in_key_order)
{
    struct world world;

    EACH_STORAGE(&world, 32)
    {
        struct storage_identity made[20];
        struct storage_key survivor;
        struct seen seen = {0}, half = {0}, rest = {0};
        const struct storage_scan_event *events;
        size_t n, first_n = 0, parts_n = 0;

        for (int i = 0; i < 60; i++) {
            char id[16];
            struct storage_event event;

            snprintf(id, sizeof(id), "c%d", i % 20);
            made[i % 20] = identify(&world, IDENTIFIER_COOKIE, id, true);
            snprintf(id, sizeof(id), "e%d", i);
            event = event_of(made[i % 20].part, id, id);
            event.day = 20000 + (uint32_t)(60 - i) / 7;
            ingest(&world, &event);
            event.tenant.v = 8; /* another tenant's, with the same numbers */
            ingest(&world, &event);
            if (i == 30) {
                fold(&world);
            }
        }
        CHECK_OK(storage_scan(world.storage, tenant, 0, HASH_BUCKETS, on_scanned, &seen));
        CHECK_INT(seen.n, 60);
        CHECK_INT(seen.folded_n, 31);
        CHECK(!seen.is_out_of_order);
        CHECK_OK(storage_scan(world.storage, tenant, 0, 512, on_scanned, &half));
        CHECK_OK(storage_scan(world.storage, tenant, 512, HASH_BUCKETS, on_scanned, &rest));
        CHECK_INT(half.n + rest.n, 60);
        CHECK(half.n > 0 && rest.n > 0);
        CHECK_OK(storage_scan(world.storage, tenant, 0, HASH_BUCKETS, on_first, &first_n));
        CHECK_INT(first_n, 3);
        CHECK_OK(storage_wait_scan_parts(world.storage, world.loop, tenant,
                                         (struct part_id[]){made[3].part, made[4].part}, 2, 5, &world.arena,
                                         &events, &n));
        CHECK_INT(n, 5);
        for (size_t i = 1; i < n; i++) {
            CHECK(events[i - 1].day <= events[i].day);
        }
        CHECK_OK(link_parts(&world, made[0], made[1], 1000, &survivor));
        CHECK_OK(storage_scan_customers(world.storage, tenant, on_customer, &parts_n));
        CHECK_INT(parts_n, 20); /* the joined one is given once, as one */
    }
}

TEST(replay_gives_the_same_states)
{
    struct world world;

    EACH_STORAGE(&world, 33)
    {
        struct rng rng = {5};
        struct bytes before = live(&world, &rng);
        struct storage_identity made = identify(&world, IDENTIFIER_COOKIE, "c1", false);
        struct storage_event late = event_of(made.part, "late", "late");
        uint64_t parts_n, differing_n;

        ingest(&world, &late); /* still in the tail: in no state */
        CHECK_OK(storage_replay(world.storage, tenant, &parts_n, &differing_n));
        CHECK_INT(parts_n, 1);
        CHECK_INT(differing_n, 0);
        CHECK_BYTES(load(&world, made.customer).parts[0].state.hidden, before);
        CHECK_INT(load(&world, made.customer).parts[0].tail_n, 1);
    }
}

TEST(checkpoint_is_the_storage_as_it_was)
{
    struct world world;
    struct storage_identity made;
    struct storage_event event;
    struct storage_options options;
    struct storage *copy;
    struct storage_ingested result;
    struct seen seen = {0};
    struct bytes data;
    uint8_t hash[32];
    char directory[256], url[300];

    world_open(&world, "memory", 34);
    CHECK_INT(storage_checkpoint(world.storage, "/tmp"), ERR_UNSUPPORTED);
    world_close(&world);
    world_open(&world, "rocksdb", 34);
    made = identify(&world, IDENTIFIER_COOKIE, "c1", true);
    event = event_of(made.part, "e1", "x");
    ingest(&world, &event);
    CHECK_OK(storage_wait_file_put(world.storage, world.loop, BYTES_LIT("a model"), hash));
    snprintf(directory, sizeof(directory), "%s/copy", world.directory);
    CHECK_OK(storage_checkpoint(world.storage, directory));
    event = event_of(made.part, "e2", "x");
    ingest(&world, &event);
    snprintf(url, sizeof(url), "rocksdb:%s", directory);
    options = world.options;
    options.is_read_only = true;
    CHECK_OK(storage_open(url, &options, &copy, NULL));
    CHECK_OK(storage_scan(copy, tenant, 0, HASH_BUCKETS, on_scanned, &seen));
    CHECK_INT(seen.n, 1);
    CHECK_OK(storage_wait_file_get(copy, world.loop, hash, &world.arena, &data));
    CHECK_TEXT(data, "a model");
    CHECK_INT(storage_wait_ingest(copy, world.loop, &event, 1, &result), ERR_UNSUPPORTED);
    storage_close(copy);
    world_close(&world);
}

/* ---- erase ---- */

static bool file_holds(const char *path, struct bytes needle)
{
    struct stat stat;
    int fd = open(path, O_RDONLY);
    ssize_t n;
    char *data;
    bool is_found = false;

    if (fd < 0) {
        return false; /* removed since it was listed */
    }
    CHECK(fstat(fd, &stat) == 0);
    data = malloc((size_t)stat.st_size + 1);
    n = read(fd, data, (size_t)stat.st_size);
    is_found = n > 0 && memmem(data, (size_t)n, needle.p, needle.n) != NULL;
    free(data);
    close(fd);
    return is_found;
}

/* Whether the bytes stand in any file of the database, read raw. */
static bool disk_holds(struct world *world, struct bytes needle)
{
    char path[1024];
    bool is_found = false;
    struct dirent *entry;
    DIR *directory;

    snprintf(path, sizeof(path), "%s/db", world->directory);
    directory = opendir(path);
    CHECK(directory != NULL);
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_type == DT_REG) {
            snprintf(path, sizeof(path), "%s/db/%s", world->directory, entry->d_name);
            is_found |= file_holds(path, needle);
        }
    }
    closedir(directory);
    return is_found;
}

/* Compaction runs beside the answer, so it is waited for. */
static bool leaves_disk(struct world *world, struct bytes needle)
{
    for (int i = 0; i < 2000 && disk_holds(world, needle); i++) {
        usleep(10000);
    }
    return !disk_holds(world, needle);
}

static void draw_text(char *text, size_t n, uint64_t seed)
{
    struct rng rng = {seed};

    for (size_t i = 0; i + 1 < n; i++) {
        text[i] = (char)('!' + rng_below(&rng, 90));
    }
    text[n - 1] = '\0';
}

struct erased_life {
    struct storage_identity member, cookie, other;
    char folded[80], waiting[80], said[60], name[40], others[80];
    struct idh idh;
};

/* A member with a cookie, an event in the log and one in a tail, a statement; and somebody else. */
static void live_to_be_erased(struct world *world, struct erased_life *life)
{
    struct storage_event event;
    struct storage_updated updated;
    struct storage_key survivor;
    uint8_t key[32];

    draw_text(life->folded, sizeof(life->folded), 1);
    draw_text(life->waiting, sizeof(life->waiting), 2);
    draw_text(life->said, sizeof(life->said), 3);
    draw_text(life->name, sizeof(life->name), 4);
    draw_text(life->others, sizeof(life->others), 5);
    life->member = identify(world, IDENTIFIER_MEMBER, life->name, true);
    life->cookie = identify(world, IDENTIFIER_COOKIE, "c1", true);
    life->other = identify(world, IDENTIFIER_COOKIE, "other", true);
    hash_derive(world->options.secret, 1, "ident   ", key);
    life->idh = hash_identifier(key, tenant, IDENTIFIER_MEMBER, bytes_of(life->name));
    CHECK_OK(link_parts(world, life->member, life->cookie, 1000, &survivor));
    event = event_of(life->member.part, "e1", life->folded);
    event.is_receipt = true;
    ingest(world, &event);
    event = event_of(life->other.part, "o1", life->others);
    ingest(world, &event);
    fold(world);
    event = event_of(life->cookie.part, "e2", life->waiting);
    ingest(world, &event);
    CHECK_OK(update(world, life->member.customer, UINT64_MAX, life->cookie.part, life->said, NULL, &updated));
}

static void check_erased(struct world *world, struct erased_life *life)
{
    struct storage_event again = event_of(life->other.part, "e1", "news"),
                         late = event_of(life->cookie.part, "e9", "z");
    struct seen seen = {0};

    again.is_receipt = true;
    CHECK_INT(identify(world, IDENTIFIER_MEMBER, life->name, false).how, STORAGE_UNKNOWN);
    CHECK_INT(identify(world, IDENTIFIER_COOKIE, "c1", false).how, STORAGE_UNKNOWN);
    CHECK_INT(load(world, life->member.customer).customer.v, 0);
    CHECK_INT(load(world, life->cookie.customer).customer.v, 0);
    CHECK_INT(load(world, life->other.customer).parts_n, 1);
    ingest(world, &late); /* was on its way: the fold drops it */
    fold(world);
    CHECK_OK(storage_scan(world->storage, tenant, 0, HASH_BUCKETS, on_scanned, &seen));
    CHECK_INT(seen.n, 1);
    CHECK_INT(ingest(world, &again).stored, STORAGE_STORED); /* its message id is forgotten, too */
}

TEST(erased_customer_is_gone_with_all_members)
{
    struct world world;

    EACH_STORAGE(&world, 35)
    {
        struct erased_life life;
        struct storage_erased erased;
        struct storage_key key;

        live_to_be_erased(&world, &life);
        key = (struct storage_key){tenant, life.cookie.customer}; /* the joined name will do */
        CHECK_OK(storage_wait_erase(world.storage, world.loop, key, STORAGE_ERASE_ALL, &erased));
        CHECK_INT(erased.identifiers_n, 2);
        CHECK_INT(erased.parts_n, 2);
        CHECK_INT(erased.events_n, 2);
        CHECK_INT(erased.declared_n, 1);
        CHECK_OK(storage_wait_erase(world.storage, world.loop, key, STORAGE_ERASE_ALL, &erased));
        CHECK_INT(erased.parts_n, 0);
        check_erased(&world, &life);
    }
}

TEST(withdrawn_customer_keeps_hash_and_statements_only)
{
    struct world world;

    EACH_STORAGE(&world, 36)
    {
        struct erased_life life;
        struct storage_erased erased;
        struct storage_updated updated;
        struct storage_event late;
        struct sealed_customer loaded;
        struct seen seen = {0};

        live_to_be_erased(&world, &life);
        CHECK_OK(storage_wait_erase(world.storage, world.loop,
                                    (struct storage_key){tenant, life.member.customer},
                                    STORAGE_ERASE_WITHDRAWN, &erased));
        CHECK_INT(erased.events_n, 2);
        CHECK_INT(identify(&world, IDENTIFIER_MEMBER, life.name, false).how, STORAGE_FOUND);
        loaded = load(&world, life.member.customer);
        CHECK(loaded.customer.v == life.member.customer.v);
        CHECK_INT(loaded.declared.hidden.n, 9 + strlen(life.said));
        CHECK_INT(loaded.identifiers_n, 2);
        for (size_t i = 0; i < 2; i++) {
            CHECK_INT(loaded.identifiers[i].text.hidden.n, 0);
            CHECK_INT(loaded.parts[i].state.hidden.n, 0);
            CHECK_INT(loaded.parts[i].tail_n, 0);
        }
        late = event_of(life.cookie.part, "e9", "late");
        CHECK_INT(ingest(&world, &late).err, ERR_NO_PASS); /* it was on its way, and is not kept */
        CHECK_OK(update(&world, life.member.customer, UINT64_MAX, life.member.part, "no", &late, &updated));
        CHECK_OK(storage_scan(world.storage, tenant, 0, HASH_BUCKETS, on_scanned, &seen));
        CHECK_INT(seen.n, 1);
        CHECK_OK(storage_wait_erase(world.storage, world.loop,
                                    (struct storage_key){tenant, life.member.customer},
                                    STORAGE_ERASE_WITHDRAWN, &erased)); /* again is nothing new */
        CHECK_INT(erased.events_n, 0);
    }
}

TEST(who_withdrew_and_consents_again_is_stored_again)
{
    struct world world;

    EACH_STORAGE(&world, 55)
    {
        struct storage_identity made = identify(&world, IDENTIFIER_COOKIE, "c1", true);
        struct storage_event event = event_of(made.part, "e1", "x");
        struct storage_erased erased;
        struct storage_updated updated;

        CHECK_OK(storage_wait_erase(world.storage, world.loop, (struct storage_key){tenant, made.customer},
                                    STORAGE_ERASE_WITHDRAWN, &erased));
        CHECK_INT(ingest(&world, &event).err, ERR_NO_PASS);
        CHECK_OK(update(&world, made.customer, UINT64_MAX, made.part, "yes", NULL, &updated));
        CHECK_INT(ingest(&world, &event).stored, STORAGE_STORED);
        fold(&world);
        CHECK_INT(state_count(load(&world, made.customer).parts[0].state.hidden), 1);
    }
}

/* A withdrawal that came late, or was overtaken by a grant on its way, loses nothing and closes nothing. */
TEST(a_grant_that_stands_is_not_erased_under)
{
    struct world world;

    EACH_STORAGE(&world, 56)
    {
        struct storage_identity made = identify(&world, IDENTIFIER_COOKIE, "c1", true);
        struct storage_event first = event_of(made.part, "e1", "x"), second = event_of(made.part, "e2", "y");
        struct storage_erased erased;
        struct storage_updated updated;

        CHECK_INT(ingest(&world, &first).stored, STORAGE_STORED);
        CHECK_OK(update(&world, made.customer, UINT64_MAX, made.part, "yes", NULL, &updated));
        CHECK_OK(storage_wait_erase(world.storage, world.loop, (struct storage_key){tenant, made.customer},
                                    STORAGE_ERASE_WITHDRAWN, &erased));
        CHECK_INT(erased.events_n, 0);
        CHECK_INT(ingest(&world, &second).stored, STORAGE_STORED);
        fold(&world);
        CHECK_INT(state_count(load(&world, made.customer).parts[0].state.hidden), 2);
        CHECK_OK(storage_wait_erase(world.storage, world.loop, (struct storage_key){tenant, made.customer},
                                    STORAGE_ERASE_ALL, &erased));
        CHECK_INT(erased.events_n, 2);
    }
}

TEST(erased_bytes_are_in_no_file)
{
    struct world world;
    struct erased_life life;
    struct storage_erased erased;
    char copy[256];

    world_open(&world, "rocksdb", 37);
    live_to_be_erased(&world, &life);
    snprintf(copy, sizeof(copy), "%s/copy", world.directory);
    CHECK_OK(
        storage_checkpoint(world.storage, copy)); /* flushes: some bytes are in tables, some in the log */
    CHECK(disk_holds(&world, bytes_of(life.folded)));
    CHECK(disk_holds(&world, bytes_of(life.waiting)));
    CHECK(disk_holds(&world, bytes_of(life.said)));
    CHECK(disk_holds(&world, (struct bytes){(char *)life.idh.b, 16}));
    CHECK(!disk_holds(&world, bytes_of(life.name))); /* identifier text is never in clear */
    CHECK_OK(storage_wait_erase(world.storage, world.loop, (struct storage_key){tenant, life.member.customer},
                                STORAGE_ERASE_ALL, &erased));
    CHECK(leaves_disk(&world, bytes_of(life.folded)));
    CHECK(leaves_disk(&world, bytes_of(life.waiting)));
    CHECK(leaves_disk(&world, bytes_of(life.said)));
    /* RocksDB's manifest, which names the first and last key of tables, is begun anew at open. */
    world_reopen(&world);
    CHECK(!disk_holds(&world, (struct bytes){(char *)life.idh.b, 16}));
    CHECK(disk_holds(&world, bytes_of(life.others)));
    check_erased(&world, &life);
    world_close(&world);
}

TEST(erase_cut_short_is_completed_at_the_next_open)
{
    bool is_over = false;
    uint64_t steps = 0;

    for (uint64_t n = 1; !is_over; n++) {
        struct world world;
        struct erased_life life;
        struct storage_erased erased;
        struct storage_key key;
        enum err err;

        CHECK(n < 20);
        world_open(&world, "fault:rocksdb", 38);
        live_to_be_erased(&world, &life);
        key = (struct storage_key){tenant, life.member.customer};
        storage_fault_set(
            world.storage,
            &(struct storage_fault_plan){.write_n = n, .is_for_ever = true, .err = ERR_IO, .is_kept = false});
        err = storage_wait_erase(world.storage, world.loop, key, STORAGE_ERASE_ALL, &erased);
        is_over = err == ERR_OK;
        CHECK(err == ERR_OK || err == ERR_IO);
        world_reopen(&world);
        if (n == 1) { /* not even the journal was written */
            CHECK_INT(load(&world, life.member.customer).parts_n, 2);
            CHECK_OK(storage_wait_erase(world.storage, world.loop, key, STORAGE_ERASE_ALL, &erased));
        }
        check_erased(&world, &life);
        world_close(&world);
        steps++;
    }
    CHECK(steps >= 4);
}

/* ---- failures ---- */

static void on_ingested(void *ctx, enum err err, const struct storage_ingested *results, size_t n)
{
    (void)results;
    (void)n;
    tally_one(ctx, err);
}

TEST(full_queue_is_busy_and_writes_nothing)
{
    enum { CALLS = 400, BATCH = 100 };
    static struct storage_event events[CALLS][BATCH];
    struct world world;
    struct storage_identity made;
    struct storage_stat stat;
    struct tally tally = {.wanted_n = CALLS};
    struct seen seen = {0};

    world_open(&world, "fault", 39);
    made = identify(&world, IDENTIFIER_COOKIE, "c1", true);
    storage_fault_set(world.storage, &(struct storage_fault_plan){.is_holding = true});
    for (size_t i = 0; i < CALLS; i++) {
        for (size_t j = 0; j < BATCH; j++) {
            char id[16];

            snprintf(id, sizeof(id), "e%zu.%zu", i, j);
            events[i][j] = event_of(made.part, id, "x");
        }
        storage_ingest(world.storage, world.loop, events[i], BATCH, on_ingested, &tally);
    }
    storage_stat(world.storage, &stat);
    CHECK(stat.queue_n > 10000 && stat.queue_n <= 32768);
    storage_fault_set(world.storage, &(struct storage_fault_plan){0});
    loop_run_until(world.loop, &tally.is_done);
    CHECK(tally.errs_n[ERR_BUSY] > 0 && tally.errs_n[ERR_OK] > 0);
    CHECK_INT(tally.errs_n[ERR_BUSY] + tally.errs_n[ERR_OK], CALLS);
    CHECK_OK(storage_scan(world.storage, tenant, 0, HASH_BUCKETS, on_scanned, &seen));
    CHECK_INT(seen.n, tally.errs_n[ERR_OK] * BATCH);
    world_close(&world);
}

TEST(full_disk_keeps_nothing_and_the_next_write_goes_on)
{
    struct world world;
    struct storage_identity made;
    struct storage_event event;
    struct storage_ingested result;

    world_open(&world, "fault", 40);
    made = identify(&world, IDENTIFIER_COOKIE, "c1", true);
    event = event_of(made.part, "e1", "x");
    storage_fault_set(world.storage, &(struct storage_fault_plan){.write_n = 1, .err = ERR_FULL});
    CHECK_INT(storage_wait_ingest(world.storage, world.loop, &event, 1, &result), ERR_FULL);
    CHECK_INT(result.err, ERR_FULL);
    CHECK_INT(load(&world, made.customer).parts[0].tail_n, 0);
    CHECK_INT(ingest(&world, &event).stored, STORAGE_STORED);
    world_close(&world);
}

/* A write fails at a drawn moment, kept or not: what was acknowledged is there, what was refused with
 * nothing kept is not, and after opening again the same messages settle what was unknown. */
TEST(failing_write_loses_nothing_acknowledged_and_keeps_nothing_else)
{
    for (uint64_t seed = 0; seed < 6; seed++) {
        struct world world;
        struct rng rng = {seed};
        struct storage_identity made;
        struct storage_stat stat;
        enum err errs[30];
        size_t acknowledged_n = 0, unknown_n = 0, there_n;
        bool is_kept = seed % 2 == 0;
        char ids[30][8];

        world_open(&world, "fault:rocksdb", 41 + seed);
        made = identify(&world, IDENTIFIER_COOKIE, "c1", true);
        storage_fault_set(world.storage, &(struct storage_fault_plan){.write_n = 1 + rng_below(&rng, 25),
                                                                      .err = ERR_IO,
                                                                      .is_kept = is_kept});
        for (size_t i = 0; i < 30; i++) {
            struct storage_event event;
            struct storage_ingested result;

            snprintf(ids[i], sizeof(ids[i]), "e%zu", i);
            event = event_of(made.part, ids[i], "x");
            errs[i] = storage_wait_ingest(world.storage, world.loop, &event, 1, &result);
            acknowledged_n += errs[i] == ERR_OK;
            unknown_n += errs[i] == ERR_IO;
        }
        CHECK_INT(acknowledged_n + unknown_n, 30);
        CHECK(unknown_n > 0);
        storage_stat(world.storage, &stat);
        CHECK(stat.is_failing); /* one failed write, and nothing is acknowledged until it is opened again */
        CHECK_INT(errs[29], ERR_IO);
        world_reopen(&world);
        there_n = load(&world, made.customer).parts[0].tail_n;
        CHECK_INT(there_n, acknowledged_n + is_kept);
        for (size_t i = 0; i < 30; i++) {
            struct storage_event event = event_of(made.part, ids[i], "x");
            enum storage_stored stored = ingest(&world, &event).stored;

            CHECK(errs[i] != ERR_OK || stored == STORAGE_DUPLICATE);
        }
        fold(&world);
        CHECK_INT(state_count(load(&world, made.customer).parts[0].state.hidden), 30);
        world_close(&world);
    }
}

TEST(killed_at_any_moment_what_was_acknowledged_is_there_once)
{
    uint32_t acknowledged_n = 0, number;
    struct world world;

    world_open(&world, "rocksdb", 50);
    for (int round = 0; round < 3; round++) {
        struct storage_identity made;
        struct sealed_customer loaded;
        int ends[2], status;
        pid_t child;

        storage_close(world.storage);
        world.storage = NULL;
        CHECK_INT(pipe(ends), 0);
        child = begin_child(&world, "sender", ends[1]);
        CHECK(child > 0);
        close(ends[1]);
        while (read(ends[0], &number, sizeof(number)) == sizeof(number)) {
            acknowledged_n = number + 1 > acknowledged_n ? number + 1 : acknowledged_n;
            if (number == 60u * (uint32_t)(round + 1) + (uint32_t)round * 7) {
                kill(child, SIGKILL);
            }
        }
        close(ends[0]);
        CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
        CHECK_OK(storage_open(world.url, &world.options, &world.storage, NULL));
        made = identify(&world, IDENTIFIER_COOKIE, "c1", false);
        loaded = load(&world, made.customer);
        CHECK(state_count(whole(&world, &loaded.parts[0])) >= acknowledged_n);
        CHECK_INT(state_count(loaded.parts[0].state.hidden) + loaded.parts[0].tail_n,
                  state_count(whole(&world, &loaded.parts[0])));
    }
    world_close(&world);
}

/* ---- configuration under concurrent writers ---- */

static void *put_many(void *ctx)
{
    struct creator *creator = ctx;
    struct loop *loop;

    CHECK_OK(loop_open(&loop));
    for (int i = 0; i < 200; i++) {
        char id[16];
        struct storage_put put = {.row = BYTES_LIT("row")};
        uint64_t revision;

        snprintf(id, sizeof(id), "i%d", i % 37);
        put.id = bytes_of(id);
        CHECK_OK(storage_wait_put(creator->world->storage, loop, tenant, STORAGE_RULE, &put, 1, &revision));
    }
    creator->tally.is_done = true;
    loop_close(loop);
    return NULL;
}

TEST(poll_under_concurrent_puts_misses_nothing)
{
    struct world world;

    EACH_STORAGE(&world, 51)
    {
        struct creator creators[2] = {{.world = &world}, {.world = &world}};
        const struct storage_row *rows;
        uint64_t since = 0, newest[37] = {0};
        pthread_t threads[2];
        size_t n;

        for (int i = 0; i < 2; i++) {
            CHECK_INT(pthread_create(&threads[i], NULL, put_many, &creators[i]), 0);
        }
        while (since < 400) {
            CHECK_OK(storage_wait_changes(world.storage, world.loop, tenant, STORAGE_RULE, since, 10,
                                          &world.arena, &rows, &n));
            for (size_t i = 0; i < n; i++) {
                CHECK(rows[i].revision > since);
                since = rows[i].revision;
                newest[atoi(rows[i].id.p + 1)] = since;
            }
        }
        for (int i = 0; i < 2; i++) {
            pthread_join(threads[i], NULL);
        }
        CHECK_INT(since, 400);
        CHECK_OK(storage_wait_changes(world.storage, world.loop, tenant, STORAGE_RULE, 0, 100, &world.arena,
                                      &rows, &n));
        CHECK_INT(n, 37);
        for (size_t i = 0; i < n; i++) {
            CHECK_INT(newest[atoi(rows[i].id.p + 1)], rows[i].revision);
        }
    }
}

/* ---- the rest ---- */

TEST(tenants_do_not_meet)
{
    struct world world;

    EACH_STORAGE(&world, 52)
    {
        struct storage_identity mine = identify(&world, IDENTIFIER_MEMBER, "m1", true), theirs;
        struct storage_identifier identifier = {IDENTIFIER_MEMBER, BYTES_LIT("m1")};
        struct storage_event event = event_of(mine.part, "e1", "x");
        struct sealed_customer loaded;

        CHECK_OK(storage_wait_identify(world.storage, world.loop, (struct tenant_id){8}, &identifier, 1, true,
                                       BYTES_LIT("web"), &theirs));
        CHECK_INT(theirs.how, STORAGE_CREATED);
        CHECK(theirs.part.v != mine.part.v);
        CHECK_OK(storage_wait_load(world.storage, world.loop, (struct storage_key){{8}, mine.customer},
                                   &world.arena, &loaded));
        CHECK_INT(loaded.customer.v, 0);
        CHECK_INT(ingest(&world, &event).stored, STORAGE_STORED);
        event.tenant.v = 8;
        CHECK_INT(ingest(&world, &event).stored, STORAGE_STORED);
    }
}

static void on_lease(void *ctx, enum err err, uint64_t number)
{
    struct tally *tally = ctx;

    tally->part.v = number;
    tally_one(tally, err);
}

static void on_sealed(void *ctx, enum err err)
{
    tally_one(ctx, err);
}

TEST(lease_and_seal_are_given_at_once)
{
    struct world world;

    EACH_STORAGE(&world, 53)
    {
        struct tally tally = {.wanted_n = 2};

        storage_lease(world.storage, world.loop, BYTES_LIT("folder"), 1000, on_lease, &tally);
        storage_seal(world.storage, world.loop, 20000, on_sealed, &tally);
        CHECK_INT(tally.done_n, 0); /* never from inside the call */
        loop_run_until(world.loop, &tally.is_done);
        CHECK_INT(tally.errs_n[ERR_OK], 2);
        CHECK_INT(tally.part.v, 1);
    }
}

static void on_loads(void *ctx, enum err err, const struct sealed_customer *customers, size_t n)
{
    (void)customers;
    (void)n;
    tally_one(ctx, err);
}

TEST(load_past_its_deadline_is_busy)
{
    struct world world;

    EACH_STORAGE(&world, 54)
    {
        struct storage_identity made = identify(&world, IDENTIFIER_COOKIE, "c1", true);
        struct storage_key key = {tenant, made.customer};
        struct tally tally = {.wanted_n = 2};

        storage_load(world.storage, world.loop, &key, 1, 999, on_loads, &tally);
        storage_load(world.storage, world.loop, &key, 1, 1000, on_loads, &tally);
        loop_run_until(world.loop, &tally.is_done);
        CHECK_INT(tally.errs_n[ERR_BUSY], 1);
        CHECK_INT(tally.errs_n[ERR_OK], 1);
    }
}

TEST(unknown_schemes_are_refused_in_words)
{
    struct storage_options options = {.now_ms = world_now, .chance = world_chance};
    struct storage *storage;
    struct why why;

    CHECK_INT(storage_open("postgresql://somewhere", &options, &storage, &why), ERR_UNSUPPORTED);
    CHECK(strstr(why.says, "rocksdb:DIR") != NULL);
}
