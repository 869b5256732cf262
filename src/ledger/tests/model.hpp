// A second ledger, written from docs/ledger.md alone and as simply as possible: no balances are kept (they are summed
// up from the transfers when asked for), a chain is undone by putting back a copy, and of all faults of an event the
// lowest number is taken. Slow; for comparison with the real one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include <jiaozi/ledger/types.hpp>

namespace jiaozi::ledger::test {

class Model {
  public:
    struct Stored {
        Transfer transfer;
        Transfer asked;  // the event, as it came
        PendingStatus status = PendingStatus::none;
    };
    struct Refused {
        Transfer asked;
        CreateTransferResult result = CreateTransferResult::ok;
    };

    std::vector<CreateAccountResult> create_accounts(std::span<const Account> events, std::uint64_t last_ns);
    std::vector<CreateTransferResult> create_transfers(std::span<const Transfer> events, std::uint64_t last_ns);
    void set_frozen(uint128 account_id, bool frozen);
    std::vector<Expired> expire(std::uint64_t now_ns);

    // Accounts in the order of creation, with balances and the closed flag worked out.
    std::vector<Account> accounts() const;
    const std::vector<Stored>& transfers() const { return data_.transfers; }
    const std::vector<Refused>& refusals() const { return data_.refused; }
    std::vector<BalanceChange> history(uint128 account_id) const;
    std::optional<std::uint64_t> next_expiry_ns() const;

  private:
    struct Data {
        std::vector<Account> accounts;
        std::vector<Stored> transfers;
        std::vector<Refused> refused;
        std::map<uint128, std::vector<BalanceChange>> histories;
    };

    const Account* account(uint128 id) const;
    Account with_balances(const Account& created) const;
    const Stored* stored(uint128 id) const;
    void note_history(uint128 account_id, uint128 transfer_id, std::uint64_t at_ns, ChangeCause cause);

    std::optional<CreateAccountResult> answer_without_state(const Account& event) const;
    std::optional<CreateTransferResult> answer_without_state(const Transfer& event) const;
    std::optional<CreateTransferResult> answer_of_memory(const Transfer& event) const;
    std::set<CreateTransferResult> faults_of_move(const Transfer& event, std::uint64_t at_ns) const;
    std::set<CreateTransferResult> faults_of_resolution(const Transfer& event, std::uint64_t at_ns) const;
    uint128 amount_to_move(const Transfer& event) const;
    CreateTransferResult try_transfer(const Transfer& event, std::uint64_t at_ns);
    void store_resolution(const Transfer& event, std::uint64_t at_ns);

    Data data_;
};

}  // namespace jiaozi::ledger::test
