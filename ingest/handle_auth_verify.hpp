#pragma once

// Verifies a session token, in the order of the README: key, signature, claims, user, provisioning. Accepts only a
// valid token of a user who is neither blocked nor deleted (I5). Uses ports and clocks only: no sockets.

#include "ingest/async/bounded_cache.hpp"
#include "ingest/ports.hpp"
#include "ingest/token/presented_token.hpp"
#include "ingest/token/session_token.hpp"
#include "ingest/token/verify_outcome.hpp"
#include "ingest/users/provisioning.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi::ingest
{

// Why a token is rejected. http/auth_responses maps each reason to a response, which names only its class.
enum class auth_rejection {
    not_authenticated, // 401: no token, or an invalid one; `reason` has the details for the log
    no_such_user, // 401: Clerk has no user with the token's id
    blocked, // 403: blocked in Strapi, by an admin or because Clerk banned the user
    deleted, // 403: a tombstone
    not_owner, // 403: the row of another user (gateway)
    impersonated, // 403: a token with an actor on a route that is closed to impersonation (gateway)
    odd_request, // 403: no path, or one that two programs could read differently (gateway)
    not_configured, // 503: no keys or no database configured
    keys_unavailable, // 503
    user_unavailable, // 503: database, brokers or Clerk's API unavailable
    pending, // 503: the user is being provisioned
    overloaded, // 503: too many requests wait
};
[[nodiscard]] std::string_view to_string(auth_rejection rejection);

// A token's claims and the user's row. Shared with the caches, so both are const.
struct verified_identity
{
    std::shared_ptr<session_claims const> claims;
    std::shared_ptr<strapi_user const> user;
};

struct auth_decision
{
    std::optional<auth_rejection> rejection; // nothing: accepted
    std::optional<token_reason> reason; // with not_authenticated
    verified_identity identity; // empty when rejected, and when a gateway accepts a request without a token
};

struct auth_request
{
    presented_token token;
    std::optional<std::string_view> origin; // of the client's request; checked for cookies only
    std::string_view traceparent;
};

class handle_auth_verify
{
public:
    struct clocks
    {
        std::function<std::chrono::system_clock::time_point()> wall;
        std::function<std::uint64_t()> random;
    };

    handle_auth_verify(
        signing_keys& keys, user_directory& users, provision_user& provision, token_policy policy, clocks sources);

    [[nodiscard]] boost::asio::awaitable<auth_decision> operator()(auth_request const& request);

private:
    struct known_token // its signature was verified with the key `kid`
    {
        std::string kid;
        std::shared_ptr<session_claims const> claims;
    };
    struct token_answer
    {
        std::optional<auth_decision> rejected;
        known_token token;
    };

    [[nodiscard]] boost::asio::awaitable<token_answer> verify(std::string_view text);
    [[nodiscard]] boost::asio::awaitable<token_answer> verify_signature(std::string_view text);
    [[nodiscard]] boost::asio::awaitable<auth_decision> provision(known_token token, std::string_view traceparent);
    [[nodiscard]] bool is_foreign_origin(auth_request const& request, session_claims const& claims) const;

    signing_keys& keys_;
    user_directory& users_;
    provision_user& provision_;
    token_policy policy_;
    clocks sources_;
    bounded_cache<known_token> tokens_; // by the SHA-256 of the token: the token itself is not stored
};

// The `outcome` label of clerk_ingest_verify_total.
[[nodiscard]] verify_outcome outcome_of(auth_decision const& decision);

}
