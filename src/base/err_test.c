/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include "base/test.h"

TEST(err_has_a_name_and_a_status_for_each)
{
    for (int err = ERR_OK; err < ERR_COUNT_; err++) {
        CHECK(err_name((enum err)err) != NULL);
        CHECK(err_status((enum err)err) >= 200 && err_status((enum err)err) < 600);
        for (int other = ERR_OK; other < err; other++) {
            CHECK(strcmp(err_name((enum err)err), err_name((enum err)other)) != 0);
        }
    }
    CHECK_INT(err_status(ERR_FULL), 507);
    CHECK_INT(err_status(ERR_NO_PASS), 403);
}

TEST(why_says_code_field_and_sentence)
{
    struct why why = {0};

    CHECK_INT(why_say(&why, ERR_INVALID, "bad_price", "/price", "price must be %d or more", 0), ERR_INVALID);
    CHECK_TEXT(bytes_of(why.code), "bad_price");
    CHECK_TEXT(bytes_of(why.field), "/price");
    CHECK_TEXT(bytes_of(why.says), "price must be 0 or more");
}

TEST(why_cuts_what_is_too_long_and_may_be_absent)
{
    struct why why = {0};
    char longer[1000];

    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    CHECK_INT(why_say(&why, ERR_TOOBIG, longer, longer, "%s", longer), ERR_TOOBIG);
    CHECK_INT(strlen(why.code), sizeof(why.code) - 1);
    CHECK_INT(strlen(why.field), sizeof(why.field) - 1);
    CHECK_INT(strlen(why.says), sizeof(why.says) - 1);
    CHECK_INT(why_say(NULL, ERR_BUSY, "x", "", "y"), ERR_BUSY);
}
