#include "tests/fuzz/plain_json.hpp"

#include <limits>
#include <set>
#include <vector>

namespace clerk_strapi::fuzz
{
namespace
{

using nlohmann::json;

// Builds the document as the library does, and records what the library accepts but we do not.
class watching_builder
{
public:
    watching_builder(plain_document& into, int levels_max)
        : into_{into}
        , levels_max_{levels_max}
        , builder_{into.value, false}
    {
    }

    bool null() { return builder_.null(); }
    bool boolean(bool value) { return builder_.boolean(value); }
    bool number_integer(json::number_integer_t value) { return builder_.number_integer(value); }
    bool number_unsigned(json::number_unsigned_t value) { return builder_.number_unsigned(value); }
    bool number_float(json::number_float_t value, json::string_t const& text)
    {
        return builder_.number_float(value, text);
    }
    bool string(json::string_t& value) { return builder_.string(value); }
    bool binary(json::binary_t& value) { return builder_.binary(value); }
    bool start_object(std::size_t size)
    {
        enter();
        names_.emplace_back();
        return builder_.start_object(size);
    }
    bool end_object()
    {
        leave();
        names_.pop_back();
        return builder_.end_object();
    }
    bool start_array(std::size_t size)
    {
        enter();
        return builder_.start_array(size);
    }
    bool end_array()
    {
        leave();
        return builder_.end_array();
    }
    bool key(json::string_t& name)
    {
        if (!names_.back().insert(name).second) into_.has_duplicate = true;
        return builder_.key(name);
    }
    bool parse_error(std::size_t, std::string const&, json::exception const& error)
    {
        constexpr int number_overflow = 406;
        into_.is_beyond_us = error.id == number_overflow;
        return false;
    }

private:
    void enter() { into_.is_too_deep = ++levels_ > levels_max_ || into_.is_too_deep; }
    void leave() { --levels_; }

    plain_document& into_;
    int levels_max_;
    int levels_{0};
    std::vector<std::set<std::string>> names_;
    nlohmann::detail::json_sax_dom_parser<json> builder_;
};

}

plain_document read_plainly(std::string_view text, int levels_max)
{
    plain_document document;
    watching_builder builder{document, levels_max};
    document.valid = json::sax_parse(text, &builder);
    // What the library treats as the end of the text, or skips.
    if (text.find('\0') != std::string_view::npos || text.starts_with("\xef\xbb\xbf")) document.valid = false;
    return document;
}

json const* member(json const& object, char const* name)
{
    if (!object.is_object()) return nullptr;
    auto const found = object.find(name);
    return found == object.end() ? nullptr : &*found;
}

std::optional<std::string> text_member(json const& object, char const* name)
{
    auto const* const value = member(object, name);
    return value != nullptr && value->is_string() ? std::optional{value->get<std::string>()} : std::nullopt;
}

std::optional<std::int64_t> whole_number(json const& value)
{
    if (!value.is_number_integer()) return std::nullopt;
    auto const too_large = value.is_number_unsigned()
        && value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return too_large ? std::nullopt : std::optional{value.get<std::int64_t>()};
}

}
