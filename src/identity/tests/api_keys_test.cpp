#include <set>

#include <gtest/gtest.h>

#include <jiaozi/identity/api_keys.hpp>

#include "world.hpp"

namespace jiaozi::identity {
namespace {

using testing::code_of;
using testing::must;

class Keys : public ::testing::Test {
  protected:
    Keys() { load(); }
    void load() { keys = must(ApiKeys::load(*world.session, world.clock, world.signal)); }
    ApiKeyWithSecret make(std::vector<std::string> scopes, const Principal* maker = nullptr, PersonId person = {}) {
        return must(keys->create(wanted(std::move(scopes), person), maker));
    }
    NewApiKey wanted(std::vector<std::string> scopes, PersonId person = {}) {
        return {crypto::new_id<ApiKeyId>(world.clock), "a key", std::move(scopes), person};
    }
    PersonId person() {
        const PersonId id = crypto::new_id<PersonId>(world.clock);
        must(registry::insert(*world.session,
                              Person{.id = id, .name = "韩梅梅", .locale = "zh-CN", .created = world.clock.now()}));
        return id;
    }

    testing::World world;
    std::unique_ptr<ApiKeys> keys;
};

TEST_F(Keys, TokenIsShownOnceAndStoredAsHash) {
    const auto made = make({"payments:write"});
    EXPECT_EQ(made.secret.size(), 40U);
    EXPECT_TRUE(made.secret.starts_with("sk_test_"));
    EXPECT_EQ(made.key.last4, made.secret.substr(36));
    const ApiKey stored = must(registry::get_api_key(*world.session, made.key.id));
    const auto digest = crypto::sha256(as_bytes(made.secret));
    EXPECT_EQ(stored.hash, Bytes(digest.begin(), digest.end()));
    EXPECT_EQ(world.newest_event(), "api_key.created");
    const auto events = must(registry::list_events(*world.session, {}, {}));
    EXPECT_EQ(events.data.front().data.find(made.secret), std::string::npos);
    EXPECT_EQ(events.data.front().data.find(to_hex(stored.hash)), std::string::npos);
}

TEST_F(Keys, Authenticate) {
    const PersonId who = person();
    const auto made = make({"payments:write", "devices:read"}, nullptr, who);
    for (int restarted = 0; restarted < 2; ++restarted, load()) {
        const Principal* const principal = must(keys->authenticate(made.secret));
        EXPECT_EQ(principal->key, made.key.id);
        EXPECT_EQ(principal->person, who);
        EXPECT_EQ(principal->scopes, made.key.scopes);
    }
    for (const std::string& wrong :
         {std::string(), std::string("sk_test_"), made.secret.substr(0, 39), made.secret + "0", made.key.id.to_string(),
          "SK_TEST_" + made.secret.substr(8), std::string(100'000, 'x')}) {
        EXPECT_EQ(code_of(keys->authenticate(wrong)), "key_invalid");
    }
}

TEST_F(Keys, RevokedForGood) {
    const auto made = make({"*"});
    EXPECT_TRUE(must(keys->revoke(made.key.id, nullptr)).revoked);
    EXPECT_EQ(world.newest_event(), "api_key.revoked");
    const auto position = world.signal.position;
    for (int restarted = 0; restarted < 2; ++restarted, load())
        EXPECT_EQ(code_of(keys->authenticate(made.secret)), "key_revoked");
    EXPECT_TRUE(must(keys->revoke(made.key.id, nullptr)).revoked);  // again: nothing happens
    EXPECT_EQ(world.signal.position, position);
    EXPECT_EQ(code_of(keys->revoke(ApiKeyId(1), nullptr)), "api_key_not_found");
}

TEST_F(Keys, ManyKeysAreLoaded) {
    std::set<std::string> secrets;
    for (int i = 0; i < 230; ++i) secrets.insert(make({"*"}).secret);
    EXPECT_EQ(secrets.size(), 230U);
    load();
    EXPECT_EQ(keys->count(), 230U);
    for (const std::string& secret : secrets) EXPECT_EQ(code_of(keys->authenticate(secret)), "ok");
}

TEST(Scopes, Table) {
    struct Row {
        std::string_view held, resource, action;
        bool may;
    };
    const Row rows[] = {
        {"*", "payments", "write", true},
        {"payments:write", "payments", "write", true},
        {"payments:write", "payments", "read", true},
        {"payments:read", "payments", "read", true},
        {"payments:read", "payments", "write", false},
        {"payments:*", "payments", "write", true},
        {"payments:*", "devices", "read", false},
        {"payments:write", "pay", "write", false},
        {"pay:write", "payments", "write", false},
        {"payments", "payments", "read", false},
        {"", "payments", "read", false},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(::testing::Message() << row.held << " for " << row.resource << ":" << row.action);
        const Principal principal{ApiKeyId(1), {}, {std::string(row.held)}};
        EXPECT_EQ(principal.may(row.resource, row.action), row.may);
        EXPECT_EQ(principal.require(row.resource, row.action).ok(), row.may);
        EXPECT_EQ(covers(row.held, std::string(row.resource) + ":" + std::string(row.action)), row.may);
    }
    EXPECT_FALSE(covers("payments:write", "payments:*"));
    EXPECT_FALSE(covers("payments:*", "*"));
    EXPECT_TRUE(covers("*", "*"));
    for (const std::string_view scope : {"*", "payments:read", "api_keys:write", "payments:*"})
        EXPECT_TRUE(is_scope(scope)) << scope;
    for (const std::string_view scope : {"", ":read", "payments", "payments:", "payments:delete", "Payments:read",
                                         "a b:read", "*:read", "payments:read:x"}) {
        EXPECT_FALSE(is_scope(scope)) << scope;
    }
}

TEST_F(Keys, AKeyOnlyNarrowsItsMaker) {
    const PersonId who = person();
    const PersonId other = person();
    const auto maker_key = make({"payments:write", "api_keys:write"}, nullptr, who);
    const Principal maker = *must(keys->authenticate(maker_key.secret));

    EXPECT_EQ(code_of(keys->create(wanted({"payments:read"}, who), &maker)), "ok");
    EXPECT_EQ(code_of(keys->create(wanted({"payments:write", "api_keys:read"}, who), &maker)), "ok");
    const std::size_t before = keys->count();
    EXPECT_EQ(code_of(keys->create(wanted({"payments:*"}, who), &maker)), "scope_too_wide");
    EXPECT_EQ(code_of(keys->create(wanted({"*"}, who), &maker)), "scope_too_wide");
    EXPECT_EQ(code_of(keys->create(wanted({"devices:read"}, who), &maker)), "scope_too_wide");
    EXPECT_EQ(code_of(keys->create(wanted({"payments:read"}, other), &maker)), "scope_too_wide");
    EXPECT_EQ(code_of(keys->create(wanted({"payments:read"}), &maker)), "scope_too_wide");  // an operator's
    EXPECT_EQ(code_of(keys->create(wanted({}, who), &maker)), "invalid");
    EXPECT_EQ(code_of(keys->create(wanted({"payments"}, who), &maker)), "invalid");
    EXPECT_EQ(keys->count(), before);

    const auto others = make({"*"}, nullptr, other);
    EXPECT_EQ(code_of(keys->revoke(others.key.id, &maker)), "api_key_not_found");
    EXPECT_EQ(code_of(keys->authenticate(others.secret)), "ok");
    EXPECT_EQ(code_of(keys->revoke(maker_key.key.id, &maker)), "ok");
}

}  // namespace
}  // namespace jiaozi::identity
