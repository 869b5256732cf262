#include <algorithm>
#include <set>
#include <vector>

#include <jiaozi/proof/disclosure.hpp>
#include <jiaozi/proof/replay.hpp>

namespace jiaozi::proof {
namespace {

// Every complete subtree, so that any proof is a lookup.
class WholeTree final : public crypto::merkle::NodeSource {
  public:
    void append(const crypto::Digest& leaf) {
        crypto::Digest node = leaf;
        for (std::size_t level = 0;; ++level) {
            if (levels_.size() == level) levels_.emplace_back();
            levels_[level].push_back(node);
            if (levels_[level].size() % 2 != 0) return;
            node = crypto::merkle::hash_node(levels_[level][levels_[level].size() - 2], node);
        }
    }
    Result<crypto::Digest> node(unsigned level, std::uint64_t index) override {
        JZ_ASSERT(level < levels_.size() && index < levels_[level].size());
        return levels_[level][static_cast<std::size_t>(index)];
    }

  private:
    std::vector<std::vector<crypto::Digest>> levels_;
};

// Which parts of a command are shown. Follows the journal from its beginning, so that it knows the account's holds.
class Selection {
  public:
    explicit Selection(const DisclosureOptions& options) : options_(options) {}

    std::vector<std::uint32_t> parts(const engine::Committed& committed, const Record& record) {
        std::vector<std::uint32_t> shown;
        if (!options_.account) {
            for (std::size_t i = 1; i < record.parts(); ++i) shown.push_back(static_cast<std::uint32_t>(i));
        } else {
            for (std::size_t i = 0; i < committed.expired.size(); ++i) {
                if (is_hold(committed.expired[i].pending_id))
                    shown.push_back(static_cast<std::uint32_t>(record.first_expired() + i));
            }
            for (std::size_t i = 0; i < committed.command.transfers.size(); ++i) {
                if (concerns(committed.command.transfers[i]))
                    shown.push_back(static_cast<std::uint32_t>(record.first_transfer() + i));
            }
        }
        const bool in_period = committed.timestamp.ns >= options_.from_ns && committed.timestamp.ns < options_.to_ns;
        if (!in_period) shown.clear();
        return shown;
    }

  private:
    bool concerns(const ledger::Transfer& transfer) {
        const uint128 account = *options_.account;
        const bool named = transfer.debit_account_id == account || transfer.credit_account_id == account;
        if (!named && !is_hold(transfer.pending_id)) return false;
        if ((transfer.flags & ledger::transfer_flags::pending) != 0) holds_.insert(transfer.id);
        return true;
    }
    bool is_hold(uint128 id) const { return id != 0 && holds_.contains(id); }

    const DisclosureOptions& options_;
    std::set<uint128> holds_;
};

}  // namespace

Result<Receipt> make_disclosure(const DisclosureOptions& options, storage::Disk& disk) {
    Receipt receipt;
    receipt.checkpoint = options.checkpoint;
    JZ_TRY(const Checkpoint checkpoint, open_checkpoint(options.checkpoint, options.key));
    const Salter salter(options.salt_key);
    WholeTree tree;
    Selection selection(options);
    ledger::Ledger ledger;
    JZ_TRY(const ReplayResult replayed,
           replay_journal(disk, options.journal, ledger, [&](const engine::Committed& committed) -> Result<bool> {
               const Record record(committed, salter);
               tree.append(crypto::merkle::hash_leaf(record.entry()));
               if (auto parts = selection.parts(committed, record); !parts.empty()) {
                   if (receipt.commands.size() == max_receipt_commands)
                       return Error(ErrorKind::too_large,
                                    "a disclosure has at most 100,000 commands; choose a shorter "
                                    "period");
                   parts.insert(parts.begin(), 0);
                   receipt.commands.push_back(disclose(record, committed.sequence, parts));
               }
               return committed.sequence < checkpoint.size;
           }));
    if (replayed.damage || replayed.commands != checkpoint.size)
        return Error(ErrorKind::corrupt, "the journal does not reach to the checkpoint undamaged; run `jiaozi audit`");
    JZ_TRY(const crypto::Digest root, crypto::merkle::root_at(tree, checkpoint.size));
    if (root != checkpoint.root)
        return Error(ErrorKind::corrupt, "the journal is not the one that the checkpoint was signed for");
    if (receipt.commands.empty()) return Error(ErrorKind::not_found, "there is nothing to disclose");
    for (DisclosedCommand& command : receipt.commands) {
        JZ_TRY(command.inclusion, crypto::merkle::inclusion_proof(tree, command.sequence - 1, checkpoint.size));
    }
    return receipt;
}

}  // namespace jiaozi::proof
