// Covers I5, I6, B19, C4 and C5: a gateway's request for a user's row needs its owner in every spelling that Strapi
// could accept; one path has one meaning; contradicting headers reveal nothing; tokens are never mixed. Input: the
// method, the URI, then header lines.

#include "ingest/gateway/headers.hpp"
#include "ingest/gateway/route_rules.hpp"
#include "ingest/token/presented_token.hpp"
#include "tests/fuzz/target.hpp"

#include <algorithm>
#include <utility>

namespace clerk_strapi::fuzz
{
namespace
{

using namespace ingest;

bool operator_equal(route_judgement const& one, route_judgement const& other)
{
    return one.need == other.need && one.owner_id == other.owner_id;
}

int plain_hex(char c)
{
    auto const digit = std::string_view{"0123456789abcdef"}.find(lower_case({&c, 1})[0]);
    return digit == std::string_view::npos ? -1 : static_cast<int>(digit);
}

// Percent signs decoded once; an invalid escape stays.
std::string unescaped(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const escape =
            text[i] == '%' && i + 2 < text.size() && plain_hex(text[i + 1]) >= 0 && plain_hex(text[i + 2]) >= 0;
        out += escape ? static_cast<char>(plain_hex(text[i + 1]) * 16 + plain_hex(text[i + 2])) : text[i];
        if (escape) i += 2;
    }
    return out;
}

// An escape of what some program treats as a separator, an end or another escape.
bool hides_a_separator(std::string_view path)
{
    for (auto at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1)) {
        auto const byte = unescaped(path.substr(at, 3));
        auto const odd = byte.size() == 1
            && (std::string_view{"/\\%?#;\x7f"}.find(byte[0]) != std::string_view::npos
                || static_cast<unsigned char>(byte[0]) < 0x20);
        if (odd) return true;
    }
    return false;
}

// What a lax program behind us could make of the path: escapes decoded to the end, backslashes as slashes, parameters
// dropped, dots resolved.
std::vector<std::string> lax_segments(std::string path)
{
    for (auto again = unescaped(path); again != path; again = unescaped(path))
        path = again;
    path = lower_case(path);
    std::replace(path.begin(), path.end(), '\\', '/');
    std::vector<std::string> segments;
    for (std::string_view rest = path; !rest.empty();) {
        auto segment = take_until(rest, "/");
        segment = segment.substr(0, segment.find(';'));
        if (segment == ".." && !segments.empty()) segments.pop_back();
        if (!segment.empty() && segment != "." && segment != "..") segments.emplace_back(segment);
    }
    return segments;
}

std::string with_slashes_doubled(std::string_view path)
{
    std::string out;
    for (auto const c : path)
        out += c == '/' ? "//" : std::string{c};
    return out;
}

// Every letter and digit outside an escape as %XX: the same path to a program that decodes once.
std::string with_characters_escaped(std::string_view path)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (std::size_t i = 0; i < path.size(); ++i) {
        auto const byte = static_cast<unsigned char>(path[i]);
        auto const in_escape = (i > 0 && path[i - 1] == '%') || (i > 1 && path[i - 2] == '%');
        auto const plain = (lower_case({&path[i], 1})[0] >= 'a' && lower_case({&path[i], 1})[0] <= 'z')
            || (byte >= '0' && byte <= '9');
        if (plain && !in_escape)
            out += std::string{"%"} + digits[byte >> 4U] + digits[byte & 15U];
        else
            out += path[i];
    }
    return out;
}

