#pragma once

// Every variable of the product, once: name, default and description. --help, --env-example and the warning about
// misspelt names all use this table.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi
{

enum class program : unsigned { ingest = 1, worker = 2, both = 3 };

struct variable
{
    std::string_view name;
    program used_by;
    std::string_view initial; // the default; empty: none
    std::string_view sentence;
    bool is_secret{false};
    std::string_view also{}; // another name that is read when this one is unset
    std::string_view former{}; // the name in the previous version, read for one version more, with a warning
};

[[nodiscard]] std::span<variable const> all_variables();
[[nodiscard]] std::vector<variable> variables_of(program reader);

// A commented environment file that an operator copies and fills in.
[[nodiscard]] std::string example_file(program reader);

// Why a Kafka property must not be set: it would break an invariant (I1, I7), or it has its own variable. Nothing: it
// may be set.
[[nodiscard]] std::optional<std::string_view> why_refused(std::string_view kafka_property);

}
