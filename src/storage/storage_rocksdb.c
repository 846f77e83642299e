/* SPDX-License-Identifier: Apache-2.0 */
/* The RocksDB driver (7.8, its C interface): column families under the names of storage_key.h.
 *
 * Deliberately so (storage.md 13): the log is never off, one batch over families is atomic through it;
 * checksums stay on; no range deletes (an iterator bug, fixed in 8.6 only), no blob files, no log
 * recycling. `tail` and `ev` have the part as prefix: a walk over one part uses the prefix filter, every
 * other walk sets total-order seek, or it would silently miss keys.
 * DIR is RocksDB's own directory and also holds `files/`, one file a BLAKE2b-256 in hex, written aside,
 * synced, renamed. A second process is kept out by RocksDB's lock on DIR/LOCK. */
#include "storage/storage_driver.h"

#include "base/hash.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <rocksdb/c.h>

enum {
    CACHE_BYTES = 256 << 20,
    WRITE_BUFFER_BYTES = 16 << 20,   /* a family: smaller skip lists stay in the cache, larger ones merge less */
    WRITE_BUFFERS_BYTES = 160 << 20, /* all of them */
    WAL_BYTES_MAX = 256 << 20,       /* replayed at about 100 MB/s after a crash */
    RESERVE_BYTES = 16 << 20, /* kept free on the disk: a group, its log and the files' own needs */
    BLOOM_BITS = 10,                 /* 1 % false: a new message id costs 1.01 memory look-ups */
    OPEN_FILES_MAX = 512,
    PATH_BYTES_MAX = 4096
};

struct rocks {
    rocksdb_t *db;
    rocksdb_column_family_handle_t *families[STORAGE_FAMILIES_];
    rocksdb_options_t *options[STORAGE_FAMILIES_];
    rocksdb_readoptions_t *read;
    rocksdb_writeoptions_t *write_synced, *write;
    const struct storage_change **ordered; /* a group's changes by key; the writer's thread only */
    size_t ordered_room;
    enum err failed; /* of a write: nothing more is written until it was opened anew; the writer's thread only */
    rocksdb_cache_t *cache;
    char *directory;
    bool is_read_only;
};

struct view {
    const rocksdb_snapshot_t *snapshot;
    rocksdb_readoptions_t *read;
};

static void *must(void *p)
{
    if (p == NULL) {
        abort();
    }
    return p;
}

/* The C interface gives errors as text only. Frees it. */
static enum err err_of(char *text)
{
    enum err err = ERR_IO;

    if (text == NULL) {
        return ERR_OK;
    }
    if (strstr(text, "No space left") != NULL || strstr(text, "Space limit") != NULL) {
        err = ERR_FULL;
    } else if (strncmp(text, "Corruption", strlen("Corruption")) == 0) {
        err = ERR_CORRUPT;
    }
    rocksdb_free(text);
    return err;
}

/* ---- open ---- */

static rocksdb_options_t *options_of(const struct rocks *rocks, enum storage_family family)
{
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();

    rocksdb_block_based_options_set_block_cache(table, rocks->cache);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
    rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS));
    rocksdb_block_based_options_set_whole_key_filtering(table, 1);
    rocksdb_block_based_options_set_format_version(table, 5);
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);
    rocksdb_options_set_write_buffer_size(options, WRITE_BUFFER_BYTES);
    rocksdb_options_set_level_compaction_dynamic_level_bytes(options, 1);
    /* Keys of `seen` are hashes: nothing to compress. */
    rocksdb_options_set_compression(options, family == STORAGE_SEEN ? rocksdb_no_compression
                                                                    : rocksdb_lz4_compression);
    if (family == STORAGE_TAIL || family == STORAGE_EV) {
        rocksdb_options_set_prefix_extractor(
            options, rocksdb_slicetransform_create_fixed_prefix(STORAGE_KEY_OWNER_BYTES));
    }
    if (family == STORAGE_SEEN || family == STORAGE_RECEIPT || family == STORAGE_TAIL) {
        rocksdb_options_set_memtable_prefix_bloom_size_ratio(options, 0.05);
        rocksdb_options_set_memtable_whole_key_filtering(options, 1);
    }
    return options;
}

