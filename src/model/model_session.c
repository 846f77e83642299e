/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_session.h"

#include "base/hash.h"
#include "model/model_inside.h"

#include <assert.h>
#include <math.h>

static bool is_good_index(const struct model_index *index, size_t items_n, size_t steps_n, size_t postings_n)
{
    if (!model_good_rows(index->at, index->sequences_n, steps_n, MODEL_SEQUENCE_MAX) ||
        !model_good_items(index->item, steps_n, (uint32_t)items_n) ||
        !model_good_rows(index->posting_at, items_n, postings_n, UINT32_MAX) ||
        !model_good_items(index->posting, postings_n, index->sequences_n)) {
        return false;
    }
    for (size_t s = 1; s < index->sequences_n; s++) {
        if (index->end_ms[s] < index->end_ms[s - 1]) {
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

static bool is_good_domain(const struct model_domain_settings *s)
{
    const float numbers[6] = {s->w_steps, s->position_steps, s->age_days, s->neighbour_steps, s->session_steps, s->idf};

    for (size_t i = 0; i < 6; i++) {
        if (!isfinite(numbers[i]) || numbers[i] < 0) {
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

uint64_t model_owner(const uint8_t key[32], struct tenant_id tenant, uint64_t customer)
{
    uint8_t in[13] = {'o'}, mac[16];
    uint64_t owner = 0;

    for (unsigned i = 0; i < 4; i++) {
        in[1 + i] = (uint8_t)(tenant.v >> 8 * i);
    }
    for (unsigned i = 0; i < 8; i++) {
        in[5 + i] = (uint8_t)(customer >> 8 * i);
    }
    hash_mac(key, (struct bytes){(const char *)in, sizeof(in)}, mac);
    for (unsigned i = 0; i < 8; i++) {
        owner |= (uint64_t)mac[i] << 8 * i;
    }
    return owner != 0 ? owner : 1; /* 0 is nobody */
}

const struct model_domain_settings *model_domain(const struct model *model, enum model_domain domain)
{
    return &model->domain[domain];
}

uint32_t model_sequences_n(const struct model *model, enum model_domain domain)
{
    return model->index[domain].sequences_n;
}

struct model_sequence_view model_sequence(const struct model *model, enum model_domain domain, uint32_t sequence)
{
    const struct model_index *index = &model->index[domain];
    uint32_t at;

    assert(sequence < index->sequences_n);
    at = index->at[sequence];
    return (struct model_sequence_view){index->item + at, index->step + at, index->at[sequence + 1] - at,
                                        index->end_ms[sequence], index->owner[sequence]};
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
