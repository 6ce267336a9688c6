#pragma once

// The story of a session token, in the order of the README: key, signature, claims, user, first sight. Says yes only
// for a token that is valid by the strict rule and a user who may come in (I5). Pure time and ports: no sockets.

#include "ingest/async/bounded_cache.hpp"
#include "ingest/token/presented_token.hpp"
#include "ingest/token/session_token.hpp"
#include "ingest/token/verify_outcome.hpp"
#include "ingest/users/provisioning.hpp"
#include "ingest/ports.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi::ingest
{

// Why there is no yes. The answer is in edges/auth_answers, the caller learns no more than its class.
enum class auth_refusal {
    not_authenticated, // 401: no token, or one that is not good; `reason` says which for the log
    no_such_user, // 401: Clerk does not know the bearer
    blocked, // 403: in Strapi, by an admin or because Clerk banned him
    deleted, // 403: a tombstone
    not_owner, // 403: somebody else's row (gateway)
    impersonated, // 403: somebody acts for the user on a route that is closed to that (gateway)
    odd_request, // 403: a path or method that two programs could read differently, or none at all (gateway)
    not_configured, // 503: no keys, or no database, are configured
    keys_unavailable, // 503
    user_unavailable, // 503: database, brokers or Clerk's API
    pending, // 503: his first sight is under way
    overloaded, // 503: too many first sights at once
};
[[nodiscard]] std::string_view to_string(auth_refusal refusal);

// A bearer and his row. Shared with the caches: never changed.
struct identity
{
    std::shared_ptr<session_claims const> claims;
    std::shared_ptr<strapi_user const> user;
};

struct auth_verdict
{
    std::optional<auth_refusal> refusal; // nothing: let in
    std::optional<token_reason> reason; // with not_authenticated
    identity who; // empty when refused, and for those whom a gateway lets through without an identity
};

struct auth_request
{
    presented_token token;
    std::optional<std::string_view> origin; // of the client's request; judged for cookies only
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
        signing_keys& keys, user_directory& users, introduce_user& introduce, token_policy policy, clocks sources);

    [[nodiscard]] boost::asio::awaitable<auth_verdict> operator()(auth_request const& request);

private:
    struct known_token // its signature was good under the key `kid`
    {
        std::string kid;
        std::shared_ptr<session_claims const> claims;
    };
    struct token_answer
    {
        std::optional<auth_verdict> refused;
        known_token token;
    };

    [[nodiscard]] boost::asio::awaitable<token_answer> verify(std::string_view text);
    [[nodiscard]] boost::asio::awaitable<token_answer> verify_signature(std::string_view text);
    [[nodiscard]] boost::asio::awaitable<auth_verdict> meet(known_token token, std::string_view traceparent);
    [[nodiscard]] bool is_foreign_origin(auth_request const& request, session_claims const& claims) const;

    signing_keys& keys_;
    user_directory& users_;
    introduce_user& introduce_;
    token_policy policy_;
    clocks sources_;
    bounded_cache<known_token> tokens_; // by SHA-256 of the token: the token itself is not kept
};

// The `outcome` label of clerk_ingest_verify_total.
[[nodiscard]] verify_outcome outcome_of(auth_verdict const& verdict);

}
