/* SPDX-License-Identifier: Apache-2.0 */
/* api_demo_inside.h - what the files of the demo share among themselves. */
#pragma once

#include "api/api_demo.h"
#include "base/zone.h"
#include "decide/decide.h"
#include "model/model.h"

#include <pthread.h>

enum { DEMO_KEY_BYTES = API_DEMO_KEY_BYTES, DEMO_LINE_BYTES = 80, DEMO_REPORT_BYTES = 65536 };

struct demo_choice { /* all zero: no household fits */
    char key[DEMO_KEY_BYTES];
    char line[DEMO_LINE_BYTES];
    const char *name;
    enum page_art art;
};

struct demo_price { /* newest unit price seen at a till; open table, item 0: free */
    struct item_id item;
    int64_t at_ms, unit_minor;
};

struct demo_store {
    struct store_id id; /* 0: free */
    char name[48];
};

struct survey { /* immutable once published */
    struct demo_choice choices[PAGE_CHOICES];
    size_t choices_n;
    int64_t customers_n, visits_n;
    struct demo_price *prices;
    size_t prices_room; /* a power of two */
    struct demo_store *stores;
    size_t stores_room; /* a power of two */
};

struct api_demo {
    struct api_tenant *tenant;
    struct zone zone;              /* borrowed arrays */
    struct survey *_Atomic survey; /* NULL until api_demo_survey is done */
    atomic_uint withdrawn;         /* bit i: choice i took its consent back since the survey */
    pthread_mutex_t lock;          /* of report and failed */
    char *report;                  /* malloc; NULL: none */
    size_t report_n;
    char failed[201];
};

int64_t survey_price(const struct survey *survey, struct item_id item);       /* -1: never seen */
const char *survey_store(const struct survey *survey, struct store_id store); /* NULL: never seen */
void survey_free(struct survey *survey);

struct demo_repeat { /* an item of the customer's own, counted once a basket */
    struct item_id item;
    int64_t times, first_ms, last_ms;
    size_t basket; /* 1 + the basket it was last counted in */
};

struct demo_view { /* what one page is made of; published things are read between enter and leave */
    struct http_request *request;
    struct api_demo *demo;
    const struct survey *survey; /* may be NULL */
    struct decide_world world;
    const struct sealed_customer *customer; /* NULL: nobody known */
    const struct picture *picture;          /* never NULL */
    enum decide_mode mode;
    enum decide_fallback fallback;
    uint16_t word; /* consent in force */
    struct bytes key;
    bool is_newcomer;
    struct item_id was[PAGE_ROW];
    size_t was_n;
    struct bytes did; /* word of the query */
    struct item_id did_item;
    const struct demo_repeat *repeats; /* most often first; demo_fill counts them */
    size_t repeats_n;
};

/* Decides the three rows and fills the page. Texts are borrowed from catalogue, survey and arena. Errors: ERR_NOMEM. */
MUST_USE enum err demo_fill(struct demo_view *view, struct page *out_page);
/* Counts what was bought, most often first. Errors: ERR_NOMEM. */
MUST_USE enum err demo_repeats(struct demo_view *view);
/* The date on the wall of the shop, as if UTC. */
int64_t demo_local(const struct demo_view *view, int64_t at_ms);
/* Whole days on that wall from `at_ms` to now. */
int64_t demo_days_ago(const struct demo_view *view, int64_t at_ms);
/* "item" of the catalogue as the page shows it; what is not in the catalogue carries its id text or nothing. */
struct page_item demo_item(const struct demo_view *view, struct item_id id, struct bytes id_text);
void demo_fill_known(const struct demo_view *view, struct page_known *out_known);
