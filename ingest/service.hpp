#pragma once

// `clerk-ingest run`: the wiring, in the order of dependence, so that destruction stops the parts in the right order.
// Everything runs on the thread that calls run(), except the threads listed in the README.

#include "common/config/file_watch.hpp"
#include "common/http/admin_endpoint.hpp"
#include "common/http/server.hpp"
#include "common/kafka/client_metrics.hpp"
#include "common/log/log_metrics.hpp"
#include "ingest/auth_service.hpp"
#include "ingest/config.hpp"
#include "ingest/handle_webhook.hpp"
#include "ingest/http/routes.hpp"
#include "ingest/metrics.hpp"
#include "ingest/publish/kafka_gate.hpp"
#include "ingest/publish/kafka_publisher.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>

namespace clerk_strapi::ingest
{

class service
{
public:
    // Listens at once. Throws when a port is in use or a setting is rejected.
    explicit service(config settings);

    // Returns after `stop_descriptor` became readable and the graceful stop is done (at most 9 s).
    // `hangups` is called once per second; when its value changes, the secrets file is read again.
    void run(int stop_descriptor, std::function<std::uint64_t()> hangups = {});

    // For tests, from any thread: run() returns without the graceful stop.
    void halt() { io_.stop(); }

    [[nodiscard]] std::uint16_t port() const { return server_.port(); }
    [[nodiscard]] std::uint16_t admin_port() const { return admin_.port(); }

private:
    boost::asio::awaitable<void> wait_and_stop(int stop_descriptor);
    boost::asio::awaitable<void> run_housekeeping(std::function<std::uint64_t()> hangups);
    void check_brokers();
    void reload_secrets();
    [[nodiscard]] std::unique_ptr<auth_service> make_auth();
    [[nodiscard]] std::string kafka_trouble() const;
    [[nodiscard]] std::vector<health_check> health() const;
    [[nodiscard]] http::server_limits limits() const;
    [[nodiscard]] http::server_hooks hooks();

    config config_;
    boost::asio::io_context io_;
    std::mt19937_64 random_;
    metrics metrics_;
    log_drops log_drops_{*metrics_.registry(), "clerk_ingest"};
    kafka::client_metrics clients_{*metrics_.registry()};
    webhook_verifier verifier_;
    std::optional<file_watch> secrets_file_;
    kafka_publisher publisher_;
    handle_webhook webhooks_;
    std::unique_ptr<auth_service> auth_; // null: not configured
    auth_routes auth_routes_;
    http_routes routes_;
    kafka_gate gate_;
    std::optional<bool> brokers_were_up_; // nothing until a broker was connected
    bool stopping_{false};
    admin_endpoint admin_;
    http::server server_; // last: it stops first
};

}