/* What a full disk would otherwise do, seen on a tmpfs of 48 MB: a new log file reserves 70 MB at once, which takes all
 * that is left for a moment, so that whoever writes then fails; and a line of RocksDB's own log that failed once ends
 * the process by its assertion at the next line. */
static void set_for_a_full_disk(rocksdb_options_t *options)
{
    char *text = NULL;

    rocksdb_get_options_from_string(options, "allow_fallocate=false", options, &text);
    assert(text == NULL); /* a constant word: it fits this version of the library or it does not */
    rocksdb_options_set_info_log_level(options, 4); /* fatal: its errors come back to us by status */
}

static void set_database(rocksdb_options_t *options)
{
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_create_missing_column_families(options, 1);
    rocksdb_options_set_paranoid_checks(options, 1);
    rocksdb_options_set_db_write_buffer_size(options, WRITE_BUFFERS_BYTES);
    rocksdb_options_set_max_total_wal_size(options, WAL_BYTES_MAX);
    rocksdb_options_set_recycle_log_file_num(options, 0);
    rocksdb_options_set_max_background_jobs(options, 2);
    rocksdb_options_set_max_open_files(options, OPEN_FILES_MAX);
    rocksdb_options_set_bytes_per_sync(options, 1 << 20);
    rocksdb_options_set_keep_log_file_num(options, 4);
    rocksdb_options_set_max_log_file_size(options, 4 << 20);
    rocksdb_options_set_stats_dump_period_sec(options, 0); /* at rest nothing wakes up */
    rocksdb_options_set_stats_persist_period_sec(options, 0);
    set_for_a_full_disk(options);
}

/* Makes the directory and those above it; what they hold is nobody else's business. */
static bool make_directory(const char *path)
{
    char part[PATH_BYTES_MAX];
    size_t n = strlen(path);

    if (n == 0 || n >= sizeof(part)) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] == '/' || part[i] == '\0') {
            char kept = part[i];

            part[i] = '\0';
            if (mkdir(part, 0700) != 0 && errno != EEXIST) {
                return false;
            }
            part[i] = kept;
        }
    }
    return true;
}

/* Who holds the lock; 0: unknown. Not when we hold it: closing the file would let go of it. */
static int lock_holder(const char *directory)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char path[PATH_BYTES_MAX];
    int fd, pid = 0;

    snprintf(path, sizeof(path), "%s/LOCK", directory);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK) {
        pid = lock.l_pid;
    }
    close(fd);
    return pid;
}

static enum err say_open(const char *directory, char *text, struct why *why)
{
    if (strstr(text, "lock hold by current process") != NULL) {
        rocksdb_free(text);
        return why_say(why, ERR_BUSY, "storage_in_use", "",
                       "%s is already open in this process; close it first.", directory);
    }
    if (strstr(text, "While lock file") != NULL) {
        int pid = lock_holder(directory);

        rocksdb_free(text);
        return why_say(
            why, ERR_BUSY, "storage_in_use", "",
            "%s is in use by another process (pid %d); stop it, or speak to it through its socket.",
            directory, pid);
    }
    if (strstr(text, "Column families not opened") != NULL) {
        rocksdb_free(text);
        return why_say(why, ERR_UNSUPPORTED, "newer_storage", "",
                       "%s was written by a newer version of falun; install that version.", directory);
    }
    (void)why_say(why, ERR_IO, "storage_failed", "",
                  "%s cannot be opened (%.120s); look at the disk and its rights.", directory, text);
    return err_of(text);
}

