// A committed command as a leaf of the log: its parts (header, expiries, accounts, flag changes, transfers,
// annotation), each salted and hashed into a small tree of its own, whose root is the log's entry. So the log shows
// nothing of a command, and one part can be shown without the others. Bytes: docs/formats/receipt.md, "Parts".
//
// The entry is a function of the command and the log's salt key alone: replaying the journal gives the same log.
// Decoding is safe on hostile input. Pure; objects are not thread-safe, a const Salter is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/crypto/merkle.hpp>
#include <jiaozi/engine/command.hpp>

namespace jiaozi::proof {

inline constexpr std::size_t salt_bytes = 16;
using Salt = std::array<std::uint8_t, salt_bytes>;

// Makes the salts of all commands from one secret of 32 bytes, so that none need be stored.
class Salter {
  public:
    explicit Salter(ByteView secret) : key_(secret) {}
    // The secret of one command, from which the salts of its parts come.
    crypto::Digest seed(std::uint64_t sequence) const noexcept;
    static Salt salt(const crypto::Digest& seed, std::uint32_t part) noexcept;

  private:
    crypto::HmacKey key_;
};

// The numbers stand in receipts: never renumber.
enum class PartKind : std::uint8_t {
    header = 0,
    expired = 1,
    account = 2,
    flag_change = 3,
    transfer = 4,
    annotation = 5,
    header_of_rows = 6,  // of a command whose annotation is cut into rows
};

struct HeaderPart {
    std::uint64_t sequence = 0;
    std::uint64_t timestamp_ns = 0;  // of the command's last event
    std::uint32_t expired = 0;
    std::uint32_t accounts = 0;
    std::uint32_t flag_changes = 0;
    std::uint32_t transfers = 0;
    std::uint32_t annotation_bytes = 0;
    std::uint32_t rows = 0;  // that the annotation is cut into; 0: it is one part

    std::uint64_t parts() const noexcept {
        const std::uint32_t annotations = rows != 0 ? rows : annotation_bytes == 0 ? 0 : 1;
        return std::uint64_t{1} + expired + accounts + flag_changes + transfers + annotations;
    }
    bool operator==(const HeaderPart&) const = default;
};
struct ExpiredPart {
    uint128 pending_id = 0;
    std::uint64_t timestamp_ns = 0;
    bool operator==(const ExpiredPart&) const = default;
};
// As submitted, with the time of the event, whether it was refused or not.
struct AccountPart {
    ledger::Account account;
    ledger::CreateAccountResult result = ledger::CreateAccountResult::ok;
    bool operator==(const AccountPart&) const = default;
};
struct FlagChangePart {
    engine::FlagChange change;
    ledger::SetAccountFlagsResult result = ledger::SetAccountFlagsResult::ok;
    bool operator==(const FlagChangePart&) const = default;
};
struct TransferPart {
    ledger::Transfer transfer;
    ledger::CreateTransferResult result = ledger::CreateTransferResult::ok;
    bool operator==(const TransferPart&) const = default;
};
struct AnnotationPart {
    Bytes bytes;
    bool operator==(const AnnotationPart&) const = default;
};
// A header's kind follows from its rows.
using Part = std::variant<HeaderPart, ExpiredPart, AccountPart, FlagChangePart, TransferPart, AnnotationPart>;

// Error malformed: not the bytes of a part.
Result<Part> decode_part(ByteView bytes);

// The hash of a part in its command's tree.
crypto::Digest hash_part(const Salt& salt, ByteView part) noexcept;
// What the log has as its entry for a command with so many parts.
crypto::Digest command_entry(std::uint32_t parts, const crypto::Digest& parts_root) noexcept;

// All parts of one command, encoded.
class Record {
  public:
    Record(const engine::Committed& committed, const Salter& salter);

    std::size_t parts() const noexcept { return ends_.size(); }
    ByteView part(std::size_t index) const noexcept;
    Salt salt(std::size_t index) const noexcept;
    // The log's entry.
    crypto::Digest entry() const noexcept;
    // Proves part `index` under the parts' root.
    crypto::merkle::Proof path(std::size_t index) const;

    // Where parts of these kinds begin.
    std::size_t first_expired() const noexcept { return 1; }
    std::size_t first_transfer() const noexcept { return first_transfer_; }
    // The last parts: the annotation, or its rows.
    std::size_t annotations() const noexcept { return annotations_; }
    std::size_t first_annotation() const noexcept { return parts() - annotations_; }
    bool is_cut() const noexcept { return cut_; }  // into rows

  private:
    void end_part();

    crypto::Digest seed_;
    Bytes bytes_;
    std::vector<std::size_t> ends_;
    std::vector<crypto::Digest> hashes_;
    std::size_t first_transfer_ = 0;
    std::size_t annotations_ = 0;
    bool cut_ = false;
};

// The annotations of one row each that an annotation of several things at once is cut into, so that a receipt shows the
// row that is its own; none if it is of another kind (docs/formats/receipt.md, Parts).
std::vector<Bytes> rows_of(ByteView annotation);

}  // namespace jiaozi::proof
