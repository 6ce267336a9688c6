#pragma once

// One connection to PostgreSQL, and the outcome of the work on it. libpqxx's exceptions end here: callers get a value
// of a closed enum. After any uncertain event the connection is closed and never reused, because libpqxx 6 would
// reconnect silently and lose the session's settings (SET).

#include "common/postgres/conninfo.hpp"
#include "common/postgres/statement.hpp"
#include "common/process/socket_watch.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <pqxx/pqxx>

namespace clerk_strapi::postgres
{

enum class work_outcome {
    done, // committed
    raced, // lost against a concurrent transaction (deadlock, serialisation, a key taken meanwhile): run it again
    refused, // SQLSTATE class 22 or 23: these values can never be written
    unavailable, // unreachable, full, shutting down, read-only, or COMMIT has an unknown outcome: try again later
    mismatched, // class 42 or 3F: tables or permissions are not as expected: read the schema again
};

struct work_result
{
    work_outcome outcome{work_outcome::done};
    std::string sqlstate; // five characters, or empty without one from the server
    std::string detail; // for the log; never a value of a row
};

class session
{
public:
    // Called on every new connection before the first work; it prepares statements.
    using set_up = std::function<void(any_connection&)>;

    // Called for every new connection, so that rotated passwords and certificates are used without a restart.
    using conninfo_source = std::function<conninfo()>;

    // With `silence_max`, a connection is closed when the server sends nothing for that time during work, and the
    // outcome is `unavailable`. Without it, a stuck pooler or proxy could block the work for ever, because TCP notices
    // nothing. `silence_max` must be longer than the server's own limit for a statement.
    explicit session(
        conninfo_source conninfo, set_up on_connect = {}, std::optional<std::chrono::milliseconds> silence_max = {});

    // Runs `body` in one transaction and commits it. `body` may throw what libpqxx throws and work_stopped.
    [[nodiscard]] work_result run(std::function<void(pqxx::work&)> const& body);

    // The next run() connects again.
    void disconnect();

    // Cancels the running statement. From any thread, at any time.
    void cancel();

private:
    class silence_limit;
    [[nodiscard]] std::shared_ptr<pqxx::connection> connected();

    conninfo_source conninfo_;
    set_up on_connect_;
    std::optional<std::chrono::milliseconds> silence_max_;
    std::optional<socket_watch> watch_; // exists with silence_max_
    std::mutex mutex_; // for the pointer only: cancel() is called from another thread
    std::shared_ptr<pqxx::connection> connection_;
    conninfo connected_with_; // keeps its files as long as the connection, because libpqxx 6 may reconnect
};

// Thrown by a body that cannot continue: the transaction rolls back, and run() returns `result`.
struct work_stopped
{
    work_result result;
};

// The outcome for an SQLSTATE (PostgreSQL's appendix A). Only `refused` can lead to a dead letter.
[[nodiscard]] work_outcome outcome_of(std::string const& sqlstate);
// The part of a server's message that may be logged: nothing that could be a value of a row (I6).
[[nodiscard]] std::string safe_detail(std::string const& sqlstate, std::string const& message);

}
