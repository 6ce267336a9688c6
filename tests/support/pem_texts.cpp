#include "tests/support/pem_texts.hpp"

#include <memory>
#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace clerk_strapi::tests
{
namespace
{

template <class Write>
std::string written(Write write)
{
    std::unique_ptr<BIO, decltype(&BIO_free_all)> const out{BIO_new(BIO_s_mem()), BIO_free_all};
    if (write(out.get()) != 1) throw std::runtime_error{"cannot write PEM"};
    char* text = nullptr;
    auto const size = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

}

pem_pair make_pem_pair()
{
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> const key{EVP_EC_gen("P-256"), EVP_PKEY_free};
    std::unique_ptr<X509, decltype(&X509_free)> const certificate{X509_new(), X509_free};
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    if (X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0) throw std::runtime_error{"cannot sign"};
    std::string passphrase = "passphrase";
    return {written([&](BIO* out) { return PEM_write_bio_X509(out, certificate.get()); }), written([&](BIO* out) {
                return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
            }),
        written([&](BIO* out) {
            return PEM_write_bio_PrivateKey(out, key.get(), EVP_aes_128_cbc(), nullptr, 0, nullptr, passphrase.data());
        })};
}

}
