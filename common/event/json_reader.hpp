#pragma once

// A strict, forward-only JSON reader. The caller reads the members that it needs and skips the others; both are
// checked: RFC 8259 grammar, valid UTF-8, no lone surrogates, no duplicate names, a bound on the depth, nothing around
// the value. It builds no document and never recurses below the bound, so the cost of a hostile body is proportional to
// its length.
//
// After the first fault every call returns false (or nothing), and fault() returns that fault.

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
    too_deep, // more levels than levels_max
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

    // The kind of the next value. Consumes nothing.
    [[nodiscard]] json_kind peek();

    // Reads an object. `on_member(name)` must consume the member's value and return whether to continue. The name is
    // valid until the next call of the reader.
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

    // Reads an array. `on_element()` must consume the element and return whether to continue.
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

    // Each consumes one value. A value of another kind is consumed too and returned as nullopt without a fault, because
    // the caller decides whether it is an error.
    [[nodiscard]] std::optional<std::string> string();
    [[nodiscard]] std::optional<std::int64_t> integer(); // no fraction, no exponent, fits 64 bits
    [[nodiscard]] std::optional<bool> boolean();

    bool skip();
    // Consumes one value of any kind and returns its bytes as in the text, without the space around them.
    [[nodiscard]] std::optional<std::string_view> raw();

    // True when the whole text is one valid value.
    [[nodiscard]] bool finish();

    [[nodiscard]] json_fault fault() const { return fault_; }

private:
    struct name_mark
    {
        std::uint64_t hash;
        char const* begin; // as in the text, between the quotes
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

    // The text between the quotes, checked and not unescaped.
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
    std::vector<name_mark> names_; // of the open objects, innermost last
    std::string name_buffer_;
};

}
