#pragma once

// Reads the client's method and URI from a gateway's headers. Each dialect has exactly one source: a header that the
// gateway does not overwrite could be set by the client, which could then choose its route. Pure.

#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi::ingest
{

enum class gateway_dialect {
    nginx, // X-Original-Method; X-Original-URI, or X-Original-URL as ingress-nginx writes it
    traefik, // X-Forwarded-Method, X-Forwarded-Uri
    envoy, // method and path of the request itself, after the prefix
};

[[nodiscard]] std::string_view to_string(gateway_dialect dialect);

// Collects the original method and URI from the headers of one request.
class original_request
{
public:
    original_request(gateway_dialect dialect, std::string_view method, std::string_view target_after_prefix)
        : dialect_{dialect}
        , own_method_{method}
        , own_target_{target_after_prefix}
    {
    }

    void add(std::string_view lower_cased_name, std::string_view value);

    // Empty without a method; such a request is treated as one that needs a token.
    [[nodiscard]] std::string_view method() const;
    // Nothing when there is none, or several that differ: with such a gateway a client could choose the URI.
    [[nodiscard]] std::optional<std::string_view> uri() const;

private:
    struct observed
    {
        std::optional<std::string_view> value;
        bool differs{false};
        void add(std::string_view text);
    };

    gateway_dialect dialect_;
    std::string_view own_method_;
    std::string_view own_target_;
    observed method_;
    observed uri_;
    observed url_;
};

}
