#pragma once

// Lower case as JavaScript's toLowerCase() returns it. Strapi applies it to the e-mail addresses of its users, so an
// address must be looked up in that spelling. Pure.

#include <string>
#include <string_view>

namespace clerk_strapi
{

// `text` is valid UTF-8. Letters of all scripts become lower case; all other bytes stay.
[[nodiscard]] std::string lower_cased(std::string_view text);

}
