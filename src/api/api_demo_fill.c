/* SPDX-License-Identifier: Apache-2.0 */
/* From what storage, catalogue and model say to what the page shows. Nothing is kept: every text lives as long as the
 * request or the published thing it is borrowed from. */
#include "api/api_demo_inside.h"

#include "api/api_call.h"
#include "consent/consent.h"
#include "decide/explain.h"
#include "model/model_segment.h"
#include "picture/picture.h"

#include <stdlib.h>

/* ---- items ---- */

/* "Yogurt, 6 oz": the size behind the last comma goes to the detail. */
static void split_size(struct bytes title, struct bytes *out_name, struct bytes *out_size)
{
    *out_name = title;
    *out_size = (struct bytes){0};
    for (size_t i = title.n; i > 2; i--)
        if (title.p[i - 2] == ',' && title.p[i - 1] == ' ') {
            *out_name = (struct bytes){title.p, i - 2};
            *out_size = (struct bytes){title.p + i, title.n - i};
            return;
        }
}

static struct bytes brand_said(struct bytes brand)
{
    if (bytes_equal(brand, BYTES_LIT("National")))
        return BYTES_LIT("brand name");
    if (bytes_equal(brand, BYTES_LIT("Private")))
        return BYTES_LIT("own label");
    return brand;
}

struct page_item demo_item(const struct demo_view *view, struct item_id id, struct bytes id_text)
{
    const struct item *item = id.v ? catalog_item(view->demo->tenant->catalog, id) : NULL;
    struct page_item out = {.id = id_text, .title = id_text, .price_minor = -1};
    struct bytes size, brand;

    memcpy(out.currency, view->demo->tenant->currency, sizeof(out.currency));
    out.price_minor = survey_price(view->survey, id);
    if (!item)
        return out;
    out.id = item->id_text;
    split_size(item->title, &out.title, &size);
    brand = brand_said(item->brand);
    out.detail = size.n > 0 && brand.n > 0 ? arena_format(view->request->arena, "%.*s · %.*s", (int)size.n,
                                                          size.p, (int)brand.n, brand.p)
                 : size.n > 0              ? size
                                           : brand;
    if (item->category_n > 0)
        out.department = item->category[0];
    if (item->category_n > 1)
        out.category = item->category[1];
    if (catalog_price(item, view->request->received_ms) >= 0) {
        out.price_minor = catalog_price(item, view->request->received_ms);
        memcpy(out.currency, item->currency, sizeof(out.currency));
    }
    return out;
}

/* ---- rows ---- */

/* The inner why, for the shop's own people: it may count. What a customer may be told is explain_text. */
static struct bytes reason_said(const struct demo_view *view, const struct decide_item *decided)
{
    struct arena *arena = view->request->arena;
    struct page_item because = demo_item(view, decided->because, (struct bytes){0});

    for (size_t i = 0; decided->reason == REASON_REPEAT && i < view->repeats_n; i++) {
        const struct demo_repeat *repeat = &view->repeats[i];
        int64_t days = demo_days_ago(view, repeat->last_ms);

        if (repeat->item.v != decided->id.v)
            continue;
        return arena_format(arena, "Bought %lld %s, last %s", (long long)repeat->times,
                            repeat->times == 1 ? "time" : "times",
                            days <= 0   ? "today"
                            : days == 1 ? "yesterday"
                                        : arena_format(arena, "%lld days ago", (long long)days).p);
    }
    return explain_text(decided->reason, EXPLAIN_EN, because.title, arena);
}

static enum err fill_row(const struct demo_view *view, enum decide_variant variant, struct page_row *out_row,
                         enum decide_fallback *out_fallback)
{
    struct decide_placement placement = {.name = BYTES_LIT("home-top"), .n = PAGE_ROW};
    struct decide_request ask = {.picture = view->picture,
                                 .mode = view->mode,
                                 .variant = variant,
                                 .fallback = view->fallback,
                                 .context = {.channel = CHANNEL_WEB},
                                 .placements = &placement,
                                 .placements_n = 1,
                                 .now_ms = view->request->received_ms};
    struct arena *arena = view->request->arena;
    struct decide_result result;
    struct page_item *items;
    enum err err = decide_run(&view->world, &ask, arena, &result);

    if (err != ERR_OK)
        return err;
    items = arena_array(arena, PAGE_ROW, sizeof(*items));
    if (!items)
        return ERR_NOMEM;
    for (size_t i = 0; i < result.rows[0].items_n && i < PAGE_ROW; i++) {
        const struct decide_item *decided = &result.rows[0].items[i];

        items[i] = demo_item(view, decided->id, decided->id_text);
        items[i].reason = reason_said(view, decided);
        items[i].is_personal = decided->is_personal;
        out_row->n = i + 1;
    }
    out_row->items = items;
    *out_fallback = result.rows[0].fallback;
    return ERR_OK;
}

