#include "common/postgres/library.hpp"

#include <libpq-fe.h>
#include <pqxx/version>

namespace clerk_strapi::postgres
{

std::vector<library_version> libraries()
{
    auto const version = PQlibVersion(); // 150016 is 15.16
    return {{"libpq", std::to_string(version / 10'000) + "." + std::to_string(version % 10'000)},
        {"libpqxx", PQXX_VERSION}};
}

}
