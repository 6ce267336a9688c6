#include "common/postgres/pem.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstddef>
#include <memory>
#include <string_view>

namespace clerk_strapi::postgres
{
namespace
{

template <class T, void (*Free)(T*)>
struct destroy
{
    void operator()(T* object) const { Free(object); }
};
using source = std::unique_ptr<BIO, destroy<BIO, BIO_free_all>>;
using certificate = std::unique_ptr<X509, destroy<X509, X509_free>>;
using private_key = std::unique_ptr<EVP_PKEY, destroy<EVP_PKEY, EVP_PKEY_free>>;

constexpr std::string_view begins = "-----BEGIN ";

source open(std::string const& text) { return source{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))}; }

// By default OpenSSL reads a passphrase from the terminal, and a service would wait for it for ever.
int no_passphrase(char*, int, int, void*) { return 0; }

certificate next_certificate(BIO* from)
{
    return certificate{PEM_read_bio_X509(from, nullptr, no_passphrase, nullptr)};
}

private_key read_key(std::string const& text)
{
    private_key key{PEM_read_bio_PrivateKey(open(text).get(), nullptr, no_passphrase, nullptr)};
    ERR_clear_error();
    return key;
}

bool holds(std::string const& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::size_t count(std::string const& text, std::string_view part)
{
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
        ++found;
    return found;
}

std::size_t count_certificates(std::string const& text)
{
    auto const from = open(text);
    std::size_t found = 0;
    while (next_certificate(from.get()))
        ++found;
    ERR_clear_error();
    return found;
}

constexpr auto no_pem =
    "holds no PEM text (-----BEGIN ... -----END): set it to the text itself, or write the file's name into ";

}

std::string with_line_breaks(std::string text)
{
    for (auto const& [written, meant] : {std::pair{"\\r\\n", "\n"}, std::pair{"\\n", "\n"}}) {
        for (auto at = text.find(written); at != std::string::npos; at = text.find(written, at))
            text.replace(at, std::string_view{written}.size(), meant);
    }
    return text;
}

std::optional<std::string> certificates_fault(std::string const& pem)
{
    if (!holds(pem, begins)) return std::string{no_pem} + "the variable with _FILE at its end";
    if (holds(pem, "PRIVATE KEY-----")) return "holds a private key; expected certificates only";
    if (!holds(pem, "-----BEGIN CERTIFICATE-----")) return "holds no certificate; expected -----BEGIN CERTIFICATE-----";
    // An unreadable certificate among several means that the file is being written or is damaged.
    if (count_certificates(pem) != count(pem, begins)) return "holds a certificate that cannot be read: write it again";
    return std::nullopt;
}

std::optional<std::string> private_key_fault(std::string const& pem)
{
    if (!holds(pem, begins)) return std::string{no_pem} + "the variable with _FILE at its end";
    if (!holds(pem, "PRIVATE KEY-----")) return "holds no private key; expected -----BEGIN PRIVATE KEY-----";
    if (holds(pem, "ENCRYPTED"))
        return "holds a key with a passphrase: write it without one (openssl pkey -in OLD -out NEW)";
    if (!read_key(pem)) return "holds a private key that cannot be read: write it again";
    return std::nullopt;
}

bool is_key_of(std::string const& key, std::string const& certificates)
{
    auto const first = next_certificate(open(certificates).get());
    auto const opened = read_key(key);
    auto const same = first && opened && X509_check_private_key(first.get(), opened.get()) == 1;
    ERR_clear_error();
    return same;
}

}
