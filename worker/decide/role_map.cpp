#include "worker/decide/role_map.hpp"

#include "common/event/json_reader.hpp"

#include <algorithm>
#include <set>

namespace clerk_strapi::worker
{

namespace
{

constexpr auto example = R"({"from":"role","map":{"staff":"author"},"default":"authenticated",)"
                         R"("allowed":["authenticated","author"]})";

bool contains(std::vector<std::string> const& list, std::string const& text)
{
    return std::find(list.begin(), list.end(), text) != list.end();
}

// The members as written, not checked yet. Keeps the first fault.
struct written_map
{
    std::optional<std::string> from;
    std::optional<std::string> initial;
    std::map<std::string, std::string> types;
    std::vector<std::string> precedence;
    std::vector<std::string> allowed;
    std::string fault;

    void add_fault(std::string what)
    {
        if (fault.empty()) fault = std::move(what);
    }
};

class map_reader
{
public:
    explicit map_reader(std::string_view text)
        : reader_(text)
    {
    }

    written_map read()
    {
        if (reader_.peek() != json_kind::object)
            written_.add_fault(std::string{"must be a JSON object such as "} + example);
        auto const whole = reader_.object([&](std::string_view name) { return read_member(std::string{name}); });
        if (!whole || !reader_.finish()) written_.add_fault(std::string{"is not valid JSON; write it like "} + example);
        return std::move(written_);
    }

private:
    bool read_member(std::string const& name)
    {
        if (name == "from") {
            written_.from = text("from");
        } else if (name == "default") {
            written_.initial = text("default");
        } else if (name == "map") {
            read_types();
        } else if (name == "precedence") {
            written_.precedence = list("precedence");
        } else if (name == "allowed") {
            written_.allowed = list("allowed");
        } else {
            written_.add_fault(
                "has an unknown member '" + name + "'; the members are from, map, precedence, default and allowed");
            reader_.skip();
        }
        return reader_.fault() == json_fault::none;
    }

    std::string text(std::string const& member)
    {
        auto const value = reader_.string();
        auto const usable = value && !value->empty() && value->find('\0') == std::string::npos;
        if (!usable) written_.add_fault("needs a text that is not empty in '" + member + "'");
        return value.value_or("");
    }

    std::vector<std::string> list(std::string const& member)
    {
        std::vector<std::string> texts;
        if (reader_.peek() != json_kind::array) {
            written_.add_fault("needs a list of texts in '" + member + "'");
            reader_.skip();
            return texts;
        }
        reader_.array([&] {
            texts.push_back(text(member));
            return reader_.fault() == json_fault::none;
        });
        return texts;
    }

    void read_types()
    {
        if (reader_.peek() != json_kind::object) {
            written_.add_fault("needs an object in 'map', from a value of public_metadata to a role's type");
            reader_.skip();
            return;
        }
        reader_.object([&](std::string_view name) {
            auto const value = std::string{name};
            written_.types[value] = text("map");
            return reader_.fault() == json_fault::none;
        });
    }

    json_reader reader_;
    written_map written_;
};

void check(written_map& written)
{
    if (!written.from) written.add_fault("needs 'from', the member of public_metadata to read");
    if (written.types.empty()) written.add_fault("needs 'map', from a value of public_metadata to a role's type");
    if (written.allowed.empty()) written.add_fault("needs 'allowed', the list of role types that may be assigned");
    for (auto const& [value, type] : written.types) {
        if (!contains(written.allowed, type))
            written.add_fault("maps '" + value + "' to the role '" + type
                + "', which is not in 'allowed'; add it there, "
                  "or map the value to another role");
    }
    if (written.initial && !contains(written.allowed, *written.initial))
        written.add_fault("has the default '" + *written.initial + "', which is not in 'allowed'; add it there");
    std::set<std::string> named;
    for (auto const& value : written.precedence) {
        if (!written.types.contains(value))
            written.add_fault("lists '" + value + "' in 'precedence', which is not in 'map'");
        if (!named.insert(value).second) written.add_fault("lists '" + value + "' twice in 'precedence'");
    }
}

}

std::optional<std::string> role_map::answer(std::vector<std::string> const& hints) const
{
    for (auto const& value : precedence) {
        if (contains(hints, value)) return types.at(value);
    }
    return initial;
}

std::vector<std::string> role_map::answers() const
{
    std::set<std::string> all;
    for (auto const& [value, type] : types)
        all.insert(type);
    if (initial) all.insert(*initial);
    return {all.begin(), all.end()};
}

result<role_map, role_map_fault> parse_role_map(std::string_view text)
{
    auto written = map_reader{text}.read();
    check(written);
    if (!written.fault.empty()) return role_map_fault{written.fault};
    role_map map{*written.from, written.types, written.precedence, written.initial};
    for (auto const& [value, type] : written.types) { // values that are not listed follow, in alphabetical order
        if (!contains(map.precedence, value)) map.precedence.push_back(value);
    }
    return map;
}

}
