#include "ingest/publish/publication_queue.hpp"

#include <algorithm>
#include <utility>

namespace clerk_strapi::ingest
{

publication_queue::tag publication_queue::add(time_point deadline)
{
    if (free_ == none) {
        slots_.emplace_back();
        free_ = static_cast<std::uint32_t>(slots_.size() - 1);
    }
    auto const index = free_;
    auto& added = slots_[index];
    free_ = added.next;
    added.used = true;
    added.deadline = deadline;
    added.previous = last_;
    added.next = none;
    (last_ == none ? first_ : slots_[last_].next) = index;
    last_ = index;
    ++size_;
    return (std::uint64_t{added.generation} << 32U) | index;
}

void publication_queue::wait(tag which, std::unique_ptr<publication_waiter> waiter)
{
    slots_[static_cast<std::uint32_t>(which)].waiter = std::move(waiter);
}

std::unique_ptr<publication_waiter> publication_queue::take(tag which)
{
    auto const index = static_cast<std::uint32_t>(which);
    if (index >= slots_.size() || !slots_[index].used || slots_[index].generation != which >> 32U) return nullptr;
    auto waiter = std::move(slots_[index].waiter);
    unlink(index);
    return waiter;
}

std::unique_ptr<publication_waiter> publication_queue::take_expired(time_point now)
{
    if (first_ == none || slots_[first_].deadline > now) return nullptr;
    auto waiter = std::move(slots_[first_].waiter);
    unlink(first_);
    return waiter;
}

std::optional<publication_queue::time_point> publication_queue::next_deadline() const
{
    if (first_ == none) return std::nullopt;
    return slots_[first_].deadline;
}

void publication_queue::cut(time_point latest)
{
    for (auto index = first_; index != none; index = slots_[index].next) {
        slots_[index].deadline = std::min(slots_[index].deadline, latest);
    }
}

void publication_queue::unlink(std::uint32_t index)
{
    auto& freed = slots_[index];
    (freed.previous == none ? first_ : slots_[freed.previous].next) = freed.next;
    (freed.next == none ? last_ : slots_[freed.next].previous) = freed.previous;
    freed.used = false;
    ++freed.generation;
    freed.next = free_;
    free_ = index;
    --size_;
}

}
