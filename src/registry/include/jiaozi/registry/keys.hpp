// API keys and the memory of idempotent requests. Errors and threading: store.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <jiaozi/model/records.hpp>
#include <jiaozi/registry/page.hpp>
#include <jiaozi/registry/store.hpp>

namespace jiaozi::registry {

// Only the key's hash is stored; it is unique.
Result<> insert(Session& session, const ApiKey& key);
Result<> update(Session& session, const ApiKey& key);
Result<ApiKey> get_api_key(Session& session, ApiKeyId id);
Result<ApiKey> get_api_key_by_hash(Session& session, ByteView hash);  // revoked ones too
Result<Listing<ApiKey>> list_api_keys(Session& session, const Page& page);

// What a request with an idempotency key was answered. `key` is the caller's scope and key in one text (1 to 512
// bytes). status 0 says that the first request is still being worked on.
struct IdempotencyRecord {
    std::string key;
    Bytes request_hash;
    std::int32_t status = 0;
    std::string body;  // UTF-8, at most 256 KiB
    Timestamp created;
};
Result<> insert(Session& session, const IdempotencyRecord& record);  // already_exists: somebody else was first
Result<> update(Session& session, const IdempotencyRecord& record);
Result<std::optional<IdempotencyRecord>> find_idempotency(Session& session, std::string_view key);
Result<> erase_idempotency(Session& session, std::string_view key);           // a key that is not there is fine
Result<std::uint64_t> purge_idempotency(Session& session, Timestamp before);  // how many went

}  // namespace jiaozi::registry
