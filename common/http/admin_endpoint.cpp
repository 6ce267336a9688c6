#include "common/http/admin_endpoint.hpp"

#include "common/event/json_text.hpp"
#include "common/log/logging.hpp"
#include "common/process/process_metrics.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <iterator>

namespace clerk_strapi
{
namespace
{

http::server_limits small_limits()
{
    http::server_limits limits;
    limits.body_bytes_max = 4 * 1024;
    limits.body_bytes_together_max = 64 * 1024;
    limits.connections_max = 64;
    return limits;
}

http::server_hooks logging_hooks()
{
    http::server_hooks hooks;
    hooks.trouble = [](std::string_view what, std::string_view detail) {
        static log::repeat_limit limit{std::chrono::seconds{10}};
        if (auto const held_back = limit.pass()) {
            log::warning("the admin listener failed to serve a connection",
                {{"trouble", what}, {"detail", detail}, {"held_back", *held_back}});
        }
    };
    return hooks;
}

http::response text_page(unsigned status, std::string body)
{
    http::response page;
    page.status = status;
    page.content_type = "text/plain; charset=utf-8";
    page.body = std::move(body);
    return page;
}

}

std::string readiness_json(std::vector<health_check> const& checks)
{
    std::string out = std::string{R"({"ready":)"} + (is_ready(checks) ? "true" : "false") + R"(,"checks":[)";
    char const* separator = "\n";
    for (auto const& check : checks) {
        out += separator;
        out += R"({"check":)" + json_string(check.name) + R"(,"ok":)" + (check.ok ? "true" : "false") + R"(,"needed":)"
            + (check.needed ? "true" : "false") + R"(,"detail":)" + json_string(check.detail) + "}";
        separator = ",\n";
    }
    return out + "\n]}\n";
}

bool is_ready(std::vector<health_check> const& checks)
{
    return std::all_of(checks.begin(), checks.end(), [](auto const& check) { return check.ok || !check.needed; });
}

admin_endpoint::admin_endpoint(boost::asio::io_context& io, std::string const& host, std::uint16_t port,
    std::shared_ptr<prometheus::Registry> metrics, health_report report)
    : metrics_{std::move(metrics)}
    , report_{std::move(report)}
    , server_{io, host, port, small_limits(),
          [this](http::request_view const& request) -> boost::asio::awaitable<http::response> {
              co_return answer(request);
          },
          logging_hooks()}
{
    server_.start();
}

void admin_endpoint::begin_stop()
{
    using std::chrono::milliseconds;
    server_.begin_stop({milliseconds{0}, milliseconds{200}, milliseconds{500}});
}

http::response admin_endpoint::answer(http::request_view const& request) const
{
    auto const path = request.path();
    if (path != "/livez" && path != "/readyz" && path != "/metrics") {
        return http::problem(404, "not_found", "There is nothing at this path");
    }
    if (request.method != "GET" && request.method != "HEAD") {
        auto refused = http::problem(405, "method_not_allowed", "The method is not allowed at this path");
        refused.headers.emplace_back("Allow", "GET, HEAD");
        return refused;
    }
    if (path == "/livez") return text_page(200, "ok\n");
    if (path == "/metrics") return metrics_page();
    auto const checks = report_();
    http::response page;
    page.status = is_ready(checks) ? 200 : 503;
    page.body = readiness_json(checks);
    return page;
}

http::response admin_endpoint::metrics_page() const
{
    http::response page;
    page.content_type = "text/plain; version=0.0.4; charset=utf-8";
    auto families = metrics_->Collect();
    std::ranges::move(process_metrics(), std::back_inserter(families));
    page.body = prometheus::TextSerializer{}.Serialize(families);
    return page;
}

admin_thread::admin_thread(
    std::string const& host, std::uint16_t port, std::shared_ptr<prometheus::Registry> metrics, health_report report)
    : io_{1}
    , endpoint_{io_, host, port, std::move(metrics), std::move(report)}
    , thread_{[this] { io_.run(); }}
{
}

admin_thread::~admin_thread()
{
    io_.stop();
    thread_.join();
}

}
