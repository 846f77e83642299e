/* SPDX-License-Identifier: Apache-2.0 */
/* json_read.cpp - the shim over simdjson's DOM: see json_read.h. The only C++ file of the house.
 *
 * simdjson checks the whole document and leaves a tape without positions, so the tree is built by
 * walking the tape and the source text side by side: in a document known to be valid the text of a
 * value ends where its next quote, bracket or delimiter says. Recursion is bounded by JSON_DEPTH_MAX.
 * Decoded strings go into one block of the arena as long as the document, since decoding never grows. */
#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

#pragma GCC diagnostic ignored "-Wpedantic" /* the C headers use compound literals in inline functions */
extern "C" {
#include "base/hash.h"
#include "base/json_read.h"
#include "base/json_split.h"
}

#include <algorithm>
#include <cassert>
#include <memory>
#include <new>

namespace
{

using simdjson::dom::element;

enum { FEW_MEMBERS = 12 }; /* below, comparing all pairs beats sorting */

struct reader { /* one a thread: reused, so that a request allocates nothing */
    simdjson::dom::parser parser{JSON_BYTES_MAX};
    std::unique_ptr<char[]> padded;
    size_t room = 0;
    bool is_ready = false;
};

thread_local reader the_reader;

struct hashed {
    uint64_t hash;
    const struct json_node *node;
};

struct builder {
    struct arena *arena;
    const char *text, *end, *now;
    char *decoded; /* where the next decoded string goes */
    bool is_full;
    bool is_deep; /* simdjson does not count an empty innermost container as a level; we do */
    int depth;
    const struct json_node *duplicate; /* the first member that repeats a name */

    void skip_space()
    {
        while (now < end && (*now == ' ' || *now == '\n' || *now == '\r' || *now == '\t')) {
            now++;
        }
    }

    /* The document is valid: the closing quote exists. */
    void skip_string()
    {
        const char *from = now + 1;

        for (;;) {
            const char *quote = static_cast<const char *>(memchr(from, '"', static_cast<size_t>(end - from)));
            const char *back = quote;

            assert(quote != nullptr);
            while (back[-1] == '\\' && back - 1 > now) {
                back--;
            }
            from = quote + 1;
            if (((quote - back) & 1) == 0) {
                now = from;
                return;
            }
        }
    }

    void skip_scalar()
    {
        while (now < end && *now != ',' && *now != ']' && *now != '}' && *now != ' ' && *now != '\n' &&
               *now != '\r' && *now != '\t') {
            now++;
        }
    }

    void skip_byte(char wanted)
    {
        skip_space();
        assert(now < end && *now == wanted);
        now++;
    }

    struct bytes keep(std::string_view from)
    {
        struct bytes kept = {decoded, from.size()};

        memcpy(decoded, from.data(), from.size());
        decoded += from.size();
        return kept;
    }

    static bool is_same_name(const struct json_node *a, const struct json_node *b)
    {
        return a->key.n == b->key.n && memcmp(a->key.p, b->key.p, a->key.n) == 0;
    }

    const struct json_node *find_repeated(const struct json_node *object)
    {
        if (object->children_n <= FEW_MEMBERS) {
            for (const struct json_node *b = object->first; b != nullptr; b = b->next) {
                for (const struct json_node *a = object->first; a != b; a = a->next) {
                    if (is_same_name(a, b)) {
                        return b;
                    }
                }
            }
            return nullptr;
        }
        return find_repeated_of_many(object);
    }

