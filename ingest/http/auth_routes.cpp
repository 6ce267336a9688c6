#include "ingest/http/auth_routes.hpp"

#include "common/log/logging.hpp"
#include "ingest/async/seat.hpp"
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
constexpr std::string_view origin_sent_twice = "two origins"; // equals none

// The headers that say who asks, collected in one walk.
class asker
{
public:
    explicit asker(http::request_view const& request)
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
        if (name.size() > 2 && (name[0] | 0x20) == 'x') original.see(lower_cased(name), value);
    }
    return original;
}

void warn_of_set_up(gateway_dialect dialect)
{
    static log::repeat_limit limit{std::chrono::minutes{1}};
    auto const held_back = limit.pass();
    if (!held_back) return;
    log::warning("a gateway does not say, in one voice, which URI the client asked for: see deploy/gateways",
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
    if (verify_ == nullptr) co_return refuse(auth_refusal::not_configured);
    if (under_way_ >= settings_.under_way_max) co_return refuse(auth_refusal::overloaded);
    seat const taken{under_way_};
    if (is_verify) co_return co_await verify(request);
    co_return co_await gateway(request);
}

http::response auth_routes::refuse(auth_refusal why)
{
    auth_verdict const verdict{why, std::nullopt, {}};
    count(verdict, std::chrono::steady_clock::now());
    return refusal_answer(verdict, random_());
}

asio::awaitable<http::response> auth_routes::verify(http::request_view const& request)
{
    auto const begun = std::chrono::steady_clock::now();
    asker const who{request};
    auto const asked = who.request(settings_);
    auto const verdict = co_await (*verify_)(asked);
    count(verdict, begun, asked.traceparent);
    co_return verdict.refusal ? refusal_answer(verdict, random_()) : identity_answer(verdict.who);
}

asio::awaitable<http::response> auth_routes::gateway(http::request_view const& request)
{
    auto const begun = std::chrono::steady_clock::now();
    asker const who{request};
    auto const original = read_original(request, settings_.dialect);
    gateway_request const asked{original.method(), original.uri(), who.request(settings_)};
    if (!asked.uri) warn_of_set_up(settings_.dialect);
    handle_gateway story{*verify_, settings_.impersonation};
    auto const verdict = co_await story(asked);
    count(verdict, begun, asked.auth.traceparent);
    co_return verdict.refusal ? refusal_answer(verdict, random_()) : gateway_answer(verdict.who, settings_.dialect);
}

void auth_routes::count(
    auth_verdict const& verdict, std::chrono::steady_clock::time_point begun, std::string_view traceparent)
{
    metrics_.verified(outcome_of(verdict), std::chrono::steady_clock::now() - begun);
    if (!log::enabled(log::level::debug)) return;
    auto const trace_id = trace_id_of(traceparent);
    if (verdict.refusal) {
        log::debug("token refused",
            {{"refusal", to_string(*verdict.refusal)}, {"reason", verdict.reason ? to_string(*verdict.reason) : ""},
                {"trace_id", trace_id}});
    } else if (verdict.who.claims) {
        log::debug("token accepted", {{"clerk_id", verdict.who.claims->clerk_id}, {"trace_id", trace_id}});
    }
}

}
