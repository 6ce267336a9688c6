#pragma once

// Which Clerk a command reads, and the proof that it is the right one: a key of another instance would make every user
// of this site look deleted. Nothing is read or written before the guard has passed.

#include "common/config/config_source.hpp"
#include "worker/operate/clerk_reader.hpp"

#include <optional>
#include <string>
#include <vector>

namespace clerk_strapi::worker::commands
{

struct clerk_access
{
    reader_settings reader;
    std::vector<std::string> instances; // those that are allowed: never empty when the configuration is sound
};

// `rate` 0: the default, which leaves most of Clerk's limit to the site's own backend. Notes its faults in `source`;
// whoever calls goes on to load_config(), which tells all.
[[nodiscard]] clerk_access read_clerk_access(config_source& source, std::string const& instance, double rate);

struct guarded_instance
{
    std::string id; // empty: refused
    int exit_code{0};
};
// Asks Clerk which instance the key belongs to, and says on standard error what is wrong.
[[nodiscard]] guarded_instance find_instance(
    clerk_reader& clerk, std::vector<std::string> const& allowed, std::string const& command);

}
