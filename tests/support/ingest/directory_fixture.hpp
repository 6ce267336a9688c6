#pragma once

// The user directory on its own database, with functions that change users and break the database.

#include "ingest/users/user_directory.hpp"
#include "tests/support/ingest/raw_client.hpp"
#include "tests/support/ingest/running_io.hpp"
#include "tests/support/site_database.hpp"

#include <mutex>
#include <string>

namespace clerk_strapi::tests
{

// Times so long that none passes within a test, unless the test shortens it.
inline ingest::directory_times long_times()
{
    ingest::directory_times times;
    times.cache = std::chrono::seconds{60};
    times.stale = std::chrono::seconds{60};
    times.find_max = std::chrono::seconds{10};
    times.probe = std::chrono::hours{1};
    times.retry_first = std::chrono::milliseconds{10};
    times.retry_longest = std::chrono::milliseconds{20};
    return times;
}

struct directory_fixture
{
    explicit directory_fixture(ingest::directory_times times = long_times(), std::size_t waiting_max = 2'000,
        site_database::setup wanted = site_database::setup::migrated)
        : site{wanted}
        , conninfo{site.conninfo()}
        , directory{io.context, settings(times, waiting_max)}
    {
    }

    ingest::directory_settings settings(ingest::directory_times times, std::size_t waiting_max)
    {
        ingest::directory_settings chosen;
        chosen.conninfo = [this] {
            std::lock_guard const lock{mutex};
            return conninfo;
        };
        chosen.times = times;
        chosen.waiting_max = waiting_max;
        return chosen;
    }
    void connect_to(std::string const& where)
    {
        std::lock_guard const lock{mutex};
        conninfo = where;
    }

    void add_user(int id, std::string const& clerk_id, int role = 1)
    {
        auto const text = std::to_string(id);
        site.execute("insert into up_users (id, document_id, username, email, provider, confirmed, blocked, clerk_id) "
                     "values ("
            + text + ", 'doc" + text + "', 'name" + text + "', 'u" + text + "@example.com', 'clerk', true, false, '"
            + clerk_id + "')");
        if (role != 0) {
            site.execute(
                "insert into up_users_role_lnk (user_id, role_id) values (" + text + ", " + std::to_string(role) + ")");
        }
    }
    void add_tombstone(std::string const& clerk_id)
    {
        site.execute("insert into clerk_sync.user_state (clerk_id, tombstone, updated_at_ms, event_ms, event_id, "
                     "body_hash, email_verified, banned, created_at_ms, document_id, blocked_by_us, mapping_hash) "
                     "values ('"
            + clerk_id + "', true, 1, 1, 'msg_1', '\\x00', false, false, 1, 'doc', false, 'm')");
    }

    auto start_find(std::string clerk_id)
    {
        return io.spawn(
            [](ingest::user_directory& users, std::string id) -> boost::asio::awaitable<ingest::user_answer> {
                co_return co_await users.find(id);
            }(directory, std::move(clerk_id)));
    }
    ingest::user_answer find(std::string const& clerk_id) { return start_find(clerk_id).get(); }
    auto wait_for(std::string clerk_id, std::chrono::milliseconds time)
    {
        return io.spawn(
            [](ingest::user_directory& users, std::string id,
                std::chrono::steady_clock::time_point until) -> boost::asio::awaitable<ingest::user_answer> {
                co_return co_await users.wait_for(id, until);
            }(directory, std::move(clerk_id), std::chrono::steady_clock::now() + time));
    }
    std::uint64_t queries()
    {
        return io.on_thread([this] { return directory.queries(); });
    }
    bool up()
    {
        return io.on_thread([this] { return directory.up(); });
    }
    std::string health()
    {
        return io.on_thread([this] { return directory.health(); });
    }
    void disconnect()
    {
        connect_to("host=127.0.0.1 port=1 connect_timeout=1");
        break_connections();
    }
    void reconnect() { connect_to(site.conninfo()); }
    void break_connections()
    {
        site.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and "
                     "pid <> pg_backend_pid()");
    }

    site_database site;
    std::mutex mutex;
    std::string conninfo;
    running_io io;
    ingest::strapi_user_directory directory;
    stop_first stop{io};
};

}
