// What a benchmark pays with and at, made through the HTTP interface as an operator would.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <jiaozi/base/result.hpp>
#include <jiaozi/model/ids.hpp>

#include "../cli/operator.hpp"

namespace jiaozi::bench {

using cli::Operator;

struct NewMachine {
    DeviceId id;
    std::string code;
};

struct Wallets {
    std::string member;
    std::vector<std::string> wallets;
};

// A family with one member and several funded wallets.
Result<Wallets> make_wallets(Operator& op, std::uint32_t count);
// Gates that sell one thing for 1.00 CNY, and cars of one funded family.
struct Fleet {
    std::vector<NewMachine> gates;
    std::vector<NewMachine> cars;
    std::string wallet;  // the family's
    std::string merchant_wallet;
};
Result<Fleet> make_fleet(Operator& op, std::uint32_t pairs);

}  // namespace jiaozi::bench
