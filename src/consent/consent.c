/* SPDX-License-Identifier: Apache-2.0 */
#include "consent/consent.h"

#include "event/event.h"

#include <assert.h>

/* ---- statements to and from bytes ---- */

static void put_statement(struct pack *to, const struct consent_statement *s)
{
    pack_u8(to, (uint8_t)s->purpose);
    pack_u8(to, (uint8_t)s->state);
    pack_signed(to, s->at_ms);
    pack_signed(to, s->until_ms);
    pack_text(to, s->text_version);
    pack_text(to, s->source);
    pack_signed(to, s->received_ms);
}

static bool get_statement(struct unpack *from, struct consent_statement *s)
{
    uint8_t purpose = unpack_u8(from), state = unpack_u8(from);

    s->purpose = (enum purpose)purpose;
    s->state = (enum consent_state)state;
    s->at_ms = unpack_signed(from);
    s->until_ms = unpack_signed(from);
    s->text_version = unpack_text(from);
    s->source = unpack_text(from);
    s->received_ms = unpack_signed(from);
    return !from->bad && purpose < PURPOSES_ && state >= CONSENT_GRANTED && state <= CONSENT_WITHDRAWN;
}

void consent_change_encode(const struct consent_statement *statements, size_t n, struct pack *to)
{
    for (size_t i = 0; i < n; i++) {
        put_statement(to, &statements[i]);
    }
}

static int order(const struct consent_statement *a, const struct consent_statement *b)
{
    if (a->part.v != b->part.v) {
        return a->part.v < b->part.v ? -1 : 1;
    }
    return (int)a->purpose - (int)b->purpose;
}

/* Reads a list; has_part: the declared field, else a change. */
static enum err read_list(struct bytes bytes, bool has_part, struct arena *arena, struct consent *out)
{
    struct unpack from = unpack_from(bytes);
    size_t room = bytes.n / 8 + 1, n = 0; /* a statement takes 8 bytes at least */
    struct consent_statement *list = arena_array(arena, room, sizeof(*list));

    if (list == NULL) {
        return ERR_NOMEM;
    }
    while (!unpack_done(&from)) {
        assert(n < room);
        list[n].part.v = has_part ? unpack_u64(&from) : 0;
        if (!get_statement(&from, &list[n]) || (has_part && n > 0 && order(&list[n - 1], &list[n]) >= 0)) {
            return ERR_CORRUPT;
        }
        n++;
    }
    if (from.bad) {
        return ERR_CORRUPT;
    }
    *out = (struct consent){list, n};
    return ERR_OK;
}

static enum err write_field(const struct consent_statement *list, size_t n, struct arena *arena, struct bytes *out_field)
{
    size_t room = 0;
    struct pack to;

    for (size_t i = 0; i < n; i++) {
        room += 64 + list[i].text_version.n + list[i].source.n;
    }
    to = pack_into(arena_take(arena, room), room);
    if (to.p == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        pack_u64(&to, list[i].part.v);
        put_statement(&to, &list[i]);
    }
    assert(!to.full);
    *out_field = pack_bytes(&to);
    return ERR_OK;
}

/* ---- which statement counts ---- */

static int strictness(enum consent_state state)
{
    static const int of[] = {[CONSENT_UNSAID] = 0, [CONSENT_GRANTED] = 1, [CONSENT_REFUSED] = 2, [CONSENT_WITHDRAWN] = 3};

    return of[state];
}

/* True when `a` replaces `b` of the same part and purpose: newer, or said at once and stricter, or the same
 * and received later. A total order, so that any order of arrival leaves the same one. */
static bool replaces(const struct consent_statement *a, const struct consent_statement *b)
{
    int by_text;

    if (a->at_ms != b->at_ms) {
        return a->at_ms > b->at_ms;
    }
    if (a->state != b->state) {
        return strictness(a->state) > strictness(b->state);
    }
    if (a->received_ms != b->received_ms) {
        return a->received_ms > b->received_ms;
    }
    if (a->until_ms != b->until_ms) {
        return a->until_ms < b->until_ms;
    }
    by_text = bytes_compare(a->text_version, b->text_version);
    return by_text != 0 ? by_text > 0 : bytes_compare(a->source, b->source) > 0;
}

static bool is_ended(const struct consent_statement *s, int64_t now_ms)
{
    return s->state == CONSENT_GRANTED && s->until_ms != 0 && now_ms >= s->until_ms;
}

/* ---- reading ---- */

static enum err field_of(struct sealed declared, struct bytes *out_field)
{
    struct unpack from = unpack_from(declared.hidden);
    struct bytes field;
    uint32_t tag = 0;

    *out_field = (struct bytes){0};
    if (declared.hidden.n == 0) {
        return ERR_OK;
    }
    if (unpack_u8(&from) != 1) {
        return ERR_UNSUPPORTED;
    }
    while (unpack_field(&from, &tag, &field)) {
        if (tag == 1) {
            *out_field = field;
        }
    }
    return from.bad ? ERR_CORRUPT : ERR_OK;
}

