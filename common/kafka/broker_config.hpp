#pragma once

// KAFKA_BROKERS as both programs read it.

#include "common/config/config_source.hpp"

#include <map>
#include <string>

namespace clerk_strapi::kafka
{

// Checked; empty when it is unset or wrong. A fault is left in `source`. `properties` are
// config_source::kafka_properties().
[[nodiscard]] std::string read_brokers(config_source& source, std::map<std::string, std::string> const& properties);

}
