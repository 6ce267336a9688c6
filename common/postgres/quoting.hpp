#pragma once

// Names and texts in SQL, where parameters are not possible.

#include <string>
#include <string_view>

namespace clerk_strapi::postgres
{

[[nodiscard]] std::string quoted_identifier(std::string_view name);
[[nodiscard]] std::string quoted_literal(std::string_view text);

}
