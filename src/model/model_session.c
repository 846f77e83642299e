/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_session.h"

#include "base/time.h"
#include "base/topk.h"
#include "model/model_inside.h"
#include "model/model_live.h"

#include <assert.h>
#include <float.h>
#include <math.h>

#define TIME_MOST_MS (INT64_MAX / 4) /* ages are differences */

static bool is_good_index(const struct model_index *index, size_t items_n, size_t steps_n, size_t postings_n)
{
    if (!model_good_rows(index->at, index->sequences_n, steps_n, MODEL_SEQUENCE_MAX) ||
        !model_good_items(index->item, steps_n, (uint32_t)items_n) ||
        !model_good_rows(index->posting_at, items_n, postings_n, UINT32_MAX) ||
        !model_good_items(index->posting, postings_n, index->sequences_n)) {
        return false;
    }
    for (size_t s = 0; s < index->sequences_n; s++) {
        if (index->end_ms[s] < (s > 0 ? index->end_ms[s - 1] : -TIME_MOST_MS) || index->end_ms[s] > TIME_MOST_MS) {
            return false;
        }
    }
    for (size_t i = 0; i < items_n; i++) {
        if (index->holders[i] > index->holders[items_n]) {
            return false;
        }
        for (size_t p = (size_t)index->posting_at[i] + 1; p < index->posting_at[i + 1]; p++) {
            if (index->posting[p] >= index->posting[p - 1]) {
                return false;
            }
        }
    }
    return true;
}

static enum err open_index(struct model *model, unsigned domain, const struct bytes *found, struct why *why)
{
    unsigned tag = MODEL_SECTION_INDEX + 8 * domain;
    size_t items_n = model->head.items_n, n, steps_n = found[tag + MODEL_INDEX_STEP].n;
    size_t postings_n = found[tag + MODEL_INDEX_POSTING].n / sizeof(uint32_t);
    struct model_index *index = &model->index[domain];

    if (found[tag].p == NULL) {
        return ERR_OK; /* no sequences */
    }
    n = found[tag + MODEL_INDEX_END].n / sizeof(int64_t);
    *index = (struct model_index){.sequences_n = (uint32_t)n,
                                  .at = model_array(found, tag + MODEL_INDEX_AT, n + 1, sizeof(uint32_t)),
                                  .item = model_array(found, tag + MODEL_INDEX_ITEM, steps_n, sizeof(uint32_t)),
                                  .step = model_array(found, tag + MODEL_INDEX_STEP, steps_n, 1),
                                  .end_ms = model_array(found, tag + MODEL_INDEX_END, n, sizeof(int64_t)),
                                  .owner = model_array(found, tag + MODEL_INDEX_OWNER, n, sizeof(uint64_t)),
                                  .posting_at = model_array(found, tag + MODEL_INDEX_POSTING_AT, items_n + 1, sizeof(uint32_t)),
                                  .posting = model_array(found, tag + MODEL_INDEX_POSTING, postings_n, sizeof(uint32_t)),
                                  .holders = model_array(found, tag + MODEL_INDEX_HOLDERS, items_n + 1, sizeof(uint32_t))};
    if (index->at == NULL || index->item == NULL || index->step == NULL || index->end_ms == NULL ||
        index->owner == NULL || index->posting_at == NULL || index->posting == NULL || index->holders == NULL ||
        n > INT32_MAX ||
        !is_good_index(index, items_n, steps_n, postings_n)) {
        return model_bad(why, "sequences", "the model file's sequences contradict themselves");
    }
    return ERR_OK;
}

#define NUMBER_MOST 1e6f /* of a setting: sums of scores stay finite */

static bool is_good_domain(const struct model_domain_settings *s)
{
    const float numbers[6] = {s->w_steps, s->position_steps, s->age_days, s->neighbour_steps, s->session_steps, s->idf};

    for (size_t i = 0; i < 6; i++) {
        if (!(numbers[i] >= 0 && numbers[i] <= NUMBER_MOST)) {
            return false;
        }
    }
    return s->postings <= 1000000 && s->neighbours <= 100000 && s->vmis_neighbours <= 100000;
}

enum err model_open_session(struct model *model, const struct bytes *found, struct why *why)
{
    enum err err = ERR_OK;

