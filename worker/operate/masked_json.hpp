#pragma once

// A body with personal data masked: structure, ids, types and times stay. Pure.

#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi::worker
{

// Indented JSON; nothing when the body is not JSON that the worker accepts.
[[nodiscard]] std::optional<std::string> masked_json(std::string_view body);

// a…@e….com: enough to recognise a known address. Other texts keep their first character.
[[nodiscard]] std::string masked_text(std::string_view text);

}
