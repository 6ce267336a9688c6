#pragma once

// Handles a webhook, in the order of the README: headers, signature, envelope, topic, publish. Returns a 2xx decision
// only after the brokers have stored the record (I1), or when there is nothing to store.

#include "common/event/trace_context.hpp"
#include "ingest/async/bounded_cache.hpp"
#include "ingest/metrics.hpp"
#include "ingest/ports.hpp"
#include "ingest/webhook/headers.hpp"
#include "ingest/webhook/signature.hpp"

#include <boost/asio/awaitable.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace clerk_strapi::ingest
{

// Nothing in `reject`: 200. The outcome is already counted.
struct webhook_decision
{
    std::optional<reject_reason> reject;
    std::string detail; // for the response; never holds a value of the request
};

struct incoming_webhook
{
    webhook_headers headers;
    std::string_view body;
    std::string_view traceparent; // as received
};

class handle_webhook
{
public:
    struct clocks
    {
        std::function<std::chrono::system_clock::time_point()> wall;
        std::function<std::chrono::steady_clock::time_point()> steady;
        std::function<std::uint64_t()> random;
    };

    // Without instance ids, events of any instance are accepted.
    handle_webhook(webhook_verifier const& verifier, event_publisher& publisher, metrics& counted,
        std::set<std::string, std::less<>> instance_ids, clocks sources);

    [[nodiscard]] boost::asio::awaitable<webhook_decision> operator()(incoming_webhook const& request);

private:
    // Connects a log line with the request and the row. Empty where unknown.
    struct trail
    {
        std::string_view event_id;
        std::string_view trace_id;
    };

    [[nodiscard]] bool is_foreign(envelope const& event) const;
    [[nodiscard]] bool has_other_body(std::string_view id, std::string_view body);
    [[nodiscard]] boost::asio::awaitable<webhook_decision> store(
        webhook_type type, webhook_outcome when_stored, published_event const& record, trail from);
    void log_stored(webhook_outcome outcome, published_event const& record, trail from) const;
    [[nodiscard]] webhook_decision reject(
        webhook_type type, reject_reason reason, trail from, std::string detail = {}) const;

    webhook_verifier const& verifier_;
    event_publisher& publisher_;
    metrics& metrics_;
    std::set<std::string, std::less<>> instance_ids_;
    clocks sources_;
    bounded_cache<std::size_t> bodies_; // hashes of the bodies of the last authentic webhooks, by webhook id
};

}
