#pragma once

// The operator's listener: /livez (the event loop runs), /readyz (JSON, one line per check) and /metrics. Any other
// path is 404, any other method than GET and HEAD 405. Never on the public port (C11).
//
// admin_endpoint runs on the io_context of a program that has one; admin_thread has its own thread.

#include "common/http/server.hpp"

#include <boost/asio/io_context.hpp>
#include <prometheus/registry.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace clerk_strapi
{

struct health_check
{
    std::string name; // configuration, kafka, schema, ...
    bool ok{false};
    bool needed{true}; // false: shown in /readyz, but the program is ready without it
    std::string detail; // for an operator; no secrets
};
// Called for every /readyz on the thread that serves it, so it must not block.
using health_report = std::function<std::vector<health_check>()>;

[[nodiscard]] std::string readiness_json(std::vector<health_check> const& checks);
[[nodiscard]] bool is_ready(std::vector<health_check> const& checks);

class admin_endpoint
{
public:
    admin_endpoint(boost::asio::io_context& io, std::string const& host, std::uint16_t port,
        std::shared_ptr<prometheus::Registry> metrics, health_report report);

    [[nodiscard]] std::uint16_t port() const { return server_.port(); }
    void begin_stop();
    [[nodiscard]] bool finished() const { return server_.finished(); }

private:
    [[nodiscard]] http::response answer(http::request_view const& request) const;
    [[nodiscard]] http::response metrics_page() const;

    std::shared_ptr<prometheus::Registry> metrics_;
    health_report report_;
    http::server server_;
};

class admin_thread
{
public:
    admin_thread(std::string const& host, std::uint16_t port, std::shared_ptr<prometheus::Registry> metrics,
        health_report report);
    ~admin_thread(); // ends the thread and the requests that it serves
    [[nodiscard]] std::uint16_t port() const { return endpoint_.port(); }

private:
    boost::asio::io_context io_;
    admin_endpoint endpoint_;
    std::thread thread_;
};

}
