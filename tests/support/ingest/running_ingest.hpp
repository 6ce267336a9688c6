#pragma once

// The whole service in this process: real sockets on free ports, on its own thread.

#include "ingest/service.hpp"
#include "tests/support/ingest/raw_client.hpp"
#include "tests/support/mock_kafka.hpp"

#include <functional>
#include <future>
#include <memory>
#include <thread>

namespace clerk_strapi::tests
{

inline constexpr auto events = "clerk.user-events";
inline constexpr auto dead_letters = "clerk.dead-letters";
inline constexpr auto webhook_path = "/webhooks/clerk";

[[nodiscard]] std::size_t everything(mock_kafka const& kafka); // records of both topics

class running_ingest
{
public:
    // `change` may alter the configuration before the start.
    explicit running_ingest(std::string const& brokers, std::function<void(ingest::config&)> const& change = {});
    ~running_ingest(); // halts the service unless it has stopped

    [[nodiscard]] std::uint16_t port() const { return service_->port(); }
    [[nodiscard]] std::uint16_t admin_port() const { return service_->admin_port(); }

    [[nodiscard]] answer call(
        std::string_view method, std::string_view target, header_list const& headers = {}, std::string_view body = {});
    [[nodiscard]] answer deliver(std::string const& id, std::string const& body); // a webhook, signed now
    [[nodiscard]] answer admin(std::string_view target, std::string_view method = "GET");
    // The value of a series, named as in /metrics: "name{labels}". -1 if there is no such series.
    [[nodiscard]] double metric(std::string const& series);
    [[nodiscard]] double webhooks(std::string const& outcome, std::string const& type = "unknown");

    void ask_to_stop(); // as SIGTERM does
    [[nodiscard]] bool stopped_within(std::chrono::milliseconds time);

private:
    int stop_descriptor_;
    std::unique_ptr<ingest::service> service_;
    std::promise<void> ended_;
    std::future<void> end_{ended_.get_future()};
    std::thread thread_;
};

// One cluster and one service, shared by the tests that break neither.
struct shared_ingest
{
    mock_kafka kafka;
    running_ingest ingest{kafka.brokers()};
    static shared_ingest& get();
};

}
