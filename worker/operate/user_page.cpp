#include "worker/operate/user_page.hpp"

#include "common/event/envelope.hpp"

namespace clerk_strapi::worker
{
namespace
{

template <class T, class Read>
std::optional<T> member(std::string_view body, std::string_view wanted, Read read)
{
    std::optional<T> found;
    json_reader reader{body};
    if (reader.peek() != json_kind::object) return std::nullopt;
    auto const walked = reader.object([&](std::string_view name) {
        if (name != wanted) return reader.skip();
        found = read(reader);
        return reader.fault() == json_fault::none;
    });
    if (!walked || !reader.finish()) return std::nullopt;
    return found;
}

}

std::optional<listed_user> read_listed_user(std::string_view raw)
{
    listed_user user{raw, {}, 0};
    json_reader reader{raw};
    if (reader.peek() != json_kind::object) return std::nullopt;
    auto const walked = reader.object([&](std::string_view name) {
        if (name == "id") {
            user.clerk_id = reader.string().value_or("");
        } else if (name == "updated_at") {
            user.updated_at_ms = to_milliseconds(reader.integer().value_or(0));
        } else {
            return reader.skip();
        }
        return reader.fault() == json_fault::none;
    });
    if (!walked || !reader.finish() || !is_user_id(user.clerk_id)) return std::nullopt;
    return user;
}

result<user_page, json_fault> split_page(std::string_view body)
{
    user_page page;
    json_reader reader{body};
    if (reader.peek() != json_kind::array) return json_fault::syntax;
    auto const walked = reader.array([&] {
        auto const raw = reader.raw();
        if (!raw) return false;
        auto user = read_listed_user(*raw);
        user ? page.users.push_back(std::move(*user)) : static_cast<void>(++page.unusable);
        return true;
    });
    if (!walked || !reader.finish()) return reader.fault();
    return page;
}

std::optional<std::string> text_member(std::string_view body, std::string_view name)
{
    return member<std::string>(body, name, [](json_reader& reader) { return reader.string(); });
}

std::optional<std::int64_t> integer_member(std::string_view body, std::string_view name)
{
    return member<std::int64_t>(body, name, [](json_reader& reader) { return reader.integer(); });
}

}
