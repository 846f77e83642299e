/* SPDX-License-Identifier: Apache-2.0 */
#include "event/event.h"

#include "base/hash.h"

#include <assert.h>

static const char *const kind_words[EVENT_KINDS_] = {
    [EVENT_SEARCH] = "search",
    [EVENT_LIST] = "list",
    [EVENT_FILTER] = "filter",
    [EVENT_PROMOTION_SHOWN] = "promotionShown",
    [EVENT_PROMOTION_CLICKED] = "promotionClicked",
    [EVENT_CLICK] = "click",
    [EVENT_VIEW] = "view",
    [EVENT_ADD] = "add",
    [EVENT_REMOVE] = "remove",
    [EVENT_CART] = "cart",
    [EVENT_CHECKOUT] = "checkout",
    [EVENT_PURCHASE] = "purchase",
    [EVENT_ORDER_UPDATE] = "orderUpdate",
    [EVENT_RETURN] = "return",
    [EVENT_CANCEL] = "cancel",
    [EVENT_WISH] = "wish",
    [EVENT_UNWISH] = "unwish",
    [EVENT_REVIEW] = "review",
    [EVENT_SHARE] = "share",
    [EVENT_COUPON] = "coupon",
    [EVENT_SHOWN] = "shown",
    [EVENT_CLICKED] = "clicked",
    [EVENT_MAIL_DELIVERED] = "mailDelivered",
    [EVENT_MAIL_OPENED] = "mailOpened",
    [EVENT_MAIL_CLICKED] = "mailClicked",
    [EVENT_MAIL_BOUNCED] = "mailBounced",
    [EVENT_MAIL_SPAM] = "mailSpam",
    [EVENT_UNSUBSCRIBE] = "unsubscribe",
    [EVENT_PAGE] = "page",
    [EVENT_EXPOSURE] = "exposure",
    [EVENT_IDENTIFY] = "identify",
};

static const char *const channel_words[CHANNELS_] = {
    [CHANNEL_WEB] = "web",   [CHANNEL_APP] = "app", [CHANNEL_TILL] = "till",
    [CHANNEL_MAIL] = "mail", [CHANNEL_ADS] = "ads", [CHANNEL_SERVICE] = "service",
};

static const char *const identifier_words[IDENTIFIER_KINDS_] = {
    [IDENTIFIER_MEMBER] = "member",
    [IDENTIFIER_USER_ID] = "userId",
    [IDENTIFIER_ERP] = "erp",
    [IDENTIFIER_EMAIL_HASH] = "emailHash",
    [IDENTIFIER_PHONE_HASH] = "phoneHash",
    [IDENTIFIER_CARD_TOKEN] = "cardToken",
    [IDENTIFIER_APP] = "app",
    [IDENTIFIER_COOKIE] = "cookie",
    [IDENTIFIER_ANONYMOUS_ID] = "anonymousId",
    [IDENTIFIER_X] = "x",
    [IDENTIFIER_EMAIL] = "email",
    [IDENTIFIER_PHONE] = "phone",
};

static const char *const purpose_words[PURPOSES_] = {
    [PURPOSE_STORE] = "store", [PURPOSE_PERSONALISE] = "personalise", [PURPOSE_MEASURE] = "measure",
    [PURPOSE_MAIL] = "mail",   [PURPOSE_ADS] = "ads",                 [PURPOSE_CLERK] = "clerk",
    [PURPOSE_SENSITIVE] = "sensitive",
};

/* Gives the index of the word, or 0 where no entry from 1 on matches. */
static size_t find_word(const char *const *words, size_t n, struct bytes word)
{
    for (size_t i = 1; i < n; i++) {
        if (words[i] != NULL && bytes_equal(word, bytes_of(words[i]))) {
            return i;
        }
    }
    return 0;
}

const char *event_kind_word(enum event_kind kind)
{
    assert(kind < EVENT_KINDS_);
    return kind_words[kind];
}

enum event_kind event_kind_of(struct bytes word)
{
    if (bytes_starts(word, BYTES_LIT("x-")) && word.n > 2) {
        return EVENT_X;
    }
    return (enum event_kind)find_word(kind_words, EVENT_KINDS_, word);
}

const char *event_channel_word(enum channel channel)
{
    assert(channel < CHANNELS_);
    return channel_words[channel];
}

bool event_channel_of(struct bytes word, enum channel *out_channel)
{
    size_t found = find_word(channel_words, CHANNELS_, word);

    if (found == 0) {
        return false;
    }
    *out_channel = (enum channel)found;
    return true;
}

const char *event_identifier_word(enum identifier_kind kind)
{
    assert(kind < IDENTIFIER_KINDS_ && identifier_words[kind] != NULL);
    return identifier_words[kind];
}

bool event_identifier_of(struct bytes word, enum identifier_kind *out_kind)
{
    size_t found = find_word(identifier_words, IDENTIFIER_KINDS_, word);

    if (bytes_starts(word, BYTES_LIT("x-")) && word.n > 2) {
        found = IDENTIFIER_X;
    } else if (found == 0 || found == IDENTIFIER_X) {
        return false;
    }
    *out_kind = (enum identifier_kind)found;
    return true;
}

const char *event_purpose_word(enum purpose purpose)
{
    assert(purpose < PURPOSES_);
    return purpose_words[purpose];
}

bool event_purpose_of(struct bytes word, enum purpose *out_purpose)
{
    for (size_t i = 0; i < PURPOSES_; i++) {
        if (bytes_equal(word, bytes_of(purpose_words[i]))) {
            *out_purpose = (enum purpose)i;
            return true;
        }
    }
    return false;
}

const char *event_consent_word(enum consent_state state)
{
    static const char *const words[] = {"unsaid", "granted", "refused", "withdrawn"};

    assert(state <= CONSENT_WITHDRAWN);
    return words[state];
}

void event_finish(struct event *event, struct tenant_id tenant)
{
    event->mid = hash_mid(event->source, event->id);
    event->store = event->store_text.n > 0 ? hash_store(tenant, event->store_text) : (struct store_id){0};
}

uint32_t event_day(const struct event *event)
{
    int32_t day = time_day(event->declared_ms);

    return day < 0 ? 0 : (uint32_t)day;
}

int event_compare(const struct event *a, const struct event *b)
{
    if (a->at_ms != b->at_ms) {
        return a->at_ms < b->at_ms ? -1 : 1;
    }
    return mid_compare(&a->mid, &b->mid);
}
