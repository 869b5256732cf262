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
    std::uint32_t command_count = 0;
    std::uint32_t outcomes_size = 0;
    std::uint64_t reserved_16 = 0;
    std::uint64_t reserved_24 = 0;
};

struct CommandHeader {
    std::uint64_t timestamp = 0;
    std::uint32_t account_count = 0;
    std::uint32_t flag_change_count = 0;
    std::uint32_t transfer_count = 0;
    std::uint32_t annotation_size = 0;
    std::uint64_t reserved_24 = 0;
};

struct FlagChangeRow {
    uint128 account_id = 0;
    std::uint16_t set = 0;
    std::uint16_t clear = 0;
    std::uint32_t reserved_20 = 0;
    std::uint64_t reserved_24 = 0;
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
static_assert(frozen<PayloadHeader, 32> && frozen<CommandHeader, 32> && frozen<FlagChangeRow, 32> &&
              frozen<OutcomesHeader, 16> && frozen<ExceptionRow, 16> && frozen<ExpiredRow, 32>);
static_assert(frozen<ledger::Account, 128> && frozen<ledger::Transfer, 128>);

inline constexpr std::size_t command_alignment = 16;

// How many events a command has, and so how many timestamps it uses besides the one for expiry.
std::uint64_t event_count(const Command& command) noexcept;
// The bytes a command takes in a payload.
std::size_t encoded_size(const Command& command) noexcept;

// Builds a payload. Keeps its memory between entries.
class PayloadEncoder {
  public:
    void begin(std::uint64_t first_sequence);
    void add(const Command& command, Timestamp timestamp);
    // The whole payload; valid until begin. `outcomes` is what OutcomeRecorder gave for the entry before.
    ByteView finish(ByteView outcomes);
    std::size_t size() const noexcept { return bytes_.size(); }

  private:
    PayloadHeader header_;
    Bytes bytes_;
};

// Collects what applying an entry gave, sparsely: only refusals and expiries take room.
class OutcomeRecorder {
  public:
    void begin();
    // `command` is the index in the entry; in order.
    void add(std::uint32_t command, const Outcome& outcome, const std::vector<ledger::Expired>& expired);
    // Appends the outcomes part to `out`.
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
    ByteView outcomes;  // of the entry before; into the bytes that were decoded
};

// Error corrupt with the cause: sizes, counts, reserved fields, padding, order of timestamps. What the ledger thinks of
// the events is not looked at.
Result<Payload> decode_payload(ByteView bytes);

// Joins commands with the outcomes that the following entry (or the engine) holds for them. Error corrupt.
Result<std::vector<Committed>> with_outcomes(std::uint64_t first_sequence, std::vector<TimedCommand> commands,
                                             ByteView outcomes);

}  // namespace jiaozi::engine
