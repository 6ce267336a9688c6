#pragma once

// Rules for names and values of the configuration. Pure, so that a test can list them as a table.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::config_text
{

// Kubernetes sets such variables in every pod for each Service of the namespace (KAFKA_PORT=tcp://10.0.0.1:9092). They
// look like our configuration and never are.
[[nodiscard]] bool is_service_link(std::string_view name, std::string_view value);

[[nodiscard]] std::string flag_of(std::string_view variable); // INGEST_LISTEN -> --ingest-listen
[[nodiscard]] std::string kafka_property_of(std::string_view variable); // KAFKA_A_B -> a.b
[[nodiscard]] std::string kafka_variable_of(std::string_view property); // a.b -> KAFKA_A_B

// Items between commas, trimmed, without empty ones.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);
[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text);
[[nodiscard]] std::optional<bool> parse_boolean(std::string_view text); // true/false, 1/0, yes/no, on/off

// One letter is wrong, missing or added, or two are swapped.
[[nodiscard]] bool is_near(std::string_view one, std::string_view other);

}
