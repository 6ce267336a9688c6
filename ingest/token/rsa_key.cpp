#include "ingest/token/rsa_key.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <new>
#include <optional>

namespace clerk_strapi::ingest
{
namespace
{

constexpr int modulus_bits_min = 2048;
constexpr int modulus_bits_max = 8192; // longer keys only cost time
constexpr int exponent_bits_max = 64;
constexpr std::size_t digest_bytes = 32;

template <class T, void (*Free)(T*)>
struct destroy
{
    void operator()(T* object) const { Free(object); }
};
template <class T, void (*Free)(T*)>
using owned = std::unique_ptr<T, destroy<T, Free>>;
using number = owned<BIGNUM, BN_free>;
using public_key = owned<EVP_PKEY, EVP_PKEY_free>;
using key_context = owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using parameter_builder = owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using parameters = owned<OSSL_PARAM, OSSL_PARAM_free>;

// Keys of Infineon's RSALib can be factored (CVE-2017-15361). Their moduli are powers of 65537 modulo every small
// prime; a random modulus has this property with a probability below 10^-8.
bool has_roca_fingerprint(BIGNUM const* modulus)
{
    constexpr std::array<BN_ULONG, 38> primes{3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71,
        73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
    auto const is_power = [modulus](BN_ULONG prime) {
        auto const wanted = BN_mod_word(modulus, prime);
        BN_ULONG power = 1;
        do {
            if (power == wanted) return true;
            power = power * 65537 % prime;
        } while (power != 1);
        return false;
    };
    return std::all_of(primes.begin(), primes.end(), is_power);
}

std::optional<std::string> weakness(BIGNUM const* modulus, BIGNUM const* exponent)
{
    auto const bits = BN_num_bits(modulus);
    if (bits < modulus_bits_min || bits > modulus_bits_max)
        return "has a modulus of " + std::to_string(bits) + " bits, but 2048 to 8192 are required";
    if (BN_is_odd(modulus) == 0) return "has an even modulus";
    if (BN_is_odd(exponent) == 0 || BN_is_one(exponent) == 1) return "has an exponent that is even or 1";
    if (BN_num_bits(exponent) > exponent_bits_max) return "has an exponent of more than 64 bits";
    if (has_roca_fingerprint(modulus)) return "can be factored (ROCA, CVE-2017-15361)";
    return std::nullopt;
}

number number_of(std::string_view bytes)
{
    return number{
        BN_bin2bn(reinterpret_cast<unsigned char const*>(bytes.data()), static_cast<int>(bytes.size()), nullptr)};
}

number part_of(EVP_PKEY const* key, char const* name)
{
    BIGNUM* value = nullptr;
    EVP_PKEY_get_bn_param(key, name, &value);
    return number{value};
}

// The base64 text between the lines. A line may end with a newline, with \n as two characters, or with neither.
std::optional<std::string> body_of_pem(std::string_view text)
{
    constexpr std::string_view begin = "-----BEGIN PUBLIC KEY-----";
    constexpr std::string_view end = "-----END PUBLIC KEY-----";
    auto const first = text.find(begin);
    if (first == std::string_view::npos) return std::nullopt;
    text.remove_prefix(first + begin.size());
    auto const last = text.find(end);
    if (last == std::string_view::npos) return std::nullopt;
    std::string body;
    for (std::size_t i = 0; i < last; ++i) {
        auto const c = text[i];
        if (c == '\\' && (text[i + 1] == 'n' || text[i + 1] == 'r'))
            ++i;
        else if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
            body += c;
    }
    return body;
}

public_key decode_public_key(std::string_view base64)
{
    std::string der(base64.size() / 4 * 3 + 3, '\0');
    auto const length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(der.data()),
        reinterpret_cast<unsigned char const*>(base64.data()), static_cast<int>(base64.size()));
    auto const padding = static_cast<int>(base64.ends_with("==") ? 2 : base64.ends_with("=") ? 1 : 0);
    if (length <= padding) return nullptr;
    auto const* next = reinterpret_cast<unsigned char const*>(der.data());
    auto const* const end = next + length - padding;
    public_key key{d2i_PUBKEY(nullptr, &next, length - padding)};
    return next == end ? std::move(key) : nullptr;
}

}

// Created once per key: creating a context takes a fifth of the time of a verification.
struct rsa_key::handle
{
    public_key key;
    key_context context;

