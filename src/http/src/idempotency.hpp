// The memory of answered requests (docs/api.md, "Idempotency"), for every POST but those whose service remembers by
// itself (payments, refunds). Application thread only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/http/message.hpp>
#include <jiaozi/identity/api_keys.hpp>
#include <jiaozi/registry/keys.hpp>

namespace jiaozi::http {

// How long an outcome is kept. Ids derived from keys are for ever, so even later a retry meets the same object.
inline constexpr Duration idempotency_kept = seconds(7 * 24 * 60 * 60);

enum class Repeat : std::uint8_t {
    none,     // not a POST, or one that makes nothing
    service,  // the service remembers by id and request hash
    stored,   // the outcome is stored here
    sealed,   // the same, and it contains a secret: sealed with the caller's own key, which the server does not keep
};

// SHA-256("jiaozi/id/1" ‖ owner ‖ verb ‖ path ‖ key), the parts divided by newlines, which none of them can contain.
// The owner is the key's person, or an operator's key itself. Its first 16 bytes are the id of what a POST makes.
crypto::Digest idempotency_digest(const identity::Principal& principal, Method method, std::string_view path,
                                  std::string_view key);

// The one header by that name; Error invalid if it is given twice, is empty, too long or not printable ASCII, or if a
// header only looks like it (X-Idempotency-Key, …): elsewhere ignoring such a header ran a second charge.
Result<std::optional<std::string_view>> idempotency_key(const Request& request);

class Idempotency;

// A key in use by one request. Told of the outcome it stores it; dropped without one it gives the key free.
class IdempotencyClaim {
  public:
    IdempotencyClaim(Idempotency& owner, std::string name, Bytes seal_key)
        : owner_(&owner), name_(std::move(name)), seal_key_(std::move(seal_key)) {}
    ~IdempotencyClaim();
    IdempotencyClaim(const IdempotencyClaim&) = delete;
    IdempotencyClaim& operator=(const IdempotencyClaim&) = delete;
    void outcome(int status, std::string_view body);

  private:
    Idempotency* owner_;
    std::string name_;
    Bytes seal_key_;  // empty: stored as it is
    bool told_ = false;
};

struct Remembered {
    int status = 0;
    std::string body;
};

class Idempotency {
  public:
    Idempotency(registry::Session& session, const Clock& clock) : session_(&session), clock_(&clock) {}

    // Either the first outcome, to be replayed, or a claim under which this request runs. `bearer` is the caller's API
    // key as sent; needed for sealed outcomes. Errors: conflict `request_in_flight`; declined `idempotency_error` when
    // the body is another one.
    struct Begin {
        std::optional<Remembered> replay;
        std::unique_ptr<IdempotencyClaim> claim;
    };
    Result<Begin> begin(const crypto::Digest& digest, ByteView request_hash, Repeat repeat, std::string_view bearer);
    // Forgets what is older than idempotency_kept. Call now and then.
    void purge();
    // The registry goes away: claims that end later are dropped.
    void detach() noexcept;

  private:
    friend class IdempotencyClaim;
    Result<Begin> replay(const registry::IdempotencyRecord& record, ByteView request_hash, ByteView seal_key) const;
    void store(const std::string& name, int status, std::string body);
    void release(const std::string& name);

    registry::Session* session_;
    const Clock* clock_;
    std::unordered_map<std::string, Bytes> in_flight_;  // name → request hash
};

}  // namespace jiaozi::http
