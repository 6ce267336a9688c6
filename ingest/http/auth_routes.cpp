#include "ingest/http/auth_routes.hpp"

#include "common/log/logging.hpp"
#include "ingest/async/in_flight.hpp"
#include "ingest/http/auth_responses.hpp"
#include "ingest/http/status.hpp"

#include <algorithm>
#include <vector>

namespace clerk_strapi::ingest
{
namespace
{

namespace asio = boost::asio;

constexpr std::string_view verify_path = "/v1/auth/verify";
constexpr std::string_view gateway_path = "/v1/auth/gateway";
constexpr std::string_view origin_sent_twice = "two origins"; // equals no real origin, so it is rejected

// The headers that identify the client, collected in one pass.
class client_headers
{
public:
    explicit client_headers(http::request_view const& request)
    {
        for (auto const& [name, value] : request.headers) {
            if (http::same_name(name, "authorization")) authorization_.push_back(value);
            if (http::same_name(name, "cookie")) cookies_.push_back(value);
            if (http::same_name(name, "origin")) origin_ = origin_ && *origin_ != value ? origin_sent_twice : value;
            if (http::same_name(name, "traceparent")) traceparent_ = value;
        }
    }

    [[nodiscard]] auth_request request(auth_settings const& settings) const
    {
        return {choose_token(authorization_, cookies_, settings.cookie_suffix, settings.issuer), origin_, traceparent_};
    }

private:
    std::vector<std::string_view> authorization_;
    std::vector<std::string_view> cookies_;
    std::optional<std::string_view> origin_;
    std::string_view traceparent_;
};

std::string lower_cased(std::string_view name)
{
    std::string text{name};
    std::transform(text.begin(), text.end(), text.begin(),
        [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return text;
}

original_request read_original(http::request_view const& request, gateway_dialect dialect)
{
    original_request original{dialect, request.method, request.target.substr(gateway_path.size())};
    for (auto const& [name, value] : request.headers) {
        if (name.size() > 2 && (name[0] | 0x20) == 'x') original.add(lower_cased(name), value);
    }
    return original;
}

void warn_about_gateway(gateway_dialect dialect)
{
    static log::repeat_limit limit{std::chrono::minutes{1}};
    auto const held_back = limit.pass();
    if (!held_back) return;
    log::warning("a gateway sends no original URI, or two different ones: configure it as in deploy/gateways",
        {{"dialect", to_string(dialect)}, {"held_back", *held_back}});
}

}

bool is_auth_path(std::string_view path)
{
    if (path == verify_path || path == gateway_path) return true;
    return path.starts_with(gateway_path) && path[gateway_path.size()] == '/';
}

auth_routes::auth_routes(
    handle_auth_verify* verify, metrics& counted, auth_settings settings, std::function<std::uint64_t()> random)
    : verify_{verify}
    , metrics_{counted}
    , settings_{std::move(settings)}
    , random_{std::move(random)}
{
}

asio::awaitable<http::response> auth_routes::operator()(http::request_view const& request)
{
    auto const is_verify = request.path() == verify_path;
    if (is_verify && request.method != "GET") co_return method_not_allowed("GET");
    if (verify_ == nullptr) co_return reject(auth_rejection::not_configured);
    if (in_flight_count_ >= settings_.in_flight_max) co_return reject(auth_rejection::overloaded);
    in_flight const taken{in_flight_count_};
    if (is_verify) co_return co_await verify(request);
    co_return co_await gateway(request);
}

http::response auth_routes::reject(auth_rejection why)
{
    auth_decision const decision{why, std::nullopt, {}};
    count(decision, std::chrono::steady_clock::now());
    return rejection_response(decision, random_());
}

asio::awaitable<http::response> auth_routes::verify(http::request_view const& request)
{
    auto const started = std::chrono::steady_clock::now();
    client_headers const client{request};
    auto const token_request = client.request(settings_);
    auto const decision = co_await (*verify_)(token_request);
    count(decision, started, token_request.traceparent);
    co_return decision.rejection ? rejection_response(decision, random_()) : identity_response(decision.identity);
}

asio::awaitable<http::response> auth_routes::gateway(http::request_view const& request)
{
    auto const started = std::chrono::steady_clock::now();
    client_headers const client{request};
    auto const original = read_original(request, settings_.dialect);
    gateway_request const original_call{original.method(), original.uri(), client.request(settings_)};
    if (!original_call.uri) warn_about_gateway(settings_.dialect);
    handle_gateway story{*verify_, settings_.impersonation};
    auto const decision = co_await story(original_call);
    count(decision, started, original_call.auth.traceparent);
    co_return decision.rejection ? rejection_response(decision, random_())
                                 : gateway_response(decision.identity, settings_.dialect);
}

void auth_routes::count(
    auth_decision const& decision, std::chrono::steady_clock::time_point started, std::string_view traceparent)
{
    metrics_.verified(outcome_of(decision), std::chrono::steady_clock::now() - started);
    if (!log::enabled(log::level::debug)) return;
    auto const trace_id = trace_id_of(traceparent);
    if (decision.rejection) {
        log::debug("token rejected",
            {{"refusal", to_string(*decision.rejection)},
                {"reason", decision.reason ? to_string(*decision.reason) : ""}, {"trace_id", trace_id}});
    } else if (decision.identity.claims) {
        log::debug("token accepted", {{"clerk_id", decision.identity.claims->clerk_id}, {"trace_id", trace_id}});
    }
}

}
