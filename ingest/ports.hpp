#pragma once

// The boundary of ingest: Kafka, signing keys, Strapi's users, Clerk's API. Each port has an edge (publish/, token/,
// users/) and a fake for tests. Coroutines (`boost::asio::awaitable`) are allowed here, sockets and timers are not.

#include "ingest/publish/published_event.hpp"
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
    persisted, // every in-sync replica has the record: the only outcome that allows a 2xx (I1)
    queue_full, // not queued: too many records are waiting
    too_large, // not queued: the record is larger than the brokers accept
    refused, // not queued, or certainly not in the topic
    timed_out, // no report in time; a later report changes nothing
    possibly_persisted, // unknown: treated as a failure, because a second copy is harmless (I2)
};

class event_publisher
{
public:
    virtual ~event_publisher() = default;
    // Returns within the publish timeout, whatever the brokers do. Copies the record before it first waits.
    [[nodiscard]] virtual boost::asio::awaitable<publish_outcome> publish(published_event const& record) = 0;
};

enum class key_outcome {
    found,
    unknown, // the key set is known and has no such key
    unavailable, // there is no key set, or it is too old to be trusted
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
    // Returns at once when the key is known; else after at most one fetch, within the fetch's time limit.
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
    deleted, // a tombstone: the user is never created again (I3)
    unavailable, // the database is unreachable, and the cached row is too old
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
    // The row is at most VERIFY_CACHE_MS old; while the database is unreachable, at most VERIFY_STALE_MS. `absent` is
    // never cached.
    [[nodiscard]] virtual boost::asio::awaitable<user_answer> find(std::string_view clerk_id) = 0;
    // Waits for a row or a tombstone to appear; absent when there is neither by `until`.
    [[nodiscard]] virtual boost::asio::awaitable<user_answer> wait_for(
        std::string_view clerk_id, std::chrono::steady_clock::time_point until) = 0;
};

enum class clerk_outcome {
    found,
    absent, // 404: there is no such user
    unavailable, // unreachable, slow, rate-limited, or Clerk rejects the secret key
};
struct clerk_answer
{
    clerk_outcome outcome{clerk_outcome::unavailable};
    std::string user; // when found: the User object as Clerk sent it
    std::chrono::system_clock::time_point asked_at{}; // start of the request: part of a snapshot's version
};

class clerk_users
{
public:
    virtual ~clerk_users() = default;
    [[nodiscard]] virtual boost::asio::awaitable<clerk_answer> read(
        std::string_view clerk_id, std::chrono::steady_clock::time_point until) = 0;
};

}
