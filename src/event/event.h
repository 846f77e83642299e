/* SPDX-License-Identifier: Apache-2.0 */
/* event.h - the vocabulary: what can happen, on which channel, to whom, with which consent.
 *
 * A `struct event` is a plain value; all text in it is borrowed from the request's arena or from a
 * stored body. Kinds, channels, identifier kinds and purposes are numbered in the tables here; the
 * numbers are stored and never reused. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "base/id.h"
#include "base/time.h"

enum event_kind {
    EVENT_NONE = 0,
    EVENT_SEARCH = 1,
    EVENT_LIST = 2,
    EVENT_FILTER = 3,
    EVENT_PROMOTION_SHOWN = 4,
    EVENT_PROMOTION_CLICKED = 5,
    EVENT_CLICK = 6,
    EVENT_VIEW = 7,
    EVENT_ADD = 8,
    EVENT_REMOVE = 9,
    EVENT_CART = 10,
    EVENT_CHECKOUT = 11,
    EVENT_PURCHASE = 12, /* one line or many: a receipt is a purchase with lines */
    EVENT_ORDER_UPDATE = 13,
    EVENT_RETURN = 14,
    EVENT_CANCEL = 15,
    EVENT_WISH = 16,
    EVENT_UNWISH = 17,
    EVENT_REVIEW = 18,
    EVENT_SHARE = 19,
    EVENT_COUPON = 20,
    EVENT_SHOWN = 21,
    EVENT_CLICKED = 22,
    EVENT_MAIL_DELIVERED = 23,
    EVENT_MAIL_OPENED = 24,
    EVENT_MAIL_CLICKED = 25,
    EVENT_MAIL_BOUNCED = 26,
    EVENT_MAIL_SPAM = 27,
    EVENT_UNSUBSCRIBE = 28,
    EVENT_PAGE = 29,
    EVENT_EXPOSURE = 30,
    EVENT_IDENTIFY = 31, /* names identifiers and nothing else: a log-in */
    EVENT_X = 32,        /* the sender's own kind: "x-<name>", kept in kind_name */
    EVENT_RETRACT = 33,  /* inner: takes back the purchase `retracts` (a replaced receipt) */
    EVENT_KINDS_
};

enum channel {
    CHANNEL_NONE = 0,
    CHANNEL_WEB = 1,
    CHANNEL_APP = 2,
    CHANNEL_TILL = 3,
    CHANNEL_MAIL = 4,
    CHANNEL_ADS = 5,
    CHANNEL_SERVICE = 6,
    CHANNELS_
};

/* In the order in which an event's part is chosen (storage.md 3): the first present wins, except that
 * x-* come last. The number is also the strength order for link survivors (settled.md 1.6). */
enum identifier_kind {
    IDENTIFIER_NONE = 0,
    IDENTIFIER_MEMBER = 1,
    IDENTIFIER_USER_ID = 2,
    IDENTIFIER_ERP = 3,
    IDENTIFIER_EMAIL_HASH = 4,
    IDENTIFIER_PHONE_HASH = 5,
    IDENTIFIER_CARD_TOKEN = 6,
    IDENTIFIER_APP = 7,
    IDENTIFIER_COOKIE = 8,
    IDENTIFIER_ANONYMOUS_ID = 9,
    IDENTIFIER_X = 10, /* "x-<name>": the value is "<name>:<value>" */
    IDENTIFIER_EMAIL = 11, /* as sent; becomes EMAIL_HASH at normalising, never stored */
    IDENTIFIER_PHONE = 12, /* as sent; becomes PHONE_HASH at normalising, never stored */
    IDENTIFIER_KINDS_
};

enum purpose {
    PURPOSE_STORE = 0,
    PURPOSE_PERSONALISE = 1,
    PURPOSE_MEASURE = 2,
    PURPOSE_MAIL = 3,
    PURPOSE_ADS = 4,
    PURPOSE_CLERK = 5,
    PURPOSE_SENSITIVE = 6,
    PURPOSES_
};