static void rocks_free(struct rocks *rocks)
{
    for (int i = 0; i < STORAGE_FAMILIES_; i++) {
        if (rocks->families[i] != NULL) {
            rocksdb_column_family_handle_destroy(rocks->families[i]);
        }
        rocksdb_options_destroy(rocks->options[i]);
    }
    if (rocks->db != NULL) {
        rocksdb_close(rocks->db);
    }
    rocksdb_readoptions_destroy(rocks->read);
    rocksdb_writeoptions_destroy(rocks->write_synced);
    rocksdb_writeoptions_destroy(rocks->write);
    rocksdb_cache_destroy(rocks->cache);
    free(rocks->ordered);
    free(rocks->directory);
    free(rocks);
}

static struct rocks *rocks_new(const char *directory, size_t cache_bytes, bool is_read_only)
{
    struct rocks *rocks = must(calloc(1, sizeof(*rocks)));

    rocks->directory = must(strdup(directory));
    rocks->is_read_only = is_read_only;
    rocks->cache = rocksdb_cache_create_lru(cache_bytes != 0 ? cache_bytes : CACHE_BYTES);
    for (int i = 0; i < STORAGE_FAMILIES_; i++) {
        rocks->options[i] = options_of(rocks, (enum storage_family)i);
    }
    set_database(rocks->options[0]);
    rocks->read = rocksdb_readoptions_create();
    rocks->write = rocksdb_writeoptions_create();
    rocks->write_synced = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(rocks->write_synced, 1);
    return rocks;
}

static enum err rocks_open(const char *rest, size_t cache_bytes, bool is_read_only, void **out_at,
                           struct why *why)
{
    const char *names[STORAGE_FAMILIES_];
    struct rocks *rocks;
    char *text = NULL;

    if (rest[0] == '\0' || (!is_read_only && !make_directory(rest))) {
        return why_say(why, ERR_IO, "storage_failed", "",
                       "The directory \"%s\" cannot be made (%s); name another.", rest,
                       rest[0] == '\0' ? "no name" : strerror(errno));
    }
    rocks = rocks_new(rest, cache_bytes, is_read_only);
    for (int i = 0; i < STORAGE_FAMILIES_; i++) {
        names[i] = storage_key_family((enum storage_family)i);
    }
    if (is_read_only) {
        rocksdb_options_set_create_if_missing(rocks->options[0], 0);
        rocks->db = rocksdb_open_for_read_only_column_families(
            rocks->options[0], rest, STORAGE_FAMILIES_, names,
            (const rocksdb_options_t *const *)rocks->options, rocks->families, 0, &text);
    } else {
        rocks->db = rocksdb_open_column_families(rocks->options[0], rest, STORAGE_FAMILIES_, names,
                                                 (const rocksdb_options_t *const *)rocks->options,
                                                 rocks->families, &text);
    }
    if (text != NULL) {
        rocks->db = NULL;
        memset(rocks->families, 0, sizeof(rocks->families));
        rocks_free(rocks);
        return say_open(rest, text, why);
    }
    *out_at = rocks;
    return ERR_OK;
}

static void rocks_close(void *at)
{
    rocks_free(at);
}

/* ---- reading ---- */

static void *rocks_view_open(void *at)
{
    struct rocks *rocks = at;
    struct view *view = must(malloc(sizeof(*view)));

    view->snapshot = rocksdb_create_snapshot(rocks->db);
    view->read = rocksdb_readoptions_create();
    rocksdb_readoptions_set_snapshot(view->read, view->snapshot);
    return view;
}

static void rocks_view_close(void *at, void *view)
{
    struct rocks *rocks = at;
    struct view *mine = view;

    rocksdb_readoptions_destroy(mine->read);
    rocksdb_release_snapshot(rocks->db, mine->snapshot);
    free(mine);
}

static enum err rocks_get(void *at, void *view, enum storage_family family, struct bytes key,
                          struct arena *arena, struct bytes *out_value)
{
    struct rocks *rocks = at;
    struct view *mine = view;
    rocksdb_pinnableslice_t *slice;
    char *text = NULL;
    struct bytes value, copy;

