#include "ingest/webhook/signature.hpp"

#include "common/event/base64.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <new>
#include <optional>

namespace clerk_strapi::ingest
{
namespace
{

constexpr std::string_view prefix = "whsec_";
constexpr std::string_view version = "v1,";
constexpr std::size_t key_bytes_min = 24;
constexpr std::size_t key_bytes_max = 128;
constexpr std::size_t block_bytes = 64; // of SHA-256
constexpr std::size_t digest_bytes = 32;
constexpr std::size_t signature_characters = 44;

// A hash may run on any thread; its scratch state is the thread's own, so that a verify allocates nothing.
EVP_MD_CTX* scratch()
{
    thread_local std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> const context{
        EVP_MD_CTX_new(), &EVP_MD_CTX_free};
    return context.get();
}

using signature_text = std::array<char, signature_characters + 1>; // EVP_EncodeBlock ends it with a NUL

signature_text hmac(EVP_MD_CTX const* inner, EVP_MD_CTX const* outer, std::string_view id, std::string_view timestamp,
    std::string_view body)
{
    std::array<unsigned char, digest_bytes> digest;
    auto* const hash = scratch();
    EVP_MD_CTX_copy_ex(hash, inner);
    EVP_DigestUpdate(hash, id.data(), id.size());
    EVP_DigestUpdate(hash, ".", 1);
    EVP_DigestUpdate(hash, timestamp.data(), timestamp.size());
    EVP_DigestUpdate(hash, ".", 1);
    EVP_DigestUpdate(hash, body.data(), body.size());
    EVP_DigestFinal_ex(hash, digest.data(), nullptr);
    EVP_MD_CTX_copy_ex(hash, outer);
    EVP_DigestUpdate(hash, digest.data(), digest.size());
    EVP_DigestFinal_ex(hash, digest.data(), nullptr);

    signature_text text{};
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), digest.data(), static_cast<int>(digest.size()));
    return text;
}

// Texts of equal length, so that spare bits and other alphabets cannot pass for the same signature.
bool matches_one(std::string_view items, signature_text const& expected)
{
    bool found = false;
    while (!items.empty()) {
        auto const end = std::min(items.find(' '), items.size());
        auto const item = items.substr(0, end);
        items.remove_prefix(std::min(end + 1, items.size()));
        if (item.size() != version.size() + signature_characters || !item.starts_with(version)) continue;
        found |= CRYPTO_memcmp(item.data() + version.size(), expected.data(), signature_characters) == 0;
    }
    return found;
}

}

void signing_key::destroy::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

signing_key::context signing_key::begin(std::string_view key, unsigned char pad)
{
    std::array<unsigned char, block_bytes> block;
    block.fill(pad);
    for (std::size_t i = 0; i < key.size(); ++i)
        block[i] = static_cast<unsigned char>(block[i] ^ static_cast<unsigned char>(key[i]));
    context made{EVP_MD_CTX_new()};
    if (!made || EVP_DigestInit_ex(made.get(), EVP_sha256(), nullptr) != 1) throw std::bad_alloc{};
    EVP_DigestUpdate(made.get(), block.data(), block.size());
    OPENSSL_cleanse(block.data(), block.size());
    return made;
}

result<signing_key, std::string> signing_key::parse(std::string_view text)
{
    if (text.starts_with("whsk_") || text.starts_with("whpk_")) {
        return std::string{"is a key of the asymmetric scheme (whsk_, whpk_): the endpoint's whsec_ secret is needed"};
    }
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
    while (text.ends_with('='))
        text.remove_suffix(1);
    auto key = decode_base64(text, spare_bits::any);
    if (!key) return std::string{"is not base64: copy the endpoint's signing secret (whsec_...) once more"};
    if (key->size() < key_bytes_min || key->size() > key_bytes_max) {
        return "holds " + std::to_string(key->size())
            + " bytes, and 24 to 128 are needed: copy the endpoint's signing secret (whsec_...) once more";
    }
    return from_bytes(std::move(*key));
}

signing_key signing_key::from_bytes(std::string key)
{
    if (key.size() > block_bytes) { // HMAC's own rule for long keys
        std::array<unsigned char, digest_bytes> digest;
        EVP_Digest(key.data(), key.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
        key.assign(digest.begin(), digest.end());
    }
    signing_key made;
    made.inner_ = begin(key, 0x36);
    made.outer_ = begin(key, 0x5c);
    OPENSSL_cleanse(key.data(), key.size());
    return made;
}

std::string signing_key::sign(std::string_view id, std::string_view timestamp, std::string_view body) const
{
    auto const text = hmac(inner_.get(), outer_.get(), id, timestamp, body);
    return std::string{version} + text.data();
}

result<std::vector<signing_key>, std::string> parse_signing_keys(std::string_view list)
{
    constexpr std::string_view blanks = " \t\r\n";
    std::vector<signing_key> keys;
    for (std::size_t place = 1; !list.empty(); ++place) {
        auto const comma = std::min(list.find(','), list.size());
        auto text = list.substr(0, comma);
        list.remove_prefix(std::min(comma + 1, list.size()));
        auto const first = text.find_first_not_of(blanks);
        if (first == std::string_view::npos) continue;
        text = text.substr(first, text.find_last_not_of(blanks) - first + 1);
        auto key = signing_key::parse(text);
        if (!key) return "secret number " + std::to_string(place) + " " + key.error();
        keys.push_back(std::move(*key));
    }
    if (keys.empty()) return std::string{"holds no secret: the endpoint's signing secret (whsec_...) is needed"};
    if (keys.size() > signing_keys_max) return std::string{"holds more than 10 secrets: remove those no longer in use"};
    return keys;
}

result<std::size_t, reject_reason> webhook_verifier::verify(
    signed_headers const& headers, std::string_view body, std::chrono::system_clock::time_point now) const
{
    std::chrono::sys_seconds const sent{std::chrono::seconds{headers.seconds}};
    auto const age = std::chrono::floor<std::chrono::seconds>(now) - sent;
    if (age > signature_tolerance || -age > signature_tolerance) return reject_reason::outside_tolerance;

    if (auto const slot = signer_of(headers, body)) return *slot;
    return reject_reason::not_authentic;
}

std::optional<std::size_t> webhook_verifier::signer_of(signed_headers const& headers, std::string_view body) const
{
    for (std::size_t slot = 0; slot < keys_.size(); ++slot) {
        auto const& key = keys_[slot];
        auto const expected = hmac(key.inner_.get(), key.outer_.get(), headers.id, headers.timestamp, body);
        if (matches_one(headers.signatures, expected)) return slot;
    }
    return std::nullopt;
}

}
