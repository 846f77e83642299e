/* SPDX-License-Identifier: Apache-2.0 */
/* A small TZif file made here: no change listed, everything from the footer's rule, which is how Oslo looks after
 * 2037 in the machine's own files. Expected hours are worked out by hand from the rule of the EU. */
#include "base/zone.h"

#include "base/test.h"

static struct bytes file_with(const char *rule, struct arena *arena)
{
    static const uint8_t header[44] = {'T', 'Z', 'i', 'f', '2', [39] = 1 /* one type */, [43] = 4 /* its name */};
    static const uint8_t block[] = {0, 0, 0x0e, 0x10, 0, 0, 'C', 'E', 'T', 0}; /* +3600 s, no summer time */
    size_t n = 2 * (sizeof(header) + sizeof(block)) + strlen(rule) + 2;
    char *p = arena_take(arena, n), *at = p;

    for (int i = 0; i < 2; i++) {
        memcpy(at, header, sizeof(header));
        memcpy(at + sizeof(header), block, sizeof(block));
        at += sizeof(header) + sizeof(block);
    }
    at[0] = '\n';
    memcpy(at + 1, rule, strlen(rule));
    at[strlen(rule) + 1] = '\n';
    return (struct bytes){p, n};
}

static int64_t wall(int year, int month, int day, int hour, int minute)
{
    return time_of_civil((struct civil){year, month, day, hour, minute, 0, 0});
}

static const char oslo_rule[] = "CET-1CEST,M3.5.0,M10.5.0/3";

TEST(zone_all_zero_is_utc)
{
    struct zone zone = {0};

    CHECK_INT(zone_utc(&zone, wall(2026, 7, 1, 12, 0)), wall(2026, 7, 1, 12, 0));
    CHECK_INT(zone_local(&zone, wall(2026, 7, 1, 12, 0)), wall(2026, 7, 1, 12, 0));
}

TEST(zone_of_oslo_by_hand)
{
    struct arena arena;
    struct zone zone;

    arena_open(&arena, 4096, 1 << 20);
    CHECK_OK(zone_read(file_with(oslo_rule, &arena), &arena, &zone));
    CHECK_INT(zone_utc(&zone, wall(2026, 1, 15, 12, 0)), wall(2026, 1, 15, 11, 0));
    CHECK_INT(zone_utc(&zone, wall(2026, 7, 15, 12, 0)), wall(2026, 7, 15, 10, 0));
    /* 29 March 2026, 02:30 does not exist: goes forward to 03:30 CEST, 01:30 UTC. */
    CHECK_INT(zone_utc(&zone, wall(2026, 3, 29, 1, 59)), wall(2026, 3, 29, 0, 59));
    CHECK_INT(zone_utc(&zone, wall(2026, 3, 29, 2, 30)), wall(2026, 3, 29, 1, 30));
    CHECK_INT(zone_utc(&zone, wall(2026, 3, 29, 3, 0)), wall(2026, 3, 29, 1, 0));
    /* 25 October 2026, 02:30 exists twice: the earlier, in summer time. */
    CHECK_INT(zone_utc(&zone, wall(2026, 10, 25, 2, 30)), wall(2026, 10, 25, 0, 30));
    CHECK_INT(zone_utc(&zone, wall(2026, 10, 25, 3, 0)), wall(2026, 10, 25, 2, 0));
    arena_close(&arena);
}

TEST(zone_refuses_what_is_no_zone)
{
    struct arena arena;
    struct zone zone;
    struct bytes file;

    arena_open(&arena, 4096, 1 << 20);
    file = file_with(oslo_rule, &arena);
    CHECK_INT(zone_read(BYTES_LIT("TZif"), &arena, &zone), ERR_INVALID);
    CHECK_INT(zone_read((struct bytes){0}, &arena, &zone), ERR_INVALID);
    for (size_t n = 0; n + strlen(oslo_rule) + 2 < file.n; n++) { /* cut short anywhere before the rule */
        CHECK_INT(zone_read((struct bytes){file.p, n}, &arena, &zone), ERR_INVALID);
    }
    arena_close(&arena);
}

/* There and back: every moment has one wall time, and of a wall time that exists once the moment comes back. */
PROPERTY(zone_there_and_back)
{
    struct arena arena;
    struct zone zone;
    int64_t at_ms = wall(1971, 1, 1, 0, 0) + (int64_t)rng_below(rng, 120 * 365) * DAY_MS + (int64_t)rng_below(rng, DAY_MS);
    int64_t local_ms, back_ms;

    arena_open(&arena, 4096, 1 << 20);
    CHECK_OK(zone_read(file_with(oslo_rule, &arena), &arena, &zone));
    local_ms = zone_local(&zone, at_ms);
    back_ms = zone_utc(&zone, local_ms);
    CHECK(local_ms - at_ms == HOUR_MS || local_ms - at_ms == 2 * HOUR_MS);
    CHECK(back_ms == at_ms || back_ms == at_ms - HOUR_MS); /* the hour that exists twice is the earlier */
    CHECK_INT(zone_local(&zone, back_ms), local_ms);
    arena_close(&arena);
}

/* Southern summer begins in October and ends in April. */
TEST(zone_of_the_south)
{
    struct arena arena;
    struct zone zone;

    arena_open(&arena, 65536, 1 << 20);
    CHECK_OK(zone_read(file_with("AEST-10AEDT,M10.1.0,M4.1.0/3", &arena), &arena, &zone));
    CHECK_INT(zone_utc(&zone, wall(2026, 1, 15, 12, 0)), wall(2026, 1, 15, 1, 0));
    CHECK_INT(zone_utc(&zone, wall(2026, 7, 15, 12, 0)), wall(2026, 7, 15, 2, 0));
    arena_close(&arena);
}

/* Cut or changed files are refused or read, never more: sanitizers watch. */
PROPERTY(zone_survives_damaged_files)
{
    struct arena arena = {0};
    struct zone zone = {0};
    struct bytes file;
    char damaged[512];

    arena_open(&arena, 65536, 16 << 20);
    file = file_with(oslo_rule, &arena);
    memcpy(damaged, file.p, file.n);
    for (int i = 0; i < 3; i++) {
        damaged[rng_below(rng, file.n)] = (char)rng_next(rng);
    }
    file = (struct bytes){damaged, rng_coin(rng) ? file.n : rng_below(rng, file.n)};
    if (zone_read(file, &arena, &zone) == ERR_OK) {
        (void)zone_utc(&zone, (int64_t)(rng_next(rng) >> 22));
        (void)zone_local(&zone, (int64_t)(rng_next(rng) >> 22));
    }
    arena_close(&arena);
}
