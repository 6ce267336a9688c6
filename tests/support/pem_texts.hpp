#pragma once

// PEM texts made while a test runs, so that no key is in the repository and no certificate expires.

#include <string>

namespace clerk_strapi::tests
{

struct pem_pair
{
    std::string certificate; // signed by its own key
    std::string key;
    std::string encrypted_key; // the same key with a passphrase
};

[[nodiscard]] pem_pair make_pem_pair();

}
