#pragma once

// Paths that are closed to impersonation: a token with an actor (`act`) is rejected there and valid elsewhere (B14).
// Pure. Paths are compared as gateway/request_path reads them, by whole segments: "/api/orders" closes "/api/orders/7"
// and "/API//Orders", not "/api/orders-old".

#include "common/event/result.hpp"
#include "ingest/gateway/request_path.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::ingest
{

class impersonation_rule
{
public:
    // Closes nothing.
    impersonation_rule() = default;

    // `entries` are path prefixes, or "*" alone, which closes every path. The error continues a sentence that begins
    // with the variable's name.
    [[nodiscard]] static result<impersonation_rule, std::string> from_entries(std::vector<std::string> const& entries);

    // `uri` is path and query, or an absolute URI. A URI that cannot be read is closed if any path is.
    [[nodiscard]] bool closes(std::string_view uri) const;

private:
    std::vector<path_segments> prefixes_;
};

}
