#pragma once

// Where the librdkafka that the program runs with is known to be broken for a configuration: one table, pure. `check`
// prints it before anything fails. The reason of a refused login cites it afterwards.

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

// The library in use, which need not be the one that the program was compiled with.
[[nodiscard]] library loaded_library();

// One sentence per fault: what breaks, and the ways out.
[[nodiscard]] std::vector<std::string> known_faults(library const& in_use, properties const& configured);

// What an operator does about a refused login: also when the library itself is the likely cause.
[[nodiscard]] std::string advice_for_login(library const& in_use, properties const& configured);

}
