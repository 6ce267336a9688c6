#include "worker/operate/clerk_access.hpp"

#include "common/clerk/secret_key.hpp"
#include "worker/operate/clerk_pages.hpp"
#include "worker/operate/commands.hpp"
#include "worker/operate/user_page.hpp"

#include <algorithm>
#include <iostream>

namespace clerk_strapi::worker::commands
{
namespace
{

constexpr auto key_name = "CLERK_SECRET_KEY";
constexpr auto publishable_name = "CLERK_PUBLISHABLE_KEY";
// Clerk allows 100 requests per second in production and 10 in development, shared by all users of the key.
constexpr double live_rate = 20;
constexpr double test_rate = 5;

enum class stage { live, test, unknown };

stage stage_of(std::string_view key, std::string_view kind)
{
    if (key.starts_with(std::string{kind} + "_live_")) return stage::live;
    if (key.starts_with(std::string{kind} + "_test_")) return stage::test;
    return stage::unknown;
}

stage check_keys(config_source& source)
{
    source.require(key_name, "this command reads Clerk's Backend API; the key is in Clerk's dashboard under API keys");
    auto const key = source.secret_text(key_name);
    auto const of_key = stage_of(key.reveal(), "sk");
    if (!key.empty() && of_key == stage::unknown)
        source.fault(key_name, "must begin with sk_live_ or sk_test_; the key is in Clerk's dashboard under API keys");
    auto const publishable = source.text(publishable_name);
    auto const of_publishable = stage_of(publishable, "pk");
    if (!publishable.empty() && of_publishable == stage::unknown)
        source.fault(publishable_name, "must begin with pk_live_ or pk_test_");
    if (of_key != stage::unknown && of_publishable != stage::unknown && of_key != of_publishable)
        source.fault(key_name, "and CLERK_PUBLISHABLE_KEY belong to different instances: one is live, one is test");
    return of_key;
}

std::vector<std::string> allowed_instances(config_source& source, std::string const& instance)
{
    auto configured = source.list("CLERK_INSTANCE_IDS");
    if (instance.empty()) {
        source.require("CLERK_INSTANCE_IDS", "the Clerk instance of this site (ins_...); or pass --instance ins_...");
        return configured;
    }
    if (!configured.empty() && std::find(configured.begin(), configured.end(), instance) == configured.end())
        source.fault("CLERK_INSTANCE_IDS",
            "does not contain " + instance + " of --instance: the worker would dead-letter its users");
    return {instance};
}

std::string joined(std::vector<std::string> const& names)
{
    std::string text;
    for (auto const& name : names)
        text += (text.empty() ? "" : ", ") + name;
    return text;
}

}

clerk_access read_clerk_access(config_source& source, std::string const& instance, double rate)
{
    clerk_access access;
    auto const of_key = check_keys(source);
    access.reader.api_url = source.text("CLERK_API_URL");
    if (!access.reader.api_url.starts_with("https://") && !access.reader.api_url.starts_with("http://"))
        source.fault("CLERK_API_URL", "must begin with https:// (http:// is for tests)");
    access.reader.key = follow_secret_key(source.secret_text(key_name), source.file_of(key_name));
    access.reader.requests_per_second = rate > 0 ? rate : of_key == stage::test ? test_rate : live_rate;
    access.instances = allowed_instances(source, instance);
    return access;
}

guarded_instance find_instance(clerk_reader& clerk, std::vector<std::string> const& allowed, std::string const& command)
{
    auto const reply = clerk.get("/v1/instance");
    if (reply.kind == reply_kind::interrupted) return {{}, exit_failed};
    auto const id =
        reply.kind == reply_kind::answered && reply.status == 200 ? text_member(reply.body, "id") : std::nullopt;
    if (!id) {
        std::cerr << command << ": " << explain(reply) << '\n';
        auto const refused = reply.kind == reply_kind::answered && (reply.status == 401 || reply.status == 403);
        return {{}, refused ? exit_usage : exit_failed};
    }
    if (std::find(allowed.begin(), allowed.end(), *id) == allowed.end()) {
        std::cerr << command << ": CLERK_SECRET_KEY belongs to " << *id << ", but " << joined(allowed)
                  << " is allowed here. Nothing was read or written. Use the key of that instance, or correct "
                     "CLERK_INSTANCE_IDS or --instance.\n";
        return {{}, exit_usage};
    }
    return {*id, exit_done};
}

}