enum consent_state { /* two bits a purpose in a consent word: purpose p at bits 2p and 2p + 1 */
    CONSENT_UNSAID = 0,
    CONSENT_GRANTED = 1,
    CONSENT_REFUSED = 2,
    CONSENT_WITHDRAWN = 3,
};

enum { EVENT_IDENTIFIERS_MAX = 8, EVENT_LINES_MAX = 1000, EVENT_ID_BYTES_MAX = 256, EVENT_BODY_BYTES_MAX = 65536 };

struct event_identifier {
    enum identifier_kind kind;
    struct bytes value; /* normalised once identity/identifier has seen it */
};

struct event_line {
    struct item_id item;
    struct bytes item_text; /* the sender's id, kept in the body so that names survive */
    int64_t quantity_milli; /* in 1/1000 pieces; negative: returned */
    int64_t paid_minor;     /* of the whole line, in the minor unit of `currency` */
};

struct event { /* all zero: nothing happened */
    enum event_kind kind;
    enum channel channel;
    bool has_id;      /* false: an id was made, nothing is deduplicated */
    bool has_time;    /* false: at_ms is the time of receipt */
    bool is_receipt;  /* identity is (source, id) for good; a changed body replaces */
    struct bytes kind_name; /* of EVENT_X: "x-<name>" */
    struct bytes id;        /* the sender's message id */
    struct bytes source;    /* stable name of the sending system, from the key */
    int64_t at_ms;          /* corrected time: what everything is ordered by, with mid */
    int64_t declared_ms;    /* as first written by the sender: the key's day comes from it */
    int64_t received_ms;
    struct mid mid;       /* set by event_finish */
    struct mid retracts;  /* of EVENT_RETRACT: the mid taken back */
    struct event_identifier identifiers[EVENT_IDENTIFIERS_MAX];
    size_t identifiers_n;
    struct store_id store;
    struct bytes store_text;
    struct bytes session, order, query, ticket, placement;
    char currency[4];  /* "NOK", empty: the tenant's */
    int64_t total_minor;
    uint32_t position; /* from 1; 0: not said */
    const struct event_line *lines; /* most kinds carry one line: the item it is about */
    size_t lines_n;
    uint16_t consent_said; /* a consent word: what the event itself carried; 0: nothing */
    uint16_t purposes;     /* bit p: kept under purpose p; decided at the door */
    struct bytes properties; /* raw JSON of `properties`, at most 16 KiB kept; may be empty */
};

/* Gives the API's word ("promotionShown"), or NULL for inner kinds and EVENT_X. */
const char *event_kind_word(enum event_kind kind);
/* Gives EVENT_NONE for an unknown word; "x-..." gives EVENT_X. Segment and GA4 names are not read here. */
enum event_kind event_kind_of(struct bytes word);
const char *event_channel_word(enum channel channel);
bool event_channel_of(struct bytes word, enum channel *out_channel);
const char *event_identifier_word(enum identifier_kind kind); /* "x" for IDENTIFIER_X */
bool event_identifier_of(struct bytes word, enum identifier_kind *out_kind); /* "x-foo": IDENTIFIER_X */
const char *event_purpose_word(enum purpose purpose);
bool event_purpose_of(struct bytes word, enum purpose *out_purpose);
const char *event_consent_word(enum consent_state state);

static inline enum consent_state consent_word_get(uint16_t word, enum purpose purpose)
{
    return (enum consent_state)((word >> (2 * purpose)) & 3);
}
static inline uint16_t consent_word_set(uint16_t word, enum purpose purpose, enum consent_state state)
{
    return (uint16_t)((word & ~(3u << (2 * purpose))) | ((unsigned)state << (2 * purpose)));
}

/* Sets mid (from source and id; receipts: version 0 of it) and hashes items and store. */
void event_finish(struct event *event, struct tenant_id tenant);
/* The day of the event's key: of declared_ms. */
uint32_t event_day(const struct event *event);
/* Orders by (at_ms, mid). */
int event_compare(const struct event *a, const struct event *b);