    slice = rocksdb_get_pinned_cf(rocks->db, mine != NULL ? mine->read : rocks->read, rocks->families[family],
                                  key.p, key.n, &text);
    if (text != NULL) {
        return err_of(text);
    }
    if (slice == NULL) {
        return ERR_ABSENT;
    }
    value.p = rocksdb_pinnableslice_value(slice, &value.n);
    copy = arena_copy(arena, value);
    rocksdb_pinnableslice_destroy(slice);
    if (copy.p == NULL) {
        return ERR_NOMEM;
    }
    *out_value = copy;
    return ERR_OK;
}

static enum err rocks_walk(void *at, void *view, enum storage_family family, struct bytes from,
                           struct bytes to, bool (*each)(void *ctx, struct bytes key, struct bytes value),
                           void *ctx)
{
    struct rocks *rocks = at;
    rocksdb_readoptions_t *read = rocksdb_readoptions_create();
    rocksdb_iterator_t *iterator;
    bool is_one_part = (family == STORAGE_TAIL || family == STORAGE_EV) && from.n == STORAGE_KEY_OWNER_BYTES;
    char *text = NULL;

    if (view != NULL) {
        rocksdb_readoptions_set_snapshot(read, ((struct view *)view)->snapshot);
    }
    if (to.n > 0) {
        rocksdb_readoptions_set_iterate_upper_bound(read, to.p, to.n);
    }
    if (is_one_part) {
        rocksdb_readoptions_set_prefix_same_as_start(read, 1);
    } else {
        rocksdb_readoptions_set_total_order_seek(read, 1);
    }
    iterator = rocksdb_create_iterator_cf(rocks->db, read, rocks->families[family]);
    for (rocksdb_iter_seek(iterator, from.p, from.n); rocksdb_iter_valid(iterator);
         rocksdb_iter_next(iterator)) {
        struct bytes key, value;

        key.p = rocksdb_iter_key(iterator, &key.n);
        value.p = rocksdb_iter_value(iterator, &value.n);
        if (!each(ctx, key, value)) {
            break;
        }
    }
    rocksdb_iter_get_error(iterator, &text);
    rocksdb_iter_destroy(iterator);
    rocksdb_readoptions_destroy(read);
    return err_of(text);
}

/* ---- writing ---- */

/* A file that RocksDB failed to write once must not be written again (its own assertion ends the process), so a disk
 * that is nearly full is seen before: with room again, writing goes on by itself. */
static bool is_room(const struct rocks *rocks, size_t bytes)
{
    struct statvfs room;

    return statvfs(rocks->directory, &room) != 0 || (uint64_t)room.f_bavail * room.f_frsize > RESERVE_BYTES + 4 * (uint64_t)bytes;
}

static int by_key(const void *a, const void *b)
{
    const struct storage_change *x = *(const struct storage_change *const *)a, *y = *(const struct storage_change *const *)b;
    int order;

    if (x->family != y->family) {
        return x->family < y->family ? -1 : 1;
    }
    order = bytes_compare(x->key, y->key);
    return order != 0 ? order : (x > y) - (x < y); /* two changes of one key keep their order */
}

/* A memtable is a skip list that remembers where it last inserted: keys in order find their place from there. */
static bool order_changes(struct rocks *rocks, const struct storage_change *changes, size_t n)
{
    if (n > rocks->ordered_room) {
        const struct storage_change **more = realloc(rocks->ordered, n * 2 * sizeof(*more));

        if (more == NULL) {
            return false;
        }
        rocks->ordered = more;
        rocks->ordered_room = n * 2;
    }
    for (size_t i = 0; i < n; i++) {
        rocks->ordered[i] = &changes[i];
    }
    qsort(rocks->ordered, n, sizeof(*rocks->ordered), by_key);
    return true;
}

static enum err rocks_write(void *at, const struct storage_change *changes, size_t n, bool is_synced)
{
    struct rocks *rocks = at;
    rocksdb_writebatch_t *batch;
    char *text = NULL;
    size_t bytes = 0;
    enum err err;

