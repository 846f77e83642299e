/* SPDX-License-Identifier: Apache-2.0 */
/* Chained buckets over an array of places, and a ring of places in the order of arrival: 0 is the head of both the ring and
 * of nothing, so that all-zero links mean none. */
#include "learn/visits.h"

#include "base/hash.h"

#include <assert.h>

struct visits {
    uint32_t places, used_n, mask;
    uint32_t made_n; /* places that were ever used: a page of others stays unmade */
    uint32_t free_first; /* by next */
    uint32_t *bucket;    /* first place of each; 0: none */
    struct visit visit[]; /* places + 1; [0] is the ring's head */
};

static uint32_t buckets_of(uint32_t places)
{
    uint32_t n = 2;

    while (n < places) {
        n *= 2;
    }
    return n;
}

size_t visits_bytes(uint32_t places)
{
    return sizeof(struct visits) + ((size_t)places + 1) * sizeof(struct visit) + (size_t)buckets_of(places) * sizeof(uint32_t);
}

struct visits *visits_open(uint32_t places, void *p)
{
    struct visits *visits = p;

    assert(places > 0 && places <= 1u << 24);
    visits->places = places;
    visits->mask = buckets_of(places) - 1;
    visits->bucket = (uint32_t *)(void *)&visits->visit[(size_t)places + 1];
    return visits;
}

uint32_t visits_n(const struct visits *visits)
{
    return visits->used_n;
}

static uint32_t *bucket_of(struct visits *visits, uint64_t part)
{
    return &visits->bucket[hash_fast(&part, sizeof(part), 0) & visits->mask];
}

static void ring_out(struct visits *visits, uint32_t i)
{
    struct visit *visit = &visits->visit[i];

    visits->visit[visit->before].after = visit->after;
    visits->visit[visit->after].before = visit->before;
}

static void ring_in(struct visits *visits, uint32_t i) /* as the newest */
{
    uint32_t newest = visits->visit[0].before;

    visits->visit[i].before = newest;
    visits->visit[i].after = 0;
    visits->visit[newest].after = i;
    visits->visit[0].before = i;
}

static uint32_t find(struct visits *visits, uint64_t part)
{
    uint32_t i = *bucket_of(visits, part);

    while (i != 0 && visits->visit[i].part != part) {
        i = visits->visit[i].next;
    }
    return i;
}

static void give_back(struct visits *visits, uint32_t i)
{
    uint32_t *at = bucket_of(visits, visits->visit[i].part);

    while (*at != i) {
        at = &visits->visit[*at].next;
    }
    *at = visits->visit[i].next;
    ring_out(visits, i);
    memset(&visits->visit[i], 0, sizeof(visits->visit[i]));
    visits->visit[i].next = visits->free_first;
    visits->free_first = i;
    visits->used_n--;
}

static bool is_bot(const struct visit *visit)
{
    return visit->looks_n > MODEL_SEQUENCE_MAX;
}

static void end(struct visits *visits, uint32_t i, const struct visits_to *to)
{
    struct visit *visit = &visits->visit[i];

    if (!is_bot(visit) && visit->looks_n > visit->told_n && visit->steps_n >= VISIT_LEAST) {
        to->tell(to->ctx, visit, false);
    }
    give_back(visits, i);
}

static struct visit *begin(struct visits *visits, uint64_t part, const struct visits_to *to)
{
    uint32_t i, *bucket;

    if (visits->free_first == 0 && visits->made_n == visits->places) {
        end(visits, visits->visit[0].after, to);
    }
    if (visits->free_first != 0) {
        i = visits->free_first;
        visits->free_first = visits->visit[i].next;
    } else {
        i = ++visits->made_n;
    }
    bucket = bucket_of(visits, part);
    visits->visit[i] = (struct visit){.part = part, .number = UINT32_MAX, .next = *bucket};
    *bucket = i;
    visits->used_n++;
    ring_in(visits, i);
    return &visits->visit[i];
}

struct visit *visits_at(struct visits *visits, uint64_t part, int64_t at_ms, int64_t now_ms, const struct visits_to *to)
{
    uint32_t i = find(visits, part);
    struct visit *visit = &visits->visit[i];

    if (i != 0 && at_ms - visit->last_ms > MODEL_SESSION_GAP_MS) {
        end(visits, i, to);
        i = 0;
    }
    if (i == 0) {
        visit = begin(visits, part, to);
        visit->last_ms = at_ms;
    } else {
        ring_out(visits, i);
        ring_in(visits, i);
    }
    visit->last_ms = at_ms > visit->last_ms ? at_ms : visit->last_ms;
    visit->arrived_ms = now_ms;
    return visit;
}

void visits_look(struct visits *visits, struct visit *visit, uint32_t item, const struct visits_to *to)
{
    (void)visits;
    if (visit->looks_n == MODEL_SEQUENCE_MAX && visit->told_n > 0) {
        to->tell(to->ctx, visit, true);
    }
    if (is_bot(visit)) {
        return;
    }
    if (visit->steps_n == VISIT_STEPS) {
        memmove(visit->steps, visit->steps + 1, (VISIT_STEPS - 1) * sizeof(visit->steps[0]));
        visit->steps_n--;
    }
    visit->steps[visit->steps_n++] = (struct model_step){item, visit->looks_n++};
    if (!is_bot(visit) && visit->looks_n >= VISIT_TOLD_FIRST && visit->looks_n >= 2 * visit->told_n) {
        to->tell(to->ctx, visit, false);
        visit->told_n = visit->looks_n;
    }
}

void visits_tick(struct visits *visits, int64_t now_ms, const struct visits_to *to)
{
    uint32_t i;

    while ((i = visits->visit[0].after) != 0 && now_ms - visits->visit[i].arrived_ms > MODEL_SESSION_GAP_MS) {
        end(visits, i, to);
    }
}

bool visits_drop(struct visits *visits, uint64_t part)
{
    uint32_t i = find(visits, part);

    if (i != 0) {
        give_back(visits, i);
    }
    return i != 0;
}

void visits_shift(struct visits *visits, uint32_t shift)
{
    for (uint32_t i = visits->visit[0].after; i != 0; i = visits->visit[i].after) {
        struct visit *visit = &visits->visit[i];

        visit->number = visit->number != UINT32_MAX && visit->number >= shift ? visit->number - shift : UINT32_MAX;
    }
}
