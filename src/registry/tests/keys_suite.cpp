#include "suite.hpp"

namespace jiaozi::registry {
namespace {

TEST_F(Registry, api_keys_are_found_by_hash) {
    ASSERT_OK(insert(db(), person(1)));
    const ApiKey mine{.id = ApiKeyId(1),
                      .name = "phone",
                      .hash = Bytes(32, 0xA1),
                      .last4 = "9xYz",
                      .scopes = {"payments:write", "events:read"},
                      .person = PersonId(1),
                      .revoked = false,
                      .created = at(1)};
    ApiKey operators = mine;
    operators.id = ApiKeyId(2);
    operators.hash = Bytes(32, 0xA2);
    operators.person = {};
    operators.scopes = {"*"};
    operators.created = at(2);
    ASSERT_OK(insert(db(), mine));
    ASSERT_OK(insert(db(), operators));
    EXPECT_EQ(show(must(get_api_key(db(), ApiKeyId(1)))), show(mine));
    EXPECT_EQ(show(must(get_api_key_by_hash(db(), operators.hash))), show(operators));
    EXPECT_EQ(refusal(get_api_key_by_hash(db(), Bytes(32, 0))), "not_found/api_key_not_found/");
    EXPECT_EQ(refusal(get_api_key_by_hash(db(), {})), "not_found/api_key_not_found/");
    operators.revoked = true;
    ASSERT_OK(update(db(), operators));
    EXPECT_TRUE(must(get_api_key_by_hash(db(), operators.hash)).revoked);
    EXPECT_EQ(page_text(list_api_keys(db(), {})), "2 1");
    ApiKey copy = mine;
    copy.id = ApiKeyId(3);
    EXPECT_EQ(refusal(insert(db(), copy)), "conflict/already_exists/hash");
    copy.hash = {};
    EXPECT_EQ(refusal(insert(db(), copy)), "invalid/invalid/hash");
    copy.hash = Bytes(32, 3);
    copy.person = PersonId(77);
    EXPECT_EQ(refusal(insert(db(), copy)), "not_found/reference_not_found/");
    copy.person = {};
    copy.scopes = {"a\tb"};
    EXPECT_EQ(refusal(insert(db(), copy)), "invalid/invalid/scopes");
}

TEST_F(Registry, the_first_outcome_of_a_request_is_kept) {
    IdempotencyRecord record{
        .key = "key_1 POST /v1/payments 7", .request_hash = Bytes(32, 1), .status = 0, .body = {}, .created = at(1)};
    EXPECT_FALSE(must(find_idempotency(db(), record.key)).has_value());
    ASSERT_OK(insert(db(), record));
    EXPECT_EQ(refusal(insert(db(), record)), "conflict/already_exists/key");
    EXPECT_EQ(show(*must(find_idempotency(db(), record.key))), show(record));
    record.status = 402;
    record.body = R"({"code":"declined"})";
    ASSERT_OK(update(db(), record));
    EXPECT_EQ(show(*must(find_idempotency(db(), record.key))), show(record));
    IdempotencyRecord other = record;
    other.key = "other";
    other.created = at(10);
    EXPECT_EQ(refusal(update(db(), other)), "not_found/idempotency_key_not_found/");
    ASSERT_OK(insert(db(), other));
    EXPECT_EQ(must(purge_idempotency(db(), at(10))), 1U);
    EXPECT_FALSE(must(find_idempotency(db(), record.key)).has_value());
    EXPECT_TRUE(must(find_idempotency(db(), other.key)).has_value());
    ASSERT_OK(erase_idempotency(db(), other.key));
    ASSERT_OK(erase_idempotency(db(), other.key));
    EXPECT_FALSE(must(find_idempotency(db(), other.key)).has_value());
    other.key = {};
    EXPECT_EQ(refusal(insert(db(), other)), "invalid/invalid/key");
    other.key = std::string(513, 'k');
    EXPECT_EQ(refusal(insert(db(), other)), "invalid/invalid/key");
    EXPECT_EQ(refusal(find_idempotency(db(), std::string("a\0b", 3))), "invalid/invalid/key");
}

}  // namespace
}  // namespace jiaozi::registry
