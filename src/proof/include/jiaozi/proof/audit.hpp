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

struct AuditOptions {
    std::filesystem::path journal;       // the engine's directory
    std::filesystem::path log;           // may be missing: then there is no tree to check
    Bytes salt_key;                      // empty: the tree can't be made again, which is a finding
    std::vector<std::string> witnesses;  // checkpoints kept elsewhere, as signed notes, to hold the journal against
    storage::Disk* disk = nullptr;
};

enum class AuditCheck : std::uint8_t { journal, replay, balances, tree, checkpoints };
std::string_view name_of(AuditCheck check) noexcept;

struct Finding {
    AuditCheck check = AuditCheck::journal;
    bool harmless = false;  // worth knowing, and no sign of anything wrong
    std::string file;       // empty where it is about no file
    std::optional<std::uint64_t> offset;
    bool exact = false;  // the offset is that of the first bad byte, not of what it lies in
    std::string message;
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

    bool ok() const noexcept;
};

// Errors: not_found when there is no journal; io. What is wrong with the files is in the report.
Result<AuditReport> audit(const AuditOptions& options);

}  // namespace jiaozi::proof
