#include "ingest/gateway/headers.hpp"

namespace clerk_strapi::ingest
{
namespace
{

// Returns path and query of an absolute URL, and a path unchanged.
std::string_view path_of(std::string_view url)
{
    auto const scheme_end = url.find("://");
    if (scheme_end == std::string_view::npos || url.starts_with('/')) return url;
    auto const path = url.find('/', scheme_end + 3);
    return path == std::string_view::npos ? std::string_view{"/"} : url.substr(path);
}

}

std::string_view to_string(gateway_dialect dialect)
{
    switch (dialect) {
    case gateway_dialect::nginx: return "nginx";
    case gateway_dialect::traefik: return "traefik";
    case gateway_dialect::envoy: return "envoy";
    }
    return "nginx";
}

void original_request::observed::add(std::string_view text)
{
    if (value && *value != text) differs = true;
    value = text;
}

void original_request::add(std::string_view name, std::string_view value)
{
    switch (dialect_) {
    case gateway_dialect::nginx:
        if (name == "x-original-method") method_.add(value);
        if (name == "x-original-uri") uri_.add(value);
        if (name == "x-original-url") url_.add(path_of(value));
        return;
    case gateway_dialect::traefik:
        if (name == "x-forwarded-method") method_.add(value);
        if (name == "x-forwarded-uri") uri_.add(value);
        return;
    case gateway_dialect::envoy: return;
    }
}

std::string_view original_request::method() const
{
    if (dialect_ == gateway_dialect::envoy) return own_method_;
    if (!method_.value || method_.differs) return {};
    return *method_.value;
}

std::optional<std::string_view> original_request::uri() const
{
    if (dialect_ == gateway_dialect::envoy) return own_target_;
    if (uri_.differs || url_.differs) return std::nullopt;
    if (uri_.value && url_.value && *uri_.value != *url_.value) return std::nullopt;
    return uri_.value ? uri_.value : url_.value;
}

}
