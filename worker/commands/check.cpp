#include "common/postgres/session.hpp"
#include "common/postgres/statement.hpp"
#include "worker/commands/commands.hpp"
#include "worker/edges/kafka_topics.hpp"
#include "worker/edges/strapi_store.hpp"

#include <iostream>

namespace clerk_strapi::worker::commands
{

namespace
{

void tell(bool good, std::string const& what, std::string const& detail)
{
    std::cout << (good ? "ok     " : "FAULT  ") << what << (detail.empty() ? "" : ": " + detail) << '\n';
}

bool check_kafka(worker_config const& config)
{
    kafka_topics const kafka{config.kafka};
    auto const report = kafka.look(config.topics.all());
    tell(report.fault.empty(), "brokers " + config.kafka.brokers, report.fault);
    if (!report.fault.empty()) return false;
    auto good = true;
    for (auto const& topic : report.topics) {
        auto const there = topic.partitions > 0;
        auto const sound = topic.cleanup_policy.empty() || topic.cleanup_policy == "delete";
        tell(there && sound, "topic " + topic.name,
            !there      ? "missing; run `clerk-worker topics`"
                : sound ? ""
                        : "cleanup.policy must be delete");
        good = good && there && sound;
    }
    return good;
}

// A transaction pooler hands each transaction another server session: prepared statements get lost.
bool check_session(worker_config const& config)
{
    auto first = 0;
    auto same = true;
    postgres::session session{config.conninfo,
        [](postgres::any_connection& connection) { connection.prepare("pooler_probe", "select pg_backend_pid()"); }};
    for (auto attempt = 0; attempt < 5; ++attempt) {
        auto const result = session.run([&](pqxx::work& work) {
            auto const pid = postgres::exec_prepared_one(work, "pooler_probe")[0].as<int>();
            same = same && (first == 0 || first == pid);
            first = pid;
        });
        if (result.outcome != postgres::work_outcome::done) {
            auto const pooled = result.sqlstate == "26000" || result.sqlstate == "42P05";
            tell(false, "database",
                pooled ? "a transaction pooler stands before it; connect directly, or pool by session" : result.detail);
            return false;
        }
    }
    tell(same, "database", same ? "" : "a transaction pooler stands before it; connect directly, or pool by session");
    return same;
}

bool check_strapi(worker_config const& config)
{
    strapi_store store{config.conninfo, config.store};
    auto const result = store.check();
    auto const good = result.status == apply_status::applied;
    tell(good, "Strapi's tables", result.detail);
    if (good) {
        for (auto const& profile : store.schema()->profiles)
            tell(true, "profile type " + profile.uid, profile.table + ", linked by " + profile.link.name);
    }
    return good;
}

}

int check(worker_config const& config)
{
    tell(true, "configuration", "");
    auto const kafka = check_kafka(config);
    auto const database = check_session(config) && check_strapi(config);
    std::cout << (kafka && database ? "check: ready to run\n" : "check: not ready, see above\n");
    return kafka && database ? exit_done : exit_failed;
}

}
