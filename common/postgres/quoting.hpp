#pragma once

// Names and texts written into SQL, where no parameter can stand.

#include <string>
#include <string_view>

namespace clerk_strapi::postgres
{

[[nodiscard]] std::string quoted_identifier(std::string_view name);
[[nodiscard]] std::string quoted_literal(std::string_view text);

}
