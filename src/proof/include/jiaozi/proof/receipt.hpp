// Receipts and disclosures: parts of committed commands, with the hashes that lead from each to a signed checkpoint.
// They verify with the log's public key and nothing else. Format: docs/formats/receipt.md.
//
// Parsing and verifying are safe on hostile input: Error malformed, too_large; unauthenticated when the bytes are well
// formed and prove nothing. Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/base/result.hpp>
#include <jiaozi/proof/note.hpp>
#include <jiaozi/proof/record.hpp>

namespace jiaozi::proof {

inline constexpr std::size_t max_receipt_bytes = std::size_t{64} * 1024 * 1024;  // a disclosure can be long
inline constexpr std::size_t max_receipt_commands = 100'000;

struct DisclosedPart {
    std::uint32_t index = 0;
    Salt salt{};
    Bytes bytes;
    crypto::merkle::Proof path;  // within the command
    bool operator==(const DisclosedPart&) const = default;
};

struct DisclosedCommand {
    std::uint64_t sequence = 0;
    std::uint32_t parts = 0;               // that the command has
    std::vector<DisclosedPart> disclosed;  // by index, the header first
    crypto::merkle::Proof inclusion;       // within the log
    bool operator==(const DisclosedCommand&) const = default;
};

struct Receipt {
    uint128 subject = 0;     // what it tells of, for example a payment's id; zero: a disclosure of more than one thing
    std::string checkpoint;  // a signed note
    std::vector<DisclosedCommand> commands;  // by sequence

    std::string to_json() const;
    static Result<Receipt> parse(std::string_view json);
    bool operator==(const Receipt&) const = default;
};

// The command's parts with these indexes (ascending, 0 among them); the inclusion proof is the caller's to add.
DisclosedCommand disclose(const Record& record, std::uint64_t sequence, const std::vector<std::uint32_t>& parts);

struct VerifiedCommand {
    HeaderPart header;
    std::vector<Part> parts;  // those disclosed, without the header
};
struct VerifiedReceipt {
    Checkpoint checkpoint;
    std::vector<VerifiedCommand> commands;
};

// What the receipt proves: the checkpoint is signed by this key; every command is in that log at its sequence; every
// part is of its command. For a receipt with a subject also that every transfer belongs to it.
Result<VerifiedReceipt> verify(const Receipt& receipt, const NoteKey& key);

// Whether a transfer belongs to a subject: it names it in user_data_128, or resolves a pending transfer that does.
// Asked in the order of the journal, so that the holds are known when they are resolved.
class Belonging {
  public:
    explicit Belonging(uint128 subject) : subject_(subject) {}
    bool operator()(const ledger::Transfer& transfer);
    bool held(uint128 pending_id) const;

  private:
    uint128 subject_;
    std::vector<uint128> transfers_;
};

}  // namespace jiaozi::proof
