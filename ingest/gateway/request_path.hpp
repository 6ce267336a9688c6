#pragma once

// The path of a request in one normal form: decoded once, in lower case, repeated slashes collapsed. A path that two
// programs could read differently (encoded slashes, dots, control characters, a second encoding, parameters after ';')
// is ambiguous and has no normal form. Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::ingest
{

using path_segments = std::vector<std::string>;

// `uri` is path and query, or an absolute http(s) URI. Nothing for an ambiguous path.
[[nodiscard]] std::optional<path_segments> read_path(std::string_view uri);

}
