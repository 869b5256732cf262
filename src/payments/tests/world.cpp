#include "world.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include <gtest/gtest.h>

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/crypto/secret.hpp>

namespace jiaozi::payments::testing {

TempDir::TempDir() {
    std::array<std::uint8_t, 8> name{};
    crypto::random_bytes(name);
    path_ = std::filesystem::temp_directory_path() / ("jiaozi-payments-" + to_hex(name));
    std::filesystem::create_directories(path_);
}
TempDir::~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

void ManualApp::post(Task task) {
    const std::lock_guard guard(mutex_);
    tasks_.push_back(std::move(task));
    posted_.notify_one();
}

api::AppThread::TimerId ManualApp::call_after(Duration delay, Task task) {
    timers_.emplace(next_timer_, Timer{now_ + delay, std::move(task)});
    return next_timer_++;
}

void ManualApp::cancel(TimerId timer) {
    timers_.erase(timer);
}

bool ManualApp::run_until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (;;) {
        run_posted();
        const std::uint64_t ran_before = ran_;
        if (condition()) return true;
        if (ran_ != ran_before) continue;  // the condition ran tasks itself, perhaps after it had looked
        std::unique_lock lock(mutex_);
        if (!posted_.wait_until(lock, deadline, [&] { return !tasks_.empty(); })) return false;
    }
}

void ManualApp::run_posted() {
    for (;;) {
        Task task;
        {
            const std::lock_guard guard(mutex_);
            if (tasks_.empty()) return;
            task = std::move(tasks_.front());
            tasks_.pop_front();
        }
        ++ran_;
        task();
    }
}

void ManualApp::advance(Duration by) {
    const Duration until = now_ + by;
    for (;;) {
        const auto next = std::ranges::min_element(timers_, {}, [](const auto& timer) { return timer.second.due; });
        if (next == timers_.end() || next->second.due > until) break;
        now_ = next->second.due;
        Task task = std::move(next->second.task);
        timers_.erase(next);
        task();
        run_posted();
    }
    now_ = until;
}

void ManualApp::forget() {
    timers_.clear();
    const std::lock_guard guard(mutex_);
    tasks_.clear();
}

namespace {
template <class Map, class Key>
const typename Map::mapped_type* in(const Map& map, const Key& key) {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : &found->second;
}
}  // namespace

const Member* Town::member(MemberId id) const {
    return in(members, id);
}
const Member* Town::member_of_device(DeviceId device) const {
    for (const auto& [id, member] : members) {
        if (member.device == device) return &member;
    }
    return nullptr;
}
const Member* Town::member_of_person(PersonId person, GroupId group) const {
    for (const auto& [id, member] : members) {
        if (member.person == person && member.group == group) return &member;
    }
    return nullptr;
}
const Wallet* Town::wallet(WalletId id) const {
    return in(wallets, id);
}
const Wallet* Town::wallet_of_group(GroupId group, const Asset& asset) const {
    for (const auto& [id, wallet] : wallets) {
        if (wallet.group == group && wallet.asset == asset) return &wallet;
    }
    return nullptr;
}
std::vector<const Wallet*> Town::wallets_of_group(GroupId group) const {
    std::vector<const Wallet*> found;
    for (const auto& [id, wallet] : wallets) {
        if (wallet.group == group) found.push_back(&wallet);
    }
    return found;
}
std::vector<const Limit*> Town::limits_of(MemberId member) const {
    std::vector<const Limit*> found;
    for (const Limit& limit : limits) {
        if (limit.member == member) found.push_back(&limit);
    }
    return found;
}
const Merchant* Town::merchant(MerchantId id) const {
    return in(merchants, id);
}
const Product* Town::product(ProductId id) const {
    return in(products, id);
}
const Slot* Town::slot(DeviceId machine, std::uint32_t slot) const {
    return in(slots, std::pair(machine, slot));
}
std::vector<const Slot*> Town::slots_of(DeviceId machine) const {
    std::vector<const Slot*> found;
    for (const auto& [key, slot] : slots) {
        if (key.first == machine) found.push_back(&slot);
    }
    return found;
}
const Device* Town::find(DeviceId id) const {
    return in(devices, id);
}

std::size_t Wire::commands_for(PaymentId payment) const {
    return static_cast<std::size_t>(std::ranges::count(commands, payment, &api::DeliveryCommand::payment));
}

World::World(Options wanted) : options(std::move(wanted)) {
    settle_town();
    go();
    open_accounts();
}

World::~World() {
    stop();
}

