#pragma once

// A body that a person may look at: its shape, ids, kinds and times, and nothing personal. Pure.

#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi::worker
{

// Indented; nothing when it is not JSON that we would read.
[[nodiscard]] std::optional<std::string> masked_json(std::string_view body);

// a…@e….com: enough to recognise an address that one knows. Other texts keep their first letter.
[[nodiscard]] std::string masked_text(std::string_view text);

}
