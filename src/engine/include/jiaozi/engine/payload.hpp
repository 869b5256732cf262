// The payload of a journal entry: one group commit, and the outcomes of the one before it. Bytes as specified in
// docs/formats/journal.md, part 2; names are the page's names. Decoding is safe on hostile input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/engine/command.hpp>

namespace jiaozi::engine {

struct PayloadHeader {
    std::uint64_t first_sequence = 0;
    std::uint64_t outcomes_first_entry = 0;  // zero if there are none
    std::uint32_t command_count = 0;
    std::uint32_t outcomes_size = 0;
    std::uint32_t outcomes_count = 0;  // blocks: one for each of as many entries in a row
    std::uint32_t reserved_28 = 0;
};

struct OutcomesHeader {
    std::uint32_t exception_count = 0;
    std::uint32_t expired_count = 0;
    std::uint64_t reserved_8 = 0;
};

enum class EventKind : std::uint32_t { account = 0, flag_change = 1, transfer = 2 };

struct ExceptionRow {
    std::uint32_t command = 0;
    EventKind kind = EventKind::account;
    std::uint32_t event = 0;
    std::uint32_t result = 0;
};

struct ExpiredRow {
    uint128 pending_id = 0;
    std::uint64_t timestamp = 0;
    std::uint32_t command = 0;
    std::uint32_t reserved_28 = 0;
};

template <class Row, std::size_t size>
inline constexpr bool frozen =
    sizeof(Row) == size && std::is_trivially_copyable_v<Row> && std::has_unique_object_representations_v<Row>;
static_assert(frozen<PayloadHeader, 32> && frozen<OutcomesHeader, 16> && frozen<ExceptionRow, 16> &&
              frozen<ExpiredRow, 32>);

// Bits of the compact records, named as on the page.
namespace command_bits {
inline constexpr std::uint8_t accounts = 1, flag_changes = 2, transfers = 4, annotation = 8, one_transfer = 16;
}
namespace transfer_bits {
inline constexpr std::uint8_t same_kind = 1, flags = 2, user_data = 4, timeout = 8, timestamp = 16, everything = 32;
}
namespace account_bits {
inline constexpr std::uint16_t debits_pending = 1, debits_posted = 2, credits_pending = 4, credits_posted = 8;
inline constexpr std::uint16_t user_data_128 = 16, user_data_64 = 32, user_data_32 = 64, same_kind = 128, flags = 256;
inline constexpr std::uint16_t reserved = 512, timestamp = 1024;
inline constexpr unsigned id_form_shift = 11;
inline constexpr std::uint16_t unknown = 0xE000;
}  // namespace account_bits
// What one entry can hold; a writer's groups stay far below.
inline constexpr std::uint32_t max_entry_commands = std::uint32_t{1} << 20;
inline constexpr std::uint64_t max_entry_events = std::uint64_t{1} << 20;

// How an id is written. `repeated`: for accounts of a transfer, that of the transfer before; for the id of a transfer
// or an account, one more than that of the one before.
enum class IdForm : std::uint8_t { zero = 0, small = 1, whole = 2, repeated = 3 };

// How many events a command has, and so how many timestamps it uses besides the one for expiry.
std::uint64_t event_count(const Command& command) noexcept;
// About what a command takes in a payload and in the queue; annotations count exactly. For limits, not for buffers.
std::size_t estimated_size(const Command& command) noexcept;

// Outcomes of entries that came before, as they travel in a payload: `blocks` holds one block after the other.
struct CarriedOutcomes {
    std::uint64_t first_entry = 0;
    std::uint32_t count = 0;
    ByteView blocks;
};

// What a record can leave out because the one before it said the same: that part of the one before.
struct AccountBefore {
    uint128 id = 0;
    std::uint32_t ledger = 0;
    std::uint16_t code = 0;
};
struct TransferBefore {
    uint128 id = 0;
    uint128 debit_account_id = 0;
    uint128 credit_account_id = 0;
    uint128 pending_id = 0;
    std::uint32_t ledger = 0;
    std::uint16_t code = 0;
};
struct Neighbours {
    AccountBefore account;
    TransferBefore transfer;
};

// A run of a payload's transfer events that can be read without the rest: its bytes, and what those before it left
// behind. Not stored: whoever writes or reads a payload learns them on the way.
struct Stretch {
    static constexpr std::uint32_t max_events = 256;

