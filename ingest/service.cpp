#include "ingest/service.hpp"

#include "common/kafka/known_faults.hpp"
#include "common/log/logging.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace clerk_strapi::ingest
{
namespace
{

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto housekeeping_interval = 1s;
constexpr auto publish_after_stop = 4s; // a record without a delivery report by then gets 503
constexpr auto flush_time = 500ms; // every sender has its response by then; flushing only avoids some second copies

// A waiting request holds a connection. Webhooks and verify requests each have a bound, and some connections remain for
// requests that are still being read.
constexpr std::size_t webhooks_in_flight_max = 768;
constexpr std::size_t verify_requests_beside_provisioning_max = 128;
constexpr std::size_t connections_for_reading = 152;

std::size_t verify_requests_max(auth_config const& settings)
{
    return settings.waiters_max + verify_requests_beside_provisioning_max;
}

webhook_verifier make_verifier(config const& settings)
{
    auto keys = parse_signing_keys(settings.webhook_secrets.reveal());
    if (!keys) throw config_error{"CLERK_WEBHOOK_SIGNING_SECRET " + keys.error()};
    return webhook_verifier{std::move(*keys)};
}

publisher_settings publisher_settings_of(config const& settings, kafka::client_metrics& clients)
{
    publisher_settings chosen;
    chosen.client = settings.kafka;
    chosen.client.statistics = clients.observer("webhooks");
    chosen.user_events_topic = settings.user_events_topic;
    chosen.dead_letters_topic = settings.dead_letters_topic;
    chosen.timeout = settings.publish_timeout;
    return chosen;
}

auth_settings auth_settings_of(auth_config const& settings)
{
    return {settings.publishable ? settings.publishable->cookie_suffix : "", settings.policy.issuer.value_or(""),
        settings.dialect, settings.impersonation, verify_requests_max(settings)};
}

asio::awaitable<void> pause(std::chrono::milliseconds time)
{
    asio::steady_timer timer{co_await asio::this_coro::executor, time};
    co_await timer.async_wait(asio::use_awaitable);
}

}

service::service(config settings)
    : config_{std::move(settings)}
    , io_{1}
    , random_{std::random_device{}()}
    , verifier_{make_verifier(config_)}
    , publisher_{io_, publisher_settings_of(config_, clients_)}
    , webhooks_{verifier_, publisher_, metrics_, config_.instance_ids,
          {[] { return std::chrono::system_clock::now(); }, [] { return std::chrono::steady_clock::now(); },
              [this] { return random_(); }}}
    , auth_{make_auth()}
    , auth_routes_{auth_ ? &auth_->verify() : nullptr, metrics_, auth_settings_of(config_.auth),
          [this] { return random_(); }}
    , routes_{webhooks_, auth_routes_, metrics_, webhooks_in_flight_max, [this] { return random_(); }}
    , gate_{io_, config_}
    , admin_{io_, config_.admin_listen.host, config_.admin_listen.port, metrics_.registry(),
          [this] { return health(); }}
    , server_{io_, config_.listen.host, config_.listen.port, limits(),
          [this](http::request_view const& request) { return routes_(request); }, hooks()}
{
    if (config_.webhook_secrets_file) {
        secrets_file_.emplace(*config_.webhook_secrets_file);
        static_cast<void>(secrets_file_->changed()); // the content read at the start is not a change
    }
}

std::unique_ptr<auth_service> service::make_auth()
{
    if (!config_.auth.is_on()) return nullptr;
    return std::make_unique<auth_service>(io_, config_, metrics_, clients_, [this] { return random_(); });
}

http::server_limits service::limits() const
{
    http::server_limits chosen;
    chosen.body_bytes_max = config_.body_bytes_max;
    chosen.body_bytes_together_max = std::max(chosen.body_bytes_together_max, 4 * config_.body_bytes_max);
    chosen.connections_max = std::max(
        chosen.connections_max, webhooks_in_flight_max + verify_requests_max(config_.auth) + connections_for_reading);
    return chosen;
}

http::server_hooks service::hooks()
{
    http::server_hooks chosen;
    chosen.refused = [this](http::fault what, http::request_view const& request) {
        routes_.count_rejected(what, request);
    };
    chosen.trouble = [](std::string_view what, std::string_view detail) {
        static log::repeat_limit limit{10s};
        if (auto const held_back = limit.pass()) {
            log::warning("the public HTTP listener reports a problem",
                {{"trouble", what}, {"detail", detail}, {"held_back", *held_back}});
        }
    };
    return chosen;
}

void service::run(int stop_descriptor, std::function<std::uint64_t()> hangups)
{
    server_.start();
    if (auth_) auth_->start();
    log::info("listening",
        {{"address", config_.listen.host}, {"port", port()}, {"admin_address", config_.admin_listen.host},
            {"admin_port", admin_port()}});
    if (config_.instance_ids.empty())
        log::warning("CLERK_INSTANCE_IDS is not set: events of any Clerk instance are published");
    for (auto const& sentence : config_.warnings)
        log::warning(sentence);
    for (auto const& sentence : config_.auth.warnings())
        log::warning(sentence);
    for (auto const& sentence : kafka::known_faults(kafka::loaded_library(), config_.kafka.extra))
        log::warning(sentence);
    asio::co_spawn(io_, wait_and_stop(stop_descriptor), asio::detached);
    asio::co_spawn(io_, run_housekeeping(std::move(hangups)), asio::detached);
    io_.run();
    auto const all_reported = publisher_.flush(flush_time);
    if (auth_ && !auth_->flush(flush_time))
        log::warning("stopping with provisioning records that Kafka has not confirmed");
    if (!all_reported) log::warning("stopping with webhooks that Kafka has not confirmed; their senders received 503");
    log::info("clerk-ingest has stopped");
}

// Not ready at once; new connections for 3 s more; every deadline shortened to 4 s; then open connections are closed.
asio::awaitable<void> service::wait_and_stop(int stop_descriptor)
{
    asio::posix::stream_descriptor stop{io_, stop_descriptor};
    boost::system::error_code failed;
    co_await stop.async_wait(
        asio::posix::stream_descriptor::wait_read, asio::redirect_error(asio::use_awaitable, failed));
    stop.release();

    log::info("clerk-ingest is stopping",
        {{"connections", server_.open_connections()}, {"publications", publisher_.waiting()}});
    stopping_ = true;
    gate_.begin_stop();
    server_.begin_stop();
    publisher_.cut_deadlines(std::chrono::steady_clock::now() + publish_after_stop);
    if (auth_) auth_->cut_deadlines(std::chrono::steady_clock::now() + publish_after_stop);
    while (!server_.finished())
        co_await pause(20ms);
    admin_.begin_stop();
    io_.stop();
}

asio::awaitable<void> service::run_housekeeping(std::function<std::uint64_t()> hangups)
{
    std::uint64_t handled = 0;
    for (;;) {
        check_brokers();
        gate_.update(publisher_.brokers_up());
        log_drops_.update();
        if (auth_) auth_->update_gauges();
        auto const now = hangups ? hangups() : 0;
        if (std::exchange(handled, now) != now && secrets_file_) {
            secrets_file_ = file_watch{
                std::string{secrets_file_->path()}}; // copies the path: the assignment destroys the old watch
        }
        reload_secrets();
        co_await pause(housekeeping_interval);
    }
}

void service::check_brokers()
{
    bool const up = publisher_.brokers_up();
    metrics_.up(dependency::kafka, up);
    if (!up && !brokers_were_up_) return; // no connection since the start yet
    if (std::exchange(brokers_were_up_, up) == up) return;
    if (up) return log::info("a Kafka broker is connected");
    log::warning("no Kafka broker is connected: webhooks get 503 until one is", {{"detail", publisher_.trouble()}});
}

// A half-written, invalid or missing file changes nothing: ingest keeps the previous secrets and logs an error (F30).
void service::reload_secrets()
{
    if (!secrets_file_) return;
    auto const content = secrets_file_->changed();
    if (secrets_file_->lost()) {
        log::error(
            "cannot read the webhook secrets file; keeping the previous secrets", {{"file", secrets_file_->path()}});
    }
    if (!content) return;
    auto keys = parse_signing_keys(*content);
    if (!keys) {
        log::error("the new webhook secrets are not valid; keeping the previous secrets",
            {{"file", secrets_file_->path()}, {"fault", keys.error()}});
        return;
    }
    log::info("webhook secrets reloaded", {{"file", secrets_file_->path()}, {"secrets", keys->size()}});
    verifier_.replace(std::move(*keys));
}

std::string service::kafka_trouble() const
{
    auto const reason = publisher_.trouble();
    return "no broker is connected: webhooks get 503 until one is" + (reason.empty() ? "" : "; " + reason);
}

std::vector<health_check> service::health() const
{
    bool const kafka = publisher_.brokers_up();
    std::vector<health_check> checks{
        {"configuration", true, true, "complete"},
        {"running", !stopping_, true, stopping_ ? "stopping" : "accepting requests"},
        {"kafka", kafka, false, kafka ? "a broker is connected" : kafka_trouble()},
        gate_.health(),
    };
    if (auth_)
        auth_->add_health(checks);
    else
        checks.push_back({"verify", false, false, "not configured: /v1/auth returns 503"});
    return checks;
}

}
