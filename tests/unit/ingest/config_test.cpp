#include "common/config/config_source.hpp"
#include "common/config/file_watch.hpp"
#include "ingest/config.hpp"

#include <CLI/CLI.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace clerk_strapi
{
namespace
{

constexpr auto good_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

struct folder
{
    std::filesystem::path path;
    folder()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "ingest-test-XXXXXX").string();
        path = ::mkdtemp(pattern.data());
    }
    ~folder() { std::filesystem::remove_all(path); }
    [[nodiscard]] std::string write(std::string const& name, std::string const& content) const
    {
        std::ofstream{path / name, std::ios::binary} << content;
        return (path / name).string();
    }
};

environment complete() { return {{"CLERK_WEBHOOK_SIGNING_SECRET", good_secret}, {"KAFKA_BROKERS", "kafka:9092"}}; }

std::string faults_of(environment values)
{
    config_source source{program::ingest, std::move(values)};
    static_cast<void>(ingest::read_config(source));
    static_cast<void>(ingest::read_log_options(source));
    std::string all;
    for (auto const& line : source.faults())
        all += line + "\n";
    return all;
}

bool mentions(std::string const& text, std::string_view part) { return text.find(part) != std::string::npos; }

}

TEST_CASE("a complete configuration has the documented defaults")
{
    config_source source{program::ingest, complete()};
    auto const read = ingest::read_config(source);
    CHECK(source.faults().empty());
    CHECK(read.listen == listen_address{"0.0.0.0", 8080});
    CHECK(read.admin_listen == listen_address{"127.0.0.1", 9464});
    CHECK(read.user_events_topic == "clerk.user-events");
    CHECK(read.dead_letters_topic == "clerk.dead-letters");
    CHECK(read.publish_timeout == std::chrono::milliseconds{8000});
    CHECK(read.body_bytes_max == 786432);
    CHECK(read.instance_ids.empty());
    CHECK_NOTHROW(source.require_valid());
}

TEST_CASE("every fault is told at once, naming the variable and the fix")
{
    auto const all = faults_of({{"INGEST_LISTEN", "localhost:80"}, {"MAX_BODY_BYTES", "many"}, {"LOG_LEVEL", "loud"},
        {"KAFKA_ACKS", "1"}, {"KAFKA_FOO_BAR", "1"}, {"CLERK_INSTANCE_IDS", "prod"}, {"PUBLISH_TIMEOUT_MS", "99999"}});
    for (std::string const part : {"INGEST_LISTEN must be address:port",
             "MAX_BODY_BYTES must be a whole number from 1024 to 8388608, but is \"many\"", "LOG_LEVEL must be one of",
             "KAFKA_ACKS may not be set", "KAFKA_FOO_BAR is not a property", "CLERK_INSTANCE_IDS must list ids",
             "PUBLISH_TIMEOUT_MS must be a whole number from 100 to 14000", "CLERK_WEBHOOK_SIGNING_SECRET must be set",
             "KAFKA_BROKERS must be set"}) {
        CAPTURE(part);
        CHECK(mentions(all, part));
    }
    config_source source{program::ingest, {}};
    source.require("KAFKA_BROKERS", "x");
    CHECK_THROWS_AS(source.require_valid(), config_error);
}

TEST_CASE("a secret never stands in a fault, a log or a stream [I6]")
{
    auto const all = faults_of({{"CLERK_WEBHOOK_SIGNING_SECRET", "whsec_dG9vc2hvcnQ="}, {"KAFKA_BROKERS", "k:1"},
        {"KAFKA_SSL_KEY_PEM", "hunter2"}, {"KAFKA_SASL_MECHANISM", "NONSENSE"}});
    CHECK_FALSE(mentions(all, "dG9vc2hvcnQ"));
    CHECK_FALSE(mentions(all, "hunter2"));
    std::ostringstream out;
    out << secret{"hunter2"};
    CHECK(out.str() == "[redacted]");
    CHECK(secret{"abc"}.equals("abc"));
    CHECK_FALSE(secret{"abc"}.equals("abd"));
    CHECK_FALSE(secret{"abc"}.equals("ab"));
}

