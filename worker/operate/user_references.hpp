#pragma once

// Which tables of a site refer to its users, found in the schema that Strapi stores about its own tables: link tables
// of either side, users linked to users, components, media, and columns that name a user directly. Pure.

#include "common/event/result.hpp"
#include "worker/decide/strapi_schema.hpp"

#include <optional>
#include <string>
#include <vector>

namespace clerk_strapi::worker
{

struct table_reference
{
    std::string table;
    std::string column; // holds an id of the referenced table
    std::optional<std::string> type_column; // polymorphic: the row counts only where this column holds the type's uid

    friend bool operator==(table_reference const&, table_reference const&) = default;
};

// All references to rows of `referred`, in the order of Strapi's own list. A `_type` column beside an `_id` column
// without a foreign key is how Strapi links to any type (media, dynamic relations): such tables are always included.
[[nodiscard]] result<std::vector<table_reference>, schema_gap> find_references(
    schema_texts const& texts, std::string const& referred);

}
