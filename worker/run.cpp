#include "common/http/admin_endpoint.hpp"
#include "common/kafka/client_metrics.hpp"
#include "common/kafka/known_faults.hpp"
#include "common/log/log_metrics.hpp"
#include "common/log/logging.hpp"
#include "common/process/stop_signal.hpp"
#include "worker/consume/kafka_contact.hpp"
#include "worker/dead_letters/dead_letter_topic.hpp"
#include "worker/former_topic.hpp"
#include "worker/operate/commands.hpp"
#include "worker/pipeline.hpp"

#include <build_version.hpp>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <malloc.h>
#include <unistd.h>

namespace clerk_strapi::worker::commands
{

namespace
{

using namespace std::chrono_literals;

constexpr auto stop_deadline = 8s;
constexpr auto rejected_by_group_detail =
    "the members of the consumer group use another KAFKA_PARTITION_ASSIGNMENT_STRATEGY: "
    "stop all workers of the group, then start them with one strategy";

pipeline_settings settings_for(worker_config const& config, std::string name, std::string const& topic,
    metrics& counters, kafka::client_metrics& clients)
{
    pipeline_settings settings;
    settings.source.client = config.kafka;
    settings.source.client.statistics = clients.observer(name);
    settings.source.offset_gap_found = [&counters, topic](offset_gap kind) { counters.offset_gap_found(topic, kind); };
    counters.init_offset_gaps(topic);
    settings.source.client.client_id += "-" + name;
    settings.source.group_id = group_of(config, name);
    settings.source.topic = topic;
    settings.source.assignment_strategy = config.assignment_strategy;
    settings.source.batch_records = config.batch_records;
    settings.source.batch_wait = config.batch_wait;
    settings.name = std::move(name);
    settings.conninfo = config.conninfo;
    settings.store = config.store;
    settings.decoding = decoding_of(config);
    return settings;
}

health_check check_brokers(std::vector<pipeline const*> const& pipelines)
{
    std::string reason;
    for (auto const* const one : pipelines) {
        auto const health = one->health();
        if (health.brokers_up) return {"kafka", true, true, ""};
        if (reason.empty()) reason = health.broker_trouble;
    }
    return {"kafka", false, true, "no broker is reachable" + (reason.empty() ? "" : ": " + reason)};
}

health_check check_of(std::string name, pipeline_health const& health, bool needed)
{
    auto const running = health.schema_checked && health.cause == pause_cause::none && !health.rejected_by_group;
    auto detail = std::string{health.cause == pause_cause::none ? "" : to_string(health.cause)};
    if (!health.detail.empty()) detail += ": " + health.detail;
    if (health.rejected_by_group) detail = rejected_by_group_detail;
    return {std::move(name), running, needed, detail};
}

std::vector<health_check> check_pipelines(std::vector<pipeline const*> const& pipelines, kafka_dead_letters const& dead,
    kafka_contact const& contact, former_topic const& former)
{
    std::vector<health_check> checks;
    checks.push_back(check_brokers(pipelines));
    checks.push_back(contact.health());
    checks.push_back({"dead_letters", dead.brokers_up(), false, dead.trouble()});
    constexpr char const* names[] = {"events", "provisioning", "snapshots"};
    for (std::size_t i = 0; i < pipelines.size(); ++i)
        checks.push_back(check_of(names[i], pipelines[i]->health(), true));
    if (auto const health = former.health()) checks.push_back(check_of(former_pipeline, *health, false));
    return checks;
}

// Rows and offsets are safe at every moment, so a stop that waits for a broker or a database is cut short.
class stop_watchdog
{
public:
    void begin(int exit_code)
    {
        thread_ = std::thread{[this, exit_code] {
            std::unique_lock lock{mutex_};
            if (stopped_.wait_for(lock, stop_deadline, [this] { return done_; })) return;
            log::warning("stop took longer than 8 s; exiting now, nothing is lost");
            log::stop();
            ::_exit(exit_code);
        }};
    }
    ~stop_watchdog()
    {
        {
            std::lock_guard const lock{mutex_};
            done_ = true;
        }
        stopped_.notify_all();
        if (thread_.joinable()) thread_.join();
    }

private:
    std::mutex mutex_;
    std::condition_variable stopped_;
    bool done_{false};
    std::thread thread_;
};

// A pipeline that cannot continue ends the program: the supervisor sees an exit code instead of an idle reader.
std::optional<std::string> failure_of(std::vector<pipeline const*> const& pipelines, former_topic const& former)
{
    for (auto const* const one : pipelines) {
        if (auto why = one->failed_for_good()) return why;
    }
    return former.failed_for_good();
}

// Writes the lines that the parts log while they are destroyed.
struct log_session
{
    ~log_session() { log::stop(); }
};

}

int run(worker_config const& config, std::vector<std::string> const& unknown_variables)
{
    ::mallopt(M_ARENA_MAX, 2); // each thread of librdkafka would reserve 64 MiB of addresses
    auto logging = config.logging;
    logging.program = "clerk-worker";
    logging.version = build_version;
    log::start(logging);
    log_session const last_lines;
    stop_signal const stop;
    log::info("clerk-worker starts",
        {{"commit", build_commit}, {"brokers", config.kafka.brokers}, {"group", config.group_id}});
    for (auto const& name : unknown_variables)
        log::warning("unknown variable, ignored", {{"variable", name}});
    for (auto const& sentence : config.warnings)
        log::warning(sentence);
    if (config.instances.empty())
        log::warning("CLERK_INSTANCE_IDS is not set: events of any Clerk instance are applied");
    for (auto const& sentence : kafka::known_faults(kafka::loaded_library(), config.kafka.extra))
        log::warning(sentence);

    stop_watchdog watchdog; // declared first: outlives the parts that it watches
    metrics counters;
    kafka::client_metrics clients{*counters.registry()};
    auto dead_client = config.kafka;
    dead_client.statistics = clients.observer("dead-letters");
    kafka_dead_letters dead{dead_client, config.topics.dead_letters};
    auto const settings_of = [&](char const* name, std::string const& topic) {
        return settings_for(config, name, topic, counters, clients);
    };
    auto event_settings = settings_of("events", config.topics.user_events);
    event_settings.dead_letter_topic = config.topics.dead_letters;
    pipeline events{std::move(event_settings), dead, counters};
    pipeline provisioning{settings_of("user-provisioning", config.topics.provisioning), dead, counters};
    former_topic former{config, [&](std::string const& topic) {
                            return std::make_unique<pipeline>(settings_of(former_pipeline, topic), dead, counters);
                        }};
    auto snapshot_settings = settings_of("snapshots", config.topics.snapshots);
    snapshot_settings.may_read = [&] { return events.caught_up() && provisioning.caught_up() && former.caught_up(); };
    pipeline snapshots{std::move(snapshot_settings), dead, counters};

    std::vector<pipeline const*> const pipelines{&events, &provisioning, &snapshots};
    kafka_contact const contact{config};
    admin_thread admin{config.admin.host, config.admin.port, counters.registry(),
        [&] { return check_pipelines(pipelines, dead, contact, former); }};
    log::info("admin listener started", {{"host", config.admin.host}, {"port", admin.port()}});
    events.start();
    provisioning.start();
    snapshots.start();

    log_drops drops{*counters.registry(), "clerk_worker"};
    std::optional<std::string> failure;
    while (!failure && !stop.wait_for(1s)) {
        drops.update();
        former.update();
        failure = failure_of(pipelines, former);
    }
    if (failure) log::error("a consumer failed permanently; the worker exits", {{"detail", *failure}});
    log::info("clerk-worker stops");
    auto const exit_code = failure ? exit_failed : exit_done;
    watchdog.begin(exit_code);
    for (auto* const one : {&events, &provisioning, &snapshots})
        one->stop();
    former.stop();
    return exit_code; // pipelines join and leave their groups as they are destroyed, snapshots first
}

}
