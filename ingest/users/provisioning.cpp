#include "ingest/users/provisioning.hpp"

#include "common/event/envelope.hpp"
#include "common/event/trace_context.hpp"
#include "common/log/logging.hpp"
#include "ingest/async/in_flight.hpp"
#include "ingest/users/provisioning_body.hpp"

#include <algorithm>

namespace clerk_strapi::ingest
{
namespace
{

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr std::size_t flights_max = 20'000;
// While a request waits for a row, it checks this often whether the publication failed.
constexpr auto check_interval = 100ms;

provisioning_outcome outcome_of(user_outcome found)
{
    switch (found) {
    case user_outcome::found: return provisioning_outcome::provisioned;
    case user_outcome::deleted: return provisioning_outcome::deleted;
    case user_outcome::absent: return provisioning_outcome::pending;
    case user_outcome::unavailable: return provisioning_outcome::unavailable;
    }
    return provisioning_outcome::unavailable;
}

std::string milliseconds_text(std::chrono::system_clock::time_point time)
{
    return std::to_string(std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count());
}

}

provision_user::provision_user(event_publisher& publisher, user_directory& users, clerk_users* clerk,
    provisioning_settings settings, clocks sources)
    : publisher_{publisher}
    , users_{users}
    , clerk_{clerk}
    , settings_{std::move(settings)}
    , sources_{std::move(sources)}
    , flights_{flights_max}
{
}

asio::awaitable<provisioning_result> provision_user::operator()(
    session_claims const& claims, std::string_view kid, std::string_view traceparent)
{
    if (waiting_ >= settings_.waiters_max) co_return provisioning_result{provisioning_outcome::overloaded};
    in_flight const counted{waiting_};
    if (current_flight(claims.clerk_id) == nullptr) {
        flights_.put(claims.clerk_id, {flight::stage::publishing, sources_.steady()});
        auto const stage = co_await publish(claims, kid, traceparent);
        flights_.put(claims.clerk_id, {stage, sources_.steady()});
    }
    co_return co_await wait_for_row(claims.clerk_id, within(settings_.row_wait));
}

// The user's publication of the last 30 s (quiet_time) that did not fail, or null.
provision_user::flight* provision_user::current_flight(std::string const& clerk_id)
{
    auto* const known = flights_.find(clerk_id);
    if (known == nullptr || known->at == flight::stage::failed) return nullptr;
    return sources_.steady() - known->started < settings_.quiet_time ? known : nullptr;
}

asio::awaitable<provision_user::flight::stage> provision_user::publish(
    session_claims const& claims, std::string_view kid, std::string_view traceparent)
{
    auto const instance = instance_of(kid);
    auto const now = sources_.wall();
    provisioning_event event{{}, claims.clerk_id, instance, user_seen_type, {}, now, traceparent};
    std::string id = "seen_" + claims.session_id + "_" + std::to_string(claims.issued_at);
    std::string body;
    if (clerk_ == nullptr) {
        body = user_seen_body(claims, instance, now);
    } else {
        auto const answer = co_await clerk_->read(claims.clerk_id, within(settings_.clerk_wait));
        if (answer.outcome == clerk_outcome::absent) co_return flight::stage::no_such_user;
        if (answer.outcome == clerk_outcome::unavailable) co_return flight::stage::failed;
        id = "snapshot_" + claims.clerk_id + "_" + milliseconds_text(answer.asked_at);
        body = user_snapshot_body(answer.user, instance, answer.asked_at);
        event.type = user_snapshot_type;
        event.time = answer.asked_at;
        if (auto const read = scan_envelope(body); !read || read->user_id != claims.clerk_id) {
            log::warning(
                "Clerk's API returned a document that is not the requested user", {{"clerk_id", claims.clerk_id}});
            co_return flight::stage::failed;
        }
    }
    event.event_id = id;
    event.body = body;
    published_event const record{event};
    auto const outcome = co_await publisher_.publish(record);
    log::debug("provisioning event published",
        {{"event_id", id}, {"clerk_id", claims.clerk_id}, {"trace_id", trace_id_of(traceparent)},
            {"persisted", outcome == publish_outcome::persisted}});
    // After an unknown outcome the next request publishes again: a second copy is harmless (I2).
    co_return outcome == publish_outcome::persisted ? flight::stage::published : flight::stage::failed;
}

// Waits for the row in slices. Another request may have started the publication, so each slice checks whether it
// failed.
asio::awaitable<provisioning_result> provision_user::wait_for_row(std::string clerk_id, time_point until)
{
    for (;;) {
        auto const* const publication = flights_.find(clerk_id);
        auto const stage = publication == nullptr ? flight::stage::failed : publication->at;
        if (stage == flight::stage::no_such_user) co_return provisioning_result{provisioning_outcome::no_such_user};
        auto const limit = latest_ ? std::min(until, *latest_) : until;
        auto const now = sources_.steady();
        auto const slice = stage == flight::stage::failed ? now : std::min(limit, now + check_interval);
        auto const answer = co_await users_.wait_for(clerk_id, slice);
        // Forget the publication: if an admin deletes the row, the next request publishes at once.
        if (answer.outcome == user_outcome::found) flights_.erase(clerk_id);
        if (answer.outcome != user_outcome::absent)
            co_return provisioning_result{outcome_of(answer.outcome), answer.user};
        if (stage == flight::stage::failed) co_return provisioning_result{provisioning_outcome::unavailable};
        if (slice >= limit) {
            auto const publishing = stage == flight::stage::publishing;
            co_return provisioning_result{
                publishing ? provisioning_outcome::unavailable : provisioning_outcome::pending};
        }
    }
}

// The kid of a session token is the id of its Clerk instance. With CLERK_INSTANCE_IDS workers reject other instances.
std::string_view provision_user::instance_of(std::string_view kid) const
{
    auto const& known = settings_.instance_ids;
    if (kid.starts_with("ins_") && (known.empty() || known.contains(kid))) return kid;
    return known.empty() ? std::string_view{} : std::string_view{*known.begin()};
}

provision_user::time_point provision_user::within(std::chrono::milliseconds time) const
{
    auto const until = sources_.steady() + time;
    return latest_ ? std::min(until, *latest_) : until;
}

}
