/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_session.h"

#include "base/test.h"
#include "base/time.h"
#include "model/model_kit.h"
#include "model/model_live.h"

static struct kit kit;

static const struct model *open_kit(struct arena *arena)
{
    const struct model *model;
    struct bytes file;
    struct why why;

    CHECK_OK(model_build(&kit.build, arena, &file));
    CHECK_OK(model_file_open(file, arena, &model, &why));
    return model;
}

static void begin(struct arena *arena, unsigned items)
{
    hash_start();
    arena_open(arena, 1 << 20, 1 << 26);
    kit_blocks(&kit, items, 4);
}

static const uint32_t way0[] = {0, 1, 2}, way1[] = {1, 3}, way2[] = {0, 2, 3}, way3[] = {4, 3};

static const struct model *four_ways(struct arena *arena)
{
    begin(arena, 6);
    kit_sequence(&kit, MODEL_SESSION, way0, NULL, 3, 0, 1);
    kit_sequence(&kit, MODEL_SESSION, way1, NULL, 2, DAY_MS, 2);
    kit_sequence(&kit, MODEL_SESSION, way2, NULL, 3, 2 * DAY_MS, 3);
    kit_sequence(&kit, MODEL_SESSION, way3, NULL, 2, 3 * DAY_MS, 4);
    kit_index(&kit, MODEL_SESSION, 10);
    return open_kit(arena);
}

/* Asked on day 4 about 0, 1 with position_steps 1, age_days 2, neighbour_steps 2, session_steps 4, idf 2:
 *     pi(1) = 1, pi(0) = e^-1 = .367879, ||pi|| = 1.065521; L is the step of 1
 *     way 0: sim = 1.367879 / (1.065521 * sqrt 3) * e^-2      = .100308   i* = 1 at 1, i_last = 1: 0 back
 *     way 1: sim = 1        / (1.065521 * sqrt 2) * e^(-3/2)  = .148075   i* = 1 at 0, 0 back
 *     way 2: sim = .367879  / (1.065521 * sqrt 3) * e^-1      = .073331   i* = 0 at 0, 1 back: e^(-1/4)
 *     idf: of 4, items 0, 1, 2 are in two: ln 2; 3 in three: ln 4/3
 *     0: (.100308 e^-.5 + .073331 e^-.25)          * (1 + 2 ln 2)   = .281464
 *     1: (.100308 + .148075)                       * (1 + 2 ln 2)   = .592715
 *     2: (.100308 e^-.5 + .073331 e^-.25 e^-.5)    * (1 + 2 ln 2)   = .227841
 *     3: (.148075 e^-.5 + .073331 e^-.25 e^-1)     * (1 + 2 ln 4/3) = .174584
 *     VMIS: pi(0) = 1/2, pi(1) = 1; 1.5, 1, .5; back: 1, 1, .9:  0: 1.95 ln 2;  1: 2.5 ln 2;  2: 1.95 ln 2;  3: 1.45 ln 4/3 */
TEST(model_session_by_hand)
{
    struct arena arena;
    const struct model *model = four_ways(&arena);
    struct model_view view = model_view_of(model, NULL);
    const struct model_step steps[] = {{0, 0}, {1, 1}};
    struct tally vstan, vmis;

    CHECK_OK(model_session_score(&view, MODEL_SESSION, model_domain(model, MODEL_SESSION), steps, 2, 4 * DAY_MS, &arena,
                                 &vstan, &vmis));
    CHECK_INT(vstan.n, 4);
    CHECK_WITHIN(tally_get(&vstan, 0), 0.2814641, 1e-5);
    CHECK_WITHIN(tally_get(&vstan, 1), 0.5927148, 1e-5);
    CHECK_WITHIN(tally_get(&vstan, 2), 0.2278413, 1e-5);
    CHECK_WITHIN(tally_get(&vstan, 3), 0.1745844, 1e-5);
    CHECK_WITHIN(tally_get(&vmis, 0), 1.95 * log(2), 1e-5);
    CHECK_WITHIN(tally_get(&vmis, 1), 2.5 * log(2), 1e-5);
    CHECK_WITHIN(tally_get(&vmis, 2), 1.95 * log(2), 1e-5);
    CHECK_WITHIN(tally_get(&vmis, 3), 1.45 * log(4.0 / 3), 1e-5);
    CHECK(!tally_has(&vstan, 4) && !tally_has(&vmis, 4));
    arena_close(&arena);
}

