/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/test.h"

static char kept[4096];
static size_t kept_n;

static void keep(void *ctx, struct bytes line)
{
    (void)ctx;
    memcpy(kept, line.p, line.n);
    kept_n = line.n;
    kept[kept_n] = '\0';
}

TEST(log_writes_one_line_of_pairs)
{
    log_sink_set(keep, NULL);
    log_say(LOG_INFO, "http", "listens", "port=%d", 7474);
    CHECK(strstr(kept, "Z level=info room=http msg=\"listens\" port=7474\n") != NULL);
    CHECK_INT(memcmp(kept, "at=20", 5), 0);
    log_sink_set(NULL, NULL);
}

TEST(log_drops_what_is_below_its_level)
{
    log_sink_set(keep, NULL);
    kept_n = 0;
    log_say(LOG_DEBUG, "http", "detail", "");
    CHECK_INT(kept_n, 0);
    log_level_set(LOG_DEBUG);
    log_say(LOG_DEBUG, "http", "detail", "");
    CHECK(kept_n > 0);
    log_level_set(LOG_INFO);
    log_sink_set(NULL, NULL);
}

/* A foreign text in a pair can neither begin a line of its own nor grow one without end. */
TEST(log_keeps_to_one_line_of_bounded_length)
{
    char longer[3000];

    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    log_sink_set(keep, NULL);
    log_say(LOG_WARN, "http", "odd", "path=%s", "a\nat=forged\r\x1b");
    CHECK(memchr(kept, '\n', kept_n - 1) == NULL && memchr(kept, '\r', kept_n) == NULL && memchr(kept, 0x1b, kept_n) == NULL);
    log_say(LOG_WARN, "http", "odd", "path=%s", longer);
    CHECK_INT(kept_n, 1000);
    CHECK_INT(kept[999], '\n');
    log_sink_set(NULL, NULL);
}
