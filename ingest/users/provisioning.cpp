#include "ingest/users/provisioning.hpp"

#include "common/event/envelope.hpp"
#include "common/event/trace_context.hpp"
#include "common/log/logging.hpp"
#include "ingest/async/seat.hpp"
#include "ingest/users/provisioning_body.hpp"

#include <algorithm>

namespace clerk_strapi::ingest
{
namespace
{

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr std::size_t flights_max = 20'000;
// Whoever waits for a row looks this often whether its publication failed.
constexpr auto look_interval = 100ms;

introduction_outcome outcome_of(user_outcome found)
{
    switch (found) {
    case user_outcome::found: return introduction_outcome::arrived;
    case user_outcome::deleted: return introduction_outcome::deleted;
    case user_outcome::absent: return introduction_outcome::pending;
    case user_outcome::unavailable: return introduction_outcome::unavailable;
    }
    return introduction_outcome::unavailable;
}

std::string milliseconds_text(std::chrono::system_clock::time_point time)
{
    return std::to_string(std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count());
}

}

introduce_user::introduce_user(
    event_log& log, user_directory& users, clerk_users* clerk, introduction_settings settings, clocks sources)
    : log_{log}
    , users_{users}
    , clerk_{clerk}
    , settings_{std::move(settings)}
    , sources_{std::move(sources)}
    , flights_{flights_max}
{
}

asio::awaitable<introduction> introduce_user::operator()(
    session_claims const& claims, std::string_view kid, std::string_view traceparent)
{
    if (waiting_ >= settings_.waiters_max) co_return introduction{introduction_outcome::overloaded};
    seat const taken{waiting_};
    if (current_flight(claims.clerk_id) == nullptr) {
        flights_.put(claims.clerk_id, {flight::stage::asking, sources_.steady()});
        auto const stage = co_await publish(claims, kid, traceparent);
        flights_.put(claims.clerk_id, {stage, sources_.steady()});
    }
    co_return co_await follow(claims.clerk_id, within(settings_.row_wait));
}

// The publication that this request may rely on, or null: one that failed, or is long ago, is none.
introduce_user::flight* introduce_user::current_flight(std::string const& clerk_id)
{
    auto* const known = flights_.find(clerk_id);
    if (known == nullptr || known->at == flight::stage::failed) return nullptr;
    return sources_.steady() - known->begun < settings_.quiet_time ? known : nullptr;
}

asio::awaitable<introduce_user::flight::stage> introduce_user::publish(
    session_claims const& claims, std::string_view kid, std::string_view traceparent)
{
    auto const instance = instance_of(kid);
    auto const now = sources_.wall();
    sighting seen{{}, claims.clerk_id, instance, seen_type, {}, now, traceparent};
    std::string id = "seen_" + claims.session_id + "_" + std::to_string(claims.issued_at);
    std::string body;
    if (clerk_ == nullptr) {
        body = seen_body(claims, instance, now);
    } else {
        auto const answer = co_await clerk_->read(claims.clerk_id, within(settings_.clerk_wait));
        if (answer.outcome == clerk_outcome::absent) co_return flight::stage::no_such_user;
        if (answer.outcome == clerk_outcome::unavailable) co_return flight::stage::failed;
        id = "snapshot_" + claims.clerk_id + "_" + milliseconds_text(answer.asked_at);
        body = snapshot_body(answer.user, instance, answer.asked_at);
        seen.type = snapshot_type;
        seen.time = answer.asked_at;
        if (auto const read = scan_envelope(body); !read || read->user_id != claims.clerk_id) {
            log::warning(
                "Clerk's API answered with something that is not the user asked for", {{"clerk_id", claims.clerk_id}});
            co_return flight::stage::failed;
        }
    }
    seen.event_id = id;
    seen.body = body;
    event_record const record{seen};
    auto const outcome = co_await log_.publish(record);
    log::debug("first sight",
        {{"event_id", id}, {"clerk_id", claims.clerk_id}, {"trace_id", trace_id_of(traceparent)},
            {"persisted", outcome == publish_outcome::persisted}});
    // A possibly persisted one is published again by the next request: a copy is harmless (I2).
    co_return outcome == publish_outcome::persisted ? flight::stage::published : flight::stage::failed;
}

// Waits for the row. Looks up between whiles whether somebody else's publication has failed.
asio::awaitable<introduction> introduce_user::follow(std::string clerk_id, time_point until)
{
    for (;;) {
        auto const* const publication = flights_.find(clerk_id);
        auto const stage = publication == nullptr ? flight::stage::failed : publication->at;
        if (stage == flight::stage::no_such_user) co_return introduction{introduction_outcome::no_such_user};
        auto const limit = latest_ ? std::min(until, *latest_) : until;
        auto const now = sources_.steady();
        auto const slice = stage == flight::stage::failed ? now : std::min(limit, now + look_interval);
        auto const answer = co_await users_.wait_for(clerk_id, slice);
        // Should the row go again, by an admin's hand, the next request may publish at once.
        if (answer.outcome == user_outcome::found) flights_.erase(clerk_id);
        if (answer.outcome != user_outcome::absent) co_return introduction{outcome_of(answer.outcome), answer.user};
        if (stage == flight::stage::failed) co_return introduction{introduction_outcome::unavailable};
        if (slice >= limit) {
            auto const asking = stage == flight::stage::asking;
            co_return introduction{asking ? introduction_outcome::unavailable : introduction_outcome::pending};
        }
    }
}

// A session token's key id is its Clerk instance. Where CLERK_INSTANCE_IDS is set, workers take nothing else.
std::string_view introduce_user::instance_of(std::string_view kid) const
{
    auto const& known = settings_.instance_ids;
    if (kid.starts_with("ins_") && (known.empty() || known.contains(kid))) return kid;
    return known.empty() ? std::string_view{} : std::string_view{*known.begin()};
}

introduce_user::time_point introduce_user::within(std::chrono::milliseconds time) const
{
    auto const until = sources_.steady() + time;
    return latest_ ? std::min(until, *latest_) : until;
}

}
