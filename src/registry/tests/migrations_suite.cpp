// Opening: new stores, older ones, newer ones, and what is no store.
#include <filesystem>
#include <fstream>
#include <thread>

#include <sys/stat.h>

#include "suite.hpp"

namespace jiaozi::registry {
namespace {

constexpr int newest = 6;

// Version 1 as it was released, with a row: frozen here, so that a change to the released migration is noticed.
const std::vector<std::string> version_1 = {
    "CREATE TABLE schema_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL)",
    "CREATE TABLE people (id TEXT PRIMARY KEY, name TEXT NOT NULL, locale TEXT NOT NULL, created BIGINT NOT NULL)",
    "CREATE TABLE groups (id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, created BIGINT NOT NULL)",
    "CREATE TABLE merchants (id TEXT PRIMARY KEY, name TEXT NOT NULL, city TEXT NOT NULL, country TEXT NOT NULL, mcc "
    "TEXT NOT NULL, "
    "wallet_id TEXT, created BIGINT NOT NULL)",
    "CREATE TABLE devices (id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, merchant_id TEXT REFERENCES "
    "merchants (id), "
    "state TEXT NOT NULL, iccid TEXT NOT NULL, imsi TEXT NOT NULL, imei TEXT NOT NULL, suite SMALLINT NOT NULL, "
    "public_key TEXT NOT NULL, "
    "credential_id TEXT NOT NULL, enrolment_code_hash TEXT NOT NULL, enrolment_expires BIGINT NOT NULL, last_hello "
    "BIGINT NOT NULL, "
    "created BIGINT NOT NULL)",
    "CREATE TABLE members (id TEXT PRIMARY KEY, group_id TEXT NOT NULL REFERENCES groups (id), person_id TEXT "
    "REFERENCES people (id), "
    "device_id TEXT UNIQUE REFERENCES devices (id), role TEXT NOT NULL, created BIGINT NOT NULL)",
    "CREATE TABLE wallets (id TEXT PRIMARY KEY, group_id TEXT REFERENCES groups (id), merchant_id TEXT REFERENCES "
    "merchants (id), "
    "name TEXT NOT NULL, asset TEXT NOT NULL, frozen SMALLINT NOT NULL, created BIGINT NOT NULL)",
    "CREATE TABLE limits (id TEXT PRIMARY KEY, member_id TEXT NOT NULL REFERENCES members (id) ON DELETE CASCADE, kind "
    "TEXT NOT NULL, "
    "category TEXT NOT NULL, amount TEXT NOT NULL, asset TEXT NOT NULL, window_days BIGINT NOT NULL, created BIGINT "
    "NOT NULL)",
    "CREATE TABLE products (id TEXT PRIMARY KEY, merchant_id TEXT NOT NULL REFERENCES merchants (id), name TEXT NOT "
    "NULL, "
    "name_zh TEXT NOT NULL, category TEXT NOT NULL, created BIGINT NOT NULL)",
    "CREATE TABLE slots (device_id TEXT NOT NULL REFERENCES devices (id), slot BIGINT NOT NULL, product_id TEXT NOT "
    "NULL REFERENCES "
    "products (id), price TEXT NOT NULL, asset TEXT NOT NULL, PRIMARY KEY (device_id, slot))",
    "CREATE TABLE api_keys (id TEXT PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, last4 TEXT NOT NULL, "
    "scopes TEXT NOT NULL, "
    "person_id TEXT REFERENCES people (id), revoked SMALLINT NOT NULL, created BIGINT NOT NULL)",
    "CREATE TABLE idempotency (key TEXT PRIMARY KEY, request_hash TEXT NOT NULL, status BIGINT NOT NULL, body TEXT NOT "
    "NULL, "
    "created BIGINT NOT NULL)",
    "INSERT INTO schema_migrations (version, name) VALUES (1, 'records')",
    "INSERT INTO people (id, name, locale, created) VALUES ('per_00000000000000000000000007', 'from version 1', 'en', "
    "7000000000)",
};

std::string open_fails(const std::string& url) {
    return refusal(Store::open({.url = url, .seal = {}, .open = {}}));
}

TEST_F(Registry, an_older_store_is_brought_up_to_date) {
    const std::string old = new_database();
    run_raw(old, version_1);
    auto opened = Store::open({.url = old, .seal = {}, .open = {}});
    ASSERT_OK(opened);
    EXPECT_EQ((*opened)->schema_version(), newest);
    auto used = (*opened)->session();
    ASSERT_OK(used);
    EXPECT_EQ(must(get_person(**used, PersonId(7))).name, "from version 1");
    ASSERT_OK(insert(**used, device(1)));
    ASSERT_OK(upsert_many(**used, std::vector{payment(1)}));
    EXPECT_TRUE(must(due_webhook_deliveries(**used, at(0), 1)).empty());
}

TEST_F(Registry, opening_again_changes_nothing) {
    ASSERT_OK(insert(db(), person(1)));
    for (int i = 0; i < 2; ++i) {
        auto again = Store::open({.url = url, .seal = {}, .open = {}});
        ASSERT_OK(again);
        EXPECT_EQ((*again)->schema_version(), newest);
    }
    EXPECT_TRUE(get_person(db(), PersonId(1)).ok());
}

TEST_F(Registry, a_newer_store_is_refused) {
    run_raw(url, {"INSERT INTO schema_migrations (version, name) VALUES (7, 'from the future')"});
    const auto refused = Store::open({.url = url, .seal = {}, .open = {}});
    EXPECT_EQ(refusal(refused), "conflict/schema_newer/");
    EXPECT_THAT(refused.error().message(), ::testing::HasSubstr("version 7"));
    EXPECT_THAT(refused.error().message(), ::testing::HasSubstr("up to 6"));
}

TEST_F(Registry, programs_that_start_together_take_turns) {
    const std::string fresh = new_database();
    std::vector<std::thread> programs;
    for (int i = 0; i < 3; ++i) {
        programs.emplace_back([&] { EXPECT_EQ(open_fails(fresh), "ok"); });
    }
    for (std::thread& program : programs) program.join();
}

TEST_F(Registry, what_was_changed_behind_its_back_is_called_corrupt) {
    ASSERT_OK(insert(db(), device(1)));
    run_raw(url, {"UPDATE devices SET state = 'asleep'"});
    EXPECT_EQ(refusal(get_device(db(), DeviceId(1))), "corrupt/corrupt/");
    run_raw(url, {"UPDATE devices SET state = 'active', public_key = 'zz'"});
    EXPECT_EQ(refusal(get_device(db(), DeviceId(1))), "corrupt/corrupt/");
    run_raw(url, {"UPDATE devices SET public_key = '', suite = 300"});
    EXPECT_EQ(refusal(get_device(db(), DeviceId(1))), "corrupt/corrupt/");
    run_raw(url, {"UPDATE devices SET suite = 1"});
    EXPECT_EQ(refusal(get_device(db(), DeviceId(1))), "ok");
}

TEST_F(Registry, the_database_holds_the_rules_too) {
    ASSERT_OK(insert(db(), group(1)));
    EXPECT_ANY_THROW(run_raw(url, {"INSERT INTO members (id, group_id, role, created) VALUES ('mem_x', '" +
                                   GroupId(1).to_string() + "', 'member', 1)"}));
    EXPECT_ANY_THROW(
        run_raw(url, {"INSERT INTO wallets (id, name, asset, frozen, created) VALUES ('wal_x', 'w', 'CNY', 0, 1)"}));
}

TEST_F(Registry, what_is_no_store_is_refused) {
    EXPECT_EQ(open_fails("mysql://localhost/x"), "invalid/invalid/url");
    EXPECT_EQ(open_fails(""), "invalid/invalid/url");
    EXPECT_EQ(open_fails("sqlite:"), "invalid/invalid/url");
    EXPECT_EQ(open_fails("sqlite::memory:"), "invalid/invalid/url");
    EXPECT_EQ(open_fails("sqlite:/no/such/folder/registry.db"), "io/io/");
    EXPECT_EQ(open_fails("postgresql:///x?host=/no/such/folder&connect_timeout=2"), "unavailable/unavailable/");

    const auto file = std::filesystem::temp_directory_path() / ("jiaozi no store " + std::to_string(::getpid()));
    std::ofstream(file) << std::string(4096, 'x');
    EXPECT_EQ(open_fails("sqlite:" + file.string()), "corrupt/corrupt/");
    std::filesystem::remove(file);
    // A new file is its owner's alone: secrets stand in it.
    auto made = Store::open({.url = "sqlite:" + file.string(), .seal = {}, .open = {}});
    ASSERT_OK(made);
    for (const char* suffix : {"", "-wal"}) {
        struct stat found{};
        ASSERT_EQ(::stat((file.string() + suffix).c_str(), &found), 0) << suffix;
        EXPECT_EQ(found.st_mode & 0777U, 0600U) << suffix;
    }
    made->reset();
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + suffix);
}

}  // namespace
}  // namespace jiaozi::registry
