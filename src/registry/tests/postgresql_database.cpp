#include <iostream>

#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>

#include "postgres_server.hpp"
#include "suite.hpp"

namespace jiaozi::registry {
namespace {

using jiaozi::testing::PostgresServer;

// One server for all cases of the process; each case has a database of its own.
const PostgresServer* server() {
    static const std::unique_ptr<PostgresServer> started = []() -> std::unique_ptr<PostgresServer> {
        if (PostgresServer::binaries().empty()) {
            std::cerr << "\n*** SKIPPED: PostgreSQL is not installed (apt install postgresql-15); the registry was not "
                         "tested on it\n\n";
            return nullptr;
        }
        auto made = PostgresServer::start({});
        if (!made.ok()) {
            std::cerr << made.error().to_string() << "\n";
            std::abort();
        }
        return std::move(*made);
    }();
    return started.get();
}

}  // namespace

bool database_available() {
    return server() != nullptr;
}

std::string new_database() {
    static int count = 0;
    return must(server()->create_database("registry" + std::to_string(++count)));
}

void run_raw(const std::string& url, const std::vector<std::string>& sql) {
    soci::session raw(soci::postgresql, url);
    for (const std::string& statement : sql) raw << statement;
}

namespace {

void drop_connections(const std::string& url) {
    const std::size_t name = std::string_view("postgresql:///").size();
    ASSERT_OK(server()->drop_connections(url.substr(name, url.find('?') - name)));
}

TEST_F(Registry, a_lost_connection_comes_back) {
    ASSERT_OK(insert(db(), person(1)));
    drop_connections(url);
    EXPECT_EQ(refusal(get_person(db(), PersonId(1))), "unavailable/unavailable/");
    EXPECT_TRUE(get_person(db(), PersonId(1)).ok());
    // A transaction that has not begun yet begins again by itself.
    drop_connections(url);
    EXPECT_EQ(refusal(db().in_transaction([&] { return update(db(), person(1)); })), "ok");
    // In the middle of a transaction nothing is kept.
    EXPECT_EQ(refusal(db().in_transaction([&]() -> Result<> {
                  JZ_CHECK(insert(db(), person(2)));
                  drop_connections(url);
                  return insert(db(), person(3));
              })),
              "unavailable/unavailable/");
    EXPECT_EQ(page_text(list_people(db(), {})), "1");
    // At the commit nobody can know.
    EXPECT_EQ(refusal(db().in_transaction([&]() -> Result<> {
                  JZ_CHECK(insert(db(), person(2)));
                  drop_connections(url);
                  return {};
              })),
              "timeout/timeout/");
    EXPECT_EQ(page_text(list_people(db(), {})), "1");
}

TEST_F(Registry, an_encoding_other_than_utf8_is_refused) {
    ASSERT_OK(server()->run("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0"));
    EXPECT_EQ(refusal(Store::open({.url = server()->url("latin"), .seal = {}, .open = {}})), "invalid/invalid/url");
}

}  // namespace
}  // namespace jiaozi::registry