    model->domain = model_array(found, MODEL_SECTION_DOMAIN, MODEL_DOMAINS_, sizeof(struct model_domain_settings));
    model->seen = model_array(found, MODEL_SECTION_SEEN, model->head.items_n, sizeof(struct model_seen));
    if (model->domain == NULL || !is_good_domain(&model->domain[0]) || !is_good_domain(&model->domain[1])) {
        return model_bad(why, "settings", "the model file's settings are not numbers that can be used");
    }
    if ((found[MODEL_SECTION_SEEN].p != NULL && model->seen == NULL) ||
        (model->seen != NULL && !model_good_floats((const float *)model->seen, 4 * (size_t)model->head.items_n))) {
        return model_bad(why, "seen", "the model file's counts are not numbers");
    }
    for (unsigned d = 0; err == ERR_OK && d < MODEL_DOMAINS_; d++) {
        err = open_index(model, d, found, why);
    }
    return err;
}

const struct model_domain_settings *model_domain(const struct model *model, enum model_domain domain)
{
    return &model->domain[domain];
}

uint32_t model_sequences_n(const struct model *model, enum model_domain domain)
{
    return model->index[domain].sequences_n;
}

/* Inside a loop only what is used of it is read: each array is a miss. */
static inline struct model_sequence_view base_sequence(const struct model_index *index, uint32_t sequence)
{
    uint32_t at = index->at[sequence];

    return (struct model_sequence_view){index->item + at, index->step + at, index->at[sequence + 1] - at,
                                        index->end_ms[sequence], index->owner[sequence]};
}

struct model_sequence_view model_sequence(const struct model *model, enum model_domain domain, uint32_t sequence)
{
    assert(sequence < model->index[domain].sequences_n);
    return base_sequence(&model->index[domain], sequence);
}

const uint32_t *model_postings(const struct model *model, enum model_domain domain, uint32_t item, size_t *out_n)
{
    const struct model_index *index = &model->index[domain];

    assert(item < model->head.items_n);
    *out_n = index->sequences_n == 0 ? 0 : index->posting_at[item + 1] - index->posting_at[item];
    return index->sequences_n == 0 ? NULL : index->posting + index->posting_at[item];
}

const struct model_seen *model_seen(const struct model *model, uint32_t item)
{
    static const struct model_seen nothing;

    assert(item < model->head.items_n);
    return model->seen != NULL ? &model->seen[item] : &nothing;
}

/* ---- neighbours ---- */

enum {
    LISTS_MOST = 16, /* postings looked at: M of each of so many items; of more items each has its share */
    AHEAD = 8,
    VMIS_BACK = 10   /* a neighbour whose newest shared item is so many steps back says nothing */
};

struct source { /* one distinct item of the sequence asked about, newest first */
    uint32_t item;
    float vstan, vmis; /* pi; VMIS's times L + 1: whole numbers, so that equal sums are equal */
    float back_vstan, back_vmis;
    uint32_t from, to; /* its postings */
};

struct near { /* one stored sequence that shares an item */
    uint32_t at;     /* base sequences first, live ones after: larger is newer */
    uint32_t source; /* the newest it shares */
    float vstan, vmis;
};

struct kept { /* a near that counts */
    const uint32_t *item;
    const uint8_t *step;
    uint32_t n;
    float vstan, vmis; /* likeness times what the way back says; 0: not kept by that variant */
};

struct held { /* one item of kept neighbours */
    uint32_t key; /* 1 + item; 0: free */
    uint32_t by;  /* 1 + neighbour that added last: each adds once */
    float vstan, vmis;
};

struct asking {
    const struct model_view *view;
    enum model_domain domain;
    const struct model_domain_settings *settings;
    int64_t now_ms;
    struct arena *arena;
    struct source *sources;
    size_t sources_n;
    float norm;
    struct tally place; /* item -> 1 + source */
    const struct model_index *index; /* of the base */
    uint32_t base_n, base_items_n;   /* its sequences and items, when it has any of the domain */
    uint32_t *postings;
    struct near *nears;
    size_t nears_n;
    struct kept *kept;
    size_t kept_n;
    float inside[256]; /* by steps between two items of a neighbour */
    struct held *held;
    uint32_t held_mask, held_shift;
    size_t held_n;
};

static float fade(float steps, float length)
{
    return length > 0 ? expf(-steps / length) : 1.0f;
}

static enum err read_sources(struct asking *asking, const struct model_step *steps, size_t n)
{
    const struct model_domain_settings *settings = asking->settings;
    float squares = 0;

