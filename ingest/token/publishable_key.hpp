#pragma once

// Clerk's publishable key: pk_live_ or pk_test_ and base64 of "<Frontend API host>$". It determines the issuer of
// session tokens, the URL of the key set, and the suffix of the session cookies.

#include "common/event/result.hpp"

#include <string>
#include <string_view>

namespace clerk_strapi::ingest
{

struct publishable_key
{
    bool live{false};
    std::string frontend_api; // host, lower case, without scheme
    std::string cookie_suffix; // first 8 characters of base64url(SHA-1(key))

    [[nodiscard]] std::string issuer() const { return "https://" + frontend_api; }
};

// The error is a sentence for the operator.
[[nodiscard]] result<publishable_key, std::string> parse_publishable_key(std::string_view text);

}