/* One neighbour each: way 1 for VSTAN, way 0 for VMIS. */
TEST(model_session_keeps_the_most_alike)
{
    struct arena arena;
    const struct model *model = four_ways(&arena);
    struct model_view view = model_view_of(model, NULL);
    struct model_domain_settings settings = *model_domain(model, MODEL_SESSION);
    const struct model_step steps[] = {{0, 0}, {1, 1}};
    struct tally vstan, vmis;

    settings.neighbours = settings.vmis_neighbours = 1;
    CHECK_OK(model_session_score(&view, MODEL_SESSION, &settings, steps, 2, 4 * DAY_MS, &arena, &vstan, &vmis));
    CHECK_INT(vstan.n, 2);
    CHECK(tally_has(&vstan, 1) && tally_has(&vstan, 3));
    CHECK_INT(vmis.n, 3);
    CHECK(tally_has(&vmis, 0) && tally_has(&vmis, 1) && tally_has(&vmis, 2));
    settings.neighbours = settings.vmis_neighbours = 0;
    CHECK_OK(model_session_score(&view, MODEL_SESSION, &settings, steps, 2, 4 * DAY_MS, &arena, &vstan, &vmis));
    CHECK_INT(vstan.n + vmis.n, 0);
    arena_close(&arena);
}

/* Sequences that ended at one time and are equally alike: the newer number is kept. */
TEST(model_session_of_equal_ones_keeps_the_newer)
{
    struct arena arena;
    const struct model *model;
    struct model_view view;
    struct model_domain_settings settings;
    const struct model_step steps[] = {{0, 0}};
    struct tally vstan, vmis;

    begin(&arena, 8);
    for (uint32_t i = 1; i < 6; i++) {
        const uint32_t way[] = {0, i};

        kit_sequence(&kit, MODEL_SESSION, way, NULL, 2, DAY_MS, i);
    }
    kit_index(&kit, MODEL_SESSION, 10);
    model = open_kit(&arena);
    view = model_view_of(model, NULL);
    settings = *model_domain(model, MODEL_SESSION);
    settings.neighbours = settings.vmis_neighbours = 2;
    CHECK_OK(model_session_score(&view, MODEL_SESSION, &settings, steps, 1, DAY_MS, &arena, &vstan, &vmis));
    CHECK(tally_has(&vstan, 5) && tally_has(&vstan, 4) && !tally_has(&vstan, 3));
    CHECK(tally_has(&vmis, 5) && tally_has(&vmis, 4) && !tally_has(&vmis, 3));
    settings.postings = 1; /* and the newer is looked up */
    CHECK_OK(model_session_score(&view, MODEL_SESSION, &settings, steps, 1, DAY_MS, &arena, &vstan, &vmis));
    CHECK(tally_has(&vstan, 5) && !tally_has(&vstan, 4));
    arena_close(&arena);
}

/* Work is bounded: of 32 items each is looked up in half of M sequences, of 16 in M. */
TEST(model_session_shares_postings_between_many_items)
{
    struct arena arena;
    const struct model *model;
    struct model_view view;
    struct model_domain_settings settings;
    struct model_step steps[32];
    struct tally vstan, vmis;

    begin(&arena, 40);
    for (uint32_t i = 0; i < 64; i++) { /* two for each item: the older leads to 32, the newer to 33 */
        const uint32_t way[] = {i % 32, 32 + i / 32};

        kit_sequence(&kit, MODEL_SESSION, way, NULL, 2, DAY_MS, i + 1);
        steps[i % 32] = (struct model_step){i % 32, i % 32};
    }
    kit_index(&kit, MODEL_SESSION, 2);
    model = open_kit(&arena);
    view = model_view_of(model, NULL);
    settings = *model_domain(model, MODEL_SESSION);
    settings.neighbours = settings.vmis_neighbours = 100;
    CHECK_OK(model_session_score(&view, MODEL_SESSION, &settings, steps, 32, DAY_MS, &arena, &vstan, &vmis));
    CHECK(tally_has(&vstan, 33) && !tally_has(&vstan, 32));
    CHECK_OK(model_session_score(&view, MODEL_SESSION, &settings, steps, 16, DAY_MS, &arena, &vstan, &vmis));
    CHECK(tally_has(&vstan, 33) && tally_has(&vstan, 32));
    arena_close(&arena);
}

