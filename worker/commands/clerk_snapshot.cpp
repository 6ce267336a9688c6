#include "worker/commands/clerk_snapshot.hpp"

#include "common/clerk/api_client.hpp"
#include "common/core/cloud_event.hpp"
#include "common/core/envelope.hpp"
#include "common/kafka/waiting_producer.hpp"
#include "common/runtime/json_text.hpp"
#include "common/runtime/time_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace clerk_strapi::worker::commands
{

namespace
{

using namespace std::chrono_literals;

constexpr auto answer_wait = 10s;
constexpr auto publish_timeout = 10s;

std::string fault_of(clerk::api_answer const& answer)
{
    if (answer.outcome != clerk::api_outcome::answered)
        return "Clerk's API: " + std::string{clerk::to_text(answer.outcome)};
    if (answer.status == 401 || answer.status == 403) return "Clerk's API refuses CLERK_SECRET_KEY";
    return "Clerk's API answered " + std::to_string(answer.status);
}

std::string id_of(std::string const& body)
{
    auto const document = nlohmann::json::parse(body, nullptr, false);
    return document.is_object() && document.contains("id") && document["id"].is_string() ? std::string{document["id"]}
                                                                                         : std::string{};
}

}

clerk_access read_clerk_access(config_source& source)
{
    source.require("CLERK_SECRET_KEY", "Clerk's API is asked whether the user is there");
    return {source.text("CLERK_API_URL"), source.secret_text("CLERK_SECRET_KEY")};
}

clerk_snapshot read_snapshot(clerk_access const& access, worker_config const& config, std::string const& clerk_id)
{
    clerk_snapshot read;
    clerk::api_client client{{access.api_url, [&] { return access.key; }}};
    auto const until = [] { return std::chrono::steady_clock::now() + answer_wait; };
    auto const instance = client.get("/v1/instance", until());
    if (instance.outcome != clerk::api_outcome::answered || instance.status != 200) {
        read.fault = fault_of(instance);
        return read;
    }
    read.instance = id_of(instance.body);
    auto const& allowed = config.instances;
    if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), read.instance) == allowed.end())
        throw config_error{"CLERK_SECRET_KEY is of the instance " + read.instance
            + ", which CLERK_INSTANCE_IDS does not name: use the key of the right instance"};
    read.asked_at_ms =
        std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    auto const user = client.get("/v1/users/" + clerk_id, until());
    if (user.outcome == clerk::api_outcome::answered && user.status == 404) {
        read.status = clerk_snapshot::outcome::absent;
        return read;
    }
    if (user.outcome != clerk::api_outcome::answered || user.status != 200) {
        read.fault = fault_of(user);
        return read;
    }
    read.body = R"({"type":"user.snapshot","timestamp":)" + std::to_string(read.asked_at_ms) + R"(,"instance_id":)"
        + json_string(read.instance) + R"(,"data":)" + user.body + "}";
    auto const head = scan_envelope(read.body);
    if (!head || head->user_id != clerk_id) {
        read.fault = "Clerk's API answered with something that is not the user asked for";
        return read;
    }
    read.status = clerk_snapshot::outcome::found;
    return read;
}

std::string publish_snapshot(worker_config const& config, std::string const& clerk_id, clerk_snapshot const& snapshot)
{
    auto const id = "snapshot_" + clerk_id + "_" + std::to_string(snapshot.asked_at_ms);
    auto const source = "/clerk/" + snapshot.instance;
    auto const time =
        rfc3339(std::chrono::sys_time<std::chrono::milliseconds>{std::chrono::milliseconds{snapshot.asked_at_ms}});
    kafka::header const headers[] = {
        {cloud_event::specversion, cloud_event::specversion_value},
        {cloud_event::id, id},
        {cloud_event::source, source},
        {cloud_event::type, "clerk.user.snapshot"},
        {cloud_event::subject, clerk_id},
        {cloud_event::time, time},
        {cloud_event::dataschema, cloud_event::dataschema_value},
        {cloud_event::content_type, cloud_event::content_type_value},
    };
    kafka::waiting_producer producer{config.kafka, {.topics = {config.topics.snapshots}}};
    auto const outcome =
        producer.publish_and_wait({config.topics.snapshots, clerk_id, snapshot.body, headers}, publish_timeout);
    if (outcome == kafka::published::persisted) return {};
    return "the brokers do not take the snapshot; run the same command again";
}

}
