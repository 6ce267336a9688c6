#pragma once

// Which Clerk instance a command reads, and a check that it is the right one: with the key of another instance every
// user of this site would look deleted. Nothing is read or written before the check has passed.

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
    std::vector<std::string> instances; // allowed ones; never empty in a valid configuration
};

// `rate` 0: the default, which leaves most of Clerk's limit to the site's own backend. Adds its faults to `source`; the
// caller then calls load_config(), which reports all of them.
[[nodiscard]] clerk_access read_clerk_access(config_source& source, std::string const& instance, double rate);

struct guarded_instance
{
    std::string id; // empty: rejected
    int exit_code{0};
};
// Asks Clerk which instance the key belongs to. Prints what is wrong on standard error.
[[nodiscard]] guarded_instance find_instance(
    clerk_reader& clerk, std::vector<std::string> const& allowed, std::string const& command);

}
