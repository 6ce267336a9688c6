#include "tests/fuzz/target.hpp"

#include <algorithm>

namespace clerk_strapi::fuzz
{

std::vector<target>& targets()
{
    static std::vector<target> all;
    return all;
}

bool list(std::string_view name, input_check check_input)
{
    targets().push_back({name, check_input});
    return true;
}

std::string_view take_until(std::string_view& rest, std::string_view separator)
{
    auto const end = std::min(rest.find(separator), rest.size());
    auto const taken = rest.substr(0, end);
    rest.remove_prefix(std::min(end + separator.size(), rest.size()));
    return taken;
}

std::string lower_case(std::string_view text)
{
    std::string out{text};
    std::transform(out.begin(), out.end(), out.begin(),
        [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

std::string_view without_blanks(std::string_view text)
{
    auto const first = text.find_first_not_of(" \t");
    return first == std::string_view::npos ? std::string_view{}
                                           : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}
