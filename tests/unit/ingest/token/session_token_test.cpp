#include "ingest/token/session_token.hpp"
#include "tests/support/ingest/minted_token.hpp"
#include "tests/support/ingest/token_check.hpp"

#include <doctest/doctest.h>

#include <openssl/hmac.h>

namespace clerk_strapi::ingest
{
namespace
{

using tests::mint;
using tests::minting_key;
using tests::rejection_of;
using tests::sign_token;
using tests::token_header;
using tests::token_issuer;

tests::json_members good() { return tests::token_claims(tests::token_now); }

}

TEST_CASE("[I5] a current token of Clerk is accepted")
{
    CHECK(rejection_of(mint(good())) == std::nullopt);
    CHECK(rejection_of(mint(good().drop("azp")), {.issuer = std::string{token_issuer}}) == std::nullopt);
    CHECK(rejection_of(mint(good().drop("v").drop("sts").drop("jti").drop("fva"))) == std::nullopt); // version 1
    CHECK(rejection_of(mint(good().set("aud", "5").set("custom", R"({"a":[1.5e3,null]})")))
        == std::nullopt); // custom claims
    CHECK(rejection_of(mint(good(), token_header().drop("typ").drop("cat"))) == std::nullopt);
    CHECK(rejection_of(mint(good(), token_header().set("cat", R"("cl_I7d4PD111III")"))) == std::nullopt);
    CHECK(rejection_of(mint(good(), token_header().set("oiat", "1800000000"))) == std::nullopt);
}

TEST_CASE("[I5] the parts of a token are returned as received")
{
    auto const token = mint(good());
    auto const parts = read_token(token);
    REQUIRE(parts.has_value());
    CHECK(parts->signed_bytes == std::string_view{token}.substr(0, token.rfind('.')));
    CHECK(parts->kid == "ins_2abc");
    CHECK(parts->payload == good().text());
    CHECK(parts->signature.size() == 256);
    CHECK(read_token(mint(good(), token_header().drop("kid")))->kid.empty());
}

TEST_CASE("B1 [I5]: only the algorithm RS256 is accepted, in this spelling")
{
    auto const rows = {R"("none")", R"("NONE")", R"("nOnE")", R"("rs256")", R"("RS256 ")", R"("HS256")", R"("RS384")",
        R"("RS512")", R"("PS256")", R"("ES256")", R"("")", R"(["RS256"])", "null", "256", R"({"alg":"RS256"})"};
    for (std::string const algorithm : rows) {
        CAPTURE(algorithm);
        CHECK(rejection_of(mint(good(), token_header().set("alg", algorithm))) == token_reason::invalid_algorithm);
    }
    CHECK(rejection_of(mint(good(), token_header().drop("alg"))) == token_reason::invalid_algorithm);
}

TEST_CASE("B1 [I5]: a signature of another scheme under the name RS256 is rejected")
{
    auto const& key = minting_key::ours();
    auto const bytes = tests::encode_base64url(token_header().text()) + "." + tests::encode_base64url(good().text());
    auto const with = [&](std::string const& signature) { return bytes + "." + tests::encode_base64url(signature); };
    CHECK(rejection_of(with(key.sign(bytes))) == std::nullopt);
    CHECK(rejection_of(with(key.sign(bytes, "SHA384"))) == token_reason::invalid_signature);
    CHECK(rejection_of(with(key.sign(bytes, "SHA512"))) == token_reason::invalid_signature);
    CHECK(rejection_of(with(key.sign(bytes, "SHA256", true))) == token_reason::invalid_signature);
    CHECK(rejection_of(with(std::string(32, 'h'))) == token_reason::invalid_signature); // an HMAC's length
    CHECK(rejection_of(with(std::string(256, '\0'))) == token_reason::invalid_signature);
    CHECK(rejection_of(with(std::string(256, '\xff'))) == token_reason::invalid_signature);
    CHECK(rejection_of(with(std::string(1, '\0') + key.sign(bytes))) == token_reason::invalid_signature);
    CHECK(rejection_of(with(key.sign(bytes).substr(1))) == token_reason::invalid_signature);
    CHECK(rejection_of(mint(good(), token_header(), minting_key::strangers())) == token_reason::invalid_signature);
}

TEST_CASE("B1 [I5]: a token signed with our public key as HMAC secret is rejected")
{
    auto const& key = minting_key::ours();
    for (auto const& secret : {key.pem(), key.jwk(), key.modulus()}) {
        for (auto const& [name, reason] : {std::pair{R"("HS256")", token_reason::invalid_algorithm},
                 std::pair{R"("RS256")", token_reason::invalid_signature}}) {
            CAPTURE(name);
            auto const bytes = tests::encode_base64url(token_header().set("alg", name).text()) + "."
                + tests::encode_base64url(good().text());
            std::string code(32, '\0');
            HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
                reinterpret_cast<unsigned char const*>(bytes.data()), bytes.size(),
                reinterpret_cast<unsigned char*>(code.data()), nullptr);
            CHECK(rejection_of(bytes + "." + tests::encode_base64url(code)) == reason);
        }
    }
}

