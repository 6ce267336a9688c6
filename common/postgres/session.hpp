#pragma once

// One connection to PostgreSQL and what can become of work done on it. libpqxx's exceptions stop here: callers
// get a closed outcome. A connection on which anything uncertain happened is thrown away, never reused:
// libpqxx 6 would reconnect silently and lose what SET had said.

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
    unavailable, // away, full, shutting down, read-only, or nobody knows whether COMMIT happened: try later
    mismatched, // class 42 or 3F: tables or rights are not what we think: look at the schema again
};

struct work_result
{
    work_outcome outcome{work_outcome::done};
    std::string sqlstate; // five characters, or empty when the server gave none
    std::string detail; // for the log; never a value of a row
};

class session
{
public:
    // Called on every new connection, before the first work: prepares statements.
    using set_up = std::function<void(any_connection&)>;

    // Asked for every new connection, so that rotated passwords and certificates are used without a restart.
    using conninfo_source = std::function<conninfo()>;

    // With `silence_max`, a connection on which the server says nothing for so long while work is under way is given
    // up, and that is `unavailable`: a pooler or a proxy may stand and never answer, and TCP sees nothing wrong with
    // it. It has to be longer than the server's own limit for a statement.
    explicit session(
        conninfo_source conninfo, set_up on_connect = {}, std::optional<std::chrono::milliseconds> silence_max = {});

    // Runs `body` in one transaction and commits it. `body` may throw what libpqxx throws and work_stopped.
    [[nodiscard]] work_result run(std::function<void(pqxx::work&)> const& body);

    // The next run() connects anew.
    void disconnect();

    // Cancels the statement that is running, from another thread. Safe at any time.
    void cancel();

private:
    class heard;
    [[nodiscard]] std::shared_ptr<pqxx::connection> connected();

    conninfo_source conninfo_;
    set_up on_connect_;
    std::optional<std::chrono::milliseconds> silence_max_;
    std::optional<socket_watch> watch_; // there with silence_max_
    std::mutex mutex_; // the pointer alone: cancel() comes from another thread
    std::shared_ptr<pqxx::connection> connection_;
    conninfo connected_with_; // its files exist as long as the connection: libpqxx 6 may reconnect
};

// Thrown by a body that finds it cannot go on: rolls back and becomes the result.
struct work_stopped
{
    work_result result;
};

// Which outcome an SQLSTATE stands for (PostgreSQL's appendix A; hardening: the classes that never park).
[[nodiscard]] work_outcome outcome_of(std::string const& sqlstate);
// What of a server's message may be told: nothing that could quote a row (I6).
[[nodiscard]] std::string safe_detail(std::string const& sqlstate, std::string const& message);

}
