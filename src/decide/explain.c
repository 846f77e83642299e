/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/explain.h"

#include <assert.h>
#include <stdio.h>

const char *explain_code(enum decide_reason reason)
{
    static const char *const codes[REASONS_] = {"none", "repeat", "together", "looked", "store", "segment", "popular", "new"};

    assert(reason < REASONS_);
    return codes[reason];
}

const char *explain_drop(enum decide_drop drop)
{
    static const char *const codes[DROPS_] = {"none",        "excluded", "notCandidate", "onPage",
                                              "unknownItem", "hidden",   "unavailable",  "below"};

    assert(drop < DROPS_);
    return codes[drop];
}

const char *explain_fallback(enum decide_fallback fallback)
{
    static const char *const codes[FALLBACKS_] = {
        NULL,      "unknownCustomer",  "noConsent", "modelNotReady", "tooFew", "emptyCatalogue",
        "unknownPlacement", "late", "holdout",       "overload"};

    assert(fallback < FALLBACKS_);
    return codes[fallback];
}

enum explain_language explain_language_of(struct bytes tag)
{
    static const struct {
        char tag[3];
        enum explain_language language;
    } table[] = {{"nb", EXPLAIN_NB}, {"nn", EXPLAIN_NB}, {"no", EXPLAIN_NB}, {"sv", EXPLAIN_SV},
                 {"da", EXPLAIN_DA}, {"fi", EXPLAIN_FI}};

    for (size_t i = 0; tag.n >= 2 && i < sizeof(table) / sizeof(*table); i++) {
        if (tag.p[0] == table[i].tag[0] && tag.p[1] == table[i].tag[1] &&
            (tag.n == 2 || tag.p[2] == '-' || tag.p[2] == '_')) {
            return table[i].language;
        }
    }
    return EXPLAIN_EN;
}

struct sentence {
    const char *plain;
    const char *before, *after; /* around the title of the item that speaks; NULL: it is not named */
};

static const struct sentence sentences[REASONS_][EXPLAIN_LANGUAGES_] = {
    [REASON_NONE] = {{"", NULL, NULL}, {"", NULL, NULL}, {"", NULL, NULL}, {"", NULL, NULL}, {"", NULL, NULL}},
    [REASON_REPEAT] = {{"You buy this from time to time", NULL, NULL},
                       {"Du kjøper denne av og til", NULL, NULL},
                       {"Du köper den här ibland", NULL, NULL},
                       {"Du køber den af og til", NULL, NULL},
                       {"Ostat tätä silloin tällöin", NULL, NULL}},
    [REASON_TOGETHER] = {{"Goes well with what you usually choose", "Often chosen together with ", ""},
                         {"Passer til det du pleier å velge", "Velges ofte sammen med ", ""},
                         {"Passar till det du brukar välja", "Väljs ofta tillsammans med ", ""},
                         {"Passer til det, du plejer at vælge", "Vælges ofte sammen med ", ""},
                         {"Sopii tavallisiin valintoihisi", "Valitaan usein yhdessä tämän kanssa: ", ""}},
    [REASON_LOOKED] = {{"Goes with what you looked at", "Because you looked at ", ""},
                       {"Passer til det du har sett på", "Fordi du så på ", ""},
                       {"Passar till det du har tittat på", "För att du tittade på ", ""},
                       {"Passer til det, du har set på", "Fordi du så på ", ""},
                       {"Sopii siihen, mitä katselit", "Koska katsoit tuotetta ", ""}},
    [REASON_STORE] = {{"Popular in your store", NULL, NULL},
                      {"Populært i butikken din", NULL, NULL},
                      {"Populärt i din butik", NULL, NULL},
                      {"Populært i din butik", NULL, NULL},
                      {"Suosittu myymälässäsi", NULL, NULL}},
    [REASON_SEGMENT] = {{"Popular with customers who shop alike", NULL, NULL},
                        {"Populært blant kunder som handler likt", NULL, NULL},
                        {"Populärt bland kunder som handlar likt", NULL, NULL},
                        {"Populært blandt kunder, der handler ens", NULL, NULL},
                        {"Suosittu samalla tavalla ostavien keskuudessa", NULL, NULL}},
    [REASON_POPULAR] = {{"Popular right now", NULL, NULL},
                        {"Populært akkurat nå", NULL, NULL},
                        {"Populärt just nu", NULL, NULL},
                        {"Populært lige nu", NULL, NULL},
                        {"Suosittu juuri nyt", NULL, NULL}},
    [REASON_NEW] = {{"New in the shop", NULL, NULL},
                    {"Nytt i butikken", NULL, NULL},
                    {"Nytt i butiken", NULL, NULL},
                    {"Nyt i butikken", NULL, NULL},
                    {"Uutuus valikoimassa", NULL, NULL}},
};

struct bytes explain_text(enum decide_reason reason, enum explain_language language, struct bytes because_title,
                          struct arena *arena)
{
    const struct sentence *sentence;

    assert(reason < REASONS_ && language < EXPLAIN_LANGUAGES_);
    sentence = &sentences[reason][language];
    if (sentence->before == NULL || because_title.n == 0 || because_title.n > 200) {
        return bytes_of(sentence->plain);
    }
    return arena_format(arena, "%s%.*s%s", sentence->before, (int)because_title.n, because_title.p, sentence->after);
}