TEST_CASE("B2 [I5]: a key inside the token is never used")
{
    auto const& stranger = minting_key::strangers();
    std::pair<std::string, std::string> const rows[] = {
        {"jwk", stranger.jwk()},
        {"jku", R"("https://attacker.example/jwks.json")"},
        {"x5u", R"("https://attacker.example/certificate.pem")"},
        {"x5c", R"(["MIIB"])"},
    };
    for (auto const& [name, value] : rows) {
        CAPTURE(name);
        auto const header = token_header().set(name, value);
        CHECK(rejection_of(mint(good(), header, stranger)) == token_reason::invalid_signature);
        CHECK(rejection_of(mint(good(), header)) == std::nullopt); // and does not matter otherwise
    }
}

TEST_CASE("B3 [I5]: a header extension that changes the meaning is rejected")
{
    std::pair<std::string, std::string> const rows[] = {{"crit", R"(["exp"])"}, {"crit", "[]"}, {"crit", "null"},
        {"b64", "false"}, {"b64", "true"}, {"zip", R"("DEF")"}, {"zip", R"("")"}};
    for (auto const& [name, value] : rows) {
        CAPTURE(name);
        CAPTURE(value);
        CHECK(rejection_of(mint(good(), token_header().set(name, value))) == token_reason::invalid);
    }
}

TEST_CASE("B4 [I5]: a kid is only a text to look up")
{
    auto const rows = {"../../etc/passwd", "' OR 1=1 --", "https://attacker.example/", "a b", ""};
    for (std::string const kid : rows) {
        CAPTURE(kid);
        auto const parts = read_token(mint(good(), token_header().set("kid", "\"" + kid + "\"")));
        REQUIRE(parts.has_value());
        CHECK(parts->kid == kid);
    }
    CHECK(rejection_of(mint(good(), token_header().set("kid", "7"))) == token_reason::invalid);
    CHECK(rejection_of(mint(good(), token_header().set("kid", "null"))) == token_reason::invalid);
    auto const long_kid = "\"" + std::string(1024 * 1024, 'k') + "\"";
    CHECK(rejection_of(mint(good(), token_header().set("kid", long_kid))) == token_reason::too_large);
}

TEST_CASE("B6 [I5]: a token has exactly one encoding")
{
    auto const token = mint(good().set("x", R"("??????")")); // has a '_' in base64url
    auto const signature = token.rfind('.') + 1;
    auto const payload = token.find('.') + 1;
    auto spare = token;
    REQUIRE(std::string_view{"AQgw"}.find(spare.back()) != std::string_view::npos); // 256 bytes leave 4 spare bits
    ++spare.back();
    auto standard = token;
    auto const other_letter = standard.find_first_of("-_");
    REQUIRE(other_letter != std::string::npos);
    standard[other_letter] = standard[other_letter] == '-' ? '+' : '/';
    std::pair<std::string_view, std::string> const rows[] = {
        {"padded", token + "=="},
        {"spare bit set", spare},
        {"standard alphabet", standard},
        {"two parts", token.substr(0, signature - 1)},
        {"empty signature", token.substr(0, signature)},
        {"empty payload", token.substr(0, payload) + token.substr(signature - 1)},
        {"empty header", token.substr(payload - 1)},
        {"four parts", token + ".AAAA"},
        {"five parts", token + ".AAAA.AAAA"},
        {"trailing dot", token + "."},
        {"leading dot", "." + token},
        {"trailing newline", token + "\n"},
        {"trailing NUL", token + std::string(1, '\0')},
        {"leading space", " " + token},
        {"space inside", token.substr(0, signature) + " " + token.substr(signature)},
        {"signature cut to a lone character", token.substr(0, token.size() - 1)},
        {"lone character more", token + "AAA"},
    };
    for (auto const& [name, text] : rows) {
        CAPTURE(name);
        CHECK(rejection_of(text) == token_reason::invalid);
    }
    CHECK(rejection_of(token.substr(0, token.size() - 2)) == token_reason::invalid_signature); // canonical, but cut
}

TEST_CASE("B11 [I5]: tokens of machines, OAuth clients and templates are rejected")
{
    auto const other_type = token_reason::type_mismatch;
    for (std::string const category :
        {R"("cl_B7d4PD333AAA")", R"("cl_B7d4PD222AAA")", R"("cl_unknown")", R"("")", "7", "null"}) {
        CAPTURE(category);
        CHECK(rejection_of(mint(good(), token_header().set("cat", category))) == other_type);
    }
    for (std::string const type : {R"("at+jwt")", R"("application/at+jwt")"}) {
        CAPTURE(type);
        CHECK(rejection_of(mint(good(), token_header().set("typ", type))) == other_type);
    }
    for (std::string const type : {R"("jwt")", R"("Jwt")", R"("")", "null", "1", R"(["JWT"])"}) {
        CAPTURE(type);
        CHECK(rejection_of(mint(good(), token_header().set("typ", type))) == token_reason::invalid);
    }
    CHECK(rejection_of(mint(good().set("sub", R"("mch_2abc")"))) == other_type);
    for (std::string const text : {"mt_0123456789", "oat_0123456789", "ak_0123456789", "mt_a.b.c", "oat_a.b.c"}) {
        CAPTURE(text);
        CHECK(rejection_of(text) == other_type);
        CHECK(claims_to_be_clerks(text));
    }
}

TEST_CASE("B15 [I5]: JSON that two parsers could read differently is rejected")
{
    auto const nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
    auto const bad = token_reason::invalid;
    auto const payload = good().text();
    auto const header = token_header().text();
    auto const inside = [](std::string const& object, std::string const& more) {
        return object.substr(0, object.size() - 1) + more + "}";
    };
    std::pair<std::string_view, std::string> const payloads[] = {
        {"sub twice", good().add("sub", R"("user_other")").text()},
        {"sub twice, once escaped", inside(payload, R"(,"s\u0075b":"user_other")")},
        {"a name that we do not read, twice", good().add("x", "1").add("x", "1").text()},
        {"a name twice further in", good().add("x", R"({"a":1,"a":2})").text()},
        {"invalid UTF-8", good().add("x", "\"\xff\"").text()},
        {"overlong UTF-8", good().add("x", "\"\xc0\xaf\"").text()},
        {"lone surrogate", good().add("x", R"("\ud800")").text()},
        {"byte order mark", "\xef\xbb\xbf" + payload},
        {"null", "null"},
        {"array", "[" + payload + "]"},
        {"text", R"("text")"},
        {"something after", payload + "x"},
        {"NUL after", payload + std::string(1, '\0')},
        {"comment", inside(payload, "/**/")},
        {"trailing comma", inside(payload, ",")},
        {"NaN", good().add("x", "NaN").text()},
        {"seventeen levels", good().add("x", nested(16)).text()},
        {"thousands of levels", good().add("x", nested(2500)).text()},
        {"levels without an end", std::string(5000, '[')},
    };
    for (auto const& [name, text] : payloads) {
        CAPTURE(name);
        CHECK(rejection_of(sign_token(header, text)) == bad);
    }
    CHECK(rejection_of(sign_token(header, good().add("x", nested(15)).text())) == std::nullopt);
    std::pair<std::string_view, std::string> const headers[] = {
        {"alg twice", token_header().add("alg", R"("RS256")").text()},
        {"a name that we do not read, twice", token_header().add("x", "1").add("x", "1").text()},
        {"invalid UTF-8", token_header().add("x", "\"\xff\"").text()},
        {"byte order mark", "\xef\xbb\xbf" + header},
        {"null", "null"},
        {"array", "[" + header + "]"},
        {"something after", header + "{}"},
        {"seventeen levels", token_header().add("x", nested(16)).text()},
        {"levels without an end", std::string(5000, '[')},
    };
    for (auto const& [name, text] : headers) {
        CAPTURE(name);
        CHECK(rejection_of(sign_token(text, payload)) == bad);
    }
    auto const deep = sign_token(header, std::string(1'000'000, '['));
    CHECK(rejection_of(deep) == token_reason::too_large);
    CHECK(read_claims(std::string(1'000'000, '[')).has_error()); // and not because of its length alone
}

TEST_CASE("B16 [I5]: empty, dotted and oversized tokens are rejected")
{
    CHECK(rejection_of("") == token_reason::missing);
    for (std::string const text : {".", "..", "...", "....", "a", "a.b", "a..b", ". .", "null", "undefined"}) {
        CAPTURE(text);
        CHECK(rejection_of(text) == token_reason::invalid);
    }
    CHECK(rejection_of(std::string(token_bytes_max + 1, '.')) == token_reason::too_large);
    CHECK(rejection_of(std::string(1024 * 1024, 'a')) == token_reason::too_large);
    auto filled = [](std::size_t size) { return mint(good().set("x", "\"" + std::string(size, 'x') + "\"")); };
    std::size_t size = 4000;
    while (filled(size + 1).size() <= token_bytes_max)
        ++size;
    CHECK(rejection_of(filled(size)) == std::nullopt);
    CHECK(rejection_of(filled(size + 2)) == token_reason::too_large);
}

TEST_CASE("[I5] the order of reasons is form and header, signature, claims")
{
    auto const stale = good().set("exp", "1700000000").set("iss", R"("https://other.example.com")");
    CHECK(rejection_of(mint(stale, token_header().set("alg", R"("none")"), minting_key::strangers()))
        == token_reason::invalid_algorithm);
    CHECK(rejection_of(mint(stale, token_header(), minting_key::strangers())) == token_reason::invalid_signature);
    CHECK(rejection_of(mint(stale)) == token_reason::invalid_issuer);
    auto const late = good().set("exp", "1700000000").set("sts", R"("pending")");
    CHECK(rejection_of(mint(late)) == token_reason::expired);
}

TEST_CASE("gateway: ignores Strapi's own tokens, and verifies tokens that look like Clerk's")
{
    auto const with = [](std::string const& algorithm) { return mint(good(), token_header().set("alg", algorithm)); };
    auto const strapi_api_token = std::string(256, 'f');
    std::pair<std::string, bool> const rows[] = {
        {mint(good()), true},
        {with(R"("none")"), true},
        {with(R"("ES256")"), true},
        {with(R"("hs256")"), true},
        {with("null"), true},
        {with(R"(["HS256"])"), true},
        {with(R"("HS256")"), false}, // Strapi's JWTs, also those of admins
        {with(R"("HS384")"), false},
        {with(R"("HS512")"), false},
        {strapi_api_token, false},
        {"", false},
        {"opaque", false},
        {"mt_opaque", true},
        {"oat_opaque", true},
        {"ak_opaque", true},
        {"a.b", true},
        {"a.b.c", true}, // not decodable
        {"a.b.c.d", true},
        {"..", true},
        {with(R"("HS256")") + ".", true},
        {sign_token(R"({"alg":"HS256","alg":"RS256"})", "{}"), true},
        {sign_token(R"({"alg":"HS256"})", std::string(token_bytes_max, 'x')), true},
    };
    for (auto const& [token, expected] : rows) {
        CAPTURE(token);
        CHECK(claims_to_be_clerks(token) == expected);
    }
}

}