TEST(model_session_of_little_or_nothing)
{
    struct arena arena;
    const struct model *model = four_ways(&arena);
    struct model_view view = model_view_of(model, NULL);
    const struct model_domain_settings *settings = model_domain(model, MODEL_SESSION);
    struct model_step steps[400];
    struct tally vstan, vmis, one, other;

    CHECK_OK(model_session_score(&view, MODEL_SESSION, settings, steps, 0, 0, &arena, &vstan, &vmis));
    CHECK_INT(vstan.n + vmis.n, 0);
    steps[0] = (struct model_step){MODEL_NONE, 0}; /* unknown */
    CHECK_OK(model_session_score(&view, MODEL_SESSION, settings, steps, 1, 0, &arena, &vstan, &vmis));
    CHECK_INT(vstan.n + vmis.n, 0);
    steps[0] = (struct model_step){5, 0}; /* known, in no sequence */
    CHECK_OK(model_session_score(&view, MODEL_SESSION, settings, steps, 1, 0, &arena, &vstan, &vmis));
    CHECK_INT(vstan.n + vmis.n, 0);
    CHECK_OK(model_session_score(&view, MODEL_HISTORY, settings, steps, 1, 0, &arena, &vstan, &vmis)); /* nothing learnt */
    CHECK_INT(vstan.n + vmis.n, 0);
    for (uint32_t x = 0; x < 400; x++) { /* only the newest 200 steps count: those of item 1 */
        steps[x] = (struct model_step){x < 200 ? 4 : 1, x};
    }
    CHECK_OK(model_session_score(&view, MODEL_SESSION, settings, steps, 400, 4 * DAY_MS, &arena, &vstan, &vmis));
    CHECK_OK(model_session_score(&view, MODEL_SESSION, settings, steps + 399, 1, 4 * DAY_MS, &arena, &one, &other));
    CHECK(tally_get(&vstan, 3) > 0 && tally_get(&vstan, 3) == tally_get(&one, 3));
    arena_close(&arena);
}

/* Nobody is a neighbour of the visit that is asked about, but of their own earlier visits; of own purchases nobody is. */
TEST(model_session_passes_by_the_asker)
{
    struct arena arena;
    const struct model *model;
    struct model_view view;
    const struct model_step steps[] = {{0, 0}, {1, 1}};
    struct tally vstan, vmis;

    begin(&arena, 6);
    for (unsigned d = 0; d < MODEL_DOMAINS_; d++) {
        kit_sequence(&kit, (enum model_domain)d, way0, NULL, 3, 0, 9);
        kit_sequence(&kit, (enum model_domain)d, way1, NULL, 2, DAY_MS, 9);
        kit_index(&kit, (enum model_domain)d, 10);
    }
    model = open_kit(&arena);
    view = model_view_of(model, NULL);
    view.owner = 9;
    CHECK_OK(model_session_score(&view, MODEL_SESSION, model_domain(model, MODEL_SESSION), steps, 2,
                                 DAY_MS + MODEL_SESSION_GAP_MS, &arena, &vstan, &vmis));
    CHECK(tally_has(&vstan, 2) && !tally_has(&vstan, 3) && !tally_has(&vmis, 3));
    CHECK_OK(model_session_score(&view, MODEL_HISTORY, model_domain(model, MODEL_HISTORY), steps, 2, 9 * DAY_MS, &arena,
                                 &vstan, &vmis));
    CHECK_INT(vstan.n + vmis.n, 0);
    view.owner = 8;
    CHECK_OK(model_session_score(&view, MODEL_HISTORY, model_domain(model, MODEL_HISTORY), steps, 2, 9 * DAY_MS, &arena,
                                 &vstan, &vmis));
    CHECK_INT(vstan.n, 4);
    view.also = (const uint64_t[]){7, 9}; /* a live side knows them by the part */
    view.also_n = 2;
    CHECK_OK(model_session_score(&view, MODEL_HISTORY, model_domain(model, MODEL_HISTORY), steps, 2, 9 * DAY_MS, &arena,
                                 &vstan, &vmis));
    CHECK_INT(vstan.n + vmis.n, 0);
    arena_close(&arena);
}

