#include "demo.hpp"

#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <jiaozi/base/log.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/crypto/secret.hpp>

#include "platform.hpp"

namespace jiaozi::serve {
namespace {

constexpr Duration drink_every = seconds(15);
constexpr Duration pass_every = seconds(20);
constexpr Duration first_drink = seconds(4);
constexpr std::uint32_t slots_of_a_machine = 3;
constexpr uint128 low_balance = 300'00;
constexpr uint128 top_up_amount = 1'000'00;

Bytes fresh_request_hash() {
    Bytes hash(16);
    crypto::random_bytes(hash);
    return hash;
}

}  // namespace

Demo::Demo(Parts parts) : parts_(std::move(parts)) {}

Demo::~Demo() {
    stop();
    if (machines_thread_.joinable()) machines_thread_.join();
}

Result<> Demo::seed() {
    JZ_TRY(world_,
           seed_demo_world(parts_.io, parts_.directory, parts_.clock, parts_.groups, parts_.merchants, parts_.devices));
    for (const DemoDevice& device : world_.devices) faults_[device.id] = api::SandboxFault::none;
    return {};
}

Result<> Demo::start(const Addresses& addresses) {
    machines_thread_ =
        std::thread([this, addresses] { run_machines(addresses.url, addresses.mqtt_host, addresses.mqtt_port); });
    next_purchase_ = parts_.app.call_after(first_drink, [this] { buy_again(); });
    start_purses();
    return {};
}

// The demo is worth having without them.
void Demo::start_purses() {
    if (parts_.purses == nullptr) return;
    const Merchant* seller = parts_.merchants.merchant(world_.seller);
    if (seller == nullptr) return;
    constexpr std::uint64_t pocket_money = 100'00;
    std::vector<DemoPurses::Owner> owners;
    for (const char* name : {"ana", "bo"}) {
        owners.push_back({name, world_.household, world_.family.value, {}, pocket_money});
    }
    owners.push_back({"lobby", seller->wallet, seller->id.value, world_.vending.front(), 0});
    auto opened = DemoPurses::open({parts_.app, parts_.clock, parts_.directory, *parts_.purses}, std::move(owners));
    if (!opened.ok()) {
        log::warn("the demo's purses do not start", {{"why", opened.error().to_string()}});
        return;
    }
    purses_ = std::move(*opened);
    purses_->start();
}

void Demo::stop() {
    parts_.app.cancel(std::exchange(next_purchase_, 0));
    purses_.reset();
    boost::asio::post(machines_io_, [this] {
        machines_.clear();
        machines_io_.stop();
    });
}

std::vector<api::SandboxDevice> Demo::list() const {
    std::vector<api::SandboxDevice> devices;
    devices.reserve(world_.devices.size());
    for (const DemoDevice& device : world_.devices) devices.push_back({device.id, faults_.at(device.id)});
    return devices;
}

Result<api::SandboxDevice> Demo::set_fault(DeviceId device, api::SandboxFault fault) {
    const auto known = faults_.find(device);
    if (known == faults_.end()) {
        return Error(ErrorKind::not_found, "no simulated device has the id " + device.to_string())
            .with_code("device_not_found")
            .with_param("device");
    }
    known->second = fault;
    boost::asio::post(machines_io_, [this, device, fault] {
        if (const auto machine = machines_.find(device); machine != machines_.end())
            machine->second->set_faults(simulators::faults_of(fault));
    });
    return api::SandboxDevice{device, fault};
}

// ---- the machines' thread

void Demo::run_machines(const std::string& url, const std::string& mqtt_host, std::uint16_t mqtt_port) {
    for (const DemoDevice& device : world_.devices) {
        simulators::Options options;
        options.device = device.id;
        options.kind = device.kind;
        options.sim.imei = device.imei;
        options.code = device.code;
        options.states = parts_.directory;
        options.url = url;
        options.mqtt_host = mqtt_host;
        options.mqtt_port = mqtt_port;
        if (device.kind == DeviceKind::car)
            options.pays = simulators::PaysAt{.machine = world_.gate, .slot = 1, .quantity = 1, .every = pass_every};
        auto machine = simulators::Simulator::create(machines_io_, machines_clock_, std::move(options));
        auto started = machine.ok() ? (*machine)->start() : Result<>(machine.error());
        if (!started.ok()) {
            log::warn("a machine of the demo does not start",
                      {{"device", device.id.to_string()}, {"why", started.error().to_string()}});
            continue;
        }
        machines_.emplace(device.id, std::move(*machine));
    }
    const auto keep_running = boost::asio::make_work_guard(machines_io_);
    machines_io_.run();
    machines_.clear();
}

// ---- Ana

void Demo::buy_again() {
    next_purchase_ = parts_.app.call_after(drink_every, [this] { buy_again(); });
    top_up();
    buy_drink();
}

void Demo::buy_drink() {
    const std::uint64_t number = purchases_++;
    api::NewPayment payment;
    payment.id = crypto::new_id<PaymentId>(parts_.clock);
    payment.payer_wallet = world_.household;
    payment.payer_member = world_.ana;
    payment.machine = world_.vending[number % world_.vending.size()];
    payment.slot = static_cast<std::uint32_t>(number / world_.vending.size() % slots_of_a_machine + 1);
    payment.request_hash = fresh_request_hash();
    parts_.payments.create(std::move(payment), [](const Result<api::PaymentAnswer>& answer) {
        // A refusal is a payment too, and shown as one; only what never became a payment is worth a line.
        if (!answer.ok()) log::debug("the demo's purchase was not taken", {{"why", answer.error().to_string()}});
    });
}

// Play money, so that the demo lives for days.
void Demo::top_up() {
    const auto balance = parts_.groups.balance(world_.household);
    if (!balance || balance->available.minor() >= low_balance) return;
    const groups::Deposit deposit{crypto::new_id<DepositId>(parts_.clock), world_.household,
                                  Amount(top_up_amount, assets::CNY), parts_.clock.now()};
    parts_.groups.deposit(deposit, {}, [](const Result<groups::Deposit>& answer) {
        if (!answer.ok()) log::debug("the demo's wallet was not topped up", {{"why", answer.error().to_string()}});
    });
}

}  // namespace jiaozi::serve
