// The audit from nothing: journal, chain, replay, balances, tree, checkpoints. It reads files and believes none of
// them; it changes nothing, and a server may run meanwhile. docs/proofs.md, "Audit".
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/proof/note.hpp>
#include <jiaozi/proof/replay.hpp>
#include <jiaozi/storage/disk.hpp>

namespace jiaozi::proof {

struct AnchoredRoot {
    std::uint64_t size = 0;
    crypto::Digest root{};
};

// What one place outside has of this log (docs/proofs.md, "Anchors"), as its reader brought it.
struct AnchorPlace {
    std::string name;
    std::vector<std::string> notes;   // signed by the log
    std::vector<AnchoredRoot> roots;  // that the place itself stands for, as a contract does for its publisher
    bool torn = false;                // the last note was cut off while it was written
};

struct AuditOptions {
    std::filesystem::path journal;       // the engine's directory
    std::filesystem::path log;           // may be missing: then there is no tree to check
    Bytes salt_key;                      // empty: the tree can't be made again, which is a finding
    std::vector<std::string> witnesses;  // checkpoints kept elsewhere, as signed notes, to hold the journal against
    std::vector<AnchorPlace> anchors;
    storage::Disk* disk = nullptr;
};

enum class AuditCheck : std::uint8_t { journal, replay, balances, tree, checkpoints, anchors };
std::string_view name_of(AuditCheck check) noexcept;

// An anchored root, and what the journal gives for the same size; nothing when it has fewer commands.
struct AnchorDifference {
    AnchoredRoot anchored;
    std::optional<crypto::Digest> journal;
};

struct Finding {
    AuditCheck check = AuditCheck::journal;
    bool harmless = false;  // worth knowing, and no sign of anything wrong
    std::string file;       // empty where it is about no file
    std::optional<std::uint64_t> offset;
    bool exact = false;  // the offset is that of the first bad byte, not of what it lies in
    std::string message;
    std::optional<AnchorDifference> difference;
};

struct LedgerTotals {
    std::uint32_t ledger = 0;
    std::uint64_t accounts = 0;
    uint128 debits_posted = 0;
    uint128 credits_posted = 0;
    uint128 pending = 0;
};

struct AuditReport {
    std::vector<Finding> findings;
    ReplayResult journal;
    std::uint64_t accounts = 0;
    std::uint64_t transfers = 0;
    std::vector<LedgerTotals> ledgers;  // by number
    std::optional<NoteKey> key;         // the log's
    crypto::Digest root{};              // of the whole journal
    std::uint64_t tiles = 0;            // files compared
    std::uint64_t checkpoints = 0;      // signatures and roots verified
    std::uint64_t signed_commands = 0;  // covered by the newest checkpoint
    std::uint64_t anchors = 0;          // roots kept elsewhere that are the journal's

    bool ok() const noexcept;
};

// Errors: not_found when there is no journal; io. What is wrong with the files is in the report.
Result<AuditReport> audit(const AuditOptions& options);

}  // namespace jiaozi::proof
