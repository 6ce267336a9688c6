#include "ingest/webhook/headers.hpp"

#include <algorithm>
#include <charconv>

namespace clerk_strapi::ingest
{
namespace
{

constexpr std::array<std::string_view, 2> families{"svix-", "webhook-"};
constexpr std::array<std::string_view, 3> suffixes{"id", "timestamp", "signature"};
constexpr std::size_t id_bytes_max = 128;
constexpr std::size_t timestamp_digits_max = 12;

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(std::string_view text, std::string_view lower_case)
{
    return std::equal(
        text.begin(), text.end(), lower_case.begin(), lower_case.end(), [](char a, char b) { return lower(a) == b; });
}

constexpr bool is_id_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

constexpr bool is_id(std::string_view text)
{
    return !text.empty() && text.size() <= id_bytes_max && std::all_of(text.begin(), text.end(), is_id_character);
}
static_assert(is_id("msg_p5jXN8AQM9LWM0D4loKWxJek"));
static_assert(!is_id("msg.1") && !is_id(""));

constexpr bool is_timestamp(std::string_view text)
{
    return !text.empty() && text.size() <= timestamp_digits_max
        && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}
static_assert(is_timestamp("1614265330"));
static_assert(!is_timestamp("1614265330000") && !is_timestamp("+1") && !is_timestamp(" 1") && !is_timestamp("1e9"));

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t") == std::string_view::npos; }

bool fits(std::string_view signatures)
{
    if (signatures.size() > signature_bytes_max) return false;
    std::size_t items = 0;
    for (std::size_t i = 0; i < signatures.size(); ++i) {
        if (signatures[i] != ' ' && (i == 0 || signatures[i - 1] == ' ')) ++items;
    }
    return items <= signature_items_max;
}

}

void webhook_headers::add(std::string_view name, std::string_view value)
{
    if (name.empty() || (lower(name.front()) != 's' && lower(name.front()) != 'w')) return;
    for (std::size_t family = 0; family < families.size(); ++family) {
        auto const prefix = families[family];
        if (name.size() <= prefix.size() || !same(name.substr(0, prefix.size()), prefix)) continue;
        for (std::size_t i = 0; i < suffixes.size(); ++i) {
            if (!same(name.substr(prefix.size()), suffixes[i])) continue;
            repeated_ = repeated_ || present_[i][family];
            present_[i][family] = true;
            values_[i][family] = is_blank(value) ? std::string_view{} : value;
        }
    }
}

result<signed_headers, reject_reason> webhook_headers::read() const
{
    if (repeated_) return reject_reason::ambiguous_header;
    std::array<std::string_view, names> chosen;
    for (std::size_t i = 0; i < names; ++i) {
        auto const& [svix, webhook] = values_[i];
        if (!svix.empty() && !webhook.empty() && svix != webhook) return reject_reason::ambiguous_header;
        chosen[i] = svix.empty() ? webhook : svix;
    }
    auto const [id, timestamp, signatures] = chosen;
    if (id.empty() || timestamp.empty() || signatures.empty()) return reject_reason::missing_header;
    if (!is_id(id)) return reject_reason::malformed_id;
    if (!is_timestamp(timestamp)) return reject_reason::malformed_timestamp;
    if (!fits(signatures)) return reject_reason::malformed_signature;

    signed_headers read{id, timestamp, 0, signatures};
    std::from_chars(timestamp.data(), timestamp.data() + timestamp.size(), read.seconds);
    return read;
}

std::string webhook_headers::missing() const
{
    std::string list;
    for (std::size_t i = 0; i < names; ++i) {
        if (!values_[i][0].empty() || !values_[i][1].empty()) continue;
        list += list.empty() ? "svix-" : ", svix-";
        list += suffixes[i];
    }
    return list;
}

}
