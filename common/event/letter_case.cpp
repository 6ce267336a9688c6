#include "common/event/letter_case.hpp"

#include "common/event/utf8.hpp"

#include <algorithm>
#include <cwctype>
#include <vector>

#include <locale.h>

namespace clerk_strapi
{

namespace
{

constexpr wchar_t dotted_capital_i = 0x130;
constexpr wchar_t combining_dot = 0x307;
constexpr wchar_t capital_sigma = 0x3A3;
constexpr wchar_t small_sigma = 0x3C3;
constexpr wchar_t final_sigma = 0x3C2;

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

char lower_ascii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The C library's Unicode tables, from its built-in locale C.UTF-8. The locale of the process is not changed.
locale_t unicode_tables()
{
    static auto const tables = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return tables;
}

std::vector<wchar_t> code_points(std::string_view text)
{
    std::vector<wchar_t> points;
    for (auto const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            points.push_back(byte);
        } else if (byte < 0xC0 && !points.empty()) {
            points.back() = static_cast<wchar_t>(points.back() << 6 | (byte & 0x3F));
        } else {
            points.push_back(byte < 0xE0 ? byte & 0x1F : byte < 0xF0 ? byte & 0x0F : byte & 0x07);
        }
    }
    return points;
}

// Whether the letter is the last one of a word with several letters. Characters that may be within a word are skipped.
bool ends_word(std::vector<wchar_t> const& points, std::size_t at)
{
    constexpr std::wstring_view within_words = L".:'^`\u00b7\u2018\u2019";
    auto const counts = [&](wchar_t point) { return within_words.find(point) == within_words.npos; };
    auto const is_letter = [](wchar_t point) {
        return ::iswalpha_l(static_cast<wint_t>(point), unicode_tables()) != 0;
    };
    auto const here = points.begin() + static_cast<std::ptrdiff_t>(at);
    auto const before = std::find_if(std::make_reverse_iterator(here), points.rend(), counts);
    auto const after = std::find_if(here + 1, points.end(), counts);
    return before != points.rend() && is_letter(*before) && (after == points.end() || !is_letter(*after));
}

}

std::string lower_cased(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    auto const* const tables = std::all_of(text.begin(), text.end(), is_ascii) ? nullptr : unicode_tables();
    if (tables == nullptr) {
        std::transform(text.begin(), text.end(), std::back_inserter(out), lower_ascii);
        return out;
    }
    auto const points = code_points(text);
    for (std::size_t i = 0; i < points.size(); ++i) {
        if (points[i] == dotted_capital_i) {
            append_utf8(out, 'i');
            append_utf8(out, combining_dot);
        } else if (points[i] == capital_sigma) {
            append_utf8(out, ends_word(points, i) ? final_sigma : small_sigma);
        } else {
            append_utf8(out, ::towlower_l(static_cast<wint_t>(points[i]), unicode_tables()));
        }
    }
    return out;
}

}
