#pragma once

// What --version prints: the program, then one line per library that it runs with. The libraries that this layer knows
// are here. The others come from the layer that owns each.

#include <string>
#include <vector>

namespace clerk_strapi
{

struct library_version
{
    std::string name;
    std::string version;
};

// OpenSSL as it was loaded; Boost as it was compiled in.
[[nodiscard]] std::vector<library_version> runtime_libraries();

// The first line is "<program> <version> (<commit>)", for scripts.
[[nodiscard]] std::string version_text(
    std::string const& first_line, std::vector<std::vector<library_version>> const& libraries);

}
