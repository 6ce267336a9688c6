#pragma once

// What a gateway's request needs, by the method and URI that the client sent: the five routes of Strapi's users, and
// everything else. Pure. A path is read as core/request_path reads it; an odd form is refused.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi::ingest
{

enum class route_need {
    nothing, // OPTIONS: a browser's preflight carries no token
    anybody, // no token passes; a good one gives identity; a bad one is refused
    signed_in, // GET /api/users, GET /api/users/me
    owner, // GET, PUT, DELETE /api/users/:id, and every other method on it
    refused, // an odd form of a path
};

struct route_judgement
{
    route_need need{route_need::anybody};
    std::string owner_id; // with `owner`: the id as text, which must equal the user's Strapi id
};

// `uri` is path and query, or an absolute URI.
[[nodiscard]] route_judgement judge_route(std::string_view method, std::string_view uri);

}
