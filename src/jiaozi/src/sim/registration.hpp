// What a simulated device needs to exist at the server: made through the HTTP interface by `--register`, and remembered
// beside the device's key, so that the same command goes on with the same device the next time.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <jiaozi/base/result.hpp>
#include <jiaozi/model/enums.hpp>
#include <jiaozi/model/ids.hpp>

#include "../cli/operator.hpp"

namespace jiaozi::sim {

struct Registration {
    std::string url;  // the server it is registered at
    DeviceId device;
    std::string wallet;  // of a family with play money: who can buy there, or whose device it is
    std::string member;  // a person of that family
    DeviceId seller;     // car, meter, phone: the machine that was made for it to pay at; none if one was named
};

// Whether devices of this kind pay by themselves rather than sell.
bool pays_by_itself(DeviceKind kind);
// The kind of machine made for a device that pays.
DeviceKind seller_for(DeviceKind kind);

// Makes device, merchant, product, slots, family, wallet and deposit. seller_wanted: for a paying device, a machine
// too.
Result<Registration> register_device(cli::Operator& op, const std::string& url, DeviceKind kind, bool seller_wanted);
// nullopt: nothing is remembered for that kind there. Error corrupt: the file is not ours.
Result<std::optional<Registration>> load_registration(const std::filesystem::path& folder, DeviceKind kind);
Result<> store_registration(const std::filesystem::path& folder, DeviceKind kind, const Registration& registration);
// A fresh one-time code for a device that has no key here.
Result<std::string> new_enrolment_code(cli::Operator& op, DeviceId device);

}  // namespace jiaozi::sim