    asking->sources = arena_array(asking->arena, n, sizeof(*asking->sources));
    if (asking->sources == NULL || !tally_open(&asking->place, asking->arena, n)) {
        return ERR_NOMEM;
    }
    for (size_t x = n; x-- > 0;) {
        float back = (float)(steps[n - 1].step - steps[x].step);
        struct source *source = &asking->sources[asking->sources_n];

        if (steps[x].item == MODEL_NONE || tally_has(&asking->place, steps[x].item)) {
            continue; /* its newest position counts */
        }
        *source = (struct source){.item = steps[x].item, .vstan = fade(back, settings->position_steps),
                                  .vmis = (float)(steps[x].step - steps[0].step + 1),
                                  .back_vstan = fade(back, settings->session_steps),
                                  .back_vmis = back < (float)VMIS_BACK ? 1.0f - back / (float)VMIS_BACK : 0.0f};
        squares += source->vstan * source->vstan;
        tally_add(&asking->place, source->item, (float)++asking->sources_n);
    }
    asking->norm = fmaxf(sqrtf(squares), FLT_MIN); /* all known items far back: nothing is alike */
    return ERR_OK;
}

/* The newest postings of every source, live ones before the base's. */
static enum err read_postings(struct asking *asking)
{
    const struct model_view *view = asking->view;
    size_t most = asking->settings->postings, room = 0, n = 0, base_items_n = asking->base_items_n;
    uint32_t live_end = view->sequences_end[asking->domain];

    if (asking->sources_n > LISTS_MOST) {
        most = (most * LISTS_MOST + asking->sources_n - 1) / asking->sources_n;
    }
    for (size_t i = 0; i < asking->sources_n; i++) {
        size_t base_n = 0;

        if (asking->sources[i].item < base_items_n) {
            (void)model_postings(view->base, asking->domain, asking->sources[i].item, &base_n);
        }
        base_n += live_end;
        room += base_n < most ? base_n : most;
    }
    asking->postings = arena_array(asking->arena, room, sizeof(*asking->postings));
    if (asking->postings == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < asking->sources_n; i++) {
        struct source *source = &asking->sources[i];
        const uint32_t *base = NULL;
        size_t base_n = 0, end = n + most;

        source->from = (uint32_t)n;
        for (size_t to = n + model_live_postings(view, asking->domain, source->item, most, asking->postings + n); n < to; n++) {
            asking->postings[n] += asking->base_n;
        }
        if (source->item < base_items_n) {
            base = model_postings(view->base, asking->domain, source->item, &base_n);
        }
        for (size_t p = 0; p < base_n && n < end; p++) {
            if (!model_live_is_erased(view->live, asking->domain, base[p])) {
                asking->postings[n++] = base[p];
            }
        }
        source->to = (uint32_t)n;
    }
    return ERR_OK;
}

/* Every sequence that shares an item, once, in the order it is met: the same however base and live share them out. */
static enum err find_near(struct asking *asking)
{
    size_t most = asking->sources_n == 0 ? 0 : asking->sources[asking->sources_n - 1].to;
    uint32_t bits = 4, *table;

    while (((size_t)1 << bits) < most + most / 2) {
        bits++;
    }
    table = arena_array(asking->arena, (size_t)1 << bits, sizeof(*table)); /* 1 + near */
    asking->nears = arena_array(asking->arena, most, sizeof(*asking->nears));
    if (table == NULL || asking->nears == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < asking->sources_n; i++) {
        const struct source *source = &asking->sources[i];

        for (uint32_t p = source->from; p < source->to; p++) {
            uint32_t at = asking->postings[p], slot = (at * UINT32_C(2654435769)) >> (32 - bits);
            struct near *near;

            while (table[slot] != 0 && asking->nears[table[slot] - 1].at != at) {
                slot = (slot + 1) & (uint32_t)(((uint64_t)1 << bits) - 1);
            }
            if (table[slot] == 0) {
                asking->nears[asking->nears_n++] = (struct near){.at = at, .source = (uint32_t)i};
                table[slot] = (uint32_t)asking->nears_n;
            }
            near = &asking->nears[table[slot] - 1];
            near->vstan += source->vstan;
            near->vmis += source->vmis;
        }
    }
    return ERR_OK;
}

static inline struct model_sequence_view sequence_at(const struct asking *asking, uint32_t at)
{
    return at < asking->base_n ? base_sequence(asking->index, at)
                               : model_live_sequence(asking->view->live, asking->domain, at - asking->base_n);
}

/* Begins to fetch what sequence_at will read of the near some places on: they lie all over the index. */
static void sequence_soon(const struct asking *asking, size_t c)
{
    if (c + AHEAD < asking->nears_n && asking->nears[c + AHEAD].at < asking->base_n) {
        __builtin_prefetch(&asking->index->at[asking->nears[c + AHEAD].at]);
        __builtin_prefetch(&asking->index->end_ms[asking->nears[c + AHEAD].at]);
    }
}

