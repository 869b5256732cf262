// A wallet's money as people see it. Implemented by the service `groups` over the engine. Any thread.
#pragma once

#include <optional>

#include <jiaozi/model/records.hpp>

namespace jiaozi::api {

struct Balance {
    Amount total;      // posted credits less posted debits
    Amount held;       // pending debits: money held for payments in delivery
    Amount available;  // total less held
};

class Balances {
  public:
    virtual ~Balances() = default;
    // nullopt: no such wallet.
    virtual std::optional<Balance> balance(WalletId wallet) const = 0;
};

}  // namespace jiaozi::api
