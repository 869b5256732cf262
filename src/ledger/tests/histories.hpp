// Histories as a ledger told them, in the plainest way: a list of changes for each account.
#pragma once

#include <map>
#include <vector>

#include <jiaozi/ledger/ledger.hpp>

namespace jiaozi::ledger::test {

class Histories final : public HistorySink {
  public:
    void take(std::span<const HistoryRow> rows) override {
        for (const HistoryRow& row : rows) rows_[row.account].push_back(row);
    }
    const std::vector<HistoryRow>& rows(const Ledger& ledger, uint128 account_id) {
        const auto number = ledger.account_number(account_id);
        return number ? rows_[*number] : none_;
    }
    std::vector<BalanceChange> changes(const Ledger& ledger, uint128 account_id) {
        std::vector<BalanceChange> changes;
        for (const HistoryRow& row : rows(ledger, account_id)) {
            const Transfer transfer = ledger.stored_transfer(row.event).value();
            changes.push_back({.transfer_id = transfer.id,
                               .debits_pending = row.debits_pending,
                               .debits_posted = row.debits_posted,
                               .credits_pending = row.credits_pending,
                               .credits_posted = row.credits_posted,
                               .timestamp = row.expired_ns != 0 ? row.expired_ns : transfer.timestamp,
                               .cause = row.expired_ns != 0 ? ChangeCause::expiry : ChangeCause::transfer});
        }
        return changes;
    }

  private:
    std::map<std::uint64_t, std::vector<HistoryRow>> rows_;
    const std::vector<HistoryRow> none_;
};

}  // namespace jiaozi::ledger::test
