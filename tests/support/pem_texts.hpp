#pragma once

// PEM texts that are created when a test runs, so that no key is in the repository and no certificate expires.

#include <string>

namespace clerk_strapi::tests
{

struct pem_pair
{
    std::string certificate; // self-signed
    std::string key;
    std::string encrypted_key; // the same key with a passphrase
};

[[nodiscard]] pem_pair make_pem_pair();

}
