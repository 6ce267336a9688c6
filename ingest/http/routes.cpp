#include "ingest/http/routes.hpp"

#include "ingest/async/seat.hpp"
#include "ingest/http/status.hpp"

namespace clerk_strapi::ingest
{
namespace
{

namespace asio = boost::asio;

webhook_outcome outcome_of(http::fault what)
{
    switch (what) {
    case http::fault::too_large: return webhook_outcome::too_large;
    case http::fault::overloaded: return webhook_outcome::shed;
    case http::fault::internal_error: return webhook_outcome::unavailable;
    case http::fault::bad_request:
    case http::fault::timeout:
    case http::fault::uri_too_long:
    case http::fault::unsupported_encoding:
    case http::fault::expectation_failed:
    case http::fault::headers_too_large:
    case http::fault::not_implemented: return webhook_outcome::malformed;
    }
    return webhook_outcome::malformed;
}

}

bool is_webhook_path(std::string_view path) { return path == "/webhooks/clerk" || path == "/api/clerk-auth/webhook"; }

http_routes::http_routes(handle_webhook& webhooks, auth_routes& auth, metrics& counted,
    std::size_t webhooks_under_way_max, std::function<std::uint64_t()> random)
    : webhooks_{webhooks}
    , auth_{auth}
    , metrics_{counted}
    , webhooks_under_way_max_{webhooks_under_way_max}
    , random_{std::move(random)}
{
    for (auto const what : http::faults)
        metrics_.http_may_refuse_as(http::describe(what).type);
}

asio::awaitable<http::response> http_routes::operator()(http::request_view const& request)
{
    if (is_auth_path(request.path())) co_return co_await auth_(request);
    if (!is_webhook_path(request.path())) co_return not_found();
    if (request.method != "POST") co_return method_not_allowed("POST");
    co_return co_await webhook(request);
}

asio::awaitable<http::response> http_routes::webhook(http::request_view const& request)
{
    if (webhooks_under_way_ >= webhooks_under_way_max_) {
        metrics_.webhook(webhook_type::unknown, webhook_outcome::shed);
        webhook_verdict shed;
        shed.reject = reject_reason::queue_full;
        co_return answer_for(shed, random_());
    }
    seat const taken{webhooks_under_way_};
    incoming_webhook incoming{{}, request.body, {}};
    for (auto const& [name, value] : request.headers) {
        incoming.headers.add(name, value);
        if (http::same_name(name, "traceparent")) incoming.traceparent = value;
    }
    auto const verdict = co_await webhooks_(incoming);
    co_return answer_for(verdict, verdict.reject ? random_() : 0);
}

void http_routes::count_refused(http::fault what, http::request_view const& request)
{
    metrics_.http_refused(http::describe(what).type);
    if (is_webhook_path(request.path())) metrics_.webhook(webhook_type::unknown, outcome_of(what));
}

}
