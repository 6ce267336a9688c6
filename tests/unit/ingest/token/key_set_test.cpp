#include "ingest/token/key_set.hpp"
#include "tests/support/ingest/minted_token.hpp"
#include "tests/support/ingest/signed_webhook.hpp"

#include <doctest/doctest.h>

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <memory>

namespace clerk_strapi::ingest
{
namespace
{

using tests::encode_base64url;
using tests::json_members;
using tests::minting_key;
using tests::must;

std::string replaced(std::string text, std::string_view from, std::string_view to)
{
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        auto const found = std::min(text.find(from, at), text.size());
        out += text.substr(at, found - at);
        if (found < text.size()) out += to;
        at = std::min(found + from.size(), text.size());
    }
    return out;
}

bool works(rsa_key const& key)
{
    auto const signature = minting_key::ours().sign("header.payload");
    return key.verifies("header.payload", signature) && !key.verifies("header.payloae", signature)
        && !key.verifies("header.payload", minting_key::strangers().sign("header.payload"))
        && key.verifies("header.payload", signature); // a failed verification has no effect on the next
}

// A modulus with the form of Infineon's keys: a power of 65537 modulo each small prime.
std::string roca_modulus(int bits)
{
    std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> const scratch{BN_CTX_new(), &BN_CTX_free};
    std::unique_ptr<BIGNUM, decltype(&BN_free)> const product{BN_new(), &BN_free};
    std::unique_ptr<BIGNUM, decltype(&BN_free)> const modulus{BN_new(), &BN_free};
    BN_one(product.get());
    for (BN_ULONG candidate = 2; candidate <= 167; ++candidate) {
        auto divided = false;
        for (BN_ULONG divisor = 2; divisor < candidate; ++divisor)
            divided |= candidate % divisor == 0;
        if (!divided) BN_mul_word(product.get(), candidate);
    }
    BN_rand(modulus.get(), bits - BN_num_bits(product.get()) + 1, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY);
    BN_mul(modulus.get(), modulus.get(), product.get(), scratch.get());
    BN_add_word(modulus.get(), 65537);
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(modulus.get())), '\0');
    BN_bn2bin(modulus.get(), reinterpret_cast<unsigned char*>(bytes.data()));
    return bytes;
}

