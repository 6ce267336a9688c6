#pragma once

// How long to wait before the next try: doubles up to a bound, with jitter, so that a fleet does not come back all at
// once when what it waited for does. Pure: chance is an argument.

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

    // `chance` in [0, 1): the wait is between half and the whole of the current step.
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