TEST_CASE("B14: paths that are closed to impersonation are read, or the start is refused with the variable's name")
{
    auto values = complete();
    values["GATEWAY_NO_IMPERSONATION"] = "/api/orders, /api/me";
    config_source source{program::ingest, values};
    auto const read = ingest::read_config(source);
    CHECK(source.faults().empty());
    CHECK(read.auth.impersonation.closes("/api/orders/7"));
    CHECK(read.auth.impersonation.closes("/api/me"));
    CHECK_FALSE(read.auth.impersonation.closes("/api/articles"));
    for (std::string const bad : {"api/orders", "/api/orders,*", "/api/../me", "/api/orders;/api/me"}) {
        CAPTURE(bad);
        values["GATEWAY_NO_IMPERSONATION"] = bad;
        CHECK(mentions(faults_of(values), "GATEWAY_NO_IMPERSONATION must "));
    }
}

TEST_CASE("what would break a promise is refused [I1, I7]")
{
    for (std::string const name : {"KAFKA_ACKS", "KAFKA_REQUEST_REQUIRED_ACKS", "KAFKA_ENABLE_IDEMPOTENCE",
             "KAFKA_ENABLE_AUTO_COMMIT", "KAFKA_ENABLE_AUTO_OFFSET_STORE", "KAFKA_ISOLATION_LEVEL",
             "KAFKA_BOOTSTRAP_SERVERS", "KAFKA_GROUP_ID_FILE"}) {
        CAPTURE(name);
        auto values = complete();
        values[name] = "all";
        bool const is_ours =
            std::string_view{name} == "KAFKA_GROUP_ID_FILE"; // the worker's: neither handed on nor a fault
        CHECK(mentions(faults_of(values), std::string{name} + " may not be set") == !is_ours);
    }
}

TEST_CASE("other Kafka variables are handed on; Kubernetes' service links are not")
{
    auto values = complete();
    values.insert({{"KAFKA_SASL_MECHANISM", "PLAIN"}, {"KAFKA_LINGER_MS", "2"}, {"KAFKA_PORT", "tcp://10.0.0.1:9092"},
        {"KAFKA_PORT_9092_TCP", "tcp://10.0.0.1:9092"}, {"KAFKA_PORT_9092_TCP_ADDR", "10.0.0.1"},
        {"KAFKA_PORT_9092_TCP_PORT", "9092"}, {"KAFKA_SERVICE_HOST", "10.0.0.1"}, {"KAFKA_SERVICE_PORT", "9092"},
        {"KAFKA_SERVICE_PORT_CLIENT", "9092"}, {"KAFKA_CLIENT_RACK", ""}, {"CLERK_INGEST_PORT", "tcp://10.0.0.2:80"},
        {"CLERK_INGEST_SERVICE_HOST", "10.0.0.2"}});
    config_source source{program::ingest, values};
    auto const read = ingest::read_config(source);
    CHECK(source.faults().empty());
    CHECK(read.kafka.extra == std::map<std::string, std::string>{{"sasl.mechanism", "PLAIN"}, {"linger.ms", "2"}});
    CHECK(source.unknown_variables().empty());
}

TEST_CASE("misspelt variables of ours are told, other people's are not")
{
    auto values = complete();
    values.insert({{"CLERK_WEBHOOK_SECERT", "x"}, {"INGEST_PORT", "1"}, {"LOG_LEVLE", "debug"},
        {"DATABASE_CLIENT", "postgres"}, {"STRAPI_TELEMETRY_DISABLED", "true"}, {"PATH", "/bin"},
        {"BATCH_RECORDS", "5"}, {"CLERK_INGEST_URL", "http://clerk-ingest:8080"}});
    config_source source{program::ingest, values};
    CHECK(source.unknown_variables() == std::vector<std::string>{"CLERK_WEBHOOK_SECERT", "INGEST_PORT", "LOG_LEVLE"});
}

