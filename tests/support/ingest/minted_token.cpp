#include "tests/support/ingest/minted_token.hpp"

#include "tests/support/ingest/fixed_key.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace clerk_strapi::tests
{
namespace
{

EVP_PKEY* pkey(void* key) { return static_cast<EVP_PKEY*>(key); }

void need(bool done)
{
    if (!done) throw std::runtime_error{"OpenSSL rejected a call of the test"};
}

std::string number_of(void* key, char const* name)
{
    BIGNUM* value = nullptr;
    need(EVP_PKEY_get_bn_param(pkey(key), name, &value) == 1);
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(value)), '\0');
    BN_bn2bin(value, reinterpret_cast<unsigned char*>(bytes.data()));
    BN_free(value);
    return bytes;
}

std::string quoted(std::string_view text) { return "\"" + std::string{text} + "\""; }

}

std::string encode_base64url(std::string_view bytes)
{
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string text;
    unsigned held = 0;
    unsigned bits = 0;
    for (char const byte : bytes) {
        held = held << 8U | static_cast<unsigned char>(byte);
        for (bits += 8; bits >= 6; bits -= 6)
            text += alphabet[held >> (bits - 6) & 0x3fU];
    }
    if (bits > 0) text += alphabet[held << (6 - bits) & 0x3fU];
    return text;
}

minting_key::minting_key()
    : key_{EVP_RSA_gen(2048)}
{
    need(key_ != nullptr);
}

minting_key::minting_key(std::string_view pkcs8_base64)
{
    std::string der(pkcs8_base64.size(), '\0');
    auto const size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(der.data()),
        reinterpret_cast<unsigned char const*>(pkcs8_base64.data()), static_cast<int>(pkcs8_base64.size()));
    need(size > 0);
    auto const* next = reinterpret_cast<unsigned char const*>(der.data()); // what padding adds is behind the key
    key_ = d2i_AutoPrivateKey(nullptr, &next, size);
    need(key_ != nullptr);
}

minting_key::~minting_key() { EVP_PKEY_free(pkey(key_)); }

minting_key const& minting_key::ours()
{
    static minting_key const key;
    return key;
}

minting_key const& minting_key::strangers()
{
    static minting_key const key;
    return key;
}

minting_key const& minting_key::fixed()
{
    static minting_key const key{fixed_key_base64};
    return key;
}

std::string minting_key::pem() const
{
    std::unique_ptr<BIO, decltype(&BIO_free)> const memory{BIO_new(BIO_s_mem()), &BIO_free};
    need(memory && PEM_write_bio_PUBKEY(memory.get(), pkey(key_)) == 1);
    char* text = nullptr;
    auto const size = BIO_get_mem_data(memory.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

std::string minting_key::modulus() const { return number_of(key_, OSSL_PKEY_PARAM_RSA_N); }
std::string minting_key::exponent() const { return number_of(key_, OSSL_PKEY_PARAM_RSA_E); }

std::string minting_key::jwk(std::string_view kid) const
{
    return R"({"use":"sig","kty":"RSA","kid":)" + quoted(kid) + R"(,"alg":"RS256","n":)"
        + quoted(encode_base64url(modulus())) + R"(,"e":)" + quoted(encode_base64url(exponent())) + "}";
}

std::string minting_key::jwks(std::string_view kid) const { return R"({"keys":[)" + jwk(kid) + "]}"; }

std::string minting_key::sign(std::string_view bytes, std::string_view digest, bool pss) const
{
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> const context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
    EVP_PKEY_CTX* options = nullptr;
    std::string signature(256, '\0');
    auto size = signature.size();
    need(EVP_DigestSignInit_ex(
             context.get(), &options, std::string{digest}.c_str(), nullptr, nullptr, pkey(key_), nullptr)
        == 1);
    if (pss) need(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1);
    need(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
             reinterpret_cast<unsigned char const*>(bytes.data()), bytes.size())
        == 1);
    return signature;
}

json_members& json_members::set(std::string_view name, std::string value)
{
    auto const found = std::find_if(members_.begin(), members_.end(), [&](auto const& m) { return m.first == name; });
    if (found == members_.end()) return add(name, std::move(value));
    found->second = std::move(value);
    return *this;
}

json_members& json_members::add(std::string_view name, std::string value)
{
    members_.emplace_back(std::string{name}, std::move(value));
    return *this;
}

json_members& json_members::drop(std::string_view name)
{
    std::erase_if(members_, [&](auto const& member) { return member.first == name; });
    return *this;
}

std::string json_members::text() const
{
    std::string text = "{";
    for (auto const& [name, value] : members_)
        text += (text.size() > 1 ? "," : "") + quoted(name) + ":" + value;
    return text + "}";
}

json_members token_header()
{
    return json_members{
        {{"alg", R"("RS256")"}, {"cat", R"("cl_B7d4PD111AAA")"}, {"kid", quoted(token_kid)}, {"typ", R"("JWT")"}}};
}

json_members token_claims(std::int64_t now, std::string_view clerk_id)
{
    return json_members{{{"azp", quoted(token_party)}, {"exp", std::to_string(now + 60)}, {"fva", "[0,-1]"},
        {"iat", std::to_string(now)}, {"iss", quoted(token_issuer)}, {"jti", R"("5f2d0f9bd5f8e3a1b2c3")"},
        {"nbf", std::to_string(now - 10)}, {"sid", R"("sess_2abc")"}, {"sts", R"("active")"}, {"sub", quoted(clerk_id)},
        {"v", "2"}}};
}

std::string sign_token(std::string_view header, std::string_view payload, minting_key const& key)
{
    auto const bytes = encode_base64url(header) + "." + encode_base64url(payload);
    return bytes + "." + encode_base64url(key.sign(bytes));
}

std::string mint(json_members const& claims, json_members const& header, minting_key const& key)
{
    return sign_token(header.text(), claims.text(), key);
}

std::string mint(std::int64_t now, std::string_view clerk_id) { return mint(token_claims(now, clerk_id)); }

}
