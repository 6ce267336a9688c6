#pragma once

// `clerk-ingest check`: is the configuration complete, do the brokers answer and have our topics, does the database
// answer and is the connection verified? Changes nothing.

#include "ingest/config.hpp"

namespace clerk_strapi::ingest
{

// 0 everything is there, 1 something is not. Prints a line for each finding.
[[nodiscard]] int check(config const& settings);

}
