// Proof of liabilities: for each ledger a Merkle sum tree over what its holders own, at a checkpoint, signed. A holder
// checks that their balance is counted; an auditor that the sum is the journal's and what backs it.
// Format: docs/formats/receipt.md, "Liabilities".
//
// Parsing and verifying are safe on hostile input. Not thread-safe; const objects are.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/base/uint128.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/ledger/ledger.hpp>
#include <jiaozi/proof/note.hpp>
#include <jiaozi/proof/record.hpp>

namespace jiaozi::proof {

struct SumNode {
    crypto::Digest hash{};
    uint128 sum = 0;
    bool operator==(const SumNode&) const = default;
};

// One line of the statement.
struct LedgerLiability {
    std::uint32_t ledger = 0;
    std::uint64_t holders = 0;
    uint128 sum = 0;
    crypto::Digest root{};
    bool operator==(const LedgerLiability&) const = default;
};

struct LiabilityStatement {
    Checkpoint checkpoint;
    std::vector<LedgerLiability> ledgers;  // by number

    std::string text() const;
    static Result<LiabilityStatement> parse(std::string_view text);
};

// The log's key under the name that liabilities are signed with.
NoteKey liabilities_key(const NoteKey& log_key);

struct LiabilityProof {
    std::string note;
    std::uint32_t ledger = 0;
    uint128 account = 0;
    uint128 balance = 0;
    Salt salt{};
    std::uint64_t index = 0;
    std::vector<SumNode> path;

    std::string to_json() const;
    static Result<LiabilityProof> parse(std::string_view json);
    bool operator==(const LiabilityProof&) const = default;
};

struct VerifiedLiability {
    LiabilityStatement statement;
    LedgerLiability ledger;
};
// Error unauthenticated: the balance is not under a sum that this log's key has signed.
Result<VerifiedLiability> verify(const LiabilityProof& proof, const NoteKey& log_key);

// All holders' balances at one point of the journal.
class Liabilities {
  public:
    // `ledger` is as it was at the checkpoint. Error invalid names a holder with a negative balance: a sum tree must
    // not hide a debt.
    static Result<Liabilities> make(const ledger::Ledger& ledger, const Checkpoint& checkpoint, ByteView salt_key,
                                    const std::function<bool(const ledger::Account&)>& is_holder);

    const LiabilityStatement& statement() const noexcept { return statement_; }
    // What the other accounts of a ledger owe: by double entry the same as the sum, if all is well.
    uint128 backing(std::uint32_t ledger) const;
    // `note` is the signed statement. Error not_found: no holder has this account.
    Result<LiabilityProof> prove(uint128 account, std::string note) const;

  private:
    struct Leaf {
        SumNode node;
        uint128 account = 0;
        Salt salt{};
    };
    LiabilityStatement statement_;
    std::map<std::uint32_t, std::vector<Leaf>> leaves_;  // by ledger, by hash
    std::map<std::uint32_t, uint128> backing_;
};

}  // namespace jiaozi::proof
