/* SPDX-License-Identifier: Apache-2.0 */
#include "train/match.h"

#include "base/test.h"
#include "train/match_inside.h"

#include <stdio.h>
#include <stdlib.h>

enum { FIELDS = 5 };

static const enum likeness_kind kinds[FIELDS] = {LIKENESS_NAME, LIKENESS_SURNAME, LIKENESS_DATE, LIKENESS_ID, LIKENESS_ADDRESS};

struct rows { /* a file under construction */
    struct arena arena;
    struct bytes *values;
    size_t n, room;
};

static struct rows rows_open(size_t room)
{
    struct rows rows = {.values = calloc(room * FIELDS, sizeof(struct bytes)), .room = room};

    arena_open(&rows.arena, 1 << 16, 1 << 28);
    return rows;
}

static void rows_close(struct rows *rows)
{
    free(rows->values);
    arena_close(&rows->arena);
}

static size_t row(struct rows *rows, const char *name, const char *surname, const char *date, const char *id, const char *address)
{
    const char *texts[FIELDS] = {name, surname, date, id, address};

    assert_true(rows->n < rows->room);
    for (size_t f = 0; f < FIELDS; f++) {
        rows->values[rows->n * FIELDS + f] = likeness_form(kinds[f], bytes_of(texts[f]), &rows->arena);
    }
    return rows->n++;
}

static struct match_table table_of(const struct rows *rows)
{
    return (struct match_table){rows->n, FIELDS, kinds, rows->values};
}

static void word(struct rng *rng, size_t letters, char *to)
{
    for (size_t i = 0; i < letters; i++) {
        to[i] = (char)('a' + rng_below(rng, 26));
    }
    to[letters] = '\0';
}

/* Each person twice; the second time a fifth of the fields is missing or another. */
static void crowd(struct rows *rows, struct rng *rng, size_t persons)
{
    for (size_t p = 0; p < persons; p++) {
        char text[2][FIELDS][24];

        for (int i = 0; i < 2; i++) {
            word(rng, 7, text[i][0]);
            word(rng, 9, text[i][1]);
            snprintf(text[i][2], 24, "19%02u-%02u-%02u", (unsigned)rng_below(rng, 90) + 10, (unsigned)rng_below(rng, 12) + 1,
                     (unsigned)rng_below(rng, 28) + 1);
            snprintf(text[i][3], 24, "9%07u", (unsigned)rng_below(rng, 10000000));
            word(rng, 12, text[i][4]);
            for (size_t f = 0; f < FIELDS && i == 1; f++) {
                if (rng_below(rng, 5) != 0) {
                    memcpy(text[1][f], text[0][f], 24);
                } else if (rng_coin(rng)) {
                    text[1][f][0] = '\0';
                }
            }
        }
        for (int i = 0; i < 2; i++) {
            row(rows, text[i][0], text[i][1], text[i][2], text[i][3], text[i][4]);
        }
    }
}

static struct match_result run(const struct rows *rows)
{
    struct match_options options = MATCH_OPTIONS;
    struct match_table table = table_of(rows);
    struct match_result result;

    match_run(&table, &options, &result);
    return result;
}

static const struct match_pair *pair_of(const struct match_result *result, size_t a, size_t b)
{
    for (size_t i = 0; i < result->pairs_n; i++) {
        if (result->pairs[i].a == a && result->pairs[i].b == b) {
            return &result->pairs[i];
        }
    }
    return NULL;
}

/* ---- learning ---- */

