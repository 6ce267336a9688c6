#pragma once

// `clerk-worker reconcile`: how does Strapi differ from what Clerk's API says? Repairs by publishing snapshots, which
// the worker judges like everything else, and deletes only after a 404 on the id (F31).

#include "common/runtime/config_source.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace CLI
{
class App;
}

namespace clerk_strapi::worker::commands
{

struct reconcile_options
{
    std::string user;
    std::string instance;
    double rate{0}; // requests a second; 0: the default
    int settle_seconds{60};
    bool repair{false};
    std::optional<std::uint64_t> deletions; // --delete N
    bool json{false};
};

// `options` must outlive app.parse().
void add_reconcile(CLI::App& app, reconcile_options& options);
[[nodiscard]] int reconcile(config_source& source, reconcile_options const& options);

}