    /* Sorting by hash, then name: no choice of names makes it quadratic. */
    const struct json_node *find_repeated_of_many(const struct json_node *object)
    {
        std::unique_ptr<hashed[]> members(new (std::nothrow) hashed[object->children_n]);
        const struct json_node *found = nullptr;
        size_t n = 0;

        if (!members) {
            is_full = true;
            return nullptr;
        }
        for (const struct json_node *child = object->first; child != nullptr; child = child->next) {
            members[n++] = {hash_fast(child->key.p, child->key.n, 0), child};
        }
        std::sort(&members[0], &members[0] + n, [](const hashed &a, const hashed &b) {
            int order;

            if (a.hash != b.hash) {
                return a.hash < b.hash;
            }
            order = bytes_compare(a.node->key, b.node->key);
            return order != 0 ? order < 0 : a.node->index < b.node->index;
        });
        for (size_t i = 1; i < n; i++) {
            const struct json_node *later = members[i].node;

            if (members[i].hash == members[i - 1].hash && is_same_name(members[i - 1].node, later) &&
                (found == nullptr || later->index < found->index)) {
                found = later;
            }
        }
        return found;
    }

    void note_duplicates(struct json_node *object)
    {
        const struct json_node *repeated = find_repeated(object);

        if (repeated != nullptr) {
            object->has_duplicate = object->has_duplicate_below = true;
            if (duplicate == nullptr || repeated->at < duplicate->at) {
                duplicate = repeated;
            }
        }
    }

    struct json_node *node_new(const struct json_node *parent)
    {
        struct json_node *node = static_cast<struct json_node *>(arena_take(arena, sizeof(*node)));

        if (node == nullptr) {
            is_full = true;
            return nullptr;
        }
        node->parent = parent;
        return node;
    }

    /* Puts child behind *last; gives where the next one hangs. */
    static void hang(struct json_node *under, struct json_node **last, struct json_node *child)
    {
        child->index = under->children_n++;
        if (*last == nullptr) {
            under->first = child;
        } else {
            (*last)->next = child;
        }
        *last = child;
        under->has_duplicate_below |= child->has_duplicate_below;
    }

    void fill_number(struct json_node *node, element value)
    {
        node->type = JSON_NUMBER;
        if (value.is<int64_t>()) {
            node->is_integer = true;
            node->integer = value.get<int64_t>().value_unsafe();
            node->number = static_cast<double>(node->integer);
        } else {
            node->number = value.get<double>().value_unsafe();
        }
        skip_scalar();
    }

    void fill_array(struct json_node *node, element value)
    {
        simdjson::dom::array array = value.get<simdjson::dom::array>().value_unsafe();
        struct json_node *last = nullptr;

        node->type = JSON_ARRAY;
        skip_byte('[');
        for (element child : array) {
            struct json_node *one = node_new(node);

            if (one == nullptr) {
                return;
            }
            if (last != nullptr) {
                skip_byte(',');
            }
            skip_space();
            one->at = static_cast<uint32_t>(now - text);
            fill(one, child);
            if (is_full) {
                return;
            }
            hang(node, &last, one);
        }
        skip_byte(']');
    }

    void fill_object(struct json_node *node, element value)
    {
        simdjson::dom::object object = value.get<simdjson::dom::object>().value_unsafe();
        struct json_node *last = nullptr;

        node->type = JSON_OBJECT;
        skip_byte('{');
        for (simdjson::dom::key_value_pair member : object) {
            struct json_node *one = node_new(node);

            if (one == nullptr) {
                return;
            }
            if (last != nullptr) {
                skip_byte(',');
            }
            skip_space();
            one->at = static_cast<uint32_t>(now - text);
            skip_string();
            one->key = keep(member.key);
            skip_byte(':');
            fill(one, member.value);
            if (is_full) {
                return;
            }
            hang(node, &last, one);
        }
        skip_byte('}');
        note_duplicates(node);
    }