TEST_CASE("values come from files, without their trailing newline; both at once is a fault")
{
    folder const where;
    auto const file = where.write("secret", std::string{good_secret} + "\n");
    config_source source{program::ingest,
        {{"CLERK_WEBHOOK_SIGNING_SECRET_FILE", file}, {"KAFKA_BROKERS_FILE", where.write("brokers", "a:1,b:2\r\n")},
            {"KAFKA_SASL_PASSWORD_FILE", where.write("password", "p")}}};
    auto const read = ingest::read_config(source);
    CHECK(source.faults().empty());
    CHECK(read.webhook_secrets.reveal() == good_secret);
    CHECK(read.webhook_secrets_file == file);
    CHECK(read.kafka.brokers == "a:1,b:2");
    CHECK(read.kafka.extra.at("sasl.password") == "p");

    auto values = complete();
    values["KAFKA_BROKERS_FILE"] = file;
    CHECK(mentions(faults_of(values), "KAFKA_BROKERS is set, and so is KAFKA_BROKERS_FILE"));
    CHECK(mentions(faults_of({{"KAFKA_BROKERS_FILE", "/no/such/file"}}), "KAFKA_BROKERS_FILE cannot read"));
}

TEST_CASE("the seed's name of the secret is read too, ours wins")
{
    config_source seed{program::ingest, {{"CLERK_WEBHOOK_SECRET", good_secret}}};
    CHECK(seed.secret_text("CLERK_WEBHOOK_SIGNING_SECRET").reveal() == good_secret);
    config_source both{program::ingest, {{"CLERK_WEBHOOK_SECRET", "old"}, {"CLERK_WEBHOOK_SIGNING_SECRET", "new"}}};
    CHECK(both.secret_text("CLERK_WEBHOOK_SIGNING_SECRET").reveal() == "new");
}

TEST_CASE("config: reads the former name of a variable for one version, with one warning")
{
    auto const topic_of = [](environment values) {
        values.merge(environment{complete()});
        config_source source{program::ingest, values};
        auto const topic = source.text("TOPIC_PROVISIONING");
        static_cast<void>(source.text("TOPIC_PROVISIONING"));
        return std::tuple{topic, source.warnings(), source.faults(), source.unknown_variables()};
    };
    auto const [former, warnings, faults, unknown] = topic_of({{"TOPIC_FIRST_SIGHTS", "site.first-sights"}});
    CHECK(former == "site.first-sights");
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].find("TOPIC_FIRST_SIGHTS is the former name of TOPIC_PROVISIONING") == 0);
    CHECK(faults.empty());
    CHECK(unknown.empty());

    auto const [same, once, no_faults, none] =
        topic_of({{"TOPIC_FIRST_SIGHTS", "a-topic"}, {"TOPIC_PROVISIONING", "a-topic"}});
    CHECK(same == "a-topic");
    CHECK(once.size() == 1);
    CHECK(no_faults.empty());

    auto const [kept, nothing, differ, still_none] =
        topic_of({{"TOPIC_FIRST_SIGHTS", "one"}, {"TOPIC_PROVISIONING", "another"}});
    CHECK(nothing.empty());
    REQUIRE(differ.size() == 1);
    CHECK(differ[0].find("remove TOPIC_FIRST_SIGHTS") != std::string::npos);

    auto const [initial, quiet, good, empty] = topic_of({});
    CHECK(initial == "clerk.user-provisioning");
    CHECK(quiet.empty());
}

