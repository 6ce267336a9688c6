#pragma once

// The wiring of auth-verify, in the order of dependence. There only when it is configured. Everything runs on the
// io_context's thread; keys, users and Clerk's API have helper threads of their own, and first sights a producer of
// their own, so that neither webhooks nor verification can fill the other's queue.

#include "common/kafka/client_metrics.hpp"
#include "common/http/admin_endpoint.hpp"
#include "ingest/config.hpp"
#include "ingest/users/clerk_user_reader.hpp"
#include "ingest/publish/kafka_publisher.hpp"
#include "ingest/token/key_source.hpp"
#include "ingest/users/user_directory.hpp"
#include "ingest/handle_auth_verify.hpp"
#include "ingest/users/provisioning.hpp"
#include "ingest/metrics.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace clerk_strapi::ingest
{

class auth_service
{
public:
    auth_service(boost::asio::io_context& io, config const& settings, metrics& counted, kafka::client_metrics& clients,
        std::function<std::uint64_t()> random);

    [[nodiscard]] handle_auth_verify& verify() { return verify_; }

    // Before run(), or on its thread: begins to fetch keys and looks at the database.
    void start();
    void update_gauges();
    // Whoever waits then, waits no longer than until then (a stop).
    void cut_deadlines(std::chrono::steady_clock::time_point latest);
    bool flush(std::chrono::milliseconds time) { return publisher_.flush(time); }
    void add_health(std::vector<health_check>& checks) const;

private:
    metrics& metrics_;
    signing_key_source keys_;
    strapi_user_directory users_;
    std::unique_ptr<clerk_user_reader> clerk_; // null: without a secret key
    kafka_publisher publisher_;
    introduce_user introduce_;
    handle_auth_verify verify_;
};

}
