#include "worker/operate/given_time.hpp"

#include <charconv>
#include <chrono>

namespace clerk_strapi::worker
{

namespace
{

// Takes digits off the front: exactly `width` digits, or all of them when `width` is 0.
std::optional<std::int64_t> take_number(std::string_view& text, std::size_t width)
{
    std::size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9')
        ++digits;
    if (digits == 0 || digits > 15 || (width != 0 && digits < width)) return std::nullopt;
    if (width != 0) digits = width;
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + digits, number);
    text.remove_prefix(digits);
    return number;
}

bool take(std::string_view& text, std::string_view allowed)
{
    if (text.empty() || allowed.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<std::int64_t> parse_ago(std::string_view text, std::int64_t now_ms)
{
    auto const count = take_number(text, 0);
    if (!count || text.size() != 1 || *count > 1'000'000) return std::nullopt;
    switch (text.front()) {
    case 's': return now_ms - *count * 1'000;
    case 'm': return now_ms - *count * 60'000;
    case 'h': return now_ms - *count * 3'600'000;
    case 'd': return now_ms - *count * 86'400'000;
    case 'w': return now_ms - *count * 604'800'000;
    default: return std::nullopt;
    }
}

std::optional<std::int64_t> take_day(std::string_view& text)
{
    auto const year = take_number(text, 4);
    if (!year || !take(text, "-")) return std::nullopt;
    auto const month = take_number(text, 2);
    if (!month || !take(text, "-")) return std::nullopt;
    auto const day = take_number(text, 2);
    if (!day) return std::nullopt;
    std::chrono::year_month_day const date{std::chrono::year{static_cast<int>(*year)},
        std::chrono::month{static_cast<unsigned>(*month)}, std::chrono::day{static_cast<unsigned>(*day)}};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days{date}.time_since_epoch().count() * std::int64_t{86'400'000};
}

std::optional<std::int64_t> take_clock(std::string_view& text)
{
    auto const hour = take_number(text, 2);
    if (!hour || !take(text, ":")) return std::nullopt;
    auto const minute = take_number(text, 2);
    if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
    return (*hour * 60 + *minute) * 60'000;
}

std::optional<std::int64_t> take_seconds(std::string_view& text)
{
    if (!take(text, ":")) return std::nullopt;
    auto const seconds = take_number(text, 2);
    if (!seconds || *seconds > 60) return std::nullopt;
    auto milliseconds = *seconds * 1'000;
    if (!take(text, ".")) return milliseconds;
    auto worth = 100;
    auto digits = 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), worth /= 10, ++digits)
        milliseconds += worth * (text.front() - '0');
    if (digits == 0) return std::nullopt;
    return milliseconds;
}

// The zone's difference from UTC.
std::optional<std::int64_t> take_zone(std::string_view& text)
{
    if (take(text, "Zz")) return 0;
    auto const east = !text.empty() && text.front() == '+';
    if (!take(text, "+-")) return std::nullopt;
    auto const difference = take_clock(text);
    if (!difference) return std::nullopt;
    return east ? *difference : -*difference;
}

}

std::optional<std::int64_t> parse_given_time(std::string_view text, std::int64_t now_ms)
{
    if (auto const ago = parse_ago(text, now_ms)) return ago;
    auto const day = take_day(text);
    if (!day || text.empty()) return day;
    if (!take(text, "Tt ")) return std::nullopt;
    auto const clock = take_clock(text);
    if (!clock) return std::nullopt;
    auto const seconds = take_seconds(text);
    if (!seconds) return std::nullopt;
    auto const zone = take_zone(text);
    if (!zone || !text.empty()) return std::nullopt;
    return *day + *clock + *seconds - *zone;
}

}
