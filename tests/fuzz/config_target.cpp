// Covers I1, I6, I7 and F30: any environment is read without a crash, every fault names its variable and no secret,
// and an accepted one keeps its bounds and sets no Kafka property that a guarantee depends on. Input: lines NAME=VALUE.
// Files are not opened: each NAME_FILE becomes a missing or an empty one.

#include "common/config/config_source.hpp"
#include "ingest/config.hpp"
#include "tests/fuzz/target.hpp"
#include "worker/config.hpp"

#include <algorithm>
#include <functional>

namespace clerk_strapi::fuzz
{
namespace
{

environment read_input(std::string_view input)
{
    environment values;
    while (!input.empty()) {
        auto line = take_line(input);
        auto const name = std::string{take_until(line, "=")};
        auto value = std::string{line};
        if (name.ends_with("_FILE")) value = value.size() % 2 == 0 ? "/dev/null" : "/nonexistent/file";
        // librdkafka loads these as code when they are set.
        if (lower_case(name).find("plugin") == std::string::npos) values.insert_or_assign(name, value);
    }
    return values;
}

using faults_of = std::function<std::vector<std::string>(environment const&)>;

// A secret that no other variable contains must not be in a message. A text that also appears with another value in its
// place is one of our own sentences, which may look like part of an address.
void check_secrecy(std::vector<std::string> const& faults, environment const& values, faults_of const& read)
{
    constexpr std::size_t long_enough = 12; // shorter ones may be in our own sentences
    for (auto const& row : all_variables()) {
        auto const found = values.find(row.name);
        if (!row.is_secret || found == values.end() || found->second.size() < long_enough) continue;
        auto const holds = [&](std::string const& text) { return text.find(found->second) != std::string::npos; };
        auto const others = std::count_if(
            values.begin(), values.end(), [&](auto const& entry) { return holds(entry.second) || holds(entry.first); });
        if (others > 1 || std::none_of(faults.begin(), faults.end(), holds)) continue;
        auto other_secret = values;
        other_secret.find(row.name)->second.assign(found->second.size(), '~');
        auto const other_faults = read(other_secret);
        promise(std::any_of(other_faults.begin(), other_faults.end(), holds), "no fault contains a secret (I6)");
    }
}

void check_faults(std::vector<std::string> const& faults, environment const& values, faults_of const& read)
{
    for (auto const& fault : faults)
        promise(fault.find(' ') != std::string::npos && !fault.starts_with(' '), "a fault names its variable");
    check_secrecy(faults, values, read);
}

std::vector<std::string> faults_of_ingest(environment const& values)
{
    config_source source{program::ingest, values};
    static_cast<void>(ingest::read_config(source));
    static_cast<void>(ingest::read_log_options(source));
    return source.faults();
}

std::vector<std::string> faults_of_worker(environment const& values)
{
    config_source source{program::worker, values};
    try {
        static_cast<void>(worker::load_config(source, {}));
    } catch (config_error const&) {
        // only its faults matter here
    }
    return source.faults();
}

void check_kafka(std::map<std::string, std::string> const& properties)
{
    for (auto const& [property, value] : properties)
        promise(!why_refused(property), "no setting weakens I1 and I7");
}

void read_as_ingest(environment const& values)
{
    config_source source{program::ingest, values};
    auto const read = ingest::read_config(source);
    static_cast<void>(ingest::read_log_options(source));
    static_cast<void>(source.unknown_variables());
    check_faults(source.faults(), values, faults_of_ingest);
    check_kafka(read.kafka.extra);
    if (!source.faults().empty()) return;
    promise(!read.webhook_secrets.empty() && !read.kafka.brokers.empty(), "what is required is there");
    promise(read.publish_timeout.count() >= 100 && read.publish_timeout.count() <= 14'000, "an answer in time");
    promise(read.body_bytes_max >= 1024 && read.body_bytes_max <= 8 * 1024 * 1024, "bodies are bounded");
    promise(read.auth.waiters_max >= 1 && read.auth.waiters_max <= 100'000, "waiters are bounded");
    promise(parse_listen_address(read.listen.to_string()) == read.listen, "a listener is written as it is read");
    for (auto const& id : read.instance_ids)
        promise(id.starts_with("ins_"), "instances are instances");
    auto const& issuer = read.auth.policy.issuer;
    promise(!issuer || issuer->starts_with("https://"), "an issuer is https");
}

void read_as_worker(environment const& values)
{
    config_source source{program::worker, values};
    try {
        auto const read = worker::load_config(source, {});
        check_kafka(read.kafka.extra);
        promise(source.faults().empty() && !read.kafka.brokers.empty(), "what is required is there");
        promise(read.batch_records >= 1 && read.batch_records <= 10'000, "a batch is bounded");
        if (read.conninfo) promise(!read.conninfo().text().empty(), "a database has an address");
    } catch (config_error const& error) {
        promise(error.what() != std::string{} && !source.faults().empty(), "every fault is reported at once");
    }
    check_faults(source.faults(), values, faults_of_worker);
}

void check_config(std::string_view input)
{
    auto const values = read_input(input);
    read_as_ingest(values);
    read_as_worker(values);
}

[[maybe_unused]] bool const listed = list("config", check_config);

}
}
