#include "common/config/config_source.hpp"

#include "common/config/file_watch.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <unistd.h>

namespace clerk_strapi
{
namespace
{

constexpr std::string_view file_suffix = "_FILE";
constexpr std::string_view kafka_prefix = "KAFKA_";
// Prefixes that other software does not use in practice. Strapi's own DATABASE_ and STRAPI_ variables can be in the
// same environment, so such a name is reported only when it is similar to one of ours.
constexpr std::string_view our_prefixes[] = {"INGEST_", "ADMIN_LISTEN", "CLERK_", "TOPIC_", "PROFILE_STATUS",
    "PUBLISH_TIMEOUT", "VERIFY_", "GATEWAY_", "BATCH_"};

// Variables of the Strapi plugin, which may be in the same Kubernetes Secret.
constexpr std::string_view plugin_variables[] = {"CLERK_INGEST_URL"};

bool is_of_plugin(std::string_view name)
{
    return std::find(std::begin(plugin_variables), std::end(plugin_variables), name) != std::end(plugin_variables);
}

std::string with_file(std::string_view name) { return std::string{name} + std::string{file_suffix}; }

// In the order in which they are read.
std::vector<std::string_view> names_of(variable const& row)
{
    std::vector<std::string_view> names{row.name, row.also, row.former};
    std::erase_if(names, [](auto name) { return name.empty(); });
    return names;
}

bool is_known(std::string_view name)
{
    auto const rows = all_variables();
    return std::any_of(rows.begin(), rows.end(), [&](variable const& row) {
        auto const names = names_of(row);
        return std::any_of(
            names.begin(), names.end(), [&](auto each) { return name == each || name == with_file(each); });
    });
}

bool looks_like_ours(std::string_view name)
{
    if (std::any_of(
            std::begin(our_prefixes), std::end(our_prefixes), [&](auto prefix) { return name.starts_with(prefix); })) {
        return true;
    }
    auto const rows = all_variables();
    return name.size() > 6 && std::any_of(rows.begin(), rows.end(), [&](variable const& row) {
        return config_text::is_near(name, row.name);
    });
}

}

environment process_environment()
{
    environment values;
    for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
        std::string_view const text{*entry};
        auto const equals = text.find('=');
        if (equals == std::string_view::npos) continue;
        values.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return values;
}

config_source::config_source(program reader, environment values)
    : variables_{variables_of(reader)}
    , values_{std::move(values)}
{
    std::erase_if(values_, [](auto const& entry) {
        return entry.second.empty() || config_text::is_service_link(entry.first, entry.second);
    });
}

void config_source::add_flags(CLI::App& app)
{
    for (auto const& row : variables_) {
        auto sentence = std::string{row.sentence} + " [" + std::string{row.name}
            + (row.initial.empty() ? "" : " = " + std::string{row.initial}) + "]";
        app.add_option_function<std::string>(
               config_text::flag_of(row.name),
               [this, name = row.name](std::string const& value) { override_value(name, value); }, std::move(sentence))
            ->type_name("")
            ->group("Configuration (each may also be set in the environment; NAME_FILE reads it from a file)");
        if (row.former.empty()) continue;
        app.add_option_function<std::string>(config_text::flag_of(row.former),
               [this, name = row.former](std::string const& value) { override_value(name, value); })
            ->group(""); // not in --help
    }
    app.add_option_function<std::vector<std::string>>(
           "--kafka-property",
           [this](std::vector<std::string> const& pairs) {
               for (auto const& pair : pairs) {
                   auto const equals = std::min(pair.find('='), pair.size());
                   if (equals == pair.size())
                       faults_.push_back("--kafka-property: needs key=value, but is \"" + pair + "\"");
                   else
                       override_value(config_text::kafka_variable_of(pair.substr(0, equals)), pair.substr(equals + 1));
               }
           },
           "Property for librdkafka, key=value [KAFKA_KEY = value]")
        ->type_name("")
        ->group("Configuration (each may also be set in the environment; NAME_FILE reads it from a file)");
}

void config_source::override_value(std::string_view name, std::string value)
{
    if (auto const file = values_.find(with_file(name)); file != values_.end()) values_.erase(file);
    values_.insert_or_assign(std::string{name}, std::move(value));
}

variable const& config_source::described(std::string_view name) const
{
    auto const found =
        std::find_if(variables_.begin(), variables_.end(), [&](variable const& row) { return row.name == name; });
    if (found == variables_.end()) throw std::logic_error{"not in the table of variables: " + std::string{name}};
    return *found;
}

std::string const* config_source::set_value(std::string_view name) const
{
    auto const found = values_.find(name);
    return found == values_.end() || found->second.empty() ? nullptr : &found->second;
}

std::optional<std::string> config_source::from_file(std::string_view name)
{
    auto const* path = set_value(with_file(name));
    if (path == nullptr) return std::nullopt;
    auto content = read_value_file(*path);
    if (!content) {
        fault(with_file(name), "cannot read \"" + *path + "\": name a readable file of at most 1 MiB");
        return std::nullopt;
    }
    if (content->empty()) return std::nullopt;
    return content;
}

// The environment or the flag, else the file. Both at once are a fault, because it would be unclear which one counts.
std::optional<std::string> config_source::lookup(std::string_view name)
{
    auto const* direct = set_value(name);
    if (direct != nullptr && set_value(with_file(name)) != nullptr) {
        fault(name, "is set, and so is " + with_file(name) + ": keep one of them");
    }
    if (direct != nullptr) return *direct;
    return from_file(name);
}

std::optional<std::string> config_source::value_of(std::string_view name)
{
    auto const& row = described(name);
    auto value = lookup(name);
    if (!value && !row.also.empty()) value = lookup(row.also);
    return or_former(row, std::move(value));
}

std::optional<std::string> config_source::or_former(variable const& row, std::optional<std::string> value)
{
    if (row.former.empty() || !is_present(row.former)) return value;
    auto former = lookup(row.former);
    if (value && former && *value != *former) {
        fault(row.former,
            "is the former name of " + std::string{row.name} + ", and the two have different values: remove "
                + std::string{row.former});
        return value;
    }
    warn(row.former,
        "is the former name of " + std::string{row.name} + ", and the next version ignores it: set "
            + std::string{row.name} + " instead");
    return value ? std::move(value) : std::move(former);
}

bool config_source::is_set(std::string_view name)
{
    auto const names = names_of(described(name));
    return std::any_of(names.begin(), names.end(), [this](auto each) { return is_present(each); });
}

bool config_source::is_present(std::string_view name) const
{
    return set_value(name) != nullptr || set_value(with_file(name)) != nullptr;
}

std::string config_source::text(std::string_view name)
{
    return value_of(name).value_or(std::string{described(name).initial});
}

secret config_source::secret_text(std::string_view name) { return secret{text(name)}; }

std::vector<std::string> config_source::list(std::string_view name) { return config_text::split_list(text(name)); }

std::int64_t config_source::integer(std::string_view name, std::int64_t lowest, std::int64_t highest)
{
    auto const written = text(name);
    auto const number = config_text::parse_integer(written);
    if (number && *number >= lowest && *number <= highest) return *number;
    fault(name,
        "must be a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest) + ", but is \""
            + written + "\"");
    return lowest;
}

std::chrono::milliseconds config_source::milliseconds(
    std::string_view name, std::chrono::milliseconds lowest, std::chrono::milliseconds highest)
{
    return std::chrono::milliseconds{integer(name, lowest.count(), highest.count())};
}

bool config_source::boolean(std::string_view name)
{
    auto const written = text(name);
    if (auto const answer = config_text::parse_boolean(written)) return *answer;
    fault(name, "must be true or false, but is \"" + written + "\"");
    return false;
}

listen_address config_source::listen(std::string_view name)
{
    auto const written = text(name);
    if (auto address = parse_listen_address(written)) return *address;
    // An address without a port has the default port. So the image can open the admin listeners of both programs.
    if (auto const initial = parse_listen_address(described(name).initial)) {
        if (auto address = parse_listen_address(written + ":" + std::to_string(initial->port))) return *address;
    }
    fault(name, "must be address:port, as 0.0.0.0:8080 or [::]:8080, but is \"" + written + "\"");
    return {};
}

void config_source::require(std::string_view name, std::string_view hint)
{
    if (!value_of(name)) fault(name, "must be set: " + std::string{hint});
}

std::optional<std::string> config_source::file_of(std::string_view name)
{
    for (auto const each : names_of(described(name))) {
        if (set_value(each) != nullptr) return std::nullopt;
        if (auto const* path = set_value(with_file(each))) return *path;
    }
    return std::nullopt;
}

std::map<std::string, std::string> config_source::kafka_properties()
{
    std::map<std::string, std::string> properties;
    for (auto const& entry : environment{values_}) {
        std::string_view name = entry.first;
        if (name.ends_with(file_suffix)) name.remove_suffix(file_suffix.size());
        if (!name.starts_with(kafka_prefix) || name == kafka_prefix || is_known(name)) continue;
        auto const property = config_text::kafka_property_of(name);
        if (auto const why = why_refused(property)) {
            fault(name, "may not be set, because " + std::string{*why} + ": remove it");
        } else if (auto value = lookup(name)) {
            properties[property] = std::move(*value);
        }
    }
    return properties;
}

void config_source::fault(std::string_view name, std::string message)
{
    auto line = std::string{name} + " " + std::move(message);
    if (std::find(faults_.begin(), faults_.end(), line) == faults_.end()) faults_.push_back(std::move(line));
}

void config_source::warn(std::string_view name, std::string_view message)
{
    auto line = std::string{name} + " " + std::string{message};
    if (std::find(warnings_.begin(), warnings_.end(), line) == warnings_.end()) warnings_.push_back(std::move(line));
}

std::vector<std::string> config_source::unknown_variables() const
{
    std::vector<std::string> unknown;
    for (auto const& [name, value] : values_) {
        if (!name.starts_with("KAFKA_") && !is_known(name) && !is_of_plugin(name) && looks_like_ours(name))
            unknown.push_back(name);
    }
    return unknown;
}

void config_source::require_valid() const
{
    if (faults_.empty()) return;
    std::string message;
    for (auto const& line : faults_)
        message += (message.empty() ? "" : "\n") + line;
    throw config_error{message};
}

}
