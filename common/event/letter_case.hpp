#pragma once

// E-mails in lower case as JavaScript's toLowerCase() gives them, which is what Strapi applies to its users' addresses:
// an address must be found under the spelling that Strapi stored it in. Pure.

#include <string>
#include <string_view>

namespace clerk_strapi
{

// `text` is valid UTF-8. Letters of all scripts are lowered; everything else stays byte by byte.
[[nodiscard]] std::string lower_cased(std::string_view text);

}
