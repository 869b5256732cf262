#include <algorithm>
#include <array>

#include <jiaozi/api/json.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/identity/api_keys.hpp>
#include <jiaozi/registry/keys.hpp>

#include "record_change.hpp"

namespace jiaozi::identity {
namespace {

constexpr std::string_view prefix = "sk_test_";
constexpr std::size_t random_characters = 32;
constexpr std::size_t max_token = 128;
constexpr std::size_t max_scopes = 64;
constexpr std::string_view base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

std::string new_token() {
    std::string token(prefix);
    while (token.size() < prefix.size() + random_characters) {
        std::array<std::uint8_t, random_characters> random{};
        crypto::random_bytes(random);
        for (const std::uint8_t byte : random) {
            // 248 = 4 × 62: what is above would make the first digits likelier.
            if (byte < 248 && token.size() < prefix.size() + random_characters) token += base62[byte % base62.size()];
        }
        crypto::wipe(random);
    }
    return token;
}

std::string hash_of(std::string_view token) {
    const crypto::Digest digest = crypto::sha256(as_bytes(token));
    return std::string(as_text(digest));
}

Error scope_error(std::string_view code, std::string message) {
    return Error(ErrorKind::forbidden, std::move(message)).with_code(code).with_param("scopes");
}

Result<> check_scopes(const std::vector<std::string>& scopes, const Principal* maker) {
    if (scopes.empty() || scopes.size() > max_scopes) {
        return Error(ErrorKind::invalid, "scopes: give 1 to 64").with_param("scopes");
    }
    for (const std::string& scope : scopes) {
        if (!is_scope(scope)) {
            return Error(ErrorKind::invalid,
                         "scopes: \"" + scope + "\" is not *, resource:read, resource:write or resource:*")
                .with_param("scopes");
        }
        const auto holds = [&](const std::string& held) { return covers(held, scope); };
        if (maker != nullptr && std::ranges::none_of(maker->scopes, holds)) {
            return scope_error("scope_too_wide",
                               "scopes: a key can only narrow its maker, which does not hold " + scope);
        }
    }
    return {};
}

}  // namespace

bool is_scope(std::string_view scope) {
    if (scope == "*") return true;
    const std::size_t colon = scope.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon > 32) return false;
    const std::string_view resource = scope.substr(0, colon);
    const std::string_view action = scope.substr(colon + 1);
    return std::ranges::all_of(resource, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; }) &&
           (action == "read" || action == "write" || action == "*");
}

bool covers(std::string_view held, std::string_view wanted) {
    if (held == "*" || held == wanted) return true;
    const std::size_t colon = wanted.find(':');
    if (colon == std::string_view::npos || held.substr(0, colon + 1) != wanted.substr(0, colon + 1)) return false;
    const std::string_view have = held.substr(colon + 1);
    return have == "*" || (have == "write" && wanted.substr(colon + 1) == "read");
}

bool Principal::may(std::string_view resource, std::string_view action) const {
    // One string a request would be a waste; scopes are few and short.
    return std::ranges::any_of(scopes, [&](std::string_view held) {
        if (held == "*") return true;
        if (held.size() <= resource.size() || !held.starts_with(resource) || held[resource.size()] != ':') return false;
        const std::string_view have = held.substr(resource.size() + 1);
        return have == action || have == "*" || (have == "write" && action == "read");
    });
}

Result<> Principal::require(std::string_view resource, std::string_view action) const {
    if (may(resource, action)) return {};
    return Error(ErrorKind::forbidden, "this key lacks the scope " + std::string(resource) + ":" + std::string(action))
        .with_code("scope_missing");
}

Result<std::unique_ptr<ApiKeys>> ApiKeys::load(registry::Session& session, const Clock& clock,
                                               api::EventSignal& events) {
    std::unique_ptr<ApiKeys> keys(new ApiKeys(session, clock, events));
    registry::Page page{.limit = registry::page_limit_max, .starting_after = {}, .ending_before = {}};
    for (bool more = true; more;) {
        JZ_TRY(const auto listing, registry::list_api_keys(session, page));
        for (const ApiKey& key : listing.data) keys->remember(key);
        more = listing.has_more && !listing.data.empty();
        if (more) page.starting_after = listing.data.back().id.to_string();
    }
    return keys;
}

void ApiKeys::remember(const ApiKey& key) {
    by_hash_.insert_or_assign(std::string(as_text(key.hash)), Entry{{key.id, key.person, key.scopes}, key.revoked});
}

Result<ApiKeyWithSecret> ApiKeys::create(const NewApiKey& wanted, const Principal* maker) {
    JZ_CHECK(check_scopes(wanted.scopes, maker));
    if (maker != nullptr && maker->person && wanted.person != maker->person) {
        return Error(ErrorKind::forbidden, "person: a person's key makes keys of that person only")
            .with_code("scope_too_wide")
            .with_param("person");
    }
    ApiKeyWithSecret made{.key = {}, .secret = new_token()};
    const std::string hash = hash_of(made.secret);
    made.key = {.id = wanted.id,
                .name = wanted.name,
                .hash = to_bytes(as_bytes(hash)),
                .last4 = made.secret.substr(made.secret.size() - 4),
                .scopes = wanted.scopes,
                .person = wanted.person,
                .revoked = false,
                .created = clock_->now()};
    JZ_CHECK(record_change(*session_, *clock_, *events_, [&] { return registry::insert(*session_, made.key); },
                           {"api_key.created", made.key.id.to_string(), api::json_of(made.key)}));
    remember(made.key);
    return made;
}

Result<const Principal*> ApiKeys::authenticate(std::string_view token) const {
    // Found by its hash, so the time taken tells nothing about how much of a guess was right.
    if (token.size() <= max_token) {
        if (const auto found = by_hash_.find(hash_of(token)); found != by_hash_.end()) {
            if (!found->second.revoked) return &found->second.principal;
            return Error(ErrorKind::unauthenticated, "this API key was revoked: use another one")
                .with_code("key_revoked");
        }
    }
    return Error(ErrorKind::unauthenticated,
                 "the API key is not one of this server's: send \"Authorization: Bearer sk_test_…\"")
        .with_code("key_invalid");
}

Result<ApiKey> ApiKeys::revoke(ApiKeyId id, const Principal* by) {
    JZ_TRY(ApiKey key, registry::get_api_key(*session_, id));
    if (by != nullptr && by->person && key.person != by->person) {
        return Error(ErrorKind::not_found, "no such API key: " + id.to_string()).with_code("api_key_not_found");
    }
    if (key.revoked) return key;
    key.revoked = true;
    JZ_CHECK(record_change(*session_, *clock_, *events_, [&] { return registry::update(*session_, key); },
                           {"api_key.revoked", key.id.to_string(), api::json_of(key)}));
    remember(key);
    return key;
}

}  // namespace jiaozi::identity
