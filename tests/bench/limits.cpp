// bench-limits: the cost of single steps on one core, at the size of a real webhook: the signature, the envelope's
// scan, the full decoding in the worker. One line of JSON per round.

#include "common/event/envelope.hpp"
#include "ingest/webhook/signature.hpp"
#include "tests/bench/load.hpp"
#include "tests/bench/sample_records.hpp"
#include "tests/bench/sample_users.hpp"

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

namespace
{

using namespace clerk_strapi;
using namespace clerk_strapi::bench;

constexpr std::size_t bodies = 2'000; // more than the caches of one core hold
constexpr int turns = 10;
constexpr int rounds = 7;

template <class Step>
double microseconds_each(Step const& step)
{
    auto const before = cpu_seconds_of_us();
    for (auto turn = 0; turn < turns; ++turn)
        for (std::size_t i = 0; i < bodies; ++i)
            step(i);
    return (cpu_seconds_of_us() - before) * 1e6 / (turns * static_cast<double>(bodies));
}

void require(bool holds, char const* what)
{
    if (!holds) throw std::runtime_error{what};
}

void run()
{
    std::vector<sample_record> records;
    for (std::size_t i = 0; i < bodies; ++i)
        records.push_back(make_record(make_user(1, i), "user.created"));
    auto const key = ingest::signing_key::from_bytes("0123456789abcdef01234567");
    for (auto round = 0; round < rounds; ++round) {
        auto const hmac = microseconds_each(
            [&](std::size_t i) { require(!key.sign("msg_1", "1750000000", records[i].body).empty(), "no signature"); });
        auto const scan = microseconds_each(
            [&](std::size_t i) { require(scan_envelope(records[i].body).has_value(), "no envelope"); });
        auto const decoded =
            microseconds_each([&](std::size_t i) { require(decode(records[i]).has_value(), "no event"); });
        std::printf("{\"hmac_us\":%.4f,\"scan_us\":%.4f,\"decode_us\":%.4f,\"body_bytes\":%zu}\n", hmac, scan, decoded,
            records[0].body.size());
    }
}

}

int main()
try {
    run();
    return 0;
} catch (std::exception const& fault) {
    std::fprintf(stderr, "bench-limits: %s\n", fault.what());
    return 1;
}
