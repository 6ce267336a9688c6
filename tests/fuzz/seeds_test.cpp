// The kept inputs, through every target as GCC compiles it: what once broke a promise does not do it again.

#include "tests/fuzz/target.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace clerk_strapi::fuzz
{
namespace
{

std::string content_of(std::filesystem::path const& file)
{
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

// What libFuzzer does first to each input: cut, and change a byte. In a fixed way, so that a failure repeats.
std::vector<std::string> variants_of(std::string const& input)
{
    std::vector<std::string> all{input};
    auto const step = std::max<std::size_t>(input.size() / 16, 1);
    for (std::size_t place = 0; place < input.size(); place += step) {
        all.push_back(input.substr(0, place));
        all.push_back(input);
        all.back()[place] = static_cast<char>(all.back()[place] ^ 1);
        all.push_back(input);
        all.back()[place] = '"';
        all.push_back(input.substr(0, place) + input.substr(input.size() - (input.size() - place) / 2));
    }
    return all;
}

void run_seeds(std::string_view name)
{
    auto const all = targets();
    auto const found = std::find_if(all.begin(), all.end(), [&](target const& one) { return one.name == name; });
    REQUIRE(found != all.end());
    auto files = 0;
    for (auto const& entry : std::filesystem::directory_iterator{std::filesystem::path{TEST_SEEDS} / name}) {
        auto const file = entry.path().filename().string();
        for (auto const& input : variants_of(content_of(entry.path()))) {
            INFO(name << "/" << file << ": " << input);
            CHECK_NOTHROW(found->check_input(input));
        }
        ++files;
    }
    CHECK(files >= 3);
}

}

TEST_CASE("fuzz: every target has a test below [C12]") { CHECK(targets().size() == 13); }

TEST_CASE("fuzz: a second reading of a user's body finds the same values [E1, E8, I6]") { run_seeds("clerk_user"); }
TEST_CASE("fuzz: no environment crashes the start or shows a secret [F30, I6]") { run_seeds("config"); }
TEST_CASE("fuzz: the scan of a webhook equals a full parse [A15-A17, I6]") { run_seeds("envelope"); }
TEST_CASE("fuzz: no spelling of a path reaches another user's row [B19, C4, I5]") { run_seeds("gateway"); }
TEST_CASE("fuzz: bytes become the same requests however they arrive [C1, C3, C8, I6]") { run_seeds("http_request"); }
TEST_CASE("fuzz: a PEM is one complete public key or rejected [B17, I5]") { run_seeds("jwt_key"); }
TEST_CASE("fuzz: a record is applied only when all its parts agree [D1-D5, D9, I8]") { run_seeds("kafka_record"); }
TEST_CASE("fuzz: a key set gives no weak, foreign or ambiguous key [B17, I5]") { run_seeds("key_set"); }
TEST_CASE("fuzz: a publishable key names exactly one issuer [I5]") { run_seeds("publishable_key"); }
TEST_CASE("fuzz: a role map never gives a role that is not allowed [E8, I6]") { run_seeds("role_map"); }
TEST_CASE("fuzz: claims are accepted as by the second verifier [B7-B15, I5]") { run_seeds("session_claims"); }
TEST_CASE("fuzz: tokens are accepted as by the second verifier [B1-B16, I5]") { run_seeds("session_token"); }
TEST_CASE("fuzz: a webhook's signature is unambiguous, and good only for its body [A1-A9, I6]")
{
    run_seeds("webhook_signature");
}

}
