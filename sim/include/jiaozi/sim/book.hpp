// The auditor's own book: what the ledger must answer and hold, worked out from docs/ledger.md a second time, without
// any of the ledger's code. Ordinary maps, exact arithmetic, one rule after the other. Whatever the engine answers is
// held against it, and so is what a crash leaves.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include <jiaozi/engine/command.hpp>

namespace jiaozi::sim {

class Book {
  public:
    struct Known {
        ledger::Transfer asked;   // the event as it came
        ledger::Transfer stored;  // as the ledger must show it; meaningless if refused
        ledger::CreateTransferResult result = ledger::CreateTransferResult::ok;
        ledger::PendingStatus status = ledger::PendingStatus::none;
    };
    struct Answers {
        std::vector<ledger::CreateAccountResult> accounts;
        std::vector<ledger::SetAccountFlagsResult> flag_changes;
        std::vector<ledger::CreateTransferResult> transfers;
    };

    // What a command must be answered when it is applied with this timestamp.
    Answers apply(const engine::Command& command, Timestamp timestamp);

    // Live holds whose time has come by `now`, in the order in which they run out.
    struct RunOut {
        std::uint64_t at_ns = 0;
        uint128 id = 0;
    };
    std::vector<RunOut> due(Timestamp now) const;
    // Releases what has run out.
    void expire(std::uint64_t now_ns);

    const std::map<uint128, ledger::Account>& accounts() const { return accounts_; }
    const Known* find(uint128 transfer_id) const;
    // Ids of stored transfers, oldest first.
    const std::vector<uint128>& stored() const { return stored_; }
    // Holds that ran out, ever.
    std::uint64_t expired() const { return expired_; }

  private:
    using AccountResult = ledger::CreateAccountResult;
    using TransferResult = ledger::CreateTransferResult;
    struct Due {
        uint128 at_ns;
        std::uint64_t created_ns;
        uint128 id;
        auto operator<=>(const Due&) const = default;
    };

    struct IdHash {
        std::size_t operator()(uint128 id) const noexcept {
            return static_cast<std::size_t>(low64(id) * 0x9E3779B97F4A7C15ULL ^ high64(id));
        }
    };

    AccountResult judge(const ledger::Account& event) const;
    TransferResult judge_form(const ledger::Transfer& event) const;
    std::optional<TransferResult> remembered(const ledger::Transfer& event) const;
    TransferResult try_moving(const ledger::Transfer& event, std::uint64_t at_ns);
    TransferResult try_resolving(const ledger::Transfer& event, std::uint64_t at_ns);
    std::vector<AccountResult> apply(std::span<const ledger::Account> events, std::uint64_t first_ns);
    std::vector<TransferResult> apply(std::span<const ledger::Transfer> events, std::uint64_t first_ns);
    void change(ledger::Account& account);
    void release(Known& hold, ledger::PendingStatus status);
    void store(const ledger::Transfer& asked, const ledger::Transfer& stored, ledger::PendingStatus status);
    void remember_refusal(const ledger::Transfer& asked, TransferResult result);
    void on_undo(std::function<void()> step);
    void undo();

    std::map<uint128, ledger::Account> accounts_;
    std::unordered_map<uint128, Known, IdHash> known_;
    std::vector<uint128> stored_;
    std::set<Due> due_;
    std::uint64_t expired_ = 0;
    bool in_chain_ = false;
    std::vector<std::function<void()>> steps_back_;  // of the chain being applied
};

}  // namespace jiaozi::sim
