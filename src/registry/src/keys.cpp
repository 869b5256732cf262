#include <jiaozi/registry/keys.hpp>

#include "rows.hpp"

namespace jiaozi::registry {

template <>
struct Map<ApiKey> {
    static constexpr std::string_view kind = "api_key", table = "api_keys", order = "created";
    static void fields(auto& visit, auto& key) {
        visit("id", key.id);
        visit("name", key.name, Text{1, 200});
        visit("hash", key.hash, Text{1, 64});
        visit("last4", key.last4, Text{0, 4});
        visit("scopes", key.scopes);
        visit("person_id", key.person);
        visit("revoked", key.revoked);
        visit("created", key.created);
    }
};

template <>
struct Map<IdempotencyRecord> {
    static constexpr std::string_view kind = "idempotency_key", table = "idempotency";
    static void fields(auto& visit, auto& record) {
        visit("key", record.key, Text{1, 512});
        visit("request_hash", record.request_hash, Text{0, 64});
        visit("status", record.status);
        visit("body", record.body, Text{0, 262'144});
        visit("created", record.created);
    }
};

Result<> insert(Session& session, const ApiKey& key) {
    return insert_row(session, key);
}
Result<> update(Session& session, const ApiKey& key) {
    return update_row(session, key);
}
Result<ApiKey> get_api_key(Session& session, ApiKeyId id) {
    return get_row<ApiKey>(session, id);
}
Result<ApiKey> get_api_key_by_hash(Session& session, ByteView hash) {
    return get_row<ApiKey>(session, "hash", param(hash), "with this hash");
}
Result<Listing<ApiKey>> list_api_keys(Session& session, const Page& page) {
    return list_rows<ApiKey>(session, Where(select_from<ApiKey>()), page);
}

Result<> insert(Session& session, const IdempotencyRecord& record) {
    return insert_row(session, record);
}
Result<> update(Session& session, const IdempotencyRecord& record) {
    return update_row(session, record);
}

Result<std::optional<IdempotencyRecord>> find_idempotency(Session& session, std::string_view key) {
    JZ_CHECK(check_text("idempotency_key", "key", key, Text{1, 512}));
    JZ_TRY(auto found, read_all<IdempotencyRecord>(session, Sql(select_from<IdempotencyRecord>())
                                                                << " WHERE key = " << param(key)));
    if (found.empty()) return std::optional<IdempotencyRecord>();
    return std::optional<IdempotencyRecord>(std::move(found.front()));
}

Result<> erase_idempotency(Session& session, std::string_view key) {
    JZ_CHECK(check_text("idempotency_key", "key", key, Text{1, 512}));
    JZ_CHECK(
        session.connection().execute("idempotency_key", Sql("DELETE FROM idempotency WHERE key = ") << param(key)));
    return {};
}

Result<std::uint64_t> purge_idempotency(Session& session, Timestamp before) {
    return session.connection().execute("idempotency_key", Sql("DELETE FROM idempotency WHERE created < ")
                                                               << param(before));
}

}  // namespace jiaozi::registry
