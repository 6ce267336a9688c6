#pragma once

// A second reader of JSON, for comparison: a general library builds a document, and what our own reader also
// rejects is recorded beside it. It shares no line with common/event/json_reader.

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi::fuzz
{

struct plain_document
{
    nlohmann::json value;
    bool valid{false}; // grammar and UTF-8, nothing around it
    bool has_duplicate{false}; // some object has a name twice; known as far as the text could be read
    bool is_too_deep{false};
    bool is_beyond_us{false}; // a number that the library cannot represent, though it is JSON: nothing can be compared

    [[nodiscard]] bool good() const { return valid && !has_duplicate && !is_too_deep; }
};

[[nodiscard]] plain_document read_plainly(std::string_view text, int levels_max);

// The member, when it exists; null counts as existing.
[[nodiscard]] nlohmann::json const* member(nlohmann::json const& object, char const* name);
[[nodiscard]] std::optional<std::string> text_member(nlohmann::json const& object, char const* name);
// A whole number of 64 bits with sign, written without fraction and exponent.
[[nodiscard]] std::optional<std::int64_t> whole_number(nlohmann::json const& value);

}
