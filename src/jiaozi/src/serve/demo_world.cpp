#include "demo_world.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <span>

#include <jiaozi/base/log.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/simulators/simulator.hpp>

namespace jiaozi::serve {
namespace {

constexpr uint128 first_deposit = 1'000'00;  // 1,000.00 CNY
constexpr auto patience = std::chrono::seconds(20);

struct DemoProduct {
    const char* name;
    const char* name_zh;
    const char* category;
    std::uint32_t price;  // fen
};
constexpr DemoProduct lobby_sells[] = {
    {"Cola", "可乐", "drinks", 350}, {"Water", "矿泉水", "drinks", 200}, {"Crisps", "薯片", "snacks", 600}};
constexpr DemoProduct office_sells[] = {
    {"Coffee", "咖啡", "drinks", 800}, {"Green tea", "绿茶", "drinks", 400}, {"Chocolate", "巧克力", "snacks", 750}};
constexpr DemoProduct gate_sells[] = {{"One hour of parking", "停车一小时", "parking", 500}};
constexpr DemoProduct charger_sells[] = {{"1 kWh", "充电 1 度", "charging", 120},
                                         {"10 kWh", "充电 10 度", "charging", 1'150}};

struct DemoMachine {
    const char* name;
    DeviceKind kind;
    const char* merchant;
    std::span<const DemoProduct> sells;
};
constexpr DemoMachine machines[] = {
    {"Lobby 大堂", DeviceKind::vending, "Corner Vending", lobby_sells},
    {"Office 办公室", DeviceKind::vending, "Corner Vending", office_sells},
    {"Garage 车库道闸", DeviceKind::gate, "City Parking", gate_sells},
    {"Charger 充电桩", DeviceKind::charger, "Volt Charging", charger_sells},
};
constexpr const char* car_name = "Family car 家用车";

struct DemoMerchant {
    const char* name;
    const char* mcc;  // ISO 18245
};
constexpr DemoMerchant merchant_rows[] = {
    {"Corner Vending", "5814"}, {"City Parking", "7523"}, {"Volt Charging", "5552"}};

// The IMEI of the demo's nth device: a test type allocation code, a serial number, and Luhn's check digit.
std::string imei_of(std::uint32_t number) {
    std::string digits = std::to_string(49'015'420'000'000ULL + number);
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        const auto digit = static_cast<std::uint32_t>(digits[i] - '0');
        const std::uint32_t twice = digit * 2;
        sum += i % 2 == 1 ? twice / 10 + twice % 10 : digit;
    }
    return digits + std::to_string((10 - sum % 10) % 10);
}

// A person may have renamed or removed what the demo made; that is no reason not to start.
template <class T>
Result<> made(const Result<T>& result) {
    if (result.ok() || result.error().kind() == ErrorKind::conflict) return {};
    return Error(result.error()).in("making the demo's world");
}

class Seeding {
  public:
    Seeding(boost::asio::io_context& io, const std::filesystem::path& states, const Clock& clock,
            groups::GroupService& groups, merchants::MerchantService& merchants, identity::DeviceService& devices)
        : io_(io), states_(states), clock_(clock), groups_(groups), merchants_(merchants), devices_(devices) {}

    Result<DemoWorld> run() {
        JZ_CHECK(family());
        for (const DemoMerchant& row : merchant_rows) {
            Merchant merchant;
            merchant.id = demo_id<MerchantId>(row.name);
            merchant.name = row.name;
            merchant.mcc = row.mcc;
            JZ_CHECK(made(wait_for<Merchant>(
                [&](api::Done<Merchant> done) { merchants_.create(merchant, assets::CNY, std::move(done)); })));
        }
        for (const DemoMachine& machine : machines) JZ_CHECK(sell(machine));
        JZ_CHECK(car());
        return std::move(world_);
    }

  private:
    // Runs the application thread's loop until the answer is there.
    template <class T, class Start>
    Result<T> wait_for(Start start) {
        auto answer = std::make_shared<std::optional<Result<T>>>();
        start([answer](Result<T> result) { answer->emplace(std::move(result)); });
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (!answer->has_value() && std::chrono::steady_clock::now() < deadline) {
            io_.restart();
            io_.run_one_for(std::chrono::milliseconds(100));
        }
        io_.restart();
        if (!answer->has_value())
            return Error(ErrorKind::timeout, "the ledger did not answer while the demo was being made");
        return std::move(**answer);
    }

    Result<> family() {
        const auto ana = demo_id<PersonId>("Ana");
        const auto bo = demo_id<PersonId>("Bo");
        const auto family = demo_id<GroupId>("Zhang family");
        JZ_CHECK(made(groups_.create_person({.id = ana, .name = "Ana", .locale = "en", .created = {}})));
        JZ_CHECK(made(groups_.create_person({.id = bo, .name = "Bo", .locale = "zh-CN", .created = {}})));
        JZ_CHECK(made(groups_.create_group(
            {.id = family, .kind = GroupKind::family, .name = "Zhang family 张家", .created = {}}, {ana})));
        world_.ana = MemberId(family.value);
        world_.family = family;

        const auto child = demo_id<MemberId>("Bo");
        JZ_CHECK(made(groups_.add_member(
            {.id = child, .group = family, .person = bo, .device = {}, .role = Role::member, .created = {}}, {})));
        JZ_CHECK(limit("per payment", child, LimitKind::per_payment, 10'00));
        JZ_CHECK(limit("per day", child, LimitKind::per_day, 30'00));

        Wallet household;
        household.id = demo_id<WalletId>("Household");
        household.group = family;
        household.name = "Household 家庭钱包";
        household.asset = assets::CNY;
        JZ_CHECK(made(
            wait_for<Wallet>([&](api::Done<Wallet> done) { groups_.open_wallet(household, {}, std::move(done)); })));
        world_.household = household.id;
        const groups::Deposit deposit{demo_id<DepositId>("first"), household.id, Amount(first_deposit, assets::CNY),
                                      clock_.now()};
        return made(wait_for<groups::Deposit>(
            [&](api::Done<groups::Deposit> done) { groups_.deposit(deposit, {}, std::move(done)); }));
    }

    Result<> limit(const char* name, MemberId member, LimitKind kind, std::uint32_t minor) {
        Limit wanted;
        wanted.id = demo_id<LimitId>(name);
        wanted.member = member;
        wanted.kind = kind;
        wanted.amount = Amount(minor, assets::CNY);
        return made(groups_.create_limit(wanted, {}));
    }

    Result<> sell(const DemoMachine& machine) {
        const auto merchant = demo_id<MerchantId>(machine.merchant);
        JZ_TRY(const DeviceId id, device(machine.name, machine.kind, merchant));
        if (machine.kind == DeviceKind::vending) {
            world_.vending.push_back(id);
            world_.seller = merchant;
        }
        if (machine.kind == DeviceKind::gate) world_.gate = id;
        std::vector<Slot> slots;
        for (const DemoProduct& sold : machine.sells) {
            Product product;
            product.id = demo_id<ProductId>(sold.name);
            product.merchant = merchant;
            product.name = sold.name;
            product.name_zh = sold.name_zh;
            product.category = sold.category;
            JZ_CHECK(made(merchants_.create_product(product)));
            slots.push_back(
                {id, static_cast<std::uint32_t>(slots.size() + 1), product.id, Amount(sold.price, assets::CNY)});
        }
        if (!merchants_.slots_of(id).empty()) return {};
        return made(merchants_.replace_slots(id, std::move(slots)));
    }

    Result<> car() {
        JZ_TRY(const DeviceId id, device(car_name, DeviceKind::car, {}));
        if (groups_.member_of_device(id) != nullptr) return {};
        return made(groups_.add_member({.id = demo_id<MemberId>("car"),
                                        .group = demo_id<GroupId>("Zhang family"),
                                        .person = {},
                                        .device = id,
                                        .role = Role::member,
                                        .created = {}},
                                       {}));
    }

    // The record, and a code if its simulator has no key yet.
    Result<DeviceId> device(const char* name, DeviceKind kind, MerchantId merchant) {
        DemoDevice simulated{demo_id<DeviceId>(name), kind, imei_of(++number_), {}};
        const Device* known = devices_.find(simulated.id);
        if (known == nullptr) {
            identity::NewDevice wanted{simulated.id, kind, name, merchant, {}};
            wanted.sim.imei = simulated.imei;
            JZ_TRY(const auto created, devices_.create(wanted));
            simulated.code = created.code;
        } else if (known->state == DeviceState::lost || known->state == DeviceState::retired) {
            return simulated.id;
        } else if (!simulators::Simulator::is_enrolled(states_, simulated.id)) {
            JZ_TRY(const auto renewed, devices_.new_code(simulated.id));
            simulated.code = renewed.code;
        }
        world_.devices.push_back(simulated);
        return simulated.id;
    }

    boost::asio::io_context& io_;
    const std::filesystem::path& states_;
    const Clock& clock_;
    groups::GroupService& groups_;
    merchants::MerchantService& merchants_;
    identity::DeviceService& devices_;
    DemoWorld world_;
    std::uint32_t number_ = 0;
};

}  // namespace

uint128 demo_id_value(std::string_view name) {
    crypto::Sha256 hash;
    hash.update(as_bytes("jiaozi/demo/1")).update(as_bytes(name));
    const crypto::Digest digest = hash.finish();
    uint128 value = 0;
    for (std::size_t i = 0; i < 16; ++i) value = value << 8 | digest[i];
    return value;
}

Result<DemoWorld> seed_demo_world(boost::asio::io_context& io, const std::filesystem::path& states, const Clock& clock,
                                  groups::GroupService& groups, merchants::MerchantService& merchants,
                                  identity::DeviceService& devices) {
    return Seeding(io, states, clock, groups, merchants, devices).run();
}

}  // namespace jiaozi::serve
