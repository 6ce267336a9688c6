#pragma once

// A strict, forward-only JSON reader: the caller walks the members it wants and skips the others, and
// everything, skipped or not, is checked: RFC 8259 grammar, valid UTF-8, no lone surrogates, no duplicate
// names, a depth bound, nothing around the value. No document is built and nothing is recursed deeper than
// the bound, so a hostile body costs no more than its length.
//
// Errors are sticky: after the first one every call returns false and fault() says which it was.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi
{

enum class json_fault {
    none,
    syntax, // not JSON, or bytes before or after the value
    bad_text, // invalid UTF-8, a raw control character, or a lone surrogate
    too_deep, // more levels than the reader was made for
    duplicate_name, // the same name twice in one object
};

enum class json_kind { object, array, string, number, boolean, null, invalid };

class json_reader
{
public:
    static constexpr int depth_max = 64;

    explicit json_reader(std::string_view text, int levels_max = depth_max)
        : next_(text.data())
        , end_(text.data() + text.size())
        , levels_max_(levels_max)
    {
    }

    // The kind of the value that comes next; nothing is consumed.
    [[nodiscard]] json_kind peek();

    // Walks an object. `on_member(name)` must consume the member's value (read, walk or skip) and return
    // whether to go on. The name is valid until the next call.
    template <class OnMember>
    bool object(OnMember&& on_member)
    {
        if (!enter('{')) return false;
        auto const first_name = names_.size();
        if (!try_take('}')) {
            do {
                auto const name = member_name();
                if (!name) return false;
                if (!on_member(*name)) return stop(json_fault::syntax);
                if (fault_ != json_fault::none) return false;
            } while (try_take(','));
            if (!take('}')) return false;
        }
        return leave_object(first_name);
    }

    // Walks an array; `on_element()` must consume the element and return whether to go on.
    template <class OnElement>
    bool array(OnElement&& on_element)
    {
        if (!enter('[')) return false;
        if (!try_take(']')) {
            do {
                if (!on_element()) return stop(json_fault::syntax);
                if (fault_ != json_fault::none) return false;
            } while (try_take(','));
            if (!take(']')) return false;
        }
        --depth_;
        return true;
    }

    // Each consumes one value. Another kind than asked for is consumed too, and gives nullopt without a
    // fault: whether a wrong kind is an error is the caller's to say.
    [[nodiscard]] std::optional<std::string> string();
    [[nodiscard]] std::optional<std::int64_t> integer(); // no fraction, no exponent, fits 64 bits
    [[nodiscard]] std::optional<bool> boolean();

    bool skip();
    // Consumes one value of any kind and gives its bytes as they stand in the text, without the space around them.
    [[nodiscard]] std::optional<std::string_view> raw();

    // True when the whole text was one valid value.
    [[nodiscard]] bool finish();

    [[nodiscard]] json_fault fault() const { return fault_; }

private:
    struct name_mark
    {
        std::uint64_t hash;
        char const* begin; // as written, between the quotes
        std::size_t size;
        bool escaped;
    };

    bool enter(char open);
    bool leave_object(std::size_t first_name);
    bool take(char wanted);
    bool try_take(char wanted);
    bool stop(json_fault fault);
    void skip_space();
    [[nodiscard]] bool same_name(name_mark const& a, name_mark const& b) const;

    // The text between the quotes, checked, not unescaped.
    struct raw_string
    {
        std::string_view text;
        bool escaped;
    };
    [[nodiscard]] std::optional<raw_string> take_raw_string();
    [[nodiscard]] std::optional<std::string_view> take_number();
    [[nodiscard]] std::optional<std::string_view> member_name();
    bool take_word(std::string_view word);

    char const* next_;
    char const* end_;
    int levels_max_;
    int depth_{0};
    json_fault fault_{json_fault::none};
    std::vector<name_mark> names_; // of the objects that are open, innermost last
    std::string name_buffer_;
};

}