enum err consent_read(struct sealed declared, struct arena *arena, struct consent *out_consent)
{
    struct bytes field;
    enum err err = field_of(declared, &field);

    return err == ERR_OK ? read_list(field, true, arena, out_consent) : err;
}

const struct consent_statement *consent_deciding(const struct consent *consent, enum purpose purpose, int64_t now_ms)
{
    const struct consent_statement *best = NULL;

    for (size_t i = 0; i < consent->n; i++) {
        const struct consent_statement *s = &consent->statements[i];

        if (s->purpose != purpose || is_ended(s, now_ms)) {
            continue;
        }
        if (best == NULL || strictness(s->state) > strictness(best->state) ||
            (s->state == best->state && s->at_ms > best->at_ms)) {
            best = s;
        }
    }
    return best;
}

uint16_t consent_word(const struct consent *consent, int64_t now_ms)
{
    uint16_t word = 0;

    for (int purpose = 0; purpose < PURPOSES_; purpose++) {
        const struct consent_statement *s = consent_deciding(consent, (enum purpose)purpose, now_ms);

        if (s != NULL) {
            word = consent_word_set(word, (enum purpose)purpose, s->state);
        }
    }
    return word;
}

uint16_t consent_in_force(uint16_t record_word, uint16_t call_word, bool has_gpc, bool is_gated)
{
    uint16_t word = 0;

    for (int i = 0; i < PURPOSES_; i++) {
        enum purpose purpose = (enum purpose)i;
        enum consent_state record = consent_word_get(record_word, purpose), call = consent_word_get(call_word, purpose);
        enum consent_state state = record;

        /* P7: the gate of the source speaks only where the record is silent. */
        if (state == CONSENT_UNSAID && is_gated) {
            state = consent_word_get(CONSENT_GATED_WORD, purpose);
        }
        if (call == CONSENT_REFUSED || call == CONSENT_WITHDRAWN) {
            state = strictness(call) > strictness(state) ? call : state;
        }
        /* Sec-GPC: nothing is stored under the customer, measured for it or handed on (wire.md 6). */
        if (has_gpc && state != CONSENT_WITHDRAWN) {
            state = CONSENT_REFUSED;
        }
        word = consent_word_set(word, purpose, state);
    }
    /* What may not be kept may not be used either: a refusal of `store` takes every grant with it. */
    for (int i = 0; i < PURPOSES_ && consent_word_get(word, PURPOSE_STORE) > CONSENT_GRANTED; i++) {
        if (consent_may(word, (enum purpose)i)) {
            word = consent_word_set(word, (enum purpose)i, consent_word_get(word, PURPOSE_STORE));
        }
    }
    return word;
}

/* ---- the field as storage's rules see it ---- */

/* Puts one statement into a sorted list with room; keeps the one that counts. Gives the new length. */
static size_t put_sorted(struct consent_statement *list, size_t n, const struct consent_statement *s)
{
    size_t at = 0;

    while (at < n && order(&list[at], s) < 0) {
        at++;
    }
    if (at < n && order(&list[at], s) == 0) {
        if (replaces(s, &list[at])) {
            list[at] = *s;
        }
        return n;
    }
    memmove(&list[at + 1], &list[at], (n - at) * sizeof(*list));
    list[at] = *s;
    return n + 1;
}

/* What a cut left behind on part 0 (keep_stricter) is answered by a new statement like any other part. */
static size_t patch_kept(struct consent_statement *list, size_t n, const struct consent_statement *said)
{
    struct consent_statement s = *said;

    s.part.v = 0;
    for (size_t i = 0; i < n && list[i].part.v == 0; i++) {
        if (list[i].purpose == s.purpose) {
            return put_sorted(list, n, &s);
        }
    }
    return n;
}

enum err consent_field_patch(struct bytes field, struct bytes change, const struct part_id *parts, size_t parts_n,
                             struct arena *arena, struct bytes *out_field)
{
    struct consent old, said;
    struct consent_statement *list;
    size_t n;
    enum err err = read_list(field, true, arena, &old);

    err = err == ERR_OK ? read_list(change, false, arena, &said) : err;
    if (err != ERR_OK) {
        return err;
    }
    list = arena_array(arena, old.n + said.n * parts_n + 1, sizeof(*list));
    if (list == NULL) {
        return ERR_NOMEM;
    }
    memcpy(list, old.statements, old.n * sizeof(*list));
    n = old.n;
    for (size_t i = 0; i < said.n; i++) {
        for (size_t j = 0; j < parts_n; j++) {
            struct consent_statement s = said.statements[i];

            s.part = parts[j];
            n = put_sorted(list, n, &s);
        }
        n = patch_kept(list, n, &said.statements[i]);
    }
    if (n > CONSENT_ENTRIES_MAX) {
        return ERR_TOOBIG;
    }
    return write_field(list, n, arena, out_field);
}

