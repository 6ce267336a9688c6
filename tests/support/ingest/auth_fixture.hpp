#pragma once

// handle_auth_verify on fakes, with a clock that advances only during waits.

#include "ingest/handle_gateway.hpp"
#include "tests/support/ingest/auth_fakes.hpp"
#include "tests/support/ingest/fake_event_publisher.hpp"
#include "tests/support/ingest/minted_token.hpp"
#include "tests/support/ingest/signed_webhook.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <future>
#include <optional>
#include <string>
#include <vector>

namespace clerk_strapi::tests
{

inline ingest::strapi_user row_of(std::int64_t id, bool blocked = false)
{
    return {id, "doc" + std::to_string(id), "ada", "ada@example.com", true, blocked,
        ingest::strapi_role{1, "authenticated", "Authenticated"}};
}

struct auth_fixture
{
    fake_time time;
    fake_event_publisher log;
    fake_signing_keys keys;
    fake_user_directory users{time};
    fake_clerk_users clerk{time};
    ingest::token_policy policy;
    ingest::provisioning_settings settings;
    ingest::impersonation_rule impersonation;
    bool with_secret_key{false};

    auth_fixture()
    {
        policy.issuer = std::string{token_issuer};
        auto const& ours = minting_key::ours();
        keys.has(std::string{token_kid}, must(ingest::rsa_key::from_numbers(ours.modulus(), ours.exponent())));
    }

    // Created at the first call, so that a test may change the settings before.
    ingest::handle_auth_verify& story()
    {
        if (!story_) {
            provision_.emplace(log, users, with_secret_key ? &clerk : nullptr, settings,
                ingest::provision_user::clocks{[this] { return time.wall(); }, [this] { return time.steady; }});
            story_.emplace(keys, users, *provision_, policy,
                ingest::handle_auth_verify::clocks{[this] { return time.wall(); }, [] { return std::uint64_t{7}; }});
        }
        return *story_;
    }

    [[nodiscard]] std::string token(std::string_view clerk_id = "user_2abc") const
    {
        return mint(time.wall_seconds, clerk_id);
    }

    ingest::auth_decision verify(std::string const& token)
    {
        return verify(ingest::auth_request{{ingest::token_origin::header, token, false}, std::nullopt, {}});
    }
    ingest::auth_decision verify(ingest::auth_request const& request) { return verify_together({request}).front(); }
    // All at once, on one thread.
    std::vector<ingest::auth_decision> verify_together(std::vector<ingest::auth_request> const& requests)
    {
        std::vector<std::future<ingest::auth_decision>> answers;
        for (auto const& request : requests)
            answers.push_back(boost::asio::co_spawn(io_, story()(request), boost::asio::use_future));
        io_.restart();
        io_.run();
        std::vector<ingest::auth_decision> decisions;
        for (auto& answer : answers)
            decisions.push_back(answer.get());
        return decisions;
    }
    ingest::auth_decision pass(std::string_view method, std::optional<std::string_view> uri, std::string const& token)
    {
        ingest::handle_gateway gateway{story(), impersonation};
        auto const origin = token.empty() ? ingest::token_origin::none : ingest::token_origin::header;
        ingest::gateway_request const request{method, uri, {{origin, token, false}, std::nullopt, {}}};
        auto answer = boost::asio::co_spawn(io_, gateway(request), boost::asio::use_future);
        io_.restart();
        io_.run();
        return answer.get();
    }

private:
    boost::asio::io_context io_;
    std::optional<ingest::provision_user> provision_;
    std::optional<ingest::handle_auth_verify> story_;
};

}
