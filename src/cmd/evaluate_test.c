/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the protocols, good and hostile, and what they become. */
#include "cmd/evaluate.h"

#include "base/test.h"
#include "model/model_domain.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOW_MS EVALUATE_DAY_0_MS

static char path[64];

static enum err read_text(const char *text, enum read_shape shape, struct read_sequences *read, struct why *why)
{
    FILE *file;
    enum err err;

    *why = (struct why){{0}};
    (void)snprintf(path, sizeof(path), "/tmp/falun-evaluate-%ld.csv", (long)getpid());
    file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(text, 1, strlen(text), file) == strlen(text) && fclose(file) == 0);
    err = read_sequences(path, shape, NOW_MS, read, why);
    CHECK(remove(path) == 0);
    return err;
}

static void check_items(const struct read_sequences *read, size_t group, const char *wanted)
{
    char got[64] = "";

    for (size_t i = read->at[group]; i < read->at[group + 1]; i++) {
        (void)snprintf(got + strlen(got), sizeof(got) - strlen(got), "%.*s ", (int)read_item(read, i).n, read_item(read, i).p);
    }
    CHECK_TEXT(bytes_of(got), wanted);
}

TEST(sessions_stand_in_the_order_of_their_numbers)
{
    struct read_sequences read;
    struct why why;

    CHECK_OK(read_text("item_id,x,seq,session_id\nb,,2,10\na,,1,10\nc,,1,9\n", READ_SESSIONS, &read, &why));
    CHECK_INT(read.groups_n, 2);
    CHECK(!read.has_times);
    check_items(&read, 0, "c ");
    check_items(&read, 1, "a b ");
    read_sequences_close(&read);
    CHECK_OK(read_text("session_id,seq,item_id\nz,1,c\n10,1,a\n", READ_SESSIONS, &read, &why));
    check_items(&read, 0, "c "); /* not all are numbers: as they come */
    read_sequences_close(&read);
}

TEST(clicks_stand_in_the_order_of_their_times)
{
    struct read_sequences read;
    struct why why;

    CHECK_OK(read_text("session_id,item_id,ts\n1,a,1500000001.5\n1,b,1500000000\n1,b,1500000000\n", READ_SESSIONS, &read, &why));
    CHECK(read.has_times);
    check_items(&read, 0, "b b a "); /* two clicks of one second are two */
    CHECK_INT(read.duplicates_n, 0);
    CHECK_INT(read.steps[2].at_ms, 1500000001500);
    read_sequences_close(&read);
}

TEST(what_is_said_twice_counts_once)
{
    struct read_sequences read;
    struct why why;

    CHECK_OK(read_text("user_id,seq,item_id\n1,1,a\n1,2,b\n1,1,a\n1,1,c\n", READ_STEPS, &read, &why));
    CHECK_INT(read.duplicates_n, 1);
    CHECK_INT(read.at[1], 3);
    read_sequences_close(&read);
    CHECK_OK(read_text("user_id,item_id\n1,a\n2,a\n1,b\n1,a\n", READ_SETS, &read, &why));
    CHECK_INT(read.duplicates_n, 1);
    check_items(&read, 0, "a b ");
    check_items(&read, 1, "a ");
    read_sequences_close(&read);
}

TEST(rows_that_cannot_be_read_are_left_out_and_said)
{
    struct read_sequences read;
    struct why why;

    CHECK_OK(read_text("session_id,item_id,ts\n1,a,10\n1,b,1900000000\n1,,11\n1,c,soon\n1,d\n1,e,nan\n1,f,12\n", READ_SESSIONS,
                       &read, &why));
    CHECK_INT(read.rejected_n, 5);
    CHECK_INT(read.rejected_line, 3);
    CHECK_TEXT(bytes_of(read.rejected.code), "future_time");
    check_items(&read, 0, "a f ");
    read_sequences_close(&read);
}

