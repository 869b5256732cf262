// What a command of this service says about itself in its annotation: docs/settlement.md, In the journal. Decoding is
// safe on any bytes. Pure functions, thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/id.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/model/ids.hpp>
#include <jiaozi/money/asset.hpp>
#include <jiaozi/purse/objects.hpp>

namespace jiaozi::settlement {

// Made by whoever asks for the load; the idempotency key for ever.
struct LoadIdTag {
    static constexpr std::string_view prefix = "lod";
};
using LoadId = Id<LoadIdTag>;

// The payment that a note is (docs/settlement.md, Payments): FF, then the first 15 bytes of the note's id.
PaymentId payment_of(const purse::Id& note) noexcept;
// Such an id, or by chance another's: no device may make one.
bool may_be_offline(PaymentId id) noexcept;

enum class PurseState : std::uint8_t { active = 1, frozen = 3, lost = 4 };

namespace note_flags {
inline constexpr std::uint8_t deposited = 1;     // else it came as provenance
inline constexpr std::uint8_t by_payee = 2;      // the payee has shown who it is
inline constexpr std::uint8_t receipt = 4;       // the receipt is the payee's
inline constexpr std::uint8_t void_request = 8;  // the row is a VOID
}  // namespace note_flags

// `note` is the whole object when the note is new, its id when it was known; or a VOID.
struct NoteRow {
    std::uint8_t flags = 0;
    Bytes note;
    Bytes receipt;
};
struct NotesFact {
    std::vector<NoteRow> rows;
};
struct EnrolledFact {
    std::uint32_t ordinal = 0;
    Bytes key;
    crypto::Suite suite = crypto::Suite::ed25519;
    std::uint8_t assurance = 0;
    WalletId wallet;
    uint128 holder = 0;  // whose purses are capped together: a group, a merchant
    Asset asset;
    DeviceId device{};  // may speak for the purse by its own messages; or none
};
struct LoadedFact {
    LoadId load;
    Bytes certificate;
    std::uint64_t collateral = 0;
};
struct ClosedFact {
    struct Part {
        std::uint64_t claim = 0;
        std::uint64_t amount = 0;
    };
    std::uint64_t serial = 0;
    std::uint64_t refund = 0;
    std::uint64_t collateral = 0;  // goes back with it
    std::vector<Part> claims;
};
// From the debtor's received account, collateral and wallet, and from the reserve.
inline constexpr std::size_t recovery_sources = 4;
struct CollectedFact {
    std::uint64_t claim = 0;
    std::array<std::uint64_t, recovery_sources> parts{};
};
struct SweptFact {
    struct Row {
        std::uint32_t ordinal = 0;
        std::uint64_t amount = 0;
    };
    std::vector<Row> rows;
};
struct StateFact {
    std::uint32_t ordinal = 0;
    PurseState state = PurseState::active;
};
struct SyncFact {
    Bytes object;
    std::uint32_t last_seen = 0;
};
struct ListFact {
    Bytes head;
    Bytes body;
};
struct RootFact {
    Bytes document;
};
struct ProofFact {
    Bytes proof;
};
// A HEAD signed by a key of ours that the ledger has not published.
struct AlarmFact {
    Bytes head;
};
struct LapsedFact {
    struct Row {
        purse::Id note{};
        bool paid = false;
    };
    std::vector<Row> rows;
};

using Fact = std::variant<NotesFact, EnrolledFact, LoadedFact, ClosedFact, CollectedFact, SweptFact, StateFact,
                          SyncFact, ListFact, RootFact, ProofFact, LapsedFact, AlarmFact>;
inline constexpr std::uint64_t first_kind = 64;
// Of notes and of lapses: their rows are parts of a receipt each (docs/formats/receipt.md). The journals of earlier
// commits have them as kinds 64 and 75.
inline constexpr std::uint64_t notes_kind = 96;
inline constexpr std::uint64_t lapsed_kind = 97;

Bytes encode(const Fact& fact);
// A row that tells of a note: all of it, or when the ledger knew it already its id.
struct ToldNote {
    purse::Id id{};
    std::optional<purse::Note> note;
};
// nullopt: a VOID, or neither a note nor an id.
std::optional<ToldNote> told_by(const NoteRow& row);

// nullopt: empty, or another service's. Errors malformed, invalid: one of ours that breaks the page.
Result<std::optional<Fact>> decode_annotation(ByteView annotation);

}  // namespace jiaozi::settlement
