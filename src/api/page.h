/* SPDX-License-Identifier: Apache-2.0 */
/* page.h - the demo's one page, from plain structs to HTML: no script, no clock, no storage.
 *
 * On top the proof (what one-to-one finds of the next basket against segments and popular), then who is
 * shopping, the customer's row with a reason an item and what changed since before, beside it the rows
 * that its segment and that everybody would get, and what is known of the customer. Sentence before
 * picture before table (console.md 2.1). Every text comes from outside and is escaped; whatever is absent
 * has its own words.
 *
 * What differs and what changed is found here, from the ids of the rows: page_test.c says how. */
#pragma once

#include "api/html.h"
#include "api/page_art.h"

enum {
    PAGE_BYTES_MAX = 640 * 1024, /* recorded pages are 30 to 45 KiB; longest texts everywhere 400 KiB */
    PAGE_ROW = 8,
    PAGE_VISITS = 9,
    PAGE_VISIT_ITEMS = 12,
    PAGE_REPEATS = 10,
    PAGE_CHOICES = 8,
    PAGE_BARS = 16,      /* in the table */
    PAGE_BARS_DRAWN = 6, /* in the picture: one-to-one, popular and the best segments */
    PAGE_STORES = 5,
    PAGE_STEMS = 64,
};

struct page_item {
    struct bytes id, title, detail;    /* detail: brand and size; may be empty */
    struct bytes department, category; /* choose the drawing: page_art.h */
    int64_t price_minor;               /* -1: not known */
    char currency[4];
    struct bytes reason; /* a sentence; may be empty */
    bool is_personal;    /* scored from the customer's own events */
};

struct page_row {
    const struct page_item *items;
    size_t n;
};

struct page_bar { /* one system of the proof; shares are 0..1 */
    struct bytes name;
    bool is_own, is_segment;                /* one-to-one; a segmentation; neither: popular */
    double recall, recall_low, recall_high; /* R@10 and its 95 % interval */
    double ndcg, phr;
};

enum page_proof_state { PAGE_PROOF_COMPUTING = 0, PAGE_PROOF_READY, PAGE_PROOF_FAILED };

struct page_proof {
    enum page_proof_state state;
    const struct page_bar *bars;
    size_t bars_n;
    int64_t cases_n;
    double times_low, times_high; /* 95 % interval of page_proof_times; equal: not told */
    struct bytes from, to;        /* the held-back days, as dates, `to` not included; may be empty */
    struct bytes note;            /* what the service says while computing or after failing; may be empty */
};

struct page_choice {
    struct bytes key;        /* what ?customer= takes; empty: the newcomer */
    struct bytes name, line; /* "The weekly shopper", "122 visits, 14 items each" */
    enum page_art art;
    bool is_now;
};

struct page_bought { /* one line of a visit */
    struct bytes title;
    int64_t pieces_milli;
};

struct page_visit { /* a basket, or one look */
    int64_t at_ms;
    bool is_look;
    struct bytes store, channel; /* may be empty */
    const struct page_bought *items;
    size_t items_n;      /* listed, at most PAGE_VISIT_ITEMS */
    int64_t items_all_n; /* in the basket */
    int64_t paid_minor;  /* -1: not known */
};

struct page_stem { /* one basket of the time line's picture */
    int64_t at_ms;
    int64_t paid_minor;
};

struct page_repeat {
    struct page_item item;
    int64_t times, of_visits;
    int64_t every_days; /* 0: not known */
    int64_t ago_days;
};

struct page_store {
    struct bytes name;
    int64_t visits_n;
};

struct page_consent {
    struct bytes purpose, state, source;
    int64_t at_ms; /* 0: no statement; the state then comes from the source being gated */
    bool is_granted;
};

struct page_known {
    bool is_known;   /* false: nothing is stored of this visitor */
    bool is_refused; /* consent was withdrawn or refused */
    int64_t first_ms, baskets_n, lines_n, paid_minor;
    const struct page_stem *stems; /* any order */
    size_t stems_n;
    const struct page_visit *visits; /* newest first */
    size_t visits_n;
    const struct page_repeat *repeats; /* most often first */
    size_t repeats_n;
    const struct page_store *stores; /* most visited first */
    size_t stores_n;
    const struct page_consent *consents;
    size_t consents_n;
};

enum page_did { PAGE_DID_NOTHING = 0, PAGE_DID_LOOK, PAGE_DID_BUY, PAGE_DID_WITHDRAW, PAGE_DID_FAIL };

struct page {
    struct bytes tenant;
    int64_t customers_n, items_n, events_n; /* -1: not known yet */
    int64_t now_ms;
    char currency[4];
    struct page_proof proof;
    const struct page_choice *choices;
    size_t choices_n;
    struct bytes customer; /* what the forms send back: "member:2375", "cookie:demo-..." */
    struct bytes customer_name;
    bool is_newcomer;
    bool is_model_ready;
    struct page_row own, segment, popular;
    struct bytes segment_name; /* "Everybody whose home store is 367"; may be empty */
    struct bytes fallback;     /* why the row is not personal; empty: it is */
    struct page_row was;       /* the row before the last action; n 0: none */
    enum page_did did;
    struct bytes did_id;                   /* of the item of the action; may be empty */
    struct bytes did_title;                /* the item of the action; or what failed, a sentence */
    double decided_ms;                     /* all three rows, loading included; < 0: not known */
    struct bytes model_hash, picture_hash; /* hex; may be empty */
    struct bytes curl;                     /* the same answer as a command; may be empty */
    struct page_known known;
};

/* Writes the page. html: opened, PAGE_BYTES_MAX is enough for any page within the limits above with texts
 * of up to 256 bytes. Pure. */
void page_write(const struct page *page, struct html *html);
/* The style sheet that the page links as /demo.css. Static. */
struct bytes page_style(void);

/* ---- what the rows say of each other, apart for the tests ---- */

enum page_mark { PAGE_MARK_NONE = 0, PAGE_MARK_NEW, PAGE_MARK_UP, PAGE_MARK_DOWN };

/* What became of row's item `at` since `was`: new, so many places up or down. Without `was` (n 0): NONE. */
enum page_mark page_mark_of(const struct page_row *row, size_t at, const struct page_row *was,
                            size_t *out_places);
/* Whether an item of that id is in the row. */
bool page_row_has(const struct page_row *row, struct bytes id);
/* How many times as much one-to-one finds as the best segmentation (or, without one, as the best other); 0
 * when there is nothing to compare. */
double page_proof_times(const struct page_proof *proof);
