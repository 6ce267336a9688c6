#include "ingest/users/user_directory.hpp"

#include "common/event/envelope.hpp"
#include "common/log/logging.hpp"
#include "ingest/users/user_query.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace clerk_strapi::ingest
{
namespace
{

namespace asio = boost::asio;
using namespace std::chrono_literals;

// A row appears either within a few milliseconds of its event or much later.
constexpr std::chrono::milliseconds waits_between_queries[] = {5ms, 10ms, 20ms, 25ms};

std::chrono::milliseconds wait_after(unsigned queries)
{
    return waits_between_queries[std::min<std::size_t>(queries, std::size(waits_between_queries) - 1)];
}

std::string_view advice_for(std::string_view sqlstate)
{
    if (sqlstate == "42P01")
        return "a table is missing: run clerk-worker migrate, and check that DATABASE_SCHEMA is Strapi's";
    if (sqlstate == "42703") return "a column is missing: enable the Strapi plugin that declares clerkId, start Strapi";
    if (sqlstate == "42501")
        return "a privilege is missing: run schemas/sql/grants.sql as the owner of Strapi's tables";
    return "cached users are served for VERIFY_STALE_MS, then requests get 503";
}

}

strapi_user_directory::strapi_user_directory(asio::io_context& io, directory_settings settings)
    : io_{io}
    , settings_{std::move(settings)}
    , cache_{settings_.users_max}
    , retry_{settings_.times.retry_first, settings_.times.retry_longest}
    , alarm_{io, [this] { tick(); }}
{
    if (!settings_.conninfo) return;
    query_ = std::make_shared<strapi_user_query>(settings_.conninfo, settings_.database_schema);
    thread_.emplace(io_, helper_threads::bounds{});
}

strapi_user_directory::~strapi_user_directory() = default;

void strapi_user_directory::start()
{
    if (thread_ && state_ == state::not_queried && !querying_) query(clock::now());
}

asio::awaitable<user_answer> strapi_user_directory::find(std::string_view clerk_id)
{
    if (!thread_) co_return user_answer{};
    if (!is_user_id(clerk_id)) co_return user_answer{user_outcome::absent, nullptr};
    if (auto known = cached_within(clerk_id, settings_.times.cache)) co_return *known;
    auto const now = clock::now();
    if (is_unreachable(now) || waiters_.size() >= settings_.waiting_max) co_return stale_answer(clerk_id);
    waiter waiting;
    waiting.id = clerk_id;
    waiting.deadline = now + settings_.times.find_max;
    waiting.due = now;
    co_return co_await wait(std::move(waiting));
}

asio::awaitable<user_answer> strapi_user_directory::wait_for(std::string_view clerk_id, clock::time_point until)
{
    if (!thread_) co_return user_answer{};
    if (!is_user_id(clerk_id)) co_return user_answer{user_outcome::absent, nullptr};
    if (auto known = cached_within(clerk_id, settings_.times.cache)) co_return *known;
    if (waiters_.size() >= settings_.waiting_max) co_return stale_answer(clerk_id);
    waiter waiting;
    waiting.id = clerk_id;
    waiting.deadline = until;
    waiting.due = clock::now();
    waiting.waits_for_row = true;
    co_return co_await wait(std::move(waiting));
}

asio::awaitable<user_answer> strapi_user_directory::wait(waiter waiting)
{
    if (latest_) waiting.deadline = std::min(waiting.deadline, *latest_);
    co_return co_await wait_for_reply<user_answer>([&](std::unique_ptr<reply<user_answer>> reply) {
        waiting.reply = std::move(reply);
        auto const deadline = waiting.deadline;
        waiters_.push_back(std::move(waiting));
        query(clock::now());
        alarm_.at(deadline);
    });
}

std::optional<user_answer> strapi_user_directory::cached_within(std::string_view id, std::chrono::milliseconds age)
{
    auto const* const known = cache_.find(id);
    if (known == nullptr || clock::now() - known->queried_at > age) return std::nullopt;
    return known->answer;
}

user_answer strapi_user_directory::stale_answer(std::string_view id)
{
    return cached_within(id, settings_.times.stale).value_or(user_answer{});
}

// No request waits for a database that is known to be unreachable, or whose response is overdue.
bool strapi_user_directory::is_unreachable(clock::time_point now) const
{
    if (querying_) return now - queried_at_ > settings_.times.find_max;
    return state_ == state::unreachable && now < retry_at_;
}

// All ids that are due go into one query. During a query, further ids wait for the next one.
void strapi_user_directory::query(clock::time_point now)
{
    if (querying_ || (state_ == state::unreachable && now < retry_at_)) return;
    bool const probe = state_ != state::reachable || now - queried_at_ >= settings_.times.probe;
    std::vector<std::string> ids;
    for (auto& each : waiters_) {
        if (each.due > now) continue;
        each.round = round_ + 1;
        ids.push_back(each.id);
    }
    if (ids.empty() && !probe) return;
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());

    ++round_;
    querying_ = true;
    queried_at_ = now;
    bool const taken = thread_->run([this, query = query_, ids = std::move(ids), now](std::size_t) {
        auto const read = std::make_shared<users_read const>(query->read(ids));
        return helper_threads::continuation{[this, ids, read, now] { take(ids, *read, now); }};
    });
    if (!taken) querying_ = false; // cannot happen: one query at a time
}

