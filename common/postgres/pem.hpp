#pragma once

// PEM texts from the configuration: is each what its variable needs? A message never quotes the text, which may hold a
// private key (I6).

#include <optional>
#include <string>

namespace clerk_strapi::postgres
{

// Writes a literal \n as a line break: a file of environment variables has one line per value.
[[nodiscard]] std::string with_line_breaks(std::string text);

// What is wrong with the text, to follow the variable's name. Nothing: one or more certificates, or one private key.
[[nodiscard]] std::optional<std::string> certificates_fault(std::string const& pem);
[[nodiscard]] std::optional<std::string> private_key_fault(std::string const& pem);

// Is the key that of the first certificate? Both texts passed the checks above.
[[nodiscard]] bool is_key_of(std::string const& key, std::string const& certificates);

}
