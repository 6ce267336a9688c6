#pragma once

// Where ingest ends: the event log, the keys of session tokens, Strapi's users, Clerk's own API. Each has a real edge
// (edges/) and a fake with verbs (tests). `boost::asio::awaitable` is vocabulary here; sockets and timers are not.

#include "ingest/publish/event_record.hpp"
#include "ingest/token/rsa_key.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi::ingest
{

enum class publish_outcome {
    persisted, // every in-sync replica has it: the one outcome that allows a 2xx (I1)
    queue_full, // not taken: too much is waiting already
    too_large, // not taken: the record is over what the brokers accept
    refused, // not taken, or surely not in the log
    timed_out, // no report in time; it may still come and changes nothing any more
    possibly_persisted, // nobody knows: answered as a failure, the sender's retry is a harmless copy (I2)
};

class event_log
{
public:
    virtual ~event_log() = default;
    // Answers within the publish timeout, whatever the brokers do. Copies the record before it first waits.
    [[nodiscard]] virtual boost::asio::awaitable<publish_outcome> publish(event_record const& record) = 0;
};

enum class key_outcome {
    found,
    unknown, // the key set is known and has no such key
    unavailable, // the key set is not to be had, or the one we had is too old to be believed
    not_configured, // neither PEM, secret key nor publishable key
};
struct key_answer
{
    key_outcome outcome{key_outcome::not_configured};
    std::optional<rsa_key> key; // when found
};

class signing_keys
{
public:
    virtual ~signing_keys() = default;
    // Answers at once when the key is known; else after at most one fetch, within its time limit.
    [[nodiscard]] virtual boost::asio::awaitable<key_answer> find(std::string_view kid) = 0;
};

struct strapi_role
{
    std::int64_t id{0};
    std::string type;
    std::string name;
};
// A row of Strapi's user table with its role; never a password.
struct strapi_user
{
    std::int64_t id{0};
    std::string document_id;
    std::string username;
    std::string email;
    bool confirmed{false};
    bool blocked{false};
    std::optional<strapi_role> role;
};

enum class user_outcome {
    found,
    absent, // no row, and no tombstone
    deleted, // a tombstone: never comes back (I3)
    unavailable, // the database is away, and what we remember is too old
};
struct user_answer
{
    user_outcome outcome{user_outcome::unavailable};
    std::shared_ptr<strapi_user const> user; // when found
};

class user_directory
{
public:
    virtual ~user_directory() = default;
    // As it was at most VERIFY_CACHE_MS ago. While the database is away: at most VERIFY_STALE_MS ago. That a user is
    // absent is never remembered.
    [[nodiscard]] virtual boost::asio::awaitable<user_answer> find(std::string_view clerk_id) = 0;
    // The same, waiting for a row or a tombstone to appear; absent when neither has by then.
    [[nodiscard]] virtual boost::asio::awaitable<user_answer> wait_for(
        std::string_view clerk_id, std::chrono::steady_clock::time_point until) = 0;
};

enum class clerk_outcome {
    found,
    absent, // 404: there is no such user
    unavailable, // away, slow, over its limit, or our secret key is refused
};
struct clerk_answer
{
    clerk_outcome outcome{clerk_outcome::unavailable};
    std::string user; // the User object as Clerk sent it, when found
    std::chrono::system_clock::time_point asked_at{}; // when the request began: part of a snapshot's version
};

class clerk_users
{
public:
    virtual ~clerk_users() = default;
    [[nodiscard]] virtual boost::asio::awaitable<clerk_answer> read(
        std::string_view clerk_id, std::chrono::steady_clock::time_point until) = 0;
};

}
