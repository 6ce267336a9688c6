#pragma once

// JSON strings for text we do not control: always one line, always valid UTF-8, whatever came in (C5).

#include <string>
#include <string_view>

namespace clerk_strapi
{

// Appends `text` with its quotes. Control characters are escaped; bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);
[[nodiscard]] std::string json_string(std::string_view text);

}
