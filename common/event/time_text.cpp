#include "common/event/time_text.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace clerk_strapi
{
namespace
{

void put(std::string& text, std::size_t at, std::size_t digits, std::int64_t number)
{
    for (auto i = digits; i-- > 0; number /= 10)
        text[at + i] = static_cast<char>('0' + number % 10);
}

}

std::string rfc3339(std::chrono::sys_time<std::chrono::milliseconds> time)
{
    using namespace std::chrono;
    // The year has four digits. A time outside this range must not write past the text.
    constexpr sys_days first{year{0} / January / 1};
    constexpr sys_days last{year{9999} / December / 31};
    auto const day = std::clamp(floor<days>(time), sys_days{first}, sys_days{last});
    auto const clock = hh_mm_ss{time - floor<days>(time)};
    year_month_day const date{day};

    std::string text = "0000-00-00T00:00:00.000Z";
    put(text, 0, 4, static_cast<int>(date.year()));
    put(text, 5, 2, static_cast<unsigned>(date.month()));
    put(text, 8, 2, static_cast<unsigned>(date.day()));
    put(text, 11, 2, clock.hours().count());
    put(text, 14, 2, clock.minutes().count());
    put(text, 17, 2, clock.seconds().count());
    put(text, 20, 3, clock.subseconds().count());
    return text;
}

}
