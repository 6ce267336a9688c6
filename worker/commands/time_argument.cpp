#include "worker/commands/time_argument.hpp"

#include "common/runtime/config_text.hpp"

#include <chrono>

namespace clerk_strapi::worker::commands
{
namespace
{

using namespace std::chrono;

constexpr std::int64_t number_max = 1'000'000;

std::optional<std::int64_t> digits(std::string_view text, std::size_t at, std::size_t count)
{
    if (text.size() < at + count) return std::nullopt;
    auto const part = text.substr(at, count);
    if (part.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    return config_text::parse_integer(part);
}

std::optional<milliseconds> ago(std::string_view text)
{
    auto const number = digits(text, 0, text.size() - 1);
    if (!number || *number > number_max) return std::nullopt;
    switch (text.back()) {
    case 's': return seconds{*number};
    case 'm': return minutes{*number};
    case 'h': return hours{*number};
    case 'd': return days{*number};
    default: return std::nullopt;
    }
}

std::optional<sys_days> date(std::string_view text)
{
    auto const y = digits(text, 0, 4);
    auto const m = digits(text, 5, 2);
    auto const d = digits(text, 8, 2);
    if (!y || !m || !d || text[4] != '-' || text[7] != '-') return std::nullopt;
    year_month_day const day{
        year{static_cast<int>(*y)}, month{static_cast<unsigned>(*m)}, std::chrono::day{static_cast<unsigned>(*d)}};
    return day.ok() ? std::optional{sys_days{day}} : std::nullopt;
}

// T04:05:06Z, UTC only: an offset that is overlooked would be hours.
std::optional<seconds> clock_time(std::string_view text)
{
    auto const h = digits(text, 1, 2);
    auto const m = digits(text, 4, 2);
    auto const s = digits(text, 7, 2);
    if (!h || !m || !s || text.size() < 10 || text[0] != 'T' || text[3] != ':' || text[6] != ':' || text.back() != 'Z')
        return std::nullopt;
    auto const fraction = text.substr(9, text.size() - 10);
    auto const is_fraction =
        fraction.size() > 1 && fraction[0] == '.' && fraction.find_first_not_of("0123456789", 1) == fraction.npos;
    if ((!fraction.empty() && !is_fraction) || *h > 23 || *m > 59 || *s > 60) return std::nullopt;
    return hours{*h} + minutes{*m} + seconds{*s};
}

}

std::optional<std::int64_t> parse_time_argument(std::string_view text, std::int64_t now_ms)
{
    if (text.size() < 2) return std::nullopt;
    if (auto const past = ago(text)) return now_ms - past->count();
    auto const day = date(text);
    if (!day) return std::nullopt;
    auto const time = text.size() == 10 ? std::optional{seconds{0}} : clock_time(text.substr(10));
    if (!time) return std::nullopt;
    return duration_cast<milliseconds>(day->time_since_epoch() + *time).count();
}

}
