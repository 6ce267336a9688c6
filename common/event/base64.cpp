#include "common/event/base64.hpp"

#include <array>
#include <cstdint>

namespace clerk_strapi
{
namespace
{

using digit_table = std::array<std::uint8_t, 256>;

constexpr std::uint8_t no_digit = 0xff;

constexpr digit_table digits_of(std::string_view last_two)
{
    constexpr std::string_view common = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    digit_table table{};
    table.fill(no_digit);
    std::uint8_t value = 0;
    for (auto const part : {common, last_two})
        for (char const c : part)
            table[static_cast<unsigned char>(c)] = value++;
    return table;
}

constexpr auto standard_digits = digits_of("+/");
constexpr auto url_digits = digits_of("-_");

std::optional<std::string> decode(std::string_view text, digit_table const& digit_of, spare_bits allowed)
{
    std::string bytes(text.size() / 4 * 3 + text.size() % 4 * 3 / 4, '\0');
    std::size_t written = 0;
    unsigned wrong = 0; // some bit above the sixth once any character was none of the alphabet
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
    if (wrong > 0x3fU || bits >= 6) return std::nullopt; // bits >= 6: the last character begins a byte and ends none
    if (allowed == spare_bits::zero && spare != 0) return std::nullopt;
    return bytes;
}

}

std::optional<std::string> decode_base64(std::string_view text, spare_bits spare)
{
    return decode(text, standard_digits, spare);
}

std::optional<std::string> decode_base64url(std::string_view text)
{
    return decode(text, url_digits, spare_bits::zero);
}

}