TEST_CASE("an address alone keeps the port: ADMIN_LISTEN=0.0.0.0 opens 9464 of ingest and 9465 of worker")
{
    auto const listens = [](program asking, std::string const& written) {
        config_source source{asking, {{"ADMIN_LISTEN", written}}};
        return source.listen("ADMIN_LISTEN").to_string();
    };
    CHECK(listens(program::ingest, "0.0.0.0") == "0.0.0.0:9464");
    CHECK(listens(program::worker, "0.0.0.0") == "0.0.0.0:9465");
    CHECK(listens(program::worker, "[::]") == "[::]:9465");
    for (std::string const written : {"localhost", "0.0.0.0:", "::", ":", "9464", "0.0.0.0 "}) {
        CAPTURE(written);
        config_source source{program::ingest, {{"ADMIN_LISTEN", written}}};
        (void)source.listen("ADMIN_LISTEN");
        CHECK_THROWS_AS(source.require_valid(), config_error);
    }
}

TEST_CASE("a flag wins over the environment, before and after the command")
{
    for (std::string const line : {"--ingest-listen 127.0.0.1:1 check", "check --ingest-listen 127.0.0.1:1"}) {
        CAPTURE(line);
        config_source source{program::ingest, complete()};
        CLI::App app;
        source.add_flags(app);
        app.add_subcommand("check")->fallthrough();
        app.parse(line);
        CHECK(source.listen("INGEST_LISTEN").port == 1);
    }
    config_source source{program::ingest, complete()};
    CLI::App app;
    source.add_flags(app);
    app.parse("--kafka-property linger.ms=7");
    CHECK(source.kafka_properties().at("linger.ms") == "7");
}

TEST_CASE("F30 [I6]: a Kafka property without a name is no property, and no crash")
{
    config_source source{program::ingest, {{"KAFKA_FILE", "/x"}, {"KAFKA_", "1"}, {"KAFKA__FILE", "/y"}}};
    CHECK(source.kafka_properties().empty());
    CHECK(source.faults().empty());
}

TEST_CASE("a body that could not become a record is a fault at start, not at night")
{
    auto values = complete();
    values["MAX_BODY_BYTES"] = "999999";
    CHECK(mentions(faults_of(values), "MAX_BODY_BYTES must be at least 16 KiB below"));
    values["KAFKA_MESSAGE_MAX_BYTES"] = "2000000";
    CHECK(faults_of(values).empty());
}

TEST_CASE("the example file names every variable with its sentence")
{
    auto const text = example_file(program::ingest);
    for (auto const& row : variables_of(program::ingest)) {
        CHECK(mentions(text, "#" + std::string{row.name} + "=" + std::string{row.initial} + "\n"));
        CHECK(mentions(text, row.sentence));
    }
    CHECK_FALSE(mentions(text, "BATCH_RECORDS"));
}

TEST_CASE("listen addresses: what is taken and what is not")
{
    CHECK(parse_listen_address(":8080") == listen_address{"0.0.0.0", 8080});
    CHECK(parse_listen_address("[::1]:0") == listen_address{"::1", 0});
    CHECK(parse_listen_address("[::1]:9")->to_string() == "[::1]:9");
    for (std::string const bad : {"", "8080", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:x", "host:1", "::1:80",
             "[::1]80", "1.2.3.4:-1"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_listen_address(bad).has_value());
    }
}

TEST_CASE("a watched file hands out what is new, once; what cannot be read is no news")
{
    folder const where;
    auto const path = where.write("secret", "one\n");
    file_watch watch{path};
    CHECK(watch.changed() == "one");
    CHECK_FALSE(watch.changed().has_value());
    static_cast<void>(where.write("next", "two"));
    std::filesystem::rename(where.path / "next", path); // as a mounted secret is replaced
    CHECK(watch.changed() == "two");
    CHECK_FALSE(watch.lost());
    std::filesystem::remove(path);
    CHECK_FALSE(watch.changed().has_value());
    CHECK(watch.lost()); // F30: told once, not each time somebody looks
    CHECK_FALSE(watch.changed().has_value());
    CHECK_FALSE(watch.lost());
    std::filesystem::create_directory(path); // there, but not to be read
    CHECK_FALSE(watch.changed().has_value());
    CHECK_FALSE(watch.lost());
    std::filesystem::remove(path);
    static_cast<void>(where.write("secret", "three"));
    CHECK(watch.changed() == "three");
    CHECK_FALSE(watch.lost());
}

}
