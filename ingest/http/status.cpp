#include "ingest/http/status.hpp"

namespace clerk_strapi::ingest
{
namespace
{

constexpr std::uint64_t retry_after_seconds_max = 5;

}

http::response response_to(webhook_decision const& decision, std::uint64_t spread)
{
    if (!decision.reject) {
        http::response accepted;
        accepted.body = R"({"received":true})";
        return accepted;
    }
    auto const row = describe(*decision.reject);
    auto response = http::problem(row.status, row.problem, row.title, decision.detail);
    if (row.status == 503)
        response.headers.emplace_back("Retry-After", std::to_string(1 + spread % retry_after_seconds_max));
    return response;
}

http::response not_found() { return http::problem(404, "not_found", "There is nothing at this path"); }

http::response method_not_allowed(std::string allowed)
{
    auto response = http::problem(405, "method_not_allowed", "The method is not allowed at this path");
    response.headers.emplace_back("Allow", std::move(allowed));
    return response;
}

}
