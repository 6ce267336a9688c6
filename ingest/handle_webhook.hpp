#pragma once

// The story of a webhook, in the order of the README: headers, signature, envelope, address, publish. Each step
// ends it or hands on. A 2xx verdict is given only after the brokers have the record (I1), or when there is
// nothing to keep.

#include "common/event/trace_context.hpp"
#include "ingest/async/bounded_cache.hpp"
#include "ingest/webhook/headers.hpp"
#include "ingest/webhook/signature.hpp"
#include "ingest/metrics.hpp"
#include "ingest/ports.hpp"

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

// Nothing in `reject`: 200. What became of it is counted already.
struct webhook_verdict
{
    std::optional<reject_reason> reject;
    std::string detail; // for the answer; never anything of the request
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

    // No instance ids: any instance counts.
    handle_webhook(webhook_verifier const& verifier, event_log& log, metrics& counted,
        std::set<std::string, std::less<>> instance_ids, clocks sources);

    [[nodiscard]] boost::asio::awaitable<webhook_verdict> operator()(incoming_webhook const& request);

private:
    // What leads from a log line to the request and to the row; empty where it is not known.
    struct trail
    {
        std::string_view event_id;
        std::string_view trace_id;
    };

    [[nodiscard]] bool is_foreign(envelope const& event) const;
    [[nodiscard]] bool says_something_else(std::string_view id, std::string_view body);
    [[nodiscard]] boost::asio::awaitable<webhook_verdict> store(
        webhook_type type, webhook_outcome when_stored, event_record const& record, trail from);
    void tell_stored(webhook_outcome as, event_record const& record, trail from) const;
    [[nodiscard]] webhook_verdict reject(
        webhook_type type, reject_reason reason, trail from, std::string detail = {}) const;

    webhook_verifier const& verifier_;
    event_log& log_;
    metrics& metrics_;
    std::set<std::string, std::less<>> instance_ids_;
    clocks sources_;
    bounded_cache<std::size_t> bodies_; // hashes of what the last authentic webhooks said, by their id
};

}
