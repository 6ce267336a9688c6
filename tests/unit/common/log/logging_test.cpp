#include "common/event/json_text.hpp"
#include "common/event/time_text.hpp"
#include "common/log/logging.hpp"
#include "tests/support/ingest/raw_client.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/resource.h>
#include <unistd.h>

namespace clerk_strapi
{
namespace
{

using namespace std::chrono_literals;
using tests::eventually;
constexpr std::chrono::system_clock::time_point then{1716883200123ms};

}

TEST_CASE("log: a line is one line of JSON for any input (C5)")
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

TEST_CASE("json text: each invalid byte becomes one replacement character")
{
    CHECK(json_string("") == "\"\"");
    CHECK(json_string("\xc3") == "\"\xef\xbf\xbd\"");
    CHECK(json_string("\xf4\x90\x80\x80") == "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    CHECK(json_string("\xf0\x9f\x98\x80") == "\"\xf0\x9f\x98\x80\"");
    CHECK(json_string("/</script>") == "\"/</script>\"");
}

TEST_CASE("time text: clamps times outside the years 0 to 9999")
{
    using ms = std::chrono::sys_time<std::chrono::milliseconds>;
    CHECK(rfc3339(ms{0ms}) == "1970-01-01T00:00:00.000Z");
    CHECK(rfc3339(ms{-1ms}) == "1969-12-31T23:59:59.999Z");
    CHECK(rfc3339(ms{std::chrono::milliseconds{951782400000}}) == "2000-02-29T00:00:00.000Z");
    CHECK(rfc3339(ms{std::chrono::milliseconds{999'999'999'999'000}}).substr(0, 10) == "9999-12-31");
}

TEST_CASE("log: a repeated message is written once per interval, with the number held back")
{
    log::repeat_limit limit{10s};
    std::chrono::steady_clock::time_point const start{};
    CHECK(limit.pass(start) == 0);
    CHECK_FALSE(limit.pass(start + 1s).has_value());
    CHECK_FALSE(limit.pass(start + 9s).has_value());
    CHECK(limit.pass(start + 10s) == 2);
}

TEST_CASE("log: every line has program and version; unknown values are left out")
{
    auto const origin = log::origin_members("clerk-ingest", "1.2.3");
    auto const line = log::json_line(log::level::info, "listening", {{"trace_id", ""}, {"count", 0}}, then, origin);
    CHECK(line
        == R"({"ts":"2024-05-28T08:00:00.123Z","level":"info","program":"clerk-ingest","version":"1.2.3",)"
           R"("msg":"listening","count":0})");
}

TEST_CASE("log: after a full disk, starts a new line and counts the dropped ones (F32)")
{
    ::signal(SIGXFSZ, SIG_IGN); // as the program does
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    std::string path = "/tmp/full-log-XXXXXX";
    int const file = ::mkstemp(path.data());
    rlimit const small{1000, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0); // the write that reaches it is cut off, the next one fails

    auto const dropped_before = log::dropped_lines();
    log::start({log::level::info, log::format::json, file, "test", "1"});
    std::string const filler(300, 'x');
    for (int i = 0; i < 9; ++i)
        log::info("line", {{"filler", filler}});
    CHECK(eventually(5s, [&] { return log::dropped_lines() >= dropped_before + 7; }));
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    log::info("room again");
    log::stop();

    std::ifstream written{path};
    std::vector<std::string> lines;
    for (std::string line; std::getline(written, line);)
        lines.push_back(line);
    REQUIRE(lines.size() == 4);
    CHECK_FALSE(nlohmann::json::accept(lines[2])); // the line that was cut off
    CHECK(nlohmann::json::parse(lines[3]).at("msg") == "room again");
    ::unlink(path.c_str());
    ::close(file);
}

TEST_CASE("log: writes whole lines to a sink that another process made non-blocking")
{
    int pipe_ends[2];
    REQUIRE(::pipe2(pipe_ends, O_NONBLOCK) == 0);
    log::start({log::level::info, log::format::json, pipe_ends[1], "test", "1"});
    std::string const filler(1000, 'x');
    constexpr int lines = 500; // more than a pipe holds
    for (int i = 0; i < lines; ++i)
        log::info("line", {{"filler", filler}});
    std::string read;
    std::array<char, 4096> some{};
    auto const complete = [&] {
        for (ssize_t got = 1; got > 0;) {
            got = ::read(pipe_ends[0], some.data(), some.size());
            if (got > 0) read.append(some.data(), static_cast<std::size_t>(got));
        }
        return std::count(read.begin(), read.end(), '\n') == lines;
    };
    CHECK(eventually(5s, complete));
    std::istringstream text{read};
    for (std::string line; std::getline(text, line);)
        CHECK(nlohmann::json::accept(line));
    log::stop();
    ::close(pipe_ends[0]);
    ::close(pipe_ends[1]);
}

TEST_CASE("log: a blocked sink blocks no caller; lines are dropped and counted")
{
    ::signal(SIGPIPE, SIG_IGN); // as the program does
    int pipe_ends[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    log::start({log::level::info, log::format::json, pipe_ends[1], "test", "1"}); // without a reader
    auto const begun = std::chrono::steady_clock::now();
    std::string const filler(1000, 'x');
    for (int i = 0; i < 20'000; ++i)
        log::info("line", {{"filler", filler}});
    auto const dropped = log::dropped_lines();
    CHECK(dropped > 0);
    log::stop(); // waits for a second only
    CHECK(std::chrono::steady_clock::now() - begun < 5s);
    CHECK(log::dropped_lines() >= dropped); // a counter never decreases
    ::close(
        pipe_ends[0]); // the write of the stuck thread fails, and the thread ends; the other end stays open until then
}

}
