#pragma once

// Decides by the client's method and URI whether a request needs a token: the five routes of Strapi's users, and every
// other route. Pure. gateway/request_path reads the path; an ambiguous path is rejected.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi::ingest
{

enum class route_need {
    nothing, // OPTIONS: a browser's preflight carries no token
    optional_token, // accepted without a token; a valid one adds the identity; an invalid one is rejected
    signed_in, // GET /api/users, GET /api/users/me
    owner, // GET, PUT, DELETE /api/users/:id, and every other method on it
    rejected, // an ambiguous path
};

struct route_decision
{
    route_need need{route_need::optional_token};
    std::string owner_id; // with `owner`: the id as text, which must equal the user's Strapi id
};

// `uri` is path and query, or an absolute URI.
[[nodiscard]] route_decision decide_route(std::string_view method, std::string_view uri);

}