TEST(files_that_say_nothing_are_refused_with_a_remedy)
{
    struct read_sequences read;
    struct why why;

    CHECK_INT(read_text("", READ_SESSIONS, &read, &why), ERR_INVALID);
    CHECK_TEXT(bytes_of(why.code), "no_header");
    CHECK_INT(read_text("session_id,item_id,seq\n", READ_SESSIONS, &read, &why), ERR_INVALID);
    CHECK_TEXT(bytes_of(why.code), "no_row");
    CHECK_INT(read_text("session_id,item_id\n1,a\n", READ_SESSIONS, &read, &why), ERR_INVALID);
    CHECK_TEXT(bytes_of(why.field), "seq or ts");
    CHECK_INT(read_text("session,item_id,seq\n1,a,1\n", READ_SESSIONS, &read, &why), ERR_INVALID);
    CHECK_TEXT(bytes_of(why.field), "session_id");
    CHECK(strstr(why.says, "session, item_id, seq") != NULL);
    CHECK_INT(read_text("user_id,item\n1,a\n", READ_SETS, &read, &why), ERR_INVALID);
    CHECK_TEXT(bytes_of(why.field), "item_id");
    CHECK_INT(read_text("user_id,item_id,seq\n1,a,x\n", READ_STEPS, &read, &why), ERR_INVALID);
    CHECK_TEXT(bytes_of(why.code), "no_good_row");
    CHECK_INT(read_sequences("/nowhere/at/all.csv", READ_SETS, NOW_MS, &read, &why), ERR_ABSENT);
}

PROPERTY(any_bytes_are_read_or_refused)
{
    static const char letters[] = "12,\"\n\r\xc3 a-.e";
    static const char *const headers[] = {"session_id,item_id,ts\n", "session_id,item_id,seq\n"};
    char text[400];
    size_t n = (size_t)snprintf(text, sizeof(text), "%s", headers[rng_below(rng, 2)]);
    struct read_sequences read;
    struct why why;

    while (n + 1 < sizeof(text) && rng_below(rng, 300) != 0) {
        text[n++] = letters[rng_below(rng, sizeof(letters) - 1)];
    }
    text[n] = '\0';
    if (read_text(text, READ_SESSIONS, &read, &why) == ERR_OK) {
        CHECK(read.groups_n > 0 && read.at[read.groups_n] > 0);
        read_sequences_close(&read);
    } else {
        CHECK(why.says[0] != '\0');
    }
}

/* ---- what they become ---- */

TEST(sessions_without_times_never_overlap_and_stay_one_visit)
{
    struct evaluate_times times = {NOW_MS, 50};
    struct history history = {.tenant = {1}};
    struct read_sequences read;
    struct why why;

    CHECK_OK(read_text("session_id,seq,item_id\n1,1,a\n1,2,b\n1,3,a\n2,1,c\n2,2,a\n", READ_SESSIONS, &read, &why));
    evaluate_sessions(&read, times, &history);
    CHECK_INT(history.customers_n, 2);
    CHECK_INT(history.looks_n, 5);
    CHECK_INT(history.looks[2].at_ms, NOW_MS + 50);
    CHECK(history.looks[3].at_ms > history.looks[2].at_ms);
    CHECK_INT(history.looks[4].at_ms, NOW_MS + 100);
    for (size_t l = 1; l < 3; l++) {
        CHECK(history.looks[l].at_ms > history.looks[l - 1].at_ms);
    }
    history_close(&history);
    read_sequences_close(&read);
}

