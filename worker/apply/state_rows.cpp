#include "worker/apply/state_rows.hpp"

#include "common/event/sha256.hpp"
#include "common/postgres/sql_array.hpp"
#include "common/postgres/statement.hpp"
#include "worker/decide/document_id.hpp"

namespace clerk_strapi::worker
{

namespace
{

using postgres::sql_array;

template <class T>
std::optional<T> optional_field(pqxx::field const& field)
{
    if (field.is_null()) return std::nullopt;
    return field.as<T>();
}

// NULL for none, so that the index on waits_for has waiting users only.
std::optional<std::string> array_or_null(std::vector<std::string> const& texts)
{
    if (texts.empty()) return std::nullopt;
    sql_array array;
    for (auto const& text : texts)
        array.add(text);
    return array.str();
}

std::vector<std::string> array_field(pqxx::field const& field)
{
    std::vector<std::string> texts;
    if (field.is_null()) return texts;
    pqxx::array_parser parser{field.c_str()};
    for (auto next = parser.get_next(); next.first != pqxx::array_parser::juncture::done; next = parser.get_next()) {
        if (next.first == pqxx::array_parser::juncture::string_value) texts.push_back(std::move(next.second));
    }
    return texts;
}

// In the order of the columns of the statement lock_states.
void read_state(pqxx::row const& row, user_case& user, std::string const& mapping_hash)
{
    user.state_stored = true;
    auto& state = user.before;
    state.known = row[1].as<bool>() ? user_state::presence::tombstone : user_state::presence::present;
    state.version = {row[2].as<std::int64_t>(), row[3].as<std::int64_t>(), row[4].as<std::string>(),
        digest_from_hex(row[5].as<std::string>())};
    state.wishes = {optional_field<std::string>(row[6]), row[7].as<bool>(), optional_field<std::string>(row[8]),
        optional_field<std::string>(row[9]), row[10].as<bool>(), row[11].as<std::int64_t>(), array_field(row[19])};
    user.written = {optional_field<std::int64_t>(row[12]), row[13].as<std::string>(),
        optional_field<std::int64_t>(row[14]), optional_field<std::string>(row[15]), row[16].as<bool>(),
        array_field(row[18]), optional_field<std::string>(row[20])};
    state.revived_at_ms = row["revived_at_ms"].as<std::int64_t>(0);
    state.mapping_changed = row[17].as<std::string>() != mapping_hash;
}

}

void load_states(
    pqxx::work& transaction, std::string const& mapping_hash, user_cases& cases, std::set<std::string> const& also_lock)
{
    sql_array ids;
    for (auto const& [id, user] : cases)
        ids.add(id);
    for (auto const& id : also_lock) {
        if (!cases.contains(id)) ids.add(id);
    }
    for (auto const& row : postgres::exec_prepared(transaction, "lock_states", ids.str())) {
        auto const user = cases.find(row[0].as<std::string>());
        if (user != cases.end()) read_state(row, user->second, mapping_hash);
    }
}

void load_states_now(
    pqxx::work& transaction, std::string const& mapping_hash, user_cases& cases, std::vector<user_case*> const& users)
{
    sql_array ids;
    for (auto const* const user : users)
        ids.add(user->clerk_id);
    for (auto const& row : postgres::exec_prepared(transaction, "lock_states_now", ids.str()))
        read_state(row, cases.find(row[0].as<std::string>())->second, mapping_hash);
}

void store_states(pqxx::work& transaction, std::string const& mapping_hash, user_cases const& cases)
{
    struct columns
    {
        sql_array clerk_id, tombstone, updated_at, event_at, event_id, body_hash, email, verified, username, full_name,
            banned, created, strapi_id, document_id, role_id, profile_name, blocked_by_us, mapping_hash, waits_for,
            role_hints, role_answer;
        bool any{false};
    } fresh, known;
    for (auto const& [id, user] : cases) {
        if (!user.state_changed()) continue;
        auto& into = user.state_stored ? known : fresh;
        auto const& [state, written] = std::tie(user.after, user.written);
        into.any = true;
        into.clerk_id.add(id);
        into.tombstone.add(state.known == user_state::presence::tombstone);
        into.updated_at.add(state.version.updated_at_ms);
        into.event_at.add(state.version.event_ms);
        into.event_id.add(state.version.event_id);
        into.body_hash.add(hex_of(state.version.body_hash));
        into.email.add(state.wishes.email);
        into.verified.add(state.wishes.email_verified);
        into.username.add(state.wishes.username);
        into.full_name.add(state.wishes.full_name);
        into.banned.add(state.wishes.banned);
        into.created.add(state.wishes.created_at_ms);
        into.strapi_id.add(written.strapi_id);
        into.document_id.add(written.document_id.empty() ? user_document_id(id) : written.document_id);
        into.role_id.add(written.role_id);
        into.profile_name.add(written.profile_name);
        into.blocked_by_us.add(written.blocked_by_us);
        into.mapping_hash.add(mapping_hash);
        into.waits_for.add(array_or_null(written.waits_for));
        into.role_hints.add(array_or_null(state.wishes.role_hints));
        into.role_answer.add(written.role_answer);
    }
    auto const write = [&](char const* name, columns const& c) {
        if (!c.any) return;
        postgres::exec_prepared(transaction, name, c.clerk_id.str(), c.tombstone.str(), c.updated_at.str(),
            c.event_at.str(), c.event_id.str(), c.body_hash.str(), c.email.str(), c.verified.str(), c.username.str(),
            c.full_name.str(), c.banned.str(), c.created.str(), c.strapi_id.str(), c.document_id.str(), c.role_id.str(),
            c.profile_name.str(), c.blocked_by_us.str(), c.mapping_hash.str(), c.waits_for.str(), c.role_hints.str(),
            c.role_answer.str());
    };
    write("insert_states", fresh);
    write("update_states", known);
}

}