void strapi_user_directory::take(
    std::vector<std::string> const& ids, users_read const& read, clock::time_point queried_at)
{
    querying_ = false;
    bool const done = read.result.outcome == postgres::work_outcome::done;
    auto const answers = done ? take_answers(ids, read, queried_at) : take_failure(read.result);
    tick();
    for (auto const& [reply, answer] : answers) // last: an answered coroutine may call find() again at once
        reply->give(answer);
}

std::vector<strapi_user_directory::response> strapi_user_directory::take_answers(
    std::vector<std::string> const& ids, users_read const& read, clock::time_point queried_at)
{
    if (state_ != state::reachable) log::info("Strapi's database is reachable");
    state_ = state::reachable;
    retry_.reset();
    std::map<std::string_view, user_answer const*> answers;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        auto const& answer = read.answers[i];
        answers.emplace(ids[i], &answer);
        if (answer.outcome == user_outcome::absent)
            cache_.erase(ids[i]);
        else
            cache_.put(ids[i], {answer, queried_at});
    }

    std::vector<response> out;
    auto const now = clock::now();
    for (auto each = waiters_.begin(); each != waiters_.end();) {
        auto const found = answers.find(each->id);
        // A row also answers requests that arrived during the query, while it is recent enough. `absent` does not,
        // because the row may have been written since.
        bool const recent = each->round == round_ || now - queried_at <= settings_.times.cache;
        bool const present = found != answers.end() && recent && found->second->outcome != user_outcome::absent;
        bool const absent =
            found != answers.end() && found->second->outcome == user_outcome::absent && each->round == round_;
        if (present || (absent && !each->waits_for_row)) {
            out.push_back({std::move(each->reply), *found->second});
            each = waiters_.erase(each);
            continue;
        }
        if (absent) {
            each->answered = true;
            each->due = now + wait_after(each->queries++);
        }
        ++each;
    }
    return out;
}

std::vector<strapi_user_directory::response> strapi_user_directory::take_failure(postgres::work_result const& result)
{
    log_failure(result);
    state_ = state::unreachable;
    retry_at_ = clock::now() + retry_.next(std::uniform_real_distribution{0.0, 1.0}(random_));
    std::vector<response> out;
    for (auto each = waiters_.begin(); each != waiters_.end();) {
        each->answered = false;
        each->due = std::max(each->due, retry_at_);
        if (each->waits_for_row) {
            ++each;
            continue;
        }
        out.push_back({std::move(each->reply), stale_answer(each->id)});
        each = waiters_.erase(each);
    }
    return out;
}

void strapi_user_directory::log_failure(postgres::work_result const& result)
{
    trouble_ = result.detail.empty() ? "SQLSTATE " + result.sqlstate : result.detail;
    static log::repeat_limit limit{10s};
    if (auto const held_back = limit.pass()) {
        log::warning("cannot read users from Strapi's database",
            {{"fault", trouble_}, {"advice", advice_for(result.sqlstate)}, {"held_back", *held_back}});
    }
}

user_answer strapi_user_directory::answer_at_deadline(waiter const& late)
{
    auto known = stale_answer(late.id);
    if (known.outcome == user_outcome::unavailable && late.waits_for_row && late.answered)
        return {user_outcome::absent, nullptr};
    return known;
}

void strapi_user_directory::tick()
{
    auto const now = clock::now();
    std::vector<response> late;
    for (auto each = waiters_.begin(); each != waiters_.end();) {
        if (each->deadline > now) {
            ++each;
            continue;
        }
        auto answer = answer_at_deadline(*each);
        late.push_back({std::move(each->reply), std::move(answer)});
        each = waiters_.erase(each);
    }
    query(now);
    alarm_.at(next_event());
    for (auto const& [reply, answer] : late)
        reply->give(answer);
}

strapi_user_directory::clock::time_point strapi_user_directory::next_event() const
{
    auto next = clock::time_point::max();
    for (auto const& each : waiters_) {
        next = std::min(next, each.deadline);
        if (!querying_) next = std::min(next, each.due);
    }
    if (querying_) return next; // take() calls tick() again
    return std::min(next, state_ == state::unreachable ? retry_at_ : queried_at_ + settings_.times.probe);
}

void strapi_user_directory::cut_deadlines(clock::time_point latest)
{
    latest_ = latest;
    for (auto& each : waiters_)
        each.deadline = std::min(each.deadline, latest);
    alarm_.at(latest);
}

std::string strapi_user_directory::health() const
{
    if (!thread_) return "not configured: /v1/auth returns 503";
    switch (state_) {
    case state::not_queried: return "not queried yet";
    case state::reachable: return "reachable";
    case state::unreachable: return "unreachable: " + trouble_;
    }
    return {};
}

}
