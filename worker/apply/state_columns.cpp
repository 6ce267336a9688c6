#include "worker/apply/state_columns.hpp"

#include "common/event/sha256.hpp"
#include "worker/decide/document_id.hpp"

#include <optional>
#include <vector>

namespace clerk_strapi::worker
{

namespace
{

using postgres::sql_array;

template <class T>
void read(pqxx::field const& field, T& value)
{
    value = field.as<T>();
}

template <class T>
void read(pqxx::field const& field, std::optional<T>& value)
{
    value = field.is_null() ? std::nullopt : std::optional{field.as<T>()};
}

void read(pqxx::field const& field, sha256_digest& value) { value = digest_from_hex(field.as<std::string>()); }

void read(pqxx::field const& field, std::vector<std::string>& texts)
{
    texts.clear();
    if (field.is_null()) return;
    pqxx::array_parser parser{field.c_str()};
    for (auto next = parser.get_next(); next.first != pqxx::array_parser::juncture::done; next = parser.get_next()) {
        if (next.first == pqxx::array_parser::juncture::string_value) texts.push_back(std::move(next.second));
    }
}

template <class T>
void write(sql_array& values, T const& value)
{
    values.add(value);
}

void write(sql_array& values, sha256_digest const& value) { values.add(hex_of(value)); }

// NULL for none, so that the index on waits_for has waiting users only.
void write(sql_array& values, std::vector<std::string> const& texts)
{
    if (texts.empty()) return values.add_null();
    sql_array array;
    for (auto const& text : texts)
        array.add(text);
    values.add(array.str());
}

template <auto Member>
constexpr state_column of_version(char const* name, char const* type, column_form form = column_form::plain)
{
    return {name, type, form,
        [](pqxx::field const& field, user_case& user, std::string const&) { read(field, user.before.version.*Member); },
        [](sql_array& values, user_case const& user, std::string const&) {
            write(values, user.after.version.*Member);
        }};
}

template <auto Member>
constexpr state_column of_user(char const* name, char const* type, column_form form = column_form::plain)
{
    return {name, type, form,
        [](pqxx::field const& field, user_case& user, std::string const&) { read(field, user.before.desired.*Member); },
        [](sql_array& values, user_case const& user, std::string const&) {
            write(values, user.after.desired.*Member);
        }};
}

template <auto Member>
constexpr state_column of_written(char const* name, char const* type, column_form form = column_form::plain)
{
    return {name, type, form,
        [](pqxx::field const& field, user_case& user, std::string const&) { read(field, user.written.*Member); },
        [](sql_array& values, user_case const& user, std::string const&) { write(values, user.written.*Member); }};
}

constexpr state_column clerk_id{"clerk_id", "text[]", column_form::plain,
    [](pqxx::field const&, user_case&, std::string const&) {}, // the key: the caller has found the user by it
    [](sql_array& values, user_case const& user, std::string const&) { values.add(user.clerk_id); }};

constexpr state_column tombstone{"tombstone", "boolean[]", column_form::plain,
    [](pqxx::field const& field, user_case& user, std::string const&) {
        user.before.known = field.as<bool>() ? user_state::presence::tombstone : user_state::presence::present;
    },
    [](sql_array& values, user_case const& user, std::string const&) {
        values.add(user.after.known == user_state::presence::tombstone);
    }};

constexpr state_column document_id{"document_id", "text[]", column_form::plain,
    [](pqxx::field const& field, user_case& user, std::string const&) { read(field, user.written.document_id); },
    [](sql_array& values, user_case const& user, std::string const&) {
        auto const& stored = user.written.document_id;
        values.add(stored.empty() ? user_document_id(user.clerk_id) : stored);
    }};

constexpr state_column mapping_hash{"mapping_hash", "text[]", column_form::plain,
    [](pqxx::field const& field, user_case& user, std::string const& hash) {
        user.before.mapping_changed = field.as<std::string>() != hash;
    },
    [](sql_array& values, user_case const&, std::string const& hash) { values.add(hash); }};

}

constinit std::array<state_column, state_column_count> const state_columns{
    clerk_id,
    tombstone,
    of_version<&event_version::updated_at_ms>("updated_at_ms", "bigint[]"),
    of_version<&event_version::event_ms>("event_ms", "bigint[]"),
    of_version<&event_version::event_id>("event_id", "text[]"),
    of_version<&event_version::body_hash>("body_hash", "text[]", column_form::digest),
    of_user<&desired_values::email>("email", "text[]"),
    of_user<&desired_values::email_verified>("email_verified", "boolean[]"),
    of_user<&desired_values::username>("username", "text[]"),
    of_user<&desired_values::full_name>("full_name", "text[]"),
    of_user<&desired_values::banned>("banned", "boolean[]"),
    of_user<&desired_values::created_at_ms>("created_at_ms", "bigint[]"),
    of_written<&written_values::strapi_id>("strapi_id", "int[]"),
    document_id,
    of_written<&written_values::role_id>("role_id", "int[]"),
    of_written<&written_values::profile_name>("profile_name", "text[]"),
    of_written<&written_values::blocked_by_us>("blocked_by_us", "boolean[]"),
    mapping_hash,
    of_written<&written_values::waits_for>("waits_for", "text[]", column_form::list),
    of_user<&desired_values::role_hints>("role_hints", "text[]", column_form::list),
    of_written<&written_values::role_answer>("role_answer", "text[]"),
};

}