    explicit handle(public_key made)
        : key{std::move(made)}
        , context{EVP_PKEY_CTX_new(key.get(), nullptr)}
    {
        if (!context || EVP_PKEY_verify_init(context.get()) != 1
            || EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1
            || EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) != 1)
            throw std::bad_alloc{};
    }
};

result<rsa_key, std::string> rsa_key::from_pem(std::string_view text)
{
    constexpr std::size_t text_bytes_max = 64 * 1024;
    if (text.size() > text_bytes_max) return std::string{"is longer than any public key"};
    if (text.find("PRIVATE KEY") != std::string_view::npos)
        return std::string{"is a private key, which only Clerk may have: set the instance's public key"};
    auto const body = body_of_pem(text);
    if (!body) {
        return std::string{
            "is not a PEM public key (-----BEGIN PUBLIC KEY-----): copy it from Clerk's dashboard, API keys"};
    }
    auto key = decode_public_key(*body);
    ERR_clear_error();
    if (!key) return std::string{"holds a truncated or corrupted public key: copy it from Clerk's dashboard again"};
    if (EVP_PKEY_is_a(key.get(), "RSA") != 1) return std::string{"is not an RSA key: Clerk's session tokens are RS256"};
    auto const modulus = part_of(key.get(), OSSL_PKEY_PARAM_RSA_N);
    auto const exponent = part_of(key.get(), OSSL_PKEY_PARAM_RSA_E);
    if (!modulus || !exponent) return std::string{"is not a complete RSA key"};
    if (auto const weak = weakness(modulus.get(), exponent.get())) return *weak;
    return rsa_key{std::make_shared<handle>(std::move(key))};
}

result<rsa_key, std::string> rsa_key::from_numbers(std::string_view modulus_bytes, std::string_view exponent_bytes)
{
    constexpr std::size_t bytes_max = 64 * 1024;
    if (modulus_bytes.size() > bytes_max || exponent_bytes.size() > bytes_max)
        return std::string{"has longer numbers than any RSA key"};
    auto const modulus = number_of(modulus_bytes);
    auto const exponent = number_of(exponent_bytes);
    if (!modulus || !exponent) throw std::bad_alloc{};
    if (auto const weak = weakness(modulus.get(), exponent.get())) return *weak;

    parameter_builder const builder{OSSL_PARAM_BLD_new()};
    if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1
        || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1)
        throw std::bad_alloc{};
    parameters const numbers{OSSL_PARAM_BLD_to_param(builder.get())};
    key_context const context{EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr)};
    EVP_PKEY* made = nullptr;
    auto const done = numbers && context && EVP_PKEY_fromdata_init(context.get()) == 1
        && EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, numbers.get()) == 1;
    ERR_clear_error();
    if (!done) return std::string{"is not an RSA key that OpenSSL can use"};
    return rsa_key{std::make_shared<handle>(public_key{made})};
}

bool rsa_key::verifies(std::string_view signed_bytes, std::string_view signature) const
{
    std::array<unsigned char, digest_bytes> digest;
    unsigned written = 0;
    if (EVP_Digest(signed_bytes.data(), signed_bytes.size(), digest.data(), &written, EVP_sha256(), nullptr) != 1)
        return false;
    auto const good = EVP_PKEY_verify(handle_->context.get(), reinterpret_cast<unsigned char const*>(signature.data()),
                          signature.size(), digest.data(), digest.size())
        == 1;
    if (!good)
        ERR_clear_error(); // else the thread's error queue grows with every forged token, and TLS code would read it
    return good;
}

}
