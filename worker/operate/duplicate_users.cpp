#include "worker/operate/duplicate_users.hpp"

namespace clerk_strapi::worker
{

std::optional<std::int64_t> row_to_keep(duplicate_user const& user)
{
    duplicate_row const* lowest = nullptr;
    duplicate_row const* with_content = nullptr;
    for (auto const& row : user.rows) {
        if (lowest == nullptr || row.id < lowest->id) lowest = &row;
        if (row.content.empty()) continue;
        if (with_content != nullptr) return std::nullopt;
        with_content = &row;
    }
    auto const* const kept = with_content != nullptr ? with_content : lowest;
    if (kept == nullptr) return std::nullopt;
    return kept->id;
}

}
