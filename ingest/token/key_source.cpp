#include "ingest/token/key_source.hpp"

#include "common/clerk/api_client.hpp"
#include "common/log/logging.hpp"

#include <algorithm>
#include <utility>

namespace clerk_strapi::ingest
{
namespace
{

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr std::size_t kid_bytes_max = 128;
constexpr std::size_t unknown_kids_max = 1'000;

// The characters of Clerk's key ids. Any other kid is unknown without a fetch (B4).
bool is_possible_kid(std::string_view kid)
{
    return !kid.empty() && kid.size() <= kid_bytes_max && std::all_of(kid.begin(), kid.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'
            || c == '.' || c == '=' || c == ':' || c == '+';
    });
}

refresh_outcome outcome_of(clerk::api_outcome outcome)
{
    switch (outcome) {
    case clerk::api_outcome::answered: return refresh_outcome::refreshed;
    case clerk::api_outcome::unreachable: return refresh_outcome::unreachable;
    case clerk::api_outcome::not_trusted: return refresh_outcome::not_trusted;
    case clerk::api_outcome::timed_out: return refresh_outcome::timed_out;
    case clerk::api_outcome::too_large: return refresh_outcome::too_large;
    case clerk::api_outcome::interrupted: return refresh_outcome::unreachable;
    }
    return refresh_outcome::unreachable;
}

}

std::string_view to_text(refresh_outcome outcome)
{
    switch (outcome) {
    case refresh_outcome::refreshed: return "refreshed";
    case refresh_outcome::unreachable: return "unreachable";
    case refresh_outcome::not_trusted: return "not_trusted";
    case refresh_outcome::timed_out: return "timed_out";
    case refresh_outcome::too_large: return "too_large";
    case refresh_outcome::refused: return "refused";
    case refresh_outcome::unexpected: return "unexpected";
    case refresh_outcome::invalid: return "invalid";
    }
    return "unknown";
}

key_endpoint backend_keys(std::string api_url, std::function<secret()> secret_key)
{
    return {std::move(api_url), "/v1/jwks", std::move(secret_key)};
}

key_endpoint frontend_keys(std::string const& host) { return {"https://" + host, "/.well-known/jwks.json", {}}; }

signing_key_source::signing_key_source(asio::io_context& io, key_source_settings settings)
    : io_{io}
    , settings_{std::move(settings)}
    , unknown_{unknown_kids_max}
    , retry_{settings_.times.retry_first, settings_.times.retry_longest}
    , refresh_timer_{io}
    , wait_timer_{io}
{
    if (settings_.pem || !settings_.endpoint) return;
    clerk::api_settings chosen;
    chosen.base_url = settings_.endpoint->base_url;
    chosen.bearer = settings_.endpoint->bearer;
    chosen.body_bytes_max = jwks_bytes_max;
    client_ = std::make_shared<clerk::api_client>(std::move(chosen));
    thread_.emplace(io_, helper_threads::bounds{});
}

signing_key_source::~signing_key_source()
{
    if (client_) client_->interrupt();
}

void signing_key_source::start()
{
    if (thread_ && !fetching_) begin_fetch();
}

asio::awaitable<key_answer> signing_key_source::find(std::string_view kid)
{
    if (settings_.pem) co_return key_answer{key_outcome::found, settings_.pem};
    if (!thread_) co_return key_answer{key_outcome::not_configured, {}};
    if (!is_possible_kid(kid)) co_return key_answer{key_outcome::unknown, {}};
    if (auto const answer = known(kid)) co_return *answer;

    auto const now = clock::now();
    if (!fetching_) {
        // A timer, not a request, repeats a failed fetch.
        if (last_ && *last_ != refresh_outcome::refreshed) co_return key_answer{key_outcome::unavailable, {}};
        auto const* const unknown_until = unknown_.find(kid);
        if (now < cool_until_ || (unknown_until != nullptr && now < *unknown_until))
            co_return key_answer{key_outcome::unknown, {}};
        cool_until_ = now + settings_.times.cool_down;
        begin_fetch();
    }
    if (waiters_.size() >= settings_.waiting_max) co_return key_answer{key_outcome::unavailable, {}};
    auto const deadline = now + settings_.times.wait_max;
    co_return co_await wait_for_reply<key_answer>([&](std::unique_ptr<reply<key_answer>> reply) {
        waiters_.add(deadline, std::move(reply), std::string{kid});
        if (waiters_.size() == 1) arm_wait_timer();
    });
}

std::optional<key_answer> signing_key_source::known(std::string_view kid) const
{
    if (!usable()) return std::nullopt;
    auto const found = keys_->keys.find(kid);
    if (found == keys_->keys.end()) return std::nullopt;
    return key_answer{key_outcome::found, found->second};
}

bool signing_key_source::usable() const { return keys_ && clock::now() - fetched_at_ <= settings_.times.stale_max; }

