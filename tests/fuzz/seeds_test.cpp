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

void judge_seeds(std::string_view name)
{
    auto const all = targets();
    auto const found = std::find_if(all.begin(), all.end(), [&](target const& one) { return one.name == name; });
    REQUIRE(found != all.end());
    auto files = 0;
    for (auto const& entry : std::filesystem::directory_iterator{std::filesystem::path{TEST_SEEDS} / name}) {
        auto const file = entry.path().filename().string();
        for (auto const& input : variants_of(content_of(entry.path()))) {
            INFO(name << "/" << file << ": " << input);
            CHECK_NOTHROW(found->judge_input(input));
        }
        ++files;
    }
    CHECK(files >= 3);
}

}

TEST_CASE("C12: every target is judged by a test below") { CHECK(targets().size() == 13); }

TEST_CASE("[I6] E1, E8: a second reading of a user's body finds the same values") { judge_seeds("clerk_user"); }
TEST_CASE("[I6] F30: no environment crashes the start, no fault tells a secret") { judge_seeds("config"); }
TEST_CASE("[I6] A15-A17: the scan of a webhook says what a full parse says") { judge_seeds("envelope"); }
TEST_CASE("[I5] B19, C4: no spelling of a path leads to somebody else's row") { judge_seeds("gateway"); }
TEST_CASE("[I6] C1, C3, C8: bytes become the same requests however they arrive") { judge_seeds("http_request"); }
TEST_CASE("[I5] B17: a PEM is one whole public key or refused") { judge_seeds("jwt_key"); }
TEST_CASE("[I8] D1-D5, D9: a record is applied only when all its parts agree") { judge_seeds("kafka_record"); }
TEST_CASE("[I5] B17: a key set gives no weak, foreign or disputed key") { judge_seeds("key_set"); }
TEST_CASE("[I5] a publishable key names exactly one issuer") { judge_seeds("publishable_key"); }
TEST_CASE("[I6] E8: a role map never answers what is not allowed by name") { judge_seeds("role_map"); }
TEST_CASE("[I5] B7-B15: claims are accepted as the second verifier does") { judge_seeds("session_claims"); }
TEST_CASE("[I5] B1-B16: tokens are accepted as the second verifier does") { judge_seeds("session_token"); }
TEST_CASE("[I6] A1-A9: a webhook's signature is never ambiguous, and good only for its body")
{
    judge_seeds("webhook_signature");
}

}
