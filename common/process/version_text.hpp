#pragma once

// What --version prints: the program, then one line per library in use. This folder lists OpenSSL and Boost; the other
// folders list the libraries that they use.

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
