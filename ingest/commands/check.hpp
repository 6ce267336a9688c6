#pragma once

// `clerk-ingest check`: checks that the configuration is complete, that the brokers are reachable and have the topics,
// that the database is reachable, and how its connection is protected. Changes nothing.

#include "ingest/config.hpp"

namespace clerk_strapi::ingest
{

// Prints one line per finding. Returns 0 when every check passed, else 1.
[[nodiscard]] int check(config const& settings);

}
