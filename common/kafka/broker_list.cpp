#include "common/kafka/broker_list.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

namespace clerk_strapi::kafka
{
namespace
{

constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view default_protocol = "plaintext";
constexpr std::array<std::string_view, 4> protocols{"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"};
constexpr std::size_t host_bytes_max = 253;

using fault = std::optional<std::string>; // nothing: the entry is valid

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string lower_case(std::string_view text)
{
    std::string out{text};
    std::transform(out.begin(), out.end(), out.begin(), lower);
    return out;
}

std::string_view trimmed(std::string_view text)
{
    auto const first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool is_host_name(std::string_view host)
{
    return !host.empty() && host.size() <= host_bytes_max && std::all_of(host.begin(), host.end(), [](char c) {
        return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '.' || c == '_';
    });
}

// With an optional zone: fe80::1%eth0.
bool is_ipv6(std::string_view text)
{
    auto const zone = text.find('%');
    if (zone != std::string_view::npos && !is_host_name(text.substr(zone + 1))) return false;
    std::string const address{text.substr(0, zone)};
    in6_addr parsed{};
    return ::inet_pton(AF_INET6, address.c_str(), &parsed) == 1;
}

fault check_port(std::string_view text)
{
    std::uint16_t port = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error == std::errc{} && end == text.data() + text.size() && port > 0) return std::nullopt;
    return "has no port from 1 to 65535 after its last colon";
}

fault check_bracketed(std::string_view text)
{
    auto const close = text.find(']');
    if (close == std::string_view::npos || !is_ipv6(text.substr(1, close - 1)))
        return "has brackets, but no IPv6 address between them";
    auto const rest = text.substr(close + 1);
    if (rest.empty()) return std::nullopt;
    if (rest.front() != ':') return "has something other than a port after its bracket";
    return check_port(rest.substr(1));
}

fault check_host_and_port(std::string_view text)
{
    if (text.starts_with('[')) return check_bracketed(text);
    if (is_ipv6(text)) return std::nullopt;
    auto const colon = text.find(':');
    if (colon == 0) return "has no host";
    if (colon != text.rfind(':')) return "has more than one colon";
    if (!is_host_name(text.substr(0, colon))) return "has no host name or address before its port";
    return colon == std::string_view::npos ? std::nullopt : check_port(text.substr(colon + 1));
}

// At an entry with another protocol than the configured one, librdkafka ignores that entry and the rest of the list.
fault check_protocol(std::string_view written, std::string_view configured)
{
    auto const protocol = lower_case(written);
    if (std::find(protocols.begin(), protocols.end(), protocol) == protocols.end())
        return "has a protocol that Kafka does not have: use PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL, or none";
    if (protocol == configured) return std::nullopt;
    return "has another protocol than KAFKA_SECURITY_PROTOCOL (" + std::string{configured} + "): make them the same";
}

fault check_entry(std::string_view text, std::string_view configured)
{
    if (text.empty()) return "is empty: remove the extra comma";
    auto const protocol_end = text.find("://");
    if (protocol_end == std::string_view::npos) return check_host_and_port(text);
    if (auto wrong = check_protocol(text.substr(0, protocol_end), configured)) return wrong;
    auto const address = text.substr(protocol_end + 3);
    return check_host_and_port(address.substr(0, address.find('/'))); // librdkafka ignores a path
}

broker_list_fault fault_of(std::size_t number, std::string_view entry, std::string const& what)
{
    return {"must list brokers as host:port, comma-separated, e.g. kafka-0:9092,kafka-1:9092, but entry "
        + std::to_string(number) + " (\"" + std::string{entry} + "\") " + what};
}

}

result<std::string, broker_list_fault> check_broker_list(std::string_view text, std::string_view security_protocol)
{
    // Before any entry is quoted: the text before the @ may be a password, and may contain a comma.
    if (text.find('@') != std::string_view::npos)
        return broker_list_fault{"must not hold a user name or a password (it has an @): list host:port alone, and set "
                                 "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"};
    auto const configured = lower_case(security_protocol.empty() ? default_protocol : security_protocol);
    std::string list;
    auto rest = trimmed(text);
    if (rest.ends_with(',')) rest.remove_suffix(1);
    for (std::size_t number = 1;; ++number) {
        auto const comma = rest.find(',');
        auto const entry = trimmed(rest.substr(0, comma));
        if (auto const wrong = check_entry(entry, configured)) return fault_of(number, entry, *wrong);
        list += (list.empty() ? "" : ",") + std::string{entry};
        if (comma == std::string_view::npos) return {boost::system::in_place_value, std::move(list)};
        rest.remove_prefix(comma + 1);
    }
}

}
