#include "fleet.hpp"

#include <algorithm>
#include <future>
#include <utility>

#include <boost/asio/post.hpp>

namespace jiaozi::chaos {
namespace {

constexpr std::uint64_t fleet_actor = 1;
constexpr std::uint64_t first_device_actor = 100;

}  // namespace

Fleet::Fleet(Diary& diary, const Plan& plan) : diary_(diary), plan_(plan), random_(plan.seed, fleet_actor) {}

Fleet::~Fleet() {
    stop();
}

Result<> Fleet::enrol(Api& api, const World& world, const std::filesystem::path& states, std::uint16_t mqtt_port) {
    std::uint64_t actor = first_device_actor;
    for (const bool delivers : {true, false}) {
        for (const NewDevice& each : delivers ? world.machines : world.cars) {
            Device::Setup setup{.id = each.id,
                                .delivers = delivers,
                                .state = states / each.id.to_string(),
                                .mqtt_port = mqtt_port,
                                .seed = plan_.seed,
                                .number = actor++};
            auto device = std::make_unique<Device>(io_, clock_, diary_, std::move(setup));
            JZ_CHECK(device->claim(api, each.code));
            (delivers ? machines_ : cars_).push_back(std::move(device));
        }
    }
    return {};
}

void Fleet::start() {
    began_ = SteadyClock::now();
    boost::asio::post(io_, [this] {
        for (auto* devices : {&machines_, &cars_}) {
            for (auto& device : *devices) device->start();
        }
        pay_by_cars();
    });
    thread_ = std::thread([this] { io_.run(); });
}

void Fleet::pay_by_cars() {
    const std::chrono::nanoseconds each(plan_.lasting.ns / std::max<std::uint32_t>(plan_.by_cars(), 1));
    for (; paid_by_cars_ < plan_.by_cars() && SteadyClock::now() - began_ >= each * (paid_by_cars_ + 1);
         ++paid_by_cars_) {
        protocol::PayRequest request;
        request.machine = machines_[random_.between(0, plan_.machines - 1)]->id();
        request.slot = random_.percent(2) ? slot_of_nothing : random_.between(1, prices.size());
        request.quantity = random_.between(1, 3);
        if (request.slot != slot_of_nothing && random_.percent(30)) {
            // Some state what they expect to pay, and a few of those are wrong.
            request.amount = price_of(request.slot) * request.quantity + (random_.percent(10) ? 1 : 0);
            request.asset = "CNY";
        }
        ++diary_.asked;
        cars_[random_.between(0, plan_.cars - 1)]->ask(std::move(request));
    }
    if (paid_by_cars_ == plan_.by_cars()) return;
    pace_.expires_after(std::chrono::milliseconds(10));
    pace_.async_wait([this](const boost::system::error_code& cancelled) {
        if (!cancelled) pay_by_cars();
    });
}

void Fleet::scan(std::size_t machine, std::string digits, std::uint32_t slot, std::uint32_t quantity) {
    protocol::PayRequest request;
    request.kind = PaymentKind::payment_code;
    request.code = std::move(digits);
    request.slot = slot;
    request.quantity = quantity;
    boost::asio::post(
        io_, [this, machine, request = std::move(request)]() mutable { machines_[machine]->ask(std::move(request)); });
}

void Fleet::calm_down() {
    boost::asio::post(io_, [this] {
        for (auto* devices : {&machines_, &cars_}) {
            for (auto& device : *devices) device->calm_down();
        }
    });
}

bool Fleet::is_done() {
    std::promise<bool> answer;
    boost::asio::post(io_, [&] {
        const auto done = [](const auto& device) { return device->is_done(); };
        answer.set_value(paid_by_cars_ == plan_.by_cars() && std::ranges::all_of(machines_, done) &&
                         std::ranges::all_of(cars_, done));
    });
    return answer.get_future().get();
}

void Fleet::stop() {
    if (!thread_.joinable()) return;
    boost::asio::post(io_, [this] {
        pace_.cancel();
        for (auto* devices : {&machines_, &cars_}) {
            for (auto& device : *devices) device->stop();
        }
        work_.reset();
        io_.stop();
    });
    thread_.join();
}

}  // namespace jiaozi::chaos
