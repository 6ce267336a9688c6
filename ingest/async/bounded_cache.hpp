#pragma once

// A map with a maximum number of entries: a new one evicts the least recently used. Not thread-safe.

#include <cstddef>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace clerk_strapi::ingest
{

template <class Value>
class bounded_cache
{
public:
    explicit bounded_cache(std::size_t entries_max)
        : entries_max_{entries_max}
    {
    }

    // Null when there is no such entry. Valid until the next put() or erase().
    [[nodiscard]] Value* find(std::string_view key)
    {
        auto const found = places_.find(key);
        if (found == places_.end()) return nullptr;
        entries_.splice(entries_.begin(), entries_, found->second);
        return &found->second->second;
    }

    Value& put(std::string_view key, Value value)
    {
        if (auto* const known = find(key)) return *known = std::move(value);
        if (entries_.size() >= entries_max_) {
            places_.erase(std::string_view{entries_.back().first});
            entries_.pop_back();
        }
        entries_.emplace_front(std::string{key}, std::move(value));
        places_.emplace(std::string_view{entries_.front().first},
            entries_.begin()); // a list node never moves, so the view of its text stays valid
        return entries_.front().second;
    }

    void erase(std::string_view key)
    {
        auto const found = places_.find(key);
        if (found == places_.end()) return;
        auto const entry = found->second;
        places_.erase(found);
        entries_.erase(entry);
    }

    void clear()
    {
        places_.clear();
        entries_.clear();
    }

    [[nodiscard]] std::size_t size() const { return entries_.size(); }

private:
    using entry_list = std::list<std::pair<std::string, Value>>; // most recently used first

    std::size_t entries_max_;
    entry_list entries_;
    std::unordered_map<std::string_view, typename entry_list::iterator> places_;
};

}