/* The visit that is asked about, learnt already, or the customer's own purchases. */
static bool is_own(const struct asking *asking, const struct model_sequence_view *view)
{
    return model_view_is_own(asking->view, view->owner) &&
           (asking->domain == MODEL_HISTORY || asking->now_ms - view->end_ms <= MODEL_SESSION_GAP_MS);
}

/* From sums of pi to likeness. */
static void weigh_near(struct asking *asking, float length)
{
    double day_part = asking->settings->age_days > 0 ? 1.0 / ((double)asking->settings->age_days * (double)DAY_MS) : 0;

    for (size_t c = 0; c < asking->nears_n; c++) {
        struct near *near = &asking->nears[c];
        struct model_sequence_view view = sequence_at(asking, near->at);
        int64_t age_ms = asking->now_ms > view.end_ms ? asking->now_ms - view.end_ms : 0;

        sequence_soon(asking, c);
        if (view.n == 0 || is_own(asking, &view)) {
            near->vstan = near->vmis = 0;
            continue;
        }
        near->vmis /= length;
        near->vstan *= expf(-(float)((double)age_ms * day_part)) / (asking->norm * sqrtf((float)view.n));
    }
}

struct keep { /* the likeness of the least like that is kept, and how new that one is */
    float least;
    uint32_t newest_back;
};

/* The k most alike, of equal ones the newer. */
static enum err keep_of(const struct asking *asking, size_t k, bool is_vmis, struct keep *out_keep)
{
    struct topk best;

    *out_keep = (struct keep){0, 0};
    if (k == 0 || asking->nears_n <= k) {
        *out_keep = k == 0 ? (struct keep){INFINITY, 0} : (struct keep){0, UINT32_MAX};
        return ERR_OK;
    }
    best = topk_of(arena_array(asking->arena, k, sizeof(*best.at)), k);
    if (best.at == NULL) {
        return ERR_NOMEM;
    }
    for (size_t c = 0; c < asking->nears_n; c++) {
        float like = is_vmis ? asking->nears[c].vmis : asking->nears[c].vstan;

        if (best.n < k || like >= best.at[0].score) {
            topk_offer(&best, like, UINT32_MAX - asking->nears[c].at);
        }
    }
    *out_keep = (struct keep){best.at[0].score, best.at[0].item};
    return ERR_OK;
}

static bool is_kept(const struct keep *keep, float like, uint32_t at)
{
    return like > 0 && (like > keep->least || (like == keep->least && UINT32_MAX - at <= keep->newest_back));
}

static struct held *held_of(struct asking *asking, uint32_t item)
{
    uint32_t at = (item * UINT32_C(2654435769)) >> asking->held_shift;

    while (asking->held[at].key != 0 && asking->held[at].key != item + 1) {
        at = (at + 1) & asking->held_mask;
    }
    if (asking->held[at].key == 0) {
        asking->held[at].key = item + 1;
        asking->held_n++;
        if (item < asking->base_items_n) { /* for its idf */
            __builtin_prefetch(&asking->index->holders[item]);
        }
    }
    return &asking->held[at];
}

/* Adds what one neighbour holds. */
static void add_held(struct asking *asking, const struct kept *kept, uint32_t by)
{
    size_t shared = kept->n;

    while (shared > 0 && !tally_has(&asking->place, kept->item[shared - 1])) {
        shared--;
    }
    if (shared == 0) {
        return; /* a file whose postings name a sequence without the item */
    }
    for (size_t x = kept->n; x-- > 0;) {
        struct held *held = held_of(asking, kept->item[x]);
        int apart = (int)kept->step[x] - (int)kept->step[shared - 1];

        if (held->by != by) { /* its last position counts */
            held->by = by;
            held->vstan += kept->vstan * asking->inside[apart < 0 ? -apart : apart];
            held->vmis += kept->vmis;
        }
    }
}

/* Chooses the neighbours; gives how many items they hold together. */
static enum err keep_nears(struct asking *asking, size_t *out_items_n)
{
    size_t k = (size_t)asking->settings->neighbours + asking->settings->vmis_neighbours;
    struct keep vstan, vmis;
    enum err err = keep_of(asking, asking->settings->neighbours, false, &vstan);

