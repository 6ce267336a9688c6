#include "common/config/config_text.hpp"

#include <algorithm>
#include <charconv>

namespace clerk_strapi::config_text
{
namespace
{

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

template <class Change>
std::string changed(std::string_view text, Change change)
{
    std::string out{text};
    std::transform(out.begin(), out.end(), out.begin(), change);
    return out;
}

// NAME_PORT_9092_TCP, NAME_PORT_9092_TCP_ADDR ...
bool names_a_linked_port(std::string_view name)
{
    auto const at = name.find("_PORT_");
    if (at == std::string_view::npos) return false;
    auto rest = name.substr(at + 6);
    auto const digits = std::find_if_not(rest.begin(), rest.end(), is_digit) - rest.begin();
    if (digits == 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(digits));
    return rest.starts_with("_TCP") || rest.starts_with("_UDP") || rest.starts_with("_SCTP");
}

}

bool is_service_link(std::string_view name, std::string_view value)
{
    if (name.ends_with("_SERVICE_HOST") || name.ends_with("_SERVICE_PORT")) return true;
    if (name.find("_SERVICE_PORT_") != std::string_view::npos || names_a_linked_port(name)) return true;
    return name.ends_with("_PORT")
        && (value.starts_with("tcp://") || value.starts_with("udp://") || value.starts_with("sctp://"));
}

std::string flag_of(std::string_view variable)
{
    return "--" + changed(variable, [](char c) { return c == '_' ? '-' : lower(c); });
}

std::string kafka_property_of(std::string_view variable)
{
    return changed(
        variable.substr(std::string_view{"KAFKA_"}.size()), [](char c) { return c == '_' ? '.' : lower(c); });
}

std::string kafka_variable_of(std::string_view property)
{
    return "KAFKA_" + changed(property, [](char c) { return c == '.' ? '_' : upper(c); });
}

std::vector<std::string> split_list(std::string_view text)
{
    constexpr std::string_view blanks = " \t\r\n";
    std::vector<std::string> items;
    while (!text.empty()) {
        auto const comma = std::min(text.find(','), text.size());
        auto item = text.substr(0, comma);
        text.remove_prefix(std::min(comma + 1, text.size()));
        auto const first = item.find_first_not_of(blanks);
        if (first == std::string_view::npos) continue;
        items.emplace_back(item.substr(first, item.find_last_not_of(blanks) - first + 1));
    }
    return items;
}

std::optional<std::int64_t> parse_integer(std::string_view text)
{
    std::int64_t number = 0;
    auto const [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<bool> parse_boolean(std::string_view text)
{
    auto const word = changed(text, lower);
    if (word == "true" || word == "1" || word == "yes" || word == "on") return true;
    if (word == "false" || word == "0" || word == "no" || word == "off") return false;
    return std::nullopt;
}

bool is_near(std::string_view one, std::string_view other)
{
    if (one.size() > other.size()) std::swap(one, other);
    if (other.size() - one.size() > 1) return false;
    auto const front =
        static_cast<std::size_t>(std::mismatch(one.begin(), one.end(), other.begin(), other.end()).first - one.begin());
    one.remove_prefix(front);
    other.remove_prefix(front);
    if (other.empty()) return true;
    if (one.size() < other.size()) return one == other.substr(1);
    if (one.substr(1) == other.substr(1)) return true;
    return one.size() > 1 && one[0] == other[1] && one[1] == other[0] && one.substr(2) == other.substr(2);
}

}
