#pragma once

// Known faults of the loaded librdkafka that a configuration triggers: one table, pure. `check` prints them before
// anything fails, and the reason of a rejected login names them.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::kafka
{

using properties = std::map<std::string, std::string>; // librdkafka's names

struct library
{
    int version{0}; // as rd_kafka_version(): 0x020601ff is 2.6.1
    std::string name; // "2.6.1"
    std::string features; // as its property builtin.features
};

// The loaded library, which may have another version than the one at compile time.
[[nodiscard]] library loaded_library();

// One sentence per fault: what breaks, and how to avoid it.
[[nodiscard]] std::vector<std::string> known_faults(library const& in_use, properties const& configured);

// How to fix a rejected login, also when the library is the likely cause.
[[nodiscard]] std::string advice_for_login(library const& in_use, properties const& configured);

}
