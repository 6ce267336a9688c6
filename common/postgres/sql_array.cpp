#include "common/postgres/sql_array.hpp"

namespace clerk_strapi::postgres
{

void sql_array::separate()
{
    if (text_.size() > 1) text_ += ',';
}

void sql_array::add(std::string_view text)
{
    separate();
    text_ += '"';
    for (auto const c : text) {
        if (c == '"' || c == '\\') text_ += '\\';
        text_ += c;
    }
    text_ += '"';
}

void sql_array::add(std::int64_t number)
{
    separate();
    text_ += std::to_string(number);
}

void sql_array::add(bool flag)
{
    separate();
    text_ += flag ? 't' : 'f';
}

void sql_array::add_null()
{
    separate();
    text_ += "NULL";
}

}
