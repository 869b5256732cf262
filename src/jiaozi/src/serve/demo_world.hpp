// What the demo has in it: a family with a car, three merchants and their machines. Ids are derived from names, so that
// a second start finds what the first one made. What a person has changed since stays changed.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/groups/groups.hpp>
#include <jiaozi/identity/devices.hpp>
#include <jiaozi/merchants/merchants.hpp>

namespace jiaozi::serve {

// The first 16 bytes of SHA-256("jiaozi/demo/1" || name).
uint128 demo_id_value(std::string_view name);
template <class SomeId>
SomeId demo_id(std::string_view name) {
    return SomeId(demo_id_value(name));
}

// A device that the demo simulates.
struct DemoDevice {
    DeviceId id;
    DeviceKind kind = DeviceKind::vending;
    std::string imei;
    std::string code;  // empty: it has its key already
};

struct DemoWorld {
    GroupId family;
    MerchantId seller;  // whose vending machines they are
    WalletId household;
    MemberId ana;
    DeviceId gate;
    std::vector<DeviceId> vending;
    std::vector<DemoDevice> devices;  // vending machines first, the car last
};

// Makes what is missing. Runs `io` for what the ledger must answer first, so it must not be running yet; nothing else
// may be served meanwhile. `states`: where the simulated devices keep their keys; one without a key gets a new code.
Result<DemoWorld> seed_demo_world(boost::asio::io_context& io, const std::filesystem::path& states, const Clock& clock,
                                  groups::GroupService& groups, merchants::MerchantService& merchants,
                                  identity::DeviceService& devices);

}  // namespace jiaozi::serve
