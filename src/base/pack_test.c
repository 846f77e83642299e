/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pack.h"

#include "base/test.h"

TEST(varint_by_hand)
{
    uint8_t room[16];
    struct pack to = pack_into(room, sizeof(room));

    pack_varint(&to, 300);
    CHECK_INT(to.n, 2);
    CHECK_INT(room[0], 0xac);
    CHECK_INT(room[1], 0x02);
}

TEST(a_longer_form_of_a_varint_is_refused)
{
    static const uint8_t long_zero[2] = {0x80, 0x00};
    struct unpack from = unpack_from((struct bytes){(const char *)long_zero, 2});

    (void)unpack_varint(&from);
    CHECK(from.bad);
}

TEST(a_full_pack_writes_nothing_more)
{
    uint8_t room[3];
    struct pack to = pack_into(room, sizeof(room));

    pack_u16(&to, 7);
    pack_u16(&to, 8);
    CHECK(to.full);
    CHECK_INT(to.n, 2);
}

PROPERTY(numbers_and_fields_come_back)
{
    uint8_t room[4096];
    struct pack to = pack_into(room, sizeof(room));
    uint64_t v = rng_next(rng) >> rng_below(rng, 64);
    int64_t s = (int64_t)(rng_next(rng)) >> rng_below(rng, 64);
    size_t opened;
    struct unpack from;
    uint32_t tag = 0;
    struct bytes field;
    bool bad = false;

    pack_field_varint(&to, 1, v | 1);
    pack_field_signed(&to, 2, s | 1);
    opened = pack_open(&to, 300);
    for (uint64_t i = rng_below(rng, 300); i > 0; i--) {
        pack_u8(&to, (uint8_t)i);
    }
    pack_close(&to, opened);
    CHECK(!to.full);

    from = unpack_from(pack_bytes(&to));
    CHECK(unpack_field(&from, &tag, &field));
    CHECK_INT(tag, 1);
    CHECK(unpack_whole_varint(field, &bad) == (v | 1));
    CHECK(unpack_field(&from, &tag, &field));
    CHECK(unpack_whole_signed(field, &bad) == (s | 1));
    CHECK(unpack_field(&from, &tag, &field));
    CHECK_INT(tag, 300);
    CHECK(!unpack_field(&from, &tag, &field));
    CHECK(!from.bad && !bad);
}

TEST(unpack_of_nothing_is_bad_and_touches_nothing)
{
    struct unpack from = unpack_from((struct bytes){0});

    CHECK_INT(unpack_raw(&from, 0).n, 0);
    CHECK(!from.bad);
    CHECK_INT(unpack_u8(&from), 0);
    CHECK(from.bad);
}