enum err consent_field_join(struct bytes a, struct bytes b, struct arena *arena, struct bytes *out_field)
{
    struct consent left, right;
    struct consent_statement *list;
    size_t n;
    enum err err = read_list(a, true, arena, &left);

    err = err == ERR_OK ? read_list(b, true, arena, &right) : err;
    if (err != ERR_OK) {
        return err;
    }
    list = arena_array(arena, left.n + right.n + 1, sizeof(*list));
    if (list == NULL) {
        return ERR_NOMEM;
    }
    memcpy(list, left.statements, left.n * sizeof(*list));
    n = left.n;
    for (size_t i = 0; i < right.n; i++) {
        n = put_sorted(list, n, &right.statements[i]);
    }
    return write_field(list, n, arena, out_field);
}

/* The strictest state of each purpose in a list, ends left aside: for cutting and for the word. */
static const struct consent_statement *strictest(const struct consent_statement *list, size_t n, enum purpose purpose)
{
    struct consent all = {list, n};

    return consent_deciding(&all, purpose, INT64_MIN);
}

/* P7: cutting never widens. What the other side had said more strictly is said here too, on `part`. */
static size_t keep_stricter(struct consent_statement *side, size_t n, const struct consent *all, struct part_id part)
{
    for (int i = 0; i < PURPOSES_; i++) {
        const struct consent_statement *whole = strictest(all->statements, all->n, (enum purpose)i);
        const struct consent_statement *own = strictest(side, n, (enum purpose)i);

        if (whole != NULL && whole->state != CONSENT_GRANTED &&
            (own == NULL || strictness(own->state) < strictness(whole->state))) {
            struct consent_statement said = *whole;

            said.part = part;
            said.at_ms = own != NULL && own->at_ms > said.at_ms ? own->at_ms : said.at_ms;
            n = put_sorted(side, n, &said);
        }
    }
    return n;
}

enum err consent_field_cut(struct bytes field, struct part_id part, struct arena *arena, struct bytes *out_kept,
                           struct bytes *out_moved)
{
    struct consent all;
    struct consent_statement *kept, *moved;
    size_t kept_n = 0, moved_n = 0;
    enum err err = read_list(field, true, arena, &all);

    if (err != ERR_OK) {
        return err;
    }
    kept = arena_array(arena, all.n + PURPOSES_, sizeof(*kept));
    moved = arena_array(arena, all.n + PURPOSES_, sizeof(*moved));
    if (kept == NULL || moved == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < all.n; i++) {
        if (all.statements[i].part.v == part.v) {
            moved[moved_n++] = all.statements[i];
        } else {
            kept[kept_n++] = all.statements[i];
        }
    }
    moved_n = keep_stricter(moved, moved_n, &all, part);
    kept_n = keep_stricter(kept, kept_n, &all, (struct part_id){0});
    err = write_field(kept, kept_n, arena, out_kept);
    return err == ERR_OK ? write_field(moved, moved_n, arena, out_moved) : err;
}

/* When the newest of the statements came in: there is no clock here, and a row is written at no other time. */
static enum err newest_ms(struct bytes field, int64_t *out_ms)
{
    struct unpack from = unpack_from(field);

    *out_ms = INT64_MIN;
    while (!unpack_done(&from)) {
        struct consent_statement s;

        (void)unpack_u64(&from);
        if (!get_statement(&from, &s)) {
            return ERR_CORRUPT;
        }
        *out_ms = s.received_ms > *out_ms ? s.received_ms : *out_ms;
    }
    return ERR_OK;
}

enum err consent_field_word(struct bytes field, uint16_t *out_word, int64_t *out_until_ms)
{
    struct unpack from = unpack_from(field);
    uint16_t word = 0;
    int64_t until_ms = 0, written_ms;

    if (newest_ms(field, &written_ms) != ERR_OK) {
        return ERR_CORRUPT;
    }
    while (!unpack_done(&from)) {
        struct consent_statement s;

        (void)unpack_u64(&from);
        if (!get_statement(&from, &s)) {
            return ERR_CORRUPT;
        }
        if (is_ended(&s, written_ms)) {
            continue; /* it had ended before: its end must not take the newer grants with it */
        }
        if (strictness(s.state) > strictness(consent_word_get(word, s.purpose))) {
            word = consent_word_set(word, s.purpose, s.state);
        }
        if (s.state == CONSENT_GRANTED && s.until_ms != 0 && (until_ms == 0 || s.until_ms < until_ms)) {
            until_ms = s.until_ms;
        }
    }
    *out_word = word;
    *out_until_ms = until_ms;
    return ERR_OK;
}