    if (err == ERR_OK) {
        err = keep_of(asking, asking->settings->vmis_neighbours, true, &vmis);
    }
    asking->kept = arena_array(asking->arena, k < asking->nears_n ? k : asking->nears_n, sizeof(*asking->kept));
    if (err != ERR_OK || asking->kept == NULL) {
        return ERR_NOMEM;
    }
    *out_items_n = 0;
    for (size_t c = 0; c < asking->nears_n; c++) {
        const struct near *near = &asking->nears[c];
        bool of_vstan = is_kept(&vstan, near->vstan, near->at), of_vmis = is_kept(&vmis, near->vmis, near->at);

        if (of_vstan || of_vmis) {
            struct model_sequence_view view = sequence_at(asking, near->at);
            const struct source *source = &asking->sources[near->source];

            asking->kept[asking->kept_n++] = (struct kept){view.item, view.step, (uint32_t)view.n,
                                                           of_vstan ? near->vstan * source->back_vstan : 0,
                                                           of_vmis ? near->vmis * source->back_vmis : 0};
            *out_items_n += view.n;
            for (size_t x = 0; x < view.n; x += 16) { /* a line of the cache */
                __builtin_prefetch(&view.item[x]);
            }
            __builtin_prefetch(view.step);
        }
    }
    return ERR_OK;
}

static enum err score_held(struct asking *asking)
{
    size_t most = 0;
    uint32_t bits = 4;
    enum err err = keep_nears(asking, &most);

    if (err != ERR_OK) {
        return err;
    }
    while (((size_t)1 << bits) < most + most / 2) {
        bits++;
    }
    asking->held = arena_array(asking->arena, (size_t)1 << bits, sizeof(*asking->held));
    if (asking->held == NULL) {
        return ERR_NOMEM;
    }
    asking->held_mask = (uint32_t)(((uint64_t)1 << bits) - 1);
    asking->held_shift = 32 - bits;
    for (size_t d = 0; d < 256; d++) {
        asking->inside[d] = fade((float)d, asking->settings->neighbour_steps);
    }
    for (size_t c = 0; c < asking->kept_n; c++) {
        add_held(asking, &asking->kept[c], (uint32_t)c + 1);
    }
    return ERR_OK;
}

static enum err give(struct asking *asking, struct tally *out_vstan, struct tally *out_vmis)
{
    float all = (float)model_view_holders(asking->view, asking->domain, MODEL_NONE);
    struct tally vstan, vmis;

    if (!tally_open(&vstan, asking->arena, asking->held_n) || !tally_open(&vmis, asking->arena, asking->held_n)) {
        return ERR_NOMEM;
    }
    for (size_t s = 0; asking->held_n > 0 && s <= asking->held_mask; s++) {
        const struct held *held = &asking->held[s];
        float with, idf;

        if (held->key == 0) {
            continue;
        }
        with = (float)(asking->view->live == NULL && held->key - 1 < asking->base_items_n
                           ? asking->index->holders[held->key - 1]
                           : model_view_holders(asking->view, asking->domain, held->key - 1));
        idf = with > 0 && all > with ? logf(all / with) : 0.0f;
        if (held->vstan > 0) {
            tally_add(&vstan, held->key - 1, held->vstan * (1.0f + asking->settings->idf * idf));
        }
        if (held->vmis > 0) {
            tally_add(&vmis, held->key - 1, held->vmis * idf);
        }
    }
    *out_vstan = vstan;
    *out_vmis = vmis;
    return ERR_OK;
}

enum err model_session_score(const struct model_view *view, enum model_domain domain,
                             const struct model_domain_settings *settings, const struct model_step *steps, size_t n,
                             int64_t now_ms, struct arena *arena, struct tally *out_vstan, struct tally *out_vmis)
{
    struct asking asking = {.view = view, .domain = domain, .settings = settings, .now_ms = now_ms, .arena = arena,
                            .index = &view->base->index[domain], .base_n = model_sequences_n(view->base, domain)};
    enum err err;

    asking.base_items_n = asking.base_n > 0 ? model_items_n(view->base) : 0;
    if (n > MODEL_SEQUENCE_MAX) {
        steps += n - MODEL_SEQUENCE_MAX;
        n = MODEL_SEQUENCE_MAX;
    }
    err = read_sources(&asking, steps, n);
    if (err == ERR_OK) {
        err = read_postings(&asking);
    }
    if (err == ERR_OK) {
        err = find_near(&asking);
    }
    if (err == ERR_OK) {
        weigh_near(&asking, n > 0 ? (float)(steps[n - 1].step - steps[0].step + 1) : 1.0f);
        err = score_held(&asking);
    }
    return err == ERR_OK ? give(&asking, out_vstan, out_vmis) : err;
}
