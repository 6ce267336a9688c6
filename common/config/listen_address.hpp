#pragma once

// host:port to listen on. The host is an address, not a name, because a name may resolve to an unexpected address.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi
{

struct listen_address
{
    std::string host; // an IPv4 or IPv6 address, without brackets
    std::uint16_t port{0}; // 0: any free port

    // As an operator writes it: 0.0.0.0:8080, [::]:8080.
    [[nodiscard]] std::string to_string() const;
    bool operator==(listen_address const&) const = default;
};

// "0.0.0.0:8080", "[::1]:8080", ":8080" (every IPv4 address). Nothing for anything else.
[[nodiscard]] std::optional<listen_address> parse_listen_address(std::string_view text);

}