void check_route(std::string_view method, std::string_view uri)
{
    auto const decision = judge_route(method, uri);
    promise((decision.need == route_need::owner) == !decision.owner_id.empty(), "an owner has an id");
    promise(decision.owner_id.find_first_of("/%\\;#?") == std::string::npos, "which is one segment, decoded once");
    if (method == "OPTIONS") return promise(decision.need == route_need::nothing, "a preflight needs nothing");
    auto const same = [&](std::string const& other) { return operator_equal(judge_route(method, other), decision); };
    auto const path = uri.substr(0, uri.find('?'));
    promise(same(std::string{path} + "?filters[id]=7&x=/../%2f"), "a query changes nothing");
    if (!path.starts_with('/')) return;
    promise(same("https://api.example.com:8443" + std::string{uri}), "an absolute form changes nothing");
    promise(same(with_slashes_doubled(path)), "slashes collapse");
    promise(same(with_characters_escaped(path)), "a character may be written as its escape");
    promise(!hides_a_separator(path) || decision.need == route_need::refused, "an escaped separator is rejected (C4)");
    auto const segments = lax_segments(std::string{path});
    auto const below_users = segments.size() > 2 && segments[0] == "api" && segments[1] == "users";
    promise(!below_users || decision.need != route_need::anybody, "no other spelling opens a user's row (I5)");
    auto const lists = segments.size() == 2 && segments[0] == "api" && segments[1] == "users" && method == "GET";
    promise(!lists || decision.need != route_need::anybody, "nor is the list of users");
}

using header_lines = std::vector<std::pair<std::string, std::string_view>>;

bool is_part_of(std::string_view text, header_lines const& headers)
{
    return std::any_of(headers.begin(), headers.end(),
        [&](auto const& header) { return header.second.find(text) != std::string_view::npos; });
}

void check_original(gateway_dialect dialect, header_lines headers, std::string_view method, std::string_view uri)
{
    auto const collect = [&](header_lines const& seen) {
        original_request original{dialect, method, uri};
        for (auto const& [name, value] : seen)
            original.see(name, value);
        return std::pair{
            std::string{original.method()}, original.uri().has_value() ? std::string{*original.uri()} : "none"};
    };
    auto const collected = collect(headers);
    if (dialect == gateway_dialect::envoy)
        return promise(collected.first == method && collected.second == uri, "Envoy's request is itself");
    promise(collected.first.empty() || is_part_of(collected.first, headers), "the gateway's method, or none");
    promise(collected.second == "none" || collected.second == "/" || is_part_of(collected.second, headers),
        "its URI, or none");
    std::reverse(headers.begin(), headers.end());
    promise(collect(headers) == collected, "the order of headers does not choose the route");
}

void check_token(header_lines const& headers)
{
    std::vector<std::string_view> authorization, cookies;
    for (auto const& [name, value] : headers) {
        if (name == "authorization") authorization.push_back(value);
        if (name == "cookie") cookies.push_back(value);
    }
    auto const chosen = choose_token(authorization, cookies, "abcd1234", "https://clerk.example.com");
    promise(chosen.text.empty() || is_part_of(chosen.text, headers), "a token is in the request");
    promise(chosen.origin != token_origin::none || chosen.text.empty(), "no origin, no token");
    promise(authorization.size() < 2 || chosen.ambiguous, "two Authorization headers are never accepted (B19)");
    if (chosen.origin == token_origin::header)
        promise(
            cookies.empty() || choose_token(authorization, {}, "abcd1234", {}).text == chosen.text, "a header wins");
    std::vector<std::string_view> apart;
    for (auto cookie : cookies)
        while (!cookie.empty())
            apart.push_back(take_until(cookie, ";"));
    auto const again = choose_token(authorization, apart, "abcd1234", "https://clerk.example.com");
    promise(again.text == chosen.text && again.ambiguous == chosen.ambiguous, "cookies may come in one header or more");
}

void check_gateway(std::string_view input)
{
    auto const method = take_line(input);
    auto const uri = take_line(input);
    header_lines headers;
    while (!input.empty()) {
        auto line = take_line(input);
        auto const name = lower_case(take_until(line, ":"));
        headers.emplace_back(name, without_blanks(line));
    }
    check_route(method, uri);
    for (auto const dialect : {gateway_dialect::nginx, gateway_dialect::traefik, gateway_dialect::envoy})
        check_original(dialect, headers, method, uri);
    check_token(headers);
}

[[maybe_unused]] bool const listed = list("gateway", check_gateway);

}
}
