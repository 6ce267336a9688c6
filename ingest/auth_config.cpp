#include "ingest/auth_config.hpp"

#include "common/clerk/secret_key.hpp"
#include "common/postgres/database_config.hpp"

namespace clerk_strapi::ingest
{
namespace
{

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr auto secret_key_name = "CLERK_SECRET_KEY";
constexpr auto publishable_key_name = "CLERK_PUBLISHABLE_KEY";

bool is_live(std::string_view key) { return key.starts_with("sk_live_"); }

void check_secret_key(config_source& source, secret const& key, std::optional<publishable_key> const& publishable)
{
    auto const& text = key.reveal();
    if (!is_live(text) && !text.starts_with("sk_test_"))
        return source.fault(secret_key_name, "must begin with sk_live_ or sk_test_: Clerk's dashboard, API keys");
    if (publishable && publishable->live != is_live(text))
        source.fault(
            secret_key_name, "and CLERK_PUBLISHABLE_KEY belong to different instances: one is live, one is test");
}

bool is_https_origin(std::string_view text)
{
    constexpr std::string_view scheme = "https://";
    return text.starts_with(scheme) && text.size() > scheme.size()
        && text.substr(scheme.size()).find_first_of("/?# ") == std::string_view::npos;
}

bool is_origin(std::string_view text)
{
    auto const scheme_end = text.find("://");
    return scheme_end != std::string_view::npos && scheme_end > 0 && text.size() > scheme_end + 3
        && text.substr(scheme_end + 3).find_first_of("/?# *") == std::string_view::npos;
}

void read_keys(config_source& source, auth_config& read)
{
    if (source.is_set(publishable_key_name)) {
        auto parsed = parse_publishable_key(source.text(publishable_key_name));
        parsed ? static_cast<void>(read.publishable = std::move(*parsed))
               : source.fault(publishable_key_name, parsed.error());
    }
    if (source.is_set(secret_key_name)) {
        auto key = source.secret_text(secret_key_name);
        check_secret_key(source, key, read.publishable);
        read.secret_key = follow_secret_key(std::move(key), source.file_of(secret_key_name));
    }
    if (source.is_set("CLERK_JWT_KEY")) {
        auto key = rsa_key::from_pem(source.text("CLERK_JWT_KEY"));
        key ? static_cast<void>(read.jwt_key = std::move(*key)) : source.fault("CLERK_JWT_KEY", key.error());
    }
}

void read_policy(config_source& source, auth_config& read)
{
    if (source.is_set("CLERK_ISSUER")) {
        read.policy.issuer = source.text("CLERK_ISSUER");
        if (!is_https_origin(*read.policy.issuer))
            source.fault("CLERK_ISSUER", "must be https:// and a host, without a path or a trailing slash");
    } else if (read.publishable) {
        read.policy.issuer = read.publishable->issuer();
    }
    for (auto& party : source.list("CLERK_AUTHORIZED_PARTIES")) {
        if (!is_origin(party))
            source.fault("CLERK_AUTHORIZED_PARTIES",
                "must list origins such as https://app.example.com, without a path, but holds \"" + party + "\"");
        read.policy.authorized_parties.insert(std::move(party));
    }
}

void read_gateway(config_source& source, auth_config& read)
{
    read.dialect = source.choice<gateway_dialect>("GATEWAY_DIALECT",
        {{"nginx", gateway_dialect::nginx}, {"traefik", gateway_dialect::traefik}, {"envoy", gateway_dialect::envoy}});
    auto rule = impersonation_rule::from_entries(source.list("GATEWAY_NO_IMPERSONATION"));
    if (rule)
        read.impersonation = std::move(*rule);
    else
        source.fault("GATEWAY_NO_IMPERSONATION", rule.error());
}

}

auth_config load_auth_config(config_source& source)
{
    auth_config read;
    read_keys(source, read);
    read_policy(source, read);
    read.api_url = source.text("CLERK_API_URL");
    if (!read.api_url.starts_with("https://") && !read.api_url.starts_with("http://"))
        source.fault("CLERK_API_URL", "must begin with https:// (http:// is for tests)");
    if (auto database = postgres::read_database_config(source, "clerk-ingest", postgres::database_need::optional))
        read.database = std::move(*database);
    read.database_schema = source.text("DATABASE_SCHEMA");
    read.row_wait = source.milliseconds("VERIFY_WAIT_MS", milliseconds{50}, seconds{10});
    read.waiters_max = static_cast<std::size_t>(source.integer("VERIFY_MAX_WAITERS", 1, 100'000));
    read.cache_time = source.milliseconds("VERIFY_CACHE_MS", milliseconds{0}, minutes{1});
    read.stale_time = source.milliseconds("VERIFY_STALE_MS", milliseconds{0}, minutes{10});
    read_gateway(source, read);
    return read;
}

std::vector<std::string> auth_config::warnings() const
{
    if (!has_keys()) return {};
    if (!database)
        return {"cannot verify session tokens: set DATABASE_URL; until then /v1/auth returns 503 not_configured"};
    std::vector<std::string> sentences;
    if (!policy.issuer)
        sentences.emplace_back("tokens of any issuer are accepted if their signing key is known: set CLERK_ISSUER or "
                               "CLERK_PUBLISHABLE_KEY");
    if (policy.authorized_parties.empty())
        sentences.emplace_back("CLERK_AUTHORIZED_PARTIES is not set: tokens issued for any origin are accepted");
    if (!secret_key)
        sentences.emplace_back("CLERK_SECRET_KEY is not set: a user created by just-in-time provisioning has only the "
                               "data of the token until the user's webhook arrives");
    return sentences;
}

}
