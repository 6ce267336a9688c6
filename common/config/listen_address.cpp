#include "common/config/listen_address.hpp"

#include <arpa/inet.h>

#include <charconv>

namespace clerk_strapi
{
namespace
{

bool is_address(std::string const& host, int family)
{
    unsigned char parsed[sizeof(in6_addr)];
    return inet_pton(family, host.c_str(), parsed) == 1;
}

}

std::string listen_address::to_string() const
{
    bool const v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::optional<listen_address> parse_listen_address(std::string_view text)
{
    auto const colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;

    listen_address address;
    auto const port = text.substr(colon + 1);
    auto const [end, fault] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (fault != std::errc{} || end != port.data() + port.size()) return std::nullopt;

    auto const host = text.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        address.host = host.substr(1, host.size() - 2);
        if (!is_address(address.host, AF_INET6)) return std::nullopt;
        return address;
    }
    address.host = host.empty() ? "0.0.0.0" : std::string{host};
    if (!is_address(address.host, AF_INET)) return std::nullopt;
    return address;
}

}