void World::settle_town() {
    town.members[ana] = {.id = ana, .group = family, .person = PersonId(1), .device = {}, .created = {}};
    town.members[ben] = {.id = ben, .group = friends, .person = PersonId(2), .device = {}, .created = {}};
    town.members[car_member] = {.id = car_member, .group = family, .person = {}, .device = car, .created = {}};
    const auto add_wallet = [&](WalletId id, GroupId group, MerchantId merchant, const Asset& asset) {
        town.wallets[id] = {.id = id, .group = group, .merchant = merchant, .name = "w", .asset = asset, .created = {}};
    };
    add_wallet(family_cny, family, {}, assets::CNY);
    add_wallet(family_eur, family, {}, assets::EUR);
    add_wallet(friend_cny, friends, {}, assets::CNY);
    add_wallet(shop_cny, {}, shop, assets::CNY);
    town.merchants[shop] = {
        .id = shop, .name = "蓝鲸便利店 Blue Whale Convenience Store", .wallet = shop_cny, .created = {}};
    town.products[cola] = {
        .id = cola, .merchant = shop, .name = "Cola", .name_zh = "可乐", .category = "drinks", .created = {}};
    town.products[crisps] = {
        .id = crisps, .merchant = shop, .name = "Crisps", .name_zh = "薯片", .category = "snacks", .created = {}};
    town.products[parking] = {
        .id = parking, .merchant = shop, .name = "Hour", .name_zh = "停车", .category = "parking", .created = {}};
    const auto add_device = [&](DeviceId id, DeviceKind kind, MerchantId owner) {
        Device device;
        device.id = id;
        device.kind = kind;
        device.merchant = owner;
        device.state = DeviceState::active;
        town.devices[id] = device;
    };
    add_device(vending, DeviceKind::vending, shop);
    add_device(gate, DeviceKind::gate, shop);
    add_device(charger, DeviceKind::charger, shop);
    add_device(car, DeviceKind::car, {});
    add_device(stray_car, DeviceKind::car, {});
    town.slots[{vending, cola_slot}] = {vending, cola_slot, cola, cny(350)};
    town.slots[{vending, crisps_slot}] = {vending, crisps_slot, crisps, cny(500)};
    town.slots[{gate, parking_slot}] = {gate, parking_slot, parking, cny(800)};
    town.slots[{charger, 1}] = {charger, 1, parking, cny(100)};
    wire.heard = {vending, gate, charger};
}

void World::open_accounts() {
    engine::Command command;
    const auto open = [&](WalletId id, const Asset& asset, std::uint16_t code) {
        command.accounts.push_back(
            {.id = id.value,
             .ledger = asset.ledger,
             .code = code,
             .flags = ledger::account_flags::debits_must_not_exceed_credits | ledger::account_flags::history});
    };
    open(family_cny, assets::CNY, api::code_wallet);
    open(family_eur, assets::EUR, api::code_wallet);
    open(friend_cny, assets::CNY, api::code_wallet);
    open(shop_cny, assets::CNY, api::code_merchant_wallet);
    const uint128 funding = api::system_account(api::code_funding, assets::CNY.ledger);
    command.accounts.push_back({.id = funding, .ledger = assets::CNY.ledger, .code = api::code_funding});
    const auto fund = [&](uint128 id, WalletId wallet, std::uint64_t fen) {
        command.transfers.push_back({.id = id,
                                     .debit_account_id = funding,
                                     .credit_account_id = wallet.value,
                                     .amount = fen,
                                     .ledger = assets::CNY.ledger,
                                     .code = api::transfer_deposit});
    };
    fund(1, family_cny, family_start);
    fund(2, friend_cny, friend_start);
    ASSERT_TRUE(engine->execute(std::move(command)).ok());
}

void World::go() {
    auto opened = engine::Engine::open(
        {.directory = directory.path() / "journal", .max_queue = max_queue, .tick = milliseconds(1)}, clock);
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    engine = std::move(*opened);
    before_service();
    auto recovered = PaymentService::recover({*engine, app, clock, town, town, town, *archive}, options);
    ASSERT_TRUE(recovered.ok()) << recovered.error().to_string();
    payments = std::move(*recovered);
    payments->start(wire);
}

void World::stop() {
    payments.reset();
    wire.probes.clear();
    app.forget();
    engine.reset();
}

void World::restart() {
    stop();
    go();
}

api::NewPayment World::buy(std::uint32_t slot, std::uint32_t quantity) {
    api::NewPayment request;
    request.id = new_id();
    request.kind = PaymentKind::machine;
    request.payer_wallet = family_cny;
    request.payer_member = ana;
    request.machine = vending;
    request.slot = slot;
    request.quantity = quantity;
    request.request_hash = Bytes(16, static_cast<std::uint8_t>(last_id_));
    return request;
}

api::NewPayment World::pay_ben(std::uint64_t fen) {
    api::NewPayment request;
    request.id = new_id();
    request.kind = PaymentKind::person;
    request.payer_wallet = family_cny;
    request.payer_member = ana;
    request.payee_wallet = friend_cny;
    request.amount = cny(fen);
    request.request_hash = Bytes(16, static_cast<std::uint8_t>(last_id_));
    return request;
}