TEST(a_long_pause_is_shortened_and_nothing_comes_later_than_it_was)
{
    struct evaluate_times times = {0};
    struct history history = {.tenant = {1}};
    struct read_sequences read;
    struct why why;

    CHECK_OK(read_text("session_id,item_id,ts\n1,a,1000\n1,b,1010\n1,c,9000\n1,d,9001\n", READ_SESSIONS, &read, &why));
    evaluate_sessions(&read, times, &history);
    CHECK_INT(history.looks[1].at_ms, 1010000);
    CHECK_INT(history.looks[2].at_ms, 1010000 + MODEL_SESSION_GAP_MS);
    CHECK_INT(history.looks[3].at_ms, 1011000 + MODEL_SESSION_GAP_MS);
    CHECK_INT(evaluate_session_end(&read, times, 0), 9001000);
    history_close(&history);
    read_sequences_close(&read);
}

TEST(the_last_step_is_day_0)
{
    struct history history = {.tenant = {1}};
    struct read_sequences read;
    struct why why;

    CHECK_OK(read_text("user_id,seq,item_id\n7,1,a\n7,3,c\n7,2,b\n", READ_STEPS, &read, &why));
    evaluate_steps(&read, &history);
    CHECK_INT(history.baskets_n, 3);
    for (size_t b = 0; b < 3; b++) {
        CHECK_INT(history.baskets[b].at_ms, EVALUATE_DAY_0_MS - (int64_t)(2 - b) * DAY_MS);
        CHECK_INT(history.baskets[b].lines_n, 1);
    }
    CHECK_TEXT(history_name(&history.items, history.lines[history.baskets[2].lines_at].item), "c");
    history_close(&history);
    read_sequences_close(&read);
}

/* A thousand items of one customer: tenths by hash, whatever the order; what train has is no test row. */
TEST(a_set_is_split_by_hash)
{
    struct history history = {.tenant = {1}};
    struct read_sequences train, test;
    char *text = malloc(32768);
    size_t n = (size_t)sprintf(text, "user_id,item_id\n"), of_day[4] = {0};
    struct why why;

    for (unsigned i = 0; i < 1500; i++) {
        n += (size_t)sprintf(text + n, "u,%u\n", i);
    }
    CHECK_OK(read_text(text, READ_SETS, &train, &why));
    CHECK_OK(read_text("user_id,item_id\nu,3\nu,9000\nv,3\n", READ_SETS, &test, &why));
    CHECK_INT(evaluate_sets(&train, &test, &history), 1);
    CHECK_INT(history.customers_n, 2);
    for (size_t b = 0; b < history.baskets_n; b++) {
        int64_t day = (history.baskets[b].at_ms - EVALUATE_DAY_0_MS) / DAY_MS;

        CHECK(day >= -3 && day <= 0 && history.baskets[b].lines_n <= EVENT_LINES_MAX);
        of_day[day + 3] += history.baskets[b].lines_n;
    }
    CHECK_INT(of_day[0] + of_day[1] + of_day[2], 1500);
    CHECK(of_day[0] > 1100 && of_day[0] < 1300 && of_day[1] > 100 && of_day[2] > 100);
    CHECK_INT(of_day[3], 2);
    history_close(&history);
    read_sequences_close(&train);
    read_sequences_close(&test);
    free(text);
}

/* Somebody with a million steps: the newest are kept, in bounded time. */
TEST(a_million_steps_of_one_customer)
{
    enum { STEPS = 1000000 };
    struct history history = {.tenant = {1}};
    struct read_sequences read;
    char *text = malloc((size_t)STEPS * 16 + 64);
    size_t n = (size_t)sprintf(text, "user_id,seq,item_id\n");
    struct why why;

    for (unsigned i = 0; i < STEPS; i++) {
        n += (size_t)sprintf(text + n, "1,%u,%u\n", i, i % 50);
    }
    CHECK_OK(read_text(text, READ_STEPS, &read, &why));
    evaluate_steps(&read, &history);
    CHECK_INT(history.baskets_n, EVALUATE_STEPS_MAX);
    CHECK_INT(history.baskets[EVALUATE_STEPS_MAX - 1].at_ms, EVALUATE_DAY_0_MS);
    history_close(&history);
    read_sequences_close(&read);
    free(text);
}