    for (size_t i = 0; i < n; i++) {
        bytes += changes[i].key.n + changes[i].value.n;
    }
    if (rocks->failed != ERR_OK) {
        return rocks->failed;
    }
    if (!is_room(rocks, bytes)) {
        return ERR_FULL;
    }
    if (!order_changes(rocks, changes, n)) {
        return ERR_NOMEM;
    }
    batch = rocksdb_writebatch_create();
    for (size_t i = 0; i < n; i++) {
        const struct storage_change *change = rocks->ordered[i];

        if (change->is_delete) {
            rocksdb_writebatch_delete_cf(batch, rocks->families[change->family], change->key.p,
                                         change->key.n);
        } else {
            rocksdb_writebatch_put_cf(batch, rocks->families[change->family], change->key.p, change->key.n,
                                      change->value.p, change->value.n);
        }
    }
    /* A counter a comparison, kept for nobody, costs a look-up of the thread's storage each time. */
    rocksdb_set_perf_level(rocksdb_disable);
    rocksdb_write(rocks->db, is_synced ? rocks->write_synced : rocks->write, batch, &text);
    rocksdb_writebatch_destroy(batch);
    err = err_of(text);
    rocks->failed = err;
    return err;
}

static enum err rocks_flush(void *at)
{
    struct rocks *rocks = at;
    rocksdb_flushoptions_t *options = rocksdb_flushoptions_create();
    enum err err = ERR_OK;

    rocksdb_flushoptions_set_wait(options, 1);
    for (int i = 0; i < STORAGE_FAMILIES_ && err == ERR_OK; i++) {
        char *text = NULL;

        rocksdb_flush_cf(rocks->db, options, rocks->families[i], &text);
        err = err_of(text);
    }
    rocksdb_flushoptions_destroy(options);
    return err;
}

static void rocks_compact(void *at, struct storage_range range)
{
    struct rocks *rocks = at;
    rocksdb_compactoptions_t *options = rocksdb_compactoptions_create();

    rocksdb_compactoptions_set_exclusive_manual_compaction(options, 0);
    rocksdb_compactoptions_set_bottommost_level_compaction(options,
                                                           2); /* force: a lone tombstone leaves, too */
    rocksdb_compact_range_cf_opt(rocks->db, rocks->families[range.family], options, range.from.p,
                                 range.from.n, range.to.n > 0 ? range.to.p : NULL, range.to.n);
    rocksdb_compactoptions_destroy(options);
}

static uint64_t rocks_disk_bytes(void *at)
{
    struct rocks *rocks = at;
    DIR *directory = opendir(rocks->directory);
    uint64_t bytes = 0;
    struct dirent *entry;
    struct stat file;

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        if (fstatat(dirfd(directory), entry->d_name, &file, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(file.st_mode)) {
            bytes += (uint64_t)file.st_blocks * 512;
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return bytes;
}

/* ---- files ---- */

static void file_path(const struct rocks *rocks, const uint8_t hash[32], const char *ending,
                      char path[PATH_BYTES_MAX])
{
    char hex[65];

    hash_hex(hash, 32, hex);
    snprintf(path, PATH_BYTES_MAX, "%s/files/%s%s", rocks->directory, hex, ending);
}

static enum err err_of_errno(void)
{
    return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : errno == ENOENT ? ERR_ABSENT : ERR_IO;
}

static bool write_all(int fd, struct bytes data)
{
    while (data.n > 0) {
        ssize_t n = write(fd, data.p, data.n);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        data.p += n;
        data.n -= (size_t)n;
    }
    return true;
}

static bool sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0) {
        close(fd);
    }
    return is_synced;
}

static enum err rocks_file_put(void *at, const uint8_t hash[32], struct bytes data)
{
    struct rocks *rocks = at;
    char path[PATH_BYTES_MAX], aside[PATH_BYTES_MAX], directory[PATH_BYTES_MAX];
    bool is_written;
    int fd;