api::NewPayment World::park() {
    api::NewPayment request;
    request.id = new_id();
    request.kind = PaymentKind::device;
    request.payer_device = car;
    request.machine = gate;
    request.slot = parking_slot;
    request.request_hash = Bytes(16, static_cast<std::uint8_t>(last_id_));
    return request;
}

Limit World::limit(MemberId member, LimitKind kind, std::uint64_t fen, std::uint32_t days, std::string category) {
    Limit made{.id = LimitId(0x700 + town.limits.size()),
               .member = member,
               .kind = kind,
               .category = std::move(category),
               .amount = cny(fen),
               .window_days = days,
               .created = {}};
    town.limits.push_back(made);
    return made;
}

Result<api::PaymentAnswer> World::create(const api::NewPayment& request) {
    std::optional<Result<api::PaymentAnswer>> answer;
    payments->create(request, [&](Result<api::PaymentAnswer> given) { answer = std::move(given); });
    return wait(answer);
}

Payment World::created(const api::NewPayment& request) {
    auto answer = create(request);
    if (!answer.ok()) {
        ADD_FAILURE() << answer.error().to_string();
        return {};
    }
    return answer->payment;
}

Payment World::find(PaymentId id) {
    std::optional<Result<Payment>> answer;
    payments->find(id, [&](Result<Payment> given) { answer = std::move(given); });
    auto found = wait(answer);
    if (!found.ok()) {
        ADD_FAILURE() << found.error().to_string();
        return {};
    }
    return *found;
}

void World::ack(PaymentId id, bool accepted) {
    payments->command_acknowledged(find(id).device, id, accepted);
}

Result<api::ReportOutcome> World::report(PaymentId id, DeliveryResult result, std::uint32_t delivered) {
    std::optional<Result<api::ReportOutcome>> answer;
    payments->delivery_reported(find(id).device, id, result, delivered,
                                [&](Result<api::ReportOutcome> given) { answer = std::move(given); });
    return wait(answer);
}

Result<Payment> World::cancel(PaymentId id) {
    std::optional<Result<Payment>> answer;
    payments->cancel(id, [&](Result<Payment> given) { answer = std::move(given); });
    return wait(answer);
}

Result<api::RefundAnswer> World::refund(RefundId id, PaymentId payment, std::optional<Amount> amount) {
    std::optional<Result<api::RefundAnswer>> answer;
    payments->refund(id, payment, amount, [&](Result<api::RefundAnswer> given) { answer = std::move(given); });
    return wait(answer);
}

void World::pass(Duration time) {
    const Duration step = milliseconds(250);
    for (Duration passed; passed < time; passed = passed + step) {
        clock.advance(step);
        app.advance(step);
    }
}

void World::let_expire(PaymentId id) {
    pass(seconds(options.hold_s));
    clock.advance(milliseconds(1));
    EXPECT_TRUE(app.run_until([&] { return find(id).state != PaymentState::authorized; }));
}

std::uint64_t World::balance(WalletId wallet) const {
    const auto account = engine->account(wallet.value);
    return low64(account->credits_posted - account->debits_posted);
}

std::uint64_t World::held(WalletId wallet) const {
    return low64(engine->account(wallet.value)->debits_pending);
}

std::optional<std::uint64_t> World::left(const Limit& limit) const {
    const auto put = [](Bytes& text, uint128 value, std::size_t size) {
        for (std::size_t i = size; i > 0; --i) text.push_back(static_cast<std::uint8_t>(value >> (8 * (i - 1))));
    };
    const bool windowed = limit.kind != LimitKind::per_payment;
    const std::uint64_t days = windowed ? limit.window_days : 0;
    Bytes text = to_bytes(as_bytes("jiaozi/budget/1"));
    put(text, limit.id.value, 16);
    put(text, days, 8);
    put(text, windowed ? clock.now().s() / 86'400 / days : 0, 8);
    const crypto::Digest digest = crypto::sha256(text);
    uint128 id = 0;
    for (std::size_t i = 0; i < 16; ++i) id = (id << 8) | digest[i];
    const auto account = engine->account(id);
    if (!account) return std::nullopt;
    return low64(account->credits_posted - account->debits_posted - account->debits_pending);
}

void World::freeze(WalletId wallet, bool frozen) {
    engine::Command command;
    const std::uint16_t flag = ledger::account_flags::frozen;
    command.flag_changes.push_back({wallet.value, frozen ? flag : std::uint16_t{0}, frozen ? std::uint16_t{0} : flag});
    ASSERT_TRUE(engine->execute(std::move(command)).ok());
}

void World::check_money() {
    EXPECT_EQ(balance(family_cny) + balance(friend_cny) + balance(shop_cny), family_start + friend_start);
    if (payments->counters().open == 0) {
        EXPECT_EQ(held(family_cny), 0U);
        EXPECT_EQ(held(friend_cny), 0U);
    }
}

}  // namespace jiaozi::payments::testing
