// Covers I5, I6 and B17: CLERK_JWT_KEY is accepted only as one complete public key, however its newlines are written,
// and never as a private one.

#include "ingest/token/rsa_key.hpp"
#include "tests/fuzz/target.hpp"

namespace clerk_strapi::fuzz
{
namespace
{

std::string with_written_newlines(std::string_view text)
{
    std::string out;
    for (auto const c : text)
        c == '\n' ? out += "\\n" : out += c;
    return out;
}

void check_jwt_key(std::string_view input)
{
    auto const key = ingest::rsa_key::from_pem(input);
    auto const again = ingest::rsa_key::from_pem(with_written_newlines(input));
    auto const text_after = input.size() > 32 * 1024; // then the other form may exceed the limit
    promise(text_after || key.has_value() == again.has_value(), "newlines may be written as \\n");
    if (!key) return promise(key.error().size() < 200, "a fault is a sentence, without the key (I6)");
    promise(input.find("PRIVATE KEY") == std::string_view::npos, "a private key is refused");
    promise(input.find("-----BEGIN PUBLIC KEY-----") != std::string_view::npos, "a public key has its frame");
    promise(!key->verifies("this was not signed", std::string(256, '\1')), "no key verifies an unsigned text");
}

[[maybe_unused]] bool const listed = list("jwt_key", check_jwt_key);

}
}
