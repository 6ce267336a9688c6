#pragma once

// Where nobody may act for somebody else: paths that are closed to tokens with an actor (`act`), though such a token is
// good everywhere else (B14). Pure. Paths are compared as core/request_path reads them, by whole segments:
// "/api/orders" closes "/api/orders/7" and "/API//Orders", not "/api/orders-old".

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

    // Of path prefixes, or of "*" alone, which closes everything. The error is the rest of a sentence that begins
    // with the variable's name.
    [[nodiscard]] static result<impersonation_rule, std::string> from_entries(std::vector<std::string> const& entries);

    // `uri` is path and query, or an absolute URI; one that cannot be read is closed as soon as anything is.
    [[nodiscard]] bool closes(std::string_view uri) const;

private:
    std::vector<path_segments> prefixes_;
};

}
