// What is derived from the journal, written to a snapshot and read from one: docs/formats/snapshot.md, part 2.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <type_traits>

#include <jiaozi/engine/snapshot.hpp>
#include <jiaozi/storage/journal.hpp>
#include <jiaozi/storage/snapshot.hpp>

#include "recovery.hpp"

namespace jiaozi::engine {

// The engine's sections; the ledger's have the numbers of ledger::Part.
enum class SnapshotPart : std::uint32_t {
    event_points = 16,
    feed_points = 17,
    outcomes = 18,
    event_parts = 19,
    history_tail = 20,
};

struct EventPointsRow {
    std::uint64_t events = 0;
    std::uint64_t since_point = 0;
};
struct FeedPointsRow {
    std::uint64_t since_point = 0;
    std::uint64_t reserved_8 = 0;
};
struct PointRow {
    std::uint64_t first = 0;
    std::uint64_t entry = 0;
    std::uint64_t segment = 0;
    std::uint64_t offset = 0;
};
struct UncarriedRow {
    std::uint64_t first_entry = 0;
    std::uint32_t count = 0;
    std::uint32_t reserved_12 = 0;
};
struct EventPartRow {
    PointRow place;
    std::uint32_t events = 0;
    std::uint32_t first = 0;
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
    std::uint32_t left = 0;
    std::uint32_t annotation = 0;
    std::uint64_t last_ns = 0;
    std::uint64_t check = 0;
    std::uint32_t account_ledger = 0;
    std::uint32_t ledger = 0;
    uint128 account_id = 0;
    uint128 id = 0;
    uint128 debit_account_id = 0;
    uint128 credit_account_id = 0;
    uint128 pending_id = 0;
    std::uint16_t account_code = 0;
    std::uint16_t code = 0;
    std::uint32_t reserved_164 = 0;
    std::uint64_t reserved_168 = 0;
};
struct HistoryTailRow {
    std::uint64_t reach = 0;
    std::uint64_t reserved_8 = 0;
};
static_assert(sizeof(HistoryTailRow) == 16);
static_assert(sizeof(EventPartRow) == 176 && std::has_unique_object_representations_v<EventPartRow> &&
              std::is_trivially_copyable_v<EventPartRow>);
static_assert(sizeof(EventPointsRow) == 16 && sizeof(FeedPointsRow) == 16 && sizeof(PointRow) == 32 &&
              sizeof(UncarriedRow) == 16);
static_assert(std::has_unique_object_representations_v<PointRow> &&
              std::has_unique_object_representations_v<UncarriedRow> && std::is_trivially_copyable_v<PointRow>);

inline constexpr const char* snapshots_folder = "snapshots";

// A ledger of one's own, for a replay beside the engine's.
struct Replica {
    // Without a store it has no histories.
    Replica(storage::Disk& disk, const std::filesystem::path& directory, const HistoryStore* store = nullptr)
        : events(disk, directory / "journal"), histories(store), ledger(events, &histories), hub(0) {}
    Derived derived() { return {ledger, events, hub, histories}; }

    EventLog events;
    SnapshotHistories histories;
    ledger::Ledger ledger;
    FeedHub hub;
};

// Where a replay may go on.
struct Start {
    Tip tip;
    storage::KnownEntry last;
};

// Writes the file, durably, and removes those that are neither this one nor the one of `base_sequence`. Stops with
// unavailable when `cancelled` becomes true. `tail` are the changes that runs do not have.
Result<std::uint64_t> save_snapshot(storage::Disk& disk, const std::filesystem::path& directory, const Derived& derived,
                                    const HistoryTail& tail, const Start& at, std::uint64_t base_sequence,
                                    const std::atomic<bool>& cancelled);

// Of one file, after its entry was found in the journal. On an Error `derived` is as it was: empty.
Result<Start> load_snapshot(storage::Disk& disk, const std::filesystem::path& directory, std::uint64_t sequence,
                            const Derived& derived);

// The newest snapshot of `directory` (a data directory) that is whole and belongs to its journal; the others are left
// alone, with a warning, and counted. None: begin at the journal's first entry.
std::optional<Start> load_newest(storage::Disk& disk, const std::filesystem::path& directory, const Derived& derived,
                                 std::uint64_t& skipped);

// A leftover of a process that ended while it wrote one.
Result<> remove_unfinished_snapshot(storage::Disk& disk, const std::filesystem::path& directory);

}  // namespace jiaozi::engine
