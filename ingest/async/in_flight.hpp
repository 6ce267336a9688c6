#pragma once

// Counts requests in progress: one object per request. Its destructor also runs when the coroutine is destroyed early.

#include <cstddef>

namespace clerk_strapi::ingest
{

class in_flight
{
public:
    explicit in_flight(std::size_t& count)
        : count_{count}
    {
        ++count_;
    }
    ~in_flight() { --count_; }
    in_flight(in_flight const&) = delete;
    in_flight& operator=(in_flight const&) = delete;

private:
    std::size_t& count_;
};

}
