#pragma once

// The path of a request as every program behind us could read it: decoded once, lower-cased, its slashes collapsed.
// Whatever two programs could read differently (encoded slashes, dots, control characters, a second encoding,
// parameters after ';') is odd and has no reading. Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::ingest
{

using path_segments = std::vector<std::string>;

// Of path and query, or of an absolute URI of the web; nothing for an odd form.
[[nodiscard]] std::optional<path_segments> read_path(std::string_view uri);

}