    snprintf(directory, sizeof(directory), "%s/files", rocks->directory);
    file_path(rocks, hash, "", path);
    file_path(rocks, hash, ".new", aside);
    if (!make_directory(directory)) {
        return err_of_errno();
    }
    fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return err_of_errno();
    }
    is_written = write_all(fd, data) && fsync(fd) == 0;
    is_written = close(fd) == 0 && is_written;
    if (!is_written || rename(aside, path) != 0 || !sync_directory(directory)) {
        enum err err = err_of_errno();

        unlink(aside);
        return err;
    }
    return ERR_OK;
}

static enum err rocks_file_get(void *at, const uint8_t hash[32], struct arena *arena, struct bytes *out_data)
{
    struct rocks *rocks = at;
    char path[PATH_BYTES_MAX], *data;
    struct stat file;
    size_t at_byte = 0;
    int fd;

    file_path(rocks, hash, "", path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return err_of_errno();
    }
    if (fstat(fd, &file) != 0 || (data = arena_take(arena, (size_t)file.st_size + 1)) == NULL) {
        close(fd);
        return ERR_NOMEM;
    }
    while (at_byte < (size_t)file.st_size) {
        ssize_t n = read(fd, data + at_byte, (size_t)file.st_size - at_byte);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            close(fd);
            return ERR_IO;
        }
        at_byte += (size_t)n;
    }
    close(fd);
    *out_data = (struct bytes){data, at_byte};
    return ERR_OK;
}

/* ---- checkpoint ---- */

/* The files are immutable, so a second name is a copy. Another disk: real copies are the caller's affair. */
static enum err link_files(const struct rocks *rocks, const char *into)
{
    char from[PATH_BYTES_MAX], to[PATH_BYTES_MAX], one[PATH_BYTES_MAX * 2], other[PATH_BYTES_MAX * 2];
    struct dirent *entry;
    enum err err = ERR_OK;
    DIR *directory;

    snprintf(from, sizeof(from), "%s/files", rocks->directory);
    snprintf(to, sizeof(to), "%s/files", into);
    directory = opendir(from);
    if (directory == NULL) {
        return errno == ENOENT ? ERR_OK : ERR_IO;
    }
    if (!make_directory(to)) {
        err = ERR_IO;
    }
    while (err == ERR_OK && (entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.' || strchr(entry->d_name, '.') != NULL) {
            continue;
        }
        snprintf(one, sizeof(one), "%s/%s", from, entry->d_name);
        snprintf(other, sizeof(other), "%s/%s", to, entry->d_name);
        if (link(one, other) != 0 && errno != EEXIST) {
            err = err_of_errno();
        }
    }
    closedir(directory);
    return err;
}

static enum err rocks_checkpoint(void *at, const char *directory)
{
    struct rocks *rocks = at;
    rocksdb_checkpoint_t *checkpoint;
    char *text = NULL;
    enum err err;

    if (rmdir(directory) != 0 && errno != ENOENT) { /* RocksDB wants to make it itself */
        return ERR_IO;
    }
    checkpoint = rocksdb_checkpoint_object_create(rocks->db, &text);
    if (text != NULL) {
        return err_of(text);
    }
    rocksdb_checkpoint_create(checkpoint, directory, 0, &text);
    rocksdb_checkpoint_object_destroy(checkpoint);
    err = err_of(text);
    return err != ERR_OK ? err : link_files(rocks, directory);
}

const struct storage_driver storage_rocksdb = {
    .scheme = "rocksdb",
    .is_on_disk = true,
    .open = rocks_open,
    .close = rocks_close,
    .view_open = rocks_view_open,
    .view_close = rocks_view_close,
    .get = rocks_get,
    .walk = rocks_walk,
    .write = rocks_write,
    .flush = rocks_flush,
    .compact = rocks_compact,
    .disk_bytes = rocks_disk_bytes,
    .checkpoint = rocks_checkpoint,
    .file_put = rocks_file_put,
    .file_get = rocks_file_get,
};
