#pragma once

// The wiring of session token verification, in the order of dependence. It exists only when it is configured.
// Everything runs on the io_context's thread. Keys, users and Clerk's API each have helper threads. Provisioning has
// its own Kafka producer, so that webhooks and provisioning cannot fill each other's queue.

#include "common/http/admin_endpoint.hpp"
#include "common/kafka/client_metrics.hpp"
#include "ingest/config.hpp"
#include "ingest/handle_auth_verify.hpp"
#include "ingest/metrics.hpp"
#include "ingest/publish/kafka_publisher.hpp"
#include "ingest/token/key_source.hpp"
#include "ingest/users/clerk_user_reader.hpp"
#include "ingest/users/provisioning.hpp"
#include "ingest/users/user_directory.hpp"

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

    // Call before run() or on its thread. Starts the first fetch of keys and the first query of the database.
    void start();
    void update_gauges();
    // For a stop: shortens every deadline to `latest`.
    void cut_deadlines(std::chrono::steady_clock::time_point latest);
    bool flush(std::chrono::milliseconds time) { return publisher_.flush(time); }
    void add_health(std::vector<health_check>& checks) const;

private:
    metrics& metrics_;
    signing_key_source keys_;
    strapi_user_directory users_;
    std::unique_ptr<clerk_user_reader> clerk_; // null without a secret key
    kafka_publisher publisher_;
    provision_user provision_;
    handle_auth_verify verify_;
};

}
