#pragma once

// One of a bounded number of places: whoever holds a seat is counted, also when his coroutine is destroyed half-way.

#include <cstddef>

namespace clerk_strapi::ingest
{

class seat
{
public:
    explicit seat(std::size_t& taken)
        : taken_{taken}
    {
        ++taken_;
    }
    ~seat() { --taken_; }
    seat(seat const&) = delete;
    seat& operator=(seat const&) = delete;

private:
    std::size_t& taken_;
};

}