void signing_key_source::begin_fetch()
{
    fetching_ = true;
    refresh_timer_.cancel();
    auto const started = clock::now();
    auto const until = started + settings_.times.fetch_max;
    bool const taken =
        thread_->run([this, client = client_, target = settings_.endpoint->target, started, until](std::size_t) {
            auto result = std::make_shared<fetched>(fetch(*client, target, until));
            return helper_threads::continuation{[this, result, started] { take(std::move(*result), started); }};
        });
    if (!taken) take({}, started); // cannot happen: one fetch at a time
}

signing_key_source::fetched signing_key_source::fetch(
    clerk::api_client& client, std::string const& target, clock::time_point until)
{
    auto const answer = client.get(target, until);
    auto const outcome = outcome_of(answer.outcome);
    if (outcome != refresh_outcome::refreshed) return {outcome, {}, std::string{to_text(outcome)}};
    auto const status = "status " + std::to_string(answer.status);
    if (answer.status == 401 || answer.status == 403) return {refresh_outcome::refused, {}, status};
    if (answer.status != 200) return {refresh_outcome::unexpected, {}, status};
    auto parsed = parse_jwks(answer.body);
    if (!parsed) return {refresh_outcome::invalid, {}, parsed.error()};
    return {refresh_outcome::refreshed, std::move(*parsed), {}};
}

void signing_key_source::take(fetched result, clock::time_point started)
{
    fetching_ = false;
    if (result.keys) {
        note_success(*result.keys);
        keys_ = std::move(result.keys);
        fetched_at_ = started;
        retry_.reset();
        fetch_after(settings_.times.refresh);
    } else {
        note_failure(result);
        fetch_after(retry_.next(std::uniform_real_distribution{0.0, 1.0}(random_)));
    }
    last_ = result.outcome;
    if (settings_.refreshed) settings_.refreshed(result.outcome);
    answer_waiters();
}

void signing_key_source::note_failure(fetched const& result)
{
    static log::repeat_limit limit{60s};
    auto const held_back = limit.pass();
    if (!held_back) return;
    log::warning("cannot fetch the signing keys of session tokens",
        {{"url", settings_.endpoint->base_url}, {"fault", result.detail}, {"keys_kept", usable()},
            {"held_back", *held_back}});
}

void signing_key_source::note_success(key_set const& keys)
{
    if (last_ != refresh_outcome::refreshed)
        log::info("signing keys of session tokens fetched",
            {{"url", settings_.endpoint->base_url}, {"keys", keys.keys.size()}});
    if (keys.ignored == logged_ignored_) return;
    logged_ignored_ = keys.ignored;
    for (auto const& sentence : keys.ignored)
        log::warning("a key of the key set is ignored", {{"why", sentence}});
}

void signing_key_source::fetch_after(std::chrono::milliseconds time)
{
    refresh_timer_.expires_after(time);
    refresh_timer_.async_wait([this](boost::system::error_code cancelled) {
        if (!cancelled && !fetching_) begin_fetch();
    });
}

// After a successful fetch a missing key is unknown; after a failed one, the keys are unavailable.
void signing_key_source::answer_waiters()
{
    auto const missing = last_ == refresh_outcome::refreshed ? key_outcome::unknown : key_outcome::unavailable;
    for (auto const& each : waiters_.take_all()) {
        auto const& kid = each.request;
        auto const found = known(kid);
        if (!found && missing == key_outcome::unknown) unknown_.put(kid, clock::now() + settings_.times.unknown);
        each.reply->give(found.value_or(key_answer{missing, {}}));
    }
}

void signing_key_source::expire()
{
    for (auto const& each : waiters_.take_expired(clock::now()))
        each.reply->give({key_outcome::unavailable, {}});
    arm_wait_timer();
}

void signing_key_source::arm_wait_timer()
{
    auto const next = waiters_.next_deadline();
    if (!next) return;
    wait_timer_.expires_at(*next);
    wait_timer_.async_wait([this](boost::system::error_code cancelled) {
        if (!cancelled) expire();
    });
}

void signing_key_source::cut_deadlines(clock::time_point latest)
{
    waiters_.cut_deadlines(latest);
    arm_wait_timer();
}

std::optional<double> signing_key_source::age_seconds() const
{
    if (!keys_) return std::nullopt;
    return std::chrono::duration<double>(clock::now() - fetched_at_).count();
}

bool signing_key_source::up() const { return settings_.pem || (usable() && last_ == refresh_outcome::refreshed); }

std::string signing_key_source::health() const
{
    if (settings_.pem) return "the key of CLERK_JWT_KEY is used";
    if (!thread_) return "not configured: /v1/auth returns 503";
    auto state = keys_
        ? std::to_string(keys_->keys.size()) + " keys, " + std::to_string(static_cast<long>(*age_seconds())) + " s old"
        : std::string{"no keys fetched yet"};
    if (!last_ || last_ == refresh_outcome::refreshed) return state;
    return state + "; the last fetch failed: " + std::string{to_text(*last_)}
    + (usable() ? "" : "; /v1/auth returns 503");
}

}
