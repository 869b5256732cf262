// Who pays, who sells, and at what price: made through the HTTP interface before the chaos begins, and the auditor's
// own idea of it afterwards.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <jiaozi/model/ids.hpp>

#include "api.hpp"
#include "plan.hpp"

namespace jiaozi::chaos {

// Minor units of CNY, by slot from 1; every machine sells the same. The last is what nobody sells.
inline constexpr std::array<std::uint64_t, 3> prices{100, 257, 399};
inline constexpr std::uint32_t slot_of_nothing = 9;
constexpr std::uint64_t price_of(std::uint32_t slot) {
    return slot >= 1 && slot <= prices.size() ? prices[slot - 1] : 0;
}

struct NewDevice {
    DeviceId id;
    std::string code;  // of its enrolment
};
struct Payer {
    std::string wallet;
    std::string member;
    std::uint64_t deposited = 0;
};

struct World {
    std::vector<NewDevice> machines;
    std::vector<NewDevice> cars;
    std::vector<Payer> payers;  // people with money, the last of them with very little
    Payer limited;              // with money, and with an allowance a day
    std::uint64_t allowance = 0;
    Payer fleet;                         // the wallet the cars pay from; no member
    std::vector<std::string> merchants;  // wallets
    std::uint64_t deposited() const;     // in all
    std::vector<std::string> wallets() const;
};

Result<World> make_world(Api& api, const Plan& plan);

}  // namespace jiaozi::chaos