std::string pem_of(EVP_PKEY* key)
{
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> const owner{key, &EVP_PKEY_free};
    std::unique_ptr<BIO, decltype(&BIO_free)> const memory{BIO_new(BIO_s_mem()), &BIO_free};
    PEM_write_bio_PUBKEY(memory.get(), key);
    char* text = nullptr;
    auto const size = BIO_get_mem_data(memory.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

json_members jwk(std::string_view kid = tests::token_kid)
{
    auto const quoted = [](std::string const& text) { return "\"" + text + "\""; };
    return json_members{
        {{"kty", R"("RSA")"}, {"use", R"("sig")"}, {"alg", R"("RS256")"}, {"kid", quoted(std::string{kid})},
            {"n", quoted(encode_base64url(minting_key::ours().modulus()))}, {"e", R"("AQAB")"}}};
}

std::string set_of(std::vector<std::string> const& keys)
{
    std::string list;
    for (auto const& key : keys)
        list += (list.empty() ? "" : ",") + key;
    return R"({"keys":[)" + list + "]}";
}

// With an additional valid key "other", so that the document always has a usable key.
bool is_ignored(json_members const& key)
{
    auto const set = must(parse_jwks(set_of({key.text(), jwk("other").text()})));
    CHECK(set.keys.contains("other"));
    return set.keys.size() == 1 && set.ignored.size() == 1 && set.ignored.front().starts_with("key 1 ");
}

}

TEST_CASE("PEM: newlines may be real, written as \\n, or missing")
{
    auto const pem = minting_key::ours().pem();
    CHECK(works(must(rsa_key::from_pem(pem))));
    for (std::string_view const newline : {"", "\\n", " ", "\r\n", "\\r\\n"}) {
        CAPTURE(newline);
        CHECK(works(must(rsa_key::from_pem(replaced(pem, "\n", newline)))));
    }
    CHECK(works(must(rsa_key::from_pem("\n  " + pem + "\n\n"))));
}

TEST_CASE("[I5] a PEM that is not a complete RSA public key is an error")
{
    auto const pem = minting_key::ours().pem();
    std::string const rows[] = {std::string{}, std::string{"-----BEGIN PUBLIC KEY-----"}, pem.substr(0, pem.size() / 2),
        replaced(pem, "PUBLIC", "PRIVATE"), replaced(pem, "PUBLIC KEY", "CERTIFICATE"),
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", replaced(pem, "A", "!"),
        replaced(pem, "-----END", "AAAA-----END"), std::string(100'000, 'x'), pem_of(EVP_EC_gen("P-256")),
        std::string{"-----BEGIN PUBLIC KEY-----\\"}};
    for (auto const& text : rows) {
        CAPTURE(text.substr(0, 100));
        auto const key = rsa_key::from_pem(text);
        REQUIRE(key.has_error());
        CHECK((key.error().starts_with("is ") || key.error().starts_with("holds ")));
    }
}

TEST_CASE("B17 [I5]: a weak key is rejected")
{
    auto const& ours = minting_key::ours();
    auto const modulus = ours.modulus();
    auto const odd_end = [](std::string bytes) { return (bytes.back() = '\x01', bytes); };
    CHECK(works(must(rsa_key::from_numbers(modulus, ours.exponent()))));
    CHECK(works(must(rsa_key::from_numbers(std::string(1, '\0') + modulus, ours.exponent()))));
    CHECK(rsa_key::from_numbers(odd_end(std::string(255, '\xf1')), "\x01\x00\x01").has_error());
    CHECK(rsa_key::from_numbers(odd_end("\x7f" + std::string(255, '\xf1')), "\x03").has_error()); // 2047 bits
    CHECK(rsa_key::from_numbers(odd_end(std::string(128, '\xf1')), "\x03").has_error());
    CHECK(rsa_key::from_numbers(odd_end(std::string(1025, '\xf1')), "\x03").has_error()); // too long
    CHECK(rsa_key::from_numbers(modulus.substr(0, 255) + '\x02', "\x03").has_error()); // even
    CHECK(rsa_key::from_numbers(modulus, "\x01").has_error());
    CHECK(rsa_key::from_numbers(modulus, std::string(1, '\0')).has_error());
    CHECK(rsa_key::from_numbers(modulus, "").has_error());
    CHECK(rsa_key::from_numbers("", "\x03").has_error());
    CHECK(rsa_key::from_numbers(modulus, "\x02").has_error());
    CHECK(rsa_key::from_numbers(modulus, std::string(9, '\x7f')).has_error());
    CHECK(rsa_key::from_numbers(modulus, "\x03").has_value());
    auto const roca = rsa_key::from_numbers(roca_modulus(2100), "\x03");
    REQUIRE(roca.has_error());
    CHECK(roca.error().find("ROCA") != std::string::npos);
    CHECK(rsa_key::from_pem(pem_of(EVP_RSA_gen(1024))).has_error());
}

TEST_CASE("key set: returns every usable key by its kid")
{
    auto const set = must(parse_jwks(minting_key::ours().jwks()));
    REQUIRE(set.keys.size() == 1);
    CHECK(set.ignored.empty());
    CHECK(works(set.keys.find(tests::token_kid)->second));

    auto const two = must(
        parse_jwks(R"({"more":{"x":[1]},"keys":[)" + jwk("a").text() + "," + minting_key::strangers().jwk("b") + "]}"));
    CHECK(works(two.keys.at("a")));
    CHECK_FALSE(two.keys.at("b").verifies("x", minting_key::ours().sign("x")));
    CHECK(must(parse_jwks(set_of({jwk("a").drop("use").drop("alg").text()}))).keys.size() == 1);
    CHECK(must(parse_jwks(set_of({jwk("a").set("key_ops", R"(["sign","verify"])").text()}))).keys.size() == 1);
    CHECK(must(parse_jwks(set_of({jwk("a").set("x5c", R"(["MIIB"])").set("oct", "null").text()}))).keys.size() == 1);
}

TEST_CASE("B17 [I5]: a key that is not for verifying RS256 is ignored, the others are used")
{
    CHECK(is_ignored(jwk().set("kty", R"("EC")")));
    CHECK(is_ignored(jwk().set("kty", R"("oct")").set("k", R"("c2VjcmV0")")));
    CHECK(is_ignored(jwk().set("kty", R"("rsa")")));
    CHECK(is_ignored(jwk().drop("kty")));
    CHECK(is_ignored(jwk().drop("kid")));
    CHECK(is_ignored(jwk().set("kid", R"("")")));
    CHECK(is_ignored(jwk().set("kid", "7")));
    CHECK(is_ignored(jwk().set("use", R"("enc")")));
    CHECK(is_ignored(jwk().set("use", "null")));
    CHECK(is_ignored(jwk().set("key_ops", R"(["sign"])")));
    CHECK(is_ignored(jwk().set("key_ops", "[]")));
    CHECK(is_ignored(jwk().set("key_ops", R"("verify")")));
    CHECK(is_ignored(jwk().set("alg", R"("RS512")")));
    CHECK(is_ignored(jwk().set("alg", R"("PS256")")));
    CHECK(is_ignored(jwk().set("alg", "7")));
    CHECK(is_ignored(jwk().drop("n")));
    CHECK(is_ignored(jwk().drop("e")));
    CHECK(is_ignored(jwk().set("e", R"("AQAB=")")));
    CHECK(is_ignored(jwk().set("e", R"("AQ")")));
    CHECK(is_ignored(jwk().set("e", "65537")));
    CHECK(is_ignored(jwk().set("n", R"("AQAB")")));
    CHECK(is_ignored(jwk().set("n", "\"" + encode_base64url(std::string(128, '\xf1')) + "\"")));
    CHECK(is_ignored(jwk().set("n", "\"" + encode_base64url(roca_modulus(2100)) + "\"")));
    CHECK(must(parse_jwks(set_of({"7", "null", R"("key")", "[]", jwk().text()}))).ignored.size() == 4);
}

TEST_CASE("B17 [I5]: keys with a duplicate kid are ignored, even if one is unusable")
{
    auto const other = jwk("other").text();
    std::string const rows[] = {set_of({jwk("a").text(), minting_key::strangers().jwk("a"), other}),
        set_of({jwk("a").text(), jwk("a").text(), jwk("a").text(), other}),
        set_of({jwk("a").text(), jwk("a").set("use", R"("enc")").text(), other}),
        set_of({jwk("a").text(), jwk("a").set("kty", R"("EC")").text(), other})};
    for (auto const& document : rows) {
        auto const set = must(parse_jwks(document));
        CHECK(set.keys.size() == 1);
        CHECK(set.keys.contains("other"));
        CHECK(set.ignored.size() >= 2);
    }
}

TEST_CASE("[I5] an invalid key set is an error that does not quote the document")
{
    auto const good = jwk().text();
    std::string const rows[] = {std::string{}, std::string{"secret"}, std::string{"null"}, std::string{"[]"},
        std::string{"{}"}, std::string{R"({"keys":{}})"}, std::string{R"({"keys":[]})"}, set_of({good}) + "secret",
        "\xef\xbb\xbf" + set_of({good}), set_of({jwk().add("kid", R"("secret")").text()}),
        R"({"keys":[)" + good + R"(],"keys":[)" + good + "]}", set_of({jwk("secret").set("use", R"("secret")").text()}),
        set_of({jwk("secret").text(), jwk("secret").text()}), set_of(std::vector<std::string>(65, "{}")),
        set_of({jwk().set("x", std::string(14, '[') + std::string(14, ']')).text()}), std::string(2'000'000, '['),
        set_of({good}) + std::string(jwks_bytes_max, ' '), R"({"error":"secret"})"};
    for (auto const& document : rows) {
        CAPTURE(document.substr(0, 100));
        auto const set = parse_jwks(document);
        REQUIRE(set.has_error());
        CHECK(set.error().find("secret") == std::string::npos);
        CHECK(set.error().size() < 200);
    }
    std::vector<std::string> many(63, R"({"kty":"EC"})");
    many.push_back(good);
    CHECK(must(parse_jwks(set_of(many))).keys.size() == 1); // 64 are allowed
    many.insert(many.begin(), R"({"kty":"EC"})");
    CHECK(parse_jwks(set_of(many)).has_error());
}

}