static struct bytes fallback_said(enum decide_fallback fallback)
{
    switch (fallback) {
    case FALLBACK_NONE:
    case FALLBACK_MODEL_NOT_READY:
        return (struct bytes){0};
    case FALLBACK_UNKNOWN_CUSTOMER:
        return BYTES_LIT(
            "Nothing is known yet, so this is what sells in general. Press Look or Buy: the very next "
            "answer is personal.");
    case FALLBACK_NO_CONSENT:
        return BYTES_LIT(
            "Without consent no profile is read: an anonymous row, the same as for anybody unknown.");
    case FALLBACK_LATE:
        return BYTES_LIT(
            "Storage did not answer in time, so this is what sells in general. Load the page again.");
    case FALLBACK_TOO_FEW:
    case FALLBACK_EMPTY_CATALOGUE:
    case FALLBACK_UNKNOWN_PLACEMENT:
    case FALLBACK_HOLDOUT:
    case FALLBACK_OVERLOAD:
    case FALLBACKS_:
        break;
    }
    return BYTES_LIT("The row was filled up with what sells in general.");
}

static struct bytes segment_said(const struct model *model)
{
    static const char *const said[MODEL_SEGMENTS_] = {
        [MODEL_SEGMENT_STORE] = "Best sellers among households of the same home store",
        [MODEL_SEGMENT_SPEND_FREQUENCY] = "Best sellers among households that come and spend alike",
        [MODEL_SEGMENT_STORE_FREQUENCY] = "Best sellers among households of the same store that come alike",
        [MODEL_SEGMENT_GROUP] = "Best sellers of its k-means group of households",
    };
    const struct model_segments *segments = model ? model_segments(model) : NULL;

    if (!segments || segments->chosen >= MODEL_SEGMENTS_)
        return (struct bytes){0};
    return bytes_of(said[segments->chosen]);
}

static void fill_was(const struct demo_view *view, struct page_row *out_was)
{
    struct page_item *items = arena_array(view->request->arena, PAGE_ROW, sizeof(*items));

    for (size_t i = 0; items && i < view->was_n; i++)
        items[out_was->n++] = demo_item(view, view->was[i], (struct bytes){0});
    out_was->items = items;
}

/* ---- what the last press did ---- */

