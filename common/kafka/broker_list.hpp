#pragma once

// KAFKA_BROKERS, checked before librdkafka reads it, because librdkafka accepts any text as an address, reads a wrong
// port as 0, and drops the rest of the list at a protocol that does not match. Pure.

#include "common/event/result.hpp"

#include <string>
#include <string_view>

namespace clerk_strapi::kafka
{

struct broker_list_fault
{
    std::string what; // the rest of a sentence that begins with the variable; names the fix
};

// The list with one comma between its entries and no blanks around them. `security_protocol` is
// KAFKA_SECURITY_PROTOCOL, empty when it is unset.
//
// An entry is [protocol://]host[:port]: a host name, an IPv4 address, or an IPv6 address in brackets; an IPv6 address
// without brackets has no port. Without a port librdkafka uses 9092. One comma at the end is accepted.
[[nodiscard]] result<std::string, broker_list_fault> check_broker_list(
    std::string_view text, std::string_view security_protocol);

}
