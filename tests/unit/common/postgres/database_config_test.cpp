#include "common/postgres/database_config.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <unistd.h>

namespace clerk_strapi::postgres
{
namespace
{

struct value_file
{
    std::string path =
        (std::filesystem::temp_directory_path() / ("database_config_" + std::to_string(::getpid()))).string();

    explicit value_file(std::string const& text) { write(text); }
    ~value_file() { std::remove(path.c_str()); }
    void write(std::string const& text) const { std::ofstream{path, std::ios::trunc} << text; }
};

bool holds(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

}

TEST_CASE("database config: nothing set is no database, or a fault where one is required")
{
    config_source ingest{program::ingest, {}};
    CHECK_FALSE(read_database_config(ingest, "clerk-ingest", database_need::optional));
    CHECK(ingest.faults().empty());

    config_source worker{program::worker, {}};
    CHECK_FALSE(read_database_config(worker, "clerk-worker", database_need::required));
    CHECK(worker.faults().size() == 1);

    config_source half{program::ingest, {{"DATABASE_HOST", "db"}}};
    CHECK_FALSE(read_database_config(half, "clerk-ingest", database_need::optional));
    CHECK(half.faults().size() == 1);

    config_source other{program::ingest, {{"DATABASE_URL", "mysql://u:p@db/strapi"}}};
    CHECK_FALSE(read_database_config(other, "clerk-ingest", database_need::optional));
    CHECK(other.faults().size() == 1);
}

TEST_CASE("database config: uses a rotated password, ignores a half-written file (F30)")
{
    value_file const file{"postgres://ingest:first@db:5432/strapi\n"};
    config_source source{program::ingest, {{"DATABASE_URL_FILE", file.path}}};
    auto const conninfo = read_database_config(source, "clerk-ingest", database_need::optional);
    REQUIRE(conninfo);
    CHECK(holds((*conninfo)().text(), "password='first'"));
    CHECK(holds((*conninfo)().text(), "application_name='clerk-ingest'"));

    file.write("");
    CHECK(holds((*conninfo)().text(), "password='first'"));
    std::remove(file.path.c_str());
    CHECK(holds((*conninfo)().text(), "password='first'"));
    file.write("postgres://ingest:second@db:5432/strapi\n");
    CHECK(holds((*conninfo)().text(), "password='second'"));
}

TEST_CASE("database config: an empty or missing password file is a fault at start only (F30)")
{
    value_file const file{"first\n"};
    environment const values{
        {"DATABASE_HOST", "db"}, {"DATABASE_NAME", "strapi"}, {"DATABASE_PASSWORD_FILE", file.path}};
    config_source source{program::worker, values};
    auto const conninfo = read_database_config(source, "clerk-worker", database_need::required);
    REQUIRE(conninfo);
    file.write("");
    CHECK(holds((*conninfo)().text(), "password='first'"));
    std::remove(file.path.c_str());
    CHECK(holds((*conninfo)().text(), "password='first'"));
    file.write("second\n");
    CHECK(holds((*conninfo)().text(), "password='second'"));

    file.write("");
    config_source empty{program::worker, values};
    static_cast<void>(read_database_config(empty, "clerk-worker", database_need::required));
    REQUIRE(empty.faults().size() == 1);
    CHECK(holds(empty.faults()[0], "DATABASE_PASSWORD_FILE names an empty file"));
}

}
