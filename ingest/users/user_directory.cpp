#include "ingest/users/user_directory.hpp"

#include "common/log/logging.hpp"
#include "ingest/users/clerk_id.hpp"
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

// A row appears within a few milliseconds of its event, or much later.
constexpr std::chrono::milliseconds waits_between_looks[] = {5ms, 10ms, 20ms, 25ms};

std::chrono::milliseconds wait_after(unsigned looks)
{
    return waits_between_looks[std::min<std::size_t>(looks, std::size(waits_between_looks) - 1)];
}

std::string_view advice_for(std::string_view sqlstate)
{
    if (sqlstate == "42P01")
        return "a table is missing: run clerk-worker migrate, and check that DATABASE_SCHEMA is Strapi's";
    if (sqlstate == "42703") return "a column is missing: enable the Strapi plugin that declares clerkId, start Strapi";
    if (sqlstate == "42501") return "a right is missing: run schemas/sql/grants.sql as the owner of Strapi's tables";
    return "users are answered from memory for a while, then 503";
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
    if (thread_ && state_ == state::not_asked && !asking_) ask(clock::now());
}

asio::awaitable<user_answer> strapi_user_directory::find(std::string_view clerk_id)
{
    if (!thread_) co_return user_answer{};
    if (!possible_clerk_id(clerk_id)) co_return user_answer{user_outcome::absent, nullptr};
    if (auto known = remembered_within(clerk_id, settings_.times.cache)) co_return *known;
    auto const now = clock::now();
    if (hopeless(now) || waiters_.size() >= settings_.waiting_max) co_return last_resort(clerk_id);
    waiter asking;
    asking.id = clerk_id;
    asking.deadline = now + settings_.times.find_max;
    asking.due = now;
    co_return co_await wait(std::move(asking));
}

asio::awaitable<user_answer> strapi_user_directory::wait_for(std::string_view clerk_id, clock::time_point until)
{
    if (!thread_) co_return user_answer{};
    if (!possible_clerk_id(clerk_id)) co_return user_answer{user_outcome::absent, nullptr};
    if (auto known = remembered_within(clerk_id, settings_.times.cache)) co_return *known;
    if (waiters_.size() >= settings_.waiting_max) co_return last_resort(clerk_id);
    waiter asking;
    asking.id = clerk_id;
    asking.deadline = until;
    asking.due = clock::now();
    asking.patient = true;
    co_return co_await wait(std::move(asking));
}

asio::awaitable<user_answer> strapi_user_directory::wait(waiter asking)
{
    if (latest_) asking.deadline = std::min(asking.deadline, *latest_);
    co_return co_await wait_for_reply<user_answer>([&](std::unique_ptr<reply<user_answer>> who) {
        asking.who = std::move(who);
        auto const deadline = asking.deadline;
        waiters_.push_back(std::move(asking));
        ask(clock::now());
        alarm_.at(deadline);
    });
}

std::optional<user_answer> strapi_user_directory::remembered_within(std::string_view id, std::chrono::milliseconds age)
{
    auto const* const known = cache_.find(id);
    if (known == nullptr || clock::now() - known->asked_at > age) return std::nullopt;
    return known->answer;
}

user_answer strapi_user_directory::last_resort(std::string_view id)
{
    return remembered_within(id, settings_.times.stale).value_or(user_answer{});
}

// Nobody is to queue for a database that is known to be away, or whose answer is overdue.
bool strapi_user_directory::hopeless(clock::time_point now) const
{
    if (asking_) return now - asked_at_ > settings_.times.find_max;
    return state_ == state::away && now < retry_at_;
}

// Everything that is due goes into one query; while one is under way, the next gathers.
void strapi_user_directory::ask(clock::time_point now)
{
    if (asking_ || (state_ == state::away && now < retry_at_)) return;
    bool const probe = state_ != state::answers || now - asked_at_ >= settings_.times.probe;
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
    asking_ = true;
    asked_at_ = now;
    bool const taken = thread_->run([this, query = query_, ids = std::move(ids), now](std::size_t) {
        auto const read = std::make_shared<users_read const>(query->read(ids));
        return helper_threads::continuation{[this, ids, read, now] { take(ids, *read, now); }};
    });
    if (!taken) asking_ = false; // cannot be: one query at a time
}

