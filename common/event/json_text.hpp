#pragma once

// JSON strings from any input: always one line and always valid UTF-8 (C5).

#include <string>
#include <string_view>

namespace clerk_strapi
{

// Appends `text` with quotes around it. Control characters are escaped; each invalid byte becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);
[[nodiscard]] std::string json_string(std::string_view text);

}
