// Runs sets of records through the worker's own decoder and store, as the driver (soak.py) requests, line by
// line on standard input:
//
//     {"records": [{"key", "value", "headers", "timestamp", "topic", "partition", "offset"}]}   one transaction
//     {"records": [...], "beside": [...]}                          the second at the same time, by a second store
//     {"sql": "..."}                                                                            an admin's edit
//     {"dump": ["up_users", ...]}                                                               every row of tables
//
// Each line gets one response: {"outcomes": [...]} (one outcome per record, or "parked: reason"), {"done": true},
// {"rows": {table: [...]}}. The configuration is the worker's own, from the environment; the database is created for
// this run in the PostgreSQL of TEST_DATABASE_URL, and removed with it. It compares nothing: the model does.

#include "tests/support/site_database.hpp"
#include "worker/apply/store.hpp"
#include "worker/config.hpp"
#include "worker/consume/record_decoder.hpp"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <future>
#include <iostream>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace
{

using namespace clerk_strapi;
using namespace clerk_strapi::worker;
using nlohmann::json;

constexpr auto cluster = "soak";
constexpr auto tries_max = 20;

std::optional<std::string_view> text_of(json const& object, char const* name)
{
    auto const found = object.find(name);
    if (found == object.end() || found->is_null()) return std::nullopt;
    return std::string_view{found->get_ref<std::string const&>()};
}

result<user_event, dead_letter_cause> decoded(json const& record, decode_rules const& rules)
{
    std::vector<record_header> headers;
    for (auto const& [name, value] : record.at("headers").items())
        headers.push_back({name, std::string_view{value.get_ref<std::string const&>()}});
    return decode_record(
        {text_of(record, "key"), text_of(record, "value"), record.at("timestamp").get<std::int64_t>(), headers}, rules);
}

std::vector<partition_position> positions_after(json const& records)
{
    std::map<std::pair<std::string, std::int32_t>, std::int64_t> next;
    for (auto const& record : records)
        next[{record.at("topic"), record.at("partition")}] = record.at("offset").get<std::int64_t>() + 1;
    std::vector<partition_position> positions;
    for (auto const& [partition, offset] : next)
        positions.push_back({cluster, partition.first, partition.second, offset});
    return positions;
}

// Like the worker: what the database rejects is halved until the record is alone.
std::vector<std::string> applied(
    user_store& store, std::span<user_event const> events, std::vector<partition_position> const& positions, int tries)
{
    auto const answer = store.apply({events.begin(), events.end()}, positions);
    std::vector<std::string> outcomes;
    switch (answer.status) {
    case apply_status::applied:
        for (auto const outcome : answer.outcomes)
            outcomes.emplace_back(to_string(outcome));
        return outcomes;
    case apply_status::refused:
        if (events.size() == 1) return {"parked: " + std::string{to_string(dead_letter_reason::refused_by_database)}};
        outcomes = applied(store, events.first(events.size() / 2), {}, tries);
        for (auto& outcome : applied(store, events.subspan(events.size() / 2), positions, tries))
            outcomes.push_back(std::move(outcome));
        return outcomes;
    case apply_status::unavailable: // two stores may conflict too often; the worker backs off and retries
        if (tries > 0) return applied(store, events, positions, tries - 1);
        [[fallthrough]];
    case apply_status::mismatched: throw std::runtime_error{"the store cannot work: " + answer.detail};
    }
    throw std::logic_error{"an unknown outcome"};
}

json apply_records(user_store& store, json const& records, decode_rules const& rules)
{
    std::vector<std::string> outcomes(records.size());
    std::vector<std::size_t> places;
    std::vector<user_event> events;
    for (std::size_t i = 0; i < records.size(); ++i) {
        auto event = decoded(records[i], rules);
        if (!event) {
            outcomes[i] = "parked: " + std::string{event.error().name()};
            continue;
        }
        places.push_back(i);
        events.push_back(*std::move(event));
    }
    auto const results = applied(store, events, positions_after(records), tries_max);
    for (std::size_t i = 0; i < places.size(); ++i)
        outcomes[places[i]] = results.at(i);
    return outcomes;
}

json apply_beside(user_store& store, user_store& other, json const& command, decode_rules const& rules)
{
    std::future<json> others;
    if (command.contains("beside"))
        others = std::async(std::launch::async, [&] { return apply_records(other, command["beside"], rules); });
    json answer{{"outcomes", apply_records(store, command["records"], rules)}};
    if (others.valid()) answer["beside"] = others.get();
    return answer;
}

json dump(tests::site_database& site, json const& tables)
{
    json rows = json::object();
    for (std::string const table : tables) {
        auto const sql = "select coalesce(json_agg(to_json(t)), '[]')::text from " + table + " t";
        rows[table] = json::parse(site.value(sql).value());
    }
    return {{"rows", rows}};
}

int serve()
{
    config_source source{program::worker, process_environment()};
    auto const config = load_config(source, {.kafka = false});
    auto const rules = decoding_of(config);
    tests::site_database site;
    strapi_store store{[&site] { return site.conninfo(); }, config.store};
    strapi_store beside{[&site] { return site.conninfo(); }, config.store};
    for (std::string line; std::getline(std::cin, line);) {
        auto const command = json::parse(line);
        json answer{{"done", true}};
        if (command.contains("records")) answer = apply_beside(store, beside, command, rules);
        if (command.contains("sql")) site.execute(command["sql"]);
        if (command.contains("dump")) answer = dump(site, command["dump"]);
        std::cout << answer.dump() << std::endl;
    }
    return 0;
}

}

int main()
{
    try {
        return serve();
    } catch (std::exception const& error) {
        std::cerr << "apply-sets: " << error.what() << '\n';
        return 1;
    }
}