/* ---- against the formulas, written down plainly ---- */

enum { ITEMS = 12, WAYS = 40 };

struct way {
    uint32_t item[8];
    uint8_t step[8];
    uint32_t n;
    int64_t end_ms;
};

static void plant(struct rng *rng, struct way *ways)
{
    int64_t end_ms = 0;

    for (uint32_t w = 0; w < WAYS; w++) {
        uint8_t step = 0;

        ways[w].n = 1 + (uint32_t)rng_below(rng, 8);
        end_ms += rng_coin(rng) ? 0 : (int64_t)rng_below(rng, (uint64_t)DAY_MS);
        ways[w].end_ms = end_ms;
        for (uint32_t x = 0; x < ways[w].n; x++) {
            ways[w].item[x] = (uint32_t)rng_below(rng, ITEMS);
            ways[w].step[x] = step;
            step = (uint8_t)(step + (rng_below(rng, 4) > 0 ? 1 : 0)); /* now and then a basket of more */
        }
    }
}

static struct model_domain_settings some_settings(struct rng *rng)
{
    return (struct model_domain_settings){.is_learnt = 1, .postings = 1 + (uint32_t)rng_below(rng, 30),
                                          .neighbours = 1 + (uint32_t)rng_below(rng, 30),
                                          .vmis_neighbours = 1 + (uint32_t)rng_below(rng, 30),
                                          .position_steps = 0.5f + (float)rng_below(rng, 5),
                                          .age_days = (float)rng_below(rng, 3), .neighbour_steps = (float)rng_below(rng, 5),
                                          .session_steps = (float)rng_below(rng, 5), .idf = (float)rng_below(rng, 10)};
}

static size_t some_steps(struct rng *rng, struct model_step *steps)
{
    size_t n = 1 + (size_t)rng_below(rng, 10);
    uint32_t step = 0;

    for (size_t x = 0; x < n; x++) {
        steps[x] = (struct model_step){rng_below(rng, 10) == 0 ? MODEL_NONE : (uint32_t)rng_below(rng, ITEMS), step};
        step += rng_below(rng, 4) > 0 ? 1 : 0;
    }
    return n;
}

static int place_of(const struct way *way, uint32_t item) /* its last */
{
    for (int x = (int)way->n - 1; x >= 0; x--) {
        if (way->item[x] == item) {
            return x;
        }
    }
    return -1;
}

static int newest_of(const struct model_step *steps, size_t n, uint32_t item)
{
    for (int x = (int)n - 1; x >= 0; x--) {
        if (steps[x].item == item) {
            return x;
        }
    }
    return -1;
}

static double faded(double steps, double length)
{
    return length > 0 ? exp(-steps / length) : 1;
}

struct plain {
    double like[WAYS], weight[WAYS]; /* weight: what the way back says */
};

