#include "common/event/trace_context.hpp"

#include "common/event/hex.hpp"

#include <algorithm>

namespace clerk_strapi
{
namespace
{

constexpr std::size_t text_bytes = 55; // 00-<32>-<16>-<2>

bool is_hex(std::string_view text)
{
    return std::all_of(
        text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

void append_number(std::string& out, std::uint64_t number)
{
    for (unsigned shift = 64; shift > 0; shift -= 8)
        append_hex(out, static_cast<unsigned char>(number >> (shift - 8)));
}

}

bool is_traceparent(std::string_view text)
{
    if (text.size() != text_bytes || !text.starts_with("00-") || text[35] != '-' || text[52] != '-') return false;
    auto const trace = text.substr(3, 32);
    auto const span = text.substr(36, 16);
    return is_hex(trace) && is_hex(span) && is_hex(text.substr(53)) && !is_zero(trace) && !is_zero(span);
}

std::string make_traceparent(std::array<std::uint64_t, 3> const& random)
{
    std::string text;
    text.reserve(text_bytes);
    text += "00-";
    append_number(text, random[0]);
    append_number(text, random[1] | 1U); // never all zeros
    text += '-';
    append_number(text, random[2] | 1U);
    text += "-00";
    return text;
}

std::string_view trace_id_of(std::string_view traceparent)
{
    return is_traceparent(traceparent) ? traceparent.substr(3, 32) : std::string_view{};
}

}
