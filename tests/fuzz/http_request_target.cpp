// Covers I6, C1, C3, C4, C8 and C12: bytes become the same requests however they arrive, one message is never read as
// two, and nothing that passes exceeds a limit or is ambiguous.

#include "common/http/request_reader.hpp"
#include "tests/fuzz/target.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

namespace clerk_strapi::fuzz
{
namespace
{

using http::request_reader;

// Small, so that an input of some hundred bytes meets them.
constexpr http::head_limits limits{.bytes_max = 700, .fields_max = 12, .target_bytes_max = 120};
constexpr std::size_t body_bytes_max = 400;

struct copied_request
{
    std::string method, target, body;
    std::vector<std::pair<std::string, std::string>> headers;
    bool keep_alive{false};
    bool version_1_0{false};
    bool operator==(copied_request const&) const = default;
};

struct reading
{
    std::vector<copied_request> requests;
    std::optional<http::fault> failed;
};

copied_request copy_of(request_reader const& reader)
{
    auto const request = reader.request();
    copied_request copied{std::string{request.method}, std::string{request.target}, std::string{request.body}, {},
        reader.keep_alive(), reader.version_1_0()};
    for (auto const& [name, value] : request.headers)
        copied.headers.emplace_back(name, value);
    return copied;
}

// Returns at most `piece` bytes at once, as a socket would.
reading read(std::string_view bytes, std::size_t piece)
{
    request_reader reader{limits, body_bytes_max};
    reading seen;
    for (;;) {
        switch (reader.advance()) {
        case request_reader::progress::failed: seen.failed = reader.reason(); return seen;
        case request_reader::progress::complete:
            seen.requests.push_back(copy_of(reader));
            reader.next();
            continue;
        case request_reader::progress::wants_continue:
        case request_reader::progress::need_more: break;
        }
        if (bytes.empty()) return seen;
        auto const space = reader.space();
        promise(!space.empty(), "there is always room for the next bytes");
        auto const taken = std::min({space.size(), bytes.size(), piece});
        std::memcpy(space.data(), bytes.data(), taken);
        reader.received(taken);
        bytes.remove_prefix(taken);
        promise(reader.body_bytes() <= body_bytes_max, "a body is bounded while it arrives");
    }
}

bool is_token(std::string_view text)
{
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
            || marks.find(c) != std::string_view::npos;
    });
}

bool is_line(std::string_view text)
{
    return std::none_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

std::vector<std::string> values_of(copied_request const& request, std::string_view name)
{
    std::vector<std::string> values;
    for (auto const& [header, value] : request.headers)
        if (lower_case(header) == name) values.push_back(value);
    return values;
}

void check(copied_request const& request)
{
    promise(is_token(request.method) && request.method != "CONNECT", "a method is a token, and not CONNECT");
    promise(!request.target.empty() && request.target.size() <= limits.target_bytes_max, "a target within its limit");
    promise(is_line(request.target) && request.target.find(' ') == std::string::npos, "a target is one word");
    promise(request.headers.size() <= limits.fields_max, "fields within their limit");
    promise(request.body.size() <= body_bytes_max, "a body within its limit");
    for (auto const& [name, value] : request.headers) {
        promise(is_token(name), "a header's name is a token");
        promise(is_line(value), "a header's value is one line");
        promise(without_blanks(value) == value, "values come trimmed");
    }
    auto const lengths = values_of(request, "content-length");
    auto const codings = values_of(request, "transfer-encoding");
    auto const hosts = values_of(request, "host");
    promise(lengths.size() + codings.size() <= 1, "one way to give the body's length");
    promise(request.version_1_0 ? codings.empty() : hosts.size() == 1, "HTTP/1.1 names its host once");
    if (!lengths.empty())
        promise(std::to_string(request.body.size()).size() <= lengths[0].size(), "a length in digits");
    if (!lengths.empty()) promise(std::stoull(lengths[0]) == request.body.size(), "the body has the announced length");
    if (lengths.empty() && codings.empty()) promise(request.body.empty(), "without a length there is no body");
    for (auto const& coding : values_of(request, "content-encoding"))
        promise(
            request.body.empty() || coding.empty() || lower_case(coding) == "identity", "bodies are never inflated");
}

// Where the first message ends, by its text alone; nothing for chunked bodies.
std::optional<std::size_t> plain_end(std::string_view bytes)
{
    auto const head_end = bytes.find("\r\n\r\n");
    if (head_end == std::string_view::npos) return std::nullopt;
    auto head = bytes.substr(0, head_end);
    std::size_t body = 0;
    for (static_cast<void>(take_until(head, "\r\n")); !head.empty();) {
        auto const line = lower_case(take_until(head, "\r\n"));
        if (line.starts_with("transfer-encoding")) return std::nullopt;
        if (!line.starts_with("content-length:")) continue;
        auto const digits = std::string{without_blanks(std::string_view{line}.substr(15))};
        std::from_chars(digits.data(), digits.data() + digits.size(), body);
    }
    return head_end + 4 + body;
}

void check_http_request(std::string_view input)
{
    auto const whole = read(input, input.size() + 1);
    for (auto const& request : whole.requests)
        check(request);
    for (std::size_t const piece : {std::size_t{1}, std::size_t{7}}) {
        auto const again = read(input, piece);
        promise(again.requests == whole.requests, "pieces make the same requests");
        promise(again.failed.has_value() == whole.failed.has_value(), "pieces give the same decision as the whole");
    }
    if (whole.requests.empty()) return;
    if (auto const end = plain_end(input)) {
        auto const rest = read(input.substr(*end), input.size() + 1);
        auto const& all = whole.requests;
        promise(std::equal(all.begin() + 1, all.end(), rest.requests.begin(), rest.requests.end()),
            "the next request begins where this one ends");
    }
}

[[maybe_unused]] bool const listed = list("http_request", check_http_request);

}
}
