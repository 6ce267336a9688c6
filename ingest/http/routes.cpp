#include "ingest/http/routes.hpp"

#include "ingest/async/in_flight.hpp"
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
    std::size_t webhooks_in_flight_max, std::function<std::uint64_t()> random)
    : webhooks_{webhooks}
    , auth_{auth}
    , metrics_{counted}
    , webhooks_in_flight_max_{webhooks_in_flight_max}
    , random_{std::move(random)}
{
    for (auto const what : http::faults)
        metrics_.add_http_reason(http::describe(what).type);
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
    if (webhooks_in_flight_ >= webhooks_in_flight_max_) {
        metrics_.webhook(webhook_type::unknown, webhook_outcome::shed);
        webhook_decision shed;
        shed.reject = reject_reason::queue_full;
        co_return response_to(shed, random_());
    }
    in_flight const taken{webhooks_in_flight_};
    incoming_webhook incoming{{}, request.body, {}};
    for (auto const& [name, value] : request.headers) {
        incoming.headers.add(name, value);
        if (http::same_name(name, "traceparent")) incoming.traceparent = value;
    }
    auto const decision = co_await webhooks_(incoming);
    co_return response_to(decision, decision.reject ? random_() : 0);
}

void http_routes::count_rejected(http::fault what, http::request_view const& request)
{
    metrics_.http_rejected(http::describe(what).type);
    if (is_webhook_path(request.path())) metrics_.webhook(webhook_type::unknown, outcome_of(what));
}

}