TEST(em_finds_planted_shares)
{
    static const double m[4][4] = {{0, .9, .05, .05}, {0, .8, .1, .1}, {0, .95, .03, .02}, {0, .85, .05, .1}};
    static const double u[4][4] = {{0, .01, .02, .97}, {0, .003, .01, .987}, {0, .001, .004, .995}, {0, .02, .01, .97}};
    const double all = 1e7, lam = 2e-4;
    struct match_pattern looked[81], random[81];
    struct match_model model;
    size_t looked_n = 0, random_n = 0;
    double missed = 0;

    for (uint32_t i = 0; i < 81; i++) {
        uint32_t level[4] = {i % 3 + 1, i / 3 % 3 + 1, i / 9 % 3 + 1, i / 27 + 1}, levels = 0;
        double match = lam, other = 1 - lam;
        int exact = 0;

        for (uint32_t f = 0; f < 4; f++) {
            levels |= level[f] << (2 * f);
            match *= m[f][level[f]];
            other *= u[f][level[f]];
            exact += level[f] == LIKENESS_EXACT;
        }
        random[random_n++] = (struct match_pattern){levels, 1e6 * (match + other)};
        missed += exact < 2 ? match / lam : 0;
        if (exact >= 2) {
            looked[looked_n++] = (struct match_pattern){levels, all * (match + other)};
        }
    }
    match_learn(looked, looked_n, random, random_n, 4, all, &model);
    CHECK_WITHIN(model.lam, lam * (1 - missed), lam * .05);
    for (size_t f = 0; f < 4; f++) {
        for (int level = LIKENESS_EXACT; level <= LIKENESS_DIFFERENT; level++) {
            CHECK_WITHIN(model.m[f][level], m[f][level], .015);
            CHECK_WITHIN(model.u[f][level], u[f][level], .0005);
        }
    }
}

TEST(lam_stays_bounded_where_every_pair_looked_at_is_alike)
{
    struct match_pattern all_exact = {1 | 1 << 2 | 1 << 4, 1000};
    struct match_model model;

    match_learn(&all_exact, 1, &all_exact, 1, 3, 1000, &model);
    CHECK(model.lam > 0 && model.lam <= .3);
    for (size_t f = 0; f < 3; f++) {
        CHECK(model.u[f][LIKENESS_DIFFERENT] > 0 && model.m[f][LIKENESS_DIFFERENT] > 0);
    }
}

/* ---- whole runs ---- */

TEST(a_crowd_finds_its_doubles_and_nobody_else)
{
    struct rng rng = {7};
    struct rows rows = rows_open(2000);
    struct match_result result;
    size_t right = 0, wrong = 0;

    crowd(&rows, &rng, 1000);
    result = run(&rows);
    for (size_t i = 0; i < rows.n; i++) {
        right += i % 2 == 1 && result.component[i] == i - 1;
        wrong += result.component[i] != i && result.component[i] != i - 1;
    }
    CHECK(right >= 900);
    CHECK_INT(wrong, 0);
    match_free(&result);
    rows_close(&rows);
}

TEST(the_same_file_gives_the_same_bytes)
{
    struct rng rng = {8};
    struct rows rows = rows_open(600);
    struct match_result one, other;

    crowd(&rows, &rng, 300);
    one = run(&rows);
    other = run(&rows);
    CHECK_INT(one.pairs_n, other.pairs_n);
    CHECK(one.pairs_n > 0);
    CHECK_SAME_BYTES(one.pairs, other.pairs, one.pairs_n * sizeof(*one.pairs));
    CHECK_SAME_BYTES(one.component, other.component, rows.n * sizeof(*one.component));
    match_free(&one);
    match_free(&other);
    rows_close(&rows);
}

TEST(an_address_never_links)
{
    struct rng rng = {9};
    struct rows rows = rows_open(1200);
    struct match_result result;
    size_t wife, lodger, nameless, husband;

    crowd(&rows, &rng, 500);
    husband = row(&rows, "", "ramsbottom", "", "", "the only house in the lane 1");
    wife = row(&rows, "", "ramsbottom", "", "", "the only house in the lane 1");
    lodger = row(&rows, "", "", "", "", "the only house in the lane 1");
    nameless = row(&rows, "", "", "", "", "the only house in the lane 1");
    result = run(&rows);
    CHECK_INT(result.component[wife], wife);
    CHECK_INT(result.component[husband], husband);
    CHECK_INT(result.component[lodger], lodger);
    CHECK_INT(result.component[nameless], nameless);
    CHECK(pair_of(&result, husband, wife) != NULL); /* probable enough to be handed over */
    CHECK_INT(pair_of(&result, husband, wife)->verdict, MATCH_PERSONLESS);
    match_free(&result);
    rows_close(&rows);
}

