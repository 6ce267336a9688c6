#pragma once

// Checks the PEM texts of the configuration. A message never quotes the text, which may be a private key (I6).

#include <optional>
#include <string>

namespace clerk_strapi::postgres
{

// Writes a literal \n as a line break: a file of environment variables has one line per value.
[[nodiscard]] std::string with_line_breaks(std::string text);

// What is wrong with the text, as the rest of a sentence that begins with the variable's name. Nothing: the text is one
// or more certificates, or one private key.
[[nodiscard]] std::optional<std::string> certificates_fault(std::string const& pem);
[[nodiscard]] std::optional<std::string> private_key_fault(std::string const& pem);

// Whether the key belongs to the first certificate. Both texts must have passed the checks above.
[[nodiscard]] bool is_key_of(std::string const& key, std::string const& certificates);

}
