// API keys: bearer tokens for programs and people.
//
//   sk_test_ and 32 random letters and digits (190 bits); shown once, stored as SHA-256, so a stolen database opens
//   nothing. Scopes: "*", or resource:read, resource:write (which includes read), resource:*, where the resource is a
//   list of the HTTP interface: payments, devices, groups, …
//
// A key can only narrow who makes it: no scope that its maker lacks, and a person's key makes keys of that person only.
// Errors: unauthenticated `key_invalid`, `key_revoked`; forbidden `scope_missing`, `scope_too_wide`; invalid (name,
// scopes); those of the registry. Application thread only. authenticate() reads memory only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <jiaozi/api/events.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/model/records.hpp>
#include <jiaozi/registry/store.hpp>

namespace jiaozi::identity {

// Who a request comes from.
struct Principal {
    ApiKeyId key;
    PersonId person;  // none: an operator
    std::vector<std::string> scopes;

    bool may(std::string_view resource, std::string_view action) const;
    // Error forbidden `scope_missing`, naming the scope that would do.
    Result<> require(std::string_view resource, std::string_view action) const;
};

// "*" or resource:action; resource 1..32 of a-z and _, action read, write or *.
bool is_scope(std::string_view scope);
// True if whoever holds `held` may do all that `wanted` allows.
bool covers(std::string_view held, std::string_view wanted);

struct NewApiKey {
    ApiKeyId id;
    std::string name;                 // 1 to 200 bytes
    std::vector<std::string> scopes;  // 1 to 64
    PersonId person;                  // none: an operator's key
};

struct ApiKeyWithSecret {
    ApiKey key;
    std::string secret;  // the token; this is the only time it is shown
};

class ApiKeys {
  public:
    // Both must outlive this; the session is the service's own.
    static Result<std::unique_ptr<ApiKeys>> load(registry::Session& session, const Clock& clock,
                                                 api::EventSignal& events);

    // maker: nullptr for the operator at the console, who may give any scope.
    Result<ApiKeyWithSecret> create(const NewApiKey& wanted, const Principal* maker);
    // The token without "Bearer ". Good until the next call that changes keys.
    Result<const Principal*> authenticate(std::string_view token) const;
    // A key revoked already is fine. A person's key revokes that person's keys only (Error not_found
    // api_key_not_found).
    Result<ApiKey> revoke(ApiKeyId id, const Principal* by);
    std::size_t count() const noexcept { return by_hash_.size(); }

  private:
    struct Entry {
        Principal principal;
        bool revoked = false;
    };
    ApiKeys(registry::Session& session, const Clock& clock, api::EventSignal& events)
        : session_(&session), clock_(&clock), events_(&events) {}
    void remember(const ApiKey& key);

    registry::Session* session_;
    const Clock* clock_;
    api::EventSignal* events_;
    std::unordered_map<std::string, Entry> by_hash_;  // the hash's bytes; revoked ones too, to say so
};

}  // namespace jiaozi::identity
