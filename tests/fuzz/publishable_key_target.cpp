// Covers I5 and I6: a publishable key names exactly one host, the one whose base64 it is, and so one issuer.

#include "ingest/token/publishable_key.hpp"
#include "tests/fuzz/target.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace clerk_strapi::fuzz
{
namespace
{

std::string plain_base64(std::string const& bytes)
{
    std::string text(bytes.size() * 2 + 8, '\0');
    auto const size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
        reinterpret_cast<unsigned char const*>(bytes.data()), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    return text;
}

std::string plain_decoded(std::string text)
{
    while (text.size() % 4 != 0)
        text += '=';
    std::string bytes(text.size(), '\0');
    auto const size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
        reinterpret_cast<unsigned char const*>(text.data()), static_cast<int>(text.size()));
    promise(size >= 0, "base64 of the standard alphabet");
    bytes.resize(static_cast<std::size_t>(size));
    while (!bytes.empty() && bytes.back() == '\0') // what padding decodes to
        bytes.pop_back();
    return bytes;
}

void check_publishable_key(std::string_view input)
{
    auto const key = ingest::parse_publishable_key(input);
    if (!key) return promise(key.error().size() < 200, "a fault is a sentence, without the key");
    promise(input.starts_with(key->live ? "pk_live_" : "pk_test_"), "live or test, as it begins");
    auto const& host = key->frontend_api;
    promise(host.size() >= 3 && host.size() <= 253, "a host of bounded length");
    promise(host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") == std::string::npos, "in lower case");
    promise(host.find("..") == std::string::npos && host.find('.') != std::string::npos, "with a dot between names");
    promise(key->issuer() == "https://" + host, "the issuer is the host");
    auto const written = std::string{input.substr(8)};
    auto const decoded = plain_decoded(written);
    promise(lower_case(decoded) == host + "$", "the host is the one in the key");
    auto canonical = plain_base64(decoded);
    auto const unpadded = canonical.substr(0, canonical.find('='));
    promise(written == canonical || written == unpadded, "one host has one text, padded or not");
    promise(key->cookie_suffix.size() == 8, "a suffix of eight characters");
    promise(key->cookie_suffix.find_first_of("+/= ;,\"") == std::string::npos, "that may be in a cookie's name");
}

[[maybe_unused]] bool const listed = list("publishable_key", check_publishable_key);

}
}
