// Checks that the time of a rejection does not reveal how much of a webhook's signature matches (A19). Two classes of
// signatures go through the real verify() in random order; Welch's t compares their times without the slow tail of
// interrupts. On a busy machine a single round may be significant by chance, so a leak must show in every round, with
// the same sign. Absolute speed does not matter.

#include "ingest/webhook/signature.hpp"
#include "tests/support/ingest/signed_webhook.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <random>
#include <vector>

namespace clerk_strapi::tests
{
namespace
{

constexpr std::size_t tries = 100'000; // per round
constexpr int rounds = 5;
constexpr double significant = 4.5; // |t|, the usual limit for this test
constexpr double kept_share = 0.9; // the fastest of both classes together
constexpr std::size_t signatures_of_a_class = 256;

constexpr std::string_view id = "msg_timing";
constexpr std::string_view timestamp = "1716883300";
constexpr std::string_view body = R"({"type":"user.updated","data":{"id":"user_1"}})";
constexpr std::chrono::system_clock::time_point now{std::chrono::seconds{1716883300}};
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t prefix_characters = 3; // "v1,"

using verifier = std::function<bool(std::string_view signature)>;
using signatures = std::vector<std::string>;

class forger
{
public:
    explicit forger(std::uint64_t seed)
        : random_{seed}
    {
    }

    signatures wrong_at(std::size_t place)
    {
        return make([&](std::string& text) {
            auto const right = text[place];
            while (text[place] == right)
                text[place] = letter();
        });
    }
    signatures all_wrong()
    {
        return make([&](std::string& text) {
            std::generate(text.begin() + prefix_characters, text.end() - 1, [&] { return letter(); });
        });
    }
    std::size_t below(std::size_t count) { return random_() % count; }

private:
    char letter() { return alphabet[below(alphabet.size())]; }
    signatures make(std::function<void(std::string&)> const& spoil)
    {
        signatures made;
        for (std::size_t i = 0; i < signatures_of_a_class; ++i) {
            made.push_back(sign(id, timestamp, body));
            spoil(made.back());
        }
        return made;
    }

    std::mt19937_64 random_;
};

struct timing
{
    bool second_class;
    double nanoseconds;
};

struct moments
{
    double count{0}, mean{0}, squares{0};

    void add(double value)
    {
        ++count;
        auto const off = value - mean;
        mean += off / count;
        squares += off * (value - mean);
    }
    [[nodiscard]] double error() const { return squares / (count - 1) / count; }
};

std::vector<timing> measure(verifier const& accepts, std::array<signatures, 2> const& classes, forger& random)
{
    std::vector<timing> taken;
    taken.reserve(tries);
    std::string sent; // the same memory for both classes
    std::size_t accepted = 0;
    for (std::size_t i = 0; i < tries; ++i) {
        bool const second = random.below(2) == 1;
        sent = classes[second ? 1 : 0][random.below(signatures_of_a_class)];
        auto const started = std::chrono::steady_clock::now();
        accepted += accepts(sent) ? 1 : 0;
        std::chrono::duration<double, std::nano> const took = std::chrono::steady_clock::now() - started;
        taken.push_back({second, took.count()});
    }
    REQUIRE(accepted == 0);
    return taken;
}

double welch_t(std::vector<timing> taken)
{
    auto const kept = static_cast<std::ptrdiff_t>(kept_share * static_cast<double>(taken.size()));
    std::nth_element(taken.begin(), taken.begin() + kept, taken.end(),
        [](timing const& a, timing const& b) { return a.nanoseconds < b.nanoseconds; });
    std::array<moments, 2> of_class;
    for (auto it = taken.begin(); it != taken.begin() + kept; ++it)
        of_class[it->second_class ? 1 : 0].add(it->nanoseconds);
    REQUIRE(std::min(of_class[0].count, of_class[1].count) > tries / 10.0);
    return (of_class[0].mean - of_class[1].mean) / std::sqrt(of_class[0].error() + of_class[1].error());
}

// The t of the least significant round; 0 if one is not significant, or if two have different signs.
double leak(verifier const& accepts, std::array<signatures, 2> const& classes, forger& random, std::string const& what)
{
    double least = 0;
    for (int round = 0; round < rounds; ++round) {
        auto const t = welch_t(measure(accepts, classes, random));
        MESSAGE(what << ", round " << round + 1 << ": t = " << t);
        if (std::abs(t) < significant || t * least < 0) return 0;
        if (least == 0 || std::abs(t) < std::abs(least)) least = t;
    }
    return least;
}

// A comparison with a leak: it stops at the first character that differs.
bool equal_until_they_differ(std::string_view a, std::string_view b)
{
    for (std::size_t i = 0; i < b.size(); ++i) {
        char const volatile* const one = a.data() + i; // volatile, else the compiler compares many characters at once
        char const volatile* const other = b.data() + i;
        if (*one != *other) return false;
    }
    return true;
}

struct timing_fixture
{
    std::uint64_t const seed =
        std::getenv("TEST_SEED") ? std::strtoull(std::getenv("TEST_SEED"), nullptr, 10) : std::random_device{}();
    forger random{seed};
    signatures const first_wrong = random.wrong_at(prefix_characters);
    signatures const last_wrong = random.wrong_at(prefix_characters + 42); // the 43rd; the 44th is the padding
    signatures const all_wrong = random.all_wrong();

    timing_fixture() { MESSAGE("seed " << seed); }
};

}

TEST_CASE_FIXTURE(timing_fixture, "A19: the timing probe detects a comparison that stops early")
{
    auto const key = must(ingest::signing_key::parse(secret_text));
    verifier const careless = [&](std::string_view signature) {
        auto const expected = key.sign(id, timestamp, body);
        return signature.size() == expected.size() && equal_until_they_differ(signature, expected);
    };
    CHECK(leak(careless, {last_wrong, first_wrong}, random, "stops early, last against first") > significant);
}

TEST_CASE_FIXTURE(
    timing_fixture, "A19: the time of a rejection does not depend on how much of a signature matches [I6]")
{
    ingest::webhook_verifier const webhooks{must(ingest::parse_signing_keys(secret_text))};
    verifier const ours = [&](std::string_view signature) {
        return webhooks.verify({id, timestamp, 1716883300, signature}, body, now).has_value();
    };
    CHECK(leak(ours, {first_wrong, last_wrong}, random, "first against last") == 0);
    CHECK(leak(ours, {first_wrong, all_wrong}, random, "first against all") == 0);
    CHECK(leak(ours, {last_wrong, all_wrong}, random, "last against all") == 0);
}

}
