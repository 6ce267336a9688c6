#include "ingest/handle_webhook.hpp"

#include "common/event/cloud_event.hpp"
#include "common/log/logging.hpp"
#include "common/process/fail_point.hpp"

namespace clerk_strapi::ingest
{
namespace
{

namespace asio = boost::asio;

constexpr std::string_view foreign_instance = "foreign_instance";
constexpr std::size_t bodies_remembered = 8'192; // about a megabyte

bool is_about_users(event_kind kind)
{
    return kind == event_kind::created || kind == event_kind::updated || kind == event_kind::deleted;
}

std::optional<reject_reason> reason_for(publish_outcome outcome)
{
    switch (outcome) {
    case publish_outcome::persisted: return std::nullopt;
    case publish_outcome::queue_full: return reject_reason::queue_full;
    case publish_outcome::too_large: return reject_reason::record_refused;
    case publish_outcome::refused:
    case publish_outcome::timed_out: return reject_reason::not_acknowledged;
    case publish_outcome::possibly_persisted: return reject_reason::possibly_persisted;
    }
    return reject_reason::not_acknowledged;
}

}

handle_webhook::handle_webhook(webhook_verifier const& verifier, event_log& log, metrics& counted,
    std::set<std::string, std::less<>> instance_ids, clocks sources)
    : verifier_{verifier}
    , log_{log}
    , metrics_{counted}
    , instance_ids_{std::move(instance_ids)}
    , sources_{std::move(sources)}
    , bodies_{bodies_remembered}
{
}

asio::awaitable<webhook_verdict> handle_webhook::operator()(incoming_webhook const& request)
{
    fail_point(fail_at::ingest_before_verify);
    auto const headers = request.headers.read();
    if (!headers) {
        trail const from{{}, trace_id_of(request.traceparent)};
        co_return reject(webhook_type::unknown, headers.error(), from, request.headers.missing());
    }
    auto const now = sources_.wall();
    auto const slot = verifier_.verify(*headers, request.body, now);
    if (!slot) {
        if (slot.error() == reject_reason::outside_tolerance && verifier_.signer_of(*headers, request.body))
            metrics_.clock_suspect(true);
        trail const from{headers->id, trace_id_of(request.traceparent)};
        co_return reject(webhook_type::unknown, slot.error(), from);
    }
    metrics_.secret_used(*slot);
    metrics_.clock_suspect(false);
    if (says_something_else(headers->id, request.body)) metrics_.event_id_reused();
    fail_point(fail_at::ingest_after_verify);

    // From here on it is authentic: whatever is wrong with it is kept, and a retry would change nothing.
    auto const trace = is_traceparent(request.traceparent)
        ? std::string{request.traceparent}
        : make_traceparent({sources_.random(), sources_.random(), sources_.random()});
    webhook const from{headers->id, headers->seconds, request.body, trace};
    trail const ids{from.id, trace_id_of(trace)};

    auto const event = scan_envelope(request.body);
    if (!event) {
        event_record const record{
            from, nullptr, {to_string(event.error()), "authentic, but the body cannot be used", now}};
        co_return co_await store(webhook_type::unknown, webhook_outcome::parked, record, ids);
    }
    auto const type = webhook_type_of(event->kind);
    if (!is_about_users(event->kind)) { // before everything else: some carry one-time codes and must leave no trace
        metrics_.webhook(type, webhook_outcome::ignored);
        co_return webhook_verdict{};
    }
    if (is_foreign(*event)) {
        event_record const record{
            from, &*event, {foreign_instance, "instance_id is not one of CLERK_INSTANCE_IDS", now}};
        co_return co_await store(type, webhook_outcome::parked, record, ids);
    }
    event_record const record{from, *event};
    co_return co_await store(type, webhook_outcome::accepted, record, ids);
}

// A retry has the same body. Somebody who signs another one under the same id has our secret (A11); both are published,
// as the versions decide. An alarm, not a guard: a hash that anybody can compute is enough.
bool handle_webhook::says_something_else(std::string_view id, std::string_view body)
{
    auto const hash = std::hash<std::string_view>{}(body);
    auto const* const before = bodies_.find(id);
    if (before != nullptr) return *before != hash;
    bodies_.put(id, hash);
    return false;
}

bool handle_webhook::is_foreign(envelope const& event) const
{
    return !instance_ids_.empty() && !instance_ids_.contains(event.instance_id);
}

asio::awaitable<webhook_verdict> handle_webhook::store(
    webhook_type type, webhook_outcome when_stored, event_record const& record, trail from)
{
    auto const begun = sources_.steady();
    auto const outcome = co_await log_.publish(record);
    metrics_.published(sources_.steady() - begun);
    if (auto const reason = reason_for(outcome)) co_return reject(type, *reason, from);
    if (fails_at(fail_at::ingest_after_report)) co_return reject(type, reject_reason::possibly_persisted, from);
    metrics_.webhook(type, when_stored);
    tell_stored(when_stored, record, from);
    co_return webhook_verdict{};
}

void handle_webhook::tell_stored(webhook_outcome as, event_record const& record, trail from) const
{
    log::debug("webhook stored",
        {{"outcome", to_string(as)}, {"event_id", from.event_id}, {"clerk_id", record.key().value_or("")},
            {"trace_id", from.trace_id}});
    if (as != webhook_outcome::parked) return;
    static log::repeat_limit limit{std::chrono::seconds{1}};
    auto const held_back = limit.pass();
    if (!held_back) return;
    log::warning("webhook parked",
        {{"reason", record.header(dead_letter::reason)}, {"event_id", from.event_id},
            {"clerk_id", record.key().value_or("")}, {"trace_id", from.trace_id}, {"held_back", *held_back}});
}

webhook_verdict handle_webhook::reject(webhook_type type, reject_reason reason, trail from, std::string detail) const
{
    auto const row = describe(reason);
    metrics_.webhook(type, row.outcome);
    log::debug("webhook rejected", {{"reason", row.name}, {"event_id", from.event_id}, {"trace_id", from.trace_id}});
    if (reason == reject_reason::record_refused) {
        static log::repeat_limit limit{std::chrono::seconds{10}};
        if (auto const held_back = limit.pass()) {
            log::error("a record is larger than the brokers accept: lower MAX_BODY_BYTES or raise the topic's "
                       "max.message.bytes",
                {{"event_id", from.event_id}, {"held_back", *held_back}});
        }
    }
    return {reason, std::move(detail)};
}

}
