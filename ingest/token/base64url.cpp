#include "ingest/token/base64url.hpp"

#include <array>
#include <cstdint>

namespace clerk_strapi::ingest
{
namespace
{

constexpr std::uint8_t no_digit = 0xff;

constexpr auto digit_of = [] {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::array<std::uint8_t, 256> table{};
    table.fill(no_digit);
    for (std::size_t value = 0; value < alphabet.size(); ++value)
        table[static_cast<unsigned char>(alphabet[value])] = static_cast<std::uint8_t>(value);
    return table;
}();

}

std::optional<std::string> decode_base64url(std::string_view text)
{
    std::string bytes(text.size() / 4 * 3 + text.size() % 4 * 3 / 4, '\0');
    std::size_t written = 0;
    unsigned wrong = 0; // has a bit above the sixth if any character is not in the alphabet
    std::uint32_t held = 0;
    unsigned bits = 0;
    for (char const c : text) {
        auto const digit = digit_of[static_cast<unsigned char>(c)];
        wrong |= digit;
        held = held << 6U | (digit & 0x3fU);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes[written++] = static_cast<char>(held >> bits & 0xffU);
    }
    auto const spare = held & ((1U << bits) - 1U);
    if (wrong > 0x3fU || bits >= 6 || spare != 0) return std::nullopt;
    return bytes;
}

}
