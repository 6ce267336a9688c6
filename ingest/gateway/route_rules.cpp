#include "ingest/gateway/route_rules.hpp"

#include "ingest/gateway/request_path.hpp"

namespace clerk_strapi::ingest
{

route_decision decide_route(std::string_view method, std::string_view uri)
{
    if (method == "OPTIONS") return {route_need::nothing, {}};
    auto const segments = read_path(uri);
    if (!segments) return {route_need::rejected, {}};

    if (segments->size() < 2 || (*segments)[0] != "api" || (*segments)[1] != "users")
        return {route_need::optional_token, {}};
    if (segments->size() == 2) {
        // Strapi treats HEAD as GET. Other methods (POST creates a user) are left to Strapi's own permissions.
        auto const lists = method == "GET" || method == "HEAD";
        return {lists ? route_need::signed_in : route_need::optional_token, {}};
    }
    // Paths below a user need the same as the user: Strapi has no such routes, but an application may.
    auto const& id = (*segments)[2];
    if (id == "me" || id == "count") return {route_need::signed_in, {}};
    return {route_need::owner, id};
}

}