void strapi_user_directory::take(
    std::vector<std::string> const& ids, users_read const& read, clock::time_point asked_at)
{
    asking_ = false;
    bool const done = read.result.outcome == postgres::work_outcome::done;
    auto const answers = done ? take_answers(ids, read, asked_at) : take_failure(read.result);
    tick();
    for (auto const& [who, answer] : answers) // last: whoever is answered may ask again at once
        who->give(answer);
}

std::vector<strapi_user_directory::spoken> strapi_user_directory::take_answers(
    std::vector<std::string> const& ids, users_read const& read, clock::time_point asked_at)
{
    if (state_ != state::answers) log::info("Strapi's database answers");
    state_ = state::answers;
    retry_.reset();
    std::map<std::string_view, user_answer const*> answers;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        auto const& answer = read.answers[i];
        answers.emplace(ids[i], &answer);
        if (answer.outcome == user_outcome::absent)
            cache_.erase(ids[i]);
        else
            cache_.put(ids[i], {answer, asked_at});
    }

    std::vector<spoken> out;
    auto const now = clock::now();
    for (auto each = waiters_.begin(); each != waiters_.end();) {
        auto const found = answers.find(each->id);
        // A row counts for those too who asked after the query began, while it is young enough; that there is none
        // does not.
        bool const young = each->round == round_ || now - asked_at <= settings_.times.cache;
        bool const there = found != answers.end() && young && found->second->outcome != user_outcome::absent;
        bool const absent =
            found != answers.end() && found->second->outcome == user_outcome::absent && each->round == round_;
        if (there || (absent && !each->patient)) {
            out.push_back({std::move(each->who), *found->second});
            each = waiters_.erase(each);
            continue;
        }
        if (absent) {
            each->judged = true;
            each->due = now + wait_after(each->asked++);
        }
        ++each;
    }
    return out;
}

std::vector<strapi_user_directory::spoken> strapi_user_directory::take_failure(postgres::work_result const& result)
{
    tell_failure(result);
    state_ = state::away;
    retry_at_ = clock::now() + retry_.next(std::uniform_real_distribution{0.0, 1.0}(random_));
    std::vector<spoken> out;
    for (auto each = waiters_.begin(); each != waiters_.end();) {
        each->judged = false;
        each->due = std::max(each->due, retry_at_);
        if (each->patient) {
            ++each;
            continue;
        }
        out.push_back({std::move(each->who), last_resort(each->id)});
        each = waiters_.erase(each);
    }
    return out;
}

void strapi_user_directory::tell_failure(postgres::work_result const& result)
{
    trouble_ = result.detail.empty() ? "SQLSTATE " + result.sqlstate : result.detail;
    static log::repeat_limit limit{10s};
    if (auto const held_back = limit.pass()) {
        log::warning("Strapi's database cannot be asked for users",
            {{"fault", trouble_}, {"advice", advice_for(result.sqlstate)}, {"held_back", *held_back}});
    }
}

user_answer strapi_user_directory::given_up(waiter const& late)
{
    auto known = last_resort(late.id);
    if (known.outcome == user_outcome::unavailable && late.patient && late.judged)
        return {user_outcome::absent, nullptr};
    return known;
}

void strapi_user_directory::tick()
{
    auto const now = clock::now();
    std::vector<spoken> late;
    for (auto each = waiters_.begin(); each != waiters_.end();) {
        if (each->deadline > now) {
            ++each;
            continue;
        }
        auto answer = given_up(*each);
        late.push_back({std::move(each->who), std::move(answer)});
        each = waiters_.erase(each);
    }
    ask(now);
    alarm_.at(next_event());
    for (auto const& [who, answer] : late)
        who->give(answer);
}

strapi_user_directory::clock::time_point strapi_user_directory::next_event() const
{
    auto next = clock::time_point::max();
    for (auto const& each : waiters_) {
        next = std::min(next, each.deadline);
        if (!asking_) next = std::min(next, each.due);
    }
    if (asking_) return next; // its answer brings us back
    return std::min(next, state_ == state::away ? retry_at_ : asked_at_ + settings_.times.probe);
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
    if (!thread_) return "not configured: verify answers 503";
    switch (state_) {
    case state::not_asked: return "not asked yet";
    case state::answers: return "answers";
    case state::away: return "away: " + trouble_;
    }
    return {};
}

}