    std::uint32_t first = 0;       // of its events: an index over all transfers of the payload
    std::uint32_t events = 0;      // 1 to max_events
    std::uint32_t offset = 0;      // in the payload
    std::uint32_t size = 0;        // bytes, up to the next stretch or the end of the commands
    std::uint32_t left = 0;        // transfers of the first event's command, from that event on,
    std::uint32_t annotation = 0;  // bytes of that command's annotation, behind them,
    std::uint64_t last_ns = 0;     // and its timestamp
    std::uint64_t check = 0;       // XXH3 of the bytes; zero if there is no other stretch
    Neighbours before;
};

std::uint64_t stretch_check(ByteView bytes) noexcept;

// Collects the stretches of a payload while its records are written or read, in order.
class StretchKeeper {
  public:
    void begin();
    // True when the transfer that comes next begins a stretch: then call start.
    bool due() noexcept {
        ++events_;
        return (events_ - 1) % Stretch::max_events == 0;
    }
    // `stretch` says where and what is before; `offset` is in it.
    void start(const Stretch& stretch) { stretches_.push_back(stretch); }
    // All of them; `commands` are the payload's bytes up to the end of its commands.
    const std::vector<Stretch>& finish(ByteView commands);
    const std::vector<Stretch>& stretches() const noexcept { return stretches_; }

  private:
    std::vector<Stretch> stretches_;
    std::uint32_t events_ = 0;
};

class Writer;

// Builds a payload. Keeps its memory between entries.
class PayloadEncoder {
  public:
    void begin(std::uint64_t first_sequence);
    void add(const Command& command, Timestamp timestamp);
    // The whole payload; valid until begin.
    ByteView finish(const CarriedOutcomes& outcomes);
    std::size_t size() const noexcept { return size_; }
    // Of the payload that was finished; valid until begin.
    const std::vector<Stretch>& stretches() const noexcept { return stretches_.stretches(); }

  private:
    std::uint8_t* make_room(std::size_t bytes);
    void put_transfers(Writer& out, const Command& command);

    PayloadHeader header_;
    Bytes bytes_;           // at least size_ of them
    std::size_t size_ = 0;  // used
    std::uint64_t timestamp_ = 0;
    Neighbours before_;
    StretchKeeper stretches_;
};

// Collects what applying an entry gave, sparsely: only refusals and expiries take room.
class OutcomeRecorder {
  public:
    void begin();
    // `command` is the index in the entry; in order.
    void add(std::uint32_t command, const Outcome& outcome, const std::vector<ledger::Expired>& expired);
    // Appends one block to `out`.
    void finish(Bytes& out) const;

  private:
    std::vector<ExceptionRow> exceptions_;
    std::vector<ExpiredRow> expired_;
};

struct TimedCommand {
    Timestamp timestamp;
    Command command;
};

struct Payload {
    std::uint64_t first_sequence = 0;
    std::vector<TimedCommand> commands;
    CarriedOutcomes outcomes;  // into the bytes that were decoded
    std::vector<Stretch> stretches;
};

// Error corrupt with the cause: sizes, counts, reserved bits, a value not written in its one way. What the ledger
// thinks of the events is not looked at.
Result<Payload> decode_payload(ByteView bytes);

// The first `count` transfer events of one stretch, with the timestamps they got; `bytes` are the stretch's own. Error
// corrupt, also when they fail the stretch's check.
Result<std::vector<ledger::Transfer>> decode_stretch(const Stretch& stretch, ByteView bytes,
                                                     std::size_t count = Stretch::max_events);

// The blocks one by one. Error corrupt if they are not as many as said, or something is left over.
Result<std::vector<ByteView>> split_outcomes(const CarriedOutcomes& outcomes);

// Joins the commands of an entry with its block of outcomes, which a later entry (or the engine) holds. Error corrupt.
Result<std::vector<Committed>> with_outcomes(std::uint64_t first_sequence, std::vector<TimedCommand> commands,
                                             ByteView outcomes);

}  // namespace jiaozi::engine
