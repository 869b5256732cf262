// The key that signs for one purse, wherever it lives, and the counter beside it that cannot go back.
//
//   class  kept in                      the key can be copied   a restored purse file   an overlap is signed
//   A0     encrypted file               by whoever unlocks it   is not noticed          yes
//   A1     security module (PKCS#11)    no                      is not noticed          yes
//   A2     TPM 2.0 with an NV counter   no                      is refused              yes (by a changed program)
//   A3     card that judges notes       no                      is refused              no
//
// The table as data is `promise_of`; what it does and does not mean: docs/keystores.md.
//
// Errors of every kind of key: unauthenticated (wrong PIN or passphrase; the message says how many tries are left where
// that is known), forbidden with code "pin_locked" (no tries left), not_found (no such key or token), unavailable (the
// device is gone or busy: safe to try again), declined (the card judged a note and refuses it; the message says which
// rule), corrupt, io. Thread-safe: calls on one key take turns.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/signature.hpp>

namespace jiaozi::keystores {

// The numbers stand in load certificates: never renumber.
enum class Assurance : std::uint8_t { a0 = 0, a1 = 1, a2 = 2, a3 = 3 };

struct Promise {
    Assurance assurance;
    std::string_view name;  // "A0"
    bool key_never_leaves;  // nobody can copy the private key, not even its owner
    bool has_counter;       // a purse file put back from yesterday is refused (CountedFile)
    bool overlap_refused;   // the key itself refuses a note that a fork proof could be made of
};

inline constexpr std::array<Promise, 4> promises = {{
    {Assurance::a0, "A0", false, false, false},
    {Assurance::a1, "A1", true, false, false},
    {Assurance::a2, "A2", true, true, false},
    {Assurance::a3, "A3", true, true, true},
}};

constexpr const Promise& promise_of(Assurance assurance) noexcept {
    return promises[static_cast<std::size_t>(assurance)];
}

// A number that only grows, whatever is restored, killed or switched off. Starts at any value.
class MonotonicCounter {
  public:
    virtual ~MonotonicCounter() = default;
    virtual Result<std::uint64_t> read() = 0;
    // Adds one and returns the new value. After an error the step may or may not have been taken: read() tells.
    virtual Result<std::uint64_t> increment() = 0;
};

class PurseKey : public crypto::Signer {
  public:
    virtual Assurance assurance() const noexcept = 0;
    // Null where there is none (A0, A1). Lives as long as the key.
    virtual MonotonicCounter* counter() noexcept = 0;
};

// The id of a purse's anchor (docs/protocol/offline.md, section 10.3): of this key, and no other has it.
std::array<std::uint8_t, 16> anchor_id(const PurseKey& key);

// Steps until the counter is at `target`, at most `max_steps` at once; a no-op when it is there. Error conflict when it
// is above already, too_large when it is too far away.
inline constexpr std::uint64_t max_steps = 1024;
Result<void> advance_to(MonotonicCounter& counter, std::uint64_t target);

}  // namespace jiaozi::keystores
