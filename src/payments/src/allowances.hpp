// Limits as accounts: opens and grants the budgets that a payment needs and adds its checks and uses to the chain
// (docs/accounts.md). Remembers which budgets are open and what was granted, so that the usual payment adds nothing but
// its uses; what it does not remember it reads from the ledger. Application thread only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include <jiaozi/engine/engine.hpp>
#include <jiaozi/payments/annotation.hpp>

namespace jiaozi::payments {

class Allowances {
  public:
    explicit Allowances(const engine::Engine& engine) : engine_(engine) {}

    // What was added to a command, and what must be forgotten afterwards.
    struct Added {
        ChainShape shape;
        std::vector<LimitId> opened;  // forget these if the command fails or was not committed
        bool taken_back = false;      // forget them anyway: how much could be taken back is only known afterwards
    };
    // Everything but the money, for the limits that apply. `hold_s` 0: used at once. The command must hold no transfers
    // yet. Errors of a lookup: the command is then of no use.
    Result<Added> add(engine::Command& command, const Payment& payment, std::span<const Limit* const> limits,
                      Timestamp now, std::uint32_t hold_s);
    // The command was answered. `committed` false: it may or may not have been.
    void settle(const Added& added, bool committed);

  private:
    struct Window {
        std::uint32_t days = 0;  // 0: a per-payment limit, which has no window
        std::uint64_t number = 0;
        uint128 account = 0;
        std::uint32_t next = 0;  // number of the next grant
        uint128 granted = 0;     // less what was taken back
        bool open = false;
    };
    Result<Window*> window_of(const Limit& limit, Timestamp now);
    Result<> read(Window& window) const;
    void open_and_grant(engine::Command& command, const Limit& limit, Window& window, Added& added) const;

    const engine::Engine& engine_;
    boost::unordered_flat_map<LimitId, Window, std::hash<LimitId>> windows_;
};

}  // namespace jiaozi::payments
