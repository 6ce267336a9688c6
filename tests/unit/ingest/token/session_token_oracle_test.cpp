#include "tests/support/ingest/minted_token.hpp"
#include "tests/support/ingest/plain_verifier.hpp"
#include "tests/support/ingest/token_check.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <random>
#include <vector>

namespace clerk_strapi::tests
{
namespace
{

using std::string;

// TEST_TOKENS=1000000 for a long run; TEST_SEED=<number> repeats a run.
std::uint64_t number_from_environment(char const* name, std::uint64_t otherwise)
{
    auto const* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class mutator
{
public:
    explicit mutator(std::uint64_t seed)
        : random_{seed}
    {
    }

    // Most mutants keep the old signature; a signature costs a hundred times as much as a mutation.
    string token()
    {
        auto const header = token_header().text();
        auto const payload = claims().text();
        switch (below(16)) {
        case 0: return mint(edit(claims(), claim_names()), token_header());
        case 1: return mint(edit(claims(), claim_names()), edit(token_header(), header_names()));
        case 2: return sign_token(edit_bytes(header), payload);
        case 3: return sign_token(header, edit_bytes(payload));
        default: return edit_bytes(good_token());
        }
    }

private:
    std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>{0, bound - 1}(random_); }
    template <class T>
    T const& one_of(std::vector<T> const& items)
    {
        return items[below(items.size())];
    }

    static json_members claims()
    {
        return token_claims(token_now)
            .set("act", R"({"iss":"https://dashboard.example.com","sid":"sess_9","sub":"user_9"})")
            .set("o", R"({"id":"org_1","slg":"acme","rol":"admin","per":"create,read","fpm":"3"})")
            .set("fea", R"("o:dashboard")")
            .set("email", R"("zoe@example.com")");
    }
    static string const& good_token()
    {
        static auto const token = mint(claims());
        return token;
    }
    static std::vector<string> const& claim_names()
    {
        static std::vector<string> const names{"azp", "exp", "iat", "nbf", "iss", "sid", "sub", "sts", "v", "act", "o",
            "fea", "email", "org_id", "org_role", "org_permissions", "jti", "x", "aud"};
        return names;
    }
    static std::vector<string> const& header_names()
    {
        static std::vector<string> const names{"alg", "typ", "cat", "kid", "crit", "b64", "zip", "jwk", "oiat", "x"};
        return names;
    }

    string time()
    {
        static std::vector<std::int64_t> const far{-600, -66, -65, -10, -6, -5, -4, 0, 4, 5, 6, 59, 60, 599, 600, 601};
        return std::to_string(token_now + one_of(far));
    }
    string value()
    {
        static std::vector<string> const values{"null", "true", "7", "2", "2.0", "-0", "1e9", "1800000060.0",
            "100000000000", "100000000001", "999999999", "1000000000", "18446744073709551615", R"("")", R"("pending")",
            R"("active")", R"("RS256")", R"("rs256")", R"("none")", R"("JWT")", R"("jwt")", R"("cl_B7d4PD111AAA")",
            R"("cl_I7d4PD111III")", R"("cl_B7d4PD222AAA")", R"("ins_2abc")", R"("user_2abc")", R"("user_")",
            R"("user_2\u0061bc")", R"("sess_2abc")", R"("sess_\u0000")", R"("mch_2abc")",
            R"("https://clerk.example.com")", R"("https:\/\/clerk.example.com")", R"("https://clerk.example.com/")",
            R"("https://app.example.com")", R"("HTTPS://app.example.com")", "[]", "{}", R"(["pending"])",
            R"({"sub":"user_9"})", R"({"sub":""})", R"({"id":"org_1","rol":7})", R"({"id":"org_1","id":"org_2"})",
            R"(["org:a:b"])", "\"\xff\"", R"("\ud800")", R"("\ud83d\ude00")", "\"\xf0\x9f\x98\x80\"",
            "[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"};
        return below(4) == 0 ? time() : one_of(values);
    }
    json_members edit(json_members members, std::vector<string> const& names)
    {
        for (auto edits = 1 + below(3); edits > 0; --edits) {
            auto const& name = one_of(names);
            switch (below(8)) {
            case 0: members.drop(name); break;
            case 1: members.add(name, value()); break;
            case 2: members.set(name, time()); break;
            default: members.set(name, value());
            }
        }
        return members;
    }

    char byte()
    {
        static string const likely = "AZaz09-_.+/= \n\t{}[]\",:\\eE\xff";
        return below(2) == 0 ? likely[below(likely.size())] : static_cast<char>(below(256));
    }
    string edit_bytes(string text)
    {
        for (auto edits = 1 + below(8); edits > 0 && !text.empty(); --edits) {
            auto const place = below(text.size());
            switch (below(6)) {
            case 0: text.insert(place, 1, byte()); break;
            case 1: text.erase(place, 1); break;
            case 2: text[place] = static_cast<char>(text[place] ^ 1 << below(8)); break;
            case 3: std::swap(text[place], text[below(text.size())]); break;
            case 4: text.back() = byte(); break;
            default: text[place] = byte();
            }
        }
        return text;
    }

    std::mt19937_64 random_;
};

// The result of ingest's own checks, in the format of plain_verify().
std::optional<string> our_verdict(string const& token)
{
    if (rejection_of(token)) return std::nullopt;
    auto const claims = ingest::read_claims(ingest::read_token(token)->payload);
    return claims->clerk_id + " " + claims->session_id;
}

}

TEST_CASE("B22 [I5]: a second verifier agrees about every mutant of a valid token")
{
    auto const seed = number_from_environment("TEST_SEED", std::random_device{}());
    auto const tokens = number_from_environment("TEST_TOKENS", 20'000);
    MESSAGE("seed " << seed << ", " << tokens << " tokens");
    plain_policy const policy{minting_key::ours().pem(), string{token_issuer}, string{token_party}};
    mutator mutate{seed};
    std::uint64_t accepted = 0;
    std::uint64_t disagreements = 0;
    for (std::uint64_t made = 0; made < tokens && disagreements < 10; ++made) {
        auto const token = mutate.token();
        auto const ours = our_verdict(token);
        auto const theirs = plain_verify(token, policy, token_now);
        if (ours) ++accepted;
        if (ours == theirs) continue;
        ++disagreements;
        auto const decoded = ingest::read_token(token);
        FAIL_CHECK("we: " << ours.value_or("refused") << ", the plain verifier: " << theirs.value_or("refused")
                          << ", token " << token << ", payload " << (decoded ? decoded->payload : "unreadable"));
    }
    CHECK(accepted > tokens / 100); // else too few tokens were compared
    CHECK(accepted < tokens / 2);
}

}
