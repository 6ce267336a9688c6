#pragma once

// The publications that wait for a delivery report, with their deadlines. All waits are equally long, so the oldest
// always expires next: a list in order of arrival needs one timer. A tag is never used twice, so a report after the
// deadline matches no publication. Pure; one thread.

#include "ingest/async/reply.hpp"
#include "ingest/ports.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace clerk_strapi::ingest
{

using publication_waiter = reply<publish_outcome>;

class publication_queue
{
public:
    using tag = std::uint64_t;
    using time_point = std::chrono::steady_clock::time_point;

    // Deadlines must not go down from one call to the next.
    [[nodiscard]] tag add(time_point deadline);
    void wait(tag which, std::unique_ptr<publication_waiter> waiter);
    // Null when it was already taken (a late report), or when wait() was not called yet.
    [[nodiscard]] std::unique_ptr<publication_waiter> take(tag which);
    // The oldest waiter whose deadline has passed; null when there is none.
    [[nodiscard]] std::unique_ptr<publication_waiter> take_expired(time_point now);

    [[nodiscard]] std::optional<time_point> next_deadline() const;
    // For a stop: shortens every deadline to `latest`.
    void cut(time_point latest);
    [[nodiscard]] std::size_t size() const { return size_; }

private:
    static constexpr std::uint32_t none = 0xffffffff;
    struct slot
    {
        std::uint32_t generation{0};
        std::uint32_t previous{none};
        std::uint32_t next{none}; // of the list, or of the free ones
        bool used{false};
        time_point deadline{};
        std::unique_ptr<publication_waiter> waiter;
    };
    void unlink(std::uint32_t index);

    std::vector<slot> slots_;
    std::uint32_t first_{none};
    std::uint32_t last_{none};
    std::uint32_t free_{none};
    std::size_t size_{0};
};

}
