#include "common/postgres/session.hpp"

#include "common/postgres/connect_fault.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace clerk_strapi::postgres
{

namespace
{

// The first line of a server's message names tables, columns and limits. Values of rows, which must not be logged, are
// in later lines (DETAIL), in messages of class 22 and 23, and in what a site's own trigger raises (P0 or its own
// code).
std::string first_line(std::string const& message) { return message.substr(0, message.find('\n')); }

constexpr std::string_view classes_without_values[] = {
    "08", "0A", "25", "26", "28", "3D", "3F", "42", "53", "54", "55", "57", "58", "XX"};

}

std::string safe_detail(std::string const& sqlstate, std::string const& message)
{
    auto const known =
        std::find(std::begin(classes_without_values), std::end(classes_without_values), sqlstate.substr(0, 2));
    auto const may_be_logged = known != std::end(classes_without_values) && outcome_of(sqlstate) != work_outcome::raced;
    return may_be_logged ? first_line(message) : "SQLSTATE " + sqlstate;
}

work_outcome outcome_of(std::string const& sqlstate)
{
    // Another transaction took the key, or removed the row, between our read and our write.
    if (sqlstate == "23505" || sqlstate == "23503") return work_outcome::raced;
    auto const state_class = sqlstate.substr(0, 2);
    if (state_class == "22" || state_class == "23") return work_outcome::refused;
    if (state_class == "40" || sqlstate == "55P03") return work_outcome::raced;
    if (state_class == "42" || state_class == "3F") return work_outcome::mismatched;
    return work_outcome::unavailable;
}

// Limits the server's silence during the lifetime of this object.
class session::silence_limit
{
public:
    explicit silence_limit(session& owner)
        : owner_{owner}
    {
        if (owner_.watch_) owner_.watch_->begin_with_silence_limit(*owner_.silence_max_);
    }
    ~silence_limit()
    {
        if (owner_.watch_) owner_.watch_->end();
    }
    silence_limit(silence_limit const&) = delete;
    silence_limit& operator=(silence_limit const&) = delete;

private:
    session& owner_;
};

session::session(conninfo_source conninfo, set_up on_connect, std::optional<std::chrono::milliseconds> silence_max)
    : conninfo_(std::move(conninfo))
    , on_connect_(std::move(on_connect))
    , silence_max_(silence_max)
{
    if (silence_max_) watch_.emplace();
}

work_result session::run(std::function<void(pqxx::work&)> const& body)
{
    auto const lost = [this](std::string detail) {
        if (watch_ && watch_->cut())
            detail = "the server sent nothing for " + std::to_string(silence_max_->count()) + " ms";
        disconnect();
        return work_result{work_outcome::unavailable, "", std::move(detail)};
    };
    try {
        auto const connection = connected();
        silence_limit const limit{*this};
        pqxx::work transaction{*connection};
        body(transaction);
        transaction.commit();
        return {};
    } catch (work_stopped const& stopped) {
        return stopped.result;
    } catch (pqxx::statement_completion_unknown const& error) { // before its base, transaction_rollback
        return lost(first_line(error.what()));
    } catch (pqxx::in_doubt_error const&) {
        // It is unknown whether COMMIT happened. Running the same work again is correct, because applying is idempotent
        // (I2): events that were committed count as duplicates.
        return lost("the connection broke during COMMIT");
    } catch (pqxx::broken_connection const& error) {
        return lost(connect_fault(error.what()));
    } catch (pqxx::transaction_rollback const&) {
        return {work_outcome::raced, "40000", "SQLSTATE class 40"};
    } catch (pqxx::insufficient_privilege const& error) { // libpqxx 6 has no SQLSTATE for it
        return {outcome_of("42501"), "42501", safe_detail("42501", error.what())};
    } catch (pqxx::sql_error const& error) {
        if (error.sqlstate().empty()) return lost(first_line(error.what()));
        auto const outcome = outcome_of(error.sqlstate());
        // The server became read-only or is shutting down. The next attempt connects again and looks the name up again.
        if (outcome == work_outcome::unavailable) disconnect();
        return {outcome, error.sqlstate(), safe_detail(error.sqlstate(), error.what())};
    } catch (pqxx::failure const& error) {
        return lost(first_line(error.what()));
    }
}

std::shared_ptr<pqxx::connection> session::connected()
{
    if (!connection_ || !connection_->is_open()) {
        disconnect();
        connected_with_ = conninfo_();
        auto fresh = std::make_shared<pqxx::connection>(connected_with_.text());
        if (watch_) watch_->watch(fresh->sock());
        silence_limit const limit{*this};
        if (on_connect_) on_connect_(*fresh);
        std::lock_guard const lock{mutex_};
        connection_ = std::move(fresh);
    }
    return connection_;
}

void session::disconnect()
{
    if (watch_) watch_->watch(-1); // its duplicate would keep the connection open
    std::lock_guard const lock{mutex_};
    connection_.reset();
}

void session::cancel()
{
    std::lock_guard const lock{mutex_};
    if (!connection_) return;
    try {
        connection_->cancel_query();
    } catch (pqxx::failure const&) {
        // The connection is already closed.
    }
}

}
