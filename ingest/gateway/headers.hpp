#pragma once

// Where a gateway says what the client asked for. One source a dialect: a header that the gateway does not overwrite
// is the client's own word, and would let it choose its route. Pure.

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

// Collects what the headers of one request say.
class original_request
{
public:
    original_request(gateway_dialect dialect, std::string_view method, std::string_view target_after_prefix)
        : dialect_{dialect}
        , own_method_{method}
        , own_target_{target_after_prefix}
    {
    }

    void see(std::string_view lower_cased_name, std::string_view value);

    // Without a method the request is taken for one that needs a token.
    [[nodiscard]] std::string_view method() const;
    // Nothing when there is none, or more than one that differ: the gateway is set up in a way that a client can use.
    [[nodiscard]] std::optional<std::string_view> uri() const;

private:
    struct told
    {
        std::optional<std::string_view> value;
        bool differs{false};
        void see(std::string_view text);
    };

    gateway_dialect dialect_;
    std::string_view own_method_;
    std::string_view own_target_;
    told method_;
    told uri_;
    told url_;
};

}
