// The rows of a settlement book on disk, as docs/formats/books.md specifies them; names are the page's names. All
// integers little-endian, no padding.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include <jiaozi/purse/bytes.hpp>
#include <jiaozi/settlement/book.hpp>

namespace jiaozi::settlement::rows {

// Stable numbers.
enum class Part : std::uint32_t {
    totals = 33,
    purses = 34,
    heard = 35,
    releases = 36,
    lots = 37,
    notes = 38,
    links = 39,
    spans = 40,
    ids = 41,
    claims = 42,
    conflicts = 43,
    lists = 44,
    work = 45,
    texts = 46,
    owed = 47,
};

struct Totals {
    std::uint64_t last_change = 0;
    std::uint32_t root_size = 0;
    std::uint32_t proofs = 0;
    std::uint32_t alarms = 0;
    std::uint32_t reserved_20 = 0;
};

struct Purse {
    uint128 wallet = 0;
    uint128 holder = 0;
    uint128 device = 0;
    std::uint64_t enrolled_ns = 0;
    std::uint64_t received = 0;
    std::uint64_t ready = 0;
    std::uint64_t collateral = 0;
    std::uint64_t per_payment = 0;
    std::uint32_t asset = 0;
    std::uint32_t hold_until = 0;
    std::uint32_t through = 0;
    std::uint32_t highest_heard = 0;
    std::uint32_t syncs = 0;
    std::uint32_t synced_at = 0;
    std::uint32_t last_seen = 0;
    std::uint32_t sweeps = 0;
    std::uint8_t state = 0;
    std::uint8_t assurance = 0;
    std::uint8_t suite = 0;
    std::uint8_t key_size = 0;
    std::array<std::uint8_t, 68> key{};
};

struct Heard {
    std::uint32_t purse = 0;
    std::uint32_t seq = 0;
};

struct Release {
    purse::Id note{};
    std::uint32_t purse = 0;
    std::uint32_t sync = 0;
};

struct Lot {
    uint128 load = 0;
    purse::Id id{};
    purse::Kid issuer{};
    std::uint64_t serial = 0;
    std::uint64_t amount = 0;
    std::uint64_t per_payment = 0;
    std::uint64_t paid = 0;
    std::uint64_t reserve = 0;
    std::uint32_t purse = 0;
    std::uint32_t settle_by = 0;
    std::uint32_t directed = 0;
    std::uint32_t attempts = 0;
    std::uint32_t certificate_size = 0;
    std::uint8_t state = 0;
    std::uint8_t hops = 0;
    std::uint16_t reserved_118 = 0;
    std::uint64_t reserved_120 = 0;
};

inline constexpr std::uint8_t note_contested = 1;
inline constexpr std::uint8_t note_by_payee = 2;

struct Note {
    purse::Id id{};
    purse::Id request{};
    std::uint64_t amount = 0;
    std::uint64_t journal = 0;
    std::uint64_t heard_ns = 0;
    std::uint32_t payer = 0;
    std::uint32_t seq = 0;
    std::uint32_t payee = 0;
    std::uint32_t deadline = 0;
    std::uint32_t payouts = 0;
    std::uint32_t same_request = 0;
    std::uint32_t links = 0;
    std::uint32_t made = 0;
    std::uint32_t reserved_120 = 0;
    std::uint8_t state = 0;
    std::uint8_t hop = 0;
    std::uint8_t max_hops = 0;
    std::uint8_t flags = 0;
};

inline constexpr std::uint32_t link_lot = 1;
inline constexpr std::uint32_t link_behind = 2;

struct Link {
    std::uint64_t offset = 0;
    std::uint64_t amount = 0;
    std::uint32_t target = 0;
    std::uint32_t flags = 0;
};

enum class SpanKind : std::uint32_t { lot = 1, note = 2, vain_lot = 3, vain_note = 4, contested = 5 };

struct Span {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    std::uint32_t kind = 0;
    std::uint32_t target = 0;
    std::uint32_t owner = 0;
    std::uint32_t reserved_28 = 0;
};

enum class IdKind : std::uint32_t { voided = 1, published = 2 };

struct Id {
    purse::Id id{};
    std::uint32_t kind = 0;
    std::uint32_t value = 0;
};

struct Claim {
    std::uint64_t amount = 0;
    std::uint64_t collected = 0;
    std::uint32_t note = 0;
    std::uint32_t debtor = 0;
    std::uint32_t creditor = 0;
    std::uint32_t lot = 0;
    std::uint32_t attempts = 0;
    std::uint32_t reserve = 0;
};

struct Conflict {
    std::uint32_t first = 0;
    std::uint32_t second = 0;
    std::uint32_t culprit = 0;
    std::uint32_t proof_stored = 0;
};

struct List {
    std::uint32_t version = 0;
    std::uint32_t time = 0;
    std::uint32_t enrolled = 0;
    std::uint32_t head_size = 0;
    std::uint32_t body_size = 0;
};

struct Owed {
    std::uint64_t amount = 0;
    std::uint64_t settled_ns = 0;
    std::uint32_t note = 0;
    std::uint32_t reserved_20 = 0;
};

enum class WorkKind : std::uint32_t { pending = 1, held = 2, open_claim = 3, sweepable = 4, listed = 5 };

struct Work {
    std::uint32_t kind = 0;
    std::uint32_t key = 0;
    std::uint32_t value = 0;
};

template <class Row, std::size_t size>
inline constexpr bool frozen =
    sizeof(Row) == size && std::is_trivially_copyable_v<Row> && std::has_unique_object_representations_v<Row>;
static_assert(frozen<Totals, 24> && frozen<Purse, 192> && frozen<Heard, 8> && frozen<Release, 40> && frozen<Lot, 128>);
static_assert(frozen<Note, 128> && frozen<Link, 24> && frozen<Span, 32> && frozen<Id, 40> && frozen<Claim, 40>);
static_assert(frozen<Conflict, 16> && frozen<List, 20> && frozen<Work, 12> && frozen<Owed, 24>);

}  // namespace jiaozi::settlement::rows
