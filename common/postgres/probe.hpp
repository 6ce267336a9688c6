#pragma once

// For `check` of both programs: whether the database answers, and how the connection is protected. Changes nothing.

#include "common/postgres/conninfo.hpp"

#include <string>

namespace clerk_strapi::postgres
{

struct probe_result
{
    std::string fault; // empty: the database answers
    std::string server; // e.g. PostgreSQL 15.18
    std::string protection; // e.g. TLSv1.3, certificate and host name verified
};

// Blocks until the server answers, at most the connection's own connect_timeout per address.
[[nodiscard]] probe_result probe(conninfo const& target);

}
