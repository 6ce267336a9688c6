#include "ingest/http/status.hpp"

namespace clerk_strapi::ingest
{
namespace
{

constexpr std::uint64_t retry_after_seconds_max = 5;

}

http::response answer_for(webhook_verdict const& verdict, std::uint64_t spread)
{
    if (!verdict.reject) {
        http::response taken;
        taken.body = R"({"received":true})";
        return taken;
    }
    auto const row = describe(*verdict.reject);
    auto answer = http::problem(row.status, row.problem, row.title, verdict.detail);
    if (row.status == 503)
        answer.headers.emplace_back("Retry-After", std::to_string(1 + spread % retry_after_seconds_max));
    return answer;
}

http::response not_found() { return http::problem(404, "not_found", "There is nothing at this path"); }

http::response method_not_allowed(std::string allowed)
{
    auto answer = http::problem(405, "method_not_allowed", "The method is not allowed at this path");
    answer.headers.emplace_back("Allow", std::move(allowed));
    return answer;
}

}
