#pragma once

// How long to wait before the next attempt: doubles up to a bound, with jitter, so that many instances do not retry at
// the same moment after an outage. Pure: the random number is an argument.

#include <algorithm>
#include <chrono>

namespace clerk_strapi
{

class backoff
{
public:
    backoff(std::chrono::milliseconds first, std::chrono::milliseconds longest)
        : first_(first)
        , longest_(longest)
        , next_(first)
    {
    }

    // `chance` in [0, 1). The wait is between half of the current step and the whole step.
    [[nodiscard]] std::chrono::milliseconds next(double chance)
    {
        auto const step = next_;
        next_ = std::min(next_ * 2, longest_);
        return std::chrono::milliseconds{static_cast<long>(static_cast<double>(step.count()) * (0.5 + chance / 2))};
    }

    void reset() { next_ = first_; }

private:
    std::chrono::milliseconds first_;
    std::chrono::milliseconds longest_;
    std::chrono::milliseconds next_;
};

}
