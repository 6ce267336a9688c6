#pragma once

// Reads KAFKA_BROKERS for both programs.

#include "common/config/config_source.hpp"

#include <map>
#include <string>

namespace clerk_strapi::kafka
{

// The checked list; empty when the variable is unset or wrong. `source` records a fault. `properties` are those of
// config_source::kafka_properties().
[[nodiscard]] std::string read_brokers(config_source& source, std::map<std::string, std::string> const& properties);

}
