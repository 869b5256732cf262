#include "world.hpp"

namespace jiaozi::chaos {
namespace {

constexpr std::uint64_t plenty = 100'000'000;
constexpr std::uint64_t very_little = 3'000;
constexpr std::uint64_t allowance_a_day = 15'000;

Result<std::string> make_group(Api& api, const char* kind, Payer& payer) {
    JZ_TRY(const auto person, api.make("POST", "/v1/people", {{"name", "Payer"}}));
    JZ_TRY(const auto group,
           api.make("POST", "/v1/groups", {{"kind", kind}, {"name", "Payers"}, {"owner", text(person, "id")}}));
    JZ_TRY(const auto members, api.make("GET", "/v1/groups/" + text(group, "id") + "/members"));
    payer.member = text(members.at("data").as_array().at(0).as_object(), "id");
    return text(group, "id");
}

Result<> fund(Api& api, const std::string& group, std::uint64_t money, Payer& payer) {
    JZ_TRY(const auto wallet,
           api.make("POST", "/v1/groups/" + group + "/wallets", {{"name", "Wallet"}, {"asset", "CNY"}}));
    payer.wallet = text(wallet, "id");
    payer.deposited = money;
    JZ_CHECK(api.make("POST", "/v1/wallets/" + payer.wallet + "/deposits",
                      {{"amount", std::to_string(money)}, {"asset", "CNY"}}));
    return {};
}

Result<Payer> make_payer(Api& api, std::uint64_t money) {
    Payer payer;
    JZ_TRY(const std::string group, make_group(api, "family", payer));
    JZ_CHECK(fund(api, group, money, payer));
    return payer;
}

Result<NewDevice> make_device(Api& api, const json::object& body) {
    JZ_TRY(const auto made, api.make("POST", "/v1/devices", body));
    JZ_TRY(const DeviceId id, DeviceId::parse(text(made, "id")));
    return NewDevice{id, text(made, "enrolment_code")};
}

Result<> make_shops(Api& api, const Plan& plan, World& world) {
    std::vector<std::string> merchants;
    std::vector<json::array> slots;
    for (const char* name : {"East", "West"}) {
        JZ_TRY(const auto merchant, api.make("POST", "/v1/merchants", {{"name", name}, {"asset", "CNY"}}));
        world.merchants.push_back(text(merchant, "wallet"));
        merchants.push_back(text(merchant, "id"));
        json::array sells;
        for (std::uint32_t slot = 1; slot <= prices.size(); ++slot) {
            JZ_TRY(const auto product,
                   api.make("POST", "/v1/products",
                            {{"merchant", merchants.back()}, {"name", "Thing"}, {"category", "drinks"}}));
            sells.push_back(json::object{{"slot", slot},
                                         {"product", text(product, "id")},
                                         {"price", std::to_string(price_of(slot))},
                                         {"asset", "CNY"}});
        }
        slots.push_back(std::move(sells));
    }
    for (std::uint32_t i = 0; i < plan.machines; ++i) {
        JZ_TRY(auto machine,
               make_device(api, {{"kind", "vending"}, {"name", "Machine"}, {"merchant", merchants[i % 2]}}));
        JZ_CHECK(api.make("PUT", "/v1/devices/" + machine.id.to_string() + "/slots", {{"slots", slots[i % 2]}}));
        world.machines.push_back(std::move(machine));
    }
    return {};
}

Result<> make_cars(Api& api, const Plan& plan, World& world) {
    JZ_TRY(const std::string group, make_group(api, "fleet", world.fleet));
    JZ_CHECK(fund(api, group, plenty, world.fleet));
    for (std::uint32_t i = 0; i < plan.cars; ++i) {
        JZ_TRY(auto car, make_device(api, {{"kind", "car"}, {"name", "Car"}}));
        JZ_CHECK(api.make("POST", "/v1/groups/" + group + "/members", {{"device", car.id.to_string()}}));
        world.cars.push_back(std::move(car));
    }
    return {};
}

}  // namespace

std::uint64_t World::deposited() const {
    std::uint64_t sum = limited.deposited + fleet.deposited;
    for (const Payer& payer : payers) sum += payer.deposited;
    return sum;
}

std::vector<std::string> World::wallets() const {
    std::vector<std::string> all = merchants;
    for (const Payer& payer : payers) all.push_back(payer.wallet);
    all.push_back(limited.wallet);
    all.push_back(fleet.wallet);
    return all;
}

Result<World> make_world(Api& api, const Plan& plan) {
    World world;
    JZ_CHECK(make_shops(api, plan, world));
    JZ_CHECK(make_cars(api, plan, world));
    for (const std::uint64_t money : {plenty, plenty, plenty, very_little}) {
        JZ_TRY(auto payer, make_payer(api, money));
        world.payers.push_back(std::move(payer));
    }
    JZ_TRY(world.limited, make_payer(api, plenty));
    world.allowance = allowance_a_day;
    JZ_CHECK(api.make("POST", "/v1/limits",
                      {{"member", world.limited.member},
                       {"kind", "per_day"},
                       {"amount", std::to_string(world.allowance)},
                       {"asset", "CNY"}}));
    return world;
}

}  // namespace jiaozi::chaos
