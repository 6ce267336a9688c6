// Every webhook input of the catalogue (service_test.cpp has one of each kind) with its status, its problem, its
// counter, and the records in Kafka.

#include "tests/support/ingest/running_ingest.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

namespace clerk_strapi::tests
{
namespace
{

header_list with(std::string const& id, std::string const& timestamp, std::string const& signature)
{
    return {{"svix-id", id}, {"svix-timestamp", timestamp}, {"svix-signature", signature}};
}

std::string changed_at(std::string text, std::size_t place)
{
    text[place] = text[place] == 'A' ? 'B' : 'A';
    return text;
}

std::string repeated(std::string_view item, std::size_t times)
{
    std::string list;
    for (std::size_t i = 0; i < times; ++i)
        list += item;
    return list;
}

struct rejected_webhook
{
    std::string name;
    header_list headers;
    std::string body;
    int status;
    std::string problem, outcome; // no outcome: without a readable path no counter changes
};

void check_rejected(std::vector<rejected_webhook> const& table)
{
    auto& [kafka, ingest] = shared_ingest::get();
    auto const before = everything(kafka);
    for (auto const& row : table) {
        CAPTURE(row.name);
        auto const counted = row.outcome.empty() ? ingest.webhooks("malformed") : ingest.webhooks(row.outcome) + 1;
        auto const answer = ingest.call("POST", webhook_path, row.headers, row.body);
        CHECK(answer.status == row.status);
        CHECK(answer.problem() == row.problem);
        CHECK(ingest.webhooks(row.outcome.empty() ? "malformed" : row.outcome) == counted);
    }
    CHECK(everything(kafka) == before);
}

rejected_webhook malformed(std::string name, header_list headers, std::string body)
{
    return {std::move(name), std::move(headers), std::move(body), 400, "malformed_header", "malformed"};
}
rejected_webhook not_authentic(std::string name, header_list headers, std::string body)
{
    return {std::move(name), std::move(headers), std::move(body), 401, "not_authentic", "unauthentic"};
}

}

TEST_CASE("A1: an absent or blank header is 400, is named, and nothing is published")
{
    auto& [kafka, ingest] = shared_ingest::get();
    auto const before = everything(kafka);
    auto const body = user_event("user.created", "user_1");
    for (std::size_t place = 0; place < 3; ++place) {
        auto const whole = signed_headers("msg_a1", body);
        auto absent = whole;
        absent.erase(absent.begin() + static_cast<std::ptrdiff_t>(place));
        std::vector<header_list> rows{absent};
        for (std::string const blank : {"", "   ", "\t", " \t "}) {
            rows.push_back(whole);
            rows.back()[place].second = blank;
        }
        for (auto const& headers : rows) {
            CAPTURE(whole[place].first);
            auto const counted = ingest.webhooks("malformed");
            auto const answer = ingest.call("POST", webhook_path, headers, body);
            CHECK(answer.status == 400);
            CHECK(answer.problem() == "missing_header");
            for (auto const& [name, value] : whole)
                CHECK((answer.body.find(name) != std::string::npos) == (name == whole[place].first));
            CHECK(ingest.webhooks("malformed") == counted + 1);
        }
    }
    CHECK(everything(kafka) == before);
}

TEST_CASE("A2, A13: every signature except our v1 is 401 with the same text")
{
    auto const body = user_event("user.created", "user_1");
    auto const time = now_text();
    auto const good = sign("msg_a2", time, body);
    std::string const public_key = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    auto const keyed_with = [&](std::string key) {
        return ingest::signing_key::from_bytes(std::move(key)).sign("msg_a2", time, body);
    };
    std::vector<rejected_webhook> table;
    for (auto const& [name, signature] : std::vector<std::pair<std::string, std::string>>{
             {"A2 first character", changed_at(good, 3)}, {"A2 middle character", changed_at(good, 24)},
             {"A2 last character", changed_at(good, 45)}, {"A2 cut by one", good.substr(0, good.size() - 1)},
             {"A2 cut to one", good.substr(0, 4)}, {"A2 empty", "v1,"}, {"A2 no comma", "v1"},
             {"A2 another version", "v3" + good.substr(2)}, {"A2 the version in capitals", "V1" + good.substr(2)},
             {"A13 v1a", "v1a" + good.substr(2)}, {"A13 v1 keyed with the public key's text", keyed_with(public_key)},
             {"A13 v1 keyed with the text behind whpk_", keyed_with(public_key.substr(5))},
             {"A13 v1 keyed with our secret's text", keyed_with(std::string{secret_text})},
             {"A13 v1 without a key", keyed_with("")}})
        table.push_back(not_authentic(name, with("msg_a2", time, signature), body));
    check_rejected(table);

    auto& ingest = shared_ingest::get().ingest;
    auto const text = ingest.call("POST", webhook_path, table.front().headers, body).body;
    for (auto const& row : table)
        CHECK(ingest.call("POST", webhook_path, row.headers, body).body == text);
}

TEST_CASE("A3, A4: a signature is valid only for its body, id and time")
{
    auto const body = user_event("user.created", "user_1");
    auto const time = now_text();
    auto const earlier = now_text(-7);
    auto const one = sign("msg_one", time, body);
    auto spaced = body;
    spaced.insert(spaced.find(':') + 1, " ");
    std::string const reordered = R"({"type":"user.created",)" + body.substr(1, body.find(R"(,"type")") - 1)
        + R"(,"timestamp":1716883200000,"instance_id":"ins_1"})";
    auto flipped = body;
    flipped[body.find("user_1")] = 'U';
    check_rejected({
        not_authentic("A3 one byte", with("msg_one", time, one), flipped),
        not_authentic("A3 white space inside", with("msg_one", time, one), spaced),
        not_authentic("A3 a newline at the end", with("msg_one", time, one), body + "\n"),
        not_authentic("A3 members in another order", with("msg_one", time, one), reordered),
        not_authentic("A3 one byte less", with("msg_one", time, one), body.substr(0, body.size() - 1)),
        not_authentic("A3 no body", with("msg_one", time, one), ""),
        not_authentic("A4 the id of another request", with("msg_two", time, one), body),
        not_authentic("A4 an id one character longer", with("msg_onea", time, one), body),
        not_authentic("A4 the time of another request", with("msg_one", earlier, one), body),
        not_authentic("A4 id and time of another request", with("msg_two", earlier, one), body),
    });
}

TEST_CASE("A6: a timestamp is 1 to 12 digits, and no other form overflows")
{
    auto const body = user_event("user.created", "user_1");
    std::vector<rejected_webhook> table;
    for (std::string const& time : {now_text() + "000", std::string{"-1"}, "-" + now_text(), std::string{"+1"},
             "+" + now_text(), std::string{"1 1"}, std::string{"1e9"}, std::string{"12abc"}, std::string{"0x12"},
             std::string{"1.0"}, std::string(400, '9'), std::string(13, '0'), std::string{"9223372036854775808"}})
        table.push_back(malformed("A6 " + time, signed_headers("msg_a6", body, time), body));
    auto const now = now_text();
    table.push_back(
        not_authentic("A6 leading zero, signed without", with("msg_a6", "0" + now, sign("msg_a6", now, body)), body));
    // HTTP removes white space at the ends of a value, so a signature over a value with it does not match.
    table.push_back(
        not_authentic("A6 a space before", with("msg_a6", " " + now, sign("msg_a6", " " + now, body)), body));
    table.push_back(
        {"A6 the largest", signed_headers("msg_a6", body, "999999999999"), body, 401, "expired", "expired"});
    table.push_back({"A6 zero", signed_headers("msg_a6", body, "0"), body, 401, "expired", "expired"});
    check_rejected(table);
}

TEST_CASE("A7: an id is 1 to 128 plain characters, and cannot inject a header")
{
    auto const body = user_event("user.created", "user_1");
    std::vector<rejected_webhook> table;
    for (std::string const id : {"msg.1", "msg/1", "msg 1", "msg\xc3\xa9", "msg\xff", "msg;1", "msg%00"})
        table.push_back(malformed("A7 " + id, signed_headers(id, body), body));
    table.push_back(malformed("A7 129", signed_headers(std::string(129, 'a'), body), body));
    table.push_back(malformed("A7 10 KiB", signed_headers(std::string(10'240, 'a'), body), body));
    table.push_back({"A7 empty", signed_headers("", body), body, 400, "missing_header", "malformed"});
    for (std::string const& id : {std::string("msg\0a", 5), std::string{"msg\ra"}, std::string{"msg\na"},
             std::string{"msg\r\n folded"}, std::string{"msg\x7f"}, std::string{"msg\x01"}})
        table.push_back({"A7 control character", signed_headers(id, body), body, 400, "bad_request", ""});
    check_rejected(table);
    auto& [kafka, ingest] = shared_ingest::get();
    std::string const longest(128, 'a');
    CHECK(ingest.deliver(longest, body).status == 200);
    CHECK(kafka.records_with_id(events, longest).size() == 1);
}

TEST_CASE("A8: at most 16 signatures are checked; a header over its limit is 431")
{
    auto const body = user_event("user.created", "user_1");
    auto const time = now_text();
    auto const good = sign("msg_a8", time, body);
    auto const forged = changed_at(good, 3) + " ";
    check_rejected({
        malformed("A8 the good one is the 17th", with("msg_a8", time, repeated(forged, 16) + good), body),
        malformed("A8 the good one is the first of 17", with("msg_a8", time, good + " " + repeated(forged, 16)), body),
        malformed("A8 1000", with("msg_a8", time, repeated("v1,x ", 1000) + good), body),
        {"A8 10 000", with("msg_a8", time, repeated(forged, 10'000) + good), body, 431, "headers_too_large", ""},
        {"A8 64 KiB", with("msg_a8", time, std::string(65'536, 'x')), body, 431, "headers_too_large", ""},
    });
    auto& [kafka, ingest] = shared_ingest::get();
    CHECK(ingest.call("POST", webhook_path, with("msg_a8", time, repeated(forged, 15) + good), body).status == 200);
    CHECK(kafka.records_with_id(events, "msg_a8").size() == 1);
}

TEST_CASE("A9: two values of one header are 400; equal values in both families count as one")
{
    auto const body = user_event("user.created", "user_1");
    auto const good = signed_headers("msg_a9", body);
    std::vector<rejected_webhook> table;
    for (auto const& [name, value] : good) {
        auto const suffix = name.substr(name.find('-'));
        std::pair<std::string, std::string> const others[] = {
            {name, value + "1"}, {name, value}, {"webhook" + suffix, value + "1"}, {"WEBHOOK" + suffix, "1"}};
        for (auto const& [other_name, other_value] : others) {
            for (bool const first : {true, false}) {
                auto headers = good;
                headers.insert(first ? headers.begin() : headers.end(), {other_name, other_value});
                table.push_back({"A9 " + other_name, headers, body, 400, "ambiguous_header", "malformed"});
            }
        }
    }
    check_rejected(table);
    auto both = good;
    for (auto const& [name, value] : good)
        both.emplace_back("webhook" + name.substr(name.find('-')), value);
    auto& [kafka, ingest] = shared_ingest::get();
    CHECK(ingest.call("POST", webhook_path, both, body).status == 200);
    CHECK(kafka.records_with_id(events, "msg_a9").size() == 1);
}

TEST_CASE("A12: a secret removed from the file is 401 without a restart")
{
    auto const file = std::filesystem::temp_directory_path() / ("ingest-a12-" + now_text());
    auto const write = [&](std::string const& text) { std::ofstream{file} << text; };
    auto const both = std::string{secret_text} + "," + std::string{other_secret_text};
    write(both);
    auto& kafka = shared_ingest::get().kafka;
    running_ingest ingest{kafka.brokers(), [&](ingest::config& settings) {
                              settings.webhook_secrets = secret{both};
                              settings.webhook_secrets_file = file.string();
                          }};
    auto const body = user_event("user.created", "user_1");
    auto const deliver_with = [&](std::string_view secret) {
        return ingest.call("POST", webhook_path, signed_headers("msg_a12", body, now_text(), secret), body);
    };
    CHECK(deliver_with(secret_text).status == 200);
    CHECK(deliver_with(other_secret_text).status == 200);
    write(std::string{other_secret_text});
    CHECK(eventually(std::chrono::seconds{5}, [&] { return deliver_with(secret_text).status == 401; }));
    auto const before = everything(kafka);
    auto const counted = ingest.webhooks("unauthentic");
    CHECK(deliver_with(secret_text).problem() == "not_authentic");
    CHECK(ingest.webhooks("unauthentic") == counted + 1);
    CHECK(everything(kafka) == before);
    CHECK(deliver_with(other_secret_text).status == 200);
    std::filesystem::remove(file);
}

}