static void plain_like(const struct way *ways, const struct model_domain_settings *s, const struct model_step *steps,
                       size_t n, int64_t now_ms, bool is_vmis, struct plain *out)
{
    double norm = 0, last = steps[n - 1].step;

    memset(out, 0, sizeof(*out));
    for (uint32_t i = 0; i < ITEMS; i++) {
        int place = newest_of(steps, n, i);
        double back = place < 0 ? 0 : last - steps[place].step;
        double pi = is_vmis ? (last - back + 1) / (last + 1) : faded(back, (double)s->position_steps);
        uint32_t looked = 0;

        if (place < 0) {
            continue;
        }
        norm += pi * pi;
        for (int w = WAYS - 1; w >= 0 && looked < s->postings; w--) {
            if (place_of(&ways[w], i) >= 0) {
                double weight = is_vmis ? (back < 10 ? 1 - back / 10 : 0) : faded(back, (double)s->session_steps);

                looked++;
                out->like[w] += pi;
                out->weight[w] = weight > out->weight[w] ? weight : out->weight[w];
            }
        }
    }
    for (int w = 0; !is_vmis && w < WAYS; w++) {
        double age = (double)(now_ms - ways[w].end_ms) / (double)DAY_MS;

        out->like[w] *= faded(age, (double)s->age_days) / (sqrt(norm) * sqrt(ways[w].n));
    }
}

static void plain_score(const struct way *ways, const struct model_domain_settings *s, const struct model_step *steps,
                        size_t n, int64_t now_ms, bool is_vmis, double out[ITEMS])
{
    struct plain plain;
    uint32_t k = is_vmis ? s->vmis_neighbours : s->neighbours;

    plain_like(ways, s, steps, n, now_ms, is_vmis, &plain);
    memset(out, 0, ITEMS * sizeof(*out));
    for (int w = 0; w < WAYS; w++) {
        uint32_t before = 0;
        int star = -1;

        for (int v = 0; v < WAYS; v++) { /* f32, as it is compared: equal likeness is an accident of ages otherwise */
            before += (float)plain.like[v] > (float)plain.like[w] * 1.000001f ||
                      (fabsf((float)plain.like[v] - (float)plain.like[w]) <= (float)plain.like[w] * 1e-6f && v > w);
        }
        for (int x = (int)ways[w].n - 1; x >= 0 && star < 0; x--) {
            star = newest_of(steps, n, ways[w].item[x]) >= 0 ? x : -1;
        }
        for (uint32_t i = 0; before < k && plain.like[w] > 0 && i < ITEMS; i++) {
            int place = place_of(&ways[w], i);
            double apart = place < 0 ? 0 : fabs((double)ways[w].step[place] - ways[w].step[star]);

            if (place >= 0) {
                out[i] += plain.like[w] * plain.weight[w] * (is_vmis ? 1 : faded(apart, (double)s->neighbour_steps));
            }
        }
    }
    for (uint32_t i = 0; i < ITEMS; i++) {
        double holders = 0;

        for (int w = 0; w < WAYS; w++) {
            holders += place_of(&ways[w], i) >= 0;
        }
        out[i] *= holders == 0 ? 0 : is_vmis ? log(WAYS / holders) : 1 + (double)s->idf * log(WAYS / holders);
    }
}

PROPERTY(model_session_scores_are_the_formulas)
{
    struct way ways[WAYS];
    struct arena arena;
    const struct model *model;
    struct model_view view;
    struct model_domain_settings settings = some_settings(rng);
    struct model_step steps[10];
    size_t n = some_steps(rng, steps);
    int64_t now_ms;
    struct tally got[2];
    double want[ITEMS];

    plant(rng, ways);
    now_ms = ways[WAYS - 1].end_ms;
    begin(&arena, ITEMS);
    for (uint32_t w = 0; w < WAYS; w++) {
        kit_sequence(&kit, MODEL_HISTORY, ways[w].item, ways[w].step, ways[w].n, ways[w].end_ms, w + 1);
    }
    kit_index(&kit, MODEL_HISTORY, settings.postings);
    model = open_kit(&arena);
    view = model_view_of(model, NULL);
    CHECK_OK(model_session_score(&view, MODEL_HISTORY, &settings, steps, n, now_ms, &arena, &got[0], &got[1]));
    for (int v = 0; v < 2; v++) {
        plain_score(ways, &settings, steps, n, now_ms, v == 1, want);
        for (uint32_t i = 0; i < ITEMS; i++) {
            CHECK_WITHIN((double)tally_get(&got[v], i), want[i], 1e-4 * (1 + want[i]));
        }
    }
    arena_close(&arena);
}
