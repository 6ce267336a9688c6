#pragma once

// What a handler receives and returns. Views point into the connection's buffers and are valid as long as the handler's
// coroutine. Header names are compared without case; values are trimmed.

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace clerk_strapi::http
{

struct header_view
{
    std::string_view name;
    std::string_view value;
};

[[nodiscard]] bool same_name(std::string_view one, std::string_view other);

struct request_view
{
    std::string_view method;
    std::string_view target; // as it was sent, not decoded
    std::span<header_view const> headers;
    std::string_view body;

    [[nodiscard]] std::string_view path() const { return target.substr(0, target.find('?')); }
    // The first header of that name; empty when there is none.
    [[nodiscard]] std::string_view header(std::string_view name) const;
};

struct response
{
    unsigned status{200};
    std::string_view content_type{"application/json"}; // of static storage
    std::string body;
    std::vector<std::pair<std::string_view, std::string>> headers; // names of static storage; values without CR, LF
    bool close{false};
};

// RFC 9457. `type` is the last part of urn:clerk-strapi-sync:<type>, from the closed list of schemas/openapi.yaml. No
// text may contain anything of the request.
[[nodiscard]] response problem(
    unsigned status, std::string_view type, std::string_view title, std::string_view detail = {});

[[nodiscard]] std::string_view reason_phrase(unsigned status);

struct response_framing
{
    std::string_view date; // RFC 9110 date
    bool keep_alive{true};
    bool version_1_0{false};
    bool without_body{false}; // the response to HEAD
};

// Writes the whole response into `out`, whose memory is reused.
void serialise(response const& answer, response_framing const& framing, std::string& out);

}
