#pragma once

// `clerk-worker backfill`: publishes every user that Clerk's API tells as a snapshot, for a first import or after a
// loss. The worker judges snapshots by the same rule as webhooks, so newer live data is never overwritten (I2, I3), and
// reads them only while the live topics have no lag.

#include "common/runtime/config_source.hpp"

#include <string>

namespace CLI
{
class App;
}

namespace clerk_strapi::worker::commands
{

struct backfill_options
{
    std::string since;
    std::string instance;
    double rate{0}; // requests a second; 0: the default
    bool resume{false};
    bool dry_run{false};
    bool json{false};
};

// `options` must outlive app.parse().
void add_backfill(CLI::App& app, backfill_options& options);
[[nodiscard]] int backfill(config_source& source, backfill_options const& options);

}