    void fill(struct json_node *node, element value)
    {
        const char *from;

        skip_space();
        from = now;
        switch (value.type()) {
        case simdjson::dom::element_type::ARRAY:
            is_deep |= ++depth > JSON_DEPTH_MAX;
            fill_array(node, value);
            depth--;
            break;
        case simdjson::dom::element_type::OBJECT:
            is_deep |= ++depth > JSON_DEPTH_MAX;
            fill_object(node, value);
            depth--;
            break;
        case simdjson::dom::element_type::STRING:
            node->type = JSON_TEXT;
            node->text = keep(value.get<std::string_view>().value_unsafe());
            skip_string();
            break;
        case simdjson::dom::element_type::BOOL:
            node->type = JSON_BOOL;
            node->is_true = value.get<bool>().value_unsafe();
            skip_scalar();
            break;
        case simdjson::dom::element_type::NULL_VALUE:
            node->type = JSON_NULL;
            skip_scalar();
            break;
        default:
            fill_number(node, value);
            break;
        }
        node->raw = {from, static_cast<size_t>(now - from)};
        if (node->type == JSON_NUMBER) {
            node->text = node->raw;
        }
    }
};

/* Copies text in front of the padding that simdjson may read over; grows by doubling. */
bool pad(reader *r, struct bytes text)
{
    if (!r->is_ready) {
        /* The document itself counts as a level there. */
        if (r->parser.allocate(4096, JSON_DEPTH_MAX + 1) != simdjson::SUCCESS) {
            return false;
        }
        r->is_ready = true;
    }
    if (r->room < text.n + simdjson::SIMDJSON_PADDING) {
        size_t room = std::max<size_t>(4096, 2 * r->room);

        room = std::max(room, text.n + simdjson::SIMDJSON_PADDING);
        r->padded.reset(new (std::nothrow) char[room]);
        r->room = r->padded ? room : 0;
        if (!r->padded) {
            return false;
        }
    }
    memcpy(r->padded.get(), text.p, text.n);
    memset(r->padded.get() + text.n, 0, simdjson::SIMDJSON_PADDING);
    return true;
}

enum err say_malformed(struct bytes text, struct why *why)
{
    const char *what = nullptr;
    size_t at = json_split_locate(text, &what);

    return why_say(why, ERR_INVALID, "malformed_json", "", "The body is not valid JSON at byte %zu: %s.", at,
                   what);
}

enum err read(struct arena *arena, struct bytes text, bool is_strict, const struct json_node **out_root,
              struct why *why)
{
    reader *r = &the_reader;
    builder b = {arena, text.p, text.p + text.n, text.p, nullptr, false, false, 0, nullptr};
    struct json_node *root;
    element top;

    if (text.n > JSON_BYTES_MAX) {
        return why_say(why, ERR_TOOBIG, "too_big", "", "The JSON is %zu bytes long; send at most %d.", text.n,
                       JSON_BYTES_MAX);
    }
    if (text.n == 0) {
        return why_say(why, ERR_INVALID, "malformed_json", "",
                       "The body is not valid JSON at byte 0: it is empty, send a value.");
    }
    if (!pad(r, text)) {
        return ERR_NOMEM;
    }
    switch (r->parser.parse(r->padded.get(), text.n, false).get(top)) {
    case simdjson::SUCCESS:
        break;
    case simdjson::MEMALLOC:
    case simdjson::CAPACITY:
        return ERR_NOMEM;
    default:
        return say_malformed(text, why);
    }
    b.decoded = static_cast<char *>(arena_take(arena, text.n));
    root = b.decoded == nullptr ? nullptr : b.node_new(nullptr);
    if (root != nullptr) {
        b.skip_space();
        root->at = static_cast<uint32_t>(b.now - text.p);
        b.fill(root, top);
    }
    if (root == nullptr || b.is_full) {
        return why_say(why, ERR_TOOBIG, "too_big", "", "The JSON holds too many values; send it in parts.");
    }
    if (b.is_deep) {
        return say_malformed(text, why);
    }
    if (is_strict && b.duplicate != nullptr) {
        return why_say(
            why, ERR_INVALID, "malformed_json", "",
            "The body is not valid JSON at byte %u: a name stands twice in one object; send it once.",
            b.duplicate->at);
    }
    *out_root = root;
    return ERR_OK;
}

} /* namespace */

enum err json_read(struct arena *arena, struct bytes text, const struct json_node **out_root, struct why *why)
{
    return read(arena, text, false, out_root, why);
}

enum err json_read_strict(struct arena *arena, struct bytes text, const struct json_node **out_root,
                          struct why *why)
{
    return read(arena, text, true, out_root, why);
}
