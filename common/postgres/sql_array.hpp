#pragma once

// PostgreSQL array literals ('{"a","b",NULL}') for set-based statements: one parameter per column, one element per row.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi::postgres
{

class sql_array
{
public:
    void add(std::string_view text); // quoted and escaped; must hold no U+0000
    void add(std::int64_t number);
    void add(bool flag);
    void add_null();
    template <class T>
    void add(std::optional<T> const& value)
    {
        value ? add(*value) : add_null();
    }
    // Without this overload, a literal would convert to bool.
    void add(char const* text) { add(std::string_view{text}); }

    [[nodiscard]] std::string str() const { return text_ + "}"; }

private:
    void separate();

    std::string text_{"{"};
};

}
