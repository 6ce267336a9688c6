#include "ingest/auth_service.hpp"

#include <algorithm>

namespace clerk_strapi::ingest
{
namespace
{

constexpr std::size_t provisioning_queue_bytes_max = 4 * 1024 * 1024;

key_source_settings key_settings_of(auth_config const& settings, metrics& counted)
{
    key_source_settings chosen;
    chosen.pem = settings.jwt_key;
    if (settings.secret_key)
        chosen.endpoint = backend_keys(settings.api_url, settings.secret_key);
    else if (settings.publishable)
        chosen.endpoint = frontend_keys(settings.publishable->frontend_api);
    if (chosen.endpoint && !chosen.pem) {
        for (auto const outcome : refresh_outcomes)
            counted.add_keys_outcome(to_text(outcome));
    }
    chosen.refreshed = [&counted](refresh_outcome outcome) { counted.keys_refreshed(to_text(outcome)); };
    return chosen;
}

directory_settings directory_settings_of(auth_config const& settings)
{
    directory_settings chosen;
    chosen.conninfo = settings.database;
    chosen.database_schema = settings.database_schema;
    chosen.times.cache = settings.cache_time;
    chosen.times.stale = settings.stale_time;
    return chosen;
}

std::unique_ptr<clerk_user_reader> make_reader(boost::asio::io_context& io, auth_config const& settings)
{
    if (!settings.secret_key) return nullptr;
    user_reader_settings chosen;
    chosen.api_url = settings.api_url;
    chosen.secret_key = settings.secret_key;
    return std::make_unique<clerk_user_reader>(io, std::move(chosen));
}

publisher_settings provisioning_publisher_settings_of(config const& settings, kafka::client_metrics& clients)
{
    publisher_settings chosen;
    chosen.client = settings.kafka;
    chosen.client.statistics = clients.observer("user-provisioning");
    chosen.provisioning_topic = settings.provisioning_topic;
    chosen.timeout = std::min(settings.auth.row_wait, settings.publish_timeout);
    chosen.waiting_max = settings.auth.waiters_max;
    chosen.queue_bytes_max = provisioning_queue_bytes_max;
    return chosen;
}

provisioning_settings provisioning_settings_of(config const& settings)
{
    provisioning_settings chosen;
    chosen.row_wait = settings.auth.row_wait;
    chosen.waiters_max = settings.auth.waiters_max;
    chosen.instance_ids = settings.instance_ids;
    return chosen;
}

std::chrono::system_clock::time_point wall() { return std::chrono::system_clock::now(); }
std::chrono::steady_clock::time_point steady() { return std::chrono::steady_clock::now(); }

}

auth_service::auth_service(boost::asio::io_context& io, config const& settings, metrics& counted,
    kafka::client_metrics& clients, std::function<std::uint64_t()> random)
    : metrics_{counted}
    , keys_{io, key_settings_of(settings.auth, counted)}
    , users_{io, directory_settings_of(settings.auth)}
    , clerk_{make_reader(io, settings.auth)}
    , publisher_{io, provisioning_publisher_settings_of(settings, clients)}
    , provision_{publisher_, users_, clerk_.get(), provisioning_settings_of(settings), {wall, steady}}
    , verify_{keys_, users_, provision_, settings.auth.policy, {wall, std::move(random)}}
{
}

void auth_service::start()
{
    keys_.start();
    users_.start();
}

void auth_service::update_gauges()
{
    metrics_.up(dependency::clerk, keys_.up() && (!clerk_ || clerk_->up()));
    metrics_.up(dependency::postgres, users_.up());
    if (auto const age = keys_.age_seconds()) {
        metrics_.keys_age(*age);
        metrics_.keys_ignored(keys_.ignored());
    }
}

void auth_service::cut_deadlines(std::chrono::steady_clock::time_point latest)
{
    keys_.cut_deadlines(latest);
    users_.cut_deadlines(latest);
    if (clerk_) clerk_->cut_deadlines(latest);
    publisher_.cut_deadlines(latest);
    provision_.cut_deadlines(latest);
}

// None of these checks decides readiness: webhooks do not need them, and removing the pod would only move the 503.
void auth_service::add_health(std::vector<health_check>& checks) const
{
    checks.push_back({"keys", keys_.up(), false, keys_.health()});
    checks.push_back({"postgres", users_.up(), false, users_.health()});
    if (clerk_) checks.push_back({"clerk", clerk_->up(), false, clerk_->health()});
}

}