TEST(names_in_each_others_place_are_found)
{
    struct rng rng = {10};
    struct rows rows = rows_open(1200);
    struct match_result result;
    size_t a, b;

    crowd(&rows, &rng, 500);
    a = row(&rows, "veronika", "ramsbottom", "1971-05-06", "", "a lane 7");
    b = row(&rows, "ramsbottom", "veronica", "1971-05-06", "", "a lane 7");
    result = run(&rows);
    CHECK_INT(result.component[b], a);
    match_free(&result);
    rows_close(&rows);
}

TEST(a_frequent_value_weighs_less)
{
    struct rows rows = rows_open(400);
    struct match_options options = MATCH_OPTIONS;
    struct match_model model = {.lam = .001};
    struct match_result result;
    struct match_table table;
    uint32_t code[400 * FIELDS] = {0}, count[4] = {400, 390, 2, 8};
    struct match_rows inside = {.code = code, .count = {count, count, count, count, count}};

    for (size_t f = 0; f < FIELDS; f++) {
        for (int level = 1; level < 4; level++) {
            model.m[f][level] = model.u[f][level] = 1. / 3;
        }
    }
    for (int i = 0; i < 4; i++) {
        row(&rows, "", i < 2 ? "smith" : "ramsbottom", "", "", "");
    }
    table = table_of(&rows);
    inside.table = &table;
    inside.options = &options;
    code[0 * FIELDS + 1] = code[1 * FIELDS + 1] = 1;
    code[2 * FIELDS + 1] = code[3 * FIELDS + 1] = 2;
    CHECK_NEAR(match_weight(&inside, &model, 2, 3, 1 << 2) - match_weight(&inside, &model, 0, 1, 1 << 2), log(390. / 2));
    result = run(&rows); /* a file of four rows is no trouble */
    match_free(&result);
    rows_close(&rows);
}

/* ---- closure ---- */

/* Two families of three, and links inside them; one false link between. */
TEST(one_false_link_does_not_join_two_families)
{
    struct rng rng = {11};
    struct rows rows = rows_open(1200);
    struct match_result result, given = {0};
    struct match_options options = MATCH_OPTIONS;
    struct match_table table;
    struct match_pair pairs[5];
    uint32_t component[1200], *code;
    struct match_rows inside = {0};

    for (int i = 0; i < 3; i++) {
        row(&rows, "anna", "berg", "1980-01-02", "90000001", "street 1");
    }
    for (int i = 0; i < 3; i++) {
        row(&rows, "bo", "lindqvist", "1970-11-12", "40000002", "road 9");
    }
    crowd(&rows, &rng, 500);
    result = run(&rows);
    table = table_of(&rows);
    code = calloc(rows.n * FIELDS, sizeof(*code));
    inside = (struct match_rows){.table = &table, .options = &options, .code = code};
    for (size_t f = 0; f < FIELDS; f++) {
        inside.count[f] = calloc(rows.n + 3, sizeof(uint32_t));
        inside.count[f][0] = (uint32_t)rows.n;
        inside.count[f][1] = inside.count[f][2] = 3;
        for (size_t i = 0; i < rows.n; i++) {
            code[i * FIELDS + f] = i < 3 ? 1 : i < 6 ? 2 : (uint32_t)(i + 1 > rows.n ? 0 : 3);
        }
    }
    pairs[0] = (struct match_pair){0, 1, 40, MATCH_LINK};
    pairs[1] = (struct match_pair){3, 4, 40, MATCH_LINK};
    pairs[2] = (struct match_pair){1, 2, 39, MATCH_LINK};
    pairs[3] = (struct match_pair){4, 5, 39, MATCH_LINK};
    pairs[4] = (struct match_pair){2, 3, 38, MATCH_LINK};
    given = (struct match_result){.model = result.model, .pairs = pairs, .pairs_n = 5, .component = component};
    match_close(&inside, &given);
    for (uint32_t i = 0; i < 6; i++) {
        CHECK_INT(component[i], i < 3 ? 0 : 3);
    }
    CHECK_INT(given.components_n, 2);
    CHECK_INT(pairs[4].verdict, MATCH_GUARDED);
    options.component_most = 2;
    pairs[4].verdict = MATCH_LINK;
    given.components_n = 0;
    match_close(&inside, &given);
    CHECK_INT(component[2], 2); /* as many as a person may have */
    for (size_t f = 0; f < FIELDS; f++) {
        free(inside.count[f]);
    }
    free(code);
    match_free(&result);
    rows_close(&rows);
}

