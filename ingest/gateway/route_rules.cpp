#include "ingest/gateway/route_rules.hpp"

#include "ingest/gateway/request_path.hpp"

namespace clerk_strapi::ingest
{

route_judgement judge_route(std::string_view method, std::string_view uri)
{
    if (method == "OPTIONS") return {route_need::nothing, {}};
    auto const segments = read_path(uri);
    if (!segments) return {route_need::refused, {}};

    if (segments->size() < 2 || (*segments)[0] != "api" || (*segments)[1] != "users") return {route_need::anybody, {}};
    if (segments->size() == 2) {
        // Strapi answers HEAD as GET. Others (POST makes a user) are not of the five: Strapi's own permissions hold.
        auto const lists = method == "GET" || method == "HEAD";
        return {lists ? route_need::signed_in : route_need::anybody, {}};
    }
    // What lies below a user is judged as the user: Strapi has nothing there, an application may.
    auto const& whose = (*segments)[2];
    if (whose == "me" || whose == "count") return {route_need::signed_in, {}};
    return {route_need::owner, whose};
}

}
