#include "common/runtime/json_text.hpp"
#include "common/runtime/logging.hpp"
#include "common/runtime/time_text.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <csignal>
#include <unistd.h>

namespace clerk_strapi
{
namespace
{

using namespace std::chrono_literals;
constexpr std::chrono::system_clock::time_point then{1716883200123ms};

}

TEST_CASE("C5: a log line is one line of JSON, whatever a stranger sent")
{
    std::string const hostile =
        std::string("a\r\nb\"c\\d\te\x01\x7f", 12) + std::string(1, '\0') + "\xff\xc0\xaf\xed\xa0\x80 é 漢 😀";
    auto const line = log::json_line(
        log::level::warning, hostile, {{"field", hostile}, {"n", 42}, {"ok", true}, {"x", 0.5}, {"d", 15ms}}, then);
    CHECK(line.find('\n') == std::string::npos);
    CHECK(line.find('\r') == std::string::npos);
    auto const read = nlohmann::json::parse(line);
    CHECK(read.at("ts") == "2024-05-28T08:00:00.123Z");
    CHECK(read.at("level") == "warning");
    CHECK(read.at("msg") == read.at("field"));
    CHECK(read.at("n") == 42);
    CHECK(read.at("ok") == true);
    CHECK(read.at("x") == 0.5);
    CHECK(read.at("d") == 15);
    CHECK(read.at("msg").get<std::string>().find("é 漢 😀") != std::string::npos);
    auto const text = log::text_line(log::level::info, hostile, {{"field", hostile}}, then);
    CHECK(text.find('\n') == std::string::npos);
}

TEST_CASE("JSON strings: bytes that are not UTF-8 become one replacement each")
{
    CHECK(json_string("") == "\"\"");
    CHECK(json_string("\xc3") == "\"\xef\xbf\xbd\"");
    CHECK(json_string("\xf4\x90\x80\x80") == "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    CHECK(json_string("\xf0\x9f\x98\x80") == "\"\xf0\x9f\x98\x80\"");
    CHECK(json_string("/</script>") == "\"/</script>\"");
}

TEST_CASE("times outside our calendar are cut, not written past the text")
{
    using ms = std::chrono::sys_time<std::chrono::milliseconds>;
    CHECK(rfc3339(ms{0ms}) == "1970-01-01T00:00:00.000Z");
    CHECK(rfc3339(ms{-1ms}) == "1969-12-31T23:59:59.999Z");
    CHECK(rfc3339(ms{std::chrono::milliseconds{951782400000}}) == "2000-02-29T00:00:00.000Z");
    CHECK(rfc3339(ms{std::chrono::milliseconds{999'999'999'999'000}}).substr(0, 10) == "9999-12-31");
}

TEST_CASE("what repeats is told once an interval, with the number held back")
{
    log::repeat_limit limit{10s};
    std::chrono::steady_clock::time_point const start{};
    CHECK(limit.pass(start) == 0);
    CHECK_FALSE(limit.pass(start + 1s).has_value());
    CHECK_FALSE(limit.pass(start + 9s).has_value());
    CHECK(limit.pass(start + 10s) == 2);
}

TEST_CASE("a blocked sink blocks nobody: lines are dropped and counted")
{
    ::signal(SIGPIPE, SIG_IGN); // as the program does
    int pipe_ends[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    log::start({log::level::info, log::format::json, pipe_ends[1]}); // nobody reads
    auto const begun = std::chrono::steady_clock::now();
    std::string const filler(1000, 'x');
    for (int i = 0; i < 20'000; ++i)
        log::info("line", {{"filler", filler}});
    CHECK(log::dropped_lines() > 0);
    log::stop(); // gives up after a second
    CHECK(std::chrono::steady_clock::now() - begun < 5s);
    ::close(pipe_ends[0]); // the stuck thread's write fails, and it ends; its own end stays open until it has
}

}