TEST(twins_are_handed_over_where_names_are_reliable)
{
    struct match_model model = {.m = {{0, .97, .02, .01}}};
    struct rows rows = rows_open(1);
    struct match_table table = table_of(&rows);
    struct match_rows inside = {.table = &table};
    uint32_t levels = LIKENESS_DIFFERENT | LIKENESS_EXACT << 2 | LIKENESS_EXACT << 4 | LIKENESS_EXACT << 8;

    CHECK(!match_is_person(&inside, &model, levels));
    CHECK(match_is_person(&inside, &model, levels | LIKENESS_EXACT << 6)); /* one id */
    model.m[0][LIKENESS_DIFFERENT] = .2;
    CHECK(match_is_person(&inside, &model, levels));
    rows_close(&rows);
}

/* ---- sizes ---- */

TEST(no_row_and_one_row)
{
    struct rows rows = rows_open(1);
    struct match_result result = run(&rows);

    CHECK_INT(result.pairs_n + result.looked_n + result.components_n, 0);
    match_free(&result);
    row(&rows, "anna", "berg", "", "", "");
    result = run(&rows);
    CHECK_INT(result.pairs_n + result.looked_n + result.components_n, 0);
    CHECK_INT(result.component[0], 0);
    match_free(&result);
    rows_close(&rows);
}

TEST(rows_all_the_same_stay_bounded)
{
    struct rows rows = rows_open(3000);
    struct match_result result;
    size_t size[3000] = {0};

    for (size_t i = 0; i < rows.room; i++) {
        row(&rows, "anna", "berg", "1980-01-02", "90000001", "street 1");
    }
    result = run(&rows);
    CHECK(result.looked_n <= MATCH_WINDOW * rows.n);
    for (size_t i = 0; i < rows.n; i++) {
        CHECK(++size[result.component[i]] <= MATCH_COMPONENT_MOST);
    }
    match_free(&result);
    rows_close(&rows);
}

TEST(a_hundred_thousand_of_one_surname_are_bounded_work)
{
    struct rng rng = {12};
    struct rows rows = rows_open(100000);
    struct match_result result;

    for (size_t i = 0; i < rows.room; i++) {
        char name[16];

        word(&rng, 3, name);
        row(&rows, name, "hansen", "", "", "");
    }
    result = run(&rows);
    /* one field: a window each; two: blocks of one name, which are small */
    CHECK(result.looked_n <= rows.n * (2 * MATCH_WINDOW + MATCH_BLOCK_MOST / 2));
    CHECK_INT(result.links_n, 0); /* there are no two rare things that agree */
    match_free(&result);
    rows_close(&rows);
}

TEST(pairs_fit_the_memory_they_may_have)
{
    struct rng rng = {13};
    struct rows rows = rows_open(4000);
    struct match_table table;
    struct match_options options = MATCH_OPTIONS;
    struct match_result result;

    for (size_t i = 0; i < rows.room; i++) {
        char name[8], surname[8];

        word(&rng, 1, name);
        word(&rng, 1, surname);
        row(&rows, name, surname, "", "", "");
    }
    table = table_of(&rows);
    match_run(&table, &options, &result);
    CHECK(result.looked_n > 50000);
    match_free(&result);
    options.pairs_most = 30000; /* two fields fit in half of it, one does not */
    match_run(&table, &options, &result);
    CHECK(result.looked_n <= 30000 && result.looked_n > 10000);
    match_free(&result);
    options.pairs_most = 0;
    match_run(&table, &options, &result);
    CHECK_INT(result.looked_n, 0);
    match_free(&result);
    rows_close(&rows);
}
