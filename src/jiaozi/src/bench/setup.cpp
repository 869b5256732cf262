#include "setup.hpp"

namespace jiaozi::bench {
namespace {

namespace json = boost::json;

constexpr const char* plenty = "1000000000000";  // minor units

std::string id_of(const json::object& object) {
    return std::string(object.at("id").as_string());
}

Result<std::string> make_group(Operator& op, std::string& member) {
    JZ_TRY(const auto person, op.call("POST", "/v1/people", {{"name", "Bench"}}));
    JZ_TRY(const auto group,
           op.call("POST", "/v1/groups", {{"kind", "family"}, {"name", "Bench"}, {"owner", id_of(person)}}));
    JZ_TRY(const auto members, op.call("GET", "/v1/groups/" + id_of(group) + "/members", {}));
    member = id_of(members.at("data").as_array().at(0).as_object());
    return id_of(group);
}

Result<std::string> make_wallet(Operator& op, const std::string& group) {
    JZ_TRY(const auto wallet,
           op.call("POST", "/v1/groups/" + group + "/wallets", {{"name", "Bench"}, {"asset", "CNY"}}));
    JZ_CHECK(op.call("POST", "/v1/wallets/" + id_of(wallet) + "/deposits", {{"amount", plenty}, {"asset", "CNY"}}));
    return id_of(wallet);
}

Result<NewMachine> make_device(Operator& op, const json::object& body) {
    JZ_TRY(const auto device, op.call("POST", "/v1/devices", body));
    JZ_TRY(const DeviceId id, DeviceId::parse(id_of(device)));
    return NewMachine{id, std::string(device.at("enrolment_code").as_string())};
}

}  // namespace

Result<Wallets> make_wallets(Operator& op, std::uint32_t count) {
    Wallets made;
    JZ_TRY(const std::string group, make_group(op, made.member));
    for (std::uint32_t i = 0; i < count; ++i) {
        JZ_TRY(auto wallet, make_wallet(op, group));
        made.wallets.push_back(std::move(wallet));
    }
    return made;
}

Result<Fleet> make_fleet(Operator& op, std::uint32_t pairs) {
    Fleet fleet;
    std::string member;
    JZ_TRY(const std::string group, make_group(op, member));
    JZ_TRY(fleet.wallet, make_wallet(op, group));
    JZ_TRY(const auto merchant, op.call("POST", "/v1/merchants", {{"name", "Bench"}, {"asset", "CNY"}}));
    fleet.merchant_wallet = cli::text_of(merchant, "wallet");
    JZ_TRY(const auto product,
           op.call("POST", "/v1/products", {{"merchant", id_of(merchant)}, {"name", "Pass"}, {"category", "parking"}}));
    for (std::uint32_t i = 0; i < pairs; ++i) {
        JZ_TRY(auto gate, make_device(op, {{"kind", "gate"}, {"name", "Gate"}, {"merchant", id_of(merchant)}}));
        const json::object slot = {{"slot", 1}, {"product", id_of(product)}, {"price", "100"}, {"asset", "CNY"}};
        JZ_CHECK(op.call("PUT", "/v1/devices/" + gate.id.to_string() + "/slots", {{"slots", json::array{slot}}}));
        JZ_TRY(auto car, make_device(op, {{"kind", "car"}, {"name", "Car"}}));
        JZ_CHECK(op.call("POST", "/v1/groups/" + group + "/members", {{"device", car.id.to_string()}}));
        fleet.gates.push_back(std::move(gate));
        fleet.cars.push_back(std::move(car));
    }
    return fleet;
}

}  // namespace jiaozi::bench
