// Selective disclosure: for an auditor, what one account or one period had, with proofs, and nothing of others. Made
// from the journal offline; in the format of receipts with no subject (docs/formats/receipt.md), and verified as they
// are.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/proof/receipt.hpp>
#include <jiaozi/storage/disk.hpp>

namespace jiaozi::proof {

struct DisclosureOptions {
    std::filesystem::path journal;  // the engine's directory
    Bytes salt_key;
    std::string checkpoint;  // signed; the disclosure goes up to it
    NoteKey key;
    // The account whose transfers are shown, in any role, and the time-outs of its holds; none: all parts of all
    // commands.
    std::optional<uint128> account;
    std::uint64_t from_ns = 0;         // by the command's time
    std::uint64_t to_ns = UINT64_MAX;  // before it
};

// Keeps 64 bytes a command in memory while it works. Errors: corrupt when the journal is not the checkpoint's;
// not_found: nothing to disclose; too_large: over max_receipt_commands.
Result<Receipt> make_disclosure(const DisclosureOptions& options, storage::Disk& disk);

}  // namespace jiaozi::proof
