#pragma once

// Where configuration comes from: the environment, or --flag for each variable; NAME_FILE names a file that holds the
// value. An empty value counts as unset. Getters never throw: they record each fault, with the variable and the fix.
// require_valid() reports all faults at once, so that an operator can fix all of them before the next start.
//
//     config_source source{program::ingest, process_environment()};
//     source.add_flags(app);            // before app.parse()
//     config.listen = source.listen("INGEST_LISTEN");
//     source.require_valid();           // throws config_error with every fault; main prints it, exit 2

#include "common/config/config_text.hpp"
#include "common/config/listen_address.hpp"
#include "common/config/secret.hpp"
#include "common/config/variables.hpp"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace CLI
{
class App;
}

namespace clerk_strapi
{

using environment = std::map<std::string, std::string, std::less<>>;
[[nodiscard]] environment process_environment();

// All faults, one per line.
class config_error : public std::runtime_error
{
public:
    using std::runtime_error::runtime_error;
};

class config_source
{
public:
    config_source(program reader, environment values);

    // One --flag per variable, and --kafka-property key=value. `this` must outlive app.parse().
    void add_flags(CLI::App& app);
    // What a flag does; also for tests.
    void override_value(std::string_view name, std::string value);

    [[nodiscard]] bool is_set(std::string_view name);
    // Also for names outside the table: variables of other software that an operator may expect us to read.
    [[nodiscard]] bool is_present(std::string_view name) const;
    [[nodiscard]] std::string text(std::string_view name);
    [[nodiscard]] secret secret_text(std::string_view name);
    [[nodiscard]] std::vector<std::string> list(std::string_view name);
    [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t lowest, std::int64_t highest);
    [[nodiscard]] std::chrono::milliseconds milliseconds(
        std::string_view name, std::chrono::milliseconds lowest, std::chrono::milliseconds highest);
    [[nodiscard]] bool boolean(std::string_view name);
    [[nodiscard]] listen_address listen(std::string_view name);

    template <class Enum>
    [[nodiscard]] Enum choice(
        std::string_view name, std::initializer_list<std::pair<std::string_view, Enum>> const& choices)
    {
        auto const written = text(name);
        std::string allowed;
        for (auto const& [word, value] : choices) {
            if (written == word) return value;
            allowed += (allowed.empty() ? "" : ", ") + std::string{word};
        }
        fault(name, "must be one of " + allowed + ", but is \"" + written + "\"");
        return choices.begin()->second;
    }

    // Records a fault when the variable is unset: "must be set: <hint>".
    void require(std::string_view name, std::string_view hint);
    // The file of NAME_FILE, when the value came from one, for code that follows its changes.
    [[nodiscard]] std::optional<std::string> file_of(std::string_view name);
    // Every KAFKA_A_B but KAFKA_BROKERS and KAFKA_GROUP_ID as a.b. Refused properties are faults.
    [[nodiscard]] std::map<std::string, std::string> kafka_properties();

    void fault(std::string_view name, std::string message);
    [[nodiscard]] std::vector<std::string> const& faults() const { return faults_; }
    // What an operator should change although the program can run. Logged at start, and printed by `check`.
    void warn(std::string_view name, std::string_view message);
    [[nodiscard]] std::vector<std::string> const& warnings() const { return warnings_; }
    // Set variables whose names look like ours and are not in the table, so that a misspelt name is reported.
    [[nodiscard]] std::vector<std::string> unknown_variables() const;
    void require_valid() const;

private:
    [[nodiscard]] variable const& described(std::string_view name) const;
    [[nodiscard]] std::string const* set_value(std::string_view name) const;
    [[nodiscard]] std::optional<std::string> from_file(std::string_view name);
    [[nodiscard]] std::optional<std::string> lookup(std::string_view name);
    [[nodiscard]] std::optional<std::string> value_of(std::string_view name);
    [[nodiscard]] std::optional<std::string> or_former(variable const& row, std::optional<std::string> value);

    std::vector<variable> variables_;
    environment values_;
    std::vector<std::string> faults_;
    std::vector<std::string> warnings_;
};

}