static void fill_did(const struct demo_view *view, struct page *page)
{
    static const struct {
        const char *word;
        enum page_did did;
        const char *says; /* of a failure */
    } words[] = {
        {"look", PAGE_DID_LOOK, NULL},
        {"buy", PAGE_DID_BUY, NULL},
        {"withdrawn", PAGE_DID_WITHDRAW, NULL},
        {"refused", PAGE_DID_FAIL,
         "Not kept: consent is withdrawn, and a look without consent leaves no trace."},
        {"anonymous", PAGE_DID_FAIL,
         "Counted as a sale, without a name: consent is withdrawn, so nothing ties it to this customer."},
        {"failed", PAGE_DID_FAIL,
         "It was not kept: storage could not write. The server's log says why; try again."},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (bytes_equal(view->did, bytes_of(words[i].word))) {
            page->did = words[i].did;
            page->did_id = demo_item(view, view->did_item, (struct bytes){0}).id;
            page->did_title = words[i].says ? bytes_of(words[i].says)
                                            : demo_item(view, view->did_item, (struct bytes){0}).title;
        }
    /* A sentence about an item that is not in the catalogue would have a hole in it. */
    if ((page->did == PAGE_DID_LOOK || page->did == PAGE_DID_BUY) && page->did_title.n == 0)
        page->did = PAGE_DID_NOTHING;
}

/* ---- top ---- */

static void fill_choices(const struct demo_view *view, struct page *page)
{
    const struct survey *survey = view->survey;
    struct page_choice *choices = arena_array(view->request->arena, PAGE_CHOICES, sizeof(*choices));
    unsigned withdrawn = atomic_load(&view->demo->withdrawn);

    if (!choices)
        return;
    for (size_t i = 0; survey && i < survey->choices_n && i < PAGE_CHOICES - 1; i++) {
        bool is_gone = (withdrawn >> i & 1) != 0;

        choices[page->choices_n++] = (struct page_choice){
            .key = bytes_of(survey->choices[i].key),
            .name = is_gone ? BYTES_LIT("A household") : bytes_of(survey->choices[i].name),
            .line = is_gone ? BYTES_LIT("consent withdrawn") : bytes_of(survey->choices[i].line),
            .art = is_gone ? PAGE_ART_PERSON : survey->choices[i].art,
            .is_now = bytes_equal(view->key, bytes_of(survey->choices[i].key))};
    }
    choices[page->choices_n++] =
        (struct page_choice){.name = BYTES_LIT("A newcomer"),
                             .line = view->picture->life->events_n > 0 && view->is_newcomer
                                         ? BYTES_LIT("this one; press for another")
                                         : BYTES_LIT("nothing known yet"),
                             .art = PAGE_ART_PERSON,
                             .is_now = view->is_newcomer};
    page->choices = choices;
}

static void fill_proof(const struct demo_view *view, struct page *page)
{
    struct api_demo *demo = view->demo;
    struct arena *arena = view->request->arena;
    struct bytes report, failed;

    pthread_mutex_lock(&demo->lock);
    report = arena_copy(arena, (struct bytes){demo->report, demo->report_n});
    failed = arena_copy(arena, bytes_of(demo->failed));
    pthread_mutex_unlock(&demo->lock);
    if (report.n > 0 && api_demo_proof_read(report, arena, &page->proof))
        return;
    if (failed.n > 0) {
        page->proof.state = PAGE_PROOF_FAILED;
        page->proof.note = failed;
    }
}

/* The name and value of "member:2375" for a call's "ids"; the page's own keys hold no quotes or backslashes. */
static void fill_curl(const struct demo_view *view, struct page *page)
{
    struct bytes host = http_request_header(view->request, "host");
    const char *colon = memchr(view->key.p, ':', view->key.n);
    size_t kind_n = colon ? (size_t)(colon - view->key.p) : 0;

    if (!colon || memchr(view->key.p, '"', view->key.n) || memchr(view->key.p, '\\', view->key.n) ||
        memchr(view->key.p, '\'', view->key.n))
        return;
    page->curl = arena_format(
        view->request->arena,
        "curl -s http://%.*s/v1/decide -H 'Authorization: Bearer sk_test_0123456789' \\\n  -d "
        "'{\"customer\":{\"ids\":{\"%.*s\":\"%.*s\"}},\"placements\":[{\"name\":\"home-top\",\"n\":%d}]}'",
        (int)host.n, host.p, (int)kind_n, view->key.p, (int)(view->key.n - kind_n - 1), colon + 1, PAGE_ROW);
}

static void fill_name(const struct demo_view *view, struct page *page)
{
    if (bytes_starts(view->key, BYTES_LIT("member:")))
        page->customer_name =
            arena_format(view->request->arena, "household %.*s", (int)view->key.n - 7, view->key.p + 7);
    else
        page->customer_name =
            view->picture->life->events_n > 0 ? BYTES_LIT("this newcomer") : BYTES_LIT("a newcomer");
}

enum err demo_fill(struct demo_view *view, struct page *out_page)
{
    struct page *page = out_page;
    struct arena *arena = view->request->arena;
    enum decide_fallback fallback, unused;
    enum err err;

    *page = (struct page){.tenant = bytes_of(view->demo->tenant->name),
                          .customers_n = view->survey ? view->survey->customers_n : -1,
                          .events_n = view->survey ? view->survey->visits_n : -1,
                          .items_n = (int64_t)catalog_items_n(view->demo->tenant->catalog),
                          .now_ms = demo_local(view, view->request->received_ms),
                          .customer = view->key,
                          .is_newcomer = view->is_newcomer,
                          .is_model_ready = view->world.view.base != NULL};
    memcpy(page->currency, view->demo->tenant->currency, sizeof(page->currency));
    err = demo_repeats(view);
    if (err == ERR_OK)
        err = fill_row(view, VARIANT_ONE_TO_ONE, &page->own, &fallback);
    if (err == ERR_OK && view->world.view.base) /* without a model all three would be the same newest items */
        err = fill_row(view, VARIANT_SEGMENT, &page->segment, &unused);
    if (err == ERR_OK && view->world.view.base)
        err = fill_row(view, VARIANT_POPULAR, &page->popular, &unused);
    if (err != ERR_OK)
        return err;
    page->decided_ms = (double)api_took_us(view->request) / 1000.0;
    page->fallback = fallback_said(fallback);
    page->segment_name = view->picture->life->baskets_n > 0
                             ? segment_said(view->world.view.base)
                             : BYTES_LIT("No baskets are known, so no segment fits: what those without one get");
    if (view->world.view.base)
        page->model_hash = model_hash(view->world.view.base);
    page->picture_hash = arena_format(arena, "%016llx", (unsigned long long)view->picture->hash);
    fill_was(view, &page->was);
    fill_did(view, page);
    fill_choices(view, page);
    fill_proof(view, page);
    fill_curl(view, page);
    fill_name(view, page);
    demo_fill_known(view, &page->known);
    return arena_overflowed(arena) ? ERR_NOMEM : ERR_OK;
}
